"""What one recording adds to the curve of PSDS: how hits, false positives and cross-triggers change with the threshold.

Every run of `hubbub.metrics.runs` is an estimated event for thresholds in (parent_level, level]. Whether it is relevant
(DTC) or a cross-trigger (CTTC) does not depend on the threshold, so it adds one to its count at `level` and takes it
away at `parent_level`. Seconds of reference in a run are differences of the seconds of reference before its two edges.

A reference event counts as found (GTC) while relevant runs cover enough of it. Runs that exist at one threshold do not
overlap, hence while one run holds the whole event that run decides alone: it adds the number of events that it holds.
Otherwise the runs that begin or end inside the event matter, and a run does so in two events at most: their seconds are
added up from the highest threshold to the lowest, event by event. (Without this, runs × events would be looked at.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.metrics.intersection import Seconds, covers, seconds_of
from hubbub.metrics.recording import Recording
from hubbub.metrics.runs import Indices, Runs, runs
from hubbub.metrics.tables import FrameScores

CELLS_AT_ONCE = 2_000_000
"""Scores worked on at a time, to bound the memory that a long recording takes."""


@dataclass(frozen=True)
class Changes:
    """Changes as the threshold falls to `score`, one row a change: by `hits` and `false` positives of label `column`.

    `crossed` holds the cross-triggers of those changes, one row a triplet: which change, which other label, how many.
    """

    column: Indices
    score: NDArray[np.float64]
    hits: NDArray[np.float64]
    false: NDArray[np.float64]
    crossed: tuple[Indices, Indices, NDArray[np.float64]]


def changes(
    recording: Recording, table: FrameScores, labels: Sequence[str], dtc: float, gtc: float, cttc: float | None
) -> list[Changes]:
    """The changes of one recording, some labels at a time; `cttc` None counts no cross-triggers."""
    values, edges = np.asarray(table.values, dtype=np.float64), np.asarray(table.edges, dtype=np.float64)
    references = [seconds_of(recording.reference, label) for label in labels]
    before = np.stack([_seconds_before(edges, *each) for each in references])
    at_once = max(1, CELLS_AT_ONCE // len(values))
    parts = []
    for start in range(0, len(labels), at_once):
        columns = np.arange(start, min(start + at_once, len(labels)))
        found = runs(values[:, columns].T)
        parts.append(_changes(found, columns, edges, references, before, dtc, gtc, cttc))
    return parts


def _changes(
    found: Runs,
    columns: Indices,
    edges: Seconds,
    references: Sequence[tuple[Seconds, Seconds]],
    before: Seconds,
    dtc: float,
    gtc: float,
    cttc: float | None,
) -> Changes:
    label = columns[found.row]
    onset, offset = edges[found.first], edges[found.last]
    length = offset - onset
    relevant = covers(before[label, found.last] - before[label, found.first], dtc, length)
    false = _by_point(found, ~relevant, np.ones(len(length)))
    hits = np.zeros_like(false)
    for row, column in enumerate(columns.tolist()):
        chosen = np.flatnonzero(relevant & (found.row == row))
        if len(chosen):
            hits += _hits(found, chosen, onset[chosen], offset[chosen], references[column], gtc)
    where, which, how_many = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    for other in range(len(references)) if cttc is not None else ():
        if not len(references[other][0]):
            continue
        shared = before[other, found.last] - before[other, found.first]
        crossed = ~relevant & (label != other) & covers(shared, cttc or 0.0, length)
        n = _by_point(found, crossed, np.ones(len(length)))
        where = np.append(where, np.flatnonzero(n))
        which = np.append(which, np.full(np.count_nonzero(n), other))
        how_many = np.append(how_many, n[n != 0])
    changed = (hits != 0) | (false != 0)
    changed[where] = True
    number = np.cumsum(changed) - 1
    return Changes(
        column=columns[found.point_row[changed]],
        score=found.points[changed],
        hits=hits[changed],
        false=false[changed],
        crossed=(number[where], which, how_many),
    )


def _hits(
    found: Runs, chosen: Indices, onset: Seconds, offset: Seconds, reference: tuple[Seconds, Seconds], gtc: float
) -> NDArray[np.float64]:
    """Changes of the number of found reference events by point; `chosen` runs, from `onset` to `offset`, are relevant.

    The reference events of one label, (onsets, offsets), are sorted and do not overlap.
    """
    onsets, offsets = reference
    # The events from `left` to `right` share time with the run, those from `held` up to `held_end` lie inside it.
    left = np.searchsorted(offsets, onset, side="right")
    right = np.searchsorted(onsets, offset, side="left") - 1
    held = np.searchsorted(onsets, onset, side="left")
    held_end = np.searchsorted(offsets, offset, side="right")
    n_held = np.zeros(len(found.level))
    n_held[chosen] = np.maximum(held_end - held, 0)
    change = _by_point(found, n_held > 0, n_held)
    at_left = (left <= right) & (left < held)
    at_right = (left <= right) & (right >= held_end) & ((right != left) | ~at_left)
    run = np.concatenate((np.flatnonzero(at_left), np.flatnonzero(at_right)))
    event = np.concatenate((left[at_left], right[at_right]))
    shared = np.minimum(offset[run], offsets[event]) - np.maximum(onset[run], onsets[event])
    run = chosen[run]
    # Each piece comes at its run's level and goes at the parent's: in order of event, then of falling score.
    event, seconds = np.tile(event, 2), np.concatenate((shared, -shared))
    point = np.concatenate((found.point[run], found.parent_point[run]))
    score = found.points[point]
    order = np.lexsort((-score, event))
    event, seconds, point, score = event[order], seconds[order], point[order], score[order]
    if not len(event):
        return change
    new_event = np.append(True, event[1:] != event[:-1])
    total = np.cumsum(seconds)
    total -= np.repeat((total - seconds)[new_event], np.diff(np.append(np.flatnonzero(new_event), len(event))))
    complete = np.append(new_event[1:] | (score[1:] != score[:-1]), True)  # all of this score have been added
    event, point, total = event[complete], point[complete], total[complete]
    covered = covers(total, gtc, (offsets - onsets)[event])
    was_covered = np.append(False, covered[:-1]) & np.append(False, event[1:] == event[:-1])
    step = covered.astype(np.float64) - was_covered
    return change + np.bincount(point, step, minlength=len(found.points))


def _by_point(found: Runs, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of the chosen runs, added where they appear and taken away where they go, by point."""
    n_points = len(found.points)
    change = np.zeros(n_points)  # a bincount of nothing is of whole numbers
    change += np.bincount(found.point[chosen], weight[chosen], minlength=n_points)
    change -= np.bincount(found.parent_point[chosen], weight[chosen], minlength=n_points)
    change[found.points == -np.inf] = 0  # the threshold never falls so low
    return change


def _seconds_before(times: Seconds, onsets: Seconds, offsets: Seconds) -> Seconds:
    """How many seconds of the events lie before each of `times`."""
    if not len(onsets):
        return np.zeros(len(times))
    ends = np.cumsum(offsets - onsets)
    knots = np.stack((onsets, offsets), axis=1).ravel()
    return np.interp(times, knots, np.stack((ends - (offsets - onsets), ends), axis=1).ravel())
