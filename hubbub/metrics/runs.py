"""Every event that a row of scores can be decided into, whatever the threshold.

At threshold θ an event is a longest run of frames that score θ or more. As θ falls, runs appear at local maxima, grow
frame by frame and merge at local minima; each run that ever exists has a lowest frame of its own, so n frames have at
most n runs. A run of lowest score m between frames that score less exists for θ in (p, m], where p is the larger of
the two scores beside it. (Ebbers, Serizel and Haeb-Umbach, "Threshold-independent evaluation of sound event detection
scores", ICASSP 2022, evaluate every distinct threshold and keep what changes; enumerating the runs instead costs
n log n in place of n².)

The runs follow from the nearest smaller score to the left and to the right of each frame. Both are found for all
frames at once by galloping over a table of minima of 1, 2, 4, ... neighbours: first the steps double for as long as
every score in them is large enough, then they halve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """All runs of several rows of scores, one entry a run: from frame `first` up to, not including, `last` of `row`.

    `level` is the score at which the run appears. It is replaced by its `parent` run's at `parent_level`, which is -inf
    for a run that stays for good. `point` and `parent_point` number the frames that hold these levels.
    """

    row: Indices
    first: Indices
    last: Indices
    level: NDArray[np.float64]
    parent_level: NDArray[np.float64]
    point: Indices
    parent_point: Indices
    points: NDArray[np.float64]
    """The score of each point, -inf for the ends of rows; shape (n_points,)."""
    point_row: Indices
    """The row of each point, shape (n_points,)."""


def runs(rows: NDArray[np.float64]) -> Runs:
    """The runs of finite scores, shape (n_rows, n_frames)."""
    n_rows, n_frames = rows.shape
    # Rows one behind the other, -inf between them, before the first and after the last: no run crosses.
    flat = np.full((n_rows, n_frames + 1), -np.inf)
    flat[:, 1:] = rows
    scores = np.append(flat.ravel(), -np.inf)
    # Neighbours that score alike switch on together: one point stands for all of them.
    starts = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    points = scores[starts]
    before = _nearest_below(points, or_equal=True)
    after = len(points) - 1 - _nearest_below(points[::-1], or_equal=False)[::-1]
    # A run with several lowest points belongs to the first of them.
    own = np.flatnonzero((points > -np.inf) & (points[before] < points))
    before, after = before[own], after[own]
    parent = np.where(points[before] >= points[after], before, after)
    point_row = np.minimum(starts // (n_frames + 1), n_rows - 1)
    row = point_row[own]
    origin = row * (n_frames + 1) + 1
    return Runs(
        row=row,
        first=starts[before + 1] - origin,
        last=starts[after] - origin,
        level=points[own],
        parent_level=points[parent],
        point=own,
        parent_point=parent,
        points=points,
        point_row=point_row,
    )


def _nearest_below(values: NDArray[np.float64], or_equal: bool) -> Indices:
    """For each value the index of the nearest one to its left that is smaller (`or_equal`: or as large).

    The first value is -inf; the entries of those that are -inf mean nothing.
    """
    reaches = np.greater if or_equal else np.greater_equal
    reached = np.arange(len(values))  # every value from here on to the frame itself is large enough
    active = np.flatnonzero(values > -np.inf)
    stopped: list[Indices] = []  # by k: those that could not take a step of 2^k
    minima = [values]  # minima[k][i] is the smallest of values[i : i + 2^k]
    while True:
        step = 1 << len(stopped)
        start = np.maximum(reached[active] - step, 0)  # cut at the -inf, where every search ends
        free = reaches(minima[-1][start], values[active])
        stopped.append(active[~free])
        active = active[free]
        if not len(active):
            break
        reached[active] -= step
        minima.append(np.minimum(minima[-1][:-step], minima[-1][step:]))
    for table, late in zip(minima[-2::-1], stopped[:0:-1], strict=True):
        active = np.concatenate((active, late))
        step = len(values) - len(table) + 1
        start = np.maximum(reached[active] - step, 0)
        free = active[reaches(table[start], values[active])]
        reached[free] -= step
    nearest: Indices = np.maximum(reached - 1, 0)
    return nearest
