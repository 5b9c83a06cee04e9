"""Figures, drawn by matplotlib without pyplot: no global state, every function returns its own `Figure`."""

import base64
import io
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import HubbubError
from hubbub.events import Event
from hubbub.report.comparison import Probabilities, Row, Span, compare
from hubbub.report.spectrogram import Spectrogram, spectrogram
from hubbub.report.timeaxis import tick_texts, ticks
from hubbub.report.training_log import TrainingLog, read_training_log

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import imsave
    from matplotlib.patches import Patch
except ImportError as error:
    raise HubbubError('figures need matplotlib: pip install "hubbub[report]"') from error

# Okabe and Ito's palette: told apart by colour-blind readers, and of different greys.
FOUND, FALSE, REFERENCE = "#0072b2", "#d55e00", "#7f7f7f"
FREQUENCIES = (100, 500, 1000, 2000, 4000, 8000, 16000)
"""Hz: what is marked on a frequency axis where the recording reaches it."""
LONGEST_NAME = 22
"""Characters of a label in a figure."""
INK = "#123457"
"""Text and axes of an SVG that is to take its colour from the page around it; see `to_inline_svg`."""


def training_curves(log: Path | TrainingLog) -> Figure:
    """Loss and accuracy of training and validation over the epochs, side by side; the best epoch is marked.

    Raises `HubbubError` where a log given as a path cannot be read.
    """
    columns = read_training_log(log) if isinstance(log, Path) else log
    figure = Figure(figsize=(9, 3.1), layout="constrained")
    pairs = (
        ("loss", columns.train_loss, columns.validation_loss),
        ("accuracy", columns.train_accuracy, columns.validation_accuracy),
    )
    for axes, (title, train, validation) in zip(figure.subplots(1, 2), pairs, strict=True):
        marker = "o" if len(columns.epoch) < 3 else None
        axes.plot(columns.epoch, train, color=REFERENCE, linestyle="--", label="training", marker=marker)
        axes.plot(columns.epoch, validation, color=FOUND, linewidth=2, label="validation", marker=marker)
        if columns.best is not None:
            epoch = columns.epoch[columns.best]
            axes.axvline(epoch, color=FALSE, linewidth=1, linestyle=":")
            best = f"best: epoch {epoch:g}, {validation[columns.best]:.3g}"
            axes.plot([epoch], [validation[columns.best]], "o", color=FALSE, label=best)
        axes.set_title(title, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3, linewidth=0.6)
        axes.legend(frameon=False)
    return figure


def spectrogram_figure(samples: NDArray[np.floating], sample_rate: int) -> Figure:
    """The mel spectrogram of mono `samples`, shape (n_samples,), over time."""
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    axes = figure.subplots()
    _draw_spectrogram(axes, spectrogram(samples, sample_rate))
    _time_axis(axes, len(samples) / sample_rate)
    return figure


def timeline_figure(
    samples: NDArray[np.floating],
    sample_rate: int,
    reference: Iterable[Event] | None,
    estimated: Iterable[Event],
    probabilities: Probabilities | None = None,
) -> Figure:
    """A recording's spectrogram above, and below it one row a label.

    In a row the reference is the grey bar above, hollow where it was missed; what was estimated is the bar below,
    hatched where it was false; the line is the probability. `samples` are mono, shape (n_samples,). Raises
    `HubbubError` where the shapes of the probabilities do not fit each other.
    """
    rows = compare(reference, estimated, probabilities)
    figure = Figure(figsize=(10, 2.6 + 0.42 * max(1, len(rows))), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.8, 0.42 * max(1, len(rows))))
    picture = spectrogram(samples, sample_rate)
    _draw_spectrogram(above, picture)
    for index, row in enumerate(rows):
        _draw_row(below, index, row, has_reference=reference is not None)
    below.set_ylim(max(1, len(rows)), 0)
    below.set_yticks([index + 0.5 for index in range(len(rows))], [plain(row.label) for row in rows])
    below.tick_params(axis="y", length=0)
    below.spines[["top", "right", "left"]].set_visible(False)
    _time_axis(below, picture.duration)
    if reference is not None:
        figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def to_svg(figure: Figure) -> str:
    """A figure as a standalone SVG document, its text as text; the same figure gives the same bytes."""
    buffer = io.StringIO()
    no_date = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hubbub"}), warnings.catch_warnings():
        # Text stays text: whoever looks at it has a font with an owl, or not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="svg", metadata=no_date)
    return buffer.getvalue()


