"""What `hubbub reproduce urbansound8k` leaves behind: every finished run as plain numbers, in one JSON file."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from hubbub.errors import ConfigError
from hubbub.files import write_text
from hubbub.metrics import Counts
from hubbub.reproduce.results import EpochRow, Frozen, read_as

ProtocolName = Literal["random", "folds"]
Answers = Mapping[str, tuple[tuple[int, int, int], ...]]
"""By recording, what its tested slices are and were taken for: (label, answer, how many), labels by index."""


class ClipRun(Frozen):
    """One network, trained once and tested. `fold`: the one it was tested on, 0 for the random split.

    `answers`: to the slices of the test side, by the recording that they were cut from. `loss`: categorical
    cross-entropy over them. `leaked`: the part of them whose recording is also trained on. `slices`: by side.
    `multiply_adds`: of a clip of four seconds, the front end apart. `detect_milliseconds`: for such a clip, the
    exported file in ONNX Runtime. `file_bytes`: the exported detector.
    """

    network: str
    protocol: ProtocolName
    fold: int
    seed: int
    epochs: int
    best_epoch: int
    ended: Literal["patience", "epochs", "time"]
    train_seconds: float
    parameters: int
    multiply_adds: float
    file_bytes: int
    detect_milliseconds: float
    loss: float
    leaked: float
    slices: Mapping[str, int]
    answers: Answers
    curves: tuple[EpochRow, ...]
    hardware: str
    precision: str

    @property
    def key(self) -> str:
        """`mono_baseline-random-0`, `mono_baseline-fold3-0`."""
        return f"{self.network}-{'random' if self.protocol == 'random' else f'fold{self.fold}'}-{self.seed}"


class ClipResults(Frozen):
    """A whole reproduction. `folds`: those that the data have, run or not.

    `trivial`: by protocol and system (`most_frequent`: always the label that is most frequent in training), answers as
    the networks', over the folds that any network was run on. `networks`: in the order of the table, run or not.
    `settings`, `data`, `versions`, `options` and `is_the_result` are as in the polyphonic `Results`.
    """

    schema_version: Literal[1] = 1
    recipe: Literal["urbansound8k"] = "urbansound8k"
    size: str
    is_the_result: bool
    labels: tuple[str, ...]
    folds: tuple[int, ...]
    networks: tuple[str, ...]
    runs: tuple[ClipRun, ...]
    trivial: Mapping[ProtocolName, Mapping[str, Answers]]
    settings: Mapping[str, str]
    data: Mapping[str, str]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def of(self, network: str, protocol: ProtocolName) -> list[ClipRun]:
        """The runs of a network by one protocol, by fold and seed; none where it was not run."""
        chosen = [run for run in self.runs if (run.network, run.protocol) == (network, protocol)]
        return sorted(chosen, key=lambda run: (run.fold, run.seed))

    def write(self, path: Path) -> None:
        """As JSON. Raises `ConfigError` where it cannot be written."""
        write_text(path, self.model_dump_json(indent=1) + "\n", ConfigError)


def answers_of(recordings: Sequence[str], labels: Sequence[int], answered: Sequence[int]) -> Answers:
    """Answers by recording from three sequences of one entry a slice."""
    by_recording: dict[str, Counter[tuple[int, int]]] = {}
    for recording, label, answer in zip(recordings, labels, answered, strict=True):
        by_recording.setdefault(recording, Counter())[int(label), int(answer)] += 1
    return {name: tuple((*pair, n) for pair, n in sorted(found.items())) for name, found in by_recording.items()}


def counts_of(answers: Answers, labels: tuple[str, ...]) -> dict[str, Counts]:
    """By recording, as the metrics' counts, where a slice is a slot: the micro F1 is the accuracy over slices.

    A slice that is taken for another label is a false alarm of that label and a miss of its own, one substitution.
    """
    return {name: _counts(rows, labels) for name, rows in answers.items()}


def _counts(rows: Iterable[tuple[int, int, int]], labels: tuple[str, ...]) -> Counts:
    right, false, missed = ([0] * len(labels) for _ in range(3))
    total = wrong = 0
    for label, answer, n in rows:
        total += n
        if label == answer:
            right[label] += n
        else:
            wrong += n
            false[answer] += n
            missed[label] += n
    return Counts(labels, tuple(right), tuple(false), tuple(missed), wrong, 0, 0, total)


def read_clip_results(path: Path) -> ClipResults:
    """The results in a JSON file. Raises `ConfigError`, one line, where it cannot be read or is something else."""
    return read_as(ClipResults, path)
