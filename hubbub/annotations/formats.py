"""What a label format is, and how label files become lines and events: shared by the modules of the formats."""

import codecs
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


UNLABELLED = "event"
"""The label of all events of a file in which none has one: there is something, and nobody said what."""
SLIGHTLY_ABOVE_ONE = 1.05
"""Soft labels are means of several listeners' answers, weighted; MAESTRO's exceed 1 by a little."""


@dataclass(frozen=True)
class Format:
    """A label format: the module of each has these three functions.

    `fits(lines)` tells from the first lines whether a file is of this format. `read(path, lines, recording)` gives the
    events by recording; `recording` is the name of the one recording where the file does not name it.
    `write(file, table)` writes a table. `write_rankings(file, table, rankings)` does so with the probabilities of whole
    recordings, where the format has a place for them.

    A file ends in the first of `suffixes`; where its lines do not tell the format, any of them does. What a written
    file has a place for: `several` recordings, `names` of recordings, `scores`, and recordings that are `silent`, which
    have no events.
    """

    name: str
    suffixes: tuple[str, ...]
    fits: Callable[[Lines], bool]
    read: Callable[[Path, Lines, str], dict[str, list[Event]]]
    write: Callable[[TextIO, EventTable], None]
    write_rankings: Callable[[TextIO, EventTable, Rankings], None] | None = None
    several: bool = False
    names: bool = False
    scores: bool = False
    silent: bool = True


def read_lines(path: Path) -> Lines:
    """The lines of a UTF-8 file, with or without byte order mark, ended in any system's way; or of a UTF-16 file, as
    Praat and spreadsheets write it, which has such a mark.

    Raises `AnnotationError` where it is missing, a folder, not readable or not in one of these encodings.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror}; wanted a label file") from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16, as its first bytes say" if wide else "UTF-8"
        raise AnnotationError(f"{path}:{line}: is not {encoding}; wanted text, saved as UTF-8") from error
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


def soft_label(path: Path, line: int, text: str) -> str:
    """A listener's or a detector's confidence in the fourth column, 1 where it is slightly above, as text of a number.

    Raises `AnnotationError` with path:line where it is below 0 or further above 1: such a column means something else.
    """
    if not text.strip():
        return ""
    confidence = number(path, line, "score", text)
    if not 0 <= confidence <= SLIGHTLY_ABOVE_ONE:
        raise AnnotationError(f"{path}:{line}: score {confidence:g} is no confidence; wanted 0 to 1")
    return repr(min(confidence, 1.0))


def with_labels(path: Path, rows: Sequence[tuple[int, str]]) -> list[str]:
    """The labels of (line, label), `UNLABELLED` for each where none is given at all.

    Raises `AnnotationError` with path:line for a label that is empty where others are not: somebody forgot it.
    """
    if not any(label.strip() for _, label in rows):
        return [UNLABELLED] * len(rows)
    for line, label in rows:
        if not label.strip():
            raise AnnotationError(f"{path}:{line}: the label is empty, others are not; wanted what sounds")
    return [label for _, label in rows]


def span(path: Path, line: int, onset: float, offset: float, label: str, score: float | None = None) -> Event:
    """The event of numbers, times without the rounding errors of sums. Raises `AnnotationError` with path:line."""
    try:
        return Event(round(onset, 9), round(offset, 9), label, score)
    except ValueError as error:
        raise AnnotationError(f"{path}:{line}: {error}; wanted 0 <= onset <= offset") from error


def first_line(lines: Lines) -> str:
    """The first line that is not blank; empty where there is none."""
    return next((line for line in lines if line.strip()), "")


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
