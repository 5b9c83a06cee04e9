"""Intervals over recordings: against a slow obvious loop, closed forms and the coverage they promise."""

import math

import numpy as np
import pytest

from hubbub.errors import ConfigError
from hubbub.metrics import Counts, bootstrap, interval, paired_difference, unpaired_difference

LABELS = ("bird", "dog", "rain")
MEASURES = ("micro_f1", "macro_f1", "error_rate", "accuracy")


def system(rng, n_recordings=12, skill=0.7, rare=False):
    """Counts by recording of a system that is right with probability `skill`, on recordings of unlike difficulty.

    With `rare` the last label sounds in the first recording only, so that every third resample lacks it.
    """
    table = {}
    for index in range(n_recordings):
        n_reference = rng.integers(5, 60, len(LABELS))
        if rare and index:
            n_reference[-1] = 0
        hits = rng.binomial(n_reference, skill * rng.uniform(0.6, 1))
        false = rng.binomial(n_reference, 0.4)
        missed = n_reference - hits
        n_substituted = min(int(missed.sum()), int(false.sum())) // 2
        table[f"{index}.wav"] = Counts(
            LABELS,
            tuple(map(int, hits)),
            tuple(map(int, false)),
            tuple(map(int, missed)),
            n_substituted,
            int(missed.sum()) - n_substituted,
            int(false.sum()) - n_substituted,
            int(rng.integers(80, 160)),
        )
    return table


def total(rows):
    return sum(rows, Counts.zero(LABELS))


@pytest.mark.parametrize("measure", MEASURES)
def test_every_resample_scores_as_its_counts_do(measure):
    rng = np.random.default_rng(0)
    first, second = system(rng, rare=True), system(rng, skill=0.5, rare=True)
    n, names = len(first), list(first)
    times = np.random.default_rng(4).multinomial(n, np.full(n, 1 / n), size=400)

    def slowly(table):
        drawn = [[table[name] for name, count in zip(names, row, strict=True) for _ in range(count)] for row in times]
        return np.array([getattr(total(rows), measure) for rows in drawn])

    a, b = slowly(first), slowly(second)
    found = interval(first, measure, np.random.default_rng(4), n_resamples=400, confidence=0.9)
    assert found.value == getattr(total(first.values()), measure)
    np.testing.assert_allclose([found.low, found.high], np.quantile(a, [0.05, 0.95]), rtol=1e-12)
    # The other system's recordings in another order are the same recordings.
    shuffled = {name: second[name] for name in reversed(names)}
    difference = paired_difference(first, shuffled, measure, np.random.default_rng(4), n_resamples=400)
    assert difference.value == pytest.approx(found.value - getattr(total(second.values()), measure))
    np.testing.assert_allclose([difference.low, difference.high], np.quantile(a - b, [0.025, 0.975]), atol=1e-12)
    assert difference.at_or_below_zero == pytest.approx(np.mean(a - b <= 1e-15))


def test_what_two_recordings_give_in_closed_form():
    # One recording all right, one all wrong: a resample is right, half right or wrong with 1/4, 1/2, 1/4.
    right = Counts(("dog",), (10,), (0,), (0,), 0, 0, 0, 10)
    wrong = Counts(("dog",), (0,), (0,), (10,), 0, 10, 0, 10)
    rng = np.random.default_rng(1)
    wide = interval({"a": right, "b": wrong}, "accuracy", rng, confidence=0.6)
    assert (wide.value, wide.low, wide.high) == (0.5, 0, 1)
    narrow = interval({"a": right, "b": wrong}, "accuracy", rng, confidence=0.4)
    assert (narrow.low, narrow.high) == (0.5, 0.5)
    silent = {"a": Counts(("dog",), (0,), (0,), (10,), 0, 10, 0, 10), "b": wrong}
    gain = paired_difference({"a": right, "b": wrong}, silent, "micro_f1", rng, confidence=0.6)
    assert (gain.low, gain.high, gain.excludes_zero) == (0, 1, False)
    assert gain.value == pytest.approx(2 / 3)
    assert gain.at_or_below_zero == pytest.approx(1 / 4, abs=0.02)


