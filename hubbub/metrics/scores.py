"""What an evaluation hands back: plain numbers, none of them NaN, with the settings they were made with."""

from dataclasses import dataclass, fields
from typing import Any, TypedDict

from hubbub.grid import COMPARISON_GRID, Grid
from hubbub.metrics.counts import Counts
from hubbub.metrics.event import OFFSET_COLLAR, OFFSET_COLLAR_RATIO, ONSET_COLLAR
from hubbub.metrics.segment import SEGMENT_GRID


@dataclass(frozen=True)
class Settings:
    """How to score: the grids of frames and segments, and the collars of events in seconds (the ratio: of the length).

    Raises `ValueError` for a collar below 0.
    """

    frame_grid: Grid = COMPARISON_GRID
    segment_grid: Grid = SEGMENT_GRID
    onset_collar: float = ONSET_COLLAR
    offset_collar: float = OFFSET_COLLAR
    offset_collar_ratio: float = OFFSET_COLLAR_RATIO

    def __post_init__(self) -> None:
        for name in ("onset_collar", "offset_collar", "offset_collar_ratio"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; wanted 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """As stored beside a result; times in seconds."""
        return {
            "frame_hop_s": self.frame_grid.period,
            "segment_s": self.segment_grid.period,
            "onset_collar_s": self.onset_collar,
            "offset_collar_s": self.offset_collar,
            "offset_collar_ratio": self.offset_collar_ratio,
            "event_matching": "optimal",
            "same_label_overlaps": "merged",
            "absent_label": "scores 0 and stays in the macro mean",
        }


class LabelScore(TypedDict):
    """One label's scores; `n_reference` and `n_estimated` count frames, segments or events."""

    f1: float
    precision: float
    recall: float
    n_reference: int
    n_estimated: int


@dataclass(frozen=True)
class Result:
    """One metric's scores over all recordings; `precision` and `recall` are micro.

    `error_rate` is the sum of its parts `substitutions`, `deletions` and `insertions`, each per reference frame,
    segment or event.
    """

    micro_f1: float
    macro_f1: float
    precision: float
    recall: float
    error_rate: float
    substitutions: float
    deletions: float
    insertions: float
    by_label: dict[str, LabelScore]

    @classmethod
    def of(cls, counts: Counts) -> "Result":
        """The scores that follow from `counts`."""
        columns = zip(
            counts.labels,
            counts.f1_by_label,
            counts.precision_by_label,
            counts.recall_by_label,
            counts.n_reference,
            counts.n_estimated,
            strict=True,
        )
        return cls(
            counts.micro_f1,
            counts.macro_f1,
            counts.precision,
            counts.recall,
            counts.error_rate,
            counts.substitution_rate,
            counts.deletion_rate,
            counts.insertion_rate,
            {
                label: LabelScore(f1=f1, precision=precision, recall=recall, n_reference=n_reference, n_estimated=n)
                for label, f1, precision, recall, n_reference, n in columns
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dicts and numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["by_label"] = {label: dict(score) for label, score in self.by_label.items()}
        return values


@dataclass(frozen=True)
class Scores:
    """All scores of one system on one set of recordings.

    `accuracy` is binary, over all frame × label cells. `absent_labels` are those that the reference or the estimates
    lack altogether: their F1 is 0 whatever else happens, and they stay in the macro mean. `duration_s` is the sum over
    the `n_recordings`, in seconds.
    """

    frame: Result
    segment: Result
    event: Result
    accuracy: float
    labels: tuple[str, ...]
    absent_labels: tuple[str, ...]
    n_recordings: int
    duration_s: float
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: dicts, lists, strings and finite numbers only."""
        return {
            "frame": self.frame.to_dict(),
            "segment": self.segment.to_dict(),
            "event": self.event.to_dict(),
            "accuracy": self.accuracy,
            "labels": list(self.labels),
            "absent_labels": list(self.absent_labels),
            "n_recordings": self.n_recordings,
            "duration_s": self.duration_s,
            "settings": dict(self.settings),
        }
