"""What `hubbub evaluate` compares: where reference, estimates and durations come from."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hubbub import annotations, audio
from hubbub.annotations.durations import read_durations
from hubbub.datasets.annotated import AUDIO, AnnotatedRecording, read_annotated
from hubbub.detector import Detector, Probabilities
from hubbub.errors import AnnotationError, AudioError, ConfigError
from hubbub.events import Event, from_targets, to_targets_on
from hubbub.metrics import (
    PSDS1,
    PSDS2,
    Interval,
    PrecisionResult,
    PrecisionStatistic,
    PsdsResult,
    PsdsStatistic,
    interval_of,
)
from hubbub.tuning import best_thresholds

T = TypeVar("T")
N_RESAMPLES = 200
"""Of curves, for an interval: each is drawn anew from what every recording adds to it."""


@dataclass(frozen=True)
class Reference:
    """Events and durations (seconds) by name; `paths` of those recordings whose audio is at hand."""

    events: dict[str, list[Event]]
    durations: dict[str, float]
    paths: dict[str, Path]

    def annotated(self) -> list[AnnotatedRecording]:
        """The recordings whose audio is at hand."""
        return [
            AnnotatedRecording(path, name, self.durations[name], tuple(self.events.get(name, ())), name)
            for name, path in self.paths.items()
        ]


def read_reference(reference: Path, audio_folder: Path | None = None, durations: Path | None = None) -> Reference:
    """A folder of annotated recordings, or a table of events with its durations or its audio beside it.

    Durations that are given go before those of the audio; a recording they name counts even if no row names it.
    Names lose a leading `audio/`.

    Raises `AnnotationError` for what is wrong with the table, `DatasetError` with the folder; `ConfigError` where there
    are neither durations nor audio.
    """
    given = {} if durations is None else _shortened(durations, read_durations(durations))
    if reference.is_dir():
        recordings = read_annotated(reference)
        named = _shortened(reference, {recording.name: recording for recording in recordings})
        paths = {name: recording.path for name, recording in named.items()}
        events = {name: list(recording.events) for name, recording in named.items()}
        known = {name: recording.duration for name, recording in named.items()}
    else:
        events = _shortened(reference, annotations.read(reference))
        folder = audio_folder if audio_folder is not None else reference.parent
        paths = {name: path for name in {**events, **given} if (path := _beside(folder, name)) is not None}
        known = {name: audio.info(path).duration for name, path in paths.items() if name not in given}
    known |= given
    unknown = sorted(set(events) - set(known))
    if unknown:
        raise ConfigError(
            f"{reference}: how long is {unknown[0]}? There is no such audio beside the table; "
            "give --audio FOLDER, or --durations FILE with the columns filename and duration"
        )
    return Reference(events, known, paths)


@dataclass(frozen=True)
class Answers:
    """What a system says about recordings: its events, and where it gave them the probabilities they come from.

    `heard` is empty for a table of events; `thresholds` are those that made events of it, by label.
    """

    events: dict[str, list[Event]]
    heard: Mapping[str, Probabilities] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the system can say; empty where that is not known."""
        return next(iter(self.heard.values())).labels if self.heard else ()


def listen(detector: Detector, reference: Reference, progress: Callable[[int, int], None] | None = None) -> Answers:
    """What the detector says about the reference's recordings. Raises `AudioError` where one cannot be read."""
    missing = sorted(set(reference.durations) - set(reference.paths))
    if missing:
        raise AudioError(f"{missing[0]}: no such audio beside the reference; give --audio FOLDER")
    heard = {}
    for index, (name, path) in enumerate(reference.paths.items()):
        heard[name] = detector.probabilities(path)
        if progress is not None:
            progress(index + 1, len(reference.paths))
    events = {name: detector.decide(probabilities) for name, probabilities in heard.items()}
    thresholds = {label: rule.threshold for label, rule in zip(detector.labels, detector.rules, strict=False)}
    return Answers(events, heard, thresholds)


