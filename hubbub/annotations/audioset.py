"""AudioSet's strong labels: `segment_id start_time_seconds end_time_seconds label`, with tabs.

A segment is called `<YouTube id>_<its start in ms>`; its times count from its own start, so it is the recording and
keeps its name. Labels are machine ids such as `/m/05zppz`; `mid_to_display_name.tsv` beside the tables says what they
mean. In the framed table of positives and negatives, rows whose column `present` is NOT_PRESENT are no events, but
their segments were listened to.
"""

from pathlib import Path
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import Lines, event, first_line, in_order, on_one_line
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

COLUMNS = ("segment_id", "start_time_seconds", "end_time_seconds", "label")
PRESENT, NOT_PRESENT = "PRESENT", "NOT_PRESENT"


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank is the header."""
    return COLUMNS[0] in first_line(lines).split("\t")


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by segment, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    table: dict[str, list[Event]] = {}
    for line, field in columns.fields(path, lines, "\t", COLUMNS):
        segment, onset, offset, label = (field[name] for name in COLUMNS)
        if not segment.strip():
            raise AnnotationError(f"{path}:{line}: segment_id is empty; wanted the name of a segment")
        events, present = table.setdefault(segment, []), field.get("present", PRESENT)
        if present not in (PRESENT, NOT_PRESENT):
            raise AnnotationError(f"{path}:{line}: present is {present!r}; wanted {PRESENT} or {NOT_PRESENT}")
        each = event(path, line, onset, offset, label)
        if present == PRESENT:
            events.append(each)
    return {segment: sorted(events) for segment, events in table.items()}


def write(file: TextIO, table: EventTable) -> None:
    """Writes header and rows, in quotes what begins with one; segments without events have no row."""
    file.write("\t".join(COLUMNS) + "\n")
    for segment in sorted(table):
        for each in in_order(table[segment]):
            name, label = on_one_line("filename", segment), on_one_line("label", each.label)
            times = f"{each.onset:.6f}\t{each.offset:.6f}"
            file.write(f"{columns.quoted(name)}\t{times}\t{columns.quoted(label)}\n")
