"""From a folder of clips, or of annotated recordings, to a detector with its scores.

    clips → split → soundscapes of each side ┐
    annotated recordings → split ────────────┴→ features → fit → thresholds → .onnx → scores on the test side

All that is computed on the way lies in a folder beside the detector; started again, a run goes on where it was.
"""

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

import hubbub
from hubbub import audio
from hubbub.annotations import write as write_annotations
from hubbub.datasets.annotated import AnnotatedRecording, kind_of, read_annotated
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.split import SIDES, Split, items_of_clips, items_of_recordings, make_split
from hubbub.datasets.split_file import write_split
from hubbub.detector import Detector, load
from hubbub.errors import ConfigError, DatasetError
from hubbub.events import Event, EventTable, to_targets
from hubbub.files import check_writable, make_folder
from hubbub.grid import Grid
from hubbub.metrics import Scores, evaluate_with_trivial
from hubbub.mixing import Clip, MixConfig, by_label
from hubbub.mixing.write import mix
from hubbub.networks import OURS, build, check_name
from hubbub.networks.count import multiply_adds, n_parameters
from hubbub.training import front_end as front_ends
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.export import add_scores, export, silence_of
from hubbub.training.fit import Fitted, Status, fit
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.predict import predict
from hubbub.training.thresholds import tune

BACKGROUND_SNR_DB = (6.0, 30.0)
SCENE_GAIN_DB = (-12.0, 6.0)


class Tick(Protocol):
    """Told how much is done of how much, and a word on how it goes."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


class Reporter(Protocol):
    """Where a run says what it does; `hubbub.console.Reporter` is one."""

    def say(self, text: str) -> None: ...

    def bar(self, title: str) -> AbstractContextManager[Tick]: ...


Sides = Mapping[str, Sequence[AnnotatedRecording]]


@dataclass(frozen=True)
class Trained:
    """A finished run: the detector, its scores beside the trivial systems', and what it was tested on."""

    detector: Detector
    scores: Mapping[str, Scores]
    test: Sequence[AnnotatedRecording]
    estimated: EventTable
    log: Path
    split: Split
    notes: Sequence[str]


def train(data: Path, out: Path, config: TrainConfig, reporter: Reporter, jobs: int = 2) -> Trained:
    """Makes the detector `out` from `data`. Raises a `HubbubError`, one line, for whatever is wrong with the data.

    The folder `<out without suffix>.train` holds the split, the soundscapes, the features and the run of training.
    """
    check_name(config.network)
    kind = kind_of(data)
    folder = _folder_beside(out)
    if kind == "clips":
        sides, split, licences = _mixed(data, folder, config, reporter, jobs)
    else:
        sides, split, licences = _annotated(data, config)
    write_split(folder / "split.tsv", split)
    labels = sorted({event.label for recording in sides["train"] for event in recording.events})
    notes = [*split.notes, *_missing(labels, sides)]
    for note in notes:
        reporter.say(f"note: {note}")

    front_end = front_ends.OURS if config.network == OURS else front_ends.REPORT_POLYPHONIC
    grid = Grid(front_end.sample_rate, front_end.hop)
    examples = _examples(sides, labels, front_end, FeatureCache(folder / "features"), reporter, jobs)
    torch.manual_seed(config.seed)
    network = build(config.network, len(labels))
    silence = silence_of(front_end)
    identity = key_of(config.model_dump(), front_end.model_dump(), labels, dict(split.sides), str(data.resolve()))
    fit_folder = folder / f"fit-{identity[:8]}"
    with reporter.bar(f"training {config.network}") as tick:

        def show(status: Status) -> None:
            best = f", best {status.best_loss:.4f}" if status.epoch > 1 else ""
            tick(status.batches, status.total, f"epoch {status.epoch}, loss {status.validation_loss:.4f}{best}")

        fitted = fit(network, examples["train"], examples["validation"], silence, config, grid.period, fit_folder, show)
    reporter.say(
        f"{fitted.epochs} epochs in {fitted.seconds:.0f} s on {fitted.hardware}; best validation loss "
        f"{fitted.validation_loss:.4f} after epoch {fitted.best_epoch}"
    )
    with reporter.bar("tuning thresholds") as tick:
        rules = tune(
            {example.name: predict(fitted.network, example.features, silence) for example in examples["validation"]},
            {recording.name: _known(recording.events, labels) for recording in sides["validation"]},
            {example.name: example.targets for example in examples["validation"]},
            {recording.name: recording.duration for recording in sides["validation"]},
            labels,
            grid,
            tick,
        )
    exported = export(
        out, fitted.network, front_end, labels, rules,
        network_facts={
            "name": config.network,
            "parameters": n_parameters(fitted.network),
            "multiply_adds_per_second": round(_multiply_adds(fitted, grid, front_end.n_features)),
        },
        training_facts=_facts(kind, config, fitted, split, licences, sides),
    )  # fmt: skip
    reporter.say(
        f"{out}: {exported.n_bytes / 1e6:.2f} MB; in random blocks it differs from torch "
        f"by {exported.largest_difference:.1e} at most"
    )
    detector = load(out)
    test = sides["test"]
    estimated: dict[str, list[Event]] = {}
    with reporter.bar("testing") as tick:
        for index, recording in enumerate(test):
            estimated[recording.name] = detector.detect(recording.path)
            tick(index + 1, len(test))
    scores = evaluate_with_trivial(
        {recording.name: _known(recording.events, labels) for recording in test},
        estimated,
        {recording.name: recording.duration for recording in test},
        labels,
        {recording.name: _known(recording.events, labels) for recording in sides["train"]},
        {recording.name: recording.duration for recording in sides["train"]},
    )
    add_scores(out, {"test": scores["system"].to_dict()})
    write_annotations(folder / "test-found.tsv", estimated, "dcase")
    return Trained(load(out), scores, test, estimated, fit_folder / "log.csv", split, notes)


