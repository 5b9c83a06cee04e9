"""The tables of DCASE, DESED and hubbub: `filename onset offset event_label`, with tabs, and `score` where known."""

from pathlib import Path
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import Lines
from hubbub.events import Event, EventTable


def fits(lines: Lines) -> bool:
    """Whether there is a header that names files, with tabs."""
    return columns.fits(lines, "\t")


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by filename. Raises `AnnotationError` with path:line."""
    return columns.read(path, lines, "\t")


def write(file: TextIO, table: EventTable) -> None:
    """Writes all five columns, score empty where there is none. Raises `AnnotationError` for names with tabs."""
    columns.write(file, table, "\t")