def test_a_system_does_not_differ_from_itself():
    table = system(np.random.default_rng(2))
    same = paired_difference(table, table, "micro_f1", np.random.default_rng(0))
    assert (same.value, same.low, same.high, same.at_or_below_zero, same.excludes_zero) == (0, 0, 0, 1, False)
    unpaired = unpaired_difference(table, table, "micro_f1", np.random.default_rng(0))
    assert unpaired.low < -0.01 and unpaired.high > 0.01  # drawn apart, the recordings' difficulty stays in
    assert unpaired.at_or_below_zero == pytest.approx(0.5, abs=0.03)
    alone = interval(table, "micro_f1", np.random.default_rng(0))
    assert unpaired.high - unpaired.low == pytest.approx(math.sqrt(2) * (alone.high - alone.low), rel=0.05)


def test_a_little_better_everywhere_is_seen_only_in_pairs():
    table = system(np.random.default_rng(3))
    better = {
        name: Counts(
            LABELS,
            tuple(hits + 1 for hits in c.true_positives),
            c.false_positives,
            tuple(max(0, missed - 1) for missed in c.false_negatives),
            0, 0, 0, c.n_slots,
        )
        for name, c in table.items()
    }  # fmt: skip
    rng = np.random.default_rng(0)
    paired = paired_difference(better, table, "micro_f1", rng)
    apart = unpaired_difference(better, table, "micro_f1", rng)
    assert paired.excludes_zero and paired.low > 0 and paired.at_or_below_zero == 0
    assert not apart.excludes_zero
    assert paired.value == pytest.approx(apart.value)
    back = paired_difference(table, better, "micro_f1", rng)
    assert back.excludes_zero and back.high < 0 and back.at_or_below_zero == 1


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    # Equal recordings with an accuracy each: the score is their mean, its standard error their deviation / √n.
    rng = np.random.default_rng(5)
    n = 200
    errors = rng.binomial(1000, 0.3, n) + rng.integers(-200, 200, n)
    table = {str(i): Counts(("dog",), (0,), (int(e),), (0,), 0, 0, int(e), 1000) for i, e in enumerate(errors)}
    found = interval(table, "accuracy", rng)
    half_width = 1.96 * (errors / 1000).std() / math.sqrt(n)
    assert found.high - found.low == pytest.approx(2 * half_width, rel=0.05)
    assert (found.high + found.low) / 2 == pytest.approx(found.value, abs=0.1 * half_width)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        shares = rng.beta(4, 2, 40)  # true mean 2/3
        table = {
            str(i): Counts(("dog",), (0,), (round(1e4 * (1 - share)),), (0,), 0, 0, 0, 10_000)
            for i, share in enumerate(shares)
        }
        found = interval(table, "accuracy", rng, n_resamples=1000)
        covered += found.low <= 2 / 3 <= found.high
    # 95 % less what the percentile method loses on 40 recordings; three standard errors are 4 %.
    assert 0.90 <= covered / 300 <= 0.98


def test_nothing_anywhere_scores_zero_not_nan():
    nothing = {name: Counts.zero(LABELS) for name in "ab"}
    for measure in MEASURES:
        found = interval(nothing, measure, np.random.default_rng(0), n_resamples=10)
        assert (found.value, found.low, found.high) == (0, 0, 0)


def test_the_seed_decides_and_portions_do_not(monkeypatch):
    table = system(np.random.default_rng(7))
    whole = interval(table, "macro_f1", np.random.default_rng(1), n_resamples=501)
    assert whole == interval(table, "macro_f1", np.random.default_rng(1), n_resamples=501)
    assert whole != interval(table, "macro_f1", np.random.default_rng(2), n_resamples=501)
    monkeypatch.setattr(bootstrap, "CELLS_AT_ONCE", 120)
    assert interval(table, "macro_f1", np.random.default_rng(1), n_resamples=501) == whole


def test_what_cannot_be_resampled_is_told():
    table, rng = system(np.random.default_rng(8)), np.random.default_rng(0)
    one = {"0.wav": table["0.wav"]}
    with pytest.raises(ConfigError, match="two or more of them; given: 1"):
        interval(one, "micro_f1", rng)
    with pytest.raises(ConfigError, match=r"11 belong to one alone, such as 1\.wav"):
        paired_difference(table, one, "micro_f1", rng)
    for difference in (paired_difference, unpaired_difference):
        with pytest.raises(ConfigError, match="given: 0"):
            difference({}, {}, "micro_f1", rng)
        with pytest.raises(ConfigError, match="n_resamples is 0"):
            difference(table, table, "micro_f1", rng, n_resamples=0)
    with pytest.raises(ConfigError, match="confidence is 95"):
        interval(table, "micro_f1", rng, confidence=95)
    with pytest.raises(ValueError, match="cannot be added"):
        interval({"a": Counts.zero(["dog"]), "b": Counts.zero(["owl"])}, "micro_f1", rng)
