"""What sounds in annotated recordings, in plain numbers: how often, how long, how much at once, and when."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.split import SIDES, Side
from hubbub.events import Event, merge
from hubbub.grid import TIME_TOLERANCE

PARTS = 50
"""Equal parts of a recording, whatever its length, in which it is looked at over time."""
BINS_PER_OCTAVE = 2
SHORTEST_BIN = 2.0**-7
"""Seconds: events shorter than this fall into the first bin."""


@dataclass(frozen=True)
class Lengths:
    """Seconds: the shortest, the quartiles and the longest of some lengths; all 0 where there are none."""

    shortest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    longest: float


@dataclass(frozen=True)
class Histogram:
    """How many lengths lie between two `edges` (seconds, one more than `counts`): half an octave apart, or evenly
    spaced from 0 on."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class LabelFacts:
    """One label.

    `published` is what a publication counts, where one does. `seconds` is how long the label sounds, what overlaps
    counted once; `share` is the part of the recordings that have it. `over_time` has the part of the time that it
    sounds in each of `PARTS` equal parts of the recordings.
    """

    label: str
    n_events: int
    published: int | None
    seconds: float
    n_recordings: int
    share: float
    lengths: Lengths
    n_by_side: Mapping[Side, int]
    over_time: tuple[float, ...]


@dataclass(frozen=True)
class Polyphony:
    """How many labels sound at once: `shares` of all time with 0, 1, 2, … of them, their mean, the most there ever are,
    and the mean in each of `PARTS` equal parts of the recordings."""

    shares: tuple[float, ...]
    mean: float
    maximum: int
    over_time: tuple[float, ...]


def label_facts(
    recordings: Sequence[AnnotatedRecording],
    sides: Mapping[Side, Sequence[str]],
    published: Mapping[str, int] | None = None,
) -> tuple[LabelFacts, ...]:
    """The facts of each label that occurs or is `published`, sorted by label; `sides` hold names of recordings, and
    may be empty."""
    by_label: dict[str, list[tuple[AnnotatedRecording, list[Event]]]] = {label: [] for label in published or ()}
    for recording in recordings:
        for label in sorted({event.label for event in recording.events}):
            events = [event for event in recording.events if event.label == label]
            by_label.setdefault(label, []).append((recording, events))
    side_of = {name: side for side, names in sides.items() for name in names}
    whole = sum(recording.duration for recording in recordings)
    facts = []
    for label, its_recordings in sorted(by_label.items()):
        lengths = [event.duration for _, events in its_recordings for event in events]
        n_by_side = Counter(side_of.get(recording.name) for recording, events in its_recordings for _ in events)
        active = sum((in_parts(recording.duration, merge(events)) for recording, events in its_recordings), _NONE)
        facts.append(
            LabelFacts(
                label,
                len(lengths),
                None if published is None else published.get(label, 0),
                float(active.sum()),
                len(its_recordings),
                len(its_recordings) / len(recordings) if recordings else 0.0,
                lengths_of(lengths),
                {side: n_by_side[side] for side in SIDES if sides},
                _shares(active, whole),
            )
        )
    return tuple(facts)


def polyphony(recordings: Sequence[AnnotatedRecording]) -> Polyphony:
    """How many labels sound at once, over all of the time of the recordings."""
    seconds = np.zeros(1)
    active = np.zeros(PARTS)
    for recording in recordings:
        events = merge(recording.events)
        mine = seconds_by_number(recording.duration, events)
        seconds = np.pad(seconds, (0, max(0, len(mine) - len(seconds))))
        seconds[: len(mine)] += mine
        active += in_parts(recording.duration, events)
    whole = float(seconds.sum())
    shares = seconds / whole if whole else np.zeros(1)
    mean = float(shares @ np.arange(len(shares)))
    return Polyphony(tuple(shares.tolist()), mean, len(shares) - 1, _shares(active, whole))


def seconds_by_number(duration: float, events: Sequence[Event]) -> NDArray[np.float64]:
    """Seconds of a recording in which 0, 1, 2, … of `events` sound, no further than to the most that ever do.

    `events` are merged, so that no two of one label overlap.
    """
    times = np.array([0.0, duration, *(time for event in events for time in (event.onset, event.offset))])
    steps = np.array([0, 0, *((1, -1) * len(events))])
    order = np.argsort(times)
    numbers = np.cumsum(steps[order])[:-1]
    gaps = np.diff(times[order])
    kept = gaps > TIME_TOLERANCE  # edges that are one but for their rounding: where one ends as another begins
    return np.asarray(np.bincount(numbers[kept], weights=gaps[kept], minlength=1), dtype=np.float64)


def in_parts(duration: float, events: Sequence[Event]) -> NDArray[np.float64]:
    """Seconds that `events` sound in each of `PARTS` equal parts of a recording, shape (PARTS,)."""
    edges = np.linspace(0, duration, PARTS + 1)
    onsets, offsets = (np.array([getattr(event, name) for event in events])[:, None] for name in ("onset", "offset"))
    inside = np.minimum(offsets, edges[1:]) - np.maximum(onsets, edges[:-1])
    return np.asarray(np.maximum(inside, 0).sum(axis=0))


def lengths_of(lengths: Sequence[float]) -> Lengths:
    """The five numbers of some lengths in seconds."""
    if not lengths:
        return Lengths(0.0, 0.0, 0.0, 0.0, 0.0)
    return Lengths(*np.quantile(lengths, (0, 0.25, 0.5, 0.75, 1)).tolist())


def histogram(lengths: Sequence[float], bin_seconds: float | None = None) -> Histogram:
    """Lengths in seconds, counted in bins from the shortest to the longest: of half an octave, or, with `bin_seconds`,
    of that width from 0 on. A length on an edge belongs to the bin above it in the former, below it in the latter: what
    was cut to 4 s is no longer than that."""
    if not lengths:
        return Histogram((), ())
    if bin_seconds is not None:
        places = [max(0, math.ceil(length / bin_seconds - 1e-9) - 1) for length in lengths]
        last = max(places)
        number = Counter(places)
        return Histogram(
            tuple(place * bin_seconds for place in range(last + 2)), tuple(number[place] for place in range(last + 1))
        )
    steps = [math.floor(BINS_PER_OCTAVE * math.log2(max(length, SHORTEST_BIN)) + 1e-9) for length in lengths]
    first, last = min(steps), max(steps)
    found = Counter(steps)
    edges = tuple(2.0 ** (step / BINS_PER_OCTAVE) for step in range(first, last + 2))
    return Histogram(edges, tuple(found[step] for step in range(first, last + 1)))


_NONE = np.zeros(PARTS)


def _shares(active: NDArray[np.float64], whole: float) -> tuple[float, ...]:
    return tuple((active / (whole / PARTS)).tolist() if whole else np.zeros(PARTS).tolist())
