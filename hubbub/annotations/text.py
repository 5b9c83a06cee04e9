"""Bare lines `onset offset label`, as in TUT Sound Events, URBAN-SED and sed_eval; a file is about one recording.

Fields are parted by tabs, commas, semicolons or, where no label holds one, blanks. A first line with the names of the
columns is passed over. Scores are not written.
"""

import re
from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import Lines, event, in_order, on_one_line, the_only_recording
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

HEADER = ("onset", "offset")


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank holds two numbers and a label, or the header."""
    first = next((line for line in lines if line.strip()), "")
    fields = _fields(first)
    return len(fields) == 3 and (
        _is_header(fields) or all(re.fullmatch(r"[-+\d.,eE]+", text.strip()) for text in fields[:2])
    )


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted; an empty file has none. Raises `AnnotationError` with path:line."""
    events = []
    for line, text in enumerate(lines, start=1):
        fields = _fields(text)
        if not text.strip() or (line == 1 and _is_header(fields)):
            continue
        if len(fields) != 3:
            hint = "" if "\t" in text else ", with tabs where a label holds blanks"
            raise AnnotationError(f"{path}:{line}: has {len(fields)} columns; wanted 3: onset offset label{hint}")
        events.append(event(path, line, *fields))
    return {recording: sorted(events)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a line an event, with tabs. Raises `AnnotationError` for two recordings, or a label with tabs."""
    for each in in_order(the_only_recording(table, "text")):
        file.write(f"{each.onset:.6f}\t{each.offset:.6f}\t{on_one_line('label', each.label)}\n")


def _fields(line: str) -> list[str]:
    if "\t" in line:
        fields = line.split("\t")
        while len(fields) > 3 and not fields[-1].strip():  # tabs at the end, which nobody sees
            fields.pop()
        return fields
    by_blanks = line.split()
    if len(by_blanks) > 1 and re.fullmatch(r"[-+\d.,eE]*[\d.]", by_blanks[0]):
        return by_blanks  # commas in here are decimal commas, or in a label
    return [field.strip() for field in re.split("[,;]", line)] if re.search("[,;]", line) else by_blanks


def _is_header(fields: list[str]) -> bool:
    return tuple(field.strip().lower() for field in fields[:2]) == HEADER and fields[2:] in (["label"], ["event_label"])
