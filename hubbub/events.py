"""Sound events: the value that travels through the whole package, and its two forms, list and multi-hot targets."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.grid import Grid


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

    The score of joined events is their mean, weighted by duration.
    """
    merged: list[Event] = []
    open_by_label: dict[str, int] = {}
    for event in sorted(events):
        index = open_by_label.get(event.label)
        if index is not None and event.onset <= merged[index].offset + gap:
            merged[index] = _join(merged[index], event)
        else:
            open_by_label[event.label] = len(merged)
            merged.append(event)
    return merged


def clip(events: Iterable[Event], start: float, end: float) -> list[Event]:
    """The parts of `events` inside [start, end), in seconds, shifted so that `start` becomes 0."""
    return [
        replace(event, onset=max(event.onset, start) - start, offset=min(event.offset, end) - start)
        for event in events
        if event.onset < end and event.offset > start
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


def _join(a: Event, b: Event) -> Event:
    score = a.score if b.score is None else b.score
    if a.score is not None and b.score is not None:
        weight = a.duration + b.duration
        score = (a.score * a.duration + b.score * b.duration) / weight if weight else (a.score + b.score) / 2
    return Event(a.onset, max(a.offset, b.offset), a.label, score)
