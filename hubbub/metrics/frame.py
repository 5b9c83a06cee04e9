"""Frame-wise counts: is each label active in each frame, yes or no.

Systems with different hops are compared on one grid, `hubbub.grid.COMPARISON_GRID` (10 ms). An event is active in every
frame that it overlaps at all.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event
from hubbub.grid import COMPARISON_GRID, TIME_TOLERANCE, Grid
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording


def validate(reference: NDArray[np.bool_], estimated: NDArray[np.bool_], labels: Sequence[str]) -> None:
    """Raises `ValueError` unless both arrays are boolean, of one shape (n_frames, n_labels)."""
    for name, targets in (("reference", reference), ("estimated", estimated)):
        if targets.dtype != np.bool_:
            raise ValueError(f"{name} targets are {targets.dtype}; wanted booleans: apply the thresholds first")
        if targets.ndim != 2 or targets.shape[1] != len(labels):
            raise ValueError(f"{name} targets have shape {targets.shape}; wanted (n_frames, {len(labels)})")
    if reference.shape != estimated.shape:
        raise ValueError(f"reference has {len(reference)} frames and estimated {len(estimated)}; wanted the same")


def counts_from_targets(
    reference: NDArray[np.bool_], estimated: NDArray[np.bool_], labels: Sequence[str] | None = None
) -> Counts:
    """Counts of two boolean arrays, both of shape (n_frames, n_labels).

    In a frame with m misses and f false labels, min(m, f) are substitutions, the rest of the misses are deletions and
    the rest of the false labels insertions. Where `labels` is None they are named "0", "1", ... Raises `ValueError`
    for arrays that are not boolean or differ in shape.
    """
    if labels is None:
        labels = [str(index) for index in range(reference.shape[-1])]
    validate(reference, estimated, labels)
    # One row a label: counting along contiguous memory is many times faster.
    reference, estimated = np.ascontiguousarray(reference.T), np.ascontiguousarray(estimated.T)
    hits = _actives(reference & estimated)
    n_reference, n_estimated = _actives(reference), _actives(estimated)
    reference_polyphony, estimated_polyphony = _polyphony(reference), _polyphony(estimated)
    surplus = estimated_polyphony - reference_polyphony
    return Counts(
        tuple(labels),
        tuple(hits.tolist()),
        tuple((n_estimated - hits).tolist()),
        tuple((n_reference - hits).tolist()),
        # min(m, f) = min(reference polyphony, estimated polyphony) - hits, and m - f = reference - estimated polyphony.
        substitutions=int(np.minimum(reference_polyphony, estimated_polyphony).sum() - hits.sum()),
        deletions=int(-surplus[surplus < 0].sum()),
        insertions=int(surplus[surplus > 0].sum()),
        n_slots=reference.shape[1],
    )


def counts(recording: Recording, labels: Sequence[str], grid: Grid = COMPARISON_GRID) -> Counts:
    """Counts of one recording over all the frames of `grid` that its duration touches.

    The same as `counts_from_targets`, but only stretches of frames are looked at in which nothing begins or ends: an
    hour with a few events is a few stretches. Raises `ValueError` for an event whose label is not in `labels`.
    """
    n_frames = grid.n_frames_of(recording.duration)
    both = (recording.reference, recording.estimated)
    reference, estimated = (_spans(events, labels, grid, n_frames) for events in both)
    borders = np.unique(np.concatenate((reference[1:].ravel(), estimated[1:].ravel(), [0, n_frames])))
    n_in_stretch = np.diff(borders)
    active, found = (_stretches(spans, borders, len(labels)) for spans in (reference, estimated))
    hits = (active & found) @ n_in_stretch
    n_reference, n_estimated = active @ n_in_stretch, found @ n_in_stretch
    reference_polyphony, estimated_polyphony = active.sum(0), found.sum(0)
    surplus = (estimated_polyphony - reference_polyphony) * n_in_stretch
    in_both = np.minimum(reference_polyphony, estimated_polyphony) @ n_in_stretch
    return Counts(
        tuple(labels),
        tuple(hits.tolist()),
        tuple((n_estimated - hits).tolist()),
        tuple((n_reference - hits).tolist()),
        substitutions=int(in_both - hits.sum()),
        deletions=int(-surplus[surplus < 0].sum()),
        insertions=int(surplus[surplus > 0].sum()),
        n_slots=n_frames,
    )


def _spans(events: Sequence[Event], labels: Sequence[str], grid: Grid, n_frames: int) -> NDArray[np.int64]:
    """Label, first frame and the frame after the last, shape (3, n_events), by the rule of `Grid.span`."""
    column = {label: index for index, label in enumerate(labels)}
    for event in events:
        if event.label not in column:
            raise ValueError(f"label {event.label!r} is none of {', '.join(labels)}")
    times = np.array([(event.onset, event.offset) for event in events], dtype=np.float64).reshape(-1, 2)
    first = np.floor((times[:, 0] + TIME_TOLERANCE) * grid.sample_rate / grid.hop)
    last = np.maximum(np.ceil((times[:, 1] - TIME_TOLERANCE) * grid.sample_rate / grid.hop), first + 1)
    where = [column[event.label] for event in events]
    return np.stack((where, np.minimum(first, n_frames), np.minimum(last, n_frames))).astype(np.int64)


def _stretches(spans: NDArray[np.int64], borders: NDArray[np.int64], n_labels: int) -> NDArray[np.bool_]:
    """Whether each label is active between each two borders: (n_labels, n_stretches)."""
    column, first, last = spans
    change = np.zeros((n_labels, len(borders)), dtype=np.int64)
    np.add.at(change, (column, np.searchsorted(borders, first)), 1)
    np.add.at(change, (column, np.searchsorted(borders, last)), -1)
    active: NDArray[np.bool_] = np.cumsum(change, axis=1)[:, :-1] > 0
    return active


def _actives(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Active frames by label: (n_labels, n_frames) to (n_labels,)."""
    return np.array([np.count_nonzero(row) for row in rows], dtype=np.int64)


def _polyphony(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Active labels by frame: (n_labels, n_frames) to (n_frames,)."""
    n_active: NDArray[np.uint16] = np.add.reduce(rows.view(np.uint8), axis=0, dtype=np.uint16)
    return n_active.astype(np.int64)
