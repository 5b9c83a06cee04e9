"""Many recordings, one detector: a bad file costs its own events only."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hubbub import audio
from hubbub.detector import ClipDetector, Detector, Probabilities
from hubbub.errors import AudioError, HubbubError
from hubbub.events import Event


@dataclass(frozen=True)
class Recording:
    """A file and its name in tables: its path below the folder that was given, or a single file's own name."""

    path: Path
    name: str


@dataclass(frozen=True)
class Found:
    """What was found in one recording of `duration` seconds; or the one line that says why it could not be read.

    `ranking`, where the recording was labelled as a whole: every label's probability, the most probable first.
    """

    recording: Recording
    events: tuple[Event, ...] = ()
    duration: float = 0.0
    error: str | None = None
    probabilities: Probabilities | None = None
    ranking: Mapping[str, float] | None = None


def recordings(paths: Sequence[Path]) -> tuple[list[Recording], list[str]]:
    """The recordings in files and folders, sorted by name, and a line for each path that holds none.

    Files of one name, given by themselves, are told apart by the paths that were given.
    """
    found: dict[Path, str] = {}
    errors = []
    for path in paths:
        if path.is_dir():
            try:
                below = audio.find(path)
            except AudioError as error:
                errors.append(str(error))
                continue
            if not below:
                kinds = " ".join(audio.EXTENSIONS[:6])
                errors.append(f"{path}: a folder without audio; wanted files that end in {kinds} …")
            found |= {file: file.relative_to(path).as_posix() for file in below if file not in found}
        else:
            found.setdefault(path, path.name)
    while True:  # a path that was given may itself be another's name below its folder
        count = Counter(found.values())
        alike = {path: path.as_posix() for path, name in found.items() if count[name] > 1 and name != path.as_posix()}
        if not alike:
            break
        found |= alike
    named = [Recording(path, name) for path, name in found.items()]
    return sorted(named, key=lambda recording: recording.name), errors


def detect(
    detector: Detector,
    chosen: Sequence[Recording],
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
    keep_probabilities: bool = False,
) -> Iterator[Found]:
    """Events of each recording, in order, `jobs` recordings at a time. `progress` is told seconds of audio finished.

    Where probabilities are kept, memory grows with the recording; those of a detector of whole clips always are.
    """

    def one(recording: Recording) -> Found:
        seconds = 0.0

        def count(block: float) -> None:
            nonlocal seconds
            seconds += block
            if progress is not None:
                progress(block)

        try:
            if isinstance(detector, ClipDetector):
                probabilities = detector.probabilities(recording.path, count)
                events = detector.decide(probabilities)
                return Found(recording, tuple(events), seconds, None, probabilities, detector.ranked(probabilities))
            if keep_probabilities:
                probabilities = detector.probabilities(recording.path, count)
                return Found(recording, tuple(detector.decide(probabilities)), seconds, probabilities=probabilities)
            events = detector.detect(recording.path, count)
        except HubbubError as error:
            return Found(recording, error=str(error))
        except MemoryError:
            return Found(recording, error=f"{recording.path}: not enough memory to read it")
        return Found(recording, tuple(events), seconds)

    if jobs == 1:
        yield from map(one, chosen)
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, chosen)


def total_seconds(chosen: Sequence[Recording]) -> float:
    """How much audio there is, by the headers; files that cannot be opened count as nothing, they are told later."""
    total = 0.0
    for recording in chosen:
        try:
            total += audio.info(recording.path).duration
        except AudioError:
            continue
    return total
