"""How sure is a score, and is one system better than another: the percentile bootstrap over recordings.

Frames of one recording are alike, recordings are not: whole recordings are drawn with replacement, as many as there
are, their counts are added up and scored as ever, a label that a resample lacks included (its F1 is 0). The interval
holds the middle 95 % of the resamples' scores (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13).
Two systems on the same recordings are compared on the same resamples, so that what makes a recording hard for both
cancels out (the paired bootstrap; Berg-Kirkpatrick, Burkett and Klein, "An empirical investigation of statistical
significance in NLP", 2012).

It says how much the choice of test recordings matters; what another training seed would change it cannot know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import ConfigError
from hubbub.metrics.counts import Counts

Measure = Literal["micro_f1", "macro_f1", "error_rate", "accuracy"]
N_RESAMPLES = 10_000
CONFIDENCE = 0.95
N_RESAMPLES_OF_CURVES = 1_000
"""PSDS and average precision are curves over all thresholds, and a resample of them takes a look at every change."""
CELLS_AT_ONCE = 1_000_000
"""Of the table of resamples × recordings: 16 MB, however many recordings there are."""


class Statistic(Protocol):
    """A score that can be had for any multiset of recordings, such as `PsdsStatistic` and `PrecisionStatistic`."""

    @property
    def names(self) -> tuple[str, ...]: ...
    def value(self) -> float: ...
    def scores(self, times: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Interval:
    """A score over all recordings, and the bounds between which most resamples' scores lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The first system's score less the second's, its bounds, and the share of resamples that see none or the reverse.

    `at_or_below_zero` lies in [0, 1]: near 0 the first system scores higher, near 1 it does not.
    """

    value: float
    low: float
    high: float
    at_or_below_zero: float

    @property
    def excludes_zero(self) -> bool:
        """Whether both bounds lie on one side of 0, so that the choice of recordings does not explain it."""
        return self.low > 0 or self.high < 0


def interval(
    by_recording: Mapping[str, Counts],
    measure: Measure,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The score of one system with its interval; `by_recording` holds what was counted in each recording.

    Raises `ConfigError` for fewer than two recordings, a confidence outside (0, 1) or less than one resample, and
    `ValueError` where the recordings' labels differ.
    """
    table = _Table.of(by_recording)
    _check(n_resamples, confidence)
    scores = [table.scores(times, measure) for times in _resamples(table.n_recordings, n_resamples, rng)]
    return Interval(table.value(measure), *_bounds(np.concatenate(scores), confidence))


