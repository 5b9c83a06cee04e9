"""Training: from the clips of the first group to a network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.features import key_of
from hubbub.events import to_targets
from hubbub.grid import Grid
from hubbub.networks import Hub, build, made_of
from hubbub.training.config import TrainConfig
from hubbub.training.data import Augment, Example
from hubbub.training.export import silence_of
from hubbub.training.fit import Fitted, Status, fit
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import OURS, FrontEnd
from hubbub.training.reporting import Reporter

GRID = Grid(OURS.sample_rate, OURS.hop)
EPOCH_MINUTES = 150.0


def recipe(network: str, minutes: float, workers: int, seed: int = 0) -> TrainConfig:
    """How the shipped detectors are trained: `minutes` of mixtures are heard, all of them new."""
    epochs = max(1, round(minutes / EPOCH_MINUTES))
    return TrainConfig(
        network=network,
        seed=seed,
        epochs=epochs,
        train_minutes=EPOCH_MINUTES,
        batch_size=4,
        average=0.998,
        least_batches=20,
        dropout=0.05,
        edge_weight=0.0,  # three times the weight at edges gave 0.383 for 0.378 of micro F1 when chosen: no difference
        # the mixtures are coloured already: with more of it a few hours of training are too few
        augment=Augment(gain_db=6, colour_db=4, shifted_bands=2, masked_bands=8),
        noisy=0.15,
        quiet=0.2,
        gaps=0.5,  # most clips to stay silent on begin in the middle of a sound
        device="cpu",
        threads=1,
        workers=workers,
    )


def examples(recordings: Sequence[AnnotatedRecording], labels: Sequence[str]) -> list[Example]:
    """Recordings as the network hears them."""
    front_end = FrontEnd(OURS)
    found = []
    for recording in recordings:
        samples, _ = audio.read(recording.path, OURS.sample_rate)
        features = front_end.grid_features(samples).numpy()
        events = [event for event in recording.events if event.label in labels]
        found.append(Example(recording.name, features, to_targets(events, labels, GRID, len(features))))
    return found


def train(
    sounds: Fresh, config: TrainConfig, validation: Sequence[AnnotatedRecording], folder: Path, reporter: Reporter
) -> Fitted:
    """A network trained on `sounds`; the epoch with the lowest loss on `validation` is kept. A run that was stopped
    goes on in the same folder."""
    sounds.read()
    torch.set_num_threads(1)
    held_out = examples(validation, sounds.labels)
    torch.manual_seed(config.seed)
    network = build(config.network, len(sounds.labels), config.dropout)
    key = key_of(config.model_dump(exclude={"workers", "threads"}), made_of(network), sounds.key)
    with reporter.bar(f"training {config.network}") as tick:

        def show(status: Status) -> None:
            tick(status.batches, status.total, f"epoch {status.epoch}, loss {status.validation_loss:.4f}")

        place = folder / f"{config.network}-{key[:8]}"
        fitted = fit(network, sounds, held_out, silence_of(OURS), config, GRID.period, place, show)
    reporter.say(
        f"{config.network}: {fitted.epochs} epochs in {fitted.seconds:.0f} s, best loss {fitted.validation_loss:.4f} "
        f"after {fitted.best_epoch}"
    )
    return fitted


def cut(fitted: Fitted, labels: Sequence[str], kept: Sequence[str]) -> Fitted:
    """The same network with the logits of the labels `kept` only."""
    network = fitted.network
    assert isinstance(network, Hub)
    rows = [list(labels).index(label) for label in kept]
    smaller = Hub(len(kept), network.config)
    heads = ("head.weight", "head.bias")
    smaller.load_state_dict(
        {name: value[rows] if name in heads else value for name, value in network.state_dict().items()}
    )
    return replace(fitted, network=smaller.eval())
