"""What every metric here is made of: how often each label was found, missed and made up.

Counts add up over recordings; scores are divided once, at the end, so a long recording weighs more than a short one and
a recording without events is no special case.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Hits and errors by label, and what the errors are made of.

    The tuples have one entry a label. The unit is what the metric counts: frames, segments or events. `substitutions`,
    `deletions` and `insertions` are summed over slots (frames or segments) or, for events, over recordings.
    `n_slots` is how many frames or segments were looked at; events have none. Raises `ValueError` where the tuples'
    lengths differ.
    """

    labels: tuple[str, ...]
    true_positives: tuple[int, ...]
    false_positives: tuple[int, ...]
    false_negatives: tuple[int, ...]
    substitutions: int
    deletions: int
    insertions: int
    n_slots: int = 0

    def __post_init__(self) -> None:
        for name in ("true_positives", "false_positives", "false_negatives"):
            if len(getattr(self, name)) != len(self.labels):
                raise ValueError(f"{name} has {len(getattr(self, name))} entries; wanted one for each of the labels")

    @classmethod
    def zero(cls, labels: Sequence[str]) -> "Counts":
        """Nothing counted yet."""
        nothing = (0,) * len(labels)
        return cls(tuple(labels), nothing, nothing, nothing, 0, 0, 0)

    def __add__(self, other: "Counts") -> "Counts":
        """The counts of both. Raises `ValueError` where the labels or their order differ."""
        if self.labels != other.labels:
            raise ValueError(f"counts of {self.labels} cannot be added to counts of {other.labels}")
        return Counts(
            self.labels,
            _sums(self.true_positives, other.true_positives),
            _sums(self.false_positives, other.false_positives),
            _sums(self.false_negatives, other.false_negatives),
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.n_slots + other.n_slots,
        )

    def of_label(self, label: str) -> "Counts":
        """Hits and errors of one label alone; what the errors are made of belongs to all labels, and is left out."""
        index = self.labels.index(label)
        parts = (self.true_positives, self.false_positives, self.false_negatives)
        hits, false, missed = ((part[index],) for part in parts)
        return Counts((label,), hits, false, missed, 0, 0, 0, self.n_slots)

    @property
    def n_reference(self) -> tuple[int, ...]:
        """By label: how many the reference has."""
        return _sums(self.true_positives, self.false_negatives)

    @property
    def n_estimated(self) -> tuple[int, ...]:
        """By label: how many were estimated."""
        return _sums(self.true_positives, self.false_positives)

    @property
    def precision(self) -> float:
        """Micro: the share of what was estimated that is right; 0 where nothing was estimated."""
        return ratio(sum(self.true_positives), sum(self.n_estimated))

    @property
    def recall(self) -> float:
        """Micro: the share of the reference that was found; 0 where the reference is empty."""
        return ratio(sum(self.true_positives), sum(self.n_reference))

    @property
    def precision_by_label(self) -> tuple[float, ...]:
        """0 for a label that was never estimated."""
        return tuple(map(ratio, self.true_positives, self.n_estimated))

    @property
    def recall_by_label(self) -> tuple[float, ...]:
        """0 for a label that the reference lacks."""
        return tuple(map(ratio, self.true_positives, self.n_reference))

    @property
    def f1_by_label(self) -> tuple[float, ...]:
        """2 TP / (2 TP + FP + FN); 0 for a label that the reference or the estimates lack."""
        return tuple(map(_f1, self.true_positives, self.false_positives, self.false_negatives))

    @property
    def micro_f1(self) -> float:
        """F1 of the sums over labels."""
        return _f1(sum(self.true_positives), sum(self.false_positives), sum(self.false_negatives))

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' F1. Every label takes part: an absent one pulls the mean down, it never leaves it."""
        return ratio(sum(self.f1_by_label), len(self.labels))

    @property
    def substitution_rate(self) -> float:
        """Right moment, wrong label: substitutions per reference slot or event."""
        return self.substitutions / self._n_reference_or_one

    @property
    def deletion_rate(self) -> float:
        """Missed, with nothing in its place: deletions per reference slot or event."""
        return self.deletions / self._n_reference_or_one

    @property
    def insertion_rate(self) -> float:
        """Made up, in nothing's place: insertions per reference slot or event."""
        return self.insertions / self._n_reference_or_one

    @property
    def error_rate(self) -> float:
        """(S + D + I) / N of Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event detection", 2016.

        0 is perfect, silence has 1, and there is no upper bound. Where the reference is empty N is taken as 1: the rate
        is then the number of insertions, a finite number that still says how much was made up.
        """
        return (self.substitutions + self.deletions + self.insertions) / self._n_reference_or_one

    @property
    def accuracy(self) -> float:
        """The share of all slot × label cells that are right, silent ones included; 0 where there are no slots.

        Silence alone scores high where events are rare: read it beside the trivial systems.
        """
        n_cells = self.n_slots * len(self.labels)
        return ratio(n_cells - sum(self.false_positives) - sum(self.false_negatives), n_cells)

    @property
    def _n_reference_or_one(self) -> int:
        return max(1, sum(self.n_reference))


def ratio(part: float, whole: float) -> float:
    """part / whole, and 0 where the whole is 0: what is absent scores 0, never NaN."""
    return part / whole if whole else 0.0


def _f1(true_positives: int, false_positives: int, false_negatives: int) -> float:
    return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives)


def _sums(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))
