r"""Audacity's label tracks: `start end label` with tabs; a file is about one recording.

A label with a spectral selection has a second line, `\ low high` in Hz, which is passed over. BirdNET and the soft
labels of MAESTRO have a fourth column, the score. Neither is written.
"""

from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import (
    Lines,
    event,
    in_order,
    number,
    on_one_line,
    soft_label,
    the_only_recording,
    with_labels,
)
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

SPECTRAL = "\\\t"


def fits(lines: Lines) -> bool:
    """Whether there is a line of frequencies, or a fourth column; without either the file is `text` as well."""
    return any(line.startswith(SPECTRAL) for line in lines) or (bool(lines) and _has_score(lines[0]))


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted; an empty file has none. Raises `AnnotationError` with path:line."""
    rows: list[tuple[int, list[str]]] = []
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        fields = text.split("\t")
        if text.startswith(SPECTRAL):
            if not rows or len(fields) != 3:
                raise AnnotationError(f"{path}:{line}: frequencies without a label; wanted start, end, label before it")
            for what, frequency in zip(("lower frequency", "upper frequency"), fields[1:], strict=True):
                number(path, line, what, frequency)
            continue
        if len(fields) not in (3, 4):
            raise AnnotationError(f"{path}:{line}: has {len(fields)} columns; wanted 3: start end label, with tabs")
        rows.append((line, fields))
    labels = with_labels(path, [(line, fields[2]) for line, fields in rows])
    return {
        recording: sorted(
            event(path, line, fields[0], fields[1], label, soft_label(path, line, "".join(fields[3:])))
            for (line, fields), label in zip(rows, labels, strict=True)
        )
    }


def write(file: TextIO, table: EventTable) -> None:
    """Writes a line an event. Raises `AnnotationError` for two recordings, or a label with tabs."""
    for each in in_order(the_only_recording(table, "audacity")):
        file.write(f"{each.onset:.6f}\t{each.offset:.6f}\t{on_one_line('label', each.label)}\n")


def _has_score(line: str) -> bool:
    fields = line.split("\t")
    try:
        return len(fields) == 4 and bool([float(fields[index]) for index in (0, 1, 3)])
    except ValueError:
        return False
