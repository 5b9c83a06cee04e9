"""Which items are trained on, which choose thresholds and epochs, and which are only ever tested on.

`make_split` guarantees, in this order:

1. a recording lies on one side, over all labels;
2. an item of confidence C is never on the test side;
3. for every label with three or more known sources, a source lies on one side *for that label* (clips of unknown source
   count as one source more). The other labels, and background, are listed as `recording_disjoint`. That a source is
   on one side over *several* labels is not guaranteed: it may be trained on for one label and tested on for another.

Within that it seeks, and `notes` say where it fails: items of every label to train on, then to validate on, then to
test on, and 60/20/20 for each label and for the whole. Source sizes are often very unequal: a label whose recordings
come 55, 4 and 3 from three sources is split just so.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.clips import relative_name
from hubbub.errors import DatasetError
from hubbub.mixing.clip import BACKGROUND, Clip

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
SHARES = np.array([0.6, 0.2, 0.2])
TEST = SIDES.index("test")

FEWEST_SOURCES = 3
FEWEST_RECORDINGS = 3
UNTESTED_CONFIDENCE = "C"

EMPTY_COST = np.array([100.0, 10.0, 9.0])
"""What a label without items on a side costs, far above any misfit of shares: train comes first, test last."""
RESTARTS = 8
ENOUGH_GROUPS = 4000
"""Placed over all restarts: the more groups there are, the less their order matters."""
SWEEPS = 10


@dataclass(frozen=True)
class Item:
    """What a split needs to know of a clip or a recording.

    `id` is its path below the folder, with forward slashes; `weight` its part in the shares: a fraction of a
    recording for clips, seconds for recordings.
    """

    id: str
    labels: tuple[str, ...]
    recording_id: str
    source: str | None = None
    confidence: str = "A"
    weight: float = 1.0


@dataclass(frozen=True)
class Split:
    """The side of every item, by its id; `notes` are sentences for the user, `recording_disjoint` the labels whose
    sources may lie on several sides."""

    sides: Mapping[str, Side]
    seed: int
    recording_disjoint: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def ids(self, side: Side) -> list[str]:
        """The items of a side, sorted."""
        return sorted(item for item, its_side in self.sides.items() if its_side == side)


def items_of_clips(clips: Sequence[Clip], folder: Path) -> list[Item]:
    """Clips as items. The clips that one recording gave to a label weigh 1 together, so shares count recordings."""
    together = Counter((clip.recording_id, clip.label) for clip in clips)
    return [
        Item(
            relative_name(clip.path, folder),
            (clip.label,),
            clip.recording_id,
            clip.source,
            clip.confidence,
            1 / together[clip.recording_id, clip.label],
        )
        for clip in clips
    ]


def items_of_recordings(recordings: Sequence[AnnotatedRecording]) -> list[Item]:
    """Annotated recordings as items that weigh their seconds."""
    return [
        Item(
            recording.name,
            tuple(sorted({event.label for event in recording.events})),
            recording.recording_id,
            recording.source,
            weight=recording.duration,
        )
        for recording in recordings
    ]


def make_split(items: Sequence[Item], seed: int = 0) -> Split:
    """Train, validation and test sides (60/20/20) under the guarantees above; the same for the same items and seed.

    Items that must stay together form a group. Groups are placed one after the other, heavy ones first, each where it
    lowers the cost most, then moved while that helps; the best of several jittered orders is taken. The cost is the
    sum, over labels and all groups that share labels, of (share - wanted)² / wanted over the sides, plus `EMPTY_COST`
    where a side has nothing.

    Raises `DatasetError` where there are no items or two with one id.
    """
    if not items:
        raise DatasetError("nothing to split: the data set is empty")
    repeated = [item_id for item_id, count in Counter(item.id for item in items).items() if count > 1]
    if repeated:
        raise DatasetError(f"{repeated[0]}: two items of a split with one name")
    items = sorted(items, key=lambda item: item.id)
    by_source = _labels_by_source(items)
    groups = _groups(items, by_source)
    labels = sorted({label for item in items for label in item.labels})
    weights = _weights(items, groups, labels)
    allowed = np.ones((len(weights), len(SIDES)), dtype=bool)
    for item, group in zip(items, groups, strict=True):
        if item.confidence == UNTESTED_CONFIDENCE:
            allowed[group, TEST] = False

    rng = np.random.default_rng(seed)
    best = np.empty(len(weights), dtype=np.int64)
    for family in _families(weights):
        # A family has no label in common with the rest: the best order for one label need not be the best for another.
        restarts = max(1, min(RESTARTS, ENOUGH_GROUPS // len(family)))
        tries = [_assign(weights[family], allowed[family], rng, jitter=0.9 * (n > 0)) for n in range(restarts)]
        best[family] = min(tries, key=lambda one: one[0])[1]
    sides = {item.id: SIDES[best[group]] for item, group in zip(items, groups, strict=True)}
    recording_disjoint = tuple(label for label in labels if label not in by_source)
    return Split(sides, seed, recording_disjoint, tuple(_notes(items, sides, by_source)))


def tally(split: Split, items: Sequence[Item]) -> dict[str, dict[Side, int]]:
    """How many recordings of each label lie on each side."""
    found: dict[tuple[str, Side], set[str]] = defaultdict(set)
    for item in items:
        for label in item.labels:
            found[label, split.sides[item.id]].add(item.recording_id)
    return {label: {side: len(found[label, side]) for side in SIDES} for label in sorted({key[0] for key in found})}


def _labels_by_source(items: Sequence[Item]) -> set[str]:
    sources: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for label in item.labels:
            if item.source is not None and label != BACKGROUND:
                sources[label].add(item.source)
    return {label for label, known in sources.items() if len(known) >= FEWEST_SOURCES}


def _groups(items: Sequence[Item], by_source: set[str]) -> list[int]:
    """The group of each item: what is tied by a recording, or by a source within a label, in any number of steps."""
    ties: list[list[tuple[str | None, ...]]] = [
        [(item.recording_id,), *((label, item.source) for label in item.labels if label in by_source)] for item in items
    ]
    return _connected(ties)


def _families(weights: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Groups by the labels they share, in any number of steps; those without a label are one family."""
    families = np.array(_connected([np.flatnonzero(row[:-1]).tolist() or [-1] for row in weights]))
    return [np.flatnonzero(families == number) for number in range(families.max() + 1)]


