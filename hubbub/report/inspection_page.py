"""One HTML file that shows what is in a data set and what is wrong with it; nothing is fetched."""

from pathlib import Path

from markupsafe import Markup

from hubbub.datasets.inspection import Inspection
from hubbub.errors import HubbubError
from hubbub.files import replacing
from hubbub.report import inspection_figures as figures
from hubbub.report.figures import to_inline_svg
from hubbub.report.inspection_tables import length, sound_facts, summary
from hubbub.report.page import template
from hubbub.report.timeaxis import clock


def write_inspection_page(path: Path, inspection: Inspection) -> None:
    """Writes the page beside its place first, and then renamed. Raises `HubbubError` where it cannot be written."""
    html = render(inspection).encode("utf-8", "replace")
    with replacing(path, HubbubError) as beside:
        beside.write_bytes(html)


def render(inspection: Inspection) -> str:
    """The page as HTML."""
    chosen = []
    if inspection.n_events:
        chosen += [
            (f"{inspection.counted} by label".capitalize(), figures.events_by_label),
            (f"Lengths of the {inspection.counted}", figures.lengths),
        ]
    if inspection.polyphony is not None and inspection.n_events:
        chosen += [("Labels at once", figures.at_once), ("Activity by label", figures.activity)]
    if inspection.folds and inspection.n_events:
        chosen += [("Folds and recordings", figures.folds)]
    if inspection.n_recordings:
        chosen += [("Sampling rates, samples, channels", figures.sounds)]
    return template("inspection.html").render(
        found=inspection,
        summary=summary(inspection),
        tiles=_tiles(inspection),
        # Drawn by matplotlib from numbers; the only part of a page that is not escaped.
        figures=[(title, Markup(to_inline_svg(draw(inspection)))) for title, draw in chosen],
        facts=sound_facts(inspection),
        clock=clock,
        most=max((fact.n_events for fact in inspection.labels), default=0) or 1,
        problems=sorted(inspection.problems.items(), key=lambda pair: pair[0] != "not readable"),
    )


def _tiles(inspection: Inspection) -> list[tuple[str, str]]:
    """A word and a figure each."""
    is_clips = inspection.counted == "clips"
    tiles = [
        (inspection.counted if is_clips else "recordings", f"{inspection.n_recordings:,}"),
        ("in all", length(inspection.seconds)),
        ("labels", str(sum(fact.n_events > 0 for fact in inspection.labels))),
    ]
    if not is_clips:
        tiles.insert(2, ("events", f"{inspection.n_events:,}"))
    if inspection.polyphony is not None:
        tiles.append(("labels at once", f"{inspection.polyphony.mean:.2f}"))
    return tiles
