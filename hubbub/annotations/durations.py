"""How long recordings are, as TSV: `filename duration`, in seconds."""

from collections.abc import Mapping
from pathlib import Path

from hubbub.annotations.columns import read_header, rows
from hubbub.annotations.formats import number, on_one_line, read_lines, replacing
from hubbub.errors import AnnotationError

COLUMNS = ["filename", "duration"]


def read_durations(path: str | Path) -> dict[str, float]:
    """Seconds by filename. Raises `AnnotationError` with path:line for a column or a name that is missing, a recording
    that is there twice, or a duration that is no positive number."""
    path = Path(path)
    below = rows(path, read_lines(path), "\t")
    header = read_header(path, below, COLUMNS)
    durations: dict[str, float] = {}
    for line, row in below:
        if len(row) != len(header):
            raise AnnotationError(f"{path}:{line}: has {len(row)} columns; wanted {len(header)}: {' '.join(header)}")
        field = dict(zip(header, row, strict=True))
        filename = field["filename"]
        if not filename.strip() or filename in durations:
            what = f"{filename!r} is there twice" if filename.strip() else "filename is empty"
            raise AnnotationError(f"{path}:{line}: {what}; wanted each recording once")
        durations[filename] = number(path, line, "duration", field["duration"])
        if durations[filename] <= 0:
            raise AnnotationError(f"{path}:{line}: duration is {durations[filename]:g} s; wanted more than 0")
    return durations


def write_durations(path: str | Path, durations: Mapping[str, float]) -> None:
    """Writes seconds by filename, sorted, with six decimals, beside and then renamed. Raises `AnnotationError`."""
    with replacing(Path(path)) as file:
        file.write("\t".join(COLUMNS) + "\n")
        for filename in sorted(durations):
            file.write(f"{on_one_line('filename', filename)}\t{durations[filename]:.6f}\n")