def read_answers(path: Path, reference: Reference, threshold: float = 0.5) -> Answers:
    """A table of events, a folder of label files, or one of score tables; recordings named as the reference names them,
    with or without `audio/`, and files of a folder after their recording, with or without its suffix.

    A score table becomes events where a score reaches `threshold`. Raises `AnnotationError` for what is wrong with a
    table, or a folder that holds none.
    """
    if not path.is_dir():
        return Answers(_shortened(path, annotations.read(path), reference.durations))
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    tables = [file for file in files if annotations.is_score_table(file)]
    if not tables:
        return Answers(_shortened(path, annotations.read_folder(path, known=reference.durations), reference.durations))
    heard: dict[str, Probabilities] = {}
    for file in tables:
        name = _recording_of(file.relative_to(path), reference)
        edges, values, labels = annotations.read_scores(file)
        heard[name] = Probabilities(values, edges, tuple(labels))
        first = next(iter(heard.values()))
        if heard[name].labels != first.labels:
            raise AnnotationError(f"{file}:1: labels {', '.join(labels)}; wanted {', '.join(first.labels)}, as before")
        if name not in reference.durations:
            raise AnnotationError(f"{file}: is about no recording that the reference names; remove it, or name it so")
    silent = sorted(set(reference.durations) - set(heard))
    if silent:
        raise AnnotationError(f"{path}: has no score table for {silent[0]}; wanted one for every recording")
    thresholds = dict.fromkeys(first.labels, threshold)
    return Answers(_decided(heard, [threshold] * len(first.labels)), heard, thresholds)


def stacked(answers: Answers, reference: Reference) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """(probabilities, what they should be) of all recordings, one after the other, both (n_frames, n_labels)."""
    labels = set(answers.labels)
    targets = [
        to_targets_on(
            [event for event in reference.events.get(name, ()) if event.label in labels], answers.labels, heard.edges
        )
        for name, heard in answers.heard.items()
    ]
    return np.concatenate([heard.values for heard in answers.heard.values()]), np.concatenate(targets)


def oracle(answers: Answers, reference: Reference) -> dict[str, list[Event]]:
    """The events at the thresholds that would be tuned on these very recordings, for micro-averaged frame F1 and within
    the limits of `best_thresholds`: no system may choose them so."""
    return _decided(answers.heard, best_thresholds(*stacked(answers, reference)))


def short_name(name: str) -> str:
    """`audio/scene-000.wav` and `scene-000.wav` are one recording."""
    return name.removeprefix(f"{AUDIO}/")


def _shortened(path: Path, table: Mapping[str, T], known: Container[str] = ()) -> dict[str, T]:
    """A table by short names, but for those that are known as they are."""
    named = {name if name in known else short_name(name): said for name, said in table.items()}
    if len(named) < len(table):
        raise AnnotationError(f"{path}: names one recording both with and without {AUDIO}/; use one way")
    return named


@dataclass(frozen=True)
class Overall:
    """What the probabilities are worth over all thresholds, with intervals over recordings where there are several.

    By name: PSDS 1 and PSDS 2 with DCASE's settings, and the mean average precision.
    """

    results: dict[str, PsdsResult | PrecisionResult]
    intervals: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            name: result.to_dict() | ({"interval": asdict(self.intervals[name])} if name in self.intervals else {})
            for name, result in self.results.items()
        }


def overall(
    answers: Answers,
    reference: Reference,
    n_resamples: int = N_RESAMPLES,
    progress: Callable[[int, int], None] | None = None,
) -> Overall:
    """PSDS and average precision of score tables or a detector, over its labels; what else sounds is left out.

    `n_resamples` 0 leaves the intervals out, which take most of the time. The probabilities are taken as they are: no
    median filter, no hysteresis, no shortest lengths. Raises `ConfigError` where there are events only, and as
    `hubbub.metrics.psds` does.
    """
    if not answers.heard:
        raise ConfigError("PSDS and average precision want the scores of every frame; a table of events has none")
    known = {
        name: [event for event in events if event.label in answers.labels] for name, events in reference.events.items()
    }
    statistics: dict[str, PsdsStatistic | PrecisionStatistic] = {
        "PSDS 1": PsdsStatistic.of(known, answers.heard, reference.durations, PSDS1),
        "PSDS 2": PsdsStatistic.of(known, answers.heard, reference.durations, PSDS2),
        "average precision": PrecisionStatistic.of(known, answers.heard, reference.durations),
    }
    intervals = {}
    if len(reference.durations) > 1 and n_resamples:
        rng = np.random.default_rng(0)
        for name, each in statistics.items():
            intervals[name] = interval_of(each, rng, n_resamples)
            if progress is not None:
                progress(len(intervals), len(statistics))
    return Overall({name: each.result() for name, each in statistics.items()}, intervals)


def _decided(heard: Mapping[str, Probabilities], thresholds: Sequence[float]) -> dict[str, list[Event]]:
    return {
        name: from_targets(each.values >= np.asarray(thresholds), each.labels, each.edges)
        for name, each in heard.items()
    }


def _recording_of(file: Path, reference: Reference) -> str:
    """Which recording a file of a folder is about, by its name below the folder."""
    name = short_name(file.with_suffix("").as_posix())
    if name in reference.durations:
        return name
    alike = [known for known in reference.durations if PurePosixPath(known).with_suffix("").as_posix() == name]
    return alike[0] if len(alike) == 1 else name


def _beside(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / AUDIO / name) if path.is_file()), None)
