"""Finished runs as tables and as one figure, F1 against cost. `networks.py show` calls it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from networks_cost import middle
from numpy.typing import NDArray

MEASURES = ("frame", "event", "psds1")
TITLES = {"frame": "frame F1", "segment": "segment F1", "event": "event F1", "psds1": "PSDS 1"}
OUR_COLOUR, THEIR_COLOUR = "#0b6e4f", "#9a3b26"


@dataclass(frozen=True)
class Runs:
    """All seeds of one network trained one way. `arrays`: by measure what intervals are made of, one a seed."""

    name: str
    results: Sequence[Mapping[str, Any]]
    arrays: Sequence[Mapping[str, NDArray[Any]]]

    @property
    def recipe(self) -> str:
        """How they were trained."""
        return str(self.results[0]["recipe"])

    def mean(self, measure: str) -> float:
        """Over the seeds."""
        return float(np.mean([result[measure] for result in self.results]))

    def spread(self, measure: str) -> float:
        """Standard deviation over the seeds."""
        values = [result[measure] for result in self.results]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0

    def resampled(self, measure: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean over the seeds in each resample of the recordings, (n_resamples,)."""
        if measure == "psds1":
            return np.mean([each["psds1"] for each in self.arrays], axis=0)
        return np.mean([micro_f1(times, each[measure]) for each in self.arrays], axis=0)


def micro_f1(times: NDArray[np.float64], counts: NDArray[Any]) -> NDArray[np.float64]:
    """F1 of resamples that hold each recording `times`; counts (n_recordings, 3, n_labels): hits, false, missed."""
    hits, false, missed = np.moveaxis(times @ counts.sum(2), 1, 0)
    return np.divide(2 * hits, 2 * hits + false + missed, out=np.zeros_like(hits), where=hits > 0)


def read_runs(folder: Path) -> dict[str, Runs]:
    """By network, recipe and minutes."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.json")):
        groups.setdefault(path.stem.rsplit("-", 1)[0], []).append(path)
    return {
        name: Runs(
            name,
            [json.loads(path.read_text(encoding="utf-8")) for path in paths],
            [dict(np.load(path.with_suffix(".npz"), allow_pickle=False)) for path in paths],
        )
        for name, paths in groups.items()
    }


def quality_table(runs: Mapping[str, Runs], recipe: str, is_ours: Callable[[str], bool]) -> str:
    """Means and spreads over the seeds of what was trained one way, the best first; ours in bold letters."""
    lines = [
        "| network | min heard | frame F1 | segment F1 | event F1 | PSDS 1 | seeds |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for each in sorted(runs.values(), key=lambda each: -each.mean("frame")):
        first, n_seeds = each.results[0], len(each.results)
        if each.recipe != recipe:
            continue
        scores = []
        for measure in ("frame", "segment", "event", "psds1"):
            digits = 4 if measure == "psds1" else 3
            spread = f" ± {each.spread(measure):.{digits}f}" if n_seeds > 1 else ""
            scores.append(f"{each.mean(measure):.{digits}f}{spread}")
        bold = "**" if is_ours(first["network"]) else ""
        lines.append(f"| {bold}{first['network']}{bold} | {first['minutes']:g} | {' | '.join(scores)} | {n_seeds} |")
    return "\n".join(lines) + "\n"


def same_audio(runs: Mapping[str, Runs], recipe: str, is_ours: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Pairs of one of ours and one of theirs, trained one way: of each two the longest training that both had."""
    minutes: dict[str, dict[float, str]] = {}
    for name, each in runs.items():
        if each.recipe == recipe:
            minutes.setdefault(each.results[0]["network"], {})[each.results[0]["minutes"]] = name
    pairs = []
    for ours in filter(is_ours, minutes):
        for theirs in minutes:
            common = set(minutes[ours]) & set(minutes[theirs])
            if common and not is_ours(theirs):
                pairs.append((minutes[ours][max(common)], minutes[theirs][max(common)]))
    return sorted(pairs, key=lambda pair: (pair[0].split("-")[0], -runs[pair[1]].mean("frame")))


