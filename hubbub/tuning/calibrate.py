"""Calibrations fitted on validation recordings, label by label."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize_scalar

from hubbub.calibration import Calibration
from hubbub.errors import ConfigError
from hubbub.tuning.validation import Validation

Kind = Literal["none", "temperature", "isotonic"]
KINDS: tuple[Kind, ...] = ("none", "temperature", "isotonic")
TEMPERATURES = (0.05, 20.0)
"""The range that is looked through."""
SMALLEST = 1e-7
"""A probability closer than this to 0 or 1 is taken for this far: one frame is not to decide."""
MOST_KNOTS = 50


def calibrate(validation: Validation, kind: Kind) -> dict[str, Calibration]:
    """A calibration by label. A label that never sounds in these recordings, or always, is left as it is.

    `temperature` has one number to fit and is hard to overfit; `isotonic` follows any shape and wants many events.
    Raises `ConfigError` for another kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"calibration {kind!r} is none of {', '.join(KINDS)}")
    if kind == "none":
        return {}
    fit = _temperature if kind == "temperature" else _isotonic
    return {
        label: fit(validation.stacked[:, index].astype(np.float64), validation.targets[:, index])
        for index, label in enumerate(validation.labels)
        if 0 < validation.targets[:, index].mean() < 1
    }


def _temperature(given: NDArray[np.float64], targets: NDArray[np.bool_]) -> Calibration:
    """The temperature at which the frames' labels are most likely."""
    inner = np.clip(given, SMALLEST, 1 - SMALLEST)
    logits = np.log(inner) - np.log1p(-inner)
    signed = np.where(targets, -logits, logits)

    def surprise(log_temperature: float) -> float:
        return float(np.logaddexp(0, signed * np.exp(-log_temperature)).mean())

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(surprise, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return Calibration(temperature=round(float(np.exp(found.x)), 4))


def _isotonic(given: NDArray[np.float64], targets: NDArray[np.bool_]) -> Calibration:
    """The rising map with the least squared error, by pooling adjacent violators, as lines between few knots.

    One more frame at 0 that is off and one at 1 that is on keep the ends apart, so that the highest probabilities of
    these recordings are not taken for certainty.
    """
    order = np.argsort(given, kind="stable")
    given = np.concatenate([[0.0], given[order], [1.0]])
    wanted = np.concatenate([[0.0], targets[order].astype(np.float64), [1.0]])
    values, first, weights = np.unique(given, return_index=True, return_counts=True)
    means = np.add.reduceat(wanted, first) / weights
    pooled = isotonic_regression(means, weights=weights)
    starts = pooled.blocks[:-1]
    mass = np.add.reduceat(weights, starts)
    centres = np.add.reduceat(values * weights, starts) / mass
    heights = pooled.x[starts]
    if len(centres) > MOST_KNOTS:
        kept = np.unique(np.round(np.linspace(0, len(centres) - 1, MOST_KNOTS)).astype(int))
        centres, heights = centres[kept], heights[kept]
    inside = (centres > 0) & (centres < 1)
    low, high = np.interp([0.0, 1.0], centres, heights)
    knots = [(0.0, low), *zip(centres[inside], heights[inside], strict=True), (1.0, high)]
    return Calibration(knots=tuple((float(x), round(float(y), 6)) for x, y in knots))
