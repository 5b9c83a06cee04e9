"""What every rule would give for a label, counted: frames found on mixtures, and false alarms on other recordings.

Of strict rules some happen to raise no alarm, and of thousands those are the ones that look best; so beside the alarms
that a rule raises stand those to be expected of it, by what laxer ones raise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.decode import LabelRule, median_filter
from hubbub.events import runs, to_targets
from hubbub.grid import Grid
from hubbub.tuning.rules import SILENT

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
STEP = 0.25
THRESHOLDS = tuple(float(1 / (1 + np.exp(-each))) for each in np.arange(-2.5, 7.01, STEP))
"""By a quarter of a logit."""
TAIL, REACH = 0.7, 12
"""Alarms are expected to fall by e to the power of `TAIL` a logit of the threshold; so many steps back are looked at.
With slopes of 0.5 to 1.2 F1 was 0.453 to 0.469 at five alarms elsewhere, on the second group."""
BRIEF = ("cat_meowing", "dog_barking", "door_knock", "glass_smash")
MOST_BRIEF = 1.0
"""Seconds. In mixtures brief sounds are repeated, and the best rule for those would wait for several; but one bark is a
bark, so what is asked of these labels is no more than this."""
SILENCE = 5.0
"""Seconds between two recordings."""

Heard = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Table:
    """Of one label, each of shape (n_rules,): frames `right`, of those that are `on`, and by part of the recordings how
    many false alarms there are in all of them, and are to be `expected`. `hours`: of each part, whether the label is
    heard there or not."""

    rules: list[LabelRule]
    right: NDArray[np.float64]
    on: NDArray[np.float64]
    alarms: dict[str, NDArray[np.float64]]
    expected: dict[str, NDArray[np.float64]]
    n_true: int
    hours: dict[str, float]


def tried(
    wanted: Sequence[str],
    labels: Sequence[str],
    grid: Grid,
    mixtures: Sequence[AnnotatedRecording],
    heard: Heard,
    without: Sequence[AnnotatedRecording],
    heard_without: Heard,
    rules: Mapping[str, LabelRule] | None = None,
) -> list[Table]:
    """What every rule would give, or the one of `rules`, a table for each label that is `wanted`; what was heard has a
    column a label."""
    hours = hours_of(without)
    tables = []
    for label in wanted:
        line, targets = _line(label, labels.index(label), grid, mixtures, heard)
        free = [each for each in without if all(event.label != label for event in each.events)]
        silent, _ = _line(label, labels.index(label), grid, free, heard_without)
        ends = np.cumsum([grid.n_frames_of(SILENCE) + len(heard_without[each.name]) for each in free])
        ladders = _ladders(label, grid) if rules is None else [[rules[label]]]
        tables.append(_tried(ladders, grid, line, targets, silent, ends, [part_of(each) for each in free], hours))
    return tables


def part_of(recording: AnnotatedRecording) -> str:
    """What it was filed under and its collection, which its name begins with: `label/source`."""
    return recording.name.split("__")[0]


def hours_of(recordings: Sequence[AnnotatedRecording]) -> dict[str, float]:
    """Hours by part."""
    hours: dict[str, float] = {}
    for each in recordings:
        hours[part_of(each)] = hours.get(part_of(each), 0.0) + each.duration / 3600
    return dict(sorted(hours.items()))


def _ladders(label: str, grid: Grid) -> list[list[LabelRule]]:
    """All rules for a label, in lists of those of one shape, whose thresholds rise."""
    longest = MOST_BRIEF if label in BRIEF else np.inf
    shapes = [s for s in SHAPES if s.shortest_event <= longest and s.median * grid.period <= longest]
    return [
        [replace(shape, threshold=threshold, low_threshold=threshold * ratio) for threshold in THRESHOLDS]
        for shape in shapes
        for ratio in LOW_RATIOS
    ]


def _tried(
    ladders: Sequence[Sequence[LabelRule]],
    grid: Grid,
    line: NDArray[np.float64],
    targets: NDArray[np.bool_],
    silent: NDArray[np.float64],
    ends: NDArray[np.int64],
    parts: Sequence[str],
    hours: dict[str, float],
) -> Table:
    """`ends`: where each of the recordings in `silent`, which are of these `parts`, ends."""
    names = list(hours)
    part_at = np.array([names.index(part) for part in parts], np.int64)
    rules, right, on = [SILENT], [0.0], [0.0]
    alarms, expected = [np.zeros((1, len(names)))], [np.zeros((1, len(names)))]
    true_before = np.concatenate(([0], np.cumsum(targets)))
    for median in sorted({ladder[0].median for ladder in ladders}):
        lines = [median_filter(np.pad(values, median // 2), median) for values in (line, silent)]
        for ladder in (each for each in ladders if each[0].median == median):
            counts = []
            for rule in ladder:
                spans, false = (_spans(values, rule, grid) for values in lines)
                rules.append(rule)
                right.append(float((true_before[spans[:, 1]] - true_before[spans[:, 0]]).sum()))
                on.append(float((spans[:, 1] - spans[:, 0]).sum()))
                at = part_at[np.searchsorted(ends, false[:, 0], side="right")]
                counts.append(np.bincount(at, minlength=len(names)).astype(float))
            alarms.append(np.array(counts))
            expected.append(expected_of(alarms[-1]))
    raised, to_expect = (dict(zip(names, np.concatenate(each).T, strict=True)) for each in (alarms, expected))
    return Table(rules, np.array(right), np.array(on), raised, to_expect, int(targets.sum()), hours)


def expected_of(alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    """False alarms (n_thresholds, n_parts) at thresholds that rise by `STEP` logits -> those to be expected: the mean
    of what a threshold raises itself and of what is foretold from each of the `REACH` laxer ones."""
    foretold, count = alarms.copy(), np.ones((len(alarms), 1))
    for steps in range(1, min(REACH, len(alarms) - 1) + 1):
        foretold[steps:] += alarms[:-steps] * np.exp(-TAIL * STEP * steps)
        count[steps:] += 1
    return foretold / count


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
