"""The report's figures 11 to 15 and two of our own, each one axes wide, so that a page can set them side by side.

Colour says what a network has over time, line and marker how it convolves: plain is solid and filled, depthwise
separable dashed and hollow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hubbub.report.figures import FALSE, FOUND, INK, REFERENCE, plain
from hubbub.reproduce.results import EpochRow, Run
from hubbub.reproduce.scores import Score

Quantity = Literal["accuracy", "loss"]
ByLabel = Literal["f1_by_label", "recall_by_label"]
SIZE = (5.2, 3.3)
"""Inches: at its natural size about as wide as a phone."""
COLOURS = {
    "baseline": FOUND,
    "dessed": FOUND,
    "dilated": FALSE,
    "proposed_conv": FALSE,
    "proposed_pool": "#009e73",
    "dilated_strided": "#cc79a7",
    "proposed_strided": "#cc79a7",
    "mono_baseline": FOUND,
    "mono_proposed": FALSE,
    "mono_repaired": "#009e73",
    "hub_clip": "#cc79a7",
}
"""Okabe and Ito's: a GRU, 1×1 convolution, pooling, or the stride inside; of those for clips each has its own."""
SEPARABLE = (
    *("dessed", "proposed_conv", "proposed_pool", "proposed_strided"),
    *("mono_proposed", "mono_repaired", "hub_clip"),
)
NEAR = 2.0
"""Points this many times dearer are still in the way of a name, which stands behind the last of them."""
LABEL_GAP = 0.065
"""Between two names in a figure, as a share of its height."""


class Trained(Protocol):
    """A run with its epochs, of whatever recipe."""

    @property
    def network(self) -> str: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def curves(self) -> Sequence[EpochRow]: ...


class Scored(Protocol):
    """What a network is drawn as, label by label."""

    @property
    def name(self) -> str: ...
    @property
    def score(self) -> Score: ...


@dataclass(frozen=True)
class Drawn:
    """A network to be drawn: its first run, and its score over all of them."""

    run: Run
    score: Score

    @property
    def name(self) -> str:
        """The network's."""
        return self.run.network


def network_curves(run: Trained, quantity: Quantity, where: str = "") -> Figure:
    """One network's accuracy or loss over the epochs, in training and validation; the best epoch is marked.

    `where` stands before the title: which of several runs it is.
    """
    figure, axes = _axes(f"{where}{quantity} by epoch")
    epochs = [row.epoch for row in run.curves]
    validation = _column(run, quantity)
    marker = "o" if len(epochs) < 3 else None
    axes.plot(epochs, _column(run, quantity, "train"), color=REFERENCE, linestyle="--", label="training", marker=marker)
    axes.plot(epochs, validation, color=FOUND, linewidth=2, label="validation", marker=marker)
    if run.best_epoch in epochs:
        at = epochs.index(run.best_epoch)
        label = f"kept: epoch {run.best_epoch}, {validation[at]:.3f}"
        axes.plot([run.best_epoch], [validation[at]], "o", color=FALSE, label=label)
    axes.legend(frameon=False, labelcolor=INK)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def compared_curves(runs: Sequence[Trained], quantity: Quantity, where: str = "") -> Figure:
    """Several networks' validation accuracy or loss over the epochs in one; `where` stands before the title."""
    figure, axes = _axes(f"{where}validation {quantity} by epoch")
    for run in runs:
        epochs, values = [row.epoch for row in run.curves], _column(run, quantity)
        style, marker = ("--" if run.network in SEPARABLE else "-"), ("o" if len(epochs) < 3 else None)
        axes.plot(epochs, values, style, color=_colour(run.network), linewidth=1.6, label=run.network, marker=marker)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_below(figure, axes.get_legend_handles_labels()[0])
    return figure