def mix_config(n_labels: int, config: TrainConfig, backgrounds: Sequence[Clip]) -> MixConfig:
    """How soundscapes for training are mixed: as TUT-SED Synthetic 2016, in shorter scenes, at many levels."""
    return MixConfig(
        duration=(config.scene_seconds, config.scene_seconds),
        n_labels=(min(4, n_labels), min(9, n_labels)),
        snr_db=BACKGROUND_SNR_DB if backgrounds else None,
        scene_gain_db=SCENE_GAIN_DB,
    )


def _folder_beside(out: Path) -> Path:
    """The folder of a run, made. Raises `ConfigError` where it or the detector cannot be written, before the work."""
    if out.suffix != ".onnx":
        raise ConfigError(f"{out}: a detector's name ends in .onnx; give another name")
    folder = out.with_suffix(".train")
    make_folder(folder, ConfigError)
    check_writable(out, ConfigError)
    return folder


def _mixed(
    data: Path, folder: Path, config: TrainConfig, reporter: Reporter, jobs: int
) -> tuple[Sides, Split, dict[str, list[str]]]:
    clips = read_clips(data)
    split = make_split(items_of_clips(clips, data), config.seed)
    members_of = {side: [c for c in clips if split.sides[relative_name(c.path, data)] == side] for side in SIDES}
    for side, members in members_of.items():
        if not by_label(members)[0]:
            raise DatasetError(f"{data}: no clips for the {side} side; wanted at least three recordings of a label")
    minutes = {"train": config.train_minutes, "validation": config.validation_minutes, "test": config.test_minutes}
    sides: dict[str, Sequence[AnnotatedRecording]] = {}
    for index, (side, members) in enumerate(members_of.items()):
        labelled, backgrounds = by_label(members)
        mixing = mix_config(len(labelled), config, backgrounds)
        n_scenes = max(1, round(minutes[side] * 60 / config.scene_seconds))
        hashes = sorted((relative_name(clip.path, data), content_hash(clip.path)) for clip in members)
        key = key_of(mixing.model_dump(), n_scenes, config.seed, hashes)
        target = folder / "scenes" / f"{side}-{key[:8]}"
        if not (target / "events.tsv").is_file():  # written last
            shutil.rmtree(target, ignore_errors=True)
            with reporter.bar(f"mixing {n_scenes * config.scene_seconds / 60:.0f} min to {_purpose(side)}") as tick:
                mix(
                    labelled, target, mixing, n_scenes, config.seed * 10 + index,
                    backgrounds=backgrounds, root=data, jobs=jobs, progress=tick,
                )  # fmt: skip
        sides[side] = read_annotated(target)
    return sides, split, {"licences": sorted({clip.licence for clip in clips if clip.licence})}


