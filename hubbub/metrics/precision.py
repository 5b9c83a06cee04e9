"""Average precision: how well scores rank the seconds in which a label sounds above those in which it does not.

Frame by frame, for each label by itself and over all recordings: thresholds fall through every score that occurs, and

    AP = sum over thresholds of (recall - recall before) · precision

which is the area under the precision-recall staircase, without interpolation (as scikit-learn's
average_precision_score). A frame is active if an event overlaps it at all, as everywhere here, and weighs as much as
it lasts, so that the cut last frame of a recording counts for what it has. Frames that score alike come in together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event, EventTable
from hubbub.grid import TIME_TOLERANCE
from hubbub.metrics.tables import FrameScores, checked

Values = NDArray[np.float64]


@dataclass(frozen=True)
class PrecisionResult:
    """Average precision over all recordings: `value` is the macro mean, the mean of the labels'.

    `absent_labels` have no reference event: they score 0 and stay in the mean.
    """

    value: float
    by_label: dict[str, float]
    absent_labels: tuple[str, ...]
    n_recordings: int
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return dict(vars(self)) | {"absent_labels": list(self.absent_labels)}


def average_precision(
    reference: EventTable, scores: Mapping[str, FrameScores], durations: Mapping[str, float]
) -> PrecisionResult:
    """Average precision of score tables by recording, over every recording in `durations` (seconds).

    A recording without reference events counts. Raises as `tables.checked` does.
    """
    return PrecisionStatistic.of(reference, scores, durations).result()


@dataclass(frozen=True)
class PrecisionStatistic:
    """All that average precision needs of each recording, so that resamples need no second look at the scores.

    Only scores of active frames are thresholds that matter. One entry is what one recording has between one of these
    and the next larger: `active` seconds, and `seconds` in all; in order of `column` (the label) and falling score.
    `ends` are the last entries of each threshold.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    recording: NDArray[np.int64]
    column: NDArray[np.int64]
    active: Values
    seconds: Values
    ends: NDArray[np.int64]

    @classmethod
    def of(
        cls, reference: EventTable, scores: Mapping[str, FrameScores], durations: Mapping[str, float]
    ) -> "PrecisionStatistic":
        """Raises as `average_precision` does."""
        labels, names, recordings = checked("average precision", reference, scores, durations)
        edges = [np.asarray(scores[name].edges, dtype=np.float64) for name in names]
        lengths = np.concatenate([np.diff(each) for each in edges])
        of_frame = np.repeat(np.arange(len(names)), [len(each) - 1 for each in edges])
        columns, thresholds, owners, active_s, all_s = [], [], [], [], []
        for index, label in enumerate(labels):
            score = np.concatenate([scores[name].values[:, index] for name in names])
            active = np.concatenate(
                [_active(recording.reference, label, each) for recording, each in zip(recordings, edges, strict=True)]
            )
            falling = np.unique(-score[active])  # thresholds, the largest first
            which = np.searchsorted(falling, -score, side="left")
            matters = which < len(falling)  # below the last of them recall rises no more
            kept, entry = np.unique(which[matters] * len(names) + of_frame[matters], return_inverse=True)
            columns.append(np.full(len(kept), index))
            thresholds.append(kept // len(names))
            owners.append(kept % len(names))
            active_s.append(np.bincount(entry, lengths[matters] * active[matters], minlength=len(kept)))
            all_s.append(np.bincount(entry, lengths[matters], minlength=len(kept)))
        column, threshold = np.concatenate(columns), np.concatenate(thresholds)
        last = np.append((column[1:] != column[:-1]) | (threshold[1:] != threshold[:-1]), True)[: len(column)]
        return cls(
            labels,
            tuple(names),
            np.concatenate(owners),
            column,
            np.concatenate(active_s).astype(np.float64),
            np.concatenate(all_s).astype(np.float64),
            np.flatnonzero(last),
        )

    def value(self, times: Values | None = None) -> float:
        """Macro average precision of a set that holds each recording `times` (n_recordings,), once where None."""
        by_label = self.by_label(np.ones(len(self.names)) if times is None else times)
        return float(by_label.mean()) if len(by_label) else 0.0

    def scores(self, times: Values) -> Values:
        """The macro values of resamples that hold each recording `times`, (n_resamples, n_recordings)."""
        return np.array([self.value(row) for row in times])

    def result(self) -> PrecisionResult:
        """Average precision of all the recordings, once each."""
        known = set(self.column.tolist())
        return PrecisionResult(
            value=self.value(),
            by_label=dict(zip(self.labels, self.by_label(np.ones(len(self.names))).tolist(), strict=True)),
            absent_labels=tuple(label for index, label in enumerate(self.labels) if index not in known),
            n_recordings=len(self.names),
            settings={"unit": "seconds of frames", "interpolation": "none", "absent_label": "0, in the mean"},
        )

    def by_label(self, times: Values) -> Values:
        """Average precision of each label, (n_labels,), where each recording is there `times`."""
        weight = times[self.recording]
        active, seconds = np.cumsum(weight * self.active), np.cumsum(weight * self.seconds)
        column = self.column[self.ends]
        found, given = active[self.ends], seconds[self.ends]
        first = np.searchsorted(column, column, side="left")  # the first threshold of the same label
        found_before, given_before = (np.append(0.0, each)[first] for each in (found, given))
        step = np.diff(found, prepend=0.0)
        given = given - given_before
        precision = np.divide(found - found_before, given, out=np.zeros_like(given), where=given > 0)
        n_labels = len(self.labels)
        total = np.bincount(column, step, minlength=n_labels)
        area = np.bincount(column, step * precision, minlength=n_labels)
        result: Values = np.divide(area, total, out=np.zeros(n_labels), where=total > 0)
        return result


def _active(events: Sequence[Event], label: str, edges: Values) -> NDArray[np.bool_]:
    """Which frames the events of `label` overlap at all; an instant takes its own frame."""
    change = np.zeros(len(edges) + 1, dtype=np.int64)
    for event in events:
        if event.label == label:
            first = max(0, int(np.searchsorted(edges, event.onset + TIME_TOLERANCE, side="right")) - 1)
            last = max(int(np.searchsorted(edges, event.offset - TIME_TOLERANCE, side="left")), first + 1)
            change[first] += 1
            change[min(last, len(edges))] -= 1
    active: NDArray[np.bool_] = np.cumsum(change)[: len(edges) - 1] > 0
    return active
