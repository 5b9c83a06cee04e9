"""Sound events: the value that travels through the whole package, and its two forms, list and multi-hot targets."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.grid import TIME_TOLERANCE, Grid

SHORTEST = 1e-9
"""Seconds that an instant is taken to last where its share of something is asked for."""


@dataclass(frozen=True)
class Event:
    """One label sounding over [onset, offset), in seconds; `score` is a probability, None where nobody gave one.

    Events sort by onset, offset, label. Raises `ValueError` for a negative or infinite time, an onset after the offset,
    or an empty label.
    """

    onset: float
    offset: float
    label: str
    score: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.onset) and math.isfinite(self.offset)):
            raise ValueError(f"onset {self.onset} and offset {self.offset} must be finite numbers")
        if self.onset < 0:
            raise ValueError(f"onset {self.onset:g} s is negative")
        if self.onset > self.offset:
            raise ValueError(f"onset {self.onset:g} s lies after offset {self.offset:g} s")
        if not self.label:
            raise ValueError("the label is empty")

    def __lt__(self, other: "Event") -> bool:
        return (self.onset, self.offset, self.label) < (other.onset, other.offset, other.label)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.offset - self.onset


EventTable = Mapping[str, Sequence[Event]]
"""Events by recording; a recording without events has an empty list, and that is not the same as no entry."""


def labels_of(table: EventTable) -> list[str]:
    """The labels that occur in a table, sorted."""
    return sorted({event.label for events in table.values() for event in events})


def merge(events: Iterable[Event], gap: float = 0.0) -> list[Event]:
    """Sorted events in which no two of one label overlap, touch or lie `gap` seconds or less apart.

    The score of joined events is the mean of those that have one, weighted by duration.
    """
    groups: list[list[Event]] = []
    newest: dict[str, tuple[list[Event], float]] = {}  # by label: the group that may still grow, and where it ends
    for event in sorted(events):
        group, end = newest.get(event.label, ([], -math.inf))
        if event.onset > end + gap:
            group = []
            groups.append(group)
        group.append(event)
        newest[event.label] = group, max(end, event.offset)
    return sorted(_join(group) for group in groups)


def spans_of(events: Iterable[Event]) -> NDArray[np.float64]:
    """Onsets and offsets in seconds, shape (n_events, 2)."""
    return np.array([(event.onset, event.offset) for event in events], dtype=np.float64).reshape(-1, 2)


def covered_share(spans: NDArray[np.float64], covers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each of `spans`, (n_spans, 2), that lies in `covers`, (n_covers, 2): (n_spans,).

    The covers are sorted and disjoint; an instant lies inside or outside.
    """
    edges = covers.ravel()
    seconds = np.zeros(len(edges) + 1)  # covered before each edge
    seconds[2::2] = np.cumsum(covers[:, 1] - covers[:, 0])
    seconds[1::2] = seconds[:-1:2]
    lengths = np.maximum(spans[:, 1] - spans[:, 0], SHORTEST)
    offsets = spans[:, 0] + lengths

    def before(times: NDArray[np.float64]) -> NDArray[np.float64]:
        place = np.searchsorted(edges, times, side="right")
        begun = np.where(place % 2 == 1, times - np.concatenate([[0.0], edges])[place], 0.0)
        covered: NDArray[np.float64] = seconds[place] + begun
        return covered

    shares: NDArray[np.float64] = (before(offsets) - before(spans[:, 0])) / lengths
    return np.clip(shares, 0.0, 1.0)


def clip(events: Iterable[Event], start: float, end: float) -> list[Event]:
    """The parts of `events` inside [start, end), in seconds, shifted so that `start` becomes 0."""
    return [
        replace(event, onset=max(event.onset, start) - start, offset=min(event.offset, end) - start)
        for event in events
        if event.onset < end and (event.offset > start or event.onset >= start)  # the latter: an instant at the start
    ]


def to_targets(events: Iterable[Event], labels: Sequence[str], grid: Grid, n_frames: int) -> NDArray[np.bool_]:
    """Multi-hot targets, shape (n_frames, n_labels): true where an event overlaps the frame at all.

    Events past the last frame are cut. Raises `ValueError` for a label that is not in `labels`.
    """
    targets = np.zeros((n_frames, len(labels)), dtype=bool)
    column = {label: index for index, label in enumerate(labels)}
    for event in events:
        if event.label not in column:
            raise ValueError(f"label {event.label!r} is none of {', '.join(labels)}")
        first, last = grid.span(event.onset, event.offset)
        targets[first:last, column[event.label]] = True
    return targets


def to_targets_on(events: Iterable[Event], labels: Sequence[str], edges: NDArray[np.float64]) -> NDArray[np.bool_]:
    """As `to_targets`, on frames with any `edges`, shape (n_frames + 1,), rising, in seconds."""
    targets = np.zeros((len(edges) - 1, len(labels)), dtype=bool)
    column = {label: index for index, label in enumerate(labels)}
    for event in events:
        first = max(0, int(np.searchsorted(edges, event.onset + TIME_TOLERANCE, side="right")) - 1)
        last = int(np.searchsorted(edges, event.offset - TIME_TOLERANCE, side="left"))
        targets[first : max(last, first + 1), column[event.label]] = True
    return targets


def from_targets(targets: NDArray[np.bool_], labels: Sequence[str], edges: NDArray[np.float64]) -> list[Event]:
    """Events of multi-hot targets, shape (n_frames, n_labels), on `edges`, shape (n_frames + 1,), in seconds."""
    events = []
    for label, active in zip(labels, targets.T, strict=True):
        for first, last in runs(active):
            events.append(Event(float(edges[first]), float(edges[last]), label))
    return sorted(events)


def runs(active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where a row of booleans is true: shape (n_runs, 2), first frame and the frame after the last."""
    padded = np.concatenate(([False], active.astype(bool), [False]))
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def _join(group: Sequence[Event]) -> Event:
    if len(group) == 1:
        return group[0]
    scored = [(event.score, event.duration) for event in group if event.score is not None]
    seconds = sum(duration for _, duration in scored)
    score = None
    if seconds:
        score = sum(each * duration for each, duration in scored) / seconds
    elif scored:  # instants
        score = sum(each for each, _ in scored) / len(scored)
    return Event(group[0].onset, max(event.offset for event in group), group[0].label, score)
