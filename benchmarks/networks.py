"""Our networks and the report's, side by side: trained alike, tested on the same hour, and what each costs.

    python benchmarks/networks.py train STAND_IN OUT [NETWORK ...] [--recipe plain|best --clips CLIPS] [--seeds 3]
                                        [--precision bf16-mixed] [--paper CHECKOUT]
    python benchmarks/networks.py cost OUT [NETWORK ...] [--paper CHECKOUT] [--rounds 3]
    python benchmarks/networks.py show OUT [--page FOLDER]

STAND_IN is `hubbub mix CLIPS STAND_IN --recipe tut2016 --apart recordings`: 60 mixtures to train on, 20 to choose on
and 20 to test on. All networks are tested on the first three minutes of each of the 20 (an hour), with features of
their own kind: the report's 40 MFCC a 10 ms frame, or the 64 mel bands of ours a 20 ms frame; `small_mfcc` is ours on
the report's features, `paper` the paper's own proposed network on its 40 mel bands a 20 ms frame, from a CHECKOUT of
github.com/dr-costas/dnd-sed. Scores are taken on one 10 ms grid.

- `plain`: what the report did, as far as a CPU gets: the 60 mixtures as they are, Adam at 0.001, cross-entropy,
  batches of `--batch` sub-sequences of 10.24 s, `--minutes` of audio in all, the epoch with the lowest validation loss.
- `best`: soundscapes mixed anew for every step of clips of the training side, and what `hubbub train` does beside.

`--precision bf16-mixed` trains wide convolutions in less time; tests are in 32 bit. Rules (threshold, median, …) are
chosen label by label on the validation side in both. Each finished run is kept below OUT; started again, what is there
is not done again. `--jobs` processes train at once, on a thread each. `cost` measures one after the other, in rounds: a
step of training, and the time to detect, front end included. Differences are judged by the paired bootstrap over
recordings; a resample's F1 and PSDS are the means over the seeds.
"""

import argparse
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import networks_cost
import networks_show
import numpy as np
import torch
from numpy.typing import NDArray
from recipe import features
from scipy.ndimage import median_filter
from torch import nn

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
from hubbub.metrics import PSDS1, PsdsStatistic, Settings, evaluate
from hubbub.metrics.each import Each
from hubbub.metrics.recording import recordings as recordings_of
from hubbub.mixing import ClipStore, by_label
from hubbub.networks import OURS, build
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.networks.report import POLYPHONIC
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.device import machine
from hubbub.training.export import silence_of
from hubbub.training.fit import fit
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import OURS as OUR_FEATURES
from hubbub.training.front_end import REPORT_POLYPHONIC, FrontEndConfig
from hubbub.training.predict import SUBSEQUENCE, predict
from hubbub.training.soundscapes import TRAINING_COLOUR
from hubbub.tuning import Decision, Validation, decide

PIECE = SUBSEQUENCE * 0.01
"""Seconds of a sub-sequence."""
TEST_PIECES, VALIDATION_PIECES = 18, 2
"""Sub-sequences from the beginning of each of the 20 recordings of a side: an hour, and seven minutes."""
EPOCHS = 2
MOMENTUM = 0.1
"""Of batch norm: Keras' 0.01 needs some hundred steps to arrive, and there are no more."""
CURVE_MEDIAN = 0.22
"""Seconds of the median filter in front of PSDS, which takes scores as they are."""
N_RESAMPLES, RESAMPLE_SEED = 1000, 0
PAPER = "paper"
"""The name of the paper's own proposed network, from a checkout of its code."""
ON_MFCC = "small_mfcc"
"""The name of ours on the report's features. They are relative to the loudest of a file, so no stream can have them:
it is trained and tested, and not exported."""
SHOWN = ("network", "recipe", "seed", "minutes", "frame", "segment", "event", "psds1", "loss", "seconds")


