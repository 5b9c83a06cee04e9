"""The decision rule: probabilities become events here and nowhere else, for files and for streams alike.

Per label: a median filter, then hysteresis (an event begins where the probability reaches `threshold` and lasts until
it falls below `low_threshold`), then gaps shorter than `shortest_gap` are closed, then events shorter than
`shortest_event` are dropped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import ConfigError
from hubbub.events import Event, runs
from hubbub.grid import Grid


@dataclass(frozen=True)
class LabelRule:
    """How one label's probabilities are decided. Lengths are seconds, `median` is an odd number of frames.

    Raises `ConfigError` for a threshold outside [0, 1], a low threshold above the threshold, an even median or a
    negative or infinite length.
    """

    threshold: float = 0.5
    low_threshold: float = 0.5
    median: int = 1
    shortest_event: float = 0.0
    shortest_gap: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.low_threshold <= self.threshold <= 1.0:
            raise ConfigError(
                f"threshold {self.threshold:g} and low threshold {self.low_threshold:g}: "
                "wanted 0 <= low <= threshold <= 1"
            )
        if self.median < 1 or self.median % 2 == 0:
            raise ConfigError(f"median of {self.median} frames: wanted an odd number, 1 for none")
        if not (0 <= self.shortest_event < math.inf and 0 <= self.shortest_gap < math.inf):
            raise ConfigError(f"shortest event {self.shortest_event} s, gap {self.shortest_gap} s: wanted 0 or more")

    def at(self, threshold: float) -> "LabelRule":
        """The same rule at another threshold; the low threshold keeps its ratio to it."""
        ratio = self.low_threshold / self.threshold if self.threshold > 0 else 1.0
        return LabelRule(threshold, threshold * ratio, self.median, self.shortest_event, self.shortest_gap)


def decode(
    probabilities: NDArray[np.floating], labels: Sequence[str], rules: Sequence[LabelRule], grid: Grid, end: float
) -> list[Event]:
    """Events of a whole recording of `end` seconds, from probabilities of shape (n_frames, n_labels)."""
    decoder = Decoder(labels, rules, grid)
    return sorted(decoder.push(probabilities) + decoder.close(end))


class Decoder:
    """The decision rule for probabilities that arrive in pieces of any length."""

    def __init__(self, labels: Sequence[str], rules: Sequence[LabelRule], grid: Grid) -> None:
        self._labels = [_LabelDecoder(label, rule, grid) for label, rule in zip(labels, rules, strict=True)]

    def push(self, probabilities: NDArray[np.floating]) -> list[Event]:
        """Takes the next frames, shape (n_frames, n_labels); gives the events that are certain now, sorted."""
        return sorted(
            event
            for index, decoder in enumerate(self._labels)
            for event in decoder.push(np.asarray(probabilities[:, index], dtype=np.float64))
        )

    def open_events(self) -> list[Event]:
        """The events that are certain but for their end, which is given as far as it is known; sorted."""
        return sorted(event for decoder in self._labels for event in decoder.open_events())

    def close(self, end: float) -> list[Event]:
        """The last events, cut at `end` seconds, where the recording ends."""
        return sorted(event for decoder in self._labels for event in decoder.close(end))


@dataclass
class _Pending:
    """An event that may still grow: frames [first, last) and the running sum of probabilities at both."""

    first: int
    last: int
    sum_first: float
    sum_last: float


@dataclass
class _LabelDecoder:
    label: str
    rule: LabelRule
    grid: Grid
    _n: int = 0  # frames decided so far
    _sum: float = 0.0  # of their probabilities
    _active: bool = False
    _pending: _Pending | None = None
    _history: NDArray[np.float64] = field(init=False)  # the frames that the median filter still needs

    def __post_init__(self) -> None:
        # outside the recording there is silence: probability 0
        self._half = (self.rule.median - 1) // 2
        self._history = np.zeros(self._half)
        self._gap = self.grid.frames_in(self.rule.shortest_gap)
        self._shortest = self.grid.frames_in(self.rule.shortest_event)

    def push(self, probabilities: NDArray[np.float64]) -> list[Event]:
        raw = np.concatenate([self._history, probabilities])
        n = len(raw) - 2 * self._half
        if n <= 0:
            self._history = raw
            return []
        self._history = raw[n:]
        return self._decide(raw[self._half : self._half + n], self._active_frames(raw))

    def open_events(self) -> list[Event]:
        return [] if self._pending is None else self._emit(self._pending)

    def close(self, end: float) -> list[Event]:
        events = self.push(np.zeros(self._half))
        if self._pending is not None:
            events += self._emit(self._pending)
            self._pending = None
        return [
            Event(event.onset, min(event.offset, end), event.label, event.score)
            for event in events
            if event.onset < end
        ]

    def _active_frames(self, raw: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The hysteresis of the medians, which are not needed for it: a median reaches a threshold where most of its
        window does."""
        reached = _mostly(raw >= self.rule.threshold, self.rule.median)
        if not self._active and not reached.any():  # as nearly always
            return reached
        return _hysteresis(reached, _mostly(raw < self.rule.low_threshold, self.rule.median), self._active)

    def _decide(self, probabilities: NDArray[np.float64], active: NDArray[np.bool_]) -> list[Event]:
        sums = self._sum + np.concatenate([[0.0], np.cumsum(probabilities)])
        events: list[Event] = []
        for first, last in runs(active):
            run = _Pending(self._n + int(first), self._n + int(last), float(sums[first]), float(sums[last]))
            if self._pending is None:
                self._pending = run
            elif run.first == self._pending.last or run.first - self._pending.last < self._gap:
                self._pending.last, self._pending.sum_last = run.last, run.sum_last
            else:
                events += self._emit(self._pending)
                self._pending = run
        self._n += len(active)
        self._sum = float(sums[-1])
        self._active = bool(active[-1])
        if self._pending is not None and not self._active and self._n - self._pending.last >= self._gap:
            events += self._emit(self._pending)
            self._pending = None
        return events

    def _emit(self, pending: _Pending) -> list[Event]:
        length = pending.last - pending.first
        if length < self._shortest:
            return []
        score = (pending.sum_last - pending.sum_first) / length
        onset, offset = self.grid.seconds(pending.first), self.grid.seconds(pending.last)
        return [Event(onset, offset, self.label, min(max(score, 0.0), 1.0))]


def median_filter(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Medians of `length` frames, an odd number: shape (n_frames,) in, (n_frames - length + 1,) out."""
    if length == 1:
        return values
    windows = np.lib.stride_tricks.sliding_window_view(values, length)
    filtered: NDArray[np.float64] = np.partition(windows, length // 2, axis=1)[:, length // 2]
    return filtered


def _mostly(values: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Whether most of each `length` values, an odd number, are true: (n_frames,) in, (n_frames - length + 1,) out."""
    if length == 1:
        return values
    count = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=count[1:])
    mostly: NDArray[np.bool_] = count[length:] - count[:-length] > length // 2
    return mostly


def _hysteresis(reached: NDArray[np.bool_], fallen: NDArray[np.bool_], active: bool) -> NDArray[np.bool_]:
    """True from where a threshold is `reached` until the value has `fallen`; in between the last decision stands."""
    last_decided = np.maximum.accumulate(np.where(reached | fallen, np.arange(len(reached)), -1))
    held: NDArray[np.bool_] = np.where(last_decided >= 0, reached[last_decided], active)
    return held
