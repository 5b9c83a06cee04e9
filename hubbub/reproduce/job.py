"""One network: trained, tested, exported, and written down as a `Run`."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.features import FeatureCache, key_of
from hubbub.decode import LabelRule
from hubbub.errors import ConfigError, DatasetError
from hubbub.events import to_targets
from hubbub.files import write_text
from hubbub.metrics.frame import counts_from_targets
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.networks.report import N_FRAMES, POLYPHONIC, ReportConfig
from hubbub.reproduce.results import Convention, EpochRow, FrameCounts, Run, SplitName
from hubbub.reproduce.running import Kept, while_waited_for
from hubbub.reproduce.splits import GRID, Piece, Pieces
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.export import export, silence_of
from hubbub.training.fit import Fitted, fit
from hubbub.training.front_end import REPORT_POLYPHONIC
from hubbub.training.predict import predict

AS_CODED_THRESHOLD = float(1 / (1 + np.exp(-0.5)))
"""The paper's code compares logits with 0.5: a probability of 0.6225."""
AS_CODED_BATCH = 16
"""That code drops the last sub-sequences that do not fill a batch."""
CLIPPED = 1e-7
"""Keras keeps probabilities this far from 0 and 1 in its loss."""

Targets = Mapping[Piece, NDArray[np.bool_]]


@dataclass(frozen=True)
class Sounds:
    """The recordings, and under which key of the cache the features of each lie."""

    recordings: Mapping[str, AnnotatedRecording]
    keys: Mapping[str, str]
    cache: FeatureCache
    labels: tuple[str, ...]

    @cached_property
    def events(self) -> Mapping[str, str]:
        """A key of each recording's events."""
        return {
            name: key_of([[event.onset, event.offset, event.label] for event in recording.events])
            for name, recording in self.recordings.items()
        }

    def key(self, pieces: Pieces) -> str:
        """A key of what the pieces of each side hold, sounds and labels."""
        used = sorted({piece.recording for its_pieces in pieces.values() for piece in its_pieces})
        return key_of(
            {side: [[p.recording, p.first, p.last] for p in its_pieces] for side, its_pieces in pieces.items()},
            [[name, self.keys[name], self.events[name]] for name in used],
            list(self.labels),
        )

    def examples(self, pieces: Sequence[Piece]) -> list[Example]:
        """The features (n_frames, 40) and targets (n_frames, n_labels) of each piece."""
        whole: dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}
        for name in sorted({piece.recording for piece in pieces}):
            features = self.cache.load(self.keys[name])
            if features is None:
                raise DatasetError(f"{self.cache.path(self.keys[name])}: the features of {name} are gone; start again")
            whole[name] = features, to_targets(self.recordings[name].events, self.labels, GRID, len(features))
        examples = []
        for piece in pieces:
            features, targets = whole[piece.recording]
            part = slice(piece.first, piece.last)
            examples.append(Example(f"{piece.recording}@{piece.first}", features[part], targets[part]))
        return examples


@dataclass(frozen=True)
class Job(Kept):
    """What is to be trained on what; the same job has the same `identity`, so that it is done once. `data` is the key
    of `sounds` and `pieces`. `hours`: what all networks of a split may take together; the config has this one's part.
    """

    config: TrainConfig
    shape: ReportConfig
    momentum: float
    split: SplitName
    pieces: Pieces
    data: str
    sounds: Sounds
    folder: Path
    hours: float | None = None

    @property
    def identity(self) -> str:
        """A key of all that training depends on. Left out are where it is computed, and how many epochs there are: a
        run that was given few goes on when it is given more. Hours count as a whole, as this one's part depends on what
        else is run."""
        config = self.config.model_dump(exclude={"threads", "device", "epochs"}) | {"hours": self.hours}
        return key_of(config, [self.shape.kernel, self.shape.dilation], self.momentum, self.data)[:10]

    @property
    def name(self) -> str:
        """What its files are called."""
        shape = "" if self.shape == ReportConfig() else f"-k{self.shape.kernel}-d{self.shape.dilation}"
        return f"{self.config.network}{shape}-{self.split}-{self.config.seed}-{self.identity}"