def difference_table(runs: Mapping[str, Runs], pairs: Sequence[tuple[str, str]], times: NDArray[np.float64]) -> str:
    """What the first of each pair scores above the second, with the 95 % interval of the paired bootstrap."""
    lines = ["| | " + " | ".join(TITLES[measure] for measure in MEASURES) + " |", "|---|---:|---:|---:|"]
    for first, second in pairs:
        cells = []
        for measure in MEASURES:
            digits = 4 if measure == "psds1" else 3
            drawn = runs[first].resampled(measure, times) - runs[second].resampled(measure, times)
            value = runs[first].mean(measure) - runs[second].mean(measure)
            low, high = np.quantile(drawn, [0.025, 0.975])
            sure = "**" if low > 0 or high < 0 else ""
            cells.append(f"{sure}{value:+.{digits}f}{sure} ({low:+.{digits}f} to {high:+.{digits}f})")
        lines.append(f"| {first} − {second} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def cost_table(costs: Mapping[str, Mapping[str, Any]]) -> str:
    """Sizes and times; ratios beside the times are those of the first network to each: above 1, the first is slower."""
    lines = [
        "| network | parameters | multiply-adds, M a second | file kB | int8 kB | train a minute, s | "
        "detect an hour, s | int8, s | without reading and resampling, s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    slow = next(iter(costs.values()))
    for name, cost in costs.items():
        times = [
            f"{middle(cost[key]):.3g} ({middle(slow[key]) / middle(cost[key]):.1f})"
            for key in ("train", "detect", "graph")
        ]
        int8 = (
            (f"{cost['kilobytes_int8']:.0f}", f"{middle(cost['detect_int8']):.3g}")
            if "detect_int8" in cost
            else ("", "")
        )
        lines.append(
            f"| {name} | {cost['parameters']:,} | {cost['multiply_adds'] / 1e6:.1f} | {cost['kilobytes']:.0f} | "
            f"{int8[0]} | {times[0]} | {times[1]} | {int8[1]} | {times[2]} |".replace(",", " ")
        )
    return "\n".join(lines) + "\n"


PANELS = {"plain": "the same plain recipe", "best": "each at its best"}
PLACES = [
    (0, 9, 4, "left"), (0, 9, -11, "left"), (0, -9, 4, "right"), (0, -9, -11, "right"), (1, 0, 7, "center"),
    (-1, 0, -14, "center"), (0, 9, 16, "left"), (0, 9, -23, "left"), (0, -9, 16, "right"), (0, -9, -23, "right"),
]  # fmt: skip
"""Where a name may stand, the best first: from its point or an end of its spread, in points of type."""


def figure(runs: Mapping[str, Runs], path: Path, is_ours: Callable[[str], bool]) -> None:
    """Frame F1 against multiply-adds, a panel for each recipe, one point a network after the most minutes of audio that
    it was given, as SVG or PNG by the name of `path`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn, panels = pyplot.subplots(1, 2, figsize=(13, 5.4), sharex=True, sharey=True, layout="constrained")
    shown = [longest(runs, recipe) for recipe in PANELS]
    for axes, each, title in zip(panels, shown, PANELS.values(), strict=True):
        _points(axes, each, is_ours)
        axes.set_title(title, fontsize=11)
    low, high = panels[0].get_xlim()
    panels[0].set_xlim(low / 1.2, 4 * high)  # room for the names
    panels[0].set_ylabel("frame F1, 10 ms, mean and spread of the seeds")
    drawn.supxlabel("multiply-adds for a second of audio, millions (front end apart)", fontsize=10)
    title = "Beside each network the minutes of audio heard in training. Green: ours; red: the report's and the paper's"
    drawn.suptitle(title, fontsize=11)
    drawn.draw_without_rendering()  # so that it is known where everything lies
    for axes, each in zip(panels, shown, strict=True):
        _names(axes, each)
    drawn.savefig(path, dpi=130)
    pyplot.close(drawn)


def longest(runs: Mapping[str, Runs], recipe: str) -> list[Runs]:
    """Of each network the runs that heard most, the best first."""
    found: dict[str, Runs] = {}
    for each in sorted(runs.values(), key=lambda each: float(each.results[0]["minutes"])):
        if each.recipe == recipe:
            found[each.results[0]["network"]] = each
    return sorted(found.values(), key=lambda each: -each.mean("frame"))


def _place(each: Runs) -> tuple[float, float]:
    return float(each.results[0]["multiply_adds"]) / 1e6, each.mean("frame")


def _points(axes: Any, shown: Sequence[Runs], is_ours: Callable[[str], bool]) -> None:
    for each in shown:
        colour = OUR_COLOUR if is_ours(each.results[0]["network"]) else THEIR_COLOUR
        axes.errorbar(*_place(each), each.spread("frame"), fmt="o", ms=8, capsize=3, color=colour)
    axes.set_xscale("log")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _names(axes: Any, shown: Sequence[Runs]) -> None:
    """Writes each network's name where it hides no point, spread or other name, if there is such a place."""
    from matplotlib.transforms import Bbox

    taken = []
    for each in shown:
        cost, height = _place(each)
        spread = each.spread("frame")
        low, high = axes.transData.transform([(cost, height - spread), (cost, height + spread)])
        taken.append(Bbox([low - 9, high + 9]))
    for each in shown:
        cost, height = _place(each)
        for place in PLACES:
            end, x, y, side = place
            name = axes.annotate(
                f"{each.results[0]['network']}, {each.results[0]['minutes']:g}",
                (cost, height + end * each.spread("frame")), (x, y), ha=side,
                textcoords="offset points", fontsize=8.5,
            )  # fmt: skip
            box = name.get_window_extent()
            if not any(box.overlaps(other) for other in taken) or place == PLACES[-1]:
                break
            name.remove()
        taken.append(box)
