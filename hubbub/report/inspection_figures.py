"""The figures of an inspected data set, each drawn from its plain numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from hubbub.datasets.inspection import Inspection
from hubbub.datasets.statistics import LabelFacts
from hubbub.errors import HubbubError
from hubbub.report.figures import FALSE, FOUND, INK, REFERENCE
from hubbub.report.inspection_tables import depths, doubling

try:
    from matplotlib.axes import Axes
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure
except ImportError as error:
    raise HubbubError('figures need matplotlib: pip install "hubbub[report]"') from error

ROW = 0.27
"""Inches that a label takes."""
WIDTH = 9.0
MOST_LETTERS = 32
"""Below the bars of a panel, one of three; more of them stand aslant."""


def events_by_label(inspection: Inspection) -> Figure:
    """A bar for each label, most events first, with a mark where a publication counts them."""
    facts = sorted(inspection.labels, key=lambda fact: fact.n_events)
    figure = Figure(figsize=(WIDTH, _height(facts)), layout="constrained")
    axes = figure.subplots()
    rows = range(len(facts))
    axes.barh(rows, [fact.n_events for fact in facts], color=FOUND, height=0.7, label="here")
    published = [fact.published for fact in facts if fact.published is not None]
    if published:
        axes.plot(published, rows, "D", color=FALSE, markersize=5, label=inspection.publication)
        axes.legend(frameon=False, loc="lower right")
    for row, fact in enumerate(facts):
        axes.annotate(
            str(fact.n_events), (fact.n_events, row), (4, 0), textcoords="offset points", va="center", color=INK
        )
    axes.set_xlabel(inspection.counted)
    _label_rows(axes, facts)
    return figure


def lengths(inspection: Inspection) -> Figure:
    """The lengths of all events as a histogram, and beside it those of each label, from the shortest to the longest."""
    facts = sorted((fact for fact in inspection.labels if fact.n_events), key=lambda fact: fact.lengths.median)
    figure = Figure(figsize=(WIDTH, max(3.0, _height(facts))), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges = np.array(inspection.lengths.edges)
    left.bar(edges[:-1], inspection.lengths.counts, np.diff(edges), align="edge", color=FOUND, edgecolor="none")
    even = len(edges) > 2 and np.allclose(np.diff(edges), edges[1] - edges[0])
    if not even:
        left.set_xscale("log", base=2)
    left.set_title(f"all {inspection.counted}", loc="left")
    left.set_xlabel("seconds")
    _quiet(left, "y")
    for row, fact in enumerate(facts):
        its = fact.lengths
        right.plot([its.shortest, its.longest], [row, row], color=REFERENCE, linewidth=1)
        right.plot([its.lower_quartile, its.upper_quartile], [row, row], color=FOUND, linewidth=5)
        right.plot([its.median], [row], "o", color=FALSE, markersize=5)
    if not even:
        right.set_xscale("log", base=2)
    right.set_title("by label: range, middle half, median", loc="left")
    right.set_xlabel("seconds")
    _label_rows(right, facts)
    for axes in (left, right):
        axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds:.2g}" if seconds < 1 else f"{seconds:g}")
        axes.minorticks_off()
    return figure


def at_once(inspection: Inspection) -> Figure:
    """The part of the time in which 0, 1, 2, … labels sound, and how many do on average as recordings go on."""
    found = inspection.polyphony
    assert found is not None
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    _bars(left, {str(number): 100 * share for number, share in enumerate(found.shares)}, "{:.1f}")
    left.set_title("% of the time", loc="left")
    left.set_xlabel("labels at once")
    places = _places(len(found.over_time))
    right.fill_between(places, found.over_time, color=FOUND, alpha=0.25, linewidth=0)
    right.plot(places, found.over_time, color=FOUND, linewidth=2)
    right.axhline(found.mean, color=FALSE, linewidth=1, linestyle=":", label=f"mean {found.mean:.2f}")
    right.set_title("labels at once, on average", loc="left")
    right.set_xlabel("% of the recording")
    right.set_xlim(0, 100)
    right.set_ylim(0)
    right.legend(frameon=False, loc="lower right")
    _quiet(right, "y")
    return figure


def activity(inspection: Inspection) -> Figure:
    """A row for each label: how much of the time it sounds, from the beginning of the recordings to their end."""
    facts = list(reversed(inspection.labels))
    shares = np.array([fact.over_time for fact in facts])
    figure = Figure(figsize=(WIDTH, _height(facts)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2.4, 1), sharey=True)
    shades = np.empty((*shares.shape, 4))  # from clear to full, so that it stands on a page of any colour
    shades[..., :3] = to_rgb(FOUND)
    shades[..., 3] = shares / (shares.max() or 1)
    left.imshow(shades, aspect="auto", origin="lower", extent=(0, 100, -0.5, len(facts) - 0.5), interpolation="nearest")
    left.set_title(f"when it sounds: full colour is {100 * shares.max():.0f} % of the time", loc="left")
    left.set_xlabel("% of the recording")
    whole = inspection.seconds or 1
    right.barh(range(len(facts)), [100 * fact.seconds / whole for fact in facts], color=FOUND, height=0.7)
    right.set_title("% of the time in all", loc="left")
    _label_rows(right, facts)
    _label_rows(left, facts)
    left.grid(visible=False)
    return figure


def folds(inspection: Inspection) -> Figure:
    """The clips of each label in each fold, and how many recordings gave how many of the clips."""
    facts = [fact for fact in reversed(inspection.labels) if fact.n_events]
    numbers = np.array([[fold.n_by_label.get(fact.label, 0) for fold in inspection.folds] for fact in facts])
    figure = Figure(figsize=(WIDTH, max(3.0, _height(facts) + 0.3)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.9, 1))
    shades = np.empty((*numbers.shape, 4))
    shades[..., :3] = to_rgb(FOUND)
    shades[..., 3] = 0.65 * numbers / numbers.max()  # so that the number in it can be read
    left.imshow(shades, aspect="auto", origin="lower", interpolation="nearest")
    for (row, column), number in np.ndenumerate(numbers):
        left.annotate(str(number), (column, row), ha="center", va="center", color=INK, fontsize=8)
    left.set_xticks(range(len(inspection.folds)), [str(fold.fold) for fold in inspection.folds])
    left.tick_params(axis="x", length=0)
    left.set_xlabel("fold")
    left.set_title(f"{inspection.counted} by label and fold", loc="left")
    _label_rows(left, facts)
    left.set_ylim(-0.5, len(facts) - 0.5)
    left.grid(visible=False)
    _bars(right, doubling(inspection.clips_of_recordings), "{:g}")
    right.set_xlabel(f"{inspection.counted} of a recording")
    right.set_title("recordings", loc="left")
    return figure


def sounds(inspection: Inspection) -> Figure:
    """Recordings by sampling rate, by kind of sample and by channels."""
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    named: list[tuple[str, Mapping[str, float]]] = [
        ("sampling rate, kHz", {f"{rate / 1000:g}": n for rate, n in sorted(inspection.sample_rates.items())}),
        ("samples", dict(sorted(depths(inspection).items(), key=_by_number))),
        ("channels", {str(channels): n for channels, n in sorted(inspection.channels.items())}),
    ]
    for axes, (title, numbers) in zip(figure.subplots(1, 3), named, strict=True):
        _bars(axes, numbers, "{:g}")
        axes.set_title(title, loc="left")
    return figure


def _bars(axes: Axes, values: Mapping[str, float], text: str) -> None:
    axes.bar(range(len(values)), list(values.values()), color=FOUND, width=0.7)
    axes.set_xlim(-0.6, max(len(values), 4) - 0.4)  # one bar alone is no wall
    tight = (len(values) > 6 and max(map(len, values)) > 2) or sum(map(len, values)) > MOST_LETTERS
    axes.set_xticks(
        range(len(values)), list(values), rotation=45 if tight else 0, ha="right" if tight else "center",
        rotation_mode="anchor" if tight else "default",
    )  # fmt: skip
    for place, value in enumerate(values.values()):
        axes.annotate(
            text.format(value), (place, value), (0, 3), textcoords="offset points", ha="center", color=INK, fontsize=9
        )
    axes.margins(y=0.15)
    _quiet(axes, "y")


def _label_rows(axes: Axes, facts: Sequence[LabelFacts]) -> None:
    axes.set_yticks(range(len(facts)), [fact.label.replace("$", r"\$") for fact in facts])
    axes.set_ylim(-0.6, len(facts) - 0.4)
    axes.tick_params(axis="y", length=0)
    _quiet(axes, "x")


def _by_number(named: tuple[str, float]) -> tuple[int, str]:
    """4 bit before 16 bit, and codecs without a number last."""
    first = named[0].split()[0]
    return (int(first) if first.isdecimal() else 1000, named[0])


def _quiet(axes: Axes, grid: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if grid == "x":
        axes.grid(axis="x", alpha=0.3, linewidth=0.6)
    else:
        axes.grid(axis="y", alpha=0.3, linewidth=0.6)


def _places(n_parts: int) -> np.ndarray:
    return (np.arange(n_parts) + 0.5) * 100 / n_parts


def _height(facts: Sequence[LabelFacts]) -> float:
    return 0.9 + ROW * max(3, len(facts))
