"""What a training run is told: validated when made, stored with what it produced."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from hubbub.networks import is_ours, labels_clips
from hubbub.training.data import Augment
from hubbub.training.losses import Loss


class TrainConfig(BaseModel):
    """Settings of one training run. Lengths in minutes or seconds are audio, not waiting.

    `augment`, `dropout`, `causal`, `segment_seconds` and `least_batches` are our network's; the report's has its own.
    `augment`: "auto" changes the features of what is heard again and again, and none of fresh soundscapes. `fresh`:
    where the data are clips, training mixes new soundscapes for every step; of these the part `noisy` lies under a
    noise made here, the part `quiet` holds no event, and the part `gaps` has stretches without a sample, whose edges
    are to be no event. `optimizer`, `weight_decay`, `warm_up`: the part of all steps in which the rate of a cosine
    schedule rises. `average`: the network that is kept is a moving average over the steps, which forgets a step by this
    factor; None: the last one. `loss`, `edge_weight`: how much more a frame counts near an onset or offset. `mixup`:
    the part of batches in which pairs are blended. `teaching`: what a teacher's answers count beside the targets, where
    there is one. docs/network.md says what each of these brings. `least_batches`: of an epoch; small data are seen
    several times in one. `threads`: None leaves it to torch. `workers`: processes that mix while another one trains;
    None: half of the cores, on a GPU all. `epoch_minutes`: an epoch is that much of the training side, drawn anew for
    each; None: all of it. `hours`: of training, after which the epoch that runs is the last one. `train_minutes`,
    `validation_minutes`, `test_minutes`: soundscapes to mix, where the data are isolated clips.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str = "small"
    causal: bool = False
    seed: int = Field(0, ge=0)
    epochs: int = Field(16, gt=0)
    patience: int = Field(30, gt=0)
    batch_size: int = Field(4, gt=0)
    least_batches: int = Field(40, gt=0)
    learning_rate: float = Field(3e-3, gt=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: float = Field(0.0, ge=0, lt=1)
    average: float | None = Field(None, gt=0, lt=1)
    loss: Loss = "bce"
    edge_weight: float = Field(2.0, ge=0)
    mixup: float = Field(0.0, ge=0, le=1)
    teaching: float = Field(0.5, ge=0, le=1)
    fresh: bool = True
    noisy: float = Field(0.25, ge=0, le=1)
    quiet: float = Field(0.1, ge=0, le=1)
    gaps: float = Field(0.0, ge=0, le=1)
    segment_seconds: float = Field(10.0, gt=0)
    augment: Augment | Literal["auto"] | None = "auto"
    dropout: float = Field(0.1, ge=0, lt=1)
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    device: str = "auto"
    threads: int | None = Field(None, gt=0)
    workers: int | None = Field(None, ge=0)
    epoch_minutes: float | None = Field(None, gt=0)
    hours: float | None = Field(None, gt=0)
    train_minutes: float = Field(120.0, gt=0)
    validation_minutes: float = Field(30.0, gt=0)
    test_minutes: float = Field(60.0, gt=0)
    scene_seconds: float = Field(60.0, gt=0)

    def augmentation(self, fresh: bool) -> Augment | None:
        """Of features in training, where they are of `fresh` soundscapes or of a fixed set."""
        if not is_ours(self.network):
            return None
        if self.augment == "auto":
            return None if fresh else Augment()
        return self.augment

    @classmethod
    def of(cls, network: str, **settings: Any) -> Self:
        """The settings for a network by name, as they were measured to suit it, unless told otherwise: ours for events,
        ours for clips, and the report's, which train as the report says."""
        report: dict[str, Any] = {
            "batch_size": 16, "learning_rate": 1e-3, "schedule": "constant", "epochs": 300, "fresh": False,
            "edge_weight": 0.0,
        }  # fmt: skip
        clip: dict[str, Any] = {"batch_size": 8, "least_batches": 20, "dropout": 0.25}
        presets = report if not is_ours(network) else clip if labels_clips(network) else {}
        chosen = presets | settings
        return cls(network=network, **{key: value for key, value in chosen.items() if value is not None})
