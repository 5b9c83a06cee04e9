"""Tables of events with named columns, a recording a row or more: what `dcase` (tabs) and `comma` have in common.

Columns are found by name, in any order; others are passed over. A row with nothing but its filename says that the
recording has no events. Fields may be quoted as spreadsheets and pandas do. Written rows are sorted by filename, onset
and label; times and scores have six decimals.
"""

import csv
from collections.abc import Iterator, Sequence
from os.path import commonpath
from pathlib import Path, PurePosixPath
from typing import TextIO

from hubbub.annotations.formats import Lines, event, in_order, on_one_line
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

NEEDED = ("filename", "onset", "offset", "event_label")
COLUMNS = (*NEEDED, "score")


def fits(lines: Lines, delimiter: str) -> bool:
    """Whether the first line that is not blank is a header with a column of filenames, and others."""
    header = next((line for line in lines if line.strip()), "").split(delimiter)
    return len(header) > 1 and NEEDED[0] in [name.strip().strip('"') for name in header]


def read(path: Path, lines: Lines, delimiter: str) -> dict[str, list[Event]]:
    """Events by filename, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    below = rows(path, lines, delimiter)
    header = read_header(path, below, NEEDED)
    table: dict[str, list[Event]] = {}
    for line, row in below:
        if len(row) > len(header) or (len(row) > 1 and set(header[len(row) :]) & set(NEEDED)):
            raise AnnotationError(f"{path}:{line}: has {len(row)} columns; wanted {len(header)}: {' '.join(header)}")
        field = dict(zip(header, row, strict=False)) if len(row) > 1 else {"filename": row[0]}
        if not field["filename"].strip():
            raise AnnotationError(f"{path}:{line}: filename is empty; wanted the name of a recording")
        events = table.setdefault(field["filename"], [])
        onset, offset, label, score = (field.get(name, "") for name in COLUMNS[1:])
        if (onset + offset + label + score).strip():
            events.append(event(path, line, onset, offset, label, score))
    return {filename: sorted(events) for filename, events in table.items()}


def write(file: TextIO, table: EventTable, delimiter: str) -> None:
    """Writes header and rows. Raises `AnnotationError` for a name with a line end, or a tab in a table of tabs."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    forbidden = "\n\r\t" if delimiter == "\t" else "\n\r"
    for filename in sorted(table):
        on_one_line("filename", filename, forbidden)
        if not table[filename]:
            writer.writerow((filename, "", "", "", ""))
        for each in in_order(table[filename]):
            score = "" if each.score is None else f"{each.score:.6f}"
            label = on_one_line("label", each.label, forbidden)
            writer.writerow((filename, f"{each.onset:.6f}", f"{each.offset:.6f}", label, score))


def rows(path: Path, lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their lines. Raises `AnnotationError` for a quote that does not end."""
    reader = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise AnnotationError(
            f"{path}:{reader.line_num}: {error}; wanted quotes around a whole field, or none"
        ) from error


def fields(
    path: Path, lines: Sequence[str], delimiter: str, needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header by column, with their lines; columns at the end may be missing where they are not
    `needed`. Raises `AnnotationError` with path:line for a wrong number of columns or a column that is missing."""
    below = rows(path, lines, delimiter)
    header = read_header(path, below, needed)
    for line, row in below:
        if len(row) > len(header) or set(header[len(row) :]) & set(needed):
            raise AnnotationError(f"{path}:{line}: has {len(row)} columns; wanted {len(header)}: {' '.join(header)}")
        yield line, dict(zip(header, row, strict=False))


def quoted(text: str) -> str:
    """A field of a table with tabs, in quotes where `rows` would else take its own quotes for such."""
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """What to call recordings that are given by a path on another machine: what comes after the folder that they have
    in common, with forward slashes; relative paths stay. A path that is empty has an empty name."""
    plain = {path: path.strip().replace("\\", "/") for path in paths}
    absolute = {path for path in plain.values() if path.startswith("/") or path[1:3] == ":/"}
    try:
        common = commonpath([str(PurePosixPath(path).parent) for path in absolute]) if absolute else ""
    except ValueError:  # several drives
        common = ""
    return {
        given: str(PurePosixPath(path).relative_to(common)) if path in absolute and common else path.removeprefix("./")
        for given, path in plain.items()
    }


def read_header(path: Path, below: Iterator[tuple[int, list[str]]], needed: Sequence[str]) -> list[str]:
    """Takes the first row. Raises `AnnotationError` where it lacks one of the columns `needed`, or has it twice."""
    line, row = next(below, (1, []))
    header = [name.strip() for name in row]
    for name in needed:
        if header.count(name) != 1:
            what = "is there twice" if name in header else "is missing"
            raise AnnotationError(f"{path}:{line}: column {name} {what}; wanted a header: {' '.join(needed)}")
    return header
