"""The rule of one label that keeps to a budget and finds the most events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hubbub.decode import LabelRule, decode, median_filter
from hubbub.events import Event, covered_share, merge, spans_of
from hubbub.grid import Grid
from hubbub.tuning.aim import Aim
from hubbub.tuning.validation import Validation

HALF = 0.5
"""An event is a false alarm where less than this share of it lies in reference events of its label, and a reference
event is found where rightly raised events cover this share of it; as in intersection-based scores with 0.5 and 0.5.

Merely touching would not do: one event from the beginning to the end touches everything, and would never be false."""
SILENCE = 5.0
"""Seconds between two recordings: more than any filter or gap reaches."""


@dataclass(frozen=True)
class Tally:
    """Of one label over all recordings."""

    n_found: int
    n_false: int
    n_estimated: int


def within(
    validation: Validation, index: int, aim: Aim, shapes: Sequence[LabelRule], low_ratios: Sequence[float]
) -> tuple[LabelRule, Tally] | None:
    """The rule of the label `index` that keeps to the aim and finds the most events; None where no rule finds any.

    For every shape the lowest threshold is looked for by halving: a higher one rarely makes more false alarms. Of
    equals the first shape stays, and of its thresholds the lowest. For a label that never sounds it is the lowest
    threshold of the first shape.
    """
    line = _Line.of(validation, index)
    thresholds = _candidates(line.probabilities)
    filtered = {length: line.filtered(length) for length in {shape.median for shape in shapes}}
    best: tuple[LabelRule, Tally] | None = None
    for shape, ratio in product(shapes, low_ratios):
        rules = [replace(shape, threshold=t, low_threshold=t * ratio) for t in thresholds]
        low, high = 0, len(rules)  # the answer lies in [low, high], high: none of them
        tallies: dict[int, Tally] = {}
        while low < high:
            middle = (low + high) // 2
            tallies[middle] = tally = filtered[shape.median].tally(rules[middle])
            if aim.allows(tally.n_false, tally.n_estimated, validation.hours) and tally.n_estimated:
                high = middle
            elif tally.n_estimated:
                low = middle + 1
            else:
                high = middle  # so high that it finds nothing: lower is no worse
        for chosen, tally in sorted(tallies.items()):
            kept = aim.allows(tally.n_false, tally.n_estimated, validation.hours)
            if kept and (tally.n_found or not line.reference) and (best is None or tally.n_found > best[1].n_found):
                best = rules[chosen], tally
    return best


@dataclass(frozen=True)
class _Line:
    """All recordings as one, with silence between them: probabilities (n_frames,) and reference events of a label."""

    label: str
    grid: Grid
    probabilities: NDArray[np.float64]
    reference: list[Event]

    @classmethod
    def of(cls, validation: Validation, index: int) -> "_Line":
        label, grid = validation.labels[index], validation.grid
        between = np.zeros(grid.n_frames_of(SILENCE))
        pieces: list[NDArray[np.floating]] = []
        reference: list[Event] = []
        n_before = 0
        for name, values in validation.probabilities.items():
            start = grid.seconds(n_before)
            reference += [
                Event(start + event.onset, start + event.offset, label)
                for event in validation.reference.get(name, ())
                if event.label == label
            ]
            pieces += [values[:, index], between]
            n_before += len(values) + len(between)
        return cls(label, grid, np.concatenate(pieces).astype(np.float64), merge(reference))

    def filtered(self, length: int) -> "_Line":
        """The same, as a median filter of so many frames leaves it: most of the work of a decision, done once."""
        padded = np.pad(self.probabilities, length // 2)
        return replace(self, probabilities=median_filter(padded, length))

    def tally(self, rule: LabelRule) -> Tally:
        """Of a rule; its median filter was applied before."""
        end = self.grid.seconds(len(self.probabilities))
        found = decode(self.probabilities[:, None], [self.label], [replace(rule, median=1)], self.grid, end)
        spans = spans_of(found)
        right = covered_share(spans, spans_of(self.reference)) >= HALF
        held = covered_share(spans_of(self.reference), spans[right]) >= HALF
        return Tally(int(held.sum()), int((~right).sum()), len(found))


def _candidates(probabilities: NDArray[np.float64]) -> list[float]:
    """Thresholds worth a try, rising: even steps, and the highest probabilities of these recordings in finer ones."""
    tail = 1 - np.geomspace(0.5, 1 / len(probabilities), 24)
    tried = np.concatenate([np.arange(0.05, 1.0, 0.025), np.quantile(probabilities, tail)])
    return [float(threshold) for threshold in np.unique(np.clip(np.round(tried, 4), 0.01, 0.9999))]
