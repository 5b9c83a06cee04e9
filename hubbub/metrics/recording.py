"""The recordings to be scored: what the reference and the estimates say about each, checked and put in one form."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import Event, EventTable, labels_of, merge
from hubbub.grid import TIME_TOLERANCE


@dataclass(frozen=True)
class Recording:
    """What a metric sees of one recording; make it with `of`. `duration` is in seconds.

    Events are sorted, end where the recording ends, and no two of one label overlap or touch (unless made so).
    """

    reference: tuple[Event, ...]
    estimated: tuple[Event, ...]
    duration: float

    @classmethod
    def of(
        cls, reference: Iterable[Event], estimated: Iterable[Event], duration: float, joined: bool = True
    ) -> "Recording":
        """Events in any order: cut at `duration`, then joined where two of one label overlap or touch.

        sed_eval counts two overlapping events of one label as two; here one label is either active or not, so they are
        one. Frames and segments come out the same either way, event counts do not; `joined` False leaves them apart.
        Raises `ValueError` for a duration that is negative or not finite.
        """
        if not (math.isfinite(duration) and duration >= 0):
            raise ValueError(f"the duration {duration} is no length of time; wanted seconds, 0 or more")
        return cls(_in_order(reference, duration, joined), _in_order(estimated, duration, joined), duration)


@dataclass(frozen=True)
class Spans:
    """Events of many labels on one axis of whole microseconds, one label's behind the other's, sorted by onset.

    Three arrays of shape (n_events,): the label's index, onset and offset. Two events overlap on the axis where they do
    and have one label.
    """

    label: NDArray[np.int64]
    onset: NDArray[np.int64]
    offset: NDArray[np.int64]


def spans(recording: Recording, labels: Sequence[str]) -> tuple[Spans, Spans]:
    """The reference's and the estimated events on one axis."""
    axis = 2 * round(1e6 * (recording.duration + 1))
    column = {label: index for index, label in enumerate(labels)}
    found = []
    for events in (recording.reference, recording.estimated):
        label = np.array([column[event.label] for event in events], dtype=np.int64)
        times = np.array([(event.onset, event.offset) for event in events], dtype=np.float64).reshape(-1, 2)
        onset, offset = np.rint(times * 1e6).astype(np.int64).T + label * axis
        order = np.argsort(onset, kind="stable")
        found.append(Spans(label[order], onset[order], offset[order]))
    return found[0], found[1]


def recordings(
    reference: EventTable,
    estimated: EventTable,
    durations: Mapping[str, float],
    labels: Sequence[str],
    joined: bool = True,
) -> list[Recording]:
    """One `Recording` for every name in `durations` (seconds), sorted by name; in neither table means silence.

    Raises `AnnotationError` for an empty `durations`, a duration that is no length of time, a recording of the
    reference without a duration, an estimated recording that nobody knows, or a label that is not in `labels`.
    """
    if not durations:
        raise AnnotationError("there is no recording to score; give the duration of each, in seconds")
    for name, duration in durations.items():
        if not (math.isfinite(duration) and duration >= 0):
            raise AnnotationError(f"{name}: duration {duration} is no length of time; give seconds, 0 or more")
    for name in sorted(reference):
        if name not in durations:
            raise AnnotationError(f"{name}: the reference names this recording, but its duration is unknown; give it")
    for name in sorted(estimated):
        if name not in durations:
            raise AnnotationError(
                f"{name}: estimated, but neither the reference nor the durations name this recording; "
                "add it there or leave it out"
            )
    _check_labels("reference", reference, labels)
    _check_labels("estimated", estimated, labels)
    return [
        Recording.of(reference.get(name, ()), estimated.get(name, ()), durations[name], joined)
        for name in sorted(durations)
    ]


def labels_to_score(
    reference: EventTable, estimated: EventTable, labels: Sequence[str] | None = None
) -> tuple[str, ...]:
    """`labels` as given, else every label that occurs in either table, sorted. Raises `ConfigError` for a double."""
    if labels is None:
        return tuple(sorted({*labels_of(reference), *labels_of(estimated)}))
    doubles = sorted({label for label in labels if list(labels).count(label) > 1})
    if doubles:
        raise ConfigError(f"label {doubles[0]!r} is given twice; name each label to score once")
    return tuple(labels)


def _check_labels(which: str, table: EventTable, labels: Sequence[str]) -> None:
    known = set(labels)
    for name in sorted(table):
        for event in table[name]:
            if event.label not in known:
                raise AnnotationError(
                    f"{name}: {which} label {event.label!r} is none of the labels to score ({', '.join(labels)}); "
                    "add it to them or remove its events"
                )


def _in_order(events: Iterable[Event], duration: float, joined: bool) -> tuple[Event, ...]:
    found = sorted(_cut(events, duration), key=attrgetter("onset", "offset", "label"))
    ends: dict[str, float] = {}
    for event in found if joined else ():
        if event.onset <= ends.get(event.label, -math.inf):
            return tuple(merge(found))
        ends[event.label] = event.offset
    return tuple(found)  # as mostly: nothing to join


def _cut(events: Iterable[Event], duration: float) -> list[Event]:
    """Unlike `hubbub.events.clip`, this keeps an instant at 0 s."""
    return [
        event if event.offset <= duration else replace(event, offset=duration)
        for event in events
        if event.onset < duration - TIME_TOLERANCE
    ]
