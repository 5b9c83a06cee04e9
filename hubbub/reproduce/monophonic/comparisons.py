"""The monophonic tables that judge differences: between networks on the folds, and between the two protocols."""

from statistics import fmean

from hubbub.datasets.urbansound8k_protocols import FOLDS, RANDOM
from hubbub.metrics.bootstrap import N_RESAMPLES
from hubbub.reproduce.comparisons import marked, signed, span
from hubbub.reproduce.monophonic.reported import PUBLISHED, QUESTIONS
from hubbub.reproduce.monophonic.results import ClipResults
from hubbub.reproduce.monophonic.scores import Judged, folds_run, judged_leak, judged_on_folds
from hubbub.reproduce.monophonic.table import (
    cost_table,
    folds_table,
    labels_table,
    quality_table,
    training_table,
)
from hubbub.reproduce.table import NOT_RUN, Row, Table, grouped, titled

UNPAIRED = ("", "", "")


def main_tables(results: ClipResults) -> list[Table]:
    """How good each network is, what it costs, and which labels are hard."""
    return [
        quality_table(results),
        cost_table(results),
        training_table(results),
        labels_table(results, FOLDS),
        labels_table(results, RANDOM),
    ]


def comparison_tables(results: ClipResults) -> list[Table]:
    """What the differences say."""
    found = [differences_table(results), leak_table(results), folds_table(results)]
    return [table for table in found if table is not None]


def all_clip_tables(results: ClipResults) -> list[Table]:
    """Every table, the main ones first."""
    return main_tables(results) + comparison_tables(results)


def differences_table(results: ClipResults) -> Table | None:
    """Accuracy differences between networks on the same folds; None where no pair of them was asked for."""
    rows = []
    for first, second, question in QUESTIONS:
        if {first, second} <= set(results.networks):
            judged = judged_on_folds(results, first, second)
            folds = f"{len(folds_run(results, first, second))} of {len(results.folds)}"
            cells = (NOT_RUN, "", "", "") if judged is None else (*_difference(judged), folds)
            rows.append(Row(f"{first} - {second}", (*cells, question), "missing" if judged is None else ""))
    if not rows:
        return None
    return Table(
        titled(results, f"Accuracy differences between networks: {FOLDS.title}"),
        ("networks", "accuracy\ndifference", "95 %\ninterval", "share\n<= 0", "\nfolds", "\nwhat it shows"),
        tuple(rows),
        (
            f"Over the folds that both were run on, all slices of them pooled. Paired bootstrap over recordings, "
            f"{grouped(N_RESAMPLES)} resamples; share <= 0: of them without a gain. * the interval excludes 0. It "
            "knows nothing of seeds: what is marked may still be luck in training.",
        ),
    )


def leak_table(results: ClipResults) -> Table:
    """Each network by the random split against itself on the folds: what knowing the recordings is worth."""
    rows = []
    for network in results.networks:
        judged = judged_leak(results, network)
        folds = f"{len(folds_run(results, network))} of {len(results.folds)}"
        if judged is None:
            by = [NOT_RUN if not results.of(network, name) else "" for name in ("random", "folds")]
            rows.append(Row(network, (*by, *UNPAIRED, ""), "missing"))
        else:
            rows.append(Row(network, (f"{judged.first:.3f}", f"{judged.second:.3f}", *_difference(judged), folds)))
    (_, by_random), (_, by_folds) = PUBLISHED
    published = (f"{by_random:.3f}", f"{by_folds:.3f}", signed(by_random - by_folds) + "  ", "", "", "10 of 10")
    rows.append(Row("published", published, "trivial"))
    return Table(
        titled(results, "What the leak is worth: the random split less the folds"),
        ("network", "random\n(leaks)", "folds,\npooled", "\ngap", "95 %\ninterval", "share\n<= 0", "\nfolds"),
        tuple(rows),
        (
            "The slices of all folds pooled: a little off the mean of the folds. Two bootstraps over recordings, one a "
            "protocol, since the slices are not the same. * the interval excludes 0.",
            *_trained_on(results),
        ),
    )


def _trained_on(results: ClipResults) -> list[str]:
    """Whether the gap could be for want of slices to train on."""
    by_random, by_folds = (
        [run.slices.get("train", 0) for run in results.runs if run.protocol == name] for name in ("random", "folds")
    )
    if not by_random or not by_folds:
        return []
    here, there = round(fmean(by_random)), round(fmean(by_folds))
    said = "so a gap is not for want of them" if there >= here else "part of a gap may be for want of them"
    return [f"Trained on {grouped(here)} slices by the random split, on {grouped(there)} by the folds: {said}."]


def _difference(judged: Judged) -> tuple[str, str, str]:
    if judged.difference is None:
        return f"{signed(judged.value)}  ", "", ""
    return marked(judged.difference), span(judged.difference), f"{judged.difference.at_or_below_zero:.3f}"
