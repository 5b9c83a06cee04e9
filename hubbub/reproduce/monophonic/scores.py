"""What the runs of a network amount to by either protocol: an accuracy with its interval, by fold, and differences.

Accuracy is the micro F1 of counts in which a slice is a slot. Every resampling is kept by what went into it, so that
table, page and Markdown of the same results draw it once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, stdev

import numpy as np

from hubbub.metrics import Counts, Difference, paired_difference, unpaired_difference
from hubbub.reproduce.monophonic.results import Answers, ClipResults, ClipRun, ProtocolName, counts_of
from hubbub.reproduce.scores import SEED, Score

Pooled = Mapping[str, Counts]
"""Counts by recording, sorted by name: the order decides which recordings a resample draws."""
KEPT = 64


@dataclass(frozen=True)
class OverFolds:
    """Accuracy by fold, over those that were run, all seeds of a fold in one."""

    by_fold: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Of the folds, each with the same weight: what the literature gives. 0 where none was run."""
        return fmean(self.by_fold.values()) if self.by_fold else 0.0

    @property
    def spread(self) -> float | None:
        """The standard deviation over folds, None for fewer than two."""
        return stdev(self.by_fold.values()) if len(self.by_fold) > 1 else None


def pooled(parts: Iterable[Answers], labels: tuple[str, ...]) -> Pooled:
    """Counts by recording, those of several folds and seeds added up."""
    found: dict[str, Counts] = {}
    for answers in parts:
        for name, counted in counts_of(answers, labels).items():
            found[name] = found[name] + counted if name in found else counted
    return dict(sorted(found.items()))


def counts_by_recording(results: ClipResults, runs: Iterable[ClipRun]) -> Pooled:
    """Counts by recording of several runs."""
    return pooled((run.answers for run in runs), results.labels)


def network_score(results: ClipResults, network: str, protocol: ProtocolName) -> Score | None:
    """All slices that a network was tested on by one protocol, None where it was not run."""
    runs = results.of(network, protocol)
    return score_of(counts_by_recording(results, runs), results.labels) if runs else None


def trivial_score(results: ClipResults, system: str, protocol: ProtocolName) -> Score | None:
    """As `network_score`, for a system that does not listen."""
    answers = results.trivial.get(protocol, {}).get(system)
    return score_of(pooled([answers], results.labels), results.labels) if answers else None


def trivial_systems(results: ClipResults) -> list[str]:
    """The names of the systems that do not listen, by any protocol."""
    return list(dict.fromkeys(system for systems in results.trivial.values() for system in systems))


def over_folds(results: ClipResults, network: str) -> OverFolds:
    """A network's accuracy by fold."""
    runs = results.of(network, "folds")
    by_fold = {}
    for fold in sorted({run.fold for run in runs}):
        of_fold = counts_by_recording(results, [run for run in runs if run.fold == fold])
        by_fold[fold] = _total(of_fold, results.labels).micro_f1
    return OverFolds(by_fold)


def trivial_over_folds(results: ClipResults, system: str) -> OverFolds:
    """As `over_folds`, for a system that does not listen: which fold a recording lies in is known from the runs."""
    fold_of = {name: run.fold for run in results.runs if run.protocol == "folds" for name in run.answers}
    answers = results.trivial.get("folds", {}).get(system, {})
    by_fold = {}
    for fold in sorted({fold_of[name] for name in answers if name in fold_of}):
        of_fold = {name: rows for name, rows in answers.items() if fold_of.get(name) == fold}
        by_fold[fold] = _total(pooled([of_fold], results.labels), results.labels).micro_f1
    return OverFolds(by_fold)


def folds_run(results: ClipResults, *networks: str) -> list[int]:
    """The folds that every one of `networks` was tested on."""
    sets = [{run.fold for run in results.of(network, "folds")} for network in networks]
    return sorted(set.intersection(*sets)) if sets else []


def loss_of(runs: Sequence[ClipRun]) -> float:
    """The mean over folds, that of a fold over its seeds."""
    folds = {run.fold for run in runs}
    return fmean(fmean(run.loss for run in runs if run.fold == fold) for fold in folds)


def leak_of(results: ClipResults, protocol: ProtocolName) -> float | None:
    """The part of the tested slices whose recording is trained on too, the mean over runs; None without any."""
    parts = [run.leaked for run in results.runs if run.protocol == protocol]
    return fmean(parts) if parts else None


@dataclass(frozen=True)
class Judged:
    """Two accuracies on the same slices or on others: `difference` None where there are too few recordings."""

    first: float
    second: float
    difference: Difference | None

    @property
    def value(self) -> float:
        """The first less the second."""
        return self.first - self.second


def judged_on_folds(results: ClipResults, first: str, second: str) -> Judged | None:
    """Two networks on the folds that both were tested on, recording by recording; None where there is none."""
    folds = folds_run(results, first, second)
    ours, theirs = (
        counts_by_recording(results, [run for run in results.of(network, "folds") if run.fold in folds])
        for network in (first, second)
    )
    # Other recordings in the same fold would be other data: nothing to compare.
    return _judged(ours, theirs, results.labels, paired=True) if ours and ours.keys() == theirs.keys() else None


def judged_leak(results: ClipResults, network: str) -> Judged | None:
    """A network by the random split against itself on the folds, slices pooled; None where one was not run."""
    by_random, by_folds = (
        counts_by_recording(results, results.of(network, protocol)) for protocol in ("random", "folds")
    )
    return _judged(by_random, by_folds, results.labels, paired=False) if by_random and by_folds else None


def score_of(by_recording: Pooled, labels: tuple[str, ...]) -> Score:
    """The score that follows from counts by recording."""
    return _kept_score(tuple(by_recording.items()), labels)


def _total(by_recording: Pooled, labels: tuple[str, ...]) -> Counts:
    return sum(by_recording.values(), Counts.zero(labels))


def _judged(first: Pooled, second: Pooled, labels: tuple[str, ...], *, paired: bool) -> Judged:
    found = None
    if min(len(first), len(second)) > 1:
        found = _kept_difference(tuple(first.items()), tuple(second.items()), paired)
    return Judged(_total(first, labels).micro_f1, _total(second, labels).micro_f1, found)


Rows = tuple[tuple[str, Counts], ...]


@lru_cache(maxsize=KEPT)
def _kept_score(rows: Rows, labels: tuple[str, ...]) -> Score:
    return Score.of(dict(rows), labels)


@lru_cache(maxsize=KEPT)
def _kept_difference(first: Rows, second: Rows, paired: bool) -> Difference:
    judge = paired_difference if paired else unpaired_difference
    return judge(dict(first), dict(second), "micro_f1", np.random.default_rng(SEED))
