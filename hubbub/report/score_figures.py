"""Figures of how a system decides: what each threshold would give, and whether probabilities mean what they say."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from hubbub.metrics import PsdsResult
from hubbub.report.figures import FALSE, FOUND, INK, REFERENCE, plain, short
from hubbub.tuning import Reliability, ThresholdCurves

COLUMNS = 4
PANEL = (2.3, 1.7)
"""Inches, width and height, of one label's plot."""


def threshold_figure(curves: ThresholdCurves, chosen: Mapping[str, float]) -> Figure:
    """A small plot a label: frame-wise F1, precision and recall over the threshold; the `chosen` one is marked."""
    n_rows = -(-len(curves.labels) // COLUMNS)
    n_columns = min(COLUMNS, len(curves.labels))
    figure = Figure(figsize=(PANEL[0] * n_columns, PANEL[1] * n_rows + 0.4), layout="constrained")
    grid = np.atleast_2d(figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False))
    for axes in grid.flat[len(curves.labels) :]:
        axes.set_visible(False)
    for index, (label, axes) in enumerate(zip(curves.labels, grid.flat, strict=False)):
        axes.plot(curves.thresholds, curves.precision[index], color=REFERENCE, linewidth=1, label="precision")
        axes.plot(curves.thresholds, curves.recall[index], color=REFERENCE, linewidth=1, ls="--", label="recall")
        axes.plot(curves.thresholds, curves.f1[index], color=FOUND, linewidth=2, label="F1")
        if label in chosen:
            axes.axvline(chosen[label], color=FALSE, linewidth=1.2, linestyle=":", label="chosen")
        axes.set_title(plain(short(label)), loc="left", fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        axes.set_xticks([0, 0.5, 1])
        axes.set_yticks([0, 0.5, 1])
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3, linewidth=0.6)
    handles, names = grid.flat[0].get_legend_handles_labels()
    legend = figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_color(INK)
    return figure


def amount_figure(labels: Sequence[str], reference: Sequence[float], estimated: Sequence[float]) -> Figure:
    """Seconds in which each label sounds, and in which it was found, as two bars."""
    figure = Figure(figsize=(7, 0.6 + 0.3 * len(labels)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(labels))
    axes.barh(places - 0.2, reference, height=0.36, color=REFERENCE, label="in the reference")
    axes.barh(places + 0.2, estimated, height=0.36, color=FOUND, label="found")
    axes.set_yticks(places, [plain(short(label)) for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("seconds")
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3, linewidth=0.6)
    return figure


def psds_figure(results: Mapping[str, PsdsResult]) -> Figure:
    """The staircases of which PSDS is the area: the effective rate of found events over that of false ones an hour."""
    figure = Figure(figsize=(6.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, result), colour in zip(results.items(), (FOUND, FALSE), strict=False):
        rates, found = result.curve
        axes.step(rates, found, where="post", color=colour, linewidth=2, label=f"{name}: {result.value:.3f}")
        axes.set_xlim(0, result.settings["max_efpr"])
    axes.set_ylim(0, 1)
    axes.set_title("", loc="left")
    axes.set_xlabel("false events an hour and label, cross-triggers included")
    axes.set_ylabel("events found, less their spread", color=INK)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3, linewidth=0.6)
    return figure


def reliability_figure(found: Reliability) -> Figure:
    """The share that is true over the probability given, and below how many frame × label cells were given it."""
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1, linestyle="--", label="as it should be")
    above.plot(found.given, found.true, color=FOUND, linewidth=2, marker="o", markersize=4, label="measured")
    above.set_title(f"expected calibration error {found.error:.4f}", loc="left", fontsize=10)
    above.set_ylabel("share that is true", color=INK)
    above.set_ylim(0, 1)
    above.legend(frameon=False, fontsize=9)
    below.bar(found.given, found.n_cells, width=0.03, color=REFERENCE)
    below.set_yscale("log")
    below.set_ylabel("cells", color=INK)
    below.set_xlabel("probability given")
    below.set_xlim(0, 1)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3, linewidth=0.6)
    return figure
