"""Intersection-based counts: how much of an estimated event is right, and how much of a reference event is found.

Of Bilen et al., "A framework for the robust evaluation of sound event detection", ICASSP 2020, section 3:

* detection tolerance (DTC): an estimated event is relevant if reference events of its label cover `dtc` of it or more;
  one that is not is a false positive;
* ground truth intersection (GTC): a reference event is found if relevant events of its label cover `gtc` of it or more;
* cross-trigger tolerance (CTTC): an event that is not relevant is a cross-trigger of another label if that label's
  reference events cover `cttc` of it or more.

So one event found in two pieces is found, and a relevant event on a reference event that stays unfound is neither right
nor wrong. Covered seconds and wanted seconds are both rounded to a microsecond before they are compared, as
sed_scores_eval does: 0.7 × 0.1 s is a little less in binary than 0.07 s. A reference event shorter than a microsecond
cannot be covered and is left out, as psds_eval leaves it out; an estimated one is relevant where it lies in or beside
a reference event.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event
from hubbub.grid import TIME_TOLERANCE
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording, Spans, spans

DTC = 0.5
GTC = 0.5
"""Shares of the estimated and the reference event's length: DCASE task 4's for its intersection-based F1."""
DECIMALS = 6
"""Of seconds, when lengths are compared."""

Seconds = NDArray[np.float64]


def counts(recording: Recording, labels: Sequence[str], dtc: float = DTC, gtc: float = GTC) -> Counts:
    """Counts of one recording: hits and misses are reference events, false positives estimated ones.

    Hence TP + FP may be fewer than were estimated. An error is a deletion or an insertion, never a substitution, as in
    sed_scores_eval: the criteria pair no events, and the cross-triggers that PSDS 2 counts are false positives too.
    """
    reference, estimated = spans(recording, labels)
    lasting = reference.offset > reference.onset
    reference = Spans(*(each[lasting] for each in (reference.label, reference.onset, reference.offset)))
    n_labels = len(labels)
    length = estimated.offset - estimated.onset
    relevant = _shared(estimated, reference) >= np.rint(dtc * length)
    relevant &= (length > 0) | (_shared(estimated, reference, around=1) > 0)
    useful = Spans(*(each[relevant] for each in (estimated.label, estimated.onset, estimated.offset)))
    found = _shared(reference, useful) >= np.rint(gtc * (reference.offset - reference.onset))
    hits = np.bincount(reference.label[found], minlength=n_labels)
    missed = np.bincount(reference.label[~found], minlength=n_labels)
    false = np.bincount(estimated.label[~relevant], minlength=n_labels)
    return Counts(
        tuple(labels),
        tuple(hits.tolist()),
        tuple(false.tolist()),
        tuple(missed.tolist()),
        substitutions=0,
        deletions=int(missed.sum()),
        insertions=int(false.sum()),
    )


def _shared(events: Spans, others: Spans, around: int = 0) -> NDArray[np.int64]:
    """Microseconds that each event, widened by `around`, shares with the others of its label, summed over them."""

    def before(time: NDArray[np.int64]) -> NDArray[np.int64]:
        total = np.zeros(len(time), dtype=np.int64)
        for sign, edges in ((1, others.onset), (-1, np.sort(others.offset))):
            n = np.searchsorted(edges, time)
            total += sign * (n * time - np.append(0, np.cumsum(edges))[n])
        return total

    return before(events.offset + around) - before(events.onset - around)


def seconds_of(events: Sequence[Event], label: str) -> tuple[Seconds, Seconds]:
    """Onsets and offsets, each (n_events,), of those reference events of `label` that last a microsecond or more."""
    found = [(e.onset, e.offset) for e in events if e.label == label and e.duration >= TIME_TOLERANCE]
    onsets, offsets = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return onsets, offsets


def covers(seconds: Seconds, share: float, lengths: Seconds) -> NDArray[np.bool_]:
    """Whether `seconds` are a `share` of `lengths` or more, both to the microsecond."""
    return np.round(seconds, DECIMALS) >= np.round(share * lengths, DECIMALS)
