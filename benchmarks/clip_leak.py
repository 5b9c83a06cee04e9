"""What a random split of slices is worth to a system that only remembers: the nearest slice that it was trained on.

    python benchmarks/clip_leak.py DATA [--seeds 3]

DATA is UrbanSound8K or a stand-in. Each slice becomes the mean and the standard deviation of its log mel bands over
time; a tested slice is given the label of the nearest one of the training side, each number scaled by its spread there.
Nothing is learned, so what it gains by the random split over the folds is what knowing the recording is worth. The
training side of the folds is larger, which can only help them.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hubbub import audio
from hubbub.datasets.urbansound8k import SliceClip, read_urbansound8k
from hubbub.datasets.urbansound8k_protocols import Sides, fold_split, folds_of, leaked, random_split
from hubbub.metrics import Counts, interval, unpaired_difference
from hubbub.training.device import machine
from hubbub.training.front_end import OURS, FrontEnd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="random splits")
    arguments = parser.parse_args()
    data = read_urbansound8k(arguments.data)
    front_end = FrontEnd(OURS)
    heard = {clip.name: described(clip, front_end) for clip in data.clips}
    labels = tuple(sorted({clip.label for clip in data.clips}))
    protocols = {
        "random": [random_split(data.clips, seed) for seed in range(arguments.seeds)],
        "folds": [fold_split(data.clips, fold) for fold in folds_of(data.clips)],
    }
    print(f"{machine()}, torch {torch.__version__}; {len(data.clips)} slices, {len(labels)} labels")
    rng = np.random.default_rng(0)
    counted = {name: recalled(splits, heard, labels) for name, splits in protocols.items()}
    for name, splits in protocols.items():
        found = interval(counted[name], "micro_f1", rng)
        share = np.mean([leaked(sides) for sides in splits])
        print(
            f"{name:7} accuracy {found.value:.3f} ({found.low:.3f} to {found.high:.3f}), {len(splits)} splits, "
            f"{share:.0%} of the tested slices share a recording with training"
        )
    gap = unpaired_difference(counted["random"], counted["folds"], "micro_f1", rng)
    print(f"gap {gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}), 95 % by a bootstrap over recordings")


def described(clip: SliceClip, front_end: FrontEnd) -> NDArray[np.float64]:
    """Mean and standard deviation of every band over time, (2 * n_bands,)."""
    samples, _ = audio.read(clip.path, OURS.sample_rate)
    features = front_end.grid_features(samples).numpy().astype(np.float64)
    return np.concatenate([features.mean(0), features.std(0)])


def recalled(splits: list[Sides], heard: dict[str, NDArray[np.float64]], labels: tuple[str, ...]) -> dict[str, Counts]:
    """What was counted in each tested recording, over all splits."""
    counted: dict[str, Counts] = {}
    for sides in splits:
        known = np.stack([heard[clip.name] for clip in sides["train"]])
        spread = known.std(0)
        for clip in sides["test"]:
            nearest = int((((known - heard[clip.name]) / spread) ** 2).sum(1).argmin())
            counts = one(clip.label, sides["train"][nearest].label, labels)
            counted[clip.recording_id] = counted.get(clip.recording_id, Counts.zero(labels)) + counts
    return counted


def one(label: str, answer: str, labels: tuple[str, ...]) -> Counts:
    """One answer: its micro F1 is the accuracy."""
    hit = tuple(int(each == label == answer) for each in labels)
    false = tuple(int(each == answer != label) for each in labels)
    missed = tuple(int(each == label != answer) for each in labels)
    return Counts(labels, hit, false, missed, sum(missed), 0, 0, 1)


if __name__ == "__main__":
    main()
