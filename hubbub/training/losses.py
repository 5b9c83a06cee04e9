"""Losses of each frame and label, from logits and targets (batch, n_frames, n_labels), of the same shape.

- `bce`: binary cross-entropy.
- `focal`: what is already right counts less, Lin et al. 2017 (arXiv 1708.02002), gamma 2.
- `asymmetric`: silent frames that are right count less, those that sound in full, Ben-Baruch et al. 2021 (arXiv
  2009.14119), gamma 2 and 0, without their shift.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional

Loss = Literal["bce", "focal", "asymmetric"]
GAMMA = 2.0


def frame_losses(logits: Tensor, targets: Tensor, kind: Loss) -> Tensor:
    """The loss of each frame and label."""
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    if kind == "bce":
        return losses
    probabilities = logits.sigmoid()
    wrong = targets * (1 - probabilities) + (1 - targets) * probabilities
    modulation = wrong**GAMMA
    if kind == "asymmetric":
        modulation = targets + (1 - targets) * modulation
    return losses * modulation


def edge_weights(targets: Tensor, weight: float, reach: int) -> Tensor:
    """1, and 1 + `weight` within `reach` frames of where an event of the label begins or ends."""
    changes = functional.pad((targets[:, 1:] != targets[:, :-1]).to(targets.dtype), (0, 0, 1, 0))
    near = functional.max_pool1d(changes.transpose(1, 2), 2 * reach + 1, stride=1, padding=reach)
    return 1 + weight * near.transpose(1, 2)
