"""What a leak between the sides is worth: our own network, trained by the official split and by sub-sequences.

    python benchmarks/split_leak.py DATA OUT [--epochs 8] [--seeds 2] [--train-minutes M]

DATA is TUT-SED Synthetic 2016 or a stand-in, OUT a folder for features and runs; what is done is not done again. The
report's networks need days on a CPU until they know their training side well; ours takes minutes. It has no
augmentation here, as the report has none. Both splits test on all sub-sequences of their test side. The threshold of
the second F1 is the best one for all labels on the validation side.
"""

import argparse
import csv
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.tut2016 import LABELS, read_tut2016
from hubbub.events import to_targets
from hubbub.grid import Grid
from hubbub.metrics import Counts, interval, unpaired_difference
from hubbub.metrics.frame import counts_from_targets
from hubbub.networks import Hub, HubConfig
from hubbub.reproduce.size import Size
from hubbub.reproduce.splits import GRID as REPORT_GRID
from hubbub.reproduce.splits import Piece, split_pieces
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.export import silence_of
from hubbub.training.fit import fit, machine
from hubbub.training.front_end import OURS, FrontEnd
from hubbub.training.predict import predict

GRID = Grid(OURS.sample_rate, OURS.hop)
SPLITS = ("official", "subsequence")
THRESHOLDS = np.arange(0.05, 0.96, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--train-minutes", type=float, default=None)
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    data = read_tut2016(arguments.data)
    cache = FeatureCache(arguments.out / "features")
    keys = {r.name: key_of(OURS.model_dump(), content_hash(r.path)) for r in data.recordings}
    reporter = Reporter()
    with reporter.bar("computing features") as tick:
        cache.fill([(keys[r.name], partial(features, r.path)) for r in data.recordings], tick, os.cpu_count() or 1)
    events = {recording.name: recording.events for recording in data.recordings}
    labels = tuple(label for label in LABELS if any(e.label == label for held in events.values() for e in held))
    size = Size(name="leak", is_the_result=True, epochs=arguments.epochs, train_minutes=arguments.train_minutes)
    whole: dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}

    def examples(pieces: Sequence[Piece]) -> list[Example]:
        made = []
        for piece in pieces:
            if piece.recording not in whole:
                found = np.array(cache.load(keys[piece.recording]))
                whole[piece.recording] = found, to_targets(events[piece.recording], labels, GRID, len(found))
            values, targets = whole[piece.recording]
            part = slice(*(round(frame * REPORT_GRID.period / GRID.period) for frame in (piece.first, piece.last)))
            if part.start < len(values):
                made.append(Example(piece.recording, values[part], targets[part]))
        return made

    print(f"{machine()}, torch {torch.__version__}; {arguments.epochs} epochs")
    print(f"{'split':14}{'seed':>5}{'train min':>10}{'loss':>8}{'train loss':>11}{'F1 at 0.5':>11}{'F1':>8}  95 %")
    scored: dict[str, list[dict[str, Counts]]] = {}
    for seed in range(arguments.seeds):
        for split in SPLITS:
            pieces = split_pieces(data, split, size, 0)
            config = TrainConfig(
                network="small", seed=seed, epochs=arguments.epochs, augment=None, dropout=0.1, segment_seconds=10.24,
                threads=arguments.threads, device="cpu",
            )  # fmt: skip
            torch.manual_seed(seed)
            network = Hub(len(labels), HubConfig(dropout=config.dropout))
            train, validation, test = (examples(pieces[side]) for side in ("train", "validation", "test"))
            silence = silence_of(OURS)
            folder = arguments.out / f"{split}-{seed}-{arguments.epochs}-{arguments.train_minutes}"
            fitted = fit(network, train, validation, silence, config, GRID.period, folder)
            tuned = best_threshold(fitted.network, validation, silence)
            train_loss, _ = tested(fitted.network, train[:: max(1, len(train) // 200)], silence, [], labels)
            loss, (at_half, counts) = tested(fitted.network, test, silence, [0.5, tuned], labels)
            scored.setdefault(split, []).append(counts)
            f1 = interval(counts, "micro_f1", np.random.default_rng(0))
            minutes = sum(len(example.features) for example in train) * GRID.period / 60
            half = sum(at_half.values(), Counts.zero(labels)).micro_f1
            print(
                f"{split:14}{seed:5}{minutes:10.0f}{loss:8.4f}{train_loss:11.4f}{half:11.3f}{f1.value:8.3f}  "
                f"{f1.low:.3f} to {f1.high:.3f}",
                flush=True,
            )
            for side in ("train", "validation"):
                print(f"    {side} loss by epoch: {by_epoch(folder / 'log.csv', f'{side}_loss')}", flush=True)
        leaking, official = scored["subsequence"][-1], scored["official"][-1]
        found = unpaired_difference(leaking, official, "micro_f1", np.random.default_rng(0))
        print(f"sub-sequence - official: {found.value:+.3f}, {found.low:+.3f} to {found.high:+.3f}", flush=True)


def features(path: Path) -> NDArray[np.float32]:
    """Log-mel features of a whole recording, (n_frames, n_features)."""
    samples, _ = audio.read(path, OURS.sample_rate)
    torch.set_num_threads(1)
    found: NDArray[np.float32] = FrontEnd(OURS).grid_features(samples).numpy()
    return found


def tested(
    network: torch.nn.Module,
    examples: Sequence[Example],
    silence: NDArray[np.float32],
    thresholds: Sequence[float],
    labels: tuple[str, ...],
) -> tuple[float, list[dict[str, Counts]]]:
    """Binary cross-entropy over all frames, and for each threshold the counts by recording."""
    counts: list[dict[str, Counts]] = [{} for _ in thresholds]
    total, cells = 0.0, 0
    for example in examples:
        p = predict(network, example.features, silence)
        clipped = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
        total -= float(np.log(np.where(example.targets, clipped, 1 - clipped)).sum())
        cells += p.size
        for threshold, by_recording in zip(thresholds, counts, strict=True):
            found = counts_from_targets(example.targets, p >= threshold, labels)
            by_recording[example.name] = by_recording.get(example.name, Counts.zero(labels)) + found
    return total / cells, counts


def by_epoch(log: Path, column: str) -> str:
    """A column of the curves that `fit` wrote."""
    with log.open(encoding="utf-8", newline="") as file:
        return " ".join(f"{float(row[column]):.3f}" for row in csv.DictReader(file))


def best_threshold(network: torch.nn.Module, examples: Sequence[Example], silence: NDArray[np.float32]) -> float:
    """The threshold for all labels with the best micro F1."""
    p = np.concatenate([predict(network, example.features, silence) for example in examples])
    wanted = np.concatenate([example.targets for example in examples])
    f1 = [2 * (wanted & (p >= t)).sum() / max(1, wanted.sum() + (p >= t).sum()) for t in THRESHOLDS]
    return float(THRESHOLDS[int(np.argmax(f1))])


if __name__ == "__main__":
    main()
