"""The live timeline on a terminal: a row a label below, events that have ended scroll by above."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from hubbub.decode import LabelRule
from hubbub.live.listening import Heard, Sink
from hubbub.report.terminal import LONGEST_LABEL, colour, fit, printable
from hubbub.report.timeaxis import clock

COLUMN_SECONDS = 0.25
"""What one column of a row stands for; it shows the highest probability in it."""
MOST_COLUMNS = 400
REDRAWN = 10
"""Times a second."""
BARS, BARS_ASCII = " ▁▂▃▄▅▆▇█", " .:-=+*%#"
OTHER_COLUMNS = 17
"""Of a row: what stands right of label and bars."""


@dataclass
class _Row:
    label: str
    rule: LabelRule
    columns: deque[float]
    highest: float = 0.0  # in the column that is being filled
    probability: float = 0.0
    open: Heard | None = None


class Display(Sink):
    """Draws on `console` while it is entered; a context manager. `say` puts a line above what is drawn."""

    def __init__(
        self, console: Console, name: str, labels: Sequence[str], rules: Sequence[LabelRule], period: float
    ) -> None:
        self._console = console
        self._name = name
        self._rows = [_Row(label, rule, deque(maxlen=MOST_COLUMNS)) for label, rule in zip(labels, rules, strict=True)]
        self._by_label = {row.label: row for row in self._rows}
        self._per_column = max(1, round(COLUMN_SECONDS / period))  # frames
        self._n_filled = 0
        self._seconds = 0.0
        self._n_events = 0
        self._lock = Lock()
        self._live = Live(self, console=console, refresh_per_second=REDRAWN, transient=True)

    def __enter__(self) -> "Display":
        self._live.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """A line for a user."""
        self._console.print(Text(printable(text), style="dim"), soft_wrap=True)

    def began(self, heard: Heard) -> None:
        """It is marked in its row."""
        with self._lock:
            self._by_label[heard.event.label].open = heard

    def ended(self, heard: Heard) -> None:
        """It scrolls by."""
        event = heard.event
        with self._lock:
            row = self._by_label[event.label]
            if row.open is not None and row.open.event.onset == event.onset:
                row.open = None
            self._n_events += 1
        when = clock(event.onset, 2) if heard.time is None else heard.time.strftime("%H:%M:%S.%f")[:-4]
        line = Text(f"{when:>11}  {event.duration:7.2f} s  ", no_wrap=True, overflow="ellipsis")
        line.append(printable(event.label), style=colour(event.label))
        if event.score is not None:
            line.append(f"  {event.score:.2f}", style="dim")
        self._console.print(line)

    def frames(self, probabilities: NDArray[np.float32], seconds: float) -> None:
        """Fills the columns."""
        with self._lock:
            self._seconds = seconds
            first = 0
            while first < len(probabilities):
                piece = probabilities[first : first + self._per_column - self._n_filled]
                for row, values in zip(self._rows, piece.T, strict=True):
                    row.highest = max(row.highest, float(values.max()))
                    row.probability = float(values[-1])
                first += len(piece)
                self._n_filled += len(piece)
                if self._n_filled == self._per_column:
                    self._n_filled = 0
                    for row in self._rows:
                        row.columns.append(row.highest)
                        row.highest = 0.0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            width = options.max_width
            label_width = min(LONGEST_LABEL, max(cell_len(printable(row.label)) for row in self._rows))
            columns = max(1, min(MOST_COLUMNS, width - label_width - OTHER_COLUMNS))
            shown = self._shown(options.size.height - 4)
            heading = Text(fit(printable(self._name), max(1, width - 30)).rstrip(), style="bold", no_wrap=True)
            count = f"{self._n_events} event{'' if self._n_events == 1 else 's'}"
            yield heading.append(f"  {clock(self._seconds)}  {count}", style="dim")
            for row in shown:
                yield self._drawn(row, label_width, columns, options.ascii_only)
            hidden = len(self._rows) - len(shown)
            if hidden:
                yield Text(f"and {hidden} more labels, quieter just now", style="dim", no_wrap=True)

    def _shown(self, most: int) -> list[_Row]:
        """Those that fit, in their own order: what sounds, then what was most probable lately."""
        if len(self._rows) <= max(1, most):
            return self._rows

        def activity(row: _Row) -> tuple[bool, float]:
            return row.open is not None, max([row.highest, *list(row.columns)[-40:]])

        chosen = sorted(self._rows, key=activity, reverse=True)[: max(1, most)]
        return [row for row in self._rows if row in chosen]

    def _drawn(self, row: _Row, label_width: int, columns: int, ascii_only: bool) -> Text:
        bars, side, mark = (BARS_ASCII, "|", "*") if ascii_only else (BARS, "│", "●")
        line = Text(fit(printable(row.label), label_width), style=colour(row.label), no_wrap=True, end="\n")
        line.append(f" {side}", style="dim")
        values = list(row.columns)[-columns:]
        line.append(" " * (columns - len(values)))
        for value in values:
            height = min(len(bars) - 1, math.floor(value * len(bars)))
            line.append(bars[height], style="" if value >= row.rule.threshold else "dim")
        line.append(side, style="dim").append(f" {row.probability:.2f}", style="dim")
        if row.open is not None:
            sounding = max(0.0, self._seconds - row.open.event.onset)
            line.append(f" {mark} {sounding:.1f} s" if sounding < 1000 else f" {mark} {clock(sounding)}")
        return line
