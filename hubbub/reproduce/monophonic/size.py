"""The dial: how much of the work of the report's monophonic half is done. The test side is always heard whole."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from hubbub.reproduce.size import changed


class ClipSize(BaseModel):
    """How many folds are tested on, how much is trained on, for how long. None is all there is.

    `epoch_clips`: an epoch is so many slices, drawn anew from the training side; `validation_clips`: so many of the
    validation side are listened to after each. `our_factor`: our own network goes through so many times the epochs, as
    each takes it a tenth of the time or less. `batch_norm_momentum`: as in the polyphonic `Size`. `hours`: for all
    networks and splits together; each run ends with the epoch in which its part is used up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    is_the_result: bool
    epochs: int = Field(gt=0)
    our_factor: int = Field(1, gt=0)
    patience: int = Field(30, gt=0)
    batch_size: int = Field(16, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    batch_norm_momentum: float = Field(0.01, gt=0, le=1)
    folds: int | None = Field(None, gt=0)
    epoch_clips: int | None = Field(None, gt=0)
    validation_clips: int | None = Field(None, gt=0)
    hours: float | None = Field(None, gt=0)

    @property
    def our_epochs(self) -> int:
        """Of our own network."""
        return self.our_factor * self.epochs


QUICK = ClipSize(
    name="quick", is_the_result=False, epochs=1, our_factor=2, batch_size=4, batch_norm_momentum=0.1,
    folds=1, epoch_clips=80, validation_clips=40,
)  # fmt: skip
"""Shows within a few minutes on two cores that all of it runs, and nothing of how good the networks are."""
REDUCED = ClipSize(
    name="reduced", is_the_result=True, epochs=6, our_factor=8, batch_size=4, batch_norm_momentum=0.1,
    folds=3, epoch_clips=400, validation_clips=100,
)  # fmt: skip
"""Two cores train and test the four networks in about two hours, by an estimate from two epochs. Batches of 4, since so
few steps are made."""
FULL = ClipSize(name="full", is_the_result=True, epochs=300)
"""As the report: everything, batches of 16, until 30 epochs bring nothing; all folds. For a GPU."""

SIZES: Mapping[str, ClipSize] = {size.name: size for size in (QUICK, REDUCED, FULL)}


def options(size: ClipSize) -> tuple[str, ...]:
    """The options of `hubbub reproduce` that give this size: its name, and what was changed of it."""
    return changed(size.name, size, SIZES.get(size.name, size), ("epochs", "folds", "hours"))
