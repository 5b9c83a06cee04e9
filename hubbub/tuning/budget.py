"""The rule of one label that keeps to a budget and finds the most events.

Events are counted as `hubbub.metrics` counts them: false alarms by `false_alarms`, right and found ones by
`intersection` with 0.5 and 0.5. One event from the beginning to the end is no false alarm wherever the label sounds,
but it finds nothing either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hubbub.decode import LabelRule, decode, median_filter
from hubbub.events import Event
from hubbub.grid import Grid
from hubbub.metrics import false_alarms, intersection
from hubbub.metrics.recording import Recording
from hubbub.tuning.aim import Aim, Tally
from hubbub.tuning.validation import Validation

PATIENCE = 3
"""Thresholds that may break the budget one after the other before lower ones are given up."""
HIGHER = 6
"""Thresholds above the one that suits without filters, from which on a shape is tried."""
SILENCE = 5.0
"""Seconds between two recordings: more than any filter or gap reaches."""


def within(
    validation: Validation, index: int, aim: Aim, shapes: Sequence[LabelRule], low_ratios: Sequence[float]
) -> tuple[LabelRule, Tally] | None:
    """The rule of the label `index` that keeps to the aim and finds the most events; None where no rule finds any.

    Thresholds are tried from the highest down until the budget is broken, since far below it everything melts into one
    event that is no false alarm; the first shape at all of them, the others near the best of the first. Of equals the
    first shape stays, and of its thresholds the highest. For a label that never sounds it is the lowest threshold of
    the first shape that keeps to the aim.
    """
    line = Line.of(validation, index)
    thresholds = _candidates(line.probabilities)[::-1]
    filtered = {length: line.filtered(length) for length in {shape.median for shape in shapes}}
    best: tuple[LabelRule, Tally] | None = None
    begin = 0
    for number, (shape, ratio) in enumerate(product(shapes, low_ratios)):
        broken, reached = 0, 0
        for place in range(begin, len(thresholds)):
            rule = replace(shape, threshold=thresholds[place], low_threshold=thresholds[place] * ratio)
            tally = filtered[shape.median].tally(rule)
            if not aim.allows(tally, validation.hours):
                broken += 1
                if broken == PATIENCE:
                    break
                continue
            broken, reached = 0, place
            better = best is None or tally.n_found > best[1].n_found
            if (better and tally.n_found) or (number == 0 and not line.reference):
                best = rule, tally
        if number == 0:
            begin = max(0, reached - HIGHER)
            if not line.reference:
                break
    return best


@dataclass(frozen=True)
class Line:
    """All recordings as one, with silence between them: probabilities (n_frames,) and reference events of a label."""

    label: str
    grid: Grid
    probabilities: NDArray[np.float64]
    reference: list[Event]

    @classmethod
    def of(cls, validation: Validation, index: int) -> "Line":
        """Of the label `index`."""
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
        return cls(label, grid, np.concatenate(pieces).astype(np.float64), reference)

    def filtered(self, length: int) -> "Line":
        """The same, as a median filter of so many frames leaves it: most of the work of a decision, done once."""
        padded = np.pad(self.probabilities, length // 2)
        return replace(self, probabilities=median_filter(padded, length))

    def decided(self, rule: LabelRule) -> Recording:
        """What a rule finds, beside the reference; its median filter was applied before."""
        end = self.grid.seconds(len(self.probabilities))
        found = decode(self.probabilities[:, None], [self.label], [replace(rule, median=1)], self.grid, end)
        return Recording.of(self.reference, found, end)

    def tally(self, rule: LabelRule) -> Tally:
        """What a rule's events are worth; its median filter was applied before."""
        recording = self.decided(rule)
        counts = intersection.counts(recording, [self.label])
        n_estimated = len(recording.estimated)
        return Tally(
            n_found=counts.true_positives[0],
            n_false=int(false_alarms.counts(recording, [self.label])[0]),
            n_right=n_estimated - counts.false_positives[0],
            n_estimated=n_estimated,
        )


def _candidates(probabilities: NDArray[np.float64]) -> list[float]:
    """Thresholds worth a try, rising: even steps, and the highest probabilities of these recordings in finer ones."""
    tail = 1 - np.geomspace(0.5, 1 / len(probabilities), 24)
    tried = np.concatenate([np.arange(0.05, 1.0, 0.025), np.quantile(probabilities, tail)])
    return [float(threshold) for threshold in np.unique(np.clip(np.round(tried, 4), 0.01, 0.9999))]
