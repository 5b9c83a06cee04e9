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

from hubbub.metrics.recording import Recording, spans

SECONDS_PER_HOUR = 3600.0


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


def counts(recording: Recording, labels: Sequence[str]) -> NDArray[np.int64]:
    """How many false alarms one recording has of each label, shape (n_labels,); times are whole microseconds."""
    reference, estimated = spans(recording, labels)
    # Of all reference events that begin before the event ends, does the one that ends last reach its onset?
    ends = np.append(np.iinfo(np.int64).min, np.maximum.accumulate(reference.offset))
    n_begun = np.searchsorted(reference.onset, estimated.offset, side="right")
    alarm = ends[n_begun] < estimated.onset
    return np.bincount(estimated.label[alarm], minlength=len(labels)).astype(np.int64)
