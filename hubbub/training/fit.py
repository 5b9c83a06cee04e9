"""Training by Lightning: early stopping, the best weights, and a run that can be killed and goes on.

A run has a folder: `last.ckpt` after every finished epoch, `best.ckpt` with the lowest validation loss, `log.csv` with
the curves. Started again, it goes on after the last finished epoch, with the result that it would have had.
"""

import csv
import io
import json
import logging
import os
import signal
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from hubbub.errors import ConfigError
from hubbub.files import make_folder, write_text
from hubbub.networks import HubClip, is_ours, labels_clips
from hubbub.training.allocator import keep_freed_memory
from hubbub.training.config import TrainConfig
from hubbub.training.data import Clips, EpochSampler, Example, Segments
from hubbub.training.device import CPU, TrainingDevice, cpu_info, find
from hubbub.training.fresh import Fresh
from hubbub.training.module import TrainingModule
from hubbub.training.predict import CLIP_SECONDS, SUBSEQUENCE, clip_frames

LOG_COLUMNS = ("epoch", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "seconds")
AVERAGED = "average.module."
"""Where a checkpoint keeps the averaged network."""
LEAST_PART = 0.5
"""Of a clip that our own network is given in training: its length is to say nothing of its label."""


@dataclass(frozen=True)
class Fitted:
    """What came out: the network with its best weights, and how it went.

    `ended`: why training stopped: out of `patience`, or after all `epochs` or all the `time` that it was given.
    """

    network: nn.Module
    epochs: int
    best_epoch: int
    validation_loss: float
    seconds: float
    hardware: str
    precision: str
    ended: Literal["patience", "epochs", "time"] = "epochs"


@dataclass(frozen=True)
class Status:
    """What a progress display is told: batches done of those in all, epochs, losses."""

    batches: int
    total: int
    epoch: int
    validation_loss: float
    best_loss: float


def fit(
    network: nn.Module,
    train: list[Example] | Fresh,
    validation: list[Example],
    silence: NDArray[np.float32],
    config: TrainConfig,
    frame_period: float,
    folder: Path,
    progress: Callable[[Status], None] | None = None,
    teacher: nn.Module | None = None,
) -> Fitted:
    """Trains `network`, or goes on with the run in `folder`; also with a finished one, where it is given more epochs
    than before and its learning rate did not depend on how many there were. `teacher`: a network trained for the same
    features and labels, whose answers count beside the targets.

    Raises `ConfigError` where the device is not there, `KeyboardInterrupt` where the run is told to stop.
    """
    device = find(config.device)
    make_folder(folder, ConfigError)
    if not is_ours(config.network):
        # halves the time of the wide convolutions; of a finished run too: its last digits depend on the layout
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    finished = folder / "finished.json"
    if finished.is_file():
        facts = json.loads(finished.read_text(encoding="utf-8"))
        cut_short = facts.get("ended") == "epochs" and facts["epochs"] < config.epochs
        if not (cut_short and config.schedule == "constant"):
            return _load(network, folder, facts)
    workers, threads = _shared_out(train, config, device)
    if threads is not None:
        torch.set_num_threads(threads)
    _quiet()
    module = TrainingModule(network, config, teacher)
    history = History(folder / "log.csv", progress, config.hours)
    best = ModelCheckpoint(
        folder, "best", monitor="validation_loss", save_weights_only=True, enable_version_counter=False,
        save_on_train_epoch_end=True,
    )  # fmt: skip
    last = ModelCheckpoint(folder, "last", enable_version_counter=False, save_on_train_epoch_end=True)
    stopping = EarlyStopping("validation_loss", patience=config.patience, check_on_train_epoch_end=True)
    try:
        trainer = lightning.Trainer(
            **device.trainer_options(),
            precision=_precision(config, device),
            max_epochs=config.epochs,
            callbacks=[stopping, history, best, last],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            deterministic="warn",
        )
    except (ValueError, MisconfigurationException) as error:
        raise ConfigError(f"device {device.name!r}: {error}; use --device cpu or auto") from error
    if device.name == CPU:
        keep_freed_memory()
    # deterministic mode would write every new tensor twice, first with NaN, so that mistakes show
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    loaders = _loaders(network, train, validation, silence, config, frame_period, workers, module.around)
    checkpoint = folder / "last.ckpt"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
        warnings.filterwarnings("ignore", category=FutureWarning, module="lightning")
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
        start = str(checkpoint) if checkpoint.is_file() else None
        try:
            trainer.fit(module, *loaders, ckpt_path=start, weights_only=True)
        except SystemExit as stop:  # lightning ends the program: after SIGTERM even with exit code 0
            raise KeyboardInterrupt from stop
    if trainer.interrupted:
        raise KeyboardInterrupt
    best_row = min(history.rows, key=lambda row: row["validation_loss"])
    facts = {
        "epochs": len(history.rows),
        "best_epoch": int(best_row["epoch"]),
        "validation_loss": best_row["validation_loss"],
        "seconds": round(sum(row["seconds"] for row in history.rows), 1),
        "hardware": device.words(torch.get_num_threads()),
        "precision": str(trainer.precision),
        "ended": "time" if history.out_of_time else "patience" if stopping.stopped_epoch else "epochs",
    }
    write_text(finished, json.dumps(facts), ConfigError)
    return _load(network, folder, facts)


