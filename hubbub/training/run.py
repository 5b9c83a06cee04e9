"""From a folder of clips, or of annotated recordings, to a detector with its scores.

    clips → split → soundscapes of each side ┐
    annotated recordings → split ────────────┴→ features → fit → thresholds → .onnx → scores on the test side

All that is computed on the way lies in a folder beside the detector; started again, a run goes on where it was.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import hubbub
from hubbub import audio
from hubbub.annotations import write as write_annotations
from hubbub.datasets.annotated import AnnotatedRecording, kind_of, read_annotated
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.split import SIDES, Side, Split, items_of_recordings, make_split
from hubbub.datasets.split_file import write_split
from hubbub.decode import decode
from hubbub.detector import Detector, load
from hubbub.errors import ConfigError, DatasetError
from hubbub.events import Event, EventTable, to_targets
from hubbub.files import check_writable, make_folder
from hubbub.grid import Grid
from hubbub.metrics import Scores, evaluate, evaluate_with_trivial
from hubbub.networks import OURS, build, check_name, made_of
from hubbub.networks.count import multiply_adds, n_parameters
from hubbub.probing import Probe, sounds_in
from hubbub.probing import probe as run_probe
from hubbub.training import front_end as front_ends
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.device import find
from hubbub.training.export import export, silence_of
from hubbub.training.fit import Fitted, Status, fit
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.metadata import rewrite
from hubbub.training.predict import predict
from hubbub.training.quantization import int8_beside, int8_path
from hubbub.training.reporting import Reporter
from hubbub.training.soundscapes import Soundscapes, soundscapes
from hubbub.tuning import Decision, Validation, decide

BEST_F1 = Decision()
Sides = Mapping[Side, Sequence[AnnotatedRecording]]


@dataclass(frozen=True)
class Trained:
    """A finished run: the detector, its scores beside the trivial systems', what it was tested on, and what makes it
    fire that should not."""

    detector: Detector
    scores: Mapping[str, Scores]
    test: Sequence[AnnotatedRecording]
    estimated: EventTable
    log: Path
    split: Split
    notes: Sequence[str]
    probe: Probe | None = None


def train(
    data: Path,
    out: Path,
    config: TrainConfig,
    reporter: Reporter,
    jobs: int = 2,
    decision: Decision = BEST_F1,
    probe: bool = True,
    int8: bool = False,
) -> Trained:
    """Makes the detector `out` from `data`. Raises a `HubbubError`, one line, for whatever is wrong with the data.

    `decision`: how its thresholds are chosen on the validation side; another one asks for no other training.
    `probe`: whether noises and the sounds of the test side are played to it, one by one. `int8`: whether to write it
    in int8 too, beside it. The folder `<out without suffix>.train` holds the split, the soundscapes, the features and
    the run of training.
    """
    check_name(config.network)
    device = find(config.device)  # told before the mixing where it is not there
    kind = kind_of(data)
    folder = _folder_beside(out)
    if int8:
        int8_path(out)  # told before the work where it cannot be
    reporter.say(f"training on {device}")
    front_end = front_ends.OURS if config.network in OURS else front_ends.REPORT_POLYPHONIC
    if kind == "clips":
        mixed = soundscapes(data, folder, config, front_end, reporter, jobs)
    else:
        mixed = _annotated(data, config)
    sides, split, fresh = mixed.sides, mixed.split, mixed.fresh
    write_split(folder / "split.tsv", split)
    known = fresh.labels if fresh else {event.label for recording in sides["train"] for event in recording.events}
    labels = sorted(known)
    notes = [*split.notes, *mixed.notes, *_missing(labels, sides)]
    for note in notes:
        reporter.say(f"note: {note}")

    grid = Grid(front_end.sample_rate, front_end.hop)
    examples = _examples(sides, labels, front_end, FeatureCache(folder / "features"), reporter, jobs)
    torch.manual_seed(config.seed)
    network = build(config.network, len(labels), config.dropout, config.causal)
    silence = silence_of(front_end)
    identity = _identity(network, config, front_end, labels, sides, fresh)
    fit_folder = folder / f"fit-{identity[:8]}"
    with reporter.bar(f"training {config.network}") as tick:

        def show(status: Status) -> None:
            best = f", best {status.best_loss:.4f}" if status.epoch > 1 else ""
            tick(status.batches, status.total, f"epoch {status.epoch}, loss {status.validation_loss:.4f}{best}")

        heard_in_training = fresh or examples["train"]
        fitted = fit(network, heard_in_training, examples["validation"], silence, config, grid.period, fit_folder, show)
    reporter.say(
        f"{fitted.epochs} epochs in {fitted.seconds:.0f} s on {fitted.hardware}; best validation loss "
        f"{fitted.validation_loss:.4f} after epoch {fitted.best_epoch}"
    )
    predicted = {example.name: predict(fitted.network, example.features, silence) for example in examples["validation"]}
    reference = {recording.name: _known(recording.events, labels) for recording in sides["validation"]}
    durations = {recording.name: recording.duration for recording in sides["validation"]}
    with reporter.bar("tuning thresholds") as tick:
        decided = decide(Validation(labels, grid, predicted, reference, durations), decision, tick)
    for note in decided.notes:
        reporter.say(f"note: {note}")
    rules = [decided.rules[label] for label in labels]
    exported = export(
        out, fitted.network, front_end, labels, rules,
        network_facts={
            "name": config.network,
            "parameters": n_parameters(fitted.network),
            "multiply_adds_per_second": round(_multiply_adds(fitted, grid, front_end.n_features)),
        },
        training_facts=_facts(kind, config, fitted, mixed) | {"decision": decision.to_dict()},
    )  # fmt: skip
    if decided.calibration:
        rewrite(out, out, lambda metadata: metadata.decided(decided.rules, decided.calibration))
        reporter.say("calibration error on validation {:.4f}, it was {:.4f}".format(*reversed(decided.errors)))
    reporter.say(
        f"{out}: {exported.n_bytes / 1e6:.2f} MB; in random blocks it differs from torch "
        f"by {exported.largest_difference:.1e} at most"
    )
    detector = load(out, device="cpu")
    if front_end.top_db is not None:
        # features were clipped relative to the recording, the file clips relative to each sub-sequence
        heard = Validation(labels, grid, predicted, reference, durations).calibrated(decided.calibration).probabilities
        by_torch = {name: decode(values, labels, rules, grid, durations[name]) for name, values in heard.items()}
        by_file = {recording.name: detector.detect(recording.path) for recording in sides["validation"]}
        before, after = (evaluate(reference, found, durations, labels).frame.micro_f1 for found in (by_torch, by_file))
        reporter.say(
            f"clipped {front_end.top_db:g} dB below the maximum of each sub-sequence, not of the recording: "
            f"frame F1 on validation {after:.3f}, it was {before:.3f}"
        )
    test = sides["test"]
    known_before = sides["validation"] if fresh else sides["train"]  # what the trivial systems may know
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
        {recording.name: _known(recording.events, labels) for recording in known_before},
        {recording.name: recording.duration for recording in known_before},
    )
    rewrite(out, out, lambda metadata: metadata.model_copy(update={"scores": {"test": scores["system"].to_dict()}}))
    write_annotations(folder / "test-found.tsv", estimated, "dcase")
    probed = None
    if probe:
        sounds = test if kind == "annotated" else sounds_in(data, lambda name: split.sides.get(name) == "test")
        with reporter.bar("playing noises and other sounds to it") as tick:
            probed = run_probe(detector, sounds, tick, estimated if kind == "annotated" else None)
        facts = {"probe": probed.to_dict()}
        rewrite(out, out, lambda metadata: metadata.model_copy(update={"scores": metadata.scores | facts}))
    if int8:
        int8_beside(out, sides["validation"], test, reporter)
    return Trained(load(out, device="cpu"), scores, test, estimated, fit_folder / "log.csv", split, notes, probed)


def _folder_beside(out: Path) -> Path:
    """The folder of a run, made. Raises `ConfigError` where it or the detector cannot be written, before the work."""
    if out.suffix != ".onnx":
        raise ConfigError(f"{out}: a detector's name ends in .onnx; give another name")
    folder = out.with_suffix(".train")
    make_folder(folder, ConfigError)
    check_writable(out, ConfigError)
    return folder


def _annotated(data: Path, config: TrainConfig) -> Soundscapes:
    recordings = read_annotated(data)
    split = make_split(items_of_recordings(recordings), config.seed)
    sides: Sides = {side: [r for r in recordings if split.sides[r.name] == side] for side in SIDES}
    empty = [side for side, members in sides.items() if not members]
    if empty:
        raise DatasetError(f"{data}: no recordings for the {empty[0]} side; wanted at least three recordings")
    return Soundscapes(sides, split, (), ())


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


def _identity(
    network: nn.Module,
    config: TrainConfig,
    front_end: FrontEndConfig,
    labels: Sequence[str],
    sides: Sides,
    fresh: Fresh | None,
) -> str:
    """A key of all that a fit depends on: a run is only ever taken up with the settings and data it began with."""
    recordings = [
        (content_hash(recording.path), [(event.onset, event.offset, event.label) for event in recording.events])
        for side in ("train", "validation")
        for recording in sides[side]
    ]
    settings = config.model_dump(exclude={"workers", "threads"}) | {"made_of": made_of(network)}
    return key_of(settings, front_end.model_dump(), list(labels), recordings, fresh.key if fresh else None)


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


def _facts(kind: str, config: TrainConfig, fitted: Fitted, mixed: Soundscapes) -> dict[str, Any]:
    versions = {"hubbub": hubbub.__version__, "torch": str(torch.__version__), "lightning": lightning.__version__}
    minutes = {side: round(sum(r.duration for r in members) / 60, 2) for side, members in mixed.sides.items()}
    return {
        "data": kind,
        "minutes": minutes | ({"train": round(mixed.fresh.minutes * fitted.epochs, 2)} if mixed.fresh else {}),
        "fresh": mixed.fresh is not None,
        "split_seed": mixed.split.seed,
        "recording_disjoint_only": list(mixed.split.recording_disjoint),
        "licences": list(mixed.licences),
        "config": json.loads(config.model_dump_json()),
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "validation_loss": fitted.validation_loss,
        "seconds": fitted.seconds,
        "hardware": fitted.hardware,
        "precision": fitted.precision,
        "versions": versions | {"python": platform.python_version()},
    }
