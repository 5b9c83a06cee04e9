"""One training step, for Lightning: of events masked binary cross-entropy and binary accuracy, of clips categorical
cross-entropy and categorical accuracy; Adam."""

import math
from typing import Any

import lightning.pytorch as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from hubbub.networks import HubClip, is_ours, labels_clips
from hubbub.networks.chunked import chunked
from hubbub.training.config import TrainConfig
from hubbub.training.losses import edge_weights, frame_losses
from hubbub.training.predict import context_of

Batch = tuple[Tensor, Tensor, Tensor]

LEAST_RATE = 0.02
"""Of the learning rate, where a cosine ends."""
EDGE_FRAMES = 5
"""Frames on either side of an onset or offset that count more."""
MIXUP_ALPHA = 0.2


def _blended(batch: Batch) -> Batch:
    """Each item with a part of another one, targets too: mixup, Zhang et al. 2018 (arXiv 1710.09412)."""
    features, targets, mask = batch
    part = float(torch.distributions.Beta(MIXUP_ALPHA, MIXUP_ALPHA).sample())
    other = torch.randperm(len(features))
    return (
        part * features + (1 - part) * features[other],
        part * targets + (1 - part) * targets[other],
        mask * mask[other],
    )


class Totals:
    """Sums over an epoch, so that its mean weighs every frame, or every clip, alike, however the batches fell."""

    def __init__(self) -> None:
        self.loss = self.correct = self.cells = 0.0

    def add(self, losses: Tensor, correct: Tensor, cells: float) -> None:
        """Losses and right answers, of any shape, 0 where nothing was asked; `cells`: how many were asked."""
        self.loss += float(losses.sum())
        self.correct += float(correct.sum())
        self.cells += cells

    def means(self) -> tuple[float, float]:
        """Loss and accuracy a cell."""
        return self.loss / max(self.cells, 1.0), self.correct / max(self.cells, 1.0)


class TrainingModule(lightning.LightningModule):
    """A network with its loss. A batch is what `Segments` gives, or for a network for clips `Clips`: features, targets,
    mask. Where there is a `teacher`, segments hold the context of both: `around`, frames (before, after)."""

    def __init__(self, network: nn.Module, config: TrainConfig, teacher: nn.Module | None = None) -> None:
        super().__init__()
        self.teachers = [] if teacher is None else [teacher.eval()]  # in a list it is no part of what is trained
        contexts = [context_of(each) for each in (network, *self.teachers)]
        self.around = max(before for before, _ in contexts), max(after for _, after in contexts)
        self.network = network
        self.config = config
        self.train_totals = Totals()
        self.validation_totals = Totals()
        self.average = (
            None if config.average is None else AveragedModel(network, multi_avg_fn=self._blend, use_buffers=True)
        )

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The mean loss over the frames that are not padding.

        Dropout's randomness depends on the step, not on what ran before: a resumed run equals an unbroken one.
        """
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step)
        if self.config.mixup and float(torch.rand(())) < self.config.mixup:
            batch = _blended(batch)
        return self._loss(self.network, batch, self.train_totals)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_index: int) -> None:
        """Moves the average."""
        if self.average is not None:
            self.average.update_parameters(self.network)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Adds to the epoch's sums."""
        self._loss(self.network if self.average is None else self.average.module, batch, self.validation_totals)

    def on_train_epoch_start(self) -> None:
        """Starts the sums anew."""
        self.train_totals = Totals()

    def on_validation_epoch_start(self) -> None:
        """Starts the sums anew."""
        self.validation_totals = Totals()

    def on_validation_epoch_end(self) -> None:
        """The figure that early stopping and the best weights go by."""
        loss, accuracy = self.validation_totals.means()
        self.log_dict({"validation_loss": loss, "validation_accuracy": accuracy})

    def configure_optimizers(self) -> Any:
        """Adam, or AdamW, which lets the weights of layers decay, not those of norms; the report's networks have Keras'
        epsilon and a constant rate, ours rises to its rate and falls along a half cosine."""
        config = self.config
        epsilon = 1e-8 if is_ours(config.network) else 1e-7
        optimizer: torch.optim.Optimizer
        if config.optimizer == "adam":
            optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate, eps=epsilon)
        else:
            weights = [p for p in self.network.parameters() if p.ndim > 1]
            others = [p for p in self.network.parameters() if p.ndim <= 1]
            groups = [{"params": weights, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
            optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, eps=epsilon)
        if config.schedule == "constant":
            return optimizer
        n_steps = int(self.trainer.estimated_stepping_batches)
        n_rising = round(config.warm_up * n_steps)

        def rate(step: int) -> float:
            if step < n_rising:
                return (step + 1) / (n_rising + 1)
            done = (step - n_rising) / max(1, n_steps - n_rising)
            return LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _blend(self, averaged: Any, current: Any, n_averaged: Any) -> None:
        """Young averages forget faster, as those of TensorFlow do: else they would keep what was there at first."""
        assert self.config.average is not None
        n = float(n_averaged)
        blend = get_ema_multi_avg_fn(min(self.config.average, (1 + n) / (10 + n)))  # type: ignore[no-untyped-call]
        blend(averaged, current, n_averaged)

    def _loss(self, network: nn.Module, batch: Batch, totals: Totals) -> Tensor:
        of = self._clip_loss if labels_clips(self.config.network) else self._frame_loss
        return of(network, batch, totals)

    def _frame_loss(self, network: nn.Module, batch: Batch, totals: Totals) -> Tensor:
        """Logits and targets (batch, n_frames, n_labels), mask (batch, n_frames). Validation asks for cross-entropy,
        whatever is trained with."""
        features, targets, mask = batch
        logits = chunked(network)(self._own(network, features)).float()
        mask = mask.unsqueeze(-1)
        if self.training:
            losses = frame_losses(logits, targets, self.config.loss) * mask
            for teacher in self.teachers:
                with torch.no_grad():
                    taught = teacher.to(features.device)(self._own(teacher, features)).sigmoid()
                part = self.config.teaching
                losses = (1 - part) * losses + part * frame_losses(logits, taught, "bce") * mask
            if self.config.edge_weight:
                losses = losses * edge_weights(targets, self.config.edge_weight, EDGE_FRAMES)
        else:
            losses = frame_losses(logits, targets, "bce") * mask
        with torch.no_grad():
            totals.add(losses, ((logits > 0) == (targets > 0.5)) * mask, float(mask.sum()) * targets.shape[-1])
        return losses.sum() / (mask.sum() * targets.shape[-1]).clamp(min=1)

    def _own(self, network: nn.Module, features: Tensor) -> Tensor:
        """The frames of a segment that a network asks for."""
        if not self.teachers:
            return features
        before, after = context_of(network)
        return features[:, self.around[0] - before : features.shape[1] - (self.around[1] - after)]

    def _clip_loss(self, network: nn.Module, batch: Batch, totals: Totals) -> Tensor:
        """Logits and targets (batch, n_labels)."""
        features, targets, mask = batch
        logits = (network(features, mask) if isinstance(network, HubClip) else chunked(network)(features)).float()
        losses = functional.cross_entropy(logits, targets, reduction="none")
        with torch.no_grad():
            totals.add(losses, logits.argmax(1) == targets.argmax(1), len(targets))
        return losses.mean()
