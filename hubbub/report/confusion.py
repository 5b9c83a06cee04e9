"""What was taken for what: a confusion matrix, in ink that can be read on light and on dark pages."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hubbub.report.figures import FOUND, INK, plain, short

CELL = 0.36
"""Inches: a number of three digits has room."""
ROOM = 1.7
"""Inches for the labels' names, beside and below."""
FILLED = 0.97
"""Of a cell's width, so that neighbours are told apart."""
DARK = 0.85
"""From this share on a cell is so blue that what stands in it is white."""


def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Every row of a confusion matrix as parts of its sum; a label that was never tested has zeros."""
    parts: NDArray[np.float64] = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return parts


def confusion_figure(counts: NDArray[np.int64], labels: Sequence[str], title: str) -> Figure:
    """A confusion matrix (n_labels, n_labels): truth from top to bottom, answers from left to right, rows in percent.

    The bluer a cell, the more of its row; on the diagonal is what was recognised.
    """
    parts = shares(counts)
    side = ROOM + CELL * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    there = [(row, column) for row, column in np.ndindex(parts.shape) if counts[row, column]]
    corner = FILLED / 2
    cells = [Rectangle((column - corner, row - corner), FILLED, FILLED) for row, column in there]
    # Blue upon whatever the page is, so that an empty cell looks like no cell.
    colours = [(*to_rgb(FOUND), parts[cell]) for cell in there]
    axes.add_collection(PatchCollection(cells, facecolors=colours, linewidths=0))
    for row, column in there:
        part = float(parts[row, column])
        colour = "white" if part >= DARK else INK
        axes.text(column, row, percent(part), color=colour, ha="center", va="center", fontsize=8)
    names = [plain(short(label.replace("_", " "))) for label in labels]
    places = np.arange(len(labels))
    axes.set_xticks(places, names, rotation=90)
    axes.set_yticks(places, names)
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xlabel("taken for")
    axes.set_ylabel("is", color=INK)
    axes.spines[["top", "right", "left", "bottom"]].set_alpha(0.3)
    return figure


def percent(part: float) -> str:
    """`87`; what rounds to nothing is `<1`, and what rounds to all without being it `>99`."""
    text = f"{100 * part:.0f}"
    if text == "0" and part > 0:
        return "<1"
    return ">99" if text == "100" and part < 1 else text
