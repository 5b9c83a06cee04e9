"""One HTML file that shows a reproduction: what came out beside the report, what it cost, how each network trained.

Everything is inside the file, nothing is fetched and no script runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from hubbub.errors import HubbubError
from hubbub.files import replacing
from hubbub.report.figures import to_inline_svg
from hubbub.report.page import TEMPLATES as REPORT_TEMPLATES
from hubbub.reproduce.comparisons import differences_table, grid_table, splits_table
from hubbub.reproduce.facts import commands, facts
from hubbub.reproduce.figures import Drawn, compared_curves, cost_figure, label_figure, network_curves
from hubbub.reproduce.reported import DESCRIPTIONS, REPORTED
from hubbub.reproduce.results import NAMES, Results
from hubbub.reproduce.scores import Score, main_split, pooled, trivial_scores
from hubbub.reproduce.table import (
    NOT_RUN,
    QUICK_LOOK,
    Table,
    bounds,
    cost_table,
    quality_table,
    seeds_table,
    summary,
)

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
except ImportError as error:
    raise HubbubError('pages need jinja2: pip install "hubbub[report]"') from error

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Bar:
    """A line of the chart on top, in percent of F1 1: `low` and `high` bound the interval, `report` is its mark."""

    name: str
    description: str
    text: str
    value: float
    low: float
    high: float
    report: float | None
    kind: str


@dataclass(frozen=True)
class Fold:
    """A part of the page that a reader unfolds: a title, a sentence and figures; `opened`: unfolded from the start."""

    title: str
    sentence: str
    figures: list[Markup]
    opened: bool = False


def write_results_page(path: Path, results: Results) -> None:
    """Write one HTML file, beside its place first and then renamed. Raises `HubbubError` where it cannot be written."""
    write_html(path, render(results))


def write_html(path: Path, html: str) -> None:
    """Write a page, beside its place first and then renamed. Raises `HubbubError` where it cannot be written."""
    with replacing(path, HubbubError) as beside:
        beside.write_bytes(html.encode("utf-8", "replace"))


def render(results: Results) -> str:
    """The page as HTML."""
    split = main_split(results)
    trivial = trivial_scores(results, split)
    networks = [
        Drawn(runs[0], Score.of(pooled(runs, results.labels), results.labels))
        for network in results.networks
        if (runs := results.of(network, split))
    ]
    comparisons = (differences_table(results, split), splits_table(results), grid_table(results, split))
    return template("results.html").render(
        results=results,
        split=NAMES[split],
        quick_look="" if results.is_the_result else QUICK_LOOK,
        summary=[text for text in summary(results, split) if not text.startswith(QUICK_LOOK)],
        bars=_bars(results, networks, trivial),
        tables=_there([quality_table(results, split), cost_table(results, split), seeds_table(results, split)]),
        comparisons=_there(comparisons),
        overview=inline([cost_figure(networks), label_figure(networks, trivial)] if networks else []),
        curves=_curves(networks),
        facts=facts(results),
        commands=commands(results),
    )


def template(name: str, *folders: Path) -> Template:
    """A template of this folder, or of one of `folders`; what goes into it is escaped, what it lacks is an error."""
    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES, REPORT_TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def inline(figures: Iterable[Figure]) -> list[Markup]:
    """Figures as elements of a page."""
    # Drawn by matplotlib from numbers and names it escapes; the only parts of the page that jinja2 does not.
    return [Markup(to_inline_svg(figure)) for figure in figures]


def bar(name: str, description: str, score: Score | None, report: float | None, kind: str) -> Bar:
    """A bar as long as the micro F1, or one that says that nothing was run."""
    if score is None:
        return Bar(name, description, NOT_RUN, 0, 0, 0, report, kind)
    f1 = score.total.micro_f1
    low, high = (f1, f1) if score.f1 is None else (score.f1.low, score.f1.high)
    title = f"{description}; 95 % interval {bounds(score.f1)}" if high > low else description
    return Bar(name, title.removeprefix("; "), f"{f1:.3f}", 100 * f1, 100 * low, 100 * high, report, kind)


def _bars(results: Results, networks: list[Drawn], trivial: dict[str, Score]) -> list[Bar]:
    scores = {drawn.name: drawn.score for drawn in networks}
    bars = []
    for network in results.networks:
        report = 100 * REPORTED[network].f1 if network in REPORTED else None
        bars.append(bar(network, DESCRIPTIONS.get(network, ""), scores.get(network), report, "network"))
    return bars + [bar(name.replace("_", " "), "", score, None, "trivial") for name, score in trivial.items()]


def _curves(networks: list[Drawn]) -> list[Fold]:
    """All networks, the proposed ones, then each by itself."""
    runs = [drawn.run for drawn in networks if drawn.run.curves]
    proposed = [run for run in runs if run.network.startswith("proposed")]
    parts: list[Fold] = []
    for title, several in (
        ("All networks", runs),
        ("The proposed networks (the report's figures 14 and 15)", proposed),
    ):
        if len(several) > 1:
            figures = [compared_curves(several, "accuracy"), compared_curves(several, "loss")]
            parts.append(Fold(title, "Dashed: depthwise separable.", inline(figures), opened=True))
    for run in runs:
        sentence = f"{DESCRIPTIONS.get(run.network, '')}; seed {run.seed}, {run.epochs} epochs, ended by {run.ended}."
        figures = [network_curves(run, "accuracy"), network_curves(run, "loss")]
        parts.append(Fold(run.network, sentence.removeprefix("; "), inline(figures), opened=not parts))
    return parts


def _there(parts: Iterable[Table | None]) -> list[Table]:
    return [part for part in parts if part is not None]
