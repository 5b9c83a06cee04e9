"""Recordings dealt into folds: for each label as many in one fold as in another, whole recordings only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hubbub import audio
from hubbub.datasets.urbansound8k_protocols import FEWEST_FOLDS
from hubbub.errors import DatasetError
from hubbub.mixing.clip import BACKGROUND, Clip

OTHER_NAMES: Mapping[str, str] = {"dog_barking": "dog_bark"}
"""What clips are called that the real set has under another name; alarms are no sirens, so they keep theirs."""
FEWEST_LABELS = 2


@dataclass
class Recording:
    """All that is cut from one recording: its clips by label, and, once they are given, its number (fsID, from 1), its
    fold (from 1) and what lies under its slices (None: noise)."""

    id: str
    clips: dict[str, list[Clip]] = field(default_factory=dict)
    number: int = 0
    fold: int = 0
    background: Clip | None = None


def label_of(clip: Clip) -> str:
    """What the real set calls the label of a clip, or else the clip."""
    return OTHER_NAMES.get(clip.label, clip.label)


def recording_ids(clips: Iterable[Clip]) -> dict[str, set[str]]:
    """Recordings by label; background is none."""
    found: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.label != BACKGROUND:
            found[label_of(clip)].add(clip.recording_id)
    return found


def choose_labels(clips: Sequence[Clip], folds: int, clips_folder: Path) -> tuple[list[str], int]:
    """The labels that have a recording for each fold, and how many folds there are: as many as leave two labels.

    Raises `DatasetError` where three folds leave less than two.
    """
    found = recording_ids(clips)
    for n_folds in range(folds, FEWEST_FOLDS - 1, -1):
        labels = sorted(label for label, its in found.items() if len(its) >= n_folds)
        if len(labels) >= FEWEST_LABELS:
            return labels, n_folds
    raise DatasetError(
        f"{clips_folder}: {len(labels)} of {len(found)} labels have {FEWEST_FOLDS} recordings; wanted at least "
        f"{FEWEST_LABELS} labels with {FEWEST_FOLDS} to {folds} recordings each"
    )


def recordings_of(clips: Iterable[Clip], labels: Sequence[str]) -> list[Recording]:
    """Numbered from 1 in the order of their ids, each with its clips in the order of their paths."""
    found: dict[str, Recording] = {}
    for clip in clips:
        if clip.label != BACKGROUND and label_of(clip) in labels:
            recording = found.setdefault(clip.recording_id, Recording(clip.recording_id))
            recording.clips.setdefault(label_of(clip), []).append(clip)
    recordings = sorted(found.values(), key=lambda recording: recording.id)
    for number, recording in enumerate(recordings, start=1):
        recording.number = number
    return recordings


def deal(recordings: Sequence[Recording], n_folds: int, seed: int) -> None:
    """Gives each recording a fold: for each label as many recordings, and then as many seconds, in one as in another.

    Recordings of the rarest label are dealt first, and of one label the longest first.
    """
    rarity = Counter(label for recording in recordings for label in recording.clips)
    seconds = {
        recording.id: sum(audio.info(clip.path).duration for clips in recording.clips.values() for clip in clips)
        for recording in recordings
    }
    shuffled = [recordings[index] for index in np.random.default_rng([seed, 0]).permutation(len(recordings))]
    numbers: Counter[tuple[str, int]] = Counter()
    lengths: dict[tuple[str, int], float] = defaultdict(float)
    for recording in sorted(shuffled, key=lambda one: (min(rarity[label] for label in one.clips), -seconds[one.id])):

        def cost(fold: int, labels: Iterable[str] = recording.clips) -> tuple[float, float, float]:
            return (
                sum(numbers[label, fold] for label in labels),
                sum(lengths[label, fold] for label in labels),
                lengths["", fold],
            )

        recording.fold = min(range(1, n_folds + 1), key=cost)
        for label in recording.clips:
            numbers[label, recording.fold] += 1
        for label in (*recording.clips, ""):  # "" has all labels together
            lengths[label, recording.fold] += seconds[recording.id]


def deal_backgrounds(recordings: Sequence[Recording], backgrounds: Sequence[Clip], n_folds: int, seed: int) -> None:
    """Gives each recording a background that is heard in its fold only, where there are enough of them."""
    rng = np.random.default_rng([seed, 1])
    labelled = {recording.id for recording in recordings}
    by_id: dict[str, list[Clip]] = defaultdict(list)
    for clip in backgrounds:
        if clip.recording_id not in labelled:
            by_id[clip.recording_id].append(clip)
    order = rng.permutation(len(by_id))
    pools: dict[int, list[Clip]] = defaultdict(list)
    for place, index in enumerate(order):
        pools[place % n_folds + 1] += by_id[sorted(by_id)[index]]
    for recording in recordings:
        pool = pools[recording.fold]
        recording.background = pool[int(rng.integers(len(pool)))] if pool else None
