"""Scores of one recording as TSV: `onset offset LABEL…`, a row a frame without gaps, as sed_scores_eval reads it."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub.annotations.columns import read_header, rows
from hubbub.annotations.formats import number, on_one_line, read_lines, replacing
from hubbub.errors import AnnotationError
from hubbub.grid import TIME_TOLERANCE

TIMES = ["onset", "offset"]


def write_scores(
    path: str | Path, edges: NDArray[np.float64], values: NDArray[np.floating], labels: Sequence[str]
) -> None:
    """Writes scores, shape (n_frames, n_labels), on edges in seconds, shape (n_frames + 1,), beside and then renamed.

    Times have six decimals, scores nine digits, which give a float32 back exactly. Raises `AnnotationError` where the
    shapes do not agree, a frame is shorter than a microsecond, a score is no finite number, or labels are not fit for
    a header: two alike, or with tabs, line ends or backslashes.
    """
    path = Path(path)
    with replacing(path) as file:
        if values.shape != (len(edges) - 1, len(labels)) or not values.size:
            raise AnnotationError(
                f"cannot be written: scores {values.shape} on {len(edges)} edges for {len(labels)} labels; "
                "wanted (n_frames, n_labels) on n_frames + 1 edges"
            )
        if not np.isfinite(values).all() or not np.isfinite(edges).all():
            raise AnnotationError("cannot be written: some scores or edges are no finite numbers")
        if len(set(labels)) < len(labels) or set(labels) & set(TIMES):
            raise AnnotationError(
                f"cannot be written: labels {', '.join(labels)}; wanted each once, and no onset, offset"
            )
        times = [f"{edge:.6f}" for edge in edges]
        if np.diff(np.round(edges, 6)).min() <= 0:
            raise AnnotationError("cannot be written: edges do not rise by a microsecond or more; wanted longer frames")
        header = [*TIMES, *(on_one_line("label", label, "\t\n\r\\") for label in labels)]
        csv.writer(file, delimiter="\t", lineterminator="\n").writerow(header)
        for onset, offset, row in zip(times[:-1], times[1:], values.tolist(), strict=True):
            file.write(f"{onset}\t{offset}\t" + "\t".join([f"{value:.9g}" for value in row]) + "\n")


def is_score_table(path: Path) -> bool:
    """Whether a file begins as a score table does, with `onset offset` and labels; bare text names its one column."""
    try:
        with path.open("rb") as file:
            header = file.readline(100_000).decode("utf-8-sig").rstrip("\r\n").split("\t")
    except (OSError, UnicodeDecodeError):
        return False
    return header[:2] == TIMES and len(header) > 2 and header[2:] not in (["label"], ["event_label"])


def read_scores(path: str | Path) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """(edges in seconds, shape (n_frames + 1,); scores, shape (n_frames, n_labels); labels) of a score table.

    Raises `AnnotationError` with path:line for a column that is missing or there twice, text in a number, a frame
    without length, or a gap or an overlap between frames.
    """
    path = Path(path)
    below = rows(path, read_lines(path), "\t")
    header = read_header(path, below, TIMES)
    labels = header[2:]
    if header[:2] != TIMES or not labels or len(set(labels)) < len(labels) or "" in labels:
        raise AnnotationError(
            f"{path}:1: columns are {' '.join(header)!r}; wanted onset offset LABEL…, each label once"
        )
    edges: list[float] = []
    values: list[list[float]] = []
    for line, row in below:
        if len(row) != len(header):
            raise AnnotationError(f"{path}:{line}: has {len(row)} columns; wanted {len(header)}, as the header")
        onset, offset, *scores = _numbers(path, line, header, row)
        if not 0 <= onset < offset:
            raise AnnotationError(
                f"{path}:{line}: a frame from {onset:g} s to {offset:g} s; wanted 0 <= onset < offset"
            )
        if edges and abs(onset - edges[-1]) > TIME_TOLERANCE:
            raise AnnotationError(
                f"{path}:{line}: onset {onset:g} s; wanted {edges[-1]:g} s, where the frame before ends"
            )
        edges += [offset] if edges else [onset, offset]
        values.append(scores)
    if not values:
        raise AnnotationError(f"{path}: has no frames; wanted a row for each")
    return np.array(edges), np.array(values), labels


def _numbers(path: Path, line: int, header: list[str], row: list[str]) -> list[float]:
    try:
        numbers = [float(text) for text in row]
    except ValueError:
        numbers = [math.nan]
    if all(map(math.isfinite, numbers)):
        return numbers
    return [number(path, line, what, text) for what, text in zip(header, row, strict=True)]  # says which is none
