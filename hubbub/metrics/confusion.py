"""What was taken for what: which label's events were found under another name, and which in nothing's place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event, covered_share, spans_of
from hubbub.metrics.recording import Recording

HALF = 0.5
"""An event is explained by another label's where at least this share of it lies in them."""


@dataclass(frozen=True)
class Confusion:
    """Counts of events, (n_labels + 1, n_labels + 1): reference from top to bottom, estimated from left to right.

    The last row and column are nothing. Estimated events are counted in their column: in their own label's row where at
    least half of them lies in its reference events; else in the row of the label whose reference events cover most of
    them, and at least half; else in nothing's. A reference event that no estimated event of its label touches is
    counted once more, in nothing's column: where it was found under another name, both are told.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, recordings: Sequence[Recording], labels: Sequence[str]) -> "Confusion":
        """Of checked recordings, as `hubbub.metrics.recording.recordings` gives them."""
        counts = np.zeros((len(labels) + 1, len(labels) + 1), dtype=np.int64)
        for recording in recordings:
            reference = [_of_label(recording.reference, label) for label in labels]
            for column, label in enumerate(labels):
                estimated = _of_label(recording.estimated, label)
                shares = np.stack([covered_share(estimated, spans) for spans in reference])
                likeliest = np.where(shares.max(0) >= HALF, shares.argmax(0), len(labels))
                rows = np.where(shares[column] >= HALF, column, likeliest)
                counts[:, column] += np.bincount(rows, minlength=len(labels) + 1)
                counts[column, -1] += int((covered_share(reference[column], estimated) == 0).sum())
        return cls(tuple(labels), counts)


def _of_label(events: Sequence[Event], label: str) -> NDArray[np.float64]:
    return spans_of(event for event in events if event.label == label)
