"""The columns of `dcase` with commas, as spreadsheets write them."""

from pathlib import Path
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import Lines
from hubbub.events import Event, EventTable


def fits(lines: Lines) -> bool:
    """Whether there is a header that names files, with commas."""
    return columns.fits(lines, ",")


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by filename. Raises `AnnotationError` with path:line."""
    return columns.read(path, lines, ",")


def write(file: TextIO, table: EventTable) -> None:
    """Writes all five columns, score empty where there is none. Raises `AnnotationError` for names with line ends."""
    columns.write(file, table, ",")
