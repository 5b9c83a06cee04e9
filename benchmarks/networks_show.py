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


def quality_table(runs: Mapping[str, Runs]) -> str:
    """Means and spreads over the seeds."""
    lines = [
        "| network | recipe | min heard | frame F1 | segment F1 | event F1 | PSDS 1 | training s a seed | seeds |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in sorted(runs.values(), key=lambda each: -each.mean("frame")):
        first = each.results[0]
        scores = [f"{each.mean(m):.3f} ± {each.spread(m):.3f}" for m in ("frame", "segment", "event")]
        psds1 = f"{each.mean('psds1'):.4f} ± {each.spread('psds1'):.4f}"
        lines.append(
            f"| {first['network']} | {first['recipe']} | {first['minutes']:g} | {' | '.join(scores)} | {psds1} | "
            f"{np.mean([r['seconds'] for r in each.results]):.0f} | {len(each.results)} |"
        )
    return "\n".join(lines) + "\n"


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


def cost_table(costs: Mapping[str, Mapping[str, Any]], reference: str) -> str:
    """Sizes and times; ratios beside the times are those of `reference` to the network: above 1, it is slower."""
    lines = [
        "| network | parameters | multiply-adds, M a second | file kB | int8 kB | train a minute, s | "
        "detect an hour, s | int8, s | without reading and resampling, s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    slow = costs[reference]
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


CLOSE = 0.03
"""Of frame F1: nearer points would write over each other's names."""


def figure(runs: Mapping[str, Runs], path: Path, is_ours: Callable[[str], bool]) -> None:
    """Frame F1 against multiply-adds, one point a network and recipe, as SVG or PNG by the name of `path`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(figsize=(9, 5.2), layout="constrained")
    ordered = sorted(runs.values(), key=lambda each: (each.results[0]["multiply_adds"], each.mean("frame")))
    for each in ordered:
        first = each.results[0]
        cost = first["multiply_adds"] / 1e6
        colour = OUR_COLOUR if is_ours(first["network"]) else THEIR_COLOUR
        axes.errorbar(
            cost, each.mean("frame"), each.spread("frame"), fmt="o", ms=9, capsize=3,
            color=colour, markerfacecolor=colour if first["recipe"] == "best" else "white",
        )  # fmt: skip
        near = [o for o in ordered if 1 / 1.5 < o.results[0]["multiply_adds"] / first["multiply_adds"] < 1.5]
        close = any(0 < o.mean("frame") - each.mean("frame") < CLOSE for o in near)  # the lower one has its name below
        left = any(  # of two side by side the cheaper one has its name on its other side
            1 < o.results[0]["multiply_adds"] / first["multiply_adds"] < 1.25
            and abs(o.mean("frame") - each.mean("frame")) < CLOSE
            for o in near
        )
        best = " at its best" if first["recipe"] == "best" else ""
        axes.annotate(
            f"{first['network']}, {first['minutes']:g} min{best}", (cost, each.mean("frame")),
            (-9 if left else 9, -11 if close else 4), ha="right" if left else "left",
            textcoords="offset points", fontsize=8.5,
        )  # fmt: skip
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, 2.5 * high)  # room for the names
    axes.set_xlabel("multiply-adds for a second of audio, millions (front end apart)")
    axes.set_ylabel("frame F1, 10 ms, mean and spread of the seeds")
    filled = "; filled: at its best" if any(each.results[0]["recipe"] == "best" for each in ordered) else ""
    axes.set_title(f"Minutes of audio heard in training, the same plain recipe{filled}. Green: ours; red: the report's")
    axes.title.set_fontsize(10)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    drawn.savefig(path, dpi=130)
    pyplot.close(drawn)