@dataclass(frozen=True)
class Kind:
    """A network by name with the features that it hears; where there is a `checkout`, the paper's network from there,
    which is trained as `network` is."""

    network: str
    front_end: FrontEndConfig
    checkout: Path | None = None

    @property
    def grid(self) -> Grid:
        return Grid(self.front_end.sample_rate, self.front_end.hop)

    @property
    def item_seconds(self) -> float:
        """Of audio in an item of a batch."""
        return PIECE if self.network in OURS else SUBSEQUENCE * self.grid.period

    def build(self, n_labels: int, config: TrainConfig) -> nn.Module:
        torch.manual_seed(config.seed)
        if self.checkout is not None:
            return networks_cost.Paper(self.checkout, n_labels)  # its dropout and norms are as its authors have them
        network = build(self.network, n_labels, config.dropout, n_features=self.front_end.n_features)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = MOMENTUM
        return network


KINDS: Mapping[str, Kind] = {
    **{name: Kind(name, REPORT_POLYPHONIC) for name in POLYPHONIC},
    **{name: Kind(name, OUR_FEATURES) for name in OURS},
    ON_MFCC: Kind("small", REPORT_POLYPHONIC),
}


def kinds_of(checkout: Path | None) -> dict[str, Kind]:
    """All that can be measured, the paper's own too where its code is there."""
    paper = {} if checkout is None else {PAPER: Kind("proposed_strided", networks_cost.PAPER_FRONT_END, checkout)}
    return {**KINDS, **paper}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train")
    train.add_argument("stand_in", type=Path)
    train.add_argument("out", type=Path)
    train.add_argument("networks", nargs="*", metavar="NETWORK")
    train.add_argument("--recipe", choices=("plain", "best"), default="plain")
    train.add_argument("--clips", type=Path)
    train.add_argument("--minutes", type=float, default=20.0)
    train.add_argument("--batch", type=int, default=2)
    train.add_argument("--rate", type=float, help="the learning rate of `best`, to try another one")
    train.add_argument("--seeds", type=int, default=3)
    train.add_argument("--jobs", type=int, default=2)
    train.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true")
    train.add_argument("--paper", type=Path, metavar="CHECKOUT")
    cost = commands.add_parser("cost")
    cost.add_argument("out", type=Path)
    cost.add_argument("networks", nargs="*", metavar="NETWORK")
    cost.add_argument("--paper", type=Path, metavar="CHECKOUT")
    cost.add_argument("--threads", type=int, default=2)
    cost.add_argument("--rounds", type=int, default=3)
    show = commands.add_parser("show")
    show.add_argument("out", type=Path)
    show.add_argument("--page", type=Path, default=None, help="a folder for tables.md and f1-against-cost.svg")
    arguments = parser.parse_args()
    checkout = getattr(arguments, "paper", None)
    if checkout is not None and not (checkout / networks_cost.PAPER_SETTINGS).is_file():
        parser.error(
            f"{checkout}: no {networks_cost.PAPER_SETTINGS}: wanted a checkout of github.com/dr-costas/dnd-sed"
        )
    kinds = kinds_of(checkout)
    if arguments.command == "cost":
        del kinds[ON_MFCC]
    unknown = [name for name in getattr(arguments, "networks", []) if name not in kinds]
    if unknown:
        parser.error(f"{', '.join(unknown)}: wanted some of {', '.join(kinds)}; {PAPER} needs --paper CHECKOUT")
    if arguments.command == "train" and arguments.recipe == "best" and arguments.clips is None:
        parser.error("--recipe best mixes clips anew: give them with --clips")
    {"train": train_all, "cost": measure_costs, "show": show_all}[arguments.command](arguments)


def train_all(arguments: argparse.Namespace) -> None:
    """Trains and tests what is not done yet, seed by seed."""
    names = arguments.networks or list(kinds_of(arguments.paper))
    jobs = [
        (name, seed)
        for seed in range(arguments.seeds)
        for name in names
        if not result_path(arguments, name, seed).is_file()
    ]
    bench = Bench(arguments)
    bench.fill(names)
    parallel = joblib.Parallel(n_jobs=arguments.jobs, return_as="generator_unordered", pre_dispatch="n_jobs")
    for found in parallel(joblib.delayed(bench.run)(name, seed) for name, seed in jobs):
        print(json.dumps({key: found[key] for key in SHOWN}), flush=True)


