"""The tables that judge differences: between networks, between splits, and over the paper's kernels and dilations."""

from hubbub.metrics import Difference
from hubbub.metrics.bootstrap import N_RESAMPLES
from hubbub.reproduce.reported import REPORTED
from hubbub.reproduce.results import NAMES, Results, SplitName
from hubbub.reproduce.scores import SPLITS, Score, f1_difference, main_split, pooled
from hubbub.reproduce.table import (
    NOT_RUN,
    Row,
    Table,
    bounds,
    cost_table,
    grouped,
    quality_table,
    seeds_table,
    titled,
)

KERNELS = (3, 5, 7)
DILATIONS = (1, 10, 50, 100)
"""The paper's grid."""
MARKED, UNMARKED = " *", "  "
"""Both as wide, so that the figures before them stay below each other."""
SHORT_NAMES = {"official": "official", "mixture": "mixture", "subsequence": "subsequence, leaks"}

QUESTIONS = (
    ("dilated", "baseline", "dilation for the GRU"),
    ("dessed", "baseline", "separability (GRU)"),
    ("proposed_conv", "baseline", ""),
    ("proposed_pool", "baseline", ""),
    ("dilated_strided", "baseline", ""),
    ("proposed_strided", "baseline", ""),
    ("proposed_conv", "dilated", "separability (1×1)"),
    ("proposed_strided", "dilated_strided", "separability (stride)"),
    ("proposed_conv", "proposed_pool", "the 1×1 convolution"),
)
"""Pairs of networks, and what their difference answers."""


def all_tables(results: Results) -> list[Table]:
    """Every table that there is something to say in, the main ones first."""
    split = main_split(results)
    found = [
        quality_table(results, split),
        cost_table(results, split),
        seeds_table(results, split),
        differences_table(results, split),
        splits_table(results),
        grid_table(results, split),
    ]
    return [table for table in found if table is not None]


def differences_table(results: Results, split: SplitName) -> Table | None:
    """F1 differences between networks tested on the same recordings; None where no two of them were run."""
    counts = {network: pooled(results.of(network, split), results.labels) for network in results.networks}
    rows = []
    for first, second, question in QUESTIONS:
        if counts.get(first) and counts.get(second):
            judged = f1_difference(counts[first], counts[second])
            if judged is not None and judged[1]:
                found = judged[0]
                cells = (marked(found), span(found), f"{found.at_or_below_zero:.3f}")
                reported = ""
                if first in REPORTED and second in REPORTED:
                    reported = signed(REPORTED[first].f1 - REPORTED[second].f1)
                rows.append(Row(f"{first} - {second}", (*cells, reported, question)))
    if not rows:
        return None
    return Table(
        titled(results, f"F1 differences between networks, split: {NAMES[split]}"),
        ("networks", "F1\ndifference", "95 %\ninterval", "share\n<= 0", "\nreport", "\nwhat it shows"),
        tuple(rows),
        (
            f"Paired bootstrap over recordings, {grouped(N_RESAMPLES)} resamples; share <= 0: of them without a gain. "
            "* the interval excludes 0. It knows nothing of seeds: what is marked may still be luck in training.",
        ),
    )


def splits_table(results: Results) -> Table | None:
    """F1 on each split, less that on the first; None where no network was run on more than one."""
    rows = []
    for network in results.networks:
        splits = [split for split in SPLITS if results.of(network, split)]
        counts = {split: pooled(results.of(network, split), results.labels) for split in splits}
        for split in splits if len(splits) > 1 else ():
            score = Score.of(counts[split], results.labels)
            cells = (f"{score.total.micro_f1:.3f}", bounds(score.f1))
            judged = f1_difference(counts[split], counts[splits[0]]) if split != splits[0] else None
            found = ("", "", "")
            if judged is not None:
                found = (marked(judged[0]), span(judged[0]), "paired" if judged[1] else "apart")
            reported = f"{REPORTED[network].f1:.3f}" if network in REPORTED and split == splits[0] else ""
            name = network if split == splits[0] else ""
            rows.append(Row(name, (SHORT_NAMES[split], *cells, *found, reported)))
    if not rows:
        return None
    return Table(
        titled(results, "The same networks on several splits: does a leak explain the report's figures?"),
        (
            "network",
            "\nsplit",
            "\nF1",
            "95 %\ninterval",
            "against\nthe first",
            "95 %\ninterval",
            "com-\npared",
            "F1\nreport",
        ),
        tuple(rows),
        (
            f"official: {NAMES['official']}. mixture: {NAMES['mixture']}. subsequence: {NAMES['subsequence']}.",
            "Paired where the test recordings are the same, else apart: two bootstraps, one a split. * the interval "
            "excludes 0.",
        ),
    )


def grid_table(results: Results, split: SplitName) -> Table | None:
    """F1 over the paper's kernels and dilations; None where nothing but the report's was run."""
    runs = [run for run in results.runs if run.split == split]
    networks = [
        network
        for network in results.networks
        if any(run.network == network and (run.kernel, run.dilation) != (3, 10) for run in runs)
    ]
    rows = []
    for network in networks:
        for kernel in KERNELS:
            cells = []
            for dilation in DILATIONS:
                here = [run for run in runs if (run.network, run.kernel, run.dilation) == (network, kernel, dilation)]
                score = Score.of(pooled(here, results.labels), results.labels)
                interval = f" ({score.f1.low:.2f}-{score.f1.high:.2f})" if score.f1 is not None else ""
                cells.append(f"{score.total.micro_f1:.3f}{interval}" if here else NOT_RUN)
            missing = all(cell == NOT_RUN for cell in cells)
            rows.append(Row(f"{network} {kernel}×{kernel}", tuple(cells), "missing" if missing else ""))
    if not rows:
        return None
    return Table(
        titled(results, f"F1 by kernel and dilation, split: {NAMES[split]}"),
        ("network, kernel", *(f"dilation {dilation}" for dilation in DILATIONS)),
        tuple(rows),
        ("In brackets the 95 % interval over recordings. The report has 3×3 with dilation 10.",),
    )


def signed(value: float) -> str:
    """`+0.041`; what rounds to nothing has a plus."""
    return f"{round(value, 3) + 0.0:+.3f}"


def marked(found: Difference) -> str:
    """A difference, with a star where its interval excludes 0."""
    return signed(found.value) + (MARKED if found.excludes_zero else UNMARKED)


def span(found: Difference) -> str:
    """`-0.010 to +0.030`."""
    return f"{signed(found.low)} to {signed(found.high)}"
