"""Praat's TextGrid, long and short, in UTF-8 or UTF-16; a file is about one recording.

The label is the text of an interval, or of a point, which is an event without length; intervals without text are none.
The names of tiers are not kept. Intervals of a tier lie side by side, so every label is written to a tier of its own
name, and to further ones where its events overlap. Times are written with as many digits as they need; scores are not.

Read as Praat reads it: quoted strings, free-standing numbers and flags count, all other words are comments. So the
long and the short form are the same, and what stands in a label is never taken for a field. (praatio, which the tests
compare with, takes such words for fields and cannot say in which line a file is wrong.)
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import Lines, number, on_one_line, span, the_only_recording
from hubbub.annotations.tiers import in_tiers
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

OBJECT = "TextGrid"
INTERVALS, POINTS = "IntervalTier", "TextTier"
TOKEN = re.compile(r'"(?:[^"]|"")*"|<[^>\s]*>|![^\n]*|[^\s"]+|"', re.DOTALL)


def fits(lines: Lines) -> bool:
    """Whether the file begins as Praat's text files do, and holds a TextGrid."""
    head = [line for line in lines[:10] if line.strip()][:2]
    return len(head) == 2 and '"ooTextFile' in head[0] and f'"{OBJECT}"' in head[1]


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted. Raises `AnnotationError` with path:line."""
    values = _Values(path, lines)
    values.string("file type")
    values.string("object class")
    values.number("start")
    values.number("end")
    if values.next("whether there are tiers")[1] != "<exists>":
        return {recording: []}
    events: list[Event] = []
    for _ in range(values.count("tiers")):
        line, kind = values.string("class of a tier")
        if kind not in (INTERVALS, POINTS):
            raise AnnotationError(f"{path}:{line}: a tier of class {kind!r}; wanted {INTERVALS} or {POINTS}")
        values.string("name of a tier")
        values.number("start")
        values.number("end")
        for _ in range(values.count("intervals or points")):
            line, onset = values.number("onset")
            offset = values.number("offset")[1] if kind == INTERVALS else onset
            label = values.string("text")[1]
            if label.strip():
                events.append(span(path, line, onset, offset, label.replace("\n", " ")))
    return {recording: sorted(events)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes the long form, from 0 to the last offset. Raises `AnnotationError` for two recordings, or a label with
    line ends."""
    events = the_only_recording(table, "textgrid")
    end = max((round(each.offset, 6) for each in events), default=0.0) or 1.0  # a tier has a length
    tiers = in_tiers(events) or [("event", [])]
    head = ['File type = "ooTextFile"', f'Object class = "{OBJECT}"', ""]
    file.write(
        "\n".join([*head, *_span("", 0.0, end), "tiers? <exists> ", f"size = {len(tiers)} ", "item []: "]) + "\n"
    )
    for index, (label, held) in enumerate(tiers, start=1):
        points = bool(held) and held[0].duration == 0
        kind, what = (POINTS, "points") if points else (INTERVALS, "intervals")
        spans = [(each.onset, each.offset, each.label) for each in held] if points else list(_filled(held, end))
        name = _quoted(label)
        lines = [f"    item [{index}]:", f'        class = "{kind}" ', f"        name = {name} "]
        lines += [*_span("        ", 0.0, end), f"        {what}: size = {len(spans)} "]
        for place, (onset, offset, text) in enumerate(spans, start=1):
            lines.append(f"        {what} [{place}]:")
            times = [f"            number = {_time(onset)} "] if points else _span("            ", onset, offset)
            lines += [*times, f"            {'mark' if points else 'text'} = {_quoted(text)} "]
        file.write("\n".join(lines) + "\n")


@dataclass
class _Values:
    """The strings, numbers and flags of a file, one after the other, with their lines."""

    path: Path
    lines: Lines

    def __post_init__(self) -> None:
        self.left = self._tokens()

    def next(self, what: str) -> tuple[int, str]:
        for line, token in self.left:
            return line, token
        raise AnnotationError(f"{self.path}:{len(self.lines)}: the file ends here; wanted the {what}")

    def string(self, what: str) -> tuple[int, str]:
        line, token = self.next(what)
        if len(token) < 2 or not token.startswith('"'):
            raise AnnotationError(f"{self.path}:{line}: {what} is {token}; wanted a text in quotes")
        return line, token[1:-1].replace('""', '"')

    def number(self, what: str) -> tuple[int, float]:
        line, token = self.next(what)
        return line, number(self.path, line, what, token)

    def count(self, what: str) -> int:
        line, value = self.number(f"number of {what}")
        if value < 0 or value != math.floor(value):
            raise AnnotationError(f"{self.path}:{line}: {value:g} {what}; wanted how many there are")
        return int(value)

    def _tokens(self) -> Iterator[tuple[int, str]]:
        text, line, at = "\n".join(self.lines), 1, 0
        equals = False
        for found in TOKEN.finditer(text):
            token = found[0]
            line, at = line + text.count("\n", at, found.start()), found.start()
            if token == '"':
                raise AnnotationError(f"{self.path}:{line}: a quote that does not end; wanted the text in quotes")
            if token[0] in '"<' or equals or re.match(r"[-+]?\.?\d", token):  # after "=" a wrong number is told as one
                yield line, token
            equals = token == "="


def _filled(events: list[Event], end: float) -> Iterator[tuple[float, float, str]]:
    """The intervals of a tier, with empty ones where nothing is."""
    time = 0.0
    for each in events:
        onset, offset = round(each.onset, 6), round(each.offset, 6)
        if onset > time:
            yield time, onset, ""
        yield onset, offset, each.label
        time = offset
    if time < end:
        yield time, end, ""


def _span(indent: str, start: float, end: float) -> list[str]:
    return [f"{indent}xmin = {_time(start)} ", f"{indent}xmax = {_time(end)} "]


def _time(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + on_one_line("label", text, "\n\r").replace('"', '""') + '"' if text else '""'
