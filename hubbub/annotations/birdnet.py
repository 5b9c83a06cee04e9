"""BirdNET's csv: `Start (s),End (s),Scientific name,Common name,Confidence,File`.

The label is the common name, or where that is empty the scientific one. Without the column `File`, as older versions
write it, the file is about one recording. A path of the machine where BirdNET ran is cut down to what tells its
recordings apart. `nocall` says that a recording has no events.
"""

import csv
from pathlib import Path
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import Lines, event, first_line, in_order, on_one_line
from hubbub.events import Event, EventTable

COLUMNS = ("Start (s)", "End (s)", "Scientific name", "Common name", "Confidence", "File")
NO_CALL = "nocall"


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank is the header."""
    return [name.strip() for name in first_line(lines).split(",")][:2] == list(COLUMNS[:2])


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by recording, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    rows = list(columns.fields(path, lines, ",", COLUMNS[:5]))
    names = columns.short_names([field.get("File", "") for _, field in rows])
    table: dict[str, list[Event]] = {} if rows else {recording: []}
    for line, field in rows:
        onset, offset, scientific, common, confidence = (field[name] for name in COLUMNS[:5])
        events = table.setdefault(names[field.get("File", "")] or recording, [])
        label = common if common.strip() else scientific
        if label != NO_CALL:
            events.append(event(path, line, onset, offset, label, confidence))
    return {name: sorted(events) for name, events in table.items()}


def write(file: TextIO, table: EventTable) -> None:
    """Writes the label as both names, the confidence empty where there is no score; recordings without events have no
    row. Raises `AnnotationError` for names with line ends."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name in sorted(table):
        for each in in_order(table[name]):
            label, score = on_one_line("label", each.label, "\n\r"), "" if each.score is None else f"{each.score:.6f}"
            filename = on_one_line("filename", name, "\n\r")
            writer.writerow((f"{each.onset:.6f}", f"{each.offset:.6f}", label, label, score, filename))