def paired_difference(
    first: Mapping[str, Counts],
    second: Mapping[str, Counts],
    measure: Measure,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Difference:
    """How much higher the first system scores than the second, on the same resamples of the same recordings.

    Raises as `interval` does, and `ConfigError` where the two were not tested on the same recordings.
    """
    _check_same(set(first), set(second))
    ours, theirs = _Table.of(first), _Table.of({name: second[name] for name in first})
    _check(n_resamples, confidence)
    differences = [
        ours.scores(times, measure) - theirs.scores(times, measure)
        for times in _resamples(ours.n_recordings, n_resamples, rng)
    ]
    return _difference(ours.value(measure) - theirs.value(measure), np.concatenate(differences), confidence)


def unpaired_difference(
    first: Mapping[str, Counts],
    second: Mapping[str, Counts],
    measure: Measure,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Difference:
    """As `paired_difference` for two systems on different recordings, each resampled by itself: a wider interval.

    Raises as `interval` does.
    """
    _check(n_resamples, confidence)
    values, scores = [], []
    for table in (_Table.of(first), _Table.of(second)):
        drawn = [table.scores(times, measure) for times in _resamples(table.n_recordings, n_resamples, rng)]
        values.append(table.value(measure))
        scores.append(np.concatenate(drawn))
    return _difference(values[0] - values[1], scores[0] - scores[1], confidence)


def interval_of(
    statistic: Statistic,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES_OF_CURVES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """PSDS or average precision of one system with its interval. Raises `ConfigError` as `interval` does."""
    _check(n_resamples, confidence)
    _check_recordings(len(statistic.names))
    drawn = [statistic.scores(times) for times in _resamples(len(statistic.names), n_resamples, rng)]
    return Interval(statistic.value(), *_bounds(np.concatenate(drawn), confidence))


def paired_difference_of(
    first: Statistic,
    second: Statistic,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES_OF_CURVES,
    confidence: float = CONFIDENCE,
) -> Difference:
    """`paired_difference` of PSDS or average precision. Raises `ConfigError` as that does."""
    _check(n_resamples, confidence)
    _check_recordings(len(first.names))
    _check_same(set(first.names), set(second.names))
    differences = [
        first.scores(times) - second.scores(times) for times in _resamples(len(first.names), n_resamples, rng)
    ]
    return _difference(first.value() - second.value(), np.concatenate(differences), confidence)


@dataclass(frozen=True)
class _Table:
    """Counts by recording as numbers: `by_label` (3, n_recordings, n_labels) holds hits, false alarms and misses,
    `errors` (n_recordings,) substitutions, deletions and insertions in one, `n_slots` (n_recordings,) the slots."""

    total: Counts
    by_label: NDArray[np.float64]
    errors: NDArray[np.float64]
    n_slots: NDArray[np.float64]

    @classmethod
    def of(cls, by_recording: Mapping[str, Counts]) -> "_Table":
        rows = list(by_recording.values())
        _check_recordings(len(rows))
        parts = [[row.true_positives, row.false_positives, row.false_negatives] for row in rows]
        return cls(
            total=sum(rows[1:], rows[0]),
            # Doubles count exactly up to 2^53, and a product of matrices wants them.
            by_label=np.array(parts, dtype=np.float64).transpose(1, 0, 2),
            errors=np.array([row.substitutions + row.deletions + row.insertions for row in rows], dtype=np.float64),
            n_slots=np.array([row.n_slots for row in rows], dtype=np.float64),
        )

    @property
    def n_recordings(self) -> int:
        return len(self.errors)

    def value(self, measure: Measure) -> float:
        return float(getattr(self.total, measure))

    def scores(self, times: NDArray[np.float64], measure: Measure) -> NDArray[np.float64]:
        """Scores, shape (n_resamples,), of resamples that hold each recording `times`, (n_resamples, n_recordings)."""
        hits, false, missed = times @ self.by_label
        if measure == "macro_f1":
            f1: NDArray[np.float64] = _ratio(2 * hits, 2 * hits + false + missed).sum(1) / max(1, hits.shape[1])
            return f1
        hits, false, missed = hits.sum(1), false.sum(1), missed.sum(1)
        if measure == "micro_f1":
            return _ratio(2 * hits, 2 * hits + false + missed)
        if measure == "error_rate":
            rate: NDArray[np.float64] = times @ self.errors / np.maximum(1, hits + missed)
            return rate
        n_cells = times @ self.n_slots * self.by_label.shape[2]
        return _ratio(n_cells - false - missed, n_cells)


def _resamples(n_recordings: int, n_resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """How often each resample holds each recording, some resamples at a time, shape (n, n_recordings)."""
    at_once = max(1, CELLS_AT_ONCE // n_recordings)
    for start in range(0, n_resamples, at_once):
        n = min(at_once, n_resamples - start)
        yield rng.multinomial(n_recordings, np.full(n_recordings, 1 / n_recordings), size=n).astype(np.float64)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _bounds(scores: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    low, high = np.quantile(scores, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _difference(value: float, differences: NDArray[np.float64], confidence: float) -> Difference:
    return Difference(value, *_bounds(differences, confidence), at_or_below_zero=float(np.mean(differences <= 0)))


def _check(n_resamples: int, confidence: float) -> None:
    if n_resamples < 1:
        raise ConfigError(f"n_resamples is {n_resamples}; wanted 1 or more")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}; wanted a share between 0 and 1, such as 0.95")


def _check_recordings(n_recordings: int) -> None:
    if n_recordings < 2:
        raise ConfigError(f"an interval over recordings wants two or more of them; given: {n_recordings}")


def _check_same(first: set[str], second: set[str]) -> None:
    if first != second:
        alone = sorted(first ^ second)
        raise ConfigError(
            f"a paired difference wants two systems tested on the same recordings; {len(alone)} belong to one alone, "
            f"such as {alone[0]}"
        )
