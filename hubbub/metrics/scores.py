"""What an evaluation hands back: plain numbers, none of them NaN, with the settings they were made with."""

from dataclasses import dataclass, fields
from typing import Any, TypedDict

from hubbub.metrics.counts import Counts, ratio
from hubbub.metrics.false_alarms import FalseAlarms
from hubbub.metrics.settings import Averaged


class LabelScore(TypedDict):
    """One label's scores; `n_reference` and `n_estimated` count frames, segments or events.

    Of intersections `n_estimated` counts hits and false positives: see `hubbub.metrics.intersection`.
    """

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
    def of(cls, counts: Counts, averaged: Averaged = "every label") -> "Result":
        """The scores that follow from `counts`, with the macro mean over the labels `averaged`."""
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
            _macro_f1(counts, averaged),
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

    `false_alarms` are per hour. `accuracy` is binary, over all frame × label cells. `absent_labels` are those that the
    reference or the estimates lack altogether: their F1 is 0 whatever else happens, and they stay in the macro mean
    unless `settings` leave them out. `duration_s` is the sum over the `n_recordings`, in seconds.
    """

    frame: Result
    segment: Result
    event: Result
    intersection: Result
    false_alarms: FalseAlarms
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
            "intersection": self.intersection.to_dict(),
            "false_alarms": self.false_alarms.to_dict(),
            "accuracy": self.accuracy,
            "labels": list(self.labels),
            "absent_labels": list(self.absent_labels),
            "n_recordings": self.n_recordings,
            "duration_s": self.duration_s,
            "settings": dict(self.settings),
        }


def _macro_f1(counts: Counts, averaged: Averaged) -> float:
    if averaged == "every label":
        return counts.macro_f1
    columns = zip(counts.f1_by_label, counts.true_positives, counts.n_reference, counts.n_estimated, strict=True)
    chosen = [
        f1
        for f1, hits, n_reference, n_estimated in columns
        if (averaged == "labels with a hit" and hits)
        or (averaged == "labels in the reference" and n_reference)
        or (averaged == "labels that occur" and n_reference and n_estimated)
    ]
    return ratio(sum(chosen), len(chosen))
