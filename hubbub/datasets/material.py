"""What an inspection gets to see of each kind of data set: its recordings, and what came with them.

A data set that we read in a layout of its own has a line in `KINDS`: how it is recognised, and a function that hands
over its recordings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording, kind_of, read_annotated
from hubbub.datasets.checks import Wrong, told
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.mixed_tree import RECIPE
from hubbub.datasets.split import SIDES, Item, Side, items_of_clips, items_of_recordings, make_split
from hubbub.datasets.tut2016 import LISTS, REPORT_EVENTS, damaged_archives, is_tut2016, read_tut2016
from hubbub.datasets.urbansound8k import REPORT_SLICES, across_folds, is_urbansound8k, read_urbansound8k
from hubbub.events import Event
from hubbub.mixing.clip import BACKGROUND

Problem = Literal[
    "not readable", "missing", "past the end", "overlap", "without events", "silent", "duplicate", "on two sides",
    "no events on a side",
]  # fmt: skip
"""What can be wrong; what is "not readable" fails the inspection, the others are for its reader to judge."""


@dataclass(frozen=True)
class Material:
    """What a reader of one kind of data set hands over.

    `sides` hold the names of recordings, `split` says whose split that is, `official` whether it came with the data.
    Where a set has folds instead, `sides` is empty, and `folds` has the fold of each recording by its name.
    `counted` is what the events are: "events", or "clips" where each recording is one. `published` are events by label
    as a publication counts them, and `publication` is its name. `bin_seconds` is the width of the bins in which lengths
    are counted (None: half octaves). `problems` are what is wrong beside what an inspection finds itself.
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
    folds: Mapping[str, int] = field(default_factory=dict)
    bin_seconds: float | None = None
    problems: Mapping[Problem, Sequence[str]] = field(default_factory=dict)


def read_material(folder: Path, wrong: Wrong) -> Material:
    """The data set in `folder`, whatever kind it is. Raises `DatasetError` where it is none."""
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


def _urbansound8k(folder: Path, wrong: Wrong) -> Material:
    data = read_urbansound8k(folder, wrong)
    recordings = []
    for clip in data.clips:
        with told(wrong):
            seconds = audio.info(clip.path).duration
            events = (Event(0.0, seconds, clip.label),)
            recordings.append(AnnotatedRecording(clip.path, clip.name, seconds, events, clip.recording_id))
    return Material(
        "A stand-in for UrbanSound8K" if data.stand_in else "UrbanSound8K",
        recordings,
        {},
        "the folds of the data set",
        official=True,
        counted="clips",
        published=None if data.stand_in else REPORT_SLICES,  # a stand-in has labels of its own
        publication="" if data.stand_in else "report",
        missing=data.missing,
        folds={clip.name: clip.fold for clip in data.clips},
        bin_seconds=SLICE_BIN,
        problems={"on two sides": across_folds(data.clips)},
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


KINDS: tuple[tuple[Callable[[Path], bool], Callable[[Path, Wrong], Material]], ...] = (
    (is_tut2016, _tut2016),
    (is_urbansound8k, _urbansound8k),
)
"""Data sets in a layout of their own: whether a folder holds it, and its reader. Clips and annotated recordings are
told apart where none of these is recognised."""
SLICE_BIN = 0.25
"""Seconds: slices are 4 s at most, and most are just that."""
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
