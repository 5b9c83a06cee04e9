"""What is in a data set, and all that is wrong with it, where a loader stops at the first error.

A data set that we read in a layout of its own has a line in `KINDS`: how it is recognised, and a function that hands
over its recordings.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from hubbub import audio
from hubbub.audio import AudioInfo
from hubbub.datasets.annotated import AnnotatedRecording, kind_of, read_annotated
from hubbub.datasets.checks import Wrong, told
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.split import SIDES, Item, Side, items_of_clips, items_of_recordings, make_split
from hubbub.datasets.stand_in import RECIPE
from hubbub.datasets.statistics import Histogram, LabelFacts, Polyphony, histogram, label_facts, polyphony
from hubbub.datasets.tables import some
from hubbub.datasets.tut2016 import LISTS, REPORT_EVENTS, damaged_archives, is_tut2016, read_tut2016
from hubbub.errors import AudioError, HubbubError
from hubbub.events import Event
from hubbub.grid import TIME_TOLERANCE
from hubbub.mixing.clip import BACKGROUND

Progress = Callable[[int, int], None]
Problem = Literal[
    "not readable", "missing", "past the end", "overlap", "without events", "silent", "duplicate", "on two sides",
    "no events on a side",
]  # fmt: skip
"""What can be wrong; what is "not readable" fails the inspection, the others are for its reader to judge."""


@dataclass(frozen=True)
class Material:
    """What a reader of one kind of data set hands over.

    `sides` hold the names of recordings, `split` says whose split that is, `official` whether it came with the data.
    `counted` is what the events are: "events", or "clips" where each recording is one. `published` are events by label
    as a publication counts them, and `publication` is its name.
    """

    kind: str
    recordings: Sequence[AnnotatedRecording]
    sides: Mapping[Side, Sequence[str]]
    split: str
    official: bool
    counted: Literal["events", "clips"] = "events"
    published: Mapping[str, int] | None = None
    publication: str = ""
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class SideFacts:
    """A side of the split: its recordings, its length in seconds, and its events."""

    side: Side
    n_recordings: int
    seconds: float
    n_events: int


@dataclass(frozen=True)
class Inspection:
    """A data set in plain numbers; recordings that cannot be read are in none of them.

    Lengths are of events; of clips, where the recordings are isolated clips (`counted` is "clips", `polyphony` None).
    The mappings count recordings. `problems` are sentences of one line each, by what is wrong.
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
    material = _read(folder, lambda error: problems["not readable"].append(str(error)))
    heard = _listen(material.recordings, progress, jobs, problems["not readable"])
    recordings = [recording for recording in material.recordings if recording.name in heard]
    readable = {recording.name for recording in recordings}
    sides = {side: [name for name in material.sides[side] if name in readable] for side in SIDES}
    facts = label_facts(recordings, sides, material.published)
    problems["missing"] += material.missing
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
        histogram([event.duration for event in events]),
        None if is_clips else polyphony(recordings),
        _counted(one.info.sample_rate for one in heard.values()),
        _counted(one.info.subtype for one in heard.values()),
        _counted(one.info.channels for one in heard.values()),
        material.split,
        tuple(_side(side, recordings, set(sides[side])) for side in SIDES),
        {kind: tuple(texts) for kind, texts in problems.items() if texts},
        tuple(material.notes),
    )


# Kinds of data sets


def _read(folder: Path, wrong: Wrong) -> Material:
    for recognised, read in KINDS:
        if recognised(folder):
            return read(folder, wrong)
    return _clips(folder, wrong) if kind_of(folder) == "clips" else _annotated(folder, wrong)


def _tut2016(folder: Path, wrong: Wrong) -> Material:
    data = read_tut2016(folder, wrong)
    stand_in = (data.folder / RECIPE).is_file()
    damaged = [] if data.missing else damaged_archives(data.folder)  # else they are in what is missing
    return Material(
        "A stand-in for TUT-SED Synthetic 2016" if stand_in else "TUT-SED Synthetic 2016",
        data.recordings,
        data.sides,
        "the official lists" if (data.folder / LISTS).is_dir() else "the customary one, without lists",
        official=True,
        published=REPORT_EVENTS,
        publication="report",
        missing=[*data.missing, *damaged],
        notes=data.notes,
    )


def _annotated(folder: Path, wrong: Wrong) -> Material:
    recordings = read_annotated(folder, wrong)
    sides, notes = _own_split(items_of_recordings(recordings))
    return Material("annotated recordings", recordings, sides, OWN_SPLIT, official=False, notes=notes)


def _clips(folder: Path, wrong: Wrong) -> Material:
    clips = read_clips(folder, wrong)
    recordings = []
    for clip in clips:
        with told(wrong):
            seconds = audio.info(clip.path).duration
            events = () if clip.label == BACKGROUND else (Event(0.0, seconds, clip.label),)
            name = relative_name(clip.path, folder)
            recordings.append(AnnotatedRecording(clip.path, name, seconds, events, clip.recording_id, clip.source))
    sides, notes = _own_split(items_of_clips(clips, folder))
    return Material("clips", recordings, sides, OWN_SPLIT, official=False, counted="clips", notes=notes)


KINDS: tuple[tuple[Callable[[Path], bool], Callable[[Path, Wrong], Material]], ...] = ((is_tut2016, _tut2016),)
"""Data sets in a layout of their own: whether a folder holds it, and its reader. Clips and annotated recordings are
told apart where none of these is recognised."""
OWN_SPLIT = "as hubbub train makes it, seed 0"


def _own_split(items: Sequence[Item]) -> tuple[dict[Side, Sequence[str]], list[str]]:
    if not items:
        return dict.fromkeys(SIDES, ()), []
    split = make_split(items)
    notes = list(split.notes)
    disjoint = [label for label in split.recording_disjoint if label != BACKGROUND]
    if disjoint:
        notes.append(f"of unknown or too few sources, so split by recording only: {', '.join(disjoint)}")
    return {side: split.ids(side) for side in SIDES}, notes


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
    if not material.official:
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


def _counted(values: Any) -> dict[Any, int]:
    """Most frequent first."""
    return dict(Counter(values).most_common())
