"""Label files: every format to events by recording and back. Times are seconds; labels stay as they are.

A format is a module with `fits`, `read` and `write`, and a line in `FORMATS`. Errors start with `path:line:`.
"""

from pathlib import Path
from typing import TextIO

from hubbub.annotations import audacity, comma, dcase, json_file, text
from hubbub.annotations.durations import read_durations, write_durations
from hubbub.annotations.formats import Format, Rankings, read_lines, replacing
from hubbub.annotations.scores import is_score_table, read_scores, write_scores
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

FORMATS = {
    each.name: each
    for each in (  # in this order they are tried on a file
        Format("dcase", (".tsv",), dcase.fits, dcase.read, dcase.write),
        Format("csv", (".csv",), comma.fits, comma.read, comma.write),
        Format("json", (".json",), json_file.fits, json_file.read, json_file.write, json_file.write),
        Format("audacity", (), audacity.fits, audacity.read, audacity.write),
        Format("text", (".txt", ".ann", ".lab"), text.fits, text.read, text.write),
    )
}
"""Label formats by name."""

__all__ = [
    "FORMATS",
    "Format",
    "detect_format",
    "is_score_table",
    "read",
    "read_durations",
    "read_scores",
    "write",
    "write_durations",
    "write_scores",
]


def read(path: str | Path, *, format: str | None = None, recording: str | None = None) -> dict[str, list[Event]]:
    """Events by recording, sorted within each; a recording without events has an empty list.

    `format` is a key of `FORMATS`, or is told from the file. Bare text and Audacity labels do not name their
    recording: it is called `recording`, or else by the file's name without suffix. Other formats take no notice of it.

    Raises `AnnotationError`, with `path:line:` where a line is at fault: for an onset after its offset, a negative
    time, text in a number, a missing or an odd number of columns, an empty label; a file that is missing or not UTF-8.
    """
    path = Path(path)
    lines = read_lines(path)
    chosen = _format(path, lines) if format is None else _named(format)
    return chosen.read(path, lines, path.stem if recording is None else recording)


def write(
    target: str | Path | TextIO, table: EventTable, format: str = "dcase", rankings: Rankings | None = None
) -> None:
    """Writes a table to a path, beside and then renamed, or to an open text file; sorted, times with six decimals.

    `rankings` holds, by recording, every label's probability where it was labelled as a whole; JSON has a place for
    them, the other formats take no notice.

    Raises `AnnotationError` where the path cannot be written, or the format has no place for what is in the table:
    several recordings in `text` or `audacity`, tabs in names.
    """
    chosen = _named(format)
    if isinstance(target, str | Path):
        with replacing(Path(target)) as file:
            _write(chosen, file, table, rankings)
    else:
        _write(chosen, target, table, rankings)


def detect_format(path: str | Path) -> str:
    """The name of the format of a label file, by its first lines, or else by its suffix. Raises `AnnotationError`."""
    return _format(Path(path), read_lines(Path(path))).name


def _write(chosen: Format, file: TextIO, table: EventTable, rankings: Rankings | None) -> None:
    if rankings and chosen.write_rankings is not None:
        chosen.write_rankings(file, table, rankings)
    else:
        chosen.write(file, table)


def _format(path: Path, lines: list[str]) -> Format:
    found = [each for each in FORMATS.values() if each.fits(lines)]
    found += [each for each in FORMATS.values() if path.suffix.lower() in each.suffixes]
    if not found:
        raise AnnotationError(f"{path}: is no label file known here; wanted one of {', '.join(FORMATS)}")
    return found[0]


def _named(name: str) -> Format:
    if name == "tsv":
        name = "dcase"
    if name not in FORMATS:
        raise AnnotationError(f"there is no label format {name!r}; wanted one of {', '.join(FORMATS)}")
    return FORMATS[name]
