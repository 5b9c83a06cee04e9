"""What each threshold would give, label by label, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = np.round(np.linspace(0.01, 0.99, 99), 2)


@dataclass(frozen=True)
class ThresholdCurves:
    """Frame-wise scores, (n_labels, n_thresholds); 0 where nothing is estimated or the reference is empty."""

    labels: tuple[str, ...]
    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]


def threshold_curves(
    probabilities: NDArray[np.floating],
    targets: NDArray[np.bool_],
    labels: Sequence[str],
    thresholds: NDArray[np.float64] = THRESHOLDS,
) -> ThresholdCurves:
    """Of probabilities and targets, (n_frames, n_labels); without median filter, hysteresis or shortest lengths."""
    n_labels = len(labels)
    hits, active = np.zeros((2, n_labels, len(thresholds)))
    for index in range(n_labels):
        column, wanted = np.sort(probabilities[:, index]), np.sort(probabilities[targets[:, index], index])
        active[index] = len(column) - np.searchsorted(column, thresholds, side="left")
        hits[index] = len(wanted) - np.searchsorted(wanted, thresholds, side="left")
    true = targets.sum(0)[:, None]
    return ThresholdCurves(
        tuple(labels),
        thresholds,
        hits / np.maximum(active, 1),
        hits / np.maximum(true, 1),
        2 * hits / np.maximum(active + true, 1),
    )
