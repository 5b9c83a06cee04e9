"""Bare lines, as in TUT Sound Events, URBAN-SED, MAESTRO, pyAudioAnalysis and sed_eval; all of a file have one layout:

    onset offset                        nobody said what sounds: all events are labelled `event`
    onset offset label                  the file is about one recording
    onset offset label confidence       the same, with soft labels
    file onset offset label …           columns after the label are passed over
    file scene onset offset label …
    file                                a recording without events, among lines that name files

Fields are parted by tabs, commas, semicolons or, where no label holds one, blanks. A first line with the names of the
columns is passed over. Written are the three columns of one recording; scores are not.
"""

import re
from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import (
    Lines,
    event,
    first_line,
    in_order,
    on_one_line,
    soft_label,
    the_only_recording,
    with_labels,
)
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

HEADER = ("onset", "offset")
LAYOUTS = {0: "onset offset label", 1: "file onset offset label", 2: "file scene onset offset label"}
"""By the number of columns before the onset."""
AUDIO_NAME = re.compile(r"[^\t]+\.(wav|flac|ogg|opus|mp3|aif|aiff|m4a)", re.IGNORECASE)


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank has one of the layouts, is the header, or names an audio file only."""
    first = first_line(lines)
    fields = _fields(first)
    if AUDIO_NAME.fullmatch(first.strip()):
        later = [_fields(line) for line in lines if not AUDIO_NAME.fullmatch(line.strip()) and line.strip()]
        return not later or _leading(later[0]) in (1, 2)
    leading = _leading(fields)
    return _is_header(fields) or (leading is not None and (leading > 0 or len(fields) <= 4))


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by recording, sorted within; an empty file has one recording without events.

    Raises `AnnotationError` with path:line.
    """
    rows = [(line, _fields(text)) for line, text in enumerate(lines, start=1) if text.strip()]
    if rows and _is_header(rows[0][1]):
        rows = rows[1:]
    if not rows:
        return {recording: []}
    leading = next((found for _, fields in rows if len(fields) > 1 and (found := _leading(fields)) is not None), None)
    if leading is None:
        leading = 1 if all(AUDIO_NAME.fullmatch(" ".join(fields)) for _, fields in rows) else 0
    return _named(path, rows, leading) if leading else {recording: _of_one(path, rows, lines)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a line an event, with tabs. Raises `AnnotationError` for two recordings, or a label with tabs."""
    for each in in_order(the_only_recording(table, "text")):
        file.write(f"{each.onset:.6f}\t{each.offset:.6f}\t{on_one_line('label', each.label)}\n")


def _of_one(path: Path, rows: list[tuple[int, list[str]]], lines: Lines) -> list[Event]:
    """The events of lines that name no recording."""
    widest = max(len(fields) for _, fields in rows)
    for line, fields in rows:
        soft = len(fields) == 4 and _is_number(fields[3])
        if len(fields) != 3 and not soft and (len(fields) != 2 or widest > 2):
            hint = "" if "\t" in lines[line - 1] else ", with tabs where a label holds blanks"
            raise AnnotationError(f"{path}:{line}: has {len(fields)} columns; wanted 3: onset offset label{hint}")
    labels = with_labels(path, [(line, fields[2] if len(fields) > 2 else "") for line, fields in rows])
    return sorted(
        event(path, line, fields[0], fields[1], label, soft_label(path, line, "".join(fields[3:])))
        for (line, fields), label in zip(rows, labels, strict=True)
    )


def _named(path: Path, rows: list[tuple[int, list[str]]], leading: int) -> dict[str, list[Event]]:
    """Events by recording, of lines in which the onset comes after so many columns."""
    table: dict[str, list[Event]] = {}
    for line, fields in rows:
        if not fields[0].strip():
            raise AnnotationError(f"{path}:{line}: file is empty; wanted the name of a recording")
        events = table.setdefault(fields[0].strip(), [])
        if any(field.strip() for field in fields[leading:]):
            if len(fields) < leading + 3:
                raise AnnotationError(f"{path}:{line}: has {len(fields)} columns; wanted {LAYOUTS[leading]}")
            events.append(event(path, line, *fields[leading : leading + 3]))
    return {name: sorted(events) for name, events in table.items()}


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


def _leading(fields: list[str]) -> int | None:
    """How many columns come before two numbers; None where there are no two numbers in place."""
    for leading in LAYOUTS:
        times = fields[leading : leading + 2]
        if len(times) == 2 and all(map(_is_number, times)) and (leading == 0 or len(fields) >= leading + 3):
            named = leading == 0 and len(fields) > 3 and _is_number(fields[2]) and not _is_number(fields[3])
            return 1 if named else leading  # a recording may be called 7
    return None


def _is_number(text: str) -> bool:
    """Whether this is meant as a number; decimal commas are, and are told where they are read."""
    return re.fullmatch(r"[-+\d.,eE]*\d[-+\d.,eE]*", text.strip()) is not None


def _is_header(fields: list[str]) -> bool:
    names = [field.strip().lower() for field in fields]
    return tuple(names[:2]) == HEADER and names[2:] in (["label"], ["event_label"])
