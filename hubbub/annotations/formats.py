"""What a label format is, and how label files become lines and events: shared by the modules of the formats."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hubbub import files
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

Lines = list[str]
"""The lines of a file without their ends; line n of the file is `lines[n - 1]`."""

Rankings = Mapping[str, Mapping[str, float]]
"""By recording, where it was labelled as a whole: every label's probability."""


@dataclass(frozen=True)
class Format:
    """A label format: the module of each has these three functions.

    `fits(lines)` tells from the first lines whether a file is of this format. `read(path, lines, recording)` gives the
    events by recording; `recording` is the name of the one recording where the format has no place for names.
    `write(file, table)` writes a table. `write_rankings(file, table, rankings)` does so with the probabilities of whole
    recordings, where the format has a place for them.
    """

    name: str
    suffixes: tuple[str, ...]
    fits: Callable[[Lines], bool]
    read: Callable[[Path, Lines, str], dict[str, list[Event]]]
    write: Callable[[TextIO, EventTable], None]
    write_rankings: Callable[[TextIO, EventTable, Rankings], None] | None = None


def read_lines(path: Path) -> Lines:
    """The lines of a UTF-8 file, with or without byte order mark, ended in any system's way.

    Raises `AnnotationError` where it is missing, a folder, not readable or not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror}; wanted a label file") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise AnnotationError(f"{path}:{line}: is not UTF-8; wanted text, saved as UTF-8") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def number(path: Path, line: int, what: str, text: str) -> float:
    """A finite number. Raises `AnnotationError` with path:line for anything else, decimal commas named as such."""
    text = text.strip()
    if not text:
        raise AnnotationError(f"{path}:{line}: {what} is empty; wanted a number")
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        raise AnnotationError(
            f"{path}:{line}: {what} is {text!r}, with a decimal comma; wanted a point: {text.replace(',', '.')}"
        )
    raise AnnotationError(f"{path}:{line}: {what} is {text!r}; wanted a number")


def event(path: Path, line: int, onset: str, offset: str, label: str, score: str = "") -> Event:
    """The event that these fields of a line say; an empty score is None. Raises `AnnotationError` with path:line."""
    times = number(path, line, "onset", onset), number(path, line, "offset", offset)
    if not label.strip():
        raise AnnotationError(f"{path}:{line}: the label is empty; wanted what sounds")
    probability = number(path, line, "score", score) if score.strip() else None
    try:
        return Event(*times, label, probability)
    except ValueError as error:
        raise AnnotationError(f"{path}:{line}: {error}; wanted 0 <= onset <= offset") from error


def the_only_recording(table: EventTable, name: str) -> Sequence[Event]:
    """The events of a table that goes into a format without names. Raises `AnnotationError` for several recordings."""
    if len(table) > 1:
        raise AnnotationError(
            f"{name} holds one recording a file and the table has {len(table)}; write a file for each, or take dcase"
        )
    return [each for events in table.values() for each in events]


def in_order(events: Sequence[Event]) -> list[Event]:
    """Events as tables list them: by onset, then label."""
    return sorted(events, key=lambda each: (each.onset, each.label, each.offset))


def on_one_line(what: str, text: str, forbidden: str = "\t\n\r") -> str:
    """`text`, if it can stand in a field of a line. Raises `AnnotationError` where it is empty or would break it."""
    if not text.strip():
        raise AnnotationError(f"cannot be written: an empty {what}; wanted a name")
    for character in forbidden:
        if character in text:
            raise AnnotationError(f"cannot be written: the {what} {text!r} holds {character!r}; rename it")
    return text


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that is written beside `path` and takes its place when all went well; else nothing is left of it.

    Raises `AnnotationError` where that is not possible; one raised inside is given the path.
    """
    with files.replacing(path, AnnotationError) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        try:
            yield file
        except UnicodeEncodeError as error:
            raise AnnotationError(
                f"{path}: cannot be written: {error.object!r} is no Unicode text; rename it"
            ) from error
        except AnnotationError as error:
            raise AnnotationError(f"{path}: {error}") from error
