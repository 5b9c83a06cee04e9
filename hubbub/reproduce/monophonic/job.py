"""One network for clips on one split: trained, tested, exported, and written down as a `ClipRun`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hubbub.datasets.features import FeatureCache, key_of
from hubbub.datasets.split import SIDES, Side
from hubbub.datasets.urbansound8k import SliceClip
from hubbub.datasets.urbansound8k_protocols import Sides, leaked
from hubbub.errors import ConfigError, DatasetError
from hubbub.files import write_text
from hubbub.networks import OUR_CLIP, build
from hubbub.networks.count import multiply_adds, n_parameters
from hubbub.reproduce.job import CLIPPED, curves_of
from hubbub.reproduce.monophonic.results import ClipRun, ProtocolName, answers_of
from hubbub.reproduce.running import Kept, while_waited_for
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.export import silence_of
from hubbub.training.export_clip import export_clip
from hubbub.training.fit import fit
from hubbub.training.front_end import OURS, REPORT_MONOPHONIC, FrontEndConfig
from hubbub.training.predict import clip_frames, predict_clips


def front_end_of(network: str) -> FrontEndConfig:
    """What makes the features of a network."""
    return OURS if network == OUR_CLIP else REPORT_MONOPHONIC


@dataclass(frozen=True)
class Slices:
    """The slices, `hashes` of their files by name, and the cache that holds their features."""

    labels: tuple[str, ...]
    hashes: Mapping[str, str]
    cache: FeatureCache

    def feature_key(self, name: str, front_end: FrontEndConfig) -> str:
        """Under which key the features of a slice lie."""
        return key_of(front_end.model_dump(), self.hashes[name], "clip")

    def key(self, sides: Sides) -> str:
        """A key of what the sides hold, sounds and labels."""
        return key_of({side: [[c.name, self.hashes[c.name], c.label] for c in sides[side]] for side in SIDES})

    def examples(self, clips: Sequence[SliceClip], front_end: FrontEndConfig) -> list[Example]:
        """The features (n_frames, n_features) of each slice, and its label as one row."""
        rows = np.eye(len(self.labels), dtype=bool)
        examples = []
        for clip in clips:
            key = self.feature_key(clip.name, front_end)
            features = self.cache.load(key)
            if features is None:
                raise DatasetError(f"{self.cache.path(key)}: the features of {clip.name} are gone; start again")
            # a copy, as each array that is mapped keeps a file open
            examples.append(Example(clip.name, np.array(features), rows[[self.labels.index(clip.label)]]))
        return examples


@dataclass(frozen=True)
class ClipJob(Kept):
    """What is to be trained on what; the same job has the same `identity`, so that it is done once. `fold` is 0 for the
    random split. `validated`: how many slices of the validation side are listened to, None: all. `hours`: what all
    jobs may take together; the config has this one's part."""

    config: TrainConfig
    momentum: float
    protocol: ProtocolName
    fold: int
    sides: Sides
    data: str
    slices: Slices
    folder: Path
    validated: int | None = None
    hours: float | None = None

    @property
    def identity(self) -> str:
        """A key of all that training depends on; where it is computed is left out, and how many epochs there are where
        a run that was given few can go on when it is given more."""
        left_out = {"threads", "device"} | ({"epochs"} if self.config.schedule == "constant" else set())
        config = self.config.model_dump(exclude=left_out) | {"hours": self.hours}
        return key_of(config, self.momentum, self.data, self.validated)[:10]

    @property
    def name(self) -> str:
        """What its files are called."""
        split = "random" if self.protocol == "random" else f"fold{self.fold}"
        return f"{self.config.network}-{split}-{self.config.seed}-{self.identity}"

    def heard(self, side: Side) -> tuple[SliceClip, ...]:
        """The slices of a side that are listened to; of the validation side some, drawn by the seed."""
        clips = self.sides[side]
        if side != "validation" or self.validated is None or self.validated >= len(clips):
            return clips
        chosen = np.random.default_rng(self.config.seed).permutation(len(clips))[: self.validated]
        return tuple(clips[index] for index in np.sort(chosen))


def do(job: ClipJob, main: int | None = None) -> ClipRun:
    """Trains, tests and exports. `detect_milliseconds` is 0: that is measured later, when nothing else runs.

    What was begun goes on after its last finished epoch; what is finished is read. `main`: the process that waits for
    this one; should it be gone, training stops. Raises `KeyboardInterrupt` then, and as `fit` and `export_clip` do.
    """
    if job.untimed.is_file():
        return ClipRun.model_validate_json(job.untimed.read_text(encoding="utf-8"))
    front_end = front_end_of(job.config.network)
    labels = job.slices.labels
    torch.manual_seed(job.config.seed)
    network = build(job.config.network, len(labels), job.config.dropout)
    if job.config.network != OUR_CLIP:
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = job.momentum
    silence = silence_of(front_end)
    train, validation = (job.slices.examples(job.heard(side), front_end) for side in ("train", "validation"))

    period = front_end.hop / front_end.sample_rate
    fitted = fit(network, train, validation, silence, job.config, period, job.fit_folder, while_waited_for(main))
    tested = job.heard("test")
    examples = job.slices.examples(tested, front_end)
    probabilities = predict_clips(fitted.network, [e.features for e in examples], silence, clip_frames(period))
    wanted = np.array([labels.index(clip.label) for clip in tested])
    exported = export_clip(
        job.detector, fitted.network, front_end, labels,
        network_facts={"name": job.config.network, "parameters": n_parameters(fitted.network)},
        training_facts={
            "data": "urbansound8k",
            "protocol": job.protocol,
            "fold": job.fold,
            "config": json.loads(job.config.model_dump_json()),
        },
    )  # fmt: skip
    run = ClipRun(
        network=job.config.network,
        protocol=job.protocol,
        fold=job.fold,
        seed=job.config.seed,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        ended=fitted.ended,
        train_seconds=fitted.seconds,
        parameters=n_parameters(fitted.network),
        multiply_adds=multiply_adds(fitted.network, clip_frames(period), front_end.n_features),
        file_bytes=exported.n_bytes,
        detect_milliseconds=0.0,
        loss=_loss(probabilities, wanted),
        leaked=leaked(job.sides),
        slices={side: len(job.sides[side]) for side in SIDES},
        answers=answers_of([c.recording_id for c in tested], wanted.tolist(), probabilities.argmax(1).tolist()),
        curves=curves_of(job.fit_folder / "log.csv"),
        hardware=fitted.hardware,
        precision=fitted.precision,
    )
    write_text(job.untimed, run.model_dump_json(), ConfigError)
    return run


def _loss(probabilities: NDArray[np.float32], wanted: NDArray[np.int64]) -> float:
    """Categorical cross-entropy over the slices, (n_slices, n_labels) and (n_slices,)."""
    p = np.clip(probabilities[np.arange(len(wanted)), wanted].astype(np.float64), CLIPPED, 1)
    return float(-np.log(p).mean())
