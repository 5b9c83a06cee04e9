"""Where everything stands in a page's picture of one recording, in percent of its width; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.events import Event
from hubbub.report.comparison import Probabilities, Row, Span, compare, verdicts
from hubbub.report.figures import frequency_marks, picture_data_uri
from hubbub.report.sound import sound_data_uri
from hubbub.report.spectrogram import spectrogram
from hubbub.report.timeaxis import clock, tick_texts, ticks

CURVE_POINTS = 1200
CURVE_HEIGHT = 100
"""Units of a curve's drawing: probability 1 is at 0, probability 0 down here."""
PIXELS_PER_SECOND = 12
NARROWEST, WIDEST = 300, 3600
"""Pixels: what a phone has room for, and about three screens. A picture that is wider than its page can be scrolled."""
SHARPEST, COARSEST = 2400, 900
"""Columns of a spectrogram: what a wide picture gets at most, and a narrow one at least."""
PIXELS_PER_MARK = 72
AROUND = 0.3
"""Seconds that are played before and after an event."""


@dataclass(frozen=True)
class Bar:
    """A part of a row, from `left` and `width` wide, in percent; `title` is what hovering shows."""

    left: float
    width: float
    title: str = ""


@dataclass(frozen=True)
class DrawnRow:
    """One label: bars and, as an SVG path in a box of 100 × `CURVE_HEIGHT`, its probability."""

    label: str
    reference: tuple[Bar, ...]
    missed: tuple[Bar, ...]
    estimated: tuple[Bar, ...]
    false: tuple[Bar, ...]
    curve: str


@dataclass(frozen=True)
class ListedEvent:
    """A line of the table of events; a click plays from `seconds` to `until`, a little more than the event.

    `verdict` is right, false or missed, and empty where there is no reference.
    """

    verdict: str
    seconds: float
    until: float
    onset: str
    offset: str
    label: str
    score: str


@dataclass(frozen=True)
class Drawing:
    """Everything the template needs for one recording."""

    name: str
    facts: tuple[str, ...]
    duration: float
    width: int
    picture: str
    frequencies: tuple[tuple[str, float], ...]
    marks: tuple[tuple[str, float], ...]
    rows: tuple[DrawnRow, ...]
    has_reference: bool
    sound: str | None
    events: tuple[ListedEvent, ...]


def draw(
    name: str,
    samples: NDArray[np.floating],
    sample_rate: int,
    estimated: Sequence[Event],
    reference: Sequence[Event] | None,
    probabilities: Probabilities | None,
    start: float = 0.0,
) -> Drawing:
    """One recording, mono `samples` of shape (n_samples,), with its events; raises `HubbubError` as `compare` does.

    Where it is cut from a longer one, `start` seconds after its beginning, times are told as those of the longer one.
    """
    duration = len(samples) / sample_rate
    width = round(min(max(duration * PIXELS_PER_SECOND, NARROWEST), WIDEST))
    picture = spectrogram(samples, sample_rate, n_columns=min(max(width, COARSEST), SHARPEST))
    times = ticks(start, start + duration, at_most=width / PIXELS_PER_MARK)
    rows = compare(reference, estimated, probabilities)
    length = clock(duration, 1) if not start else f"from {clock(start)} to {clock(start + duration)}"
    facts = [length, f"{sample_rate / 1000:g} kHz", count(len(estimated), "event") + " found"]
    if reference is not None:
        facts.append(f"{len(reference)} in the reference")
    told = [("", event) for event in sorted(estimated)] if reference is None else verdicts(reference, estimated)
    return Drawing(
        name=name,
        facts=tuple(facts),
        duration=duration,
        width=width,
        picture=picture_data_uri(picture),
        frequencies=tuple((text, round(100 * height, 2)) for text, height in frequency_marks(picture)),
        marks=tuple(
            (text, _percent(mark - start, duration)) for text, mark in zip(tick_texts(times), times, strict=True)
        ),
        rows=tuple(_draw_row(row, duration, start) for row in rows),
        has_reference=reference is not None,
        sound=sound_data_uri(samples, sample_rate),
        events=tuple(_listed(verdict, event, start, duration) for verdict, event in told),
    )


def curve_path(values: NDArray[np.floating], edges: NDArray[np.float64], duration: float) -> str:
    """A probability by frame, shape (n_frames,), as an SVG path through the frames' middles.

    More frames than `CURVE_POINTS` are drawn by the highest of every few; points inside a level stretch are left out.
    """
    if not len(values) or duration <= 0:
        return ""
    group = -(-len(values) // CURVE_POINTS)
    firsts = np.arange(0, len(values), group)
    heights = np.maximum.reduceat(np.nan_to_num(values), firsts)
    lasts = np.minimum(firsts + group, len(values))
    x = np.round(100 * (edges[firsts] + edges[lasts]) / 2 / duration, 2)
    y = np.round(CURVE_HEIGHT * (1 - np.clip(heights, 0, 1))).astype(int)
    bend = np.ones(len(y), dtype=bool)
    bend[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    points = [f"{left:g} {top}" for left, top in zip(x[bend], y[bend], strict=True)]
    return "M" + "L".join(points)


def _draw_row(row: Row, duration: float, start: float) -> DrawnRow:
    return DrawnRow(
        label=row.label,
        reference=tuple(_bar(event, duration, f"{_title(event, start)} (reference)") for event in row.reference),
        missed=tuple(_bar(span, duration) for span in row.missed),
        estimated=tuple(_bar(event, duration, _title(event, start)) for event in row.estimated),
        false=tuple(_bar(span, duration) for span in row.false),
        curve="" if row.curve is None or row.edges is None else curve_path(row.curve, row.edges, duration),
    )


def _bar(part: Event | Span, duration: float, title: str = "") -> Bar:
    onset, offset = (part.onset, part.offset) if isinstance(part, Event) else part
    left, right = _percent(onset, duration), _percent(offset, duration)
    return Bar(left, round(right - left, 3), title)


def _percent(seconds: float, duration: float) -> float:
    return round(100 * min(seconds, duration) / duration, 3) if duration > 0 else 0.0


def _title(event: Event, start: float) -> str:
    score = "" if event.score is None else f", score {event.score:.2f}"
    return f"{event.label}: {clock(start + event.onset, 2)} to {clock(start + event.offset, 2)}{score}"


def _listed(verdict: str, event: Event, start: float, duration: float) -> ListedEvent:
    score = "" if event.score is None else f"{event.score:.2f}"
    return ListedEvent(
        verdict,
        round(max(0.0, event.onset - AROUND), 3),
        round(min(duration, event.offset + AROUND), 3),
        clock(start + event.onset, 2),
        clock(start + event.offset, 2),
        event.label,
        score,
    )


def count(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
