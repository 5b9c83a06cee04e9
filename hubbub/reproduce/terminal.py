"""The tables on a terminal, in a hundred columns, and in a pipe."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from hubbub.report.terminal import printable
from hubbub.reproduce.comparisons import all_tables
from hubbub.reproduce.results import Results
from hubbub.reproduce.scores import main_split
from hubbub.reproduce.table import Table, summary

WIDTH = 100
"""Columns: what the tables are made for, and what they take in a pipe, where nobody could say how wide it is."""
STYLES = {"": "", "missing": "dim", "trivial": "dim"}
ASCII = str.maketrans({"×": "x", "±": "+-", "–": "-"})


@dataclass(frozen=True)
class PrintedTables:
    """A rich renderable: sentences, then every table with its notes."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDTH) if console.is_terminal else WIDTH
        for part in self._parts(ascii_only=options.ascii_only):
            yield from console.render(part, options.update(width=width))

    def _parts(self, *, ascii_only: bool) -> Iterator[Text | RichTable]:
        for sentence in self.sentences:
            yield _text(sentence, ascii_only=ascii_only)
        for table in self.tables:
            yield Text()
            yield _text(table.title, "bold", ascii_only=ascii_only)
            yield _drawn(table, ascii_only=ascii_only)
            for note in table.notes:
                yield _text(note, "dim", ascii_only=ascii_only)


def print_results(results: Results, console: Console) -> None:
    """All tables on a console; in a pipe they are `WIDTH` wide whatever width the console assumes."""
    print_tables(summary(results, main_split(results)), all_tables(results), console)


def print_tables(sentences: Iterable[str], tables: Iterable[Table], console: Console) -> None:
    """Sentences and tables on a console, as wide as `print_results` makes them."""
    console.print(PrintedTables(tuple(sentences), tuple(tables)), crop=console.is_terminal)


def _drawn(table: Table, *, ascii_only: bool) -> RichTable:
    columns = zip(table.headings, *((row.name, *row.cells) for row in table.rows), strict=True)
    widths = [max(len(line) for text in column for line in text.split("\n")) for column in columns]
    # Two blanks between columns, or one where there is no room.
    gap = 1 if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else 0
    drawn = RichTable(box=box.SIMPLE_HEAD, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False)
    for index, heading in enumerate(table.headings):
        lines = Text("\n").join(_text(line, ascii_only=ascii_only) for line in heading.split("\n"))
        drawn.add_column(lines, justify="left" if table.holds_words(index) else "right", vertical="bottom")
    for row in table.rows:
        texts = (_text(cell, ascii_only=ascii_only) for cell in (row.name, *row.cells))
        drawn.add_row(*texts, style=STYLES[row.kind])
    return drawn


def _text(words: str, style: str = "", *, ascii_only: bool) -> Text:
    return Text(printable(words.translate(ASCII) if ascii_only else words), style=style)
