"""The dial: how much of the report's work is done. The test side always has its 20 recordings and an hour."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from hubbub.datasets.split import Side

FEWEST_TEST_MINUTES = 60.0


class Size(BaseModel):
    """How much is trained on, for how long, and how much is listened to. None is all there is.

    `train_minutes`, `validation_minutes`, `test_minutes`: of audio, whole recordings to train on, the beginning of
    every recording of the other sides. `epoch_minutes`: an epoch is that much, drawn anew from the training side.
    `batch_norm_momentum`: by how much a step moves batch norm's running statistics, 0.01 with Keras' default. They need
    some hundred steps to arrive, so a network that makes fewer would be tested with statistics that are not its own;
    0.1, as in the paper's own code, suits it. `hours`: for all networks of one split and seed together; each ends with
    the epoch in which its part is used up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    is_the_result: bool
    epochs: int = Field(gt=0)
    patience: int = Field(30, gt=0)
    batch_size: int = Field(16, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    batch_norm_momentum: float = Field(0.01, gt=0, le=1)
    train_minutes: float | None = Field(None, gt=0)
    validation_minutes: float | None = Field(None, gt=0)
    test_minutes: float | None = Field(None, ge=FEWEST_TEST_MINUTES)
    epoch_minutes: float | None = Field(None, gt=0)
    hours: float | None = Field(None, gt=0)

    def minutes(self, side: Side) -> float | None:
        """How much of a side is used."""
        return {"train": self.train_minutes, "validation": self.validation_minutes, "test": self.test_minutes}[side]


QUICK = Size(
    name="quick", is_the_result=False, epochs=2, batch_size=2, batch_norm_momentum=0.1,
    train_minutes=40, validation_minutes=3, test_minutes=60, epoch_minutes=2,
)  # fmt: skip
"""Shows within a quarter of an hour on two cores that all of it runs, and nothing of how good the networks are."""
REDUCED = Size(
    name="reduced", is_the_result=True, epochs=10, batch_size=2, batch_norm_momentum=0.1,
    validation_minutes=6, test_minutes=60, epoch_minutes=10,
)  # fmt: skip
"""Two cores train and test the seven networks in about two hours. Batches of 2, since so few steps are made."""
FULL = Size(name="full", is_the_result=True, epochs=300)
"""As the report: everything, batches of 16, until 30 epochs bring nothing. For a GPU."""

SIZES: Mapping[str, Size] = {size.name: size for size in (QUICK, REDUCED, FULL)}


def options(size: Size) -> tuple[str, ...]:
    """The options of `hubbub reproduce` that give this size: its name, and what was changed of it."""
    return changed(size.name, size, SIZES.get(size.name, size), ("epochs", "train_minutes", "hours"))


def changed(size: str, given: BaseModel, known: BaseModel, dials: Sequence[str]) -> tuple[str, ...]:
    """The options for `size` with those of its dials that were `given` otherwise than they are `known`."""
    moved = [name for name in dials if getattr(given, name) != getattr(known, name)]
    words = [word for name in moved for word in (f"--{name.replace('_', '-')}", f"{getattr(given, name):g}")]
    return ("--size", size, *words)
