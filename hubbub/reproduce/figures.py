"""The report's figures 11 to 15 and two of our own, each one axes wide, so that a page can set them side by side.

Colour says what a network has over time, line and marker how it convolves: plain is solid and filled, depthwise
separable dashed and hollow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hubbub.report.figures import FALSE, FOUND, INK, REFERENCE
from hubbub.reproduce.results import Run
from hubbub.reproduce.scores import Score

Quantity = Literal["accuracy", "loss"]
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
}
"""Okabe and Ito's: a GRU, 1×1 convolution, pooling, or the stride inside."""
SEPARABLE = ("dessed", "proposed_conv", "proposed_pool", "proposed_strided")
NEAR = 2.0
"""Points this many times dearer are still in the way of a name, which stands behind the last of them."""
LABEL_GAP = 0.065
"""Between two names in a figure, as a share of its height."""


@dataclass(frozen=True)
class Drawn:
    """A network to be drawn: its first run, and its score over all of them."""

    run: Run
    score: Score

    @property
    def name(self) -> str:
        """The network's."""
        return self.run.network


def network_curves(run: Run, quantity: Quantity) -> Figure:
    """One network's accuracy or loss over the epochs, in training and validation; the best epoch is marked."""
    figure, axes = _axes(f"{quantity} by epoch")
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


def compared_curves(runs: Sequence[Run], quantity: Quantity) -> Figure:
    """Several networks' validation accuracy or loss over the epochs in one."""
    figure, axes = _axes(f"validation {quantity} by epoch")
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


def label_figure(networks: Sequence[Drawn], trivial: Mapping[str, Score]) -> Figure:
    """F1 by label: a point a network, the label that is best detected on top; the bar is what not listening gets."""
    labels = networks[0].score.total.labels
    f1 = np.array([drawn.score.total.f1_by_label for drawn in networks])  # (n_networks, n_labels)
    order = np.argsort(f1.mean(axis=0), kind="stable")
    figure, axes = _axes("frame F1 by label", (SIZE[0], 1.3 + 0.27 * len(labels)))
    rows = np.arange(len(labels))
    handles: list[Artist] = []
    if trivial:
        limit = np.max([score.total.f1_by_label for score in trivial.values()], axis=0)
        axes.barh(rows, limit[order], height=0.7, color=REFERENCE, alpha=0.3)
        handles.append(Line2D([], [], color=REFERENCE, alpha=0.3, linewidth=7, label="not listening"))
    for drawn, values in zip(networks, f1, strict=True):
        handles += axes.plot(
            values[order],
            rows,
            "o",
            color=_colour(drawn.name),
            markerfacecolor=_face(drawn.name),
            markersize=5.5,
            label=drawn.name,
        )
    axes.set_yticks(rows, [labels[index].replace("_", " ") for index in order])
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.set_xlim(0, 1)
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


def _column(run: Run, quantity: Quantity, side: Literal["train", "validation"] = "validation") -> list[float]:
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
