"""What is in a data set, and all that is wrong with it, where a loader stops at the first error."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from hubbub import audio
from hubbub.audio import AudioInfo
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.checks import ranges
from hubbub.datasets.material import Material, Problem, read_material
from hubbub.datasets.split import SIDES, Side
from hubbub.datasets.statistics import Histogram, LabelFacts, Polyphony, histogram, label_facts, polyphony
from hubbub.datasets.tables import some
from hubbub.errors import AudioError, HubbubError
from hubbub.events import Event
from hubbub.grid import TIME_TOLERANCE

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SideFacts:
    """A side of the split: its recordings, its length in seconds, and its events."""

    side: Side
    n_recordings: int
    seconds: float
    n_events: int


@dataclass(frozen=True)
class FoldFacts:
    """A fold: its clips, the recordings that they were cut from, their length in seconds, and the clips by label."""

    fold: int
    n_clips: int
    n_recordings: int
    seconds: float
    n_by_label: Mapping[str, int]


@dataclass(frozen=True)
class Inspection:
    """A data set in plain numbers; recordings that cannot be read are in none of them.

    Lengths are of events; of clips, where the recordings are isolated clips (`counted` is "clips", `polyphony` None).
    The mappings count recordings; `clips_of_recordings`, where a set has folds, how many recordings gave 1, 2, … of its
    clips. A set with folds has no sides. `problems` are sentences of one line each, by what is wrong.
    """

    folder: str
    kind: str
    counted: Literal["events", "clips"]
    n_recordings: int
    seconds: float
    n_events: int
    labels: tuple[LabelFacts, ...]
    publication: str
    lengths: Histogram
    polyphony: Polyphony | None
    sample_rates: Mapping[int, int]
    subtypes: Mapping[str, int]
    channels: Mapping[int, int]
    split: str
    sides: tuple[SideFacts, ...]
    problems: Mapping[Problem, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folds: tuple[FoldFacts, ...] = ()
    clips_of_recordings: Mapping[int, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether something cannot be read."""
        return bool(self.problems.get("not readable"))

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return asdict(self)


def inspect(folder: Path, progress: Progress | None = None, jobs: int = 1) -> Inspection:
    """What is in the data set in `folder`, and what is wrong with it; every recording is read from end to end.

    `progress(done, total)` counts recordings, `jobs` of which are read at once. Raises `DatasetError` where there is
    no folder, nothing in it, or nothing that is a data set known here; whatever else is wrong is in the result.
    """
    problems: dict[Problem, list[str]] = defaultdict(list)
    material = read_material(folder, lambda error: problems["not readable"].append(str(error)))
    heard = _listen(material.recordings, progress, jobs, problems["not readable"])
    recordings = [recording for recording in material.recordings if recording.name in heard]
    readable = {recording.name for recording in recordings}
    sides = {side: [name for name in names if name in readable] for side, names in material.sides.items()}
    facts = label_facts(recordings, sides, material.published)
    problems["missing"] += material.missing
    for kind, texts in material.problems.items():
        problems[kind] += texts
    for kind, text in (*_problems_of_recordings(material, recordings, heard), *_problems_of_sides(material, facts)):
        problems[kind].append(text)
    is_clips = material.counted == "clips"
    events = [event for recording in recordings for event in recording.events]
    return Inspection(
        str(folder),
        material.kind,
        material.counted,
        len(recordings),
        sum(recording.duration for recording in recordings),
        len(events),
        facts,
        material.publication,
        histogram([event.duration for event in events], material.bin_seconds),
        None if is_clips else polyphony(recordings),
        _counted(one.info.sample_rate for one in heard.values()),
        _counted(one.info.subtype for one in heard.values()),
        _counted(one.info.channels for one in heard.values()),
        material.split,
        tuple(_side(side, recordings, set(sides[side])) for side in SIDES if side in sides),
        {kind: tuple(texts) for kind, texts in problems.items() if texts},
        tuple(material.notes),
        *_folds(recordings, material.folds),
    )


# What is wrong


@dataclass(frozen=True)
class _Heard:
    """What reading a recording to its end shows; `digest` is of its samples, mixed to mono."""

    info: AudioInfo
    silent: bool
    digest: str


def _listen(
    recordings: Sequence[AnnotatedRecording], progress: Progress | None, jobs: int, errors: list[str]
) -> dict[str, _Heard]:
    """By name; `errors` takes what is wrong with those that cannot be read."""
    heard: dict[str, _Heard] = {}
    with ThreadPoolExecutor(jobs) as pool:  # decoding and hashing leave Python to the other threads
        for done, (recording, one) in enumerate(zip(recordings, pool.map(_hear, recordings), strict=True), start=1):
            if isinstance(one, _Heard):
                heard[recording.name] = one
            else:
                errors.append(str(one))
            if progress is not None:
                progress(done, len(recordings))
    return heard


