"""Event-wise counts with collars: was each event found, with its onset and its offset.

An estimated event is right if it has the reference event's label, its onset lies within `onset_collar` of the
reference's and its offset within the larger of `offset_collar` and `offset_collar_ratio` of the reference's length.
Each event is used once; pairs are chosen so that as many as possible are right (sed_eval's "optimal" matching). The
defaults are those of DCASE task 4, 200 ms and 20 %; sed_eval's own default for the ratio is 50 %.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from hubbub.events import Event
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording

ONSET_COLLAR = 0.2
"""Seconds."""

OFFSET_COLLAR = 0.2
"""Seconds."""

OFFSET_COLLAR_RATIO = 0.2
"""Of the reference event's length."""

Indices = NDArray[np.int64]


def counts(
    recording: Recording,
    labels: Sequence[str],
    onset_collar: float = ONSET_COLLAR,
    offset_collar: float = OFFSET_COLLAR,
    offset_collar_ratio: float = OFFSET_COLLAR_RATIO,
) -> Counts:
    """Counts of one recording.

    Substitutions are sed_eval's: an unmatched reference event, in order of onset, takes the first unmatched and unused
    estimated event that is in time for it; what then remains are deletions and insertions. Where several matchings are
    equally large, which events stay unmatched is up to the matching, and sed_eval may there count other substitutions.
    Raises `ValueError` for an event whose label is not in `labels`.
    """
    reference, estimated = recording.reference, recording.estimated
    reference_labels, estimated_labels = _columns(reference, labels), _columns(estimated, labels)
    rows, columns = in_time(reference, estimated, onset_collar, offset_collar, offset_collar_ratio)
    same = reference_labels[rows] == estimated_labels[columns]
    matched = match(rows[same], columns[same], (len(reference), len(estimated)))
    found = matched >= 0
    hits = _by_label(reference_labels[found], labels)
    free_estimated = np.ones(len(estimated), dtype=bool)
    free_estimated[matched[found]] = False
    substitutions = _substitutions(rows, columns, ~found, free_estimated)
    n_hits = int(np.count_nonzero(found))
    return Counts(
        tuple(labels),
        tuple(hits.tolist()),
        tuple((_by_label(estimated_labels, labels) - hits).tolist()),
        tuple((_by_label(reference_labels, labels) - hits).tolist()),
        substitutions,
        deletions=len(reference) - n_hits - substitutions,
        insertions=len(estimated) - n_hits - substitutions,
    )


def in_time(
    reference: Sequence[Event],
    estimated: Sequence[Event],
    onset_collar: float,
    offset_collar: float,
    offset_collar_ratio: float,
) -> tuple[Indices, Indices]:
    """Which estimated events are in time for which reference events, whatever their labels; collars in seconds.

    Both lists are sorted. Two arrays of shape (n_pairs,): indices of the reference and of the estimated event, sorted.
    Times are compared as whole microseconds: in binary 2.2 - 2.0 is more than 0.2, for a listener it is not.
    """
    onsets, offsets = _microseconds([e.onset for e in reference]), _microseconds([e.offset for e in reference])
    heard_onsets = _microseconds([e.onset for e in estimated])
    heard_offsets = _microseconds([e.offset for e in estimated])
    collar, smallest = _microseconds([onset_collar, offset_collar])
    first = np.searchsorted(heard_onsets, onsets - collar, side="left")
    n_candidates = np.searchsorted(heard_onsets, onsets + collar, side="right") - first
    rows = np.repeat(np.arange(len(onsets)), n_candidates)
    nth_candidate = np.arange(len(rows)) - np.repeat(np.cumsum(n_candidates) - n_candidates, n_candidates)
    columns = first[rows] + nth_candidate
    allowed = np.maximum(smallest, np.rint(offset_collar_ratio * (offsets - onsets)).astype(np.int64))
    near = np.abs(offsets[rows] - heard_offsets[columns]) <= allowed[rows]
    return rows[near], columns[near]


def match(rows: Indices, columns: Indices, shape: tuple[int, int]) -> Indices:
    """A largest set of pairs in which no row and no column occurs twice: shape (n_rows,), the column or -1."""
    if not len(rows):
        return np.full(shape[0], -1, dtype=np.int64)
    pairs = csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=shape)
    return np.asarray(maximum_bipartite_matching(pairs, perm_type="column"), dtype=np.int64)


def _substitutions(
    rows: Indices, columns: Indices, free_reference: NDArray[np.bool_], free_estimated: NDArray[np.bool_]
) -> int:
    free = free_reference[rows] & free_estimated[columns]
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    for row, column in zip(rows[free].tolist(), columns[free].tolist(), strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
    return len(taken_rows)


def _columns(events: Sequence[Event], labels: Sequence[str]) -> Indices:
    column = {label: index for index, label in enumerate(labels)}
    for event in events:
        if event.label not in column:
            raise ValueError(f"label {event.label!r} is none of {', '.join(labels)}")
    return np.array([column[event.label] for event in events], dtype=np.int64)


def _by_label(label_indices: Indices, labels: Sequence[str]) -> Indices:
    return np.bincount(label_indices, minlength=len(labels)).astype(np.int64)


def _microseconds(seconds: Sequence[float]) -> Indices:
    return np.rint(np.asarray(seconds, dtype=np.float64) * 1e6).astype(np.int64)