def _connected(ties: Sequence[Sequence[Hashable]]) -> list[int]:
    """Numbers from 0, one for each row of `ties`: the same for rows with a tie in common, in any number of steps."""
    parent = list(range(len(ties)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[Hashable, int] = {}
    for index, row in enumerate(ties):
        for tie in row:
            a, b = root(first.setdefault(tie, index)), root(index)
            parent[max(a, b)] = min(a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(index), len(numbers)) for index in range(len(ties))]


def _weights(items: Sequence[Item], groups: Sequence[int], labels: Sequence[str]) -> NDArray[np.float64]:
    """Shape (n_groups, n_labels + 1): the weight that a group has of each label and, last, of the whole."""
    column = {label: index for index, label in enumerate(labels)}
    weights = np.zeros((max(groups) + 1, len(labels) + 1))
    for item, group in zip(items, groups, strict=True):
        for index in [*(column[label] for label in item.labels), -1]:
            weights[group, index] += max(item.weight, np.finfo(float).tiny)
    return weights


def _assign(
    weights: NDArray[np.float64], allowed: NDArray[np.bool_], rng: np.random.Generator, jitter: float
) -> tuple[float, NDArray[np.int64]]:
    """One descent: its cost, and the side of each group, shape (n_groups,)."""
    weights = weights[:, weights.any(axis=0)]
    weights = weights / weights.sum(axis=0)
    n_groups, n_columns = weights.shape
    shares = np.zeros((n_columns, len(SIDES)))
    members = np.zeros((n_columns, len(SIDES)), dtype=np.int64)
    columns = [np.flatnonzero(row) for row in weights]
    sides = np.full(n_groups, -1)

    def place(group: int, empty_cost: NDArray[np.float64]) -> None:
        mine = columns[group]
        weight = weights[group, mine][:, None]
        now = shares[mine]
        cost = _misfit(now + weight) - _misfit(now) - empty_cost * (members[mine] == 0)
        total = np.where(allowed[group], cost.sum(axis=0), np.inf)
        side = int(np.argmin(total.round(12)))
        shares[mine, side] += weight[:, 0]
        members[mine, side] += 1
        sides[group] = side

    shuffled = rng.permutation(n_groups)  # what weighs the same comes in random order, not by name
    heaviness = weights.max(axis=1)[shuffled] * rng.uniform(1 - jitter, 1 + jitter, n_groups)
    for group in shuffled[np.argsort(-heaviness, kind="stable")]:
        place(int(group), np.zeros(len(SIDES)))  # with empty sides priced in, the three heaviest would be dealt out
    for _ in range(SWEEPS):
        before = sides.copy()
        for group in rng.permutation(n_groups):
            mine = columns[group]
            shares[mine, sides[group]] -= weights[group, mine]
            members[mine, sides[group]] -= 1
            place(int(group), EMPTY_COST)
        if np.array_equal(before, sides):
            break
    cost = float(_misfit(shares).sum() + ((members == 0) * EMPTY_COST).sum())
    return round(cost, 9), sides


def _misfit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's chi-square term of each share, shape (..., 3): squared, so that of two small sides neither starves."""
    misfit: NDArray[np.float64] = (shares - SHARES) ** 2 / SHARES
    return misfit


def _notes(items: Sequence[Item], sides: Mapping[str, Side], by_source: set[str]) -> list[str]:
    notes, thin = [], []
    of_label: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        for label in item.labels:
            of_label[label].append(item)
    for label, its_items in sorted(of_label.items()):
        recordings = len({item.recording_id for item in its_items})
        found = {sides[item.id] for item in its_items}
        if "train" not in found:
            notes.append(f"{label} cannot be trained on: its recordings are needed elsewhere for other labels")
        if "test" not in found:
            notes.append(f"{label} cannot be tested: {_why_untested(its_items, recordings)}")
        elif "validation" not in found:
            notes.append(f"{label} has nothing to validate on: its recordings are tied together")
        tested = len({item.recording_id for item in its_items if sides[item.id] == "test"})
        if 0 < tested < FEWEST_RECORDINGS:
            thin.append(f"{label} ({tested})")
        unknown = sum(item.source is None for item in its_items)
        if label in by_source and unknown:
            notes.append(f"{label}: {unknown} of unknown source kept together on one side")
    if thin:
        notes.append(f"tested on fewer than {FEWEST_RECORDINGS} recordings: {', '.join(thin)}")
    return notes


def _why_untested(items: Sequence[Item], recordings: int) -> str:
    if recordings < FEWEST_RECORDINGS:
        return f"it has {recordings} of the {FEWEST_RECORDINGS} recordings that this takes"
    if all(item.confidence == UNTESTED_CONFIDENCE for item in items):
        return "all its clips are of confidence C"
    return "its recordings are tied to others that cannot be, by their source or by clips of confidence C"
