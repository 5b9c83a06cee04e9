"""Kaleidoscope's csv: `INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,TOP1DIST`, also as BirdNET writes it.

A recording is called by its folder below `INDIR` and its file. The label is what a person said in `MANUAL ID`, or else
the best match of the program (`TOP1MATCH`, `AUTO ID`; BirdNET: `common_name`). `TOP1DIST` is a distance, so it is no
score; BirdNET's `confidence` is one.
"""

import csv
from pathlib import Path, PurePosixPath
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import Lines, first_line, in_order, number, on_one_line, span
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

COLUMNS = ("INDIR", "FOLDER", "IN FILE", "OFFSET", "DURATION", "TOP1MATCH", "TOP1DIST")
NEEDED = ("IN FILE", "OFFSET", "DURATION")
LABELS = ("MANUAL ID", "TOP1MATCH", "AUTO ID", "common_name", "scientific_name")
"""Columns for the label, the first that is filled; at least one of them is there."""


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank is a header with the columns that are needed."""
    return set(NEEDED) <= {name.strip().strip('"') for name in first_line(lines).split(",")}


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by recording, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    table: dict[str, list[Event]] = {}
    for line, field in columns.fields(path, lines, ",", NEEDED):
        file, folder = field["IN FILE"].strip(), field.get("FOLDER", "").strip().replace("\\", "/").strip("/")
        if not file:
            raise AnnotationError(f"{path}:{line}: IN FILE is empty; wanted the name of a recording")
        label = next((text for name in LABELS if (text := field.get(name, "")).strip()), "")
        if not label:
            raise AnnotationError(f"{path}:{line}: no label; wanted one of the columns {', '.join(LABELS)} filled")
        onset = number(path, line, "OFFSET", field["OFFSET"])
        offset = onset + number(path, line, "DURATION", field["DURATION"])
        confidence = field.get("confidence", "")
        score = number(path, line, "confidence", confidence) if confidence.strip() else None
        events = table.setdefault(f"{folder}/{file}" if folder else file, [])
        events.append(span(path, line, onset, offset, label, score))
    return {name: sorted(events) for name, events in table.items()}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a row an event, distances empty; recordings without events have no row.

    Raises `AnnotationError` for names with line ends."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name in sorted(table):
        place = PurePosixPath(on_one_line("filename", name, "\n\r"))
        folder = "" if str(place.parent) == "." else str(place.parent)
        for each in in_order(table[name]):
            onset, offset = round(each.onset, 6), round(each.offset, 6)
            label = on_one_line("label", each.label, "\n\r")
            writer.writerow(("", folder, place.name, f"{onset:.6f}", f"{offset - onset:.6f}", label, ""))
