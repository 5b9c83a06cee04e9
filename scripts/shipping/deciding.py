"""Which labels and at what thresholds: decided on the second group of sources, never on the third.

Every label's rule is sought together with the others': of all rules those with the best micro-averaged frame F1 on
mixtures whose false alarms, in an hour without any label, keep to a budget in all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.decode import LabelRule, median_filter
from hubbub.detector import Detector
from hubbub.events import runs, to_targets
from hubbub.grid import Grid
from hubbub.tuning.rules import SILENT

BUDGET = 5.0
"""False alarms of all labels together in an hour to choose on. The rules are the best of thousands there, so in other
recordings there are more."""
SHAPES = tuple(
    LabelRule(median=median, shortest_event=shortest, shortest_gap=gap)
    for median, shortest, gap in (
        (1, 0.0, 0.1), (5, 0.1, 0.5), (11, 0.3, 0.3), (11, 0.5, 1.0), (25, 0.5, 0.5), (25, 1.0, 1.0), (51, 0.5, 0.5),
        (51, 1.5, 1.0), (51, 2.0, 2.0), (101, 2.0, 1.0), (101, 3.0, 2.0),
    )
)  # fmt: skip
"""From those for a bark to those for rain: what lasts is told from what does not by how long it lasts."""
LOW_RATIOS = (1.0, 0.6, 0.3)
"""An event goes on as long as its label has this part of what it began at: to begin is what makes a false alarm."""
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)
BRIEF = ("dog_barking", "door_knock", "glass_smash")
MOST_BRIEF = 1.0
"""Seconds. In mixtures brief sounds are repeated, and the best rule for those would wait for several; but one bark is a
bark, so what is asked of these labels is no more than this. Of shots no such rule was calm enough: the one that is
found wants several, or a long one, and the card says so."""
SILENCE = 5.0
"""Seconds between two recordings."""
HALVINGS = 24
ROUNDS = 20
"""Until the best rules do not change any more; three or four are enough."""

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


def tried(
    wanted: Sequence[str],
    labels: Sequence[str],
    grid: Grid,
    mixtures: Sequence[AnnotatedRecording],
    heard: Heard,
    without: Sequence[AnnotatedRecording],
    heard_without: Heard,
) -> "list[Table]":
    """What every rule would give, a table for each label that is `wanted`; what was heard has a column a label."""
    kinds = sorted({kind_of(each) for each in without})
    hours = {kind: sum(each.duration for each in without if kind_of(each) == kind) / 3600 for kind in kinds}
    tables = []
    for label in wanted:
        line, targets = _line(label, labels.index(label), grid, mixtures, heard)
        free = [each for each in without if all(event.label != label for event in each.events)]
        silent, _ = _line(label, labels.index(label), grid, free, heard_without)
        ends = np.cumsum([grid.n_frames_of(SILENCE) + len(heard_without[each.name]) for each in free])
        tables.append(_tried(label, grid, line, targets, silent, ends, [kind_of(each) for each in free], hours))
    return tables


def kind_of(recording: AnnotatedRecording) -> str:
    """What it was filed under, which its name begins with."""
    return recording.name.split("/")[0]


def chosen(labels: Sequence[str], tables: "Sequence[Table]", budget: float, under: Sequence[str]) -> Choice:
    """Of what was tried the best that keeps to the budget of false alarms an hour. Recordings of the `labels` are no
    part of that hour, but for those of labels that lie `under` others most of the time."""
    played = _played(labels, tables, under)
    hours, alarms = _alarms(tables, played)
    n_true = sum(table.n_true for table in tables)
    best = _best(tables, alarms, n_true, int(budget * hours + 1e-9), hours)
    right = [table.right[k] for table, k in zip(tables, best, strict=True)]
    on = [table.on[k] for table, k in zip(tables, best, strict=True)]
    each = {
        label: 2 * r / max(1, o + table.n_true) for label, r, o, table in zip(labels, right, on, tables, strict=True)
    }
    return Choice(
        {label: table.rules[k] for label, table, k in zip(labels, tables, best, strict=True)},
        {label: float(value) for label, value in each.items()},
        _micro_f1(tables, best),
        {label: float(each[k]) for label, each, k in zip(labels, alarms, best, strict=True)},
    )


def carried_over(
    labels: Sequence[str], tables: "Sequence[Table]", budget: float, under: Sequence[str], seed: int = 0
) -> dict[str, float]:
    """How rules do on kinds of sounds that they were not chosen on: of the kinds, halved at random `HALVINGS` times,
    either half allows `budget` false alarms an hour, and the other one counts those that there are. Means: `f1` on the
    mixtures, which are the same, and false alarms an hour `here` and in the `other` half."""
    played = _played(labels, tables, under)
    rng = np.random.default_rng(seed)
    n_true = sum(table.n_true for table in tables)
    found = []
    for _ in range(HALVINGS):
        first = rng.random(len(played)) < 0.5
        for half in (first, ~first):
            hours, alarms = _alarms(tables, [kind for kind, taken in zip(played, half, strict=True) if taken])
            _, others = _alarms(tables, [kind for kind, taken in zip(played, half, strict=True) if not taken])
            best = _best(tables, alarms, n_true, int(budget * hours + 1e-9), hours)
            raised = [sum(each[k] for each, k in zip(side, best, strict=True)) for side in (alarms, others)]
            found.append((_micro_f1(tables, best), *raised))
    f1, here, other = np.mean(found, axis=0)
    return {"f1": float(f1), "here": float(here), "other": float(other)}


def _micro_f1(tables: "Sequence[Table]", rules: Sequence[int]) -> float:
    """Frame F1 of all labels together, each under the rule of its number."""
    right = sum(table.right[k] for table, k in zip(tables, rules, strict=True))
    on = sum(table.on[k] for table, k in zip(tables, rules, strict=True))
    return float(2 * right / max(1.0, on + sum(table.n_true for table in tables)))


def _played(labels: Sequence[str], tables: "Sequence[Table]", under: Sequence[str]) -> list[str]:
    return [kind for kind in tables[0].hours if kind not in labels or kind in under]


def _alarms(tables: "Sequence[Table]", kinds: Sequence[str]) -> tuple[float, list[NDArray[np.float64]]]:
    """Hours of recordings of some kinds, and of each label and rule the false alarms an hour in them."""
    hours = sum(tables[0].hours[kind] for kind in kinds)
    return hours, [np.sum([table.alarms[kind] for kind in kinds], axis=0) / hours for table in tables]


@dataclass(frozen=True)
class Table:
    """Of one label, each of shape (n_rules,): frames `right`, of those that are `on`, and by kind of recording how many
    false alarms there are in all of its recordings. `hours`: of each kind, whether the label is heard there or not."""

    rules: list[LabelRule]
    right: NDArray[np.float64]
    on: NDArray[np.float64]
    alarms: dict[str, NDArray[np.float64]]
    n_true: int
    hours: dict[str, float]


def _tried(
    label: str,
    grid: Grid,
    line: NDArray[np.float64],
    targets: NDArray[np.bool_],
    silent: NDArray[np.float64],
    ends: NDArray[np.int64],
    kinds: Sequence[str],
    hours: dict[str, float],
) -> Table:
    """`ends`: where each of the recordings in `silent`, which are of these `kinds`, ends."""
    names = list(hours)
    kind_at = np.array([names.index(kind) for kind in kinds], np.int64)
    rules, right, on, alarms = [SILENT], [0.0], [0.0], [np.zeros(len(names))]
    longest = MOST_BRIEF if label in BRIEF else np.inf
    shapes = [s for s in SHAPES if s.shortest_event <= longest and s.median * grid.period <= longest]
    true_before = np.concatenate(([0], np.cumsum(targets)))
    for median in sorted({shape.median for shape in shapes}):
        lines = [median_filter(np.pad(values, median // 2), median) for values in (line, silent)]
        for shape in shapes:
            for ratio in LOW_RATIOS if shape.median == median else ():
                for threshold in THRESHOLDS:
                    rule = replace(shape, threshold=threshold, low_threshold=threshold * ratio)
                    spans, false = (_spans(values, rule, grid) for values in lines)
                    rules.append(rule)
                    right.append(float((true_before[spans[:, 1]] - true_before[spans[:, 0]]).sum()))
                    on.append(float((spans[:, 1] - spans[:, 0]).sum()))
                    at = kind_at[np.searchsorted(ends, false[:, 0], side="right")]
                    alarms.append(np.bincount(at, minlength=len(names)).astype(float))
    by_kind = dict(zip(names, np.array(alarms).T, strict=True))
    return Table(rules, np.array(right), np.array(on), by_kind, int(targets.sum()), hours)


def _spans(values: NDArray[np.float64], rule: LabelRule, grid: Grid) -> NDArray[np.int64]:
    """Where `decode` puts events in filtered probabilities, frames of shape (n_events, 2): thousands of rules are
    tried, and this makes no `Event` of each."""
    low = runs(values >= rule.low_threshold)
    high = np.append(np.flatnonzero(values >= rule.threshold), len(values))
    first = high[np.searchsorted(high, low[:, 0])]  # an event begins where the threshold is reached
    begun = first < low[:, 1]
    first, last = first[begun], low[begun, 1]
    if not len(first):
        return np.empty((0, 2), np.int64)
    apart = first[1:] - last[:-1] >= max(1, grid.frames_in(rule.shortest_gap))
    spans: NDArray[np.int64] = np.stack([first[np.append(True, apart)], last[np.append(apart, True)]], axis=1)
    long_enough = spans[:, 1] - spans[:, 0] >= grid.frames_in(rule.shortest_event)
    kept: NDArray[np.int64] = spans[long_enough]
    return kept


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


def _best(
    tables: Sequence[Table], alarms: Sequence[NDArray[np.float64]], n_true: int, room: int, hours: float
) -> list[int]:
    """The rules with the best micro F1 of all those that raise no more than `room` false alarms together; `alarms` are
    those an hour, by label and rule.

    F1 is a ratio, 2 right / (on + true). By Dinkelbach (1967, "On nonlinear fractional programming") the best ratio is
    the f at which the best 2 right - f (on + true) is 0; that is a sum over labels, so with the false alarms as whole
    numbers it is a knapsack, solved label by label.
    """
    f1, best = 0.0, [0] * len(tables)
    for _ in range(ROUNDS):
        # by false alarms spent so far: the best sum, and the rules that give it
        reached: list[tuple[float, list[int]]] = [(0.0, [])] * (room + 1)
        for table, each in zip(tables, alarms, strict=True):
            value = 2 * table.right - f1 * table.on
            spent = np.round(each * hours).astype(int)
            most = [int(np.argmax(np.where(spent <= k, value, -np.inf))) for k in range(room + 1)]
            reached = [
                max((reached[k - j][0] + value[most[j]], [*reached[k - j][1], most[j]]) for j in range(k + 1))
                for k in range(room + 1)
            ]
        best = reached[room][1]
        before, f1 = f1, _micro_f1(tables, best)
        if f1 <= before + 1e-9:
            break
    return best
