"""Which labels and at what thresholds: decided on the second group of sources, never on the third.

Every label's rule is sought together with the others': of all rules those with the best micro-averaged frame F1 on
mixtures whose false alarms, in an hour without any label, keep to a budget in all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.decode import LabelRule, decode, median_filter
from hubbub.detector import Detector
from hubbub.events import Event, to_targets
from hubbub.grid import Grid
from hubbub.tuning.rules import SILENT

BUDGET = 2.0
"""False alarms of all labels together in the hour to choose on: a third of what the hour to report on may have."""
SHAPES = tuple(
    LabelRule(median=median, shortest_event=shortest, shortest_gap=gap)
    for median, shortest, gap in (
        (1, 0.0, 0.0), (5, 0.1, 0.1), (5, 0.1, 0.5), (11, 0.3, 0.3), (11, 0.3, 1.0), (11, 1.0, 1.0), (11, 1.5, 0.5),
    )
)  # fmt: skip
LOW_RATIOS = (1.0, 0.5)
THRESHOLDS = (*np.round(np.arange(0.1, 0.96, 0.05), 2).tolist(), 0.97, 0.98, 0.99)
PRICES = np.geomspace(1e-5, 1.0, 60)
"""Of a false alarm in F1; the lowest that keeps to the budget is taken."""
SILENCE = 5.0
"""Seconds between two recordings."""
SWEEPS = 4

Heard = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Choice:
    """A rule for each label; frame F1 of each on the mixtures, of all together, and false alarms an hour by label."""

    rules: dict[str, LabelRule]
    f1: dict[str, float]
    micro_f1: float
    false_alarms: dict[str, float]


def listen(detector: Detector, recordings: Sequence[AnnotatedRecording]) -> dict[str, NDArray[np.floating]]:
    """Probabilities (n_frames, n_labels) by recording."""
    return {each.name: detector.probabilities(each.path).values for each in recordings}


def decide(
    labels: Sequence[str],
    grid: Grid,
    mixtures: Sequence[AnnotatedRecording],
    heard: Heard,
    without: Sequence[AnnotatedRecording],
    heard_without: Heard,
    budget: float = BUDGET,
) -> Choice:
    """The rules. `without`: recordings in which none of the labels is to be heard."""
    return chosen(labels, tried(labels, grid, mixtures, heard, without, heard_without), budget)


def tried(
    labels: Sequence[str],
    grid: Grid,
    mixtures: Sequence[AnnotatedRecording],
    heard: Heard,
    without: Sequence[AnnotatedRecording],
    heard_without: Heard,
) -> "list[Table]":
    """What every rule would give, a table a label."""
    hours = sum(each.duration for each in without) / 3600
    tables = []
    for index, label in enumerate(labels):
        line, targets = _line(label, index, grid, mixtures, heard)
        silent, _ = _line(label, index, grid, without, heard_without)
        tables.append(_tried(label, grid, line, targets, silent, hours))
    return tables


def chosen(labels: Sequence[str], tables: "Sequence[Table]", budget: float) -> Choice:
    """Of what was tried the best that keeps to the budget."""
    n_true = sum(table.n_true for table in tables)
    best = [0] * len(tables)
    for price in PRICES:
        best = _best(tables, n_true, price)
        if sum(table.alarms[k] for table, k in zip(tables, best, strict=True)) <= budget:
            break
    right = [table.right[k] for table, k in zip(tables, best, strict=True)]
    on = [table.on[k] for table, k in zip(tables, best, strict=True)]
    each = {
        label: 2 * r / max(1, o + table.n_true) for label, r, o, table in zip(labels, right, on, tables, strict=True)
    }
    return Choice(
        {label: table.rules[k] for label, table, k in zip(labels, tables, best, strict=True)},
        {label: float(value) for label, value in each.items()},
        float(2 * sum(right) / max(1, sum(on) + n_true)),
        {label: float(table.alarms[k]) for label, table, k in zip(labels, tables, best, strict=True)},
    )


@dataclass(frozen=True)
class Table:
    """Of one label, by rule: frames rightly on, frames on, false alarms per hour."""

    rules: list[LabelRule]
    right: NDArray[np.float64]
    on: NDArray[np.float64]
    alarms: NDArray[np.float64]
    n_true: int


def _tried(
    label: str,
    grid: Grid,
    line: NDArray[np.float64],
    targets: NDArray[np.bool_],
    silent: NDArray[np.float64],
    hours: float,
) -> Table:
    rules, right, on, alarms = [SILENT], [0.0], [0.0], [0.0]
    for median in sorted({shape.median for shape in SHAPES}):
        lines = [median_filter(np.pad(values, median // 2), median) for values in (line, silent)]
        for shape in SHAPES:
            for ratio in LOW_RATIOS if shape.median == median else ():
                for threshold in THRESHOLDS:
                    rule = replace(shape, threshold=threshold, low_threshold=threshold * ratio)
                    events, false = (_events(label, grid, values, rule) for values in lines)
                    estimated = to_targets(events, [label], grid, len(targets))[:, 0]
                    rules.append(rule)
                    right.append(float((estimated & targets).sum()))
                    on.append(float(estimated.sum()))
                    alarms.append(len(false) / hours)
    return Table(rules, np.array(right), np.array(on), np.array(alarms), int(targets.sum()))


def _events(label: str, grid: Grid, values: NDArray[np.float64], rule: LabelRule) -> list[Event]:
    return decode(values[:, None], [label], [replace(rule, median=1)], grid, grid.seconds(len(values)))


def _line(
    label: str, index: int, grid: Grid, recordings: Sequence[AnnotatedRecording], heard: Heard
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """All recordings as one, (n_frames,), silence between them, and what it should be."""
    between = grid.n_frames_of(SILENCE)
    values, targets = [], []
    for each in recordings:
        column = heard[each.name][:, index].astype(np.float64)
        events = [event for event in each.events if event.label == label]
        values += [column, np.zeros(between)]
        targets += [to_targets(events, [label], grid, len(column))[:, 0], np.zeros(between, bool)]
    return np.concatenate(values), np.concatenate(targets)


def _best(tables: Sequence[Table], n_true: int, price: float) -> list[int]:
    """The rules with the best F1 less what their false alarms cost, label by label until nothing changes."""
    chosen = [int(np.argmax(2 * t.right / np.maximum(1, t.on + t.n_true) - price * t.alarms)) for t in tables]
    for _ in range(SWEEPS):
        before = list(chosen)
        for k, table in enumerate(tables):
            right = sum(t.right[i] for n, (t, i) in enumerate(zip(tables, chosen, strict=True)) if n != k)
            on = sum(t.on[i] for n, (t, i) in enumerate(zip(tables, chosen, strict=True)) if n != k)
            gain = 2 * (right + table.right) / (on + table.on + n_true) - price * table.alarms
            chosen[k] = int(np.argmax(gain))
        if chosen == before:
            break
    return chosen
