"""Raven's selection tables, and BirdNET's: `Selection View Channel Begin Time (s) End Time (s) …`, with tabs.

A selection has a row for each view in which it was drawn and counts once. The recording is named by `Begin Path` or
`Begin File`; in a table of several, `Begin Time (s)` runs on from one to the next and `File Offset (s)` is the time in
the recording. Raven lets people name the column of labels: one of `LABELS`, or else the only column that is none of
Raven's measurements. BirdNET's `nocall` says that a recording has no events.
"""

import re
from pathlib import Path
from typing import TextIO

from hubbub.annotations import columns
from hubbub.annotations.formats import (
    Lines,
    first_line,
    in_order,
    number,
    on_one_line,
    span,
    the_only_recording,
    with_labels,
)
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

BEGIN, END, FILE_OFFSET = "Begin Time (s)", "End Time (s)", "File Offset (s)"
SCORES = ("confidence", "score")
LABELS = ("annotation", "annotations", "common name", "species", "label", "labels", "scientific name", "species code")
"""Columns for the label in lower case, the first that is there."""
RAVENS = re.compile(
    r".*\(.*\)|selection|view|channel|type|(begin|end) (file|path|date|date time|clock time|hour|sample)|"
    r"occupancy|rank|notes?|comments?|sound id|confidence|score",
    re.IGNORECASE,
)
"""Columns that Raven or a detector fills; its measurements have their unit in parentheses."""
NO_CALL = "nocall"


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank is a header with begin and end of selections."""
    return {BEGIN, END} <= {name.strip() for name in first_line(lines).split("\t")}


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by recording, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    rows = list(columns.fields(path, lines, "\t", (BEGIN, END)))
    if not rows:
        return {recording: []}
    label_column, score_column = _label_column(path, list(rows[0][1])), _named(list(rows[0][1]), SCORES)
    labels = with_labels(path, [(line, field.get(label_column, "")) for line, field in rows])
    places = {line: field.get("Begin Path", "") or field.get("Begin File", "") for line, field in rows}
    names = columns.short_names(list(places.values()))
    table: dict[str, list[Event]] = {}
    views: dict[tuple[str, str, Event], set[str]] = {}
    for (line, field), label in zip(rows, labels, strict=True):
        name = names[places[line]] or recording
        events = table.setdefault(name, [])
        each = _event(path, line, field, label, field.get(score_column, ""))
        seen = views.setdefault((name, field.get("Selection", ""), each), set())
        if field.get("View", "") in seen or not seen:
            events.extend([] if label == NO_CALL else [each])
        seen.add(field.get("View", ""))
    return {name: sorted(events) for name, events in table.items()}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a selection an event, over all frequencies, with its recording and, where there are any, scores.

    Raises `AnnotationError` for two recordings, whose lengths would have to be known, or names with tabs."""
    events = in_order(the_only_recording(table, "raven"))
    scored = any(each.score is not None for each in events)
    header = ["Selection", "View", "Channel", BEGIN, END, FILE_OFFSET, "Begin File", "Annotation"]
    file.write("\t".join([*header, *(["Confidence"] if scored else [])]) + "\n")
    for selection, each in enumerate(events, start=1):
        onset, offset = f"{each.onset:.6f}", f"{each.offset:.6f}"
        name, label = on_one_line("filename", next(iter(table))), on_one_line("label", each.label)
        row = [str(selection), "Spectrogram 1", "1", onset, offset, onset, columns.quoted(name), columns.quoted(label)]
        score = "" if each.score is None else f"{each.score:.6f}"
        file.write("\t".join([*row, *([score] if scored else [])]) + "\n")


def _event(path: Path, line: int, field: dict[str, str], label: str, score: str) -> Event:
    begin, end = number(path, line, BEGIN, field[BEGIN]), number(path, line, END, field[END])
    in_file = field.get(FILE_OFFSET, "")
    onset = number(path, line, FILE_OFFSET, in_file) if in_file.strip() else begin
    return span(path, line, onset, onset + end - begin, label, number(path, line, "score", score) if score else None)


def _label_column(path: Path, header: list[str]) -> str:
    """The column of labels; empty where there is none, and all selections are unlabelled."""
    if known := _named(header, LABELS):
        return known
    others = [name for name in header if name and not RAVENS.fullmatch(name)]
    if len(others) > 1:
        raise AnnotationError(f"{path}:1: labels could be in {', '.join(others)}; call the right one Annotation")
    return others[0] if others else ""


def _named(header: list[str], wanted: tuple[str, ...]) -> str:
    by_name = {name.lower(): name for name in header}
    return next((by_name[name] for name in wanted if name in by_name), "")
