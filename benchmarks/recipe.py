"""What each choice of our network and of its recipe brings, one at a time, on validation data.

    python benchmarks/recipe.py CLIPS STAND_IN OUT [--variant NAME ...] [--minutes 100] [--seeds 3] [--list]

STAND_IN is `hubbub mix CLIPS STAND_IN --recipe tut2016`. Training hears clips of its training side, in soundscapes
mixed anew for every step (or, in the variant `fixed`, some of its 60 training mixtures again and again), once through
the schedule of the learning rate; every variant hears as many minutes, and of one seed and way of mixing the same
soundscapes. Scores are of the first three minutes of its 20 validation mixtures, whose clips no training hears:
thresholds and filters are chosen on the ten with even numbers for the odd ones, and the other way round. Its test side
is not touched. Each finished run is a line of OUT/recipe.jsonl; started again, what is there is not done again.
`--table` prints the tables of them, or of OUT where that is such a file. `taught` learns from a network of the size
`base`, which is trained first.
"""

import argparse
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from torch import Tensor
from torch.utils.data import Dataset

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.split_file import read_split
from hubbub.datasets.stand_in import CONFIG
from hubbub.datasets.tut2016 import LABELS, read_tut2016
from hubbub.decode import LabelRule, decode
from hubbub.detector import Probabilities
from hubbub.events import Event, clip, to_targets
from hubbub.grid import Grid
from hubbub.metrics import PSDS2, evaluate, psds
from hubbub.mixing import ClipStore, by_label
from hubbub.networks import SIZES, Hub
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.training import front_end as front_ends
from hubbub.training.config import TrainConfig
from hubbub.training.data import Augment, Example
from hubbub.training.device import machine
from hubbub.training.export import silence_of
from hubbub.training.fit import fit
from hubbub.training.fresh import Fresh, FreshSegments
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.predict import predict
from hubbub.training.soundscapes import TRAINING_COLOUR
from hubbub.tuning import Decision, Validation, decide
from hubbub.tuning.rules import best_thresholds

SCORED = 180.0
"""Seconds of each validation mixture."""
REPEATS = 5
"""How often a fixed set of mixtures is heard at most."""
SHOWN = ("variant", "seed", "frame", "event", "psds2", "loss", "seconds")
TEACHER_MINUTES = 2.4
"""What the teacher hears, times the minutes of the others."""
OTHERWISE = {
    "common": "one threshold for all labels, a median of 11 frames",
    "thresholds": "a threshold for each label, no more",
    "by_label": "a threshold, hysteresis, a median and shortest lengths for each label",
}
CURVE_MEDIAN = 11
"""Frames of the median filter in front of PSDS, which takes scores as they are."""


@dataclass(frozen=True)
class Variant:
    """A change of one thing: of the training, the mixing, the front end or the network."""

    why: str
    config: Mapping[str, Any] = field(default_factory=dict)
    mixing: Mapping[str, Any] = field(default_factory=dict)
    front_end: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    size: str = "small"
    fixed: bool = False
    minutes: float = 1.0  # times those of the others
    teaching: float = 0.0  # what a teacher counts
    noise: float = 0.0  # the part of the items under a noise; in half as many no label sounds


SPEEDS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
CLIPS: Mapping[str, Any] = {**TRAINING_COLOUR, "speeds": SPEEDS, "jitter_db": 10.0}
START: Mapping[str, Any] = {
    "batch_size": 4, "learning_rate": 3e-3, "schedule": "cosine", "segment_seconds": 10.0, "dropout": 0.1,
    "augment": None, "epochs": 1,
    "optimizer": "adam", "warm_up": 0.0, "average": None, "loss": "bce", "edge_weight": 0.0, "mixup": 0.0,
}  # fmt: skip
"""What every variant changes one thing of."""
KEPT: Mapping[str, Any] = {"optimizer": "adamw", "edge_weight": 2.0}

