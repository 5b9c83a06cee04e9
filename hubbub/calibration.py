"""Probabilities made to mean what they say: of the frames that are given 0.8, eight in ten hold the label.

A network's outputs rank frames well and are seldom probabilities: training weighs rare labels, and a network that fits
its training side is too sure elsewhere. A calibration is a rising map of one label's outputs from [0, 1] onto [0, 1],
fitted on validation recordings (`hubbub.tuning.calibrate`) and stored in the detector. It moves the thresholds with the
probabilities and changes no ranking.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import ConfigError

Knot = tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """The map of one label: a temperature, then a line through knots (given, meant); the defaults change nothing.

    The temperature T of Guo et al., "On calibration of modern neural networks", 2017: sigmoid(logit(p) / T); above 1 it
    makes a label less sure. The knots are those of an isotonic regression, straight lines between them.

    Raises `ConfigError` for a temperature that is not positive, or knots that do not rise from (0, …) to (1, …).
    """

    temperature: float = 1.0
    knots: tuple[Knot, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ConfigError(f"calibration: a temperature of {self.temperature}; wanted a positive number")
        given, meant = np.array(self.knots, dtype=np.float64).reshape(-1, 2).T
        if self.knots and not (
            (given[0], given[-1]) == (0, 1)
            and (np.diff(given) > 0).all()
            and (np.diff(meant) >= 0).all()
            and 0 <= meant[0] <= meant[-1] <= 1
        ):
            raise ConfigError("calibration: knots do not rise; wanted (0, …) to (1, …), between 0 and 1")

    @property
    def changes(self) -> bool:
        """Whether any probability comes out other than it went in."""
        return self != Calibration()

    def apply(self, probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
        """Calibrated probabilities, of the same shape; each by itself, so that blocks come out as the whole does."""
        values = np.asarray(probabilities, dtype=np.float64)
        if self.temperature != 1:
            # sigmoid(logit(p) / T) without the logarithm of 0
            on, off = values ** (1 / self.temperature), (1 - values) ** (1 / self.temperature)
            values = on / (on + off)
        if self.knots:
            given, meant = np.array(self.knots).T
            values = np.interp(values, given, meant)
        calibrated: NDArray[np.float32] = values.astype(np.float32)
        return calibrated