def _load(network: nn.Module, folder: Path, facts: dict[str, Any]) -> Fitted:
    state = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    averaged = any(name.startswith(AVERAGED) for name in state)
    kept = AVERAGED if averaged else "network."
    network.load_state_dict({name.removeprefix(kept): value for name, value in state.items() if name.startswith(kept)})
    return Fitted(network.cpu().eval(), **facts)


class History(Callback):
    """Keeps a row an epoch, inside the checkpoint and as `log.csv`; tells the display how far it is; ends the run where
    its `hours` are used up."""

    def __init__(self, path: Path, progress: Callable[[Status], None] | None, hours: float | None = None) -> None:
        self.path = path
        self.progress = progress
        self.hours = hours
        self.rows: list[dict[str, float]] = []
        self._started = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Where the run was killed after its last epoch, nothing remains to be trained."""
        stopping = trainer.early_stopping_callback
        trainer.should_stop = self.out_of_time or (stopping is not None and stopping.stopped_epoch > 0)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Moves the bar."""
        if self.progress is not None:
            losses = [row["validation_loss"] for row in self.rows]
            per_epoch = int(trainer.num_training_batches)
            self.progress(
                Status(
                    batches=trainer.current_epoch * per_epoch + batch_idx + 1,
                    total=per_epoch * (trainer.max_epochs or 1),
                    epoch=trainer.current_epoch + 1,
                    validation_loss=losses[-1] if losses else float("nan"),
                    best_loss=min(losses) if losses else float("nan"),
                )
            )

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Adds the epoch's row; validation has run by now."""
        assert isinstance(pl_module, TrainingModule)
        train_loss, train_accuracy = pl_module.train_totals.means()
        validation_loss, validation_accuracy = pl_module.validation_totals.means()
        self.rows.append(
            {
                "epoch": trainer.current_epoch + 1,
                "train_loss": train_loss,
                "validation_loss": validation_loss,
                "train_accuracy": train_accuracy,
                "validation_accuracy": validation_accuracy,
                "seconds": time.perf_counter() - self._started,
            }
        )
        self._write()
        if self.out_of_time:
            trainer.should_stop = True

    @property
    def out_of_time(self) -> bool:
        """Whether the epochs so far took all the time that there is."""
        return self.hours is not None and sum(row["seconds"] for row in self.rows) >= 3600 * self.hours

    def state_dict(self) -> dict[str, Any]:
        """The rows so far: a checkpoint knows its own history."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The rows up to the checkpoint."""
        self.rows = list(state_dict["rows"])

    def _write(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, LOG_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: value if key == "epoch" else f"{value:.6f}" for key, value in row.items()} for row in self.rows
        )
        write_text(self.path, text.getvalue(), ConfigError)


def _loaders(
    network: nn.Module,
    train: list[Example] | Fresh,
    validation: list[Example],
    silence: NDArray[np.float32],
    config: TrainConfig,
    frame_period: float,
    workers: int,
    around: tuple[int, int],
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    ours = is_ours(config.network)
    augment = config.augmentation(isinstance(train, Fresh))
    training: Any  # of any way of making segments
    held_out: Clips | Segments
    if labels_clips(config.network):
        assert not isinstance(train, Fresh)
        length, after = clip_frames(frame_period), network.look_ahead if isinstance(network, HubClip) else 0
        least_part = LEAST_PART if augment is not None else 1.0
        training = Clips(train, length, after, silence, augment, config.seed, least_part)
        held_out, seconds = Clips(validation, length, after, silence), CLIP_SECONDS
    else:
        before, after = around
        length = max(1, round(config.segment_seconds / frame_period)) if ours else SUBSEQUENCE
        if isinstance(train, Fresh):
            training = train.segments(length, before, after, silence, augment, config.seed)
        else:
            training = Segments(train, length, before, after, silence, augment, config.seed, jitter=ours)
        held_out, seconds = Segments(validation, length, before, after, silence), length * frame_period
    # a few minutes of recordings would give epochs of two or three steps, and early stopping nothing to go by
    repeats = max(1, round(config.least_batches * config.batch_size / max(len(training), 1))) if ours else 1
    most = None if config.epoch_minutes is None else max(1, round(60 * config.epoch_minutes / seconds))
    sampler = EpochSampler(len(training), config.seed, repeats, most)
    return (
        DataLoader(
            training,
            config.batch_size,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_leave_interrupts if workers else None,
        ),
        DataLoader(held_out, config.batch_size),
    )


def _shared_out(train: list[Example] | Fresh, config: TrainConfig, device: TrainingDevice) -> tuple[int, int | None]:
    """Processes that mix, and threads that train: on a CPU they share the cores, as both take about as long."""
    if not isinstance(train, Fresh):
        return 0, config.threads
    cores = os.cpu_count() or 1
    if device.name != CPU:
        return (cores if config.workers is None else config.workers), config.threads
    workers = cores // 2 if config.workers is None else config.workers
    return workers, config.threads or max(1, cores - workers)


def _leave_interrupts(_: int) -> None:
    """A worker is told to stop by the process that trains, not by the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _precision(config: TrainConfig, device: TrainingDevice) -> Any:
    """bf16 where it was measured to help: the report's wide convolutions, on processors that have it."""
    if config.precision != "auto":
        return config.precision
    if is_ours(config.network):
        return "32-true"
    if device.kind == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if device.name == CPU and "avx512_bf16" in cpu_info() else "32-true"


def _quiet() -> None:
    """Lightning greets, tips and advises; what matters is told by us."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
