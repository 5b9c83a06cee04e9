"""Label files: every format to events by recording and back. Times are seconds; labels stay as they are.

A format is a module with `fits`, `read` and `write`, and a line in `FORMATS`. Errors start with `path:line:`.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from hubbub.annotations import (
    audacity,
    audioset,
    birdnet,
    comma,
    dcase,
    elan,
    folders,
    jams,
    json_file,
    kaleidoscope,
    raven,
    rttm,
    text,
    textgrid,
)
from hubbub.annotations import sonic_visualiser as svl
from hubbub.annotations.durations import read_durations, write_durations
from hubbub.annotations.folders import Wrong, below, stop
from hubbub.annotations.formats import Format, Rankings, read_lines, replacing
from hubbub.annotations.label_names import read_label_names
from hubbub.annotations.scores import is_score_table, read_scores, write_scores
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

TABLE, TABLE_OF_SCORES, TABLE_OF_EVENTS = (
    (True, True, True, True),
    (True, True, True, False),
    (True, True, False, False),
)
"""Formats of several recordings: whether they have a place for several, their names, scores, those without events."""
FORMATS = {
    each.name: each
    for each in (  # in this order they are tried on a file
        Format("dcase", (".tsv",), dcase.fits, dcase.read, dcase.write, None, *TABLE),
        Format("csv", (".csv",), comma.fits, comma.read, comma.write, None, *TABLE),
        Format("jams", (".jams",), jams.fits, jams.read, jams.write, names=True, scores=True),
        Format("json", (".json",), json_file.fits, json_file.read, json_file.write, json_file.write, *TABLE),
        Format("audioset", (".audioset.tsv",), audioset.fits, audioset.read, audioset.write, None, *TABLE_OF_EVENTS),
        Format(
            "raven",
            (".selections.txt", ".selection.table.txt"),
            raven.fits,
            raven.read,
            raven.write,
            names=True,
            scores=True,
        ),
        Format("birdnet", (".results.csv",), birdnet.fits, birdnet.read, birdnet.write, None, *TABLE_OF_SCORES),
        Format(
            "kaleidoscope",
            (".kaleidoscope.csv",),
            kaleidoscope.fits,
            kaleidoscope.read,
            kaleidoscope.write,
            None,
            *TABLE_OF_EVENTS,
        ),
        Format("rttm", (".rttm",), rttm.fits, rttm.read, rttm.write, None, *TABLE_OF_SCORES),
        Format("textgrid", (".TextGrid",), textgrid.fits, textgrid.read, textgrid.write),
        Format("elan", (".eaf",), elan.fits, elan.read, elan.write, names=True),
        Format("sonicvisualiser", (".svl",), svl.fits, svl.read, svl.write),
        Format("audacity", (".labels.txt",), audacity.fits, audacity.read, audacity.write),
        Format("text", (".txt", ".ann", ".lab", ".segments"), text.fits, text.read, text.write),
    )
}
"""Label formats by name."""
XML = ".xml"
"""A suffix that does not tell the format; the first element does."""
LONG_ENDINGS = re.compile(
    r"(\.Table\.\d+)?\.selections\.txt|\.BirdNET\.(selection\.table\.txt|results\.(csv|txt))|\.labels\.txt|"
    r"\.(audioset\.tsv|kaleidoscope\.csv|results\.csv)",
    re.IGNORECASE,
)
"""What programs, and hubbub, put behind the name of a recording."""

__all__ = [
    "FORMATS",
    "Format",
    "below",
    "detect_format",
    "format_of_name",
    "is_score_table",
    "read",
    "read_durations",
    "read_folder",
    "read_label_names",
    "read_scores",
    "write",
    "write_durations",
    "write_folder",
    "write_scores",
]


def read(path: str | Path, *, format: str | None = None, recording: str | None = None) -> dict[str, list[Event]]:
    """Events by recording, sorted within each; a recording without events has an empty list.

    `format` is a key of `FORMATS`, or is told from the file. Where a file does not name its recording, as most formats
    of one recording do not, it is called `recording`, or else by the file's name without suffix.

    Raises `AnnotationError`, with `path:line:` where a line is at fault: for an onset after its offset, a negative
    time, text in a number, a missing or an odd number of columns, an empty label; a file that is missing or no text.
    """
    path = Path(path)
    lines = read_lines(path)
    chosen = _format(path, lines) if format is None else _named(format)
    return chosen.read(path, lines, _stem(path) if recording is None else recording)


def read_folder(
    folder: str | Path, *, format: str | None = None, known: Iterable[str] = (), wrong: Wrong = stop
) -> dict[str, list[Event]]:
    """Events by recording of all label files below a folder, by their suffixes; other files are passed over.

    Names in files stay as they are. A file that does not name its recording is about that of `known` which has its
    path but for the suffix (`sub/a.txt` is about `sub/a.wav`), or else about `sub/a`.

    `wrong` is told of each file that cannot be read, and of one about a recording that another is about already; the
    default raises it. Raises `AnnotationError` for a folder without label files.
    """
    folder = Path(folder)
    endings = {XML, *(suffix.lower() for each in FORMATS.values() for suffix in each.suffixes)}
    paths = list(folders.label_files(folder, endings))
    if not paths:
        raise AnnotationError(f"{folder}: has no label files; wanted files that end in {', '.join(sorted(endings))}")

    def one(path: Path, recording: str) -> dict[str, list[Event]]:
        return read(path, format=format, recording=recording)

    return folders.read_files(folder, paths, one, _stem, known, wrong)


def write(
    target: str | Path | TextIO, table: EventTable, format: str = "dcase", rankings: Rankings | None = None
) -> None:
    """Writes a table to a path, beside and then renamed, or to an open text file; sorted, times with six decimals where
    the format does not count milliseconds or samples.

    `rankings` holds, by recording, every label's probability where it was labelled as a whole; JSON has a place for
    them, the other formats take no notice. What a format has no place for is left out: see its line in `FORMATS`.

    Raises `AnnotationError` where the path cannot be written, or the format cannot hold what is in the table: several
    recordings in a format of one, tabs in names.
    """
    chosen = _named(format)
    if isinstance(target, str | Path):
        with replacing(Path(target)) as file:
            _write(chosen, file, table, rankings)
    else:
        _write(chosen, target, table, rankings)


def write_folder(
    folder: str | Path,
    table: EventTable,
    format: str = "dcase",
    rankings: Rankings | None = None,
    *,
    wrong: Wrong = stop,
) -> list[Path]:
    """Writes a file for each recording, at its name below `folder` with the format's suffix; returns their paths.

    `wrong` is told of each that cannot be written; the default raises it.
    """
    chosen = _named(format)

    def one(path: Path, of_one: EventTable, its_rankings: Rankings | None) -> None:
        write(path, of_one, chosen.name, its_rankings)

    return folders.write_files(Path(folder), table, chosen, one, rankings, wrong)


def detect_format(path: str | Path) -> str:
    """The name of the format of a label file, by its first lines, or else by its suffix. Raises `AnnotationError`."""
    return _format(Path(path), read_lines(Path(path))).name


def format_of_name(path: str | Path) -> str | None:
    """The name of the format that a file's suffix stands for, the longest if there are two; None where it stands for
    none."""
    found = [
        (len(suffix), each.name)
        for each in FORMATS.values()
        for suffix in each.suffixes
        if Path(path).name.lower().endswith(suffix.lower())
    ]
    return max(found)[1] if found else None


def _write(chosen: Format, file: TextIO, table: EventTable, rankings: Rankings | None) -> None:
    if rankings and chosen.write_rankings is not None:
        chosen.write_rankings(file, table, rankings)
    else:
        chosen.write(file, table)


def _format(path: Path, lines: list[str]) -> Format:
    by_content = next((each.name for each in FORMATS.values() if each.fits(lines)), None)
    name = by_content if by_content is not None else format_of_name(path)
    if name is None:
        raise AnnotationError(f"{path}: is no label file known here; wanted one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _named(name: str) -> Format:
    if name == "tsv":
        name = "dcase"
    if name not in FORMATS:
        raise AnnotationError(f"there is no label format {name!r}; wanted one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _stem(path: Path) -> str:
    """The name of a label file without what stands for its format."""
    found = LONG_ENDINGS.search(path.name)
    return path.name[: found.start()] if found and found.end() == len(path.name) and found.start() else path.stem
