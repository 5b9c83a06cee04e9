"""The decision rule of each label, tuned on validation recordings and on nothing else.

First the threshold with the best frame F1, then the median filter and shortest lengths with the best event F1.
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
    rules = []
    for index, label in enumerate(labels):
        if wanted[:, index].any():
            threshold = best_threshold(stacked[:, index], wanted[:, index])
            rules.append(_shape(label, index, threshold, probabilities, reference, durations, grid))
        else:
            rules.append(LabelRule())
        if progress is not None:
            progress(index + 1, len(labels))
    return rules


def best_threshold(probabilities: NDArray[np.floating], targets: NDArray[np.bool_]) -> float:
    """The threshold of `THRESHOLDS` with the best F1 over frames, both (n_frames,); the middle one of a tie."""
    on_true = np.searchsorted(np.sort(probabilities[targets]), THRESHOLDS, side="left")
    on_all = np.searchsorted(np.sort(probabilities), THRESHOLDS, side="left")
    n_true_positive = int(targets.sum()) - on_true
    n_positive = len(probabilities) - on_all
    f1 = 2 * n_true_positive / np.maximum(n_positive + int(targets.sum()), 1)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(THRESHOLDS[best[len(best) // 2]])


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
