"""The systems that do not listen. A score means something only beside theirs.

Each answers with a table of events, so that it is scored by the same code as any other system.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hubbub.events import Event, EventTable
from hubbub.grid import COMPARISON_GRID, Grid
from hubbub.metrics import frame
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import recordings


def always_silent(durations: Mapping[str, float]) -> EventTable:
    """No event in any recording."""
    return {name: [] for name in durations}


def always_on(durations: Mapping[str, float], labels: Sequence[str]) -> EventTable:
    """Every one of `labels` over the whole of every recording; durations in seconds."""
    return {
        name: [Event(0.0, duration, label) for label in labels] if duration > 0 else []
        for name, duration in durations.items()
    }


def prior(
    durations: Mapping[str, float],
    labels: Sequence[str],
    prior_reference: EventTable,
    prior_durations: Mapping[str, float],
    grid: Grid = COMPARISON_GRID,
) -> EventTable:
    """The best constant answer: the labels of `prior_labels`, over the whole of every recording in `durations`."""
    return always_on(durations, prior_labels(labels, prior_reference, prior_durations, grid))


def prior_labels(
    labels: Sequence[str],
    prior_reference: EventTable,
    prior_durations: Mapping[str, float],
    grid: Grid = COMPARISON_GRID,
) -> tuple[str, ...]:
    """The `labels` to leave on for good, judged on training or validation labels; the most active one first.

    Labels are ranked by how many frames they are active in, and the k first are taken, with the k that maximises the
    frame-wise micro F1 on `prior_reference` (ties: the smaller k); none where none of them is ever active. For every k
    the k most active labels have the largest F1, so this is the best of all constant answers. Labels that are not in
    `labels` are left out. Durations in seconds; `prior_durations` names every recording of `prior_reference`.
    """
    wanted = set(labels)
    known = {name: [event for event in events if event.label in wanted] for name, events in prior_reference.items()}
    total = Counts.zero(labels)
    for recording in recordings(known, {}, prior_durations, labels):
        total += frame.counts(recording, labels, grid)
    active = np.array(total.n_reference, dtype=np.float64)
    if not active.sum():
        return ()
    ranked = np.argsort(-active, kind="stable")
    n_labels_on = np.arange(1, len(labels) + 1)
    f1 = 2 * np.cumsum(active[ranked]) / (n_labels_on * total.n_slots + active.sum())
    return tuple(labels[index] for index in ranked[: int(np.argmax(f1)) + 1])
