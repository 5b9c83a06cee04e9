"""Frame-wise counts: is each label active in each frame, yes or no.

Systems with different hops are compared on one grid, `hubbub.grid.COMPARISON_GRID` (10 ms). An event is active in every
frame that it overlaps at all.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hubbub.events import to_targets
from hubbub.grid import COMPARISON_GRID, Grid
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

    Raises `ValueError` for an event whose label is not in `labels`.
    """
    n_frames = grid.n_frames_of(recording.duration)
    reference = to_targets(recording.reference, labels, grid, n_frames)
    estimated = to_targets(recording.estimated, labels, grid, n_frames)
    return counts_from_targets(reference, estimated, labels)


def _actives(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Active frames by label: (n_labels, n_frames) to (n_labels,)."""
    return np.array([np.count_nonzero(row) for row in rows], dtype=np.int64)


def _polyphony(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Active labels by frame: (n_labels, n_frames) to (n_frames,)."""
    n_active: NDArray[np.uint16] = np.add.reduce(rows.view(np.uint8), axis=0, dtype=np.uint16)
    return n_active.astype(np.int64)
