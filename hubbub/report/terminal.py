"""What a terminal shows: the timeline of a recording, and tables of scores. Of what draws, it needs rich only."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from hubbub.events import Event, clip, labels_of, merge, to_targets
from hubbub.grid import Grid
from hubbub.report.tables import ORACLE, ORACLE_NOTE, Cell, label_rows, score_rows
from hubbub.report.timeaxis import clock, tick_texts, ticks

if TYPE_CHECKING:  # a timeline needs no scores, and metrics bring scipy: a second on a small board
    from hubbub.datasets.stand_in import StandIn
    from hubbub.datasets.stand_in_urbansound8k import SliceStandIn
    from hubbub.metrics import Scores
    from hubbub.probing import Probe

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red", "bright_cyan", "bright_green", "bright_magenta")
"""Of the terminal's own palette, so that they can be read on whatever background its owner chose."""
LONGEST_LABEL = 20
"""Columns; what is longer is cut with an ellipsis."""
MOST_PROBABLE = 3
"""Labels of a recording that was labelled as a whole."""
STRIP_SECONDS = (600, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_STRIPS = 12
TICKS_PER_SECOND = 1_000_000
"""Label files carry six decimals; a half column is a whole number of these."""
INSTANT = 1e-5
"""Seconds: well above what the grid takes for nothing, well below what can be drawn."""

# Heavy lines rather than full blocks: bars of neighbouring rows stay apart without colour.
HALVES = {(False, False): " ", (True, False): "╸", (False, True): "╺", (True, True): "━"}
HALVES_ASCII = {(False, False): " ", (True, False): "#", (False, True): "#", (True, True): "#"}

SCORE_HEADINGS = (
    "", "frame\nF1 ", "macro\nF1 ", "accu-\nracy ", "frame\nER ", "S/D/I ", "segm.\nF1 ", "segm.\nER ", "event\nF1 "
)  # fmt: skip
LABEL_HEADINGS = (
    "label", "frame\nF1", "preci-\nsion", "\nrecall", "segm.\nF1", "event\nF1", "events in\nreference", "events\nfound"
)  # fmt: skip
STAND_IN_HEADINGS = ("label", "events", "published", "seconds", "published")
SLICES_HEADINGS = ("label", "slices", "recordings")
PROBE_HEADINGS = ("sound", "label that fires", "how often  ")
MOST_FINDINGS = 12
MARK_STYLES = {"*": "bold", "!": "red", " ": ""}


@dataclass(frozen=True)
class Timeline:
    """A rich renderable; see `timeline`."""

    name: str
    events: tuple[Event, ...]
    duration: float
    width: int | None = None
    list_events: bool = False
    ranking: tuple[tuple[str, float], ...] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = max(30, self.width if self.width is not None else options.max_width)
        yield self._heading(width)
        if self.events:
            longest = max(cell_len(printable(event.label)) for event in self.events)
            label_width = min(longest, LONGEST_LABEL)
            length = max(self.duration, max(event.offset for event in self.events), 0.001)
            drawn = [_visible(event, length) for event in self.events]
            for start, end, span in strips(length):
                sounding = clip(drawn, start, end)
                if sounding:
                    columns = width - label_width - 3
                    yield from _rows(sounding, span, label_width, columns, ascii_only=options.ascii_only)
                    for row in axis(start, end, span, columns, ascii_only=options.ascii_only):
                        yield Text(" " * (label_width + 1) + row, style="dim", no_wrap=True)
                else:
                    quiet = f"{clock(start)} to {clock(end)}: no events"
                    yield Text(" " * (label_width + 2) + quiet, style="dim", no_wrap=True)
        if self.list_events:
            yield from (_event_line(event) for event in self.events)
        if self.ranking:
            yield _ranking_line(self.ranking[:MOST_PROBABLE], ascii_only=options.ascii_only)

    def _heading(self, width: int) -> Text:
        count = f"{len(self.events)} event{'' if len(self.events) == 1 else 's'}" if self.events else "no events"
        facts = f"  {clock(self.duration, 1)}  {count}"
        name = shorten(printable(self.name), width - len(facts))
        return Text(name, style="bold", no_wrap=True, end="\n").append(facts, style="dim")


def timeline(
    name: str,
    events: Iterable[Event],
    duration: float,
    width: int | None = None,
    *,
    list_events: bool = False,
    ranking: Mapping[str, float] | None = None,
) -> Timeline:
    """A recording as rows of bars, one a label, over a time axis in minutes and seconds.

    A bar is as fine as half a column, and covers every half column in which the label sounds at all, so that no event
    is too short to be seen. Up to ten minutes stand in one strip; longer recordings are cut into strips of ten minutes,
    or of as much more as keeps them to a dozen. `duration` is in seconds, `width` in columns (None: as wide as the
    console). With `list_events` the events follow, one a line; with `ranking`, every label's probability for the whole
    recording, the most probable ones on one line.
    """
    ranked = sorted((ranking or {}).items(), key=lambda pair: -pair[1])
    return Timeline(name, tuple(sorted(events)), duration, width, list_events, tuple(ranked))


def score_table(scores_by_system: Mapping[str, Scores]) -> Table:
    """The scores of each system beside those of the systems that do not listen, as a rich table of 80 columns.

    In each column the best of the latter carries a star, and a system that does not beat it an exclamation mark. S/D/I
    are the substitutions, deletions and insertions that make up the frame error rate.
    """
    caption = "* the best that not listening gets   ! no better than that   ER: error rate"
    if ORACLE in scores_by_system:
        caption += f"\n{ORACLE_NOTE}"
    table = _table(SCORE_HEADINGS, caption)
    for row in score_rows(scores_by_system):
        cells = [Text(cell.text + _mark(cell), style=MARK_STYLES[_mark(cell)]) for cell in row.cells]
        table.add_row(Text(printable(row.system), style="" if row.trivial else "bold"), *cells)
    return table


def label_table(scores: Scores) -> Table:
    """One system's scores label by label, as a rich table; labels that the reference or the system lacks are dim."""
    table = _table(LABEL_HEADINGS)
    for row in label_rows(scores):
        label = Text(shorten(printable(row.label), LONGEST_LABEL), style=colour(row.label))
        table.add_row(label, *row.texts, style="dim" if row.absent else "")
    return table


def probe_table(probe: Probe, most: int = MOST_FINDINGS) -> Table:
    """What makes a detector fire that should not, the worst first and `most` of it, as a rich table."""
    findings = probe.findings
    caption = "! worth a warning" if findings else "it stayed silent"
    if len(findings) > most:
        caption += f"   and {len(findings) - most} more, less often"
    table = _table(PROBE_HEADINGS, caption)
    table.columns[1].justify = "left"
    table.padding = (0, 1, 0, 0)
    for found in findings[:most]:
        sound, label = (shorten(printable(text), 2 * LONGEST_LABEL) for text in (found.sound, found.label))
        often = Text(f"{found.often} !", style="red") if found.worth_a_warning else Text(f"{found.often}  ")
        table.add_row(sound, Text(label, style=colour(found.label)), often)
    return table


def stand_in_table(stand_in: StandIn) -> Table:
    """What was mixed beside what was published of the real set, label by label, as a rich table of 80 columns.

    The published numbers are scaled to the duration of what was mixed; labels that do not sound are dim.
    """
    table = _table(STAND_IN_HEADINGS)
    totals = np.zeros(4)
    for label in stand_in.LABELS:
        events, seconds = stand_in.published(label)
        row = np.array([stand_in.events.get(label, 0), events, stand_in.seconds.get(label, 0.0), seconds])
        totals += row
        table.add_row(printable(label), *(f"{x:.0f}" for x in row), style="" if row[0] else "dim")
    table.add_row("all", *(f"{x:.0f}" for x in totals), style="bold")
    return table


def slices_table(stand_in: SliceStandIn) -> Table:
    """The slices and recordings of each label, as a rich table."""
    table = _table(SLICES_HEADINGS)
    for label, n_slices in stand_in.slices.items():
        table.add_row(printable(label), str(n_slices), str(stand_in.recordings[label]))
    table.add_row("all", str(stand_in.n_slices), str(stand_in.n_recordings), style="bold")
    return table


def strips(duration: float) -> list[tuple[float, float, float]]:
    """How a recording of `duration` seconds is cut: (start, end, seconds that a full strip holds) for each strip."""
    if duration <= STRIP_SECONDS[0]:
        return [(0.0, duration, duration)]
    span = next((s for s in STRIP_SECONDS if duration / s <= MOST_STRIPS), math.ceil(duration / MOST_STRIPS))
    return [
        (float(start), min(float(start + span), duration), float(span)) for start in range(0, math.ceil(duration), span)
    ]


def half_columns(events: Sequence[Event], span: float, columns: int) -> NDArray[np.bool_]:
    """Where the events of one label sound, shape (columns, 2): the left and the right half of each column.

    `events` are counted from the left edge, `span` is what `columns` columns hold; both in seconds.
    """
    hop = max(1, math.ceil(span * TICKS_PER_SECOND / (2 * columns)))  # the last half column holds the end
    targets = to_targets(merge(events), [events[0].label], Grid(TICKS_PER_SECOND, hop), 2 * columns)
    return targets.reshape(columns, 2)


def axis(start: float, end: float, span: float, columns: int, *, ascii_only: bool = False) -> tuple[str, str]:
    """The two lines below a strip: the marks, beginning under the left side, and their times."""
    line, corner, mark = ("-", "+", "+") if ascii_only else ("─", "└", "┴")
    widest = len(clock(end)) + (2 if span < 5 else 0)
    marks = ticks(start, end, at_most=columns / (widest + 3))
    rule = [corner] + [line] * columns + [" "]
    rule[-1] = "+" if ascii_only else "┘"
    times = [" "] * (columns + 2 + widest)
    free = 0
    for seconds, text in zip(marks, tick_texts(marks), strict=True):
        column = 1 + min(columns, int((seconds - start) / span * columns + 1e-9))
        if 1 < column <= columns:
            rule[column] = mark
        first = max(0, min(column - len(text) // 2, columns + 2 - len(text)))
        if first >= free:
            times[first : first + len(text)] = text
            free = first + len(text) + 1
    return "".join(rule), "".join(times).rstrip()


def colour(label: str) -> str:
    """The colour of a label: the same in every recording and on every day."""
    return COLOURS[zlib.crc32(label.encode("utf-8", "replace")) % len(COLOURS)]


def printable(text: str) -> str:
    """`text` with whatever could move a terminal's cursor or colour it replaced: a file may be named anything."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns, its end cut with an ellipsis where it is longer."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns."""
    return set_cell_size(shorten(text, width), width)


def _rows(events: Sequence[Event], span: float, label_width: int, columns: int, *, ascii_only: bool) -> Iterator[Text]:
    side, halves = ("|", HALVES_ASCII) if ascii_only else ("│", HALVES)
    for label in labels_of({"": events}):
        active = half_columns([event for event in events if event.label == label], span, columns)
        bar = "".join(halves[(bool(left), bool(right))] for left, right in active)
        line = Text(fit(printable(label), label_width), style=colour(label), no_wrap=True)
        yield line.append(f" {side}", style="dim").append(bar).append(side, style="dim")


def _table(headings: Sequence[str], caption: str | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, caption=caption, caption_justify="left")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", overflow="ellipsis", no_wrap=True)
    return table


def _mark(cell: Cell) -> str:
    return "*" if cell.best_trivial else "!" if cell.beaten else " "


def _visible(event: Event, end: float) -> Event:
    """An instant lasts long enough to be seen, and one at the `end` begins just before it."""
    if event.duration >= INSTANT:
        return event
    onset = event.onset if event.onset != end else end - INSTANT
    return replace(event, onset=onset, offset=max(event.offset, onset + INSTANT))


def _event_line(event: Event) -> Text:
    line = Text(f"  {event.onset:10.3f} {event.offset:10.3f}  ", no_wrap=True)
    line.append(printable(event.label), style=colour(event.label))
    return line if event.score is None else line.append(f"  {event.score:.2f}", style="dim")


def _ranking_line(ranking: Iterable[tuple[str, float]], *, ascii_only: bool) -> Text:
    line = Text("  ", no_wrap=True, overflow="ellipsis")
    for index, (label, probability) in enumerate(ranking):
        line.append((", " if ascii_only else " · ") if index else "", style="dim")
        line.append(shorten(printable(label), LONGEST_LABEL), style=colour(label))
        line.append(f" {probability:.2f}")
    return line
