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
cannot be covered and is left out, as psds_eval leaves it out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event
from hubbub.grid import TIME_TOLERANCE
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording

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
    hits, false, missed = [], [], []
    for label in labels:
        onsets, offsets = spans(recording.reference, label)
        heard = np.array([(e.onset, e.offset) for e in recording.estimated if e.label == label]).reshape(-1, 2)
        shared = np.maximum(
            np.minimum(offsets, heard[:, 1:]) - np.maximum(onsets, heard[:, :1]), 0.0
        )  # (n_estimated, n_reference)
        relevant = covers(shared.sum(1), dtc, heard[:, 1] - heard[:, 0])
        found = covers(shared[relevant].sum(0), gtc, offsets - onsets)
        hits.append(int(found.sum()))
        false.append(int((~relevant).sum()))
        missed.append(int((~found).sum()))
    return Counts(
        tuple(labels), tuple(hits), tuple(false), tuple(missed), 0, deletions=sum(missed), insertions=sum(false)
    )


def spans(events: Sequence[Event], label: str) -> tuple[Seconds, Seconds]:
    """Onsets and offsets, each (n_events,), of those reference events of `label` that last a microsecond or more."""
    found = [(e.onset, e.offset) for e in events if e.label == label and e.duration >= TIME_TOLERANCE]
    onsets, offsets = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return onsets, offsets


def covers(seconds: Seconds, share: float, lengths: Seconds) -> NDArray[np.bool_]:
    """Whether `seconds` are a `share` of `lengths` or more, both to the microsecond."""
    return np.round(seconds, DECIMALS) >= np.round(share * lengths, DECIMALS)
