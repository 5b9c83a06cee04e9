"""The two ways to split UrbanSound8K, named for what they are.

Many slices come from one recording. Drawn at random, such slices lie on both sides, and a network can know the
recording by heart: its score says little about recordings that it never heard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hubbub.datasets.split import SIDES, Side
from hubbub.datasets.urbansound8k import SliceClip
from hubbub.errors import DatasetError

Sides = Mapping[Side, tuple[SliceClip, ...]]
SHARES: Mapping[Side, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class Protocol:
    """How slices are split: `title` for tables, `explained` in a sentence, and whether it `leaks`: whether slices of
    one recording are trained on and tested on."""

    name: Literal["random", "folds"]
    title: str
    explained: str
    leaks: bool


RANDOM = Protocol(
    "random",
    "random 60/20/20 over slices (leaks)",
    "slices drawn at random, as the report did it: those of one recording lie on several sides",
    leaks=True,
)
FOLDS = Protocol(
    "folds",
    "official folds",
    "tested on one fold, validated on the next, trained on the others; once for each fold, then averaged",
    leaks=False,
)
PROTOCOLS = (RANDOM, FOLDS)


def random_split(clips: Sequence[SliceClip], seed: int = 0) -> Sides:
    """60 % of the slices to train on, 20 % to validate and 20 % to test on, whatever their recordings: this leaks.

    The same slices and seed give the same sides, whatever the order of `clips`. Raises `DatasetError` where a side
    would be empty.
    """
    ordered = _ordered(clips)
    order = np.random.default_rng(seed).permutation(len(ordered))
    first = round(len(ordered) * SHARES["train"])
    second = round(len(ordered) * (SHARES["train"] + SHARES["validation"]))
    parts = order[:first], order[first:second], order[second:]
    if not all(len(part) for part in parts):
        raise DatasetError(f"{len(ordered)} slices cannot be split three ways; wanted some on each of three sides")
    return {side: tuple(ordered[index] for index in np.sort(part)) for side, part in zip(SIDES, parts, strict=True)}


def fold_split(clips: Sequence[SliceClip], test_fold: int) -> Sides:
    """Tested on `test_fold`, validated on the next one (on the first after the last), trained on the others.

    Folds without slices are passed over. Raises `DatasetError` where `test_fold` has none, or fewer than three have.
    """
    folds = folds_of(clips)
    if test_fold not in folds:
        raise DatasetError(f"fold {test_fold} has no slices; wanted one of {', '.join(map(str, folds)) or 'none'}")
    if len(folds) < FEWEST_FOLDS:
        raise DatasetError(f"slices lie in {len(folds)} folds; wanted {FEWEST_FOLDS}: to train, validate and test on")
    validation_fold = folds[(folds.index(test_fold) + 1) % len(folds)]
    side_of: dict[int, Side] = {test_fold: "test", validation_fold: "validation"}
    return {side: tuple(clip for clip in _ordered(clips) if side_of.get(clip.fold, "train") == side) for side in SIDES}


def folds_of(clips: Sequence[SliceClip]) -> list[int]:
    """The folds that have slices, sorted."""
    return sorted({clip.fold for clip in clips})


def leaked(sides: Sides) -> float:
    """The part of the tested slices whose recording is also trained on: 0 where a split does not leak."""
    trained = {clip.recording_id for clip in sides["train"]}
    return sum(clip.recording_id in trained for clip in sides["test"]) / max(1, len(sides["test"]))


def _ordered(clips: Sequence[SliceClip]) -> list[SliceClip]:
    return sorted(clips, key=lambda clip: (clip.fold, clip.name))