def cost_figure(networks: Sequence[Drawn]) -> Figure:
    """F1 with its interval against multiply-adds for a second of audio, on a logarithmic axis."""
    figure, axes = _axes("frame F1 against multiply-adds per second of audio")
    for drawn in networks:
        cost, f1 = drawn.run.multiply_adds_per_second, drawn.score.total.micro_f1
        interval = drawn.score.f1
        if interval is not None:
            axes.plot([cost, cost], [interval.low, interval.high], color=_colour(drawn.name), linewidth=1.2)
        axes.plot([cost], [f1], "o", color=_colour(drawn.name), markerfacecolor=_face(drawn.name), markersize=7)
    axes.set_xscale("log")
    axes.set_ylim(0, _top(networks))
    costs = [drawn.run.multiply_adds_per_second for drawn in networks]
    # Room at the right for the names, which stand beside their points.
    axes.set_xlim(min(costs) / 2, max(costs) * (max(costs) / min(costs) * 4) ** 0.45)
    for drawn, height in zip(networks, _apart([d.score.total.micro_f1 for d in networks], _top(networks)), strict=True):
        at = (drawn.run.multiply_adds_per_second, drawn.score.total.micro_f1)
        axes.annotate(
            drawn.name,
            at,
            (1.3 * max(cost for cost in costs if cost < NEAR * at[0]), height),
            color=INK,
            fontsize=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": REFERENCE, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4},
        )
    axes.set_xlabel("multiply-adds per second, front end apart")
    return figure


def label_figure(
    networks: Sequence[Scored],
    trivial: Mapping[str, Score],
    title: str = "frame F1 by label",
    measure: ByLabel = "f1_by_label",
) -> Figure:
    """A point a network for every label, the one that is best detected on top; the bar is what not listening gets.

    Of a label that was never tested nothing could be recognised: its recall is no point.
    """
    labels = networks[0].score.total.labels
    found = np.array([_by_label(drawn.score, measure) for drawn in networks])  # (n_networks, n_labels)
    order = np.argsort(np.nan_to_num(found, nan=-1.0).mean(axis=0), kind="stable")
    figure, axes = _axes(title, (SIZE[0], 1.3 + 0.27 * len(labels)))
    rows = np.arange(len(labels))
    handles: list[Artist] = []
    if trivial:
        limit = np.max([_by_label(score, measure) for score in trivial.values()], axis=0)
        axes.barh(rows, limit[order], height=0.7, color=REFERENCE, alpha=0.3)
        handles.append(Line2D([], [], color=REFERENCE, alpha=0.3, linewidth=7, label="not listening"))
    for drawn, values in zip(networks, found, strict=True):
        handles += axes.plot(
            values[order],
            rows,
            "o",
            color=_colour(drawn.name),
            markerfacecolor=_face(drawn.name),
            markersize=5.5,
            label=drawn.name,
        )
    axes.set_yticks(rows, [plain(labels[index].replace("_", " ")) for index in order])
    axes.set_ylim(-0.7, len(labels) - 0.3)
    # None or all of a label's slices is common: room for whole points.
    axes.set_xlim((0, 1) if measure == "f1_by_label" else (-0.03, 1.03))
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x", alpha=0.3, linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    _legend_below(figure, handles)
    return figure


def _axes(title: str, size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3, linewidth=0.6)
    return figure, axes


def _legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=3,
        frameon=False,
        labelcolor=INK,
        fontsize=9,
    )


def _by_label(score: Score, measure: ByLabel) -> tuple[float, ...]:
    if measure == "f1_by_label":
        return score.total.f1_by_label
    tested = zip(score.total.recall_by_label, score.total.n_reference, strict=True)
    return tuple(recall if n else math.nan for recall, n in tested)


def _column(run: Trained, quantity: Quantity, side: Literal["train", "validation"] = "validation") -> list[float]:
    return [float(getattr(row, f"{side}_{quantity}")) for row in run.curves]


def _colour(network: str) -> str:
    return COLOURS.get(network, REFERENCE)


def _face(network: str) -> str:
    return "none" if network in SEPARABLE else _colour(network)


def _top(networks: Sequence[Drawn]) -> float:
    highest = max(drawn.score.f1.high if drawn.score.f1 else drawn.score.total.micro_f1 for drawn in networks)
    return min(1.0, max(0.1, 1.2 * highest))


def _apart(heights: Sequence[float], top: float) -> list[float]:
    """Where to write the names so that none lies on another: as near to `heights` as their order allows."""
    gap, order = LABEL_GAP * top, np.argsort(heights, kind="stable")
    placed = np.array(heights, dtype=np.float64)
    lowest = gap / 2
    for index in order:
        placed[index] = lowest = max(placed[index], lowest)
        lowest += gap
    highest = top
    for index in order[::-1]:
        placed[index] = highest = min(placed[index], highest)
        highest -= gap
    return [float(height) for height in placed]
