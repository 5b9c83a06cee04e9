"""What a reproduction leaves behind: every finished run as plain numbers, one JSON file for the table and the page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hubbub.errors import ConfigError
from hubbub.files import write_text
from hubbub.metrics import Counts

SplitName = Literal["official", "mixture", "subsequence"]
Convention = Literal["intended", "as_coded"]
"""`intended`: a frame is active at a probability of 0.5. `as_coded`: at 0.6225, since the paper's code compares logits
with 0.5, and without the last sub-sequences that do not fill a batch of 16, which that code drops."""
CONVENTIONS: tuple[Convention, ...] = ("intended", "as_coded")

NAMES: Mapping[SplitName, str] = {
    "official": "the data set's own lists",
    "mixture": "mixtures drawn at random",
    "subsequence": "sub-sequences drawn at random: leaks, one mixture lies on both sides",
}


class Frozen(BaseModel):
    """Numbers that were written once; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FrameCounts(Frozen):
    """Frames of one recording, or of several: hits and errors by label, and the parts of the error rate."""

    true_positives: tuple[int, ...]
    false_positives: tuple[int, ...]
    false_negatives: tuple[int, ...]
    substitutions: int
    deletions: int
    insertions: int
    n_frames: int

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """From the metrics' own counts."""
        return cls(
            true_positives=counts.true_positives,
            false_positives=counts.false_positives,
            false_negatives=counts.false_negatives,
            substitutions=counts.substitutions,
            deletions=counts.deletions,
            insertions=counts.insertions,
            n_frames=counts.n_slots,
        )

    def counts(self, labels: tuple[str, ...]) -> Counts:
        """As the metrics' own counts, which know F1, error rate and accuracy."""
        return Counts(
            labels,
            self.true_positives,
            self.false_positives,
            self.false_negatives,
            self.substitutions,
            self.deletions,
            self.insertions,
            self.n_frames,
        )


class EpochRow(Frozen):
    """One epoch of training."""

    epoch: int
    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float
    seconds: float


class Run(Frozen):
    """One network, trained once and tested.

    `counts`: by convention and test recording, frame by frame on the network's own grid, padding left out. `loss`:
    binary cross-entropy over all test frames. `file_bytes`: the exported detector. `multiply_adds_per_second`: of
    audio, the front end apart. `detect_seconds_per_hour`: the exported file in ONNX Runtime. `ended`: why training
    stopped.
    """

    network: str
    kernel: int = 3
    dilation: int = 10
    split: SplitName
    seed: int
    epochs: int
    best_epoch: int
    ended: Literal["patience", "epochs", "time"]
    train_seconds: float
    parameters: int
    multiply_adds_per_second: float
    file_bytes: int
    detect_seconds_per_hour: float
    loss: float
    counts: Mapping[Convention, Mapping[str, FrameCounts]]
    curves: tuple[EpochRow, ...]
    hardware: str
    precision: str

    @property
    def key(self) -> str:
        """The name of its file: `baseline-official-0`, or `dilated-k5-d50-official-0` off the report's kernel."""
        shape = "" if (self.kernel, self.dilation) == (3, 10) else f"-k{self.kernel}-d{self.dilation}"
        return f"{self.network}{shape}-{self.split}-{self.seed}"


class Results(Frozen):
    """A whole reproduction. `size` names the dial: quick, reduced or full.

    `trivial`: by split, system (always_silent, always_on, prior), convention-free, and test recording. `settings` and
    `data` are name → value for a reader: batch size, minutes by side, where the sounds come from. `versions`: of what
    computed it, `options`: of the call. `is_the_result` False: a quick look, too small to say anything about the
    networks.
    """

    schema_version: Literal[1] = 1
    recipe: str
    size: str
    is_the_result: bool
    labels: tuple[str, ...]
    networks: tuple[str, ...]
    runs: tuple[Run, ...]
    trivial: Mapping[SplitName, Mapping[str, Mapping[str, FrameCounts]]]
    settings: Mapping[str, str]
    data: Mapping[str, str]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def of(self, network: str, split: SplitName = "official") -> list[Run]:
        """The runs of a network with the report's kernel, by seed; none where it was not run."""
        chosen = [run for run in self.runs if (run.network, run.split) == (network, split)]
        return sorted((run for run in chosen if (run.kernel, run.dilation) == (3, 10)), key=lambda run: run.seed)

    def write(self, path: Path) -> None:
        """As JSON. Raises `ConfigError` where it cannot be written."""
        write_text(path, self.model_dump_json(indent=1) + "\n", ConfigError)


def read_results(path: Path) -> Results:
    """The results in a JSON file. Raises `ConfigError`, one line, where it cannot be read or is something else."""
    return read_as(Results, path)


Read = TypeVar("Read", bound=Frozen)


def read_as(kind: type[Read], path: Path) -> Read:
    """As `read_results`, for results of any kind."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no results; wanted the results.json that hubbub reproduce wrote") from error
