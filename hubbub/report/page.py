"""One HTML file that shows a detector: its scores, how it was trained, what it heard and what it missed.

Everything is inside the file and nothing is fetched: it can be mailed, archived and opened without a network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hubbub.errors import HubbubError
from hubbub.events import Event
from hubbub.files import replacing
from hubbub.metrics import Interval, Scores
from hubbub.probing import Probe
from hubbub.report.comparison import Probabilities
from hubbub.report.drawing import count, draw
from hubbub.report.figures import to_inline_svg, training_curves
from hubbub.report.tables import (
    LABEL_COLUMNS,
    ORACLE,
    ORACLE_NOTE,
    SCORE_COLUMNS,
    TRIVIAL,
    headlines,
    label_rows,
    score_rows,
)
from hubbub.report.timeaxis import clock

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
except ImportError as error:
    raise HubbubError('pages need jinja2: pip install "hubbub[report]"') from error

TEMPLATES = Path(__file__).parent
MOST_FINDINGS = 40
"""Rows of the table of what makes a detector fire."""


@dataclass(frozen=True)
class RecordingView:
    """A recording to show: mono `samples`, shape (n_samples,), with what was estimated and, where known, what is true.

    `reference` None means that nobody knows; an empty one, that nothing sounds. Where it is an excerpt, it begins
    `start` seconds after the recording; its events and probabilities are counted from there.
    """

    name: str
    samples: NDArray[np.floating]
    sample_rate: int
    estimated: Sequence[Event]
    reference: Sequence[Event] | None = None
    probabilities: Probabilities | None = None
    start: float = 0.0


@dataclass(frozen=True)
class Section:
    """A figure with a heading, and a sentence or two on how to read it; `svg` is drawn here, and is not escaped."""

    title: str
    note: str
    svg: str


@dataclass(frozen=True)
class Page:
    """What a page shows, from top to bottom; what is empty is left out.

    `intervals` are those of the headlines, by their title, `label_intervals` those of frame F1, by label. `scores` are
    by system, as `evaluate_with_trivial` returns them; `facts` are what a reader needs to trust or repeat the rest
    (labels, sample rate, look-ahead, training data, licences, versions); `notes` are sentences; `probe` is what makes
    the detector fire that should not.
    """

    title: str
    summary: str
    scores: Mapping[str, Scores] | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    label_intervals: Mapping[str, Interval] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    training_log: Path | None = None
    recordings: Sequence[RecordingView] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    probe: Probe | None = None


def write_page(path: Path, page: Page) -> None:
    """Write `page` as one HTML file, beside its place first and then renamed.

    Raises `HubbubError` where the training log or the probabilities of a recording are not usable, or the file cannot
    be written.
    """
    # A file name may hold bytes that are no text; the page is text.
    html = render(page).encode("utf-8", "replace")
    with replacing(path, HubbubError) as beside:
        beside.write_bytes(html)


def template(name: str) -> Template:
    """A template of this folder; what goes into it is escaped, and what it lacks is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def render(page: Page) -> str:
    """`page` as HTML; raises as `write_page` does."""
    scores = page.scores or {}
    first = next((system for system in scores if system not in TRIVIAL), None)
    shown = scores[first] if first is not None else None
    curves = "" if page.training_log is None else to_inline_svg(training_curves(page.training_log))
    return template("page.html").render(
        page=page,
        headlines=headlines(scores),
        columns=SCORE_COLUMNS,
        systems=score_rows(scores),
        oracle_note=ORACLE_NOTE if ORACLE in scores else "",
        label_columns=LABEL_COLUMNS,
        labels=label_rows(shown) if shown is not None else [],
        scored=f"{count(shown.n_recordings, 'recording')}, {clock(shown.duration_s)}" if shown is not None else "",
        settings=shown.settings if shown is not None else {},
        # Drawn by matplotlib from numbers; the only part of a page that is not escaped.
        curves=Markup(curves),
        findings=page.probe.findings if page.probe is not None else [],
        most_findings=MOST_FINDINGS,
        figures=[(section, Markup(section.svg)) for section in page.sections],
        recordings=[
            draw(
                view.name,
                view.samples,
                view.sample_rate,
                view.estimated,
                view.reference,
                view.probabilities,
                view.start,
            )
            for view in page.recordings
        ],
    )
