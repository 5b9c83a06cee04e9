"""Reference and estimated events side by side: one row a label, with what was missed and what was false."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import HubbubError
from hubbub.events import Event, covered_share, merge, spans_of

WORTH_A_ROW = 0.2
"""A label without an event gets a row where its probability reaches this: a near miss is worth seeing."""

HALF = 0.5
"""Of an event: what must be covered for it to be right, or found."""

Span = tuple[float, float]
"""Onset and offset, in seconds."""


class Probabilities(Protocol):
    """What a detector said in each frame; `Detector.probabilities` returns such an object."""

    @property
    def values(self) -> NDArray[np.floating]:
        """Shape (n_frames, n_labels), between 0 and 1."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """Seconds, shape (n_frames + 1,)."""

    @property
    def labels(self) -> Sequence[str]:
        """What the columns are."""


@dataclass(frozen=True)
class Row:
    """One label of one recording.

    `missed` are the parts of the reference events that no estimated event covers, `false` those of the estimated events
    that no reference event covers; both are empty where there is no reference. `curve` is the label's probability by
    frame, shape (n_frames,), on `edges`, shape (n_frames + 1,).
    """

    label: str
    reference: tuple[Event, ...]
    estimated: tuple[Event, ...]
    missed: tuple[Span, ...]
    false: tuple[Span, ...]
    curve: NDArray[np.floating] | None
    edges: NDArray[np.float64] | None


def compare(
    reference: Iterable[Event] | None, estimated: Iterable[Event], probabilities: Probabilities | None = None
) -> list[Row]:
    """A row for each label that has an event, or a probability of `WORTH_A_ROW` somewhere, sorted by label.

    Raises `HubbubError` where the shapes of the probabilities do not fit each other.
    """
    curves = _curves(probabilities)
    ours = _by_label(estimated)
    theirs = _by_label(reference or ())
    near = {label for label, curve in curves.items() if curve.size and curve.max() >= WORTH_A_ROW}
    return [
        Row(
            label=label,
            reference=tuple(theirs.get(label, ())),
            estimated=tuple(ours.get(label, ())),
            missed=() if reference is None else uncovered(theirs.get(label, ()), ours.get(label, ())),
            false=() if reference is None else uncovered(ours.get(label, ()), theirs.get(label, ())),
            curve=curves.get(label),
            edges=None if probabilities is None else np.asarray(probabilities.edges, dtype=np.float64),
        )
        for label in sorted(ours.keys() | theirs.keys() | near)
    ]


def verdicts(reference: Iterable[Event], estimated: Iterable[Event]) -> list[tuple[str, Event]]:
    """Every estimated event, and every reference event that was missed, sorted by time.

    An estimated event is "right" where at least half of it lies in reference events of its label, else "false"; a
    reference event is "missed" where estimated events cover less than half of it.
    """
    ours, theirs = _by_label(estimated), _by_label(reference)
    told: list[tuple[str, Event]] = []
    for label in ours.keys() | theirs.keys():
        found, known = ours.get(label, []), theirs.get(label, [])
        hit = covered_share(spans_of(found), spans_of(merge(known))) >= HALF
        told += [("right" if right else "false", event) for event, right in zip(found, hit, strict=True)]
        held = covered_share(spans_of(known), spans_of(merge(found))) >= HALF
        told += [("missed", event) for event, there in zip(known, held, strict=True) if not there]
    return sorted(told, key=lambda pair: (pair[1], pair[0]))


def uncovered(events: Iterable[Event], others: Iterable[Event]) -> tuple[Span, ...]:
    """The parts of `events` that none of `others` covers, all of one label: sorted, disjoint spans."""
    parts = []
    covers = merge(others)
    next_cover = 0
    for event in merge(events):
        start = event.onset
        while next_cover < len(covers) and covers[next_cover].offset <= start:
            next_cover += 1
        index = next_cover
        while index < len(covers) and covers[index].onset < event.offset:
            if covers[index].onset > start:
                parts.append((start, covers[index].onset))
            start = covers[index].offset
            index += 1
        if start < event.offset:
            parts.append((start, event.offset))
    return tuple(parts)


def _by_label(events: Iterable[Event]) -> dict[str, list[Event]]:
    by_label: dict[str, list[Event]] = {}
    for event in sorted(events):
        by_label.setdefault(event.label, []).append(event)
    return by_label


def _curves(probabilities: Probabilities | None) -> dict[str, NDArray[np.floating]]:
    if probabilities is None:
        return {}
    values, n_labels = np.asarray(probabilities.values), len(probabilities.labels)
    wanted = (len(probabilities.edges) - 1, n_labels)
    if values.shape != wanted:
        raise HubbubError(f"probabilities have shape {values.shape}; their edges and labels want {wanted}")
    return dict(zip(probabilities.labels, values.T, strict=True))
