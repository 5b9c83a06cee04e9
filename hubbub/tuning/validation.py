"""What decisions are made on: the probabilities of recordings, and what sounds in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hubbub.calibration import Calibration
from hubbub.events import Event, to_targets
from hubbub.grid import Grid


@dataclass(frozen=True)
class Validation:
    """By recording: `probabilities` (n_frames, n_labels) on `grid`, reference events of the `labels`, seconds."""

    labels: Sequence[str]
    grid: Grid
    probabilities: Mapping[str, NDArray[np.floating]]
    reference: Mapping[str, Sequence[Event]]
    durations: Mapping[str, float]

    @cached_property
    def stacked(self) -> NDArray[np.floating]:
        """The probabilities of all recordings, one after the other, (n_frames, n_labels)."""
        return np.concatenate(list(self.probabilities.values()))

    @cached_property
    def targets(self) -> NDArray[np.bool_]:
        """What `stacked` should say, (n_frames, n_labels)."""
        return np.concatenate(
            [
                to_targets(self.reference.get(name, ()), self.labels, self.grid, len(values))
                for name, values in self.probabilities.items()
            ]
        )

    @property
    def hours(self) -> float:
        """Of audio."""
        return sum(self.durations[name] for name in self.probabilities) / 3600

    def calibrated(self, calibration: Mapping[str, Calibration]) -> "Validation":
        """The same, as a detector with this calibration hears it."""

        def apply(values: NDArray[np.floating]) -> NDArray[np.floating]:
            columns = [
                calibration[label].apply(column) if label in calibration else column
                for label, column in zip(self.labels, values.T, strict=True)
            ]
            return np.stack(columns, axis=1)

        applied = {name: apply(values) for name, values in self.probabilities.items()}
        return Validation(self.labels, self.grid, applied, self.reference, self.durations)
