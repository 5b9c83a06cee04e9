"""The rows of the score tables, before anyone draws them: the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a timeline needs no scores, and metrics bring scipy: a second on a small board
    from hubbub.metrics import Scores

TRIVIAL = ("always_silent", "always_on", "prior")
"""What `evaluate_with_trivial` calls the systems that do not listen."""

ORACLE = "oracle"
ORACLE_NOTE = "oracle: thresholds chosen on these very recordings, as no system may, for frame F1"


@dataclass(frozen=True)
class Column:
    """One figure of a score table; `best` picks the better of several values, None where no value is better."""

    group: str
    title: str
    text: Callable[[Scores], str]
    value: Callable[[Scores], float]
    best: Callable[..., float] | None = max


@dataclass(frozen=True)
class Cell:
    """`best_trivial`: no system that does not listen does better. `beaten`: one that listens does no better either."""

    text: str
    best_trivial: bool = False
    beaten: bool = False


@dataclass(frozen=True)
class ScoreRow:
    """One system, with a cell for each of `SCORE_COLUMNS`."""

    system: str
    trivial: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class LabelRow:
    """One label, with a text for each of `LABEL_COLUMNS`; `absent` says what it lacks, if anything."""

    label: str
    f1: float
    texts: tuple[str, ...]
    absent: str


@dataclass(frozen=True)
class Headline:
    """A figure to show large, and the best that a system gets which does not listen; None where no such was scored."""

    title: str
    value: float
    trivial_value: float | None
    trivial_system: str


def _column(
    group: str, title: str, value: Callable[[Scores], float], decimals: int = 3, *, low: bool = False
) -> Column:
    return Column(group, title, lambda scores: f"{value(scores):.{decimals}f}", value, min if low else max)


def _parts(scores: Scores) -> str:
    frame = scores.frame
    return "/".join(f"{part:.2f}" for part in (frame.substitutions, frame.deletions, frame.insertions))


SCORE_COLUMNS = (
    _column("frame", "F1", lambda scores: scores.frame.micro_f1),
    _column("frame", "macro F1", lambda scores: scores.frame.macro_f1),
    _column("frame", "accuracy", lambda scores: scores.accuracy),
    _column("frame", "error rate", lambda scores: scores.frame.error_rate, 2, low=True),
    Column("frame", "S/D/I", _parts, lambda scores: scores.frame.error_rate, best=None),
    _column("segment", "F1", lambda scores: scores.segment.micro_f1),
    _column("segment", "error rate", lambda scores: scores.segment.error_rate, 2, low=True),
    _column("event", "F1", lambda scores: scores.event.micro_f1),
)
LABEL_COLUMNS = (
    "frame F1",
    "precision",
    "recall",
    "segment F1",
    "event F1",
    "events in the reference",
    "events estimated",
)


def score_rows(scores_by_system: Mapping[str, Scores]) -> list[ScoreRow]:
    """The systems in their order, those that do not listen last; in each column the best of these is marked."""
    listening = {system: scores for system, scores in scores_by_system.items() if system not in TRIVIAL}
    trivial = {system: scores_by_system[system] for system in TRIVIAL if system in scores_by_system}
    limits = [
        column.best(map(column.value, trivial.values())) if trivial and column.best is not None else None
        for column in SCORE_COLUMNS
    ]
    return [
        ScoreRow(
            system=system.replace("_", " ") if system in trivial else system,
            trivial=system in trivial,
            cells=tuple(
                _cell(column, scores, limit, trivial=system in trivial)
                for column, limit in zip(SCORE_COLUMNS, limits, strict=True)
            ),
        )
        for system, scores in (listening | trivial).items()
    ]


def label_rows(scores: Scores) -> list[LabelRow]:
    """The labels of one system's scores, in their order."""
    rows = []
    for label in scores.labels:
        frame, segment, event = (result.by_label[label] for result in (scores.frame, scores.segment, scores.event))
        figures = (frame["f1"], frame["precision"], frame["recall"], segment["f1"], event["f1"])
        counts = (event["n_reference"], event["n_estimated"])
        absent = ("", "never estimated", "not in the reference", "in neither")[2 * (not counts[0]) + (not counts[1])]
        rows.append(LabelRow(label, frame["f1"], (*(f"{x:.3f}" for x in figures), *map(str, counts)), absent))
    return rows


def headlines(scores_by_system: Mapping[str, Scores]) -> list[Headline]:
    """Frame, segment and event F1 of the first system that listens, each beside the best of those that do not."""
    listening = [system for system in scores_by_system if system not in TRIVIAL]
    trivial = [system for system in TRIVIAL if system in scores_by_system]
    if not listening:
        return []
    found = []
    for column in SCORE_COLUMNS:
        if column.title == "F1":
            value = column.value(scores_by_system[listening[0]])
            limits = [(column.value(scores_by_system[system]), system.replace("_", " ")) for system in trivial]
            limit, name = max(limits, key=lambda pair: pair[0], default=(None, ""))
            found.append(Headline(f"{column.group} F1", value, limit, name))
    return found


def _cell(column: Column, scores: Scores, limit: float | None, *, trivial: bool) -> Cell:
    text = column.text(scores)
    if limit is None or column.best is None:
        return Cell(text)
    value = column.value(scores)
    # Where not listening gets nothing at all, that is no achievement to mark.
    return Cell(text, trivial and value == limit != 0, not trivial and column.best(value, limit) == limit)