def do(job: Job, main: int | None = None) -> Run:
    """Trains, tests and exports. `detect_seconds_per_hour` is 0: that is measured later, when nothing else runs.

    What was begun goes on after its last finished epoch; what is finished is read. `main`: the process that waits for
    this one; should it be gone, training stops, or another call would begin the same job beside it. Raises
    `KeyboardInterrupt` then, and as `fit` and `export` do.
    """
    if job.untimed.is_file():
        return Run.model_validate_json(job.untimed.read_text(encoding="utf-8"))
    torch.manual_seed(job.config.seed)
    network = POLYPHONIC[job.config.network](len(job.sounds.labels), job.shape)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = job.momentum
    silence = silence_of(REPORT_POLYPHONIC)
    train, validation = (job.sounds.examples(job.pieces[side]) for side in ("train", "validation"))

    fitted = fit(network, train, validation, silence, job.config, GRID.period, job.fit_folder, while_waited_for(main))
    loss, counts = _tested(job, fitted, silence)
    exported = export(
        job.detector, fitted.network, REPORT_POLYPHONIC, job.sounds.labels, [LabelRule()] * len(job.sounds.labels),
        network_facts={"name": job.config.network, "parameters": n_parameters(fitted.network)},
        training_facts={"data": "tut2016", "split": job.split, "config": json.loads(job.config.model_dump_json())},
    )  # fmt: skip
    run = Run(
        network=job.config.network,
        kernel=job.shape.kernel,
        dilation=job.shape.dilation,
        split=job.split,
        seed=job.config.seed,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        ended=fitted.ended,
        train_seconds=fitted.seconds,
        parameters=n_parameters(fitted.network),
        multiply_adds_per_second=multiply_adds_per_second(fitted.network, 1 / GRID.period, n_frames=N_FRAMES),
        file_bytes=exported.n_bytes,
        detect_seconds_per_hour=0.0,
        loss=loss,
        counts=counts,
        curves=curves_of(job.fit_folder / "log.csv"),
        hardware=fitted.hardware,
        precision=fitted.precision,
    )
    write_text(job.untimed, run.model_dump_json(), ConfigError)
    return run


def curves_of(log: Path) -> tuple[EpochRow, ...]:
    """The curves that `fit` wrote."""
    with log.open(encoding="utf-8", newline="") as file:
        return tuple(EpochRow.model_validate(row) for row in csv.DictReader(file))


def _tested(
    job: Job, fitted: Fitted, silence: NDArray[np.float32]
) -> tuple[float, dict[Convention, dict[str, FrameCounts]]]:
    """The binary cross-entropy over all frames of the test side, and the counts of each recording by convention."""
    pieces = job.pieces["test"]
    examples = job.sounds.examples(pieces)
    probabilities = [predict(fitted.network, example.features, silence) for example in examples]
    total, cells = 0.0, 0
    for example, values in zip(examples, probabilities, strict=True):
        p = np.clip(values.astype(np.float64), CLIPPED, 1 - CLIPPED)
        total -= float(np.log(np.where(example.targets, p, 1 - p)).sum())
        cells += p.size
    whole = len(pieces) - len(pieces) % AS_CODED_BATCH
    conventions: dict[Convention, tuple[float, int]] = {
        "intended": (0.5, len(pieces)),
        "as_coded": (AS_CODED_THRESHOLD, whole),
    }
    return total / cells, {
        convention: _counts(
            pieces[:n],
            [example.targets for example in examples[:n]],
            [values >= threshold for values in probabilities[:n]],
            job.sounds.labels,
        )
        for convention, (threshold, n) in conventions.items()
    }


def _counts(
    pieces: Sequence[Piece],
    reference: Sequence[NDArray[np.bool_]],
    estimated: Sequence[NDArray[np.bool_]],
    labels: Sequence[str],
) -> dict[str, FrameCounts]:
    """The counts of each recording over its pieces, (n_frames, n_labels) each."""
    numbers: dict[str, list[int]] = {}
    for index, piece in enumerate(pieces):
        numbers.setdefault(piece.recording, []).append(index)
    return {
        name: FrameCounts.of(
            counts_from_targets(
                np.concatenate([reference[k] for k in chosen]), np.concatenate([estimated[k] for k in chosen]), labels
            )
        )
        for name, chosen in numbers.items()
    }


def trivial_counts(sounds: Sounds, pieces: Pieces) -> dict[str, dict[str, FrameCounts]]:
    """What the systems that do not listen reach on the test side: always silent, always on, and the best constant
    answer, the labels of which are chosen on the training side."""
    train = np.concatenate([example.targets for example in sounds.examples(pieces["train"])])
    active = train.sum(0).astype(np.float64)
    ranked = np.argsort(-active, kind="stable")
    f1 = 2 * np.cumsum(active[ranked]) / (np.arange(1, len(active) + 1) * len(train) + active.sum())
    prior = np.zeros(len(active), bool)
    prior[ranked[: int(np.argmax(f1)) + 1]] = active.any()
    test = pieces["test"]
    reference = [example.targets for example in sounds.examples(test)]
    answers = {"always_silent": np.zeros_like(prior), "always_on": np.ones_like(prior), "prior": prior}
    return {
        name: _counts(test, reference, [np.broadcast_to(answer, t.shape) for t in reference], sounds.labels)
        for name, answer in answers.items()
    }
