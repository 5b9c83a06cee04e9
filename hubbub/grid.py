"""The one place where seconds, samples and frames are converted into each other.

Frame t of a grid covers the samples [t * hop, (t + 1) * hop); a table of T frames has T + 1 edges, the last one cut
where the recording ends. Times are seconds in float64. Integers come first: a grid is a sample rate and a hop, never a
rounded period.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIME_TOLERANCE = 1e-6
"""Seconds. Label files carry six decimals: an edge closer than this to a frame's edge is on it."""


@dataclass(frozen=True)
class Grid:
    """Frames of `hop` samples at `sample_rate` samples per second.

    Raises `ValueError` where either is not a positive integer.
    """

    sample_rate: int
    hop: int

    def __post_init__(self) -> None:
        for name, value in (("sample_rate", self.sample_rate), ("hop", self.hop)):
            if int(value) != value or value <= 0:
                raise ValueError(f"{name} is {value!r}; wanted a positive whole number")

    @property
    def period(self) -> float:
        """Seconds per frame."""
        return self.hop / self.sample_rate

    def n_frames(self, n_samples: int) -> int:
        """Frames that hold `n_samples`; the last one may be cut."""
        return -(-n_samples // self.hop)

    def n_frames_of(self, duration: float) -> int:
        """Frames that hold `duration` seconds."""
        return max(0, int(np.ceil((duration - TIME_TOLERANCE) * self.sample_rate / self.hop)))

    def edges(self, n_samples: int) -> NDArray[np.float64]:
        """Seconds, shape (n_frames + 1,): where each frame begins, and last where the recording ends."""
        samples = np.arange(self.n_frames(n_samples) + 1, dtype=np.int64) * self.hop
        return np.minimum(samples, n_samples) / self.sample_rate

    def edges_of(self, n_frames: int) -> NDArray[np.float64]:
        """Seconds, shape (n_frames + 1,): the edges of whole frames."""
        return np.arange(n_frames + 1, dtype=np.int64) * self.hop / self.sample_rate

    def seconds(self, frame: int) -> float:
        """Where `frame` begins."""
        return frame * self.hop / self.sample_rate

    def frames_in(self, seconds: float) -> int:
        """The whole number of frames nearest to a length of `seconds`, for filters and gaps."""
        return round(seconds * self.sample_rate / self.hop)

    def span(self, onset: float, offset: float) -> tuple[int, int]:
        """Frames [first, last) that the event [onset, offset) overlaps at all; an instant takes its own frame."""
        first = int(np.floor((onset + TIME_TOLERANCE) * self.sample_rate / self.hop))
        last = int(np.ceil((offset - TIME_TOLERANCE) * self.sample_rate / self.hop))
        return first, max(last, first + 1)


COMPARISON_GRID = Grid(sample_rate=100, hop=1)
"""10 ms: the grid on which systems with different hops are compared."""


def receptive_field(kernels: Sequence[int], dilations: Sequence[int]) -> int:
    """Frames that one output of stacked stride-1 convolutions sees: 1 + sum((kernel - 1) * dilation)."""
    return 1 + sum((kernel - 1) * dilation for kernel, dilation in zip(kernels, dilations, strict=True))
