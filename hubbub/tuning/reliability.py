"""Do probabilities mean what they say: of the frames that are given 0.8, how many hold the label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """By bin of probabilities: how many frame × label cells, the mean of what was given, the share that is true.

    Arrays of shape (n_bins,); empty bins are left out. `error` is the expected calibration error, the mean distance of
    the two weighted by cells (Guo et al., "On calibration of modern neural networks", 2017).
    """

    n_cells: NDArray[np.int64]
    given: NDArray[np.float64]
    true: NDArray[np.float64]

    @property
    def error(self) -> float:
        """0 where every bin is right, at most 1."""
        n_cells = int(self.n_cells.sum())
        return float((self.n_cells * np.abs(self.given - self.true)).sum() / n_cells) if n_cells else 0.0


def reliability(probabilities: NDArray[np.floating], targets: NDArray[np.bool_], n_bins: int = N_BINS) -> Reliability:
    """Probabilities and targets of any one shape, in bins of equal width."""
    given = np.asarray(probabilities, dtype=np.float64).ravel()
    bins = np.minimum((given * n_bins).astype(np.int64), n_bins - 1)
    n_cells = np.bincount(bins, minlength=n_bins)
    there = n_cells > 0
    sums = np.bincount(bins, given, n_bins)[there], np.bincount(bins, targets.ravel(), n_bins)[there]
    return Reliability(n_cells[there], sums[0] / n_cells[there], sums[1] / n_cells[there])
