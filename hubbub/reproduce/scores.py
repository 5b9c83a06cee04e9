"""What the runs of a network amount to: their counts by recording, a score with its interval, a difference of two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hubbub.metrics import Counts, Difference, Interval, interval, paired_difference, unpaired_difference
from hubbub.reproduce.results import Convention, Results, Run, SplitName

SPLITS: tuple[SplitName, ...] = ("official", "mixture", "subsequence")
"""The one to believe first comes first."""
SEED = 0
"""Of the resamples: the same data give the same interval on every page."""


@dataclass(frozen=True)
class Score:
    """Several runs of one network in one: `total` over all recordings, `f1` None where there are fewer than two."""

    total: Counts
    f1: Interval | None

    @classmethod
    def of(cls, by_recording: Mapping[str, Counts], labels: tuple[str, ...]) -> "Score":
        """The score that follows from counts by recording."""
        total = sum(by_recording.values(), Counts.zero(labels))
        enough = len(by_recording) > 1
        return cls(total, interval(by_recording, "micro_f1", np.random.default_rng(SEED)) if enough else None)


def main_split(results: Results) -> SplitName:
    """The split that the main tables are about: the first of `SPLITS` that anything was run on."""
    there = {run.split for run in results.runs}
    return next((split for split in SPLITS if split in there), SPLITS[0])


def pooled(runs: Sequence[Run], labels: tuple[str, ...], convention: Convention = "intended") -> dict[str, Counts]:
    """Counts by test recording, those of several seeds added up."""
    by_recording: dict[str, Counts] = {}
    for run in runs:
        for name, counted in run.counts.get(convention, {}).items():
            by_recording[name] = by_recording.get(name, Counts.zero(labels)) + counted.counts(labels)
    return by_recording


def trivial_scores(results: Results, split: SplitName) -> dict[str, Score]:
    """The systems that do not listen, by name."""
    systems = results.trivial.get(split, {})
    return {
        system: Score.of({name: counted.counts(results.labels) for name, counted in rows.items()}, results.labels)
        for system, rows in systems.items()
    }


def f1_difference(first: Mapping[str, Counts], second: Mapping[str, Counts]) -> tuple[Difference, bool] | None:
    """The first's micro F1 less the second's, and whether they could be paired; None for fewer than two recordings."""
    if min(len(first), len(second)) < 2:
        return None
    paired = first.keys() == second.keys()
    judge = paired_difference if paired else unpaired_difference
    return judge(first, second, "micro_f1", np.random.default_rng(SEED)), paired