def _hear(recording: AnnotatedRecording) -> _Heard | HubbubError:
    try:
        info = audio.info(recording.path)
        digest, silent = sha256(str(info.sample_rate).encode()), True
        for block in audio.blocks(recording.path, info.sample_rate):
            digest.update(block.tobytes())
            silent = silent and not block.any()
    except AudioError as error:
        return error
    return _Heard(info, silent, digest.hexdigest())


def _problems_of_recordings(
    material: Material, recordings: Sequence[AnnotatedRecording], heard: Mapping[str, _Heard]
) -> Iterator[tuple[Problem, str]]:
    side_of = {name: side for side, names in material.sides.items() for name in names}
    same: dict[str, list[str]] = defaultdict(list)
    for recording in recordings:
        name = recording.name
        yield from (("past the end", f"{name}: {problem}") for problem in recording.problems)
        yield from (("overlap", f"{name}: {text}") for text in overlaps(recording.events))
        if not recording.events and material.counted == "events":
            yield "without events", f"{name}: no events in {recording.duration:.1f} s"
        if heard[name].silent:
            yield "silent", f"{name}: every sample is zero"
        else:
            same[heard[name].digest].append(name)
    for names in same.values():
        if len(names) > 1:
            sides = [side for side in SIDES if side in {side_of.get(name) for name in names}]
            apart = f", on several sides of the split: {', '.join(sides)}" if len(sides) > 1 else ""
            folds = {material.folds[name] for name in names if name in material.folds}
            apart = f", in folds {ranges(folds)}" if len(folds) > 1 else apart
            yield "duplicate", f"{names[0]}: the same samples as {some(names[1:])}{apart}"


def overlaps(events: Sequence[Event]) -> list[str]:
    """A sentence for each label of sorted events whose events overlap each other."""
    end: dict[str, float] = {}
    found: dict[str, list[float]] = defaultdict(list)
    for event in sorted(events):
        if event.onset < end.get(event.label, 0.0) - TIME_TOLERANCE:
            found[event.label].append(event.onset)
        end[event.label] = max(end.get(event.label, 0.0), event.offset)
    return [
        f"{len(onsets)} of the events of {label} begin{'s' * (len(onsets) == 1)} inside another, "
        f"the first at {onsets[0]:.3f} s"
        for label, onsets in sorted(found.items())
    ]


def _problems_of_sides(material: Material, facts: Sequence[LabelFacts]) -> Iterator[tuple[Problem, str]]:
    """Of a split that came with the data; what our own had to leave open is in its notes."""
    if not material.official or not material.sides:
        return
    side_of = {name: side for side, names in material.sides.items() for name in names}
    for what in ("recording_id", "source"):
        sides: dict[str, set[Side]] = defaultdict(set)
        for recording in material.recordings:
            group = getattr(recording, what)
            if group is not None and recording.name in side_of:
                sides[group].add(side_of[recording.name])
        for group, found in sorted(sides.items()):
            if len(found) > 1:
                spoken = ", ".join(side for side in SIDES if side in found)
                yield "on two sides", f"{what} {group}: its recordings lie on several sides: {spoken}"
    for side in SIDES:
        absent = [fact.label for fact in facts if not fact.n_by_side[side]]
        if material.sides[side] and absent:
            yield "no events on a side", f"{side}: no events of {', '.join(absent)}"


def _side(side: Side, recordings: Sequence[AnnotatedRecording], names: set[str]) -> SideFacts:
    mine = [recording for recording in recordings if recording.name in names]
    return SideFacts(
        side, len(mine), sum(recording.duration for recording in mine), sum(len(recording.events) for recording in mine)
    )


def _folds(
    recordings: Sequence[AnnotatedRecording], folds: Mapping[str, int]
) -> tuple[tuple[FoldFacts, ...], dict[int, int]]:
    """The facts of each fold, and how many recordings there are by the number of their clips."""
    if not folds:
        return (), {}
    members: dict[int, list[AnnotatedRecording]] = defaultdict(list)
    for recording in recordings:
        members[folds[recording.name]].append(recording)
    facts = [
        FoldFacts(
            fold,
            len(mine),
            len({one.recording_id for one in mine}),
            sum(one.duration for one in mine),
            dict(sorted(Counter(event.label for one in mine for event in one.events).items())),
        )
        for fold, mine in sorted(members.items())
    ]
    numbers = Counter(Counter(recording.recording_id for recording in recordings).values())
    return tuple(facts), dict(sorted(numbers.items()))


def _counted(values: Any) -> dict[Any, int]:
    """Most frequent first."""
    return dict(Counter(values).most_common())
