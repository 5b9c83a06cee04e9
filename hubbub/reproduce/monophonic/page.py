"""One HTML file that shows the monophonic reproduction, made as the polyphonic one is and with its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from hubbub.datasets.urbansound8k_protocols import PROTOCOLS, RANDOM, Protocol
from hubbub.report.confusion import confusion_figure
from hubbub.reproduce.facts import call, facts
from hubbub.reproduce.figures import compared_curves, label_figure, network_curves
from hubbub.reproduce.monophonic.comparisons import comparison_tables, main_tables
from hubbub.reproduce.monophonic.figures import confusion
from hubbub.reproduce.monophonic.reported import DESCRIPTIONS, REPORTED
from hubbub.reproduce.monophonic.results import ClipResults, ClipRun
from hubbub.reproduce.monophonic.scores import network_score, trivial_score, trivial_systems
from hubbub.reproduce.monophonic.summary import clip_summary
from hubbub.reproduce.page import Bar, Fold, bar, inline, template, write_html
from hubbub.reproduce.scores import Score
from hubbub.reproduce.table import QUICK_LOOK

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Pair:
    """A network in the chart on top: a bar a protocol."""

    name: str
    description: str
    kind: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class ByLabel:
    """A network's points in a figure by label."""

    name: str
    score: Score


def write_clip_page(path: Path, results: ClipResults) -> None:
    """Write one HTML file, beside its place first and then renamed. Raises `HubbubError` where it cannot be written."""
    write_html(path, render_clips(results))


def render_clips(results: ClipResults) -> str:
    """The page as HTML."""
    return template("clips.html", TEMPLATES).render(
        results=results,
        quick_look="" if results.is_the_result else QUICK_LOOK,
        summary=[text for text in clip_summary(results) if not text.startswith(QUICK_LOOK)],
        pairs=_pairs(results),
        protocols=PROTOCOLS,
        tables=main_tables(results),
        comparisons=comparison_tables(results),
        labels=inline(_label_figures(results)),
        matrices=_matrices(results),
        curves=_curves(results),
        facts=facts(results),
        commands=clip_commands(results),
    )


def clip_commands(results: ClipResults) -> list[str]:
    """The call that made the runs; the user's own folder stands where DATA does."""
    return [call(results)] if results.runs else []


def _pairs(results: ClipResults) -> list[Pair]:
    pairs = []
    for network in results.networks:
        bars = []
        for protocol in PROTOCOLS:
            report = 100 * REPORTED[network].accuracy if network in REPORTED and protocol is RANDOM else None
            score = network_score(results, network, protocol.name)
            bars.append(bar(protocol.name, "", score, report, protocol.name))
        pairs.append(Pair(network, DESCRIPTIONS.get(network, ""), "network", tuple(bars)))
    for system in trivial_systems(results):
        bars = [
            bar(protocol.name, "", trivial_score(results, system, protocol.name), None, protocol.name)
            for protocol in PROTOCOLS
        ]
        pairs.append(Pair(system.replace("_", " "), "", "trivial", tuple(bars)))
    return pairs


def _label_figures(results: ClipResults) -> list[Figure]:
    """What part of each label's slices is recognised, by either protocol."""
    figures = []
    for protocol in PROTOCOLS:
        drawn = [
            ByLabel(network, score)
            for network in results.networks
            if (score := network_score(results, network, protocol.name)) is not None
        ]
        if drawn:
            figures.append(label_figure(drawn, {}, f"{protocol.title}:\naccuracy by label", "recall_by_label"))
    return figures


def _matrices(results: ClipResults) -> list[Fold]:
    parts: list[Fold] = []
    for network in results.networks:
        figures = [
            confusion_figure(
                confusion(runs, len(results.labels)), results.labels, f"{network}, {_where(protocol, runs)}, %"
            )
            for protocol in PROTOCOLS
            if (runs := results.of(network, protocol.name))
        ]
        if figures:
            parts.append(Fold(network, DESCRIPTIONS.get(network, ""), inline(figures), opened=not parts))
    return parts


def _where(protocol: Protocol, runs: Sequence[ClipRun]) -> str:
    if protocol is RANDOM:
        return "random split (leaks)"
    n = len({run.fold for run in runs})
    return f"{n} fold{'' if n == 1 else 's'}"


def _curves(results: ClipResults) -> list[Fold]:
    """All networks by the random split and on one fold, then each by itself: its first run of either."""
    first = _first_runs(results)
    parts: list[Fold] = []
    for runs in first:
        if len(runs) > 1:
            figures = [compared_curves(runs, quantity, _place(runs[0])) for quantity in ("accuracy", "loss")]
            title = f"All networks, {_named(runs[0])}"
            parts.append(Fold(title, "Validation; dashed: depthwise separable.", inline(figures), opened=True))
    for network in results.networks:
        own = [
            run
            for protocol in PROTOCOLS
            if (run := next((run for run in results.of(network, protocol.name) if run.curves), None))
        ]
        if own:
            figures = [network_curves(run, quantity, _place(run)) for run in own for quantity in ("accuracy", "loss")]
            said = "; ".join(
                f"{_named(run)}: seed {run.seed}, {run.epochs} epochs, ended by {run.ended}" for run in own
            )
            parts.append(Fold(network, f"{said}.", inline(figures), opened=not parts))
    return parts


def _first_runs(results: ClipResults) -> list[list[ClipRun]]:
    """A run a network by the random split, then one a network on the first fold that any was run on."""
    found = []
    for protocol in PROTOCOLS:
        there = [run for run in results.runs if run.protocol == protocol.name and run.curves]
        fold = min((run.fold for run in there), default=0)
        by_network = {
            network: next((run for run in results.of(network, protocol.name) if run.fold == fold and run.curves), None)
            for network in results.networks
        }
        found.append([run for run in by_network.values() if run is not None])
    return found


def _named(run: ClipRun) -> str:
    return "random split (leaks)" if run.protocol == RANDOM.name else f"tested on fold {run.fold}"


def _place(run: ClipRun) -> str:
    return "random split: " if run.protocol == RANDOM.name else f"fold {run.fold}: "
