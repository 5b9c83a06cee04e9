"""The decision rule of each label, tuned on validation recordings and on nothing else.

For the best F1: first the thresholds with the best micro-averaged frame F1, then, label by label, the median filter and
shortest lengths with the best events. Micro-averaged, because a label's own F1 has a trap: of a label that is hardly
recognised, the best F1 is that of leaving it on. Together with the others it is better left off.

For a budget: label by label, whatever finds the most events and keeps to it (`hubbub.tuning.budget`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hubbub.decode import LabelRule
from hubbub.metrics import event, frame
from hubbub.tuning.aim import Aim
from hubbub.tuning.budget import Line, within
from hubbub.tuning.validation import Validation

THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.025), 3)
FREEDOM = 2.0
SWEEPS = 3
LOW_RATIOS = (1.0, 0.5)
"""The low threshold over the threshold: without hysteresis, and with it."""
SHAPES = tuple(
    LabelRule(median=median, shortest_event=shortest, shortest_gap=shortest)
    for median in (1, 5, 11)
    for shortest in (0.0, 0.1, 0.3)
)
"""What is tried for each label."""
SILENT = LabelRule(1.0, 1.0, shortest_event=1e6)
"""A saturated network reaches any threshold, so its events must also be longer than any recording."""
BEST_F1 = Aim()


@dataclass(frozen=True)
class Tuned:
    """A rule for each label, in their order, and sentences on what could not be had."""

    rules: list[LabelRule]
    notes: tuple[str, ...] = ()


def tune(validation: Validation, aim: Aim = BEST_F1, progress: Callable[[int, int], None] | None = None) -> Tuned:
    """The rules that do best by `aim`. A label that never sounds in these recordings has the default rule, 0.5; where
    the aim is a budget of false alarms, the lowest threshold that keeps to it."""
    notes = []
    if aim.false_alarms_per_hour is not None and aim.false_alarms_per_hour * validation.hours < 1:
        notes.append(
            f"{validation.hours:.2g} hours of validation cannot tell {aim.false_alarms_per_hour:g} false alarms per "
            "hour from none: no label was allowed any; more recordings say more"
        )
    sounds = np.any(validation.targets, axis=0, keepdims=True)[0]
    thresholds = best_thresholds(validation.stacked, validation.targets)
    rules = []
    for index, label in enumerate(validation.labels):
        if aim.false_alarms_per_hour is not None or (aim.limited and sounds[index]):
            found = within(validation, index, aim, SHAPES, LOW_RATIOS)
            rules.append(SILENT if found is None else found[0])
            if found is None:
                notes.append(f"{label}: no threshold finds any of its events with {aim}; it stays silent")
        else:
            rules.append(_shape(validation, index, thresholds[index]) if sounds[index] else LabelRule())
        if progress is not None:
            progress(index + 1, len(validation.labels))
    return Tuned(rules, tuple(notes))


def best_thresholds(probabilities: NDArray[np.floating], targets: NDArray[np.bool_]) -> list[float]:
    """A threshold for each label, out of `THRESHOLDS`, for the best micro-averaged F1 over frames.

    Both are (n_frames, n_labels). Begins with the best threshold for all labels, then moves one label's at a time, by a
    factor of `FREEDOM` at most: validation recordings are few, and a threshold that only they ask for is not to be had.
    """
    columns = [_counts(probabilities[:, k], targets[:, k]) for k in range(targets.shape[1])]
    true_positive = np.array([column[0] for column in columns])  # (n_labels, n_thresholds)
    positive = np.array([column[1] for column in columns])
    n_true = int(targets.sum())
    f1 = 2 * true_positive.sum(0) / np.maximum(positive.sum(0) + n_true, 1)
    common = int(np.argmax(f1))
    chosen = np.full(len(columns), common)
    free = (THRESHOLDS[common] / FREEDOM <= THRESHOLDS) & (THRESHOLDS[common] * FREEDOM >= THRESHOLDS)
    for _ in range(SWEEPS):
        for k in range(len(columns)):
            others = np.arange(len(columns)) != k
            others_true = true_positive[others, chosen[others]].sum()
            others_positive = positive[others, chosen[others]].sum()
            f1 = 2 * (others_true + true_positive[k]) / np.maximum(others_positive + positive[k] + n_true, 1)
            best = np.flatnonzero(free & (f1 >= f1[free].max() - 1e-12))
            chosen[k] = best[len(best) // 2]  # the middle one of a tie
    return [float(THRESHOLDS[index]) for index in chosen]


def _counts(
    probabilities: NDArray[np.floating], targets: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames rightly on and frames on, at each of `THRESHOLDS`."""
    below = np.searchsorted(np.sort(probabilities[targets]), THRESHOLDS, side="left")
    below_all = np.searchsorted(np.sort(probabilities), THRESHOLDS, side="left")
    return int(targets.sum()) - below, len(probabilities) - below_all


def _shape(validation: Validation, index: int, threshold: float) -> LabelRule:
    """The rule at `threshold` whose events match best; of equals the one that changes the probabilities least."""
    line, labels = Line.of(validation, index), [validation.labels[index]]
    filtered = {length: line.filtered(length) for length in {shape.median for shape in SHAPES}}
    best, best_score = LabelRule(threshold, threshold), -1.0
    for shape in SHAPES:
        for ratio in LOW_RATIOS:
            rule = replace(shape, threshold=threshold, low_threshold=threshold * ratio)
            recording = filtered[shape.median].decided(rule)
            # frames keep it honest: a rule that joins everything would gain few events and lose many frames
            score = event.counts(recording, labels).micro_f1 + frame.counts(recording, labels).micro_f1
            if score > best_score + 1e-9:
                best, best_score = rule, score
    return best