def _annotated(data: Path, config: TrainConfig) -> tuple[Sides, Split, dict[str, list[str]]]:
    recordings = read_annotated(data)
    split = make_split(items_of_recordings(recordings), config.seed)
    sides: Sides = {side: [r for r in recordings if split.sides[r.name] == side] for side in SIDES}
    empty = [side for side, members in sides.items() if not members]
    if empty:
        raise DatasetError(f"{data}: no recordings for the {empty[0]} side; wanted at least three recordings")
    return sides, split, {}


def _examples(
    sides: Sides, labels: Sequence[str], config: FrontEndConfig, cache: FeatureCache, reporter: Reporter, jobs: int
) -> dict[str, list[Example]]:
    grid = Grid(config.sample_rate, config.hop)
    keys = {
        recording.path: key_of(config.model_dump(), content_hash(recording.path))
        for side in sides.values()
        for recording in side
    }
    with reporter.bar("computing features") as tick:
        cache.fill([(key, partial(_features, path, config)) for path, key in keys.items()], tick, jobs)
    examples: dict[str, list[Example]] = {}
    for side in ("train", "validation"):
        examples[side] = []
        for recording in sides[side]:
            features: NDArray[np.float32] = cache.get(keys[recording.path], partial(_features, recording.path, config))
            targets = to_targets(_known(recording.events, labels), labels, grid, len(features))
            examples[side].append(Example(recording.name, features, targets))
    return examples


def _features(path: Path, config: FrontEndConfig) -> NDArray[np.float32]:
    samples, _ = audio.read(path, config.sample_rate)
    torch.set_num_threads(1)
    features: NDArray[np.float32] = FrontEnd(config).grid_features(samples).numpy()
    return features


def _known(events: Sequence[Event], labels: Sequence[str]) -> list[Event]:
    return [event for event in events if event.label in labels]


def _missing(labels: Sequence[str], sides: Sides) -> list[str]:
    notes = []
    for side in ("validation", "test"):
        there = {event.label for recording in sides[side] for event in recording.events}
        absent = sorted(set(labels) - there)
        if absent:
            notes.append(f"{', '.join(absent)}: never sounds on the {side} side")
        unknown = sorted(there - set(labels))
        if unknown:
            notes.append(f"{', '.join(unknown)}: only on the {side} side, so left out")
    return notes


def _multiply_adds(fitted: Fitted, grid: Grid, n_features: int) -> float:
    n_frames = round(10 / grid.period)
    return multiply_adds(fitted.network, n_frames, n_features) / (n_frames * grid.period)


def _facts(
    kind: str, config: TrainConfig, fitted: Fitted, split: Split, licences: Mapping[str, Any], sides: Sides
) -> dict[str, Any]:
    versions = {"hubbub": hubbub.__version__, "torch": str(torch.__version__), "lightning": lightning.__version__}
    return {
        "data": kind,
        "minutes": {side: round(sum(r.duration for r in members) / 60, 2) for side, members in sides.items()},
        "split_seed": split.seed,
        "recording_disjoint_only": list(split.recording_disjoint),
        **licences,
        "config": json.loads(config.model_dump_json()),
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "validation_loss": fitted.validation_loss,
        "seconds": fitted.seconds,
        "hardware": fitted.hardware,
        "precision": fitted.precision,
        "versions": versions | {"python": platform.python_version()},
    }


def _purpose(side: str) -> str:
    return {"train": "train on", "validation": "validate on", "test": "test on"}[side]
