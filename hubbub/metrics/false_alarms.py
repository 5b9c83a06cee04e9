"""False alarms: estimated events where nothing of the kind is to be heard, per hour of recordings.

For somebody who is called by a detector, a false alarm is an event that overlaps or touches no reference event of its
label. An event found late, too long or in two pieces is imprecise, but whoever comes finds what was announced. The
false positives of `hubbub.metrics.event` count those too, and are given beside it, as "beyond collars": they are as
many or more, because an event within its collars is next to its reference event.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event, merge
from hubbub.metrics.recording import Recording

SECONDS_PER_HOUR = 3600.0
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class FalseAlarms:
    """False alarms per hour of all recordings, over all labels and by label; 0 where the recordings last no time.

    `beyond_collars_per_hour` are the event-based false positives.
    """

    per_hour: float
    by_label: dict[str, float]
    beyond_collars_per_hour: float
    beyond_collars_by_label: dict[str, float]

    @classmethod
    def of(
        cls, labels: Sequence[str], counts: Sequence[int], beyond_collars: Sequence[int], duration_s: float
    ) -> "FalseAlarms":
        """From how many there are of each label in `duration_s` seconds."""

        def rate(count: int) -> float:
            return float(SECONDS_PER_HOUR * count / duration_s) if duration_s else 0.0

        return cls(
            rate(sum(counts)),
            {label: rate(count) for label, count in zip(labels, counts, strict=True)},
            rate(sum(beyond_collars)),
            {label: rate(count) for label, count in zip(labels, beyond_collars, strict=True)},
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def counts(recording: Recording, labels: Sequence[str]) -> Indices:
    """How many false alarms one recording has of each label, shape (n_labels,); times are whole microseconds."""
    column = {label: index for index, label in enumerate(labels)}
    reference, estimated = merge(recording.reference), recording.estimated
    if not estimated:
        return np.zeros(len(labels), dtype=np.int64)
    # One time axis for all labels, one label's behind the other's.
    axis = 2 * int(np.rint(1e6 * max(1.0, *(event.offset for event in (*reference, *estimated)))))
    _, known_start, known_end = _on_axis(reference, column, axis)
    order = np.argsort(known_start, kind="stable")
    known_start, known_end = known_start[order], known_end[order]
    heard, start, end = _on_axis(estimated, column, axis)
    first = np.searchsorted(known_end, start, side="left")
    touched = np.append(known_start, np.iinfo(np.int64).max)[first] <= end
    return np.bincount(heard[~touched], minlength=len(labels)).astype(np.int64)


def _on_axis(events: Sequence[Event], column: dict[str, int], axis: int) -> tuple[Indices, Indices, Indices]:
    labels = np.array([column[event.label] for event in events], dtype=np.int64)
    times = np.array([(event.onset, event.offset) for event in events], dtype=np.float64).reshape(-1, 2)
    start, end = np.rint(times * 1e6).astype(np.int64).T + labels * axis
    return labels, start, end