VARIANTS: Mapping[str, Variant] = {
    "start": Variant("fresh mixtures, clips as they are, cross-entropy, Adam along a cosine"),
    "fixed": Variant("a few mixtures of the training side, heard again and again", fixed=True),
    "fixed_augmented": Variant("the same, with features augmented", {"augment": Augment()}, fixed=True),
    "colour": Variant("filters for each event, sources balanced", mixing=TRAINING_COLOUR),
    "speed": Variant("clips played 15 % slower to faster", mixing={"speeds": SPEEDS}),
    "level": Variant("events 12 dB about their level, not 6", mixing={"jitter_db": 12.0}),
    "gain": Variant("features: level only", {"augment": Augment(colour_db=0, shifted_bands=0, masked_bands=0)}),
    "filter_augment": Variant(
        "features: a curve over the bands", {"augment": Augment(gain_db=0, shifted_bands=0, masked_bands=0)}
    ),
    "shift": Variant("features: bands shifted", {"augment": Augment(gain_db=0, colour_db=0, masked_bands=0)}),
    "mask": Variant(
        "features: a stripe of bands hidden", {"augment": Augment(gain_db=0, colour_db=0, shifted_bands=0)}
    ),
    "augment": Variant("features: all four", {"augment": Augment()}),
    "dull": Variant("clips: low pass more often", mixing={"low_pass_chance": 0.5}),
    "shelf": Variant("clips: brighter or darker, more and more often", mixing={"shelf_chance": 0.8, "shelf_db": 10.0}),
    "balance": Variant("clips: sources balanced", mixing={"balance_sources": True}),
    "noise": Variant("a quarter of the items under a noise, an eighth without a label", noise=0.25),
    "mixup": Variant("half of the batches blended", {"mixup": 0.5}),
    "adamw": Variant("AdamW, weights decay by 0.01", {"optimizer": "adamw"}),
    "warm_up": Variant("the rate rises for a tenth of the steps", {"warm_up": 0.1}),
    "average": Variant("the average of the weights is kept", {"average": 0.998}),
    "focal": Variant("focal loss", {"loss": "focal"}),
    "asymmetric": Variant("asymmetric loss", {"loss": "asymmetric"}),
    "edges": Variant("frames near onsets and offsets count three times", {"edge_weight": 2.0}),
    "dropout_0": Variant("no dropout", {"dropout": 0.0}),
    "dropout_25": Variant("a quarter dropped", {"dropout": 0.25}),
    "batch_8": Variant("batches of 8, not 4, so half as many steps", {"batch_size": 8}),
    "slow": Variant("a third of the learning rate", {"learning_rate": 1e-3}),
    "clips": Variant("clips: filters, speeds, levels, sources balanced", mixing=CLIPS),
    "mel_40": Variant("40 bands, not 64", front_end={"n_mels": 40}, network={"n_features": 40}),
    "mfcc": Variant(
        "40 MFCC, not 64 bands", front_end={"kind": "mfcc", "n_mels": 64, "n_mfcc": 40}, network={"n_features": 40}
    ),
    "causal": Variant("looks back only", network={"causal": True}),
    "band_bias": Variant("the stem knows its band", network={"band_bias": True}),
    "gate": Variant("squeeze and excitation in each frame", network={"gate": True}),
    "thin_stem": Variant("half of the stem's maps", network={"stem": (16, 32, 32)}),
    "late_stem": Variant("half of the maps in the stem's first two layers", network={"stem": (16, 32, 64)}),
    "wide_stem": Variant("half as many more", network={"stem": (48, 96, 96)}),
    "at_once": Variant("blocks begin as torch has them, not as identities", network={"identity": False}),
    "before": Variant("late_stem and at_once", network={"stem": (16, 32, 64), "identity": False}),
    "narrow": Variant("half the width behind the stem", network={"width": 64}),
    "wide": Variant("twice the width behind the stem", network={"width": 256}),
    "short": Variant("four blocks, not eight: 1, 2, 4, 8", network={"dilations": (1, 2, 4, 8), "max_ahead": 34}),
    "taught": Variant("half of the loss by a larger network's answers", teaching=0.5),
    "undilated": Variant("no dilation", network={"dilations": (1,) * 8, "max_ahead": 8}),
    "tiny": Variant("a quarter of the weights", size="tiny"),
    "base": Variant("four times the weights", size="base"),
    "edges_adamw": Variant("edges and adamw", KEPT),
    "edges_adamw_bias": Variant("edges, adamw and band_bias", KEPT, network={"band_bias": True}),
    "edges_adamw_taught": Variant("edges, adamw and taught", KEPT, teaching=0.5),
    "all_against_overfitting": Variant(
        "edges, adamw, clips, a quarter dropped, features augmented",
        {**KEPT, "dropout": 0.25, "augment": Augment()}, CLIPS,
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("stand_in", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variant", action="append", help="of --list; again for more; all where none is given")
    parser.add_argument("--minutes", type=float, default=100.0, help="of audio heard in training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{name:18}{variant.why}" for name, variant in VARIANTS.items()))
        return
    if arguments.table:
        runs = arguments.out if arguments.out.is_file() else arguments.out / "recipe.jsonl"
    else:
        runs = arguments.out / "recipe.jsonl"
        arguments.out.mkdir(parents=True, exist_ok=True)
        bench = Bench(arguments.clips, arguments.stand_in, arguments.out, arguments.minutes, arguments.threads)
        for seed in range(arguments.seeds):
            for name in arguments.variant or VARIANTS:
                if not any(
                    (run["variant"], run["seed"], run["minutes"]) == (name, seed, arguments.minutes)
                    for run in read(runs)
                ):
                    found = bench.run(name, seed)
                    with runs.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(found) + "\n")
                    print(json.dumps({key: found[key] for key in SHOWN}), flush=True)
    print(table(read(runs)))


def read(path: Path) -> list[dict[str, Any]]:
    """The finished runs."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


class Bench:
    """The sounds, and how a variant is trained and scored on them."""

    def __init__(self, clips: Path, stand_in: Path, out: Path, minutes: float, threads: int | None) -> None:
        self.out, self.minutes, self.threads = out, minutes, threads
        sides = read_split(stand_in / "split.tsv").sides
        self.root = clips
        self.clips, _ = by_label(
            clip
            for clip in read_clips(clips)
            if clip.label in LABELS and sides.get(relative_name(clip.path, clips)) == "train"
        )
        data = read_tut2016(stand_in)
        by_name = {recording.name: recording for recording in data.recordings}
        self.recordings = {
            "train": [by_name[name] for name in data.sides["train"]],
            "validation": [begun(by_name[name]) for name in data.sides["validation"]],
        }
        self.labels = tuple(label for label in LABELS if label in self.clips)
        self.cache = FeatureCache(out / "features")
        self.heard: dict[str, list[Item]] = {}

    def examples(self, recordings: Sequence[AnnotatedRecording], config: FrontEndConfig) -> list[Example]:
        """Features and targets of whole recordings, computed once."""
        grid = Grid(config.sample_rate, config.hop)
        keys = {r.name: key_of(config.model_dump(), content_hash(r.path)) for r in recordings}
        with Reporter().bar("computing features") as tick:
            self.cache.fill([(keys[r.name], partial(features, r.path, config)) for r in recordings], tick, 2)
        made = []
        for recording in recordings:
            values = self.cache.load(keys[recording.name])
            assert values is not None
            values = values[: grid.n_frames_of(recording.duration)]
            known = [event for event in recording.events if event.label in self.labels]
            made.append(Example(recording.name, values, to_targets(known, self.labels, grid, len(values))))
        return made

    def run(self, name: str, seed: int) -> dict[str, Any]:
        """Trains and scores one variant."""
        variant = VARIANTS[name]
        front_end = FrontEndConfig.model_validate(front_ends.OURS.model_dump() | dict(variant.front_end))
        grid = Grid(front_end.sample_rate, front_end.hop)
        minutes = self.minutes * variant.minutes
        config = TrainConfig.model_validate(
            dict(START) | dict(variant.config)
            | {"network": variant.size, "seed": seed, "threads": self.threads, "device": "cpu", "workers": 0,
               "least_batches": 1, "teaching": variant.teaching}
        )  # fmt: skip
        torch.manual_seed(seed)
        changes: Mapping[str, Any] = {"dropout": config.dropout} | dict(variant.network)
        network = Hub(len(self.labels), replace(SIZES[variant.size], **changes))
        silence = silence_of(front_end)
        validation = self.examples(self.recordings["validation"], front_end)
        train: list[Example] | Fresh
        if variant.fixed:
            chosen, length = [], 0.0
            for recording in self.recordings["train"]:
                if length < 60 * minutes / REPEATS:
                    chosen.append(recording)
                    length += recording.duration
            config = config.model_copy(
                update={"epoch_minutes": minutes, "least_batches": round(6 * minutes / config.batch_size) + 1}
            )
            train = self.examples(chosen, front_end)
        else:
            mixing = CONFIG.model_copy(
                update={"sample_rate": front_end.sample_rate, "duration": (60.0, 60.0), **variant.mixing}
            )
            store = ClipStore(mixing.sample_rate, mixing.activity, self.root, max_bytes=2**31)
            train = Kept(
                self.clips, (), mixing, self.labels, front_end, minutes, store,
                variant.noise, variant.noise / 2, heard=self.heard,
            )  # fmt: skip
        teacher = self.teacher(variant, silence, grid) if variant.teaching else None
        began = time.perf_counter()
        folder = self.out / "fits" / f"{name}-{seed}-{minutes:g}"
        fitted = fit(network, train, validation[:1], silence, config, grid.period, folder, teacher=teacher)
        trained = time.perf_counter() - began
        predicted = {example.name: predict(fitted.network, example.features, silence) for example in validation}
        return {
            "variant": name, "seed": seed, "minutes": self.minutes, "why": variant.why,
            **cross_fitted(predicted, self.recordings["validation"], self.labels, grid),
            "loss": cross_entropy(predicted, validation),
            "parameters": n_parameters(network), "look_ahead": network.look_ahead,
            "multiply_adds": multiply_adds_per_second(network, 1 / grid.period, front_end.n_features, 500),
            "seconds": round(time.perf_counter() - began, 1), "training_seconds": round(trained, 1),
            "machine": machine(), "torch": str(torch.__version__), "python": platform.python_version(),
        }  # fmt: skip

    def teacher(self, variant: Variant, silence: NDArray[np.float32], grid: Grid) -> Hub:
        """The large network that `variant` learns from, trained first where it is not there; one for all seeds."""
        minutes = TEACHER_MINUTES * self.minutes
        network = Hub(len(self.labels), replace(SIZES["base"], dropout=0.1))
        front_end = front_ends.OURS
        config = TrainConfig.model_validate(
            dict(START) | {"network": "base", "threads": self.threads, "device": "cpu", "workers": 0, "epochs": 4}
        )
        mixing = CONFIG.model_copy(update={"sample_rate": front_end.sample_rate, "duration": (60.0, 60.0)})
        store = ClipStore(mixing.sample_rate, mixing.activity, self.root, max_bytes=2**31)
        train = Fresh(self.clips, (), mixing, self.labels, front_end, minutes / 4, store)
        validation = self.examples(self.recordings["validation"], front_end)
        fitted = fit(
            network, train, validation, silence, config, grid.period, self.out / "fits" / f"teacher-{minutes:g}"
        )
        assert isinstance(fitted.network, Hub)
        return fitted.network


Item = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Kept(Fresh):
    """Mixed once for all variants that hear the same: in `heard`, by what it depends on, the first and the last one."""

    heard: dict[str, list[Item]] = field(default_factory=dict, repr=False)

    def segments(
        self,
        length: int,
        context: int,
        look_ahead: int,
        silence: NDArray[np.float32],
        augment: Augment | None = None,
        seed: int = 0,
    ) -> Dataset[Item]:
        """Of the first epoch, which is the only one here."""
        key = key_of(self.key, self.front_end.model_dump(), length, context, look_ahead, seed)
        if key not in self.heard:
            made = FreshSegments(self, length, context, look_ahead, silence, None, seed)
            for older in list(self.heard)[1:]:  # the first one is what most of them hear
                del self.heard[older]
            self.heard[key] = [made[0, number] for number in range(len(made))]
        return Again(self.heard[key], silence, augment, seed)


@dataclass(frozen=True)
class Again(Dataset[Item]):
    """Items that were kept, augmented."""

    items: list[Item]
    silence: NDArray[np.float32]
    augment: Augment | None
    seed: int

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        features, targets, mask = self.items[key[1]]
        if self.augment is not None:
            rng = np.random.default_rng([self.seed, *key])
            features = torch.from_numpy(self.augment(features.numpy(), self.silence, rng))
        return features, targets, mask


def cross_entropy(predicted: Mapping[str, NDArray[np.float32]], examples: Sequence[Example]) -> float:
    """Of each frame and label, on average."""
    values = np.concatenate([predicted[example.name] for example in examples]).clip(1e-7, 1 - 1e-7)
    targets = np.concatenate([example.targets for example in examples])
    return float(-np.log(np.where(targets, values, 1 - values)).mean())


def begun(recording: AnnotatedRecording) -> AnnotatedRecording:
    """What is scored of it."""
    duration = min(recording.duration, SCORED)
    return replace(recording, duration=duration, events=tuple(clip(recording.events, 0.0, duration)))


def features(path: Path, config: FrontEndConfig) -> NDArray[np.float32]:
    """Features of a whole recording, (n_frames, n_features)."""
    samples, _ = audio.read(path, config.sample_rate)
    torch.set_num_threads(1)
    found: NDArray[np.float32] = FrontEnd(config).grid_features(samples).numpy()
    return found


def cross_fitted(
    predicted: Mapping[str, NDArray[np.float32]],
    recordings: Sequence[AnnotatedRecording],
    labels: tuple[str, ...],
    grid: Grid,
) -> dict[str, Any]:
    """Micro-averaged F1 by frame, segment and event and frame F1 by label, rules for each half from the other half;
    and for comparison the same with one rule for all labels, and with no more than a threshold for each."""
    names = [recording.name for recording in recordings]
    reference = {r.name: [event for event in r.events if event.label in labels] for r in recordings}
    durations = {r.name: r.duration for r in recordings}
    found: dict[str, dict[str, list[Event]]] = {"by_label": {}, "common": {}, "thresholds": {}}
    for half, other in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        of = {name: predicted[name] for name in half}
        validation = Validation(labels, grid, of, {n: reference[n] for n in half}, {n: durations[n] for n in half})
        decided = decide(validation, Decision())
        thresholds = best_thresholds(validation.stacked, validation.targets)
        (common,) = best_thresholds(validation.stacked.reshape(-1, 1), validation.targets.reshape(-1, 1))
        for how, rules in (
            ("by_label", [decided.rules[label] for label in labels]),
            ("common", [LabelRule(common, common, median=CURVE_MEDIAN)] * len(labels)),
            ("thresholds", [LabelRule(threshold, threshold) for threshold in thresholds]),
        ):
            for name in other:
                found[how][name] = decode(predicted[name], labels, rules, grid, durations[name])
    scored = {how: evaluate(reference, events, durations, labels) for how, events in found.items()}
    scores = scored["by_label"]
    curves = {
        name: Probabilities(
            median_filter(values, (CURVE_MEDIAN, 1)), np.minimum(grid.edges_of(len(values)), durations[name]), labels
        )
        for name, values in predicted.items()
    }
    return {
        "frame": scores.frame.micro_f1, "segment": scores.segment.micro_f1, "event": scores.event.micro_f1,
        "psds2": psds(reference, curves, durations, PSDS2).value,
        "otherwise": {
            how: {"frame": each.frame.micro_f1, "event": each.event.micro_f1} for how, each in scored.items()
        },
        "by_label": {label: round(scores.frame.by_label[label]["f1"], 4) for label in labels},
    }  # fmt: skip


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Mean and spread over the seeds, the mean difference from `start` of the same seeds, what the networks cost, and
    what is left with less processing behind the network."""
    start = {(run["seed"], run["minutes"]): run for run in runs if run["variant"] == "start"}
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for run in sorted(runs, key=lambda run: (run["minutes"], [*VARIANTS].index(run["variant"]), run["seed"])):
        groups.setdefault((run["variant"], run["minutes"]), []).append(run)

    def less(members: Sequence[Mapping[str, Any]], minutes: float, score: str) -> str:
        pairs = [(run[score], start[run["seed"], minutes][score]) for run in members if (run["seed"], minutes) in start]
        differences = [one - other for one, other in pairs]
        if not differences or members[0]["variant"] == "start":
            return ""
        return f"{np.mean(differences):+.3f} ({', '.join(f'{one:+.3f}' for one in differences)})"

    lines = [
        "| variant | what | minutes | seeds | frame F1 | event F1 | PSDS 2 | frame F1 − start | event F1 − start |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    costs = ["| variant | what | parameters | multiply-adds a second | look-ahead |", "|---|---|---|---|---|"]
    known = set()
    for (name, minutes), members in groups.items():
        first = members[0]
        scores = " | ".join(spread([run[score] for run in members]) for score in ("frame", "event", "psds2"))
        lines.append(
            f"| {name} | {VARIANTS[name].why} | {minutes:g} | {len(members)} | {scores} | "
            f"{less(members, minutes, 'frame')} | {less(members, minutes, 'event')} |"
        )
        variant = VARIANTS[name]
        if name not in known and (name == "start" or variant.network or variant.front_end or variant.size != "small"):
            known.add(name)
            costs.append(
                f"| {name} | {variant.why} | {first['parameters']} | {first['multiply_adds'] / 1e6:.1f} million | "
                f"{first['look_ahead']} frames |"
            )
    rules = ["| rules | frame F1 | event F1 |", "|---|---|---|"] if start else []
    plain = [run["otherwise"] for run in runs if run["variant"] == "start" and run["minutes"] == min(start)[1]]
    for how, what in OTHERWISE.items() if start else ():
        scores = " | ".join(spread([run[how][score] for run in plain]) for score in ("frame", "event"))
        rules.append(f"| {what} | {scores} |")
    on = {f"{run['machine']}, Python {run['python']}, PyTorch {run['torch']}" for run in runs}
    return "\n\n".join("\n".join(part) for part in (lines, costs, rules, sorted(on)) if part) + "\n"


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else f"{values[0]:.3f}"


if __name__ == "__main__":
    main()