def measure_costs(arguments: argparse.Namespace) -> None:
    """Writes OUT/costs.json."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(threads=arguments.threads)
    kinds = kinds_of(arguments.paper)
    del kinds[ON_MFCC]
    names = arguments.networks or list(kinds)
    networks = {name: (kinds[name].build(len(LABELS), config), kinds[name].front_end) for name in names}
    found = {
        "machine": machine(), "threads": arguments.threads, "torch": str(torch.__version__),
        "onnxruntime": version("onnxruntime"), "python": platform.python_version(),
        "networks": networks_cost.costs(networks, LABELS, arguments.threads, arguments.rounds),
    }  # fmt: skip
    (arguments.out / "costs.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(networks_show.cost_table(found["networks"]))


def show_all(arguments: argparse.Namespace) -> None:
    """Prints all tables; with `--page` writes them, and the figure."""
    runs = networks_show.read_runs(arguments.out / "runs")
    text = tables(runs, arguments.out / "costs.json")
    print(text)
    if arguments.page is not None:
        arguments.page.mkdir(parents=True, exist_ok=True)
        (arguments.page / "tables.md").write_text(text, encoding="utf-8")
        networks_show.figure(runs, arguments.page / "f1-against-cost.svg", is_ours)


def tables(runs: Mapping[str, networks_show.Runs], costs: Path) -> str:
    """All tables of the runs, and of the costs where that file is there."""
    n_recordings = len(next(iter(runs.values())).arrays[0]["names"])
    ours = [name for name, each in runs.items() if is_ours(each.results[0]["network"])]
    drawn = resamples(n_recordings)
    parts = []
    for recipe in networks_show.PANELS:
        names = [each.name for each in networks_show.longest(runs, recipe)]
        pairs = [(a, b) for a in names if a in ours for b in names if b not in ours]
        parts += [f"Recipe: {recipe}\n", networks_show.quality_table(runs, recipe, is_ours)]
        parts += ["After the longest training of each\n", networks_show.difference_table(runs, pairs, drawn)]
        pairs = networks_show.same_audio(runs, recipe, is_ours)
        parts += ["After the most minutes that both of a pair heard\n"]
        parts += [networks_show.difference_table(runs, pairs, drawn)]
    if costs.is_file():
        measured = json.loads(costs.read_text(encoding="utf-8"))
        parts.append(networks_show.cost_table(measured["networks"]))
        parts.append(f"{measured['machine']}, {measured['threads']} threads, torch {measured['torch']}, "
                     f"onnxruntime {measured['onnxruntime']}, Python {measured['python']}\n")  # fmt: skip
    pairs = [(a, b) for a in ours for b in set(runs) - set(ours) if runs[a].recipe == runs[b].recipe]
    parts += ["Every pair\n", networks_show.difference_table(runs, sorted(pairs), drawn)]
    return "\n".join(parts)


def is_ours(name: str) -> bool:
    """Of a network as results name it."""
    return name in {*OURS, ON_MFCC}


def result_path(arguments: argparse.Namespace, name: str, seed: int) -> Path:
    """Where a finished run is written."""
    folder: Path = arguments.out / "runs"
    tried = f"@{arguments.rate:g}" if arguments.rate else ""
    return folder / f"{name}-{arguments.recipe}{tried}-{arguments.minutes:g}-{seed}.json"


class Bench:
    """The recordings of each side, and how a network is trained and tested on them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        data = read_tut2016(arguments.stand_in)
        by_name = {recording.name: recording for recording in data.recordings}
        sides = {side: [by_name[name] for name in data.sides[side]] for side in ("train", "validation", "test")}
        self.sides = {
            "train": sides["train"],
            "validation": [cut(r, VALIDATION_PIECES * PIECE) for r in sides["validation"]],
            "test": [cut(r, TEST_PIECES * PIECE) for r in sides["test"]],
        }
        sounding = {event.label for recording in sides["train"] for event in recording.events}
        self.labels = tuple(label for label in LABELS if label in sounding)
        self.kinds = kinds_of(arguments.paper)
        self.cache = FeatureCache(arguments.out / "features")

    def key(self, recording: AnnotatedRecording, config: FrontEndConfig) -> str:
        return key_of(config.model_dump(), content_hash(recording.path))

    def fill(self, names: Sequence[str]) -> None:
        """Computes the features of all recordings."""
        for config in {self.kinds[name].front_end for name in names}:
            work = [
                (self.key(r, config), partial(features, r.path, config))
                for recordings in self.sides.values()
                for r in recordings
            ]
            with Reporter().bar("computing features") as tick:
                self.cache.fill(work, tick, self.arguments.jobs)

    def examples(self, side: str, kind: Kind) -> list[Example]:
        """Features and targets, of the beginnings of recordings that are not trained on."""
        made = []
        for recording in self.sides[side]:
            values = self.cache.load(self.key(recording, kind.front_end))
            assert values is not None
            values = values[: kind.grid.n_frames_of(recording.duration)]
            made.append(
                Example(recording.name, values, to_targets(recording.events, self.labels, kind.grid, len(values)))
            )
        return made

    def run(self, name: str, seed: int) -> dict[str, Any]:
        """Trains a network, tests it and writes down what came out."""
        torch.set_num_threads(1)
        kind, arguments = self.kinds[name], self.arguments
        config = recipe_of(arguments, kind, seed)
        network = kind.build(len(self.labels), config)
        silence = silence_of(kind.front_end)
        train: list[Example] | Fresh = self.examples("train", kind)
        if arguments.recipe == "best":
            train = self.fresh(kind, config)
        out = result_path(arguments, name, seed)
        fitted = fit(
            network, train, self.examples("validation", kind), silence, config, kind.grid.period,
            arguments.out / "fits" / out.stem,
        )  # fmt: skip
        validation, test = (
            {e.name: predict(fitted.network, e.features, silence) for e in self.examples(side, kind)}
            for side in ("validation", "test")
        )
        reference, durations = table(self.sides["validation"])
        decided = decide(Validation(self.labels, kind.grid, validation, reference, durations), Decision())
        rules = [decided.rules[label] for label in self.labels]
        scores, arrays = self.score(kind, test, rules)
        found = {
            "network": name, "recipe": arguments.recipe, "seed": seed, "minutes": arguments.minutes, **scores,
            "loss": fitted.validation_loss, "best_epoch": fitted.best_epoch, "epochs": fitted.epochs,
            "seconds": fitted.seconds, "parameters": n_parameters(network),
            "multiply_adds": multiply_adds_per_second(
                network, 1 / kind.grid.period, kind.front_end.n_features, SUBSEQUENCE
            ),
            "config": json.loads(config.model_dump_json()), "precision": fitted.precision,
            "machine": machine(), "torch": str(torch.__version__), "python": platform.python_version(),
        }  # fmt: skip
        out.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(out.with_suffix(".npz"), **arrays)
        out.write_text(json.dumps(found), encoding="utf-8")
        return found

    def fresh(self, kind: Kind, config: TrainConfig) -> Fresh:
        """Clips of the training side, mixed as the stand-in is but for `TRAINING_COLOUR`, `minutes` in all."""
        root = self.arguments.clips
        sides = read_split(self.arguments.stand_in / "split.tsv").sides
        clips, _ = by_label(
            c for c in read_clips(root) if c.label in LABELS and sides.get(relative_name(c.path, root)) == "train"
        )
        mixing = CONFIG.model_copy(
            update={"sample_rate": kind.front_end.sample_rate, "duration": (60.0, 60.0), **TRAINING_COLOUR}
        )
        store = ClipStore(mixing.sample_rate, mixing.activity, root, max_bytes=2**30)
        minutes = self.arguments.minutes / config.epochs
        return Fresh(clips, (), mixing, self.labels, kind.front_end, minutes, store)

    def score(
        self, kind: Kind, predicted: Mapping[str, NDArray[np.float32]], rules: Sequence[LabelRule]
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Scores of the test side, and what intervals are made of: counts by recording, PSDS of each resample."""
        reference, durations = table(self.sides["test"])
        labels, grid = self.labels, kind.grid
        found = {n: decode(values, labels, rules, grid, durations[n]) for n, values in predicted.items()}
        scores = evaluate(reference, found, durations, labels)
        each = Each.of(
            dict(zip(sorted(durations), recordings_of(reference, found, durations, labels, True), strict=True)),
            labels,
            Settings(),
        )
        width = round(CURVE_MEDIAN / grid.period)
        curves = {
            n: Probabilities(
                median_filter(values, (width, 1)), np.minimum(grid.edges_of(len(values)), durations[n]), labels
            )
            for n, values in predicted.items()
        }
        statistic = PsdsStatistic.of(reference, curves, durations, PSDS1)
        arrays: dict[str, NDArray[Any]] = {
            kind_of_count: np.array(
                [
                    [c.true_positives, c.false_positives, c.false_negatives]
                    for c in getattr(each, kind_of_count).values()
                ]
            )
            for kind_of_count in ("frame", "segment", "event")
        }  # (n_recordings, 3, n_labels)
        arrays["psds1"] = statistic.scores(resamples(len(durations)))
        arrays["names"] = np.array(sorted(durations))
        by_label = {
            measure: {label: round(getattr(scores, measure).by_label[label]["f1"], 4) for label in labels}
            for measure in ("frame", "event")
        }
        return {
            "frame": scores.frame.micro_f1, "segment": scores.segment.micro_f1, "event": scores.event.micro_f1,
            "psds1": statistic.value(), "by_label": by_label,
        }, arrays  # fmt: skip


def recipe_of(arguments: argparse.Namespace, kind: Kind, seed: int) -> TrainConfig:
    """How a network is trained."""
    common: dict[str, Any] = {
        "network": kind.network, "seed": seed, "threads": 1, "workers": 0, "device": "cpu",
        "precision": arguments.precision, "epochs": EPOCHS, "segment_seconds": PIECE, "least_batches": 1,
    }  # fmt: skip
    if arguments.recipe == "plain":
        plain: dict[str, Any] = {
            "learning_rate": 1e-3, "schedule": "constant", "batch_size": batch_of(arguments.batch, kind),
            "augment": None, "dropout": 0.1, "edge_weight": 0.0, "fresh": False,
            "epoch_minutes": arguments.minutes / EPOCHS,
        }  # fmt: skip
        return TrainConfig.model_validate(common | plain)
    # the defaults are ours; for the report's networks their rate, and the average of the weights beside
    default = batch_of(TrainConfig().batch_size, kind)
    theirs = {} if kind.network in OURS else {"learning_rate": 1e-3, "average": 0.99, "batch_size": default}
    given = {"learning_rate": arguments.rate} if arguments.rate else {}
    return TrainConfig.model_validate(common | theirs | given)


def batch_of(pieces: int, kind: Kind) -> int:
    """Items in a batch that holds about as much audio as so many pieces: all networks take as many steps."""
    return max(1, round(pieces * PIECE / kind.item_seconds))


def cut(recording: AnnotatedRecording, seconds: float) -> AnnotatedRecording:
    """Its beginning."""
    return replace(recording, duration=seconds, events=tuple(clip(recording.events, 0.0, seconds)))


def table(recordings: Sequence[AnnotatedRecording]) -> tuple[dict[str, list[Event]], dict[str, float]]:
    """Events and durations by name."""
    return {r.name: list(r.events) for r in recordings}, {r.name: r.duration for r in recordings}


def resamples(n_recordings: int) -> NDArray[np.float64]:
    """How often each resample holds each recording, (N_RESAMPLES, n_recordings), the same for all networks."""
    rng = np.random.default_rng(RESAMPLE_SEED)
    return rng.multinomial(n_recordings, np.full(n_recordings, 1 / n_recordings), N_RESAMPLES).astype(np.float64)


if __name__ == "__main__":
    main()
