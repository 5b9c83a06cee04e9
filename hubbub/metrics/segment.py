"""Segment-wise counts, as sed_eval's: is each label active anywhere in each second.

A segment is a long frame: an event that touches it at all activates it, so a short event counts for as much as a long
one and an edge may be off by most of a second. The last segment may be cut by the recording's end. The number of
segments comes from the duration, so false alarms in trailing silence count.
"""

from collections.abc import Sequence

from hubbub.grid import Grid
from hubbub.metrics import frame
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording

SEGMENT_GRID = Grid(sample_rate=1, hop=1)
"""Segments of one second, as in the DCASE challenges."""


def counts(recording: Recording, labels: Sequence[str], grid: Grid = SEGMENT_GRID) -> Counts:
    """Counts of one recording over all the segments that its duration touches; S, D and I are taken per segment.

    An edge within a microsecond of a segment's edge is on it, and an instant takes one segment; sed_eval knows neither.
    Raises `ValueError` for an event whose label is not in `labels`.
    """
    return frame.counts(recording, labels, grid)
