"""One training step, for Lightning: of events masked binary cross-entropy and binary accuracy, of clips categorical
cross-entropy and categorical accuracy; Adam."""

from typing import Any

import lightning.pytorch as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from hubbub.networks import HubClip, is_ours, labels_clips
from hubbub.networks.chunked import chunked
from hubbub.training.config import TrainConfig

Batch = tuple[Tensor, Tensor, Tensor]


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
    mask."""

    def __init__(self, network: nn.Module, config: TrainConfig) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.train_totals = Totals()
        self.validation_totals = Totals()

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The mean loss over the frames that are not padding.

        Dropout's randomness depends on the step, not on what ran before: a resumed run equals an unbroken one.
        """
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step)
        return self._loss(batch, self.train_totals)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Adds to the epoch's sums."""
        self._loss(batch, self.validation_totals)

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
        """Adam; the report's networks with Keras' epsilon and a constant rate, ours along a half cosine."""
        epsilon = 1e-8 if is_ours(self.config.network) else 1e-7
        optimizer = torch.optim.Adam(self.parameters(), lr=self.config.learning_rate, eps=epsilon)
        if self.config.schedule == "constant":
            return optimizer
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, T_max=self.config.epochs, eta_min=self.config.learning_rate / 50
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "epoch"}}

    def _loss(self, batch: Batch, totals: Totals) -> Tensor:
        return self._clip_loss(batch, totals) if labels_clips(self.config.network) else self._frame_loss(batch, totals)

    def _frame_loss(self, batch: Batch, totals: Totals) -> Tensor:
        """Logits and targets (batch, n_frames, n_labels), mask (batch, n_frames)."""
        features, targets, mask = batch
        logits = chunked(self.network)(features).float()
        mask = mask.unsqueeze(-1)
        losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none") * mask
        with torch.no_grad():
            totals.add(losses, ((logits > 0) == (targets > 0.5)) * mask, float(mask.sum()) * targets.shape[-1])
        return losses.sum() / (mask.sum() * targets.shape[-1]).clamp(min=1)

    def _clip_loss(self, batch: Batch, totals: Totals) -> Tensor:
        """Logits and targets (batch, n_labels)."""
        features, targets, mask = batch
        network = self.network
        logits = (network(features, mask) if isinstance(network, HubClip) else chunked(network)(features)).float()
        losses = functional.cross_entropy(logits, targets, reduction="none")
        with torch.no_grad():
            totals.add(losses, logits.argmax(1) == targets.argmax(1), len(targets))
        return losses.mean()