def to_inline_svg(figure: Figure) -> str:
    """A figure as an `<svg>` element for a page: no background, text and axes in the page's own ink and font."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
        axes.tick_params(colors=INK)
        axes.xaxis.label.set_color(INK)
        for spine in axes.spines.values():
            spine.set_color(INK)
        axes.set_title(axes.get_title(loc="left"), loc="left", color=INK)
        legend = axes.get_legend()
        for text in legend.get_texts() if legend is not None else ():
            text.set_color(INK)
    document = to_svg(figure)
    element = document[document.index("<svg") :]
    element = (
        re.sub(r'\s(xmlns(:xlink)?|version|width|height)="[^"]*"', "", element[: element.index(">")])
        + element[element.index(">") :]
    )
    return element.replace(INK, "currentColor").replace("xlink:href", "href")


def to_png_data_uri(figure: Figure, dots_per_inch: int = 110) -> str:
    """A figure as a PNG in a `data:` address."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch)
    return _data_uri(buffer.getvalue())


def picture_data_uri(picture: Spectrogram) -> str:
    """A spectrogram alone, without axes, one pixel a band and column, as a PNG in a `data:` address."""
    buffer = io.BytesIO()
    # Forty shades are more than the eye tells apart here, and halve the file.
    shades = np.round(picture.brightness * 40) / 40
    imsave(buffer, shades, format="png", cmap="magma", vmin=0, vmax=1, origin="lower")
    return _data_uri(buffer.getvalue())


def frequency_marks(picture: Spectrogram) -> list[tuple[str, float]]:
    """What to write beside a spectrogram: each text with its height, 0 at the bottom and 1 at the top."""
    marks = [(f"{f // 1000} kHz" if f >= 1000 else f"{f} Hz", picture.height_of(f)) for f in FREQUENCIES]
    return [(text, height) for text, height in marks if 0.05 < height <= 1]


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _draw_spectrogram(axes: Axes, picture: Spectrogram) -> None:
    extent = (0, max(picture.duration, 1e-6), 0, 1)
    axes.imshow(picture.brightness, cmap="magma", vmin=0, vmax=1, origin="lower", aspect="auto", extent=extent)
    marks = frequency_marks(picture)
    axes.set_yticks([height for _, height in marks], [text for text, _ in marks])


def _draw_row(axes: Axes, index: int, row: Row, *, has_reference: bool) -> None:
    above, below = (index + 0.12, 0.28), (index + 0.48, 0.40)
    if has_reference:
        axes.broken_barh(_widths(row.reference), above, facecolor=REFERENCE)
        axes.broken_barh(_widths(row.missed), above, facecolor="white", edgecolor=REFERENCE, linewidth=1)
    else:
        below = (index + 0.2, 0.6)
    axes.broken_barh(_widths(row.estimated), below, facecolor=FOUND)
    axes.broken_barh(_widths(row.false), below, facecolor="white", edgecolor=FALSE, hatch="/////", linewidth=1)
    if row.curve is not None and row.edges is not None:
        middles = (row.edges[:-1] + row.edges[1:]) / 2
        axes.plot(middles, index + 0.95 - 0.85 * row.curve, color="black", linewidth=0.7)
    axes.axhline(index + 1, color=REFERENCE, linewidth=0.3)


def _widths(events: Sequence[Event | Span]) -> list[Span]:
    spans = [(event.onset, event.offset) if isinstance(event, Event) else event for event in events]
    return [(onset, offset - onset) for onset, offset in spans]


def _legend() -> list[Patch]:
    return [
        Patch(facecolor=REFERENCE, label="reference"),
        Patch(facecolor="white", edgecolor=REFERENCE, label="missed"),
        Patch(facecolor=FOUND, label="found"),
        Patch(facecolor="white", edgecolor=FALSE, hatch="/////", label="false"),
    ]


def _time_axis(axes: Axes, duration: float) -> None:
    axes.set_xlim(0, max(duration, 1e-6))
    marks = ticks(0.0, duration, at_most=9)
    axes.set_xticks(marks, tick_texts(marks))


def plain(label: str) -> str:
    """A label as matplotlib shall print it: between dollar signs it would read mathematics."""
    return label.replace("$", r"\$")


def short(label: str) -> str:
    """A label that leaves a figure room beside it, cut with an ellipsis where it is longer than `LONGEST_NAME`."""
    return label if len(label) <= LONGEST_NAME else label[: LONGEST_NAME - 1] + "…"
