"""What `hubbub evaluate` compares: where reference, estimates and durations come from."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hubbub import annotations, audio
from hubbub.annotations.durations import read_durations
from hubbub.datasets.annotated import AUDIO, AnnotatedRecording, read_annotated
from hubbub.detector import Detector, Probabilities
from hubbub.errors import AnnotationError, AudioError, ConfigError
from hubbub.events import Event

T = TypeVar("T")


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


def run_detector(
    detector: Detector, reference: Reference, progress: Callable[[int, int], None] | None = None
) -> dict[str, list[Event]]:
    """What the detector finds in the reference's recordings. Raises `AudioError` where one cannot be read."""
    return _of_each(reference, detector.detect, progress)


def run_probabilities(
    detector: Detector, reference: Reference, progress: Callable[[int, int], None] | None = None
) -> dict[str, Probabilities]:
    """What the detector gives for each frame of the reference's recordings. Raises as `run_detector` does."""
    return _of_each(reference, detector.probabilities, progress)


def read_estimated(path: Path, reference: Reference) -> dict[str, list[Event]]:
    """A table of events, its recordings named as the reference names them, with or without `audio/`."""
    table = annotations.read(path)
    return _shortened(path, table, reference.durations)


def short_name(name: str) -> str:
    """`audio/scene-000.wav` and `scene-000.wav` are one recording."""
    return name.removeprefix(f"{AUDIO}/")


def _shortened(path: Path, table: Mapping[str, T], known: Container[str] = ()) -> dict[str, T]:
    """A table by short names, but for those that are known as they are."""
    named = {name if name in known else short_name(name): said for name, said in table.items()}
    if len(named) < len(table):
        raise AnnotationError(f"{path}: names one recording both with and without {AUDIO}/; use one way")
    return named


def _of_each(
    reference: Reference, listen: Callable[[Path], T], progress: Callable[[int, int], None] | None
) -> dict[str, T]:
    missing = sorted(set(reference.durations) - set(reference.paths))
    if missing:
        raise AudioError(f"{missing[0]}: no such audio beside the reference; give --audio FOLDER")
    heard = {}
    for index, (name, path) in enumerate(reference.paths.items()):
        heard[name] = listen(path)
        if progress is not None:
            progress(index + 1, len(reference.paths))
    return heard


def _beside(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / AUDIO / name) if path.is_file()), None)
