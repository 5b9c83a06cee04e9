"""The decision rule of each label, tuned on validation recordings and on nothing else.

First the thresholds with the best micro-averaged frame F1, then, label by label, the median filter and shortest lengths
with the best events.

Micro-averaged, because a label's own F1 has a trap: of a label that is hardly recognised, the best F1 is that of
leaving it on. Together with the others it is better left off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hubbub.decode import LabelRule, decode
from hubbub.events import Event
from hubbub.grid import Grid
from hubbub.metrics import evaluate

THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.025), 3)
FREEDOM = 2.0
SWEEPS = 3
LOW_RATIO = 0.5
"""The low threshold over the threshold, where a rule has hysteresis."""
SHAPES = tuple(
    LabelRule(median=median, shortest_event=shortest, shortest_gap=shortest)
    for median in (1, 5, 11)
    for shortest in (0.0, 0.1, 0.3)
)
"""What is tried for each label after its threshold was found."""


def tune(
    probabilities: Mapping[str, NDArray[np.float32]],
    reference: Mapping[str, Sequence[Event]],
    targets: Mapping[str, NDArray[np.bool_]],
    durations: Mapping[str, float],
    labels: Sequence[str],
    grid: Grid,
    progress: Callable[[int, int], None] | None = None,
) -> list[LabelRule]:
    """A rule for each label, from validation recordings by name: probabilities and targets (n_frames, n_labels).

    A label that never sounds in them keeps the default rule, 0.5.
    """
    stacked = np.concatenate([probabilities[name] for name in targets])
    wanted = np.concatenate(list(targets.values()))
    thresholds = best_thresholds(stacked, wanted)
    rules = []
    for index, label in enumerate(labels):
        if wanted[:, index].any():
            rules.append(_shape(label, index, thresholds[index], probabilities, reference, durations, grid))
        else:
            rules.append(LabelRule())
        if progress is not None:
            progress(index + 1, len(labels))
    return rules


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


def _shape(
    label: str,
    index: int,
    threshold: float,
    probabilities: Mapping[str, NDArray[np.float32]],
    reference: Mapping[str, Sequence[Event]],
    durations: Mapping[str, float],
    grid: Grid,
) -> LabelRule:
    """The rule at `threshold` whose events match best; of equals the one that changes the probabilities least."""
    only = {name: [event for event in events if event.label == label] for name, events in reference.items()}
    best, best_score = LabelRule(threshold, threshold), -1.0
    for shape in SHAPES:
        for ratio in (1.0, LOW_RATIO):
            rule = replace(shape, threshold=threshold, low_threshold=threshold * ratio)
            found = {
                name: decode(values[:, index : index + 1], [label], [rule], grid, durations[name])
                for name, values in probabilities.items()
            }
            scores = evaluate(only, found, durations, [label])
            # frames keep it honest: a rule that joins everything would gain few events and lose many frames
            score = scores.event.micro_f1 + scores.frame.micro_f1
            if score > best_score + 1e-9:
                best, best_score = rule, score
    return best
