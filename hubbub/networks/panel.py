"""Networks trained apart that answer as one: of several answers the mean is better than one, and can be taught."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hubbub.networks.hub import Hub


class Panel(nn.Module):
    """The mean of the logits of several networks of our own, to teach a single one: Hinton et al. 2015 (arXiv
    1503.02531). `context`, `look_ahead`: as of each.

    Raises `ValueError` for none, or where they do not see as far as each other.
    """

    def __init__(self, members: Sequence[Hub]) -> None:
        super().__init__()
        reach = {(member.context, member.look_ahead) for member in members}
        if len(reach) != 1:
            raise ValueError(f"a panel of {len(members)} networks that see {sorted(reach)} frames; wanted one reach")
        self.context, self.look_ahead = reach.pop()
        self.members = nn.ModuleList(members)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, context + n_frames + look_ahead, n_features) → (batch, n_frames, n_labels)"""
        return torch.stack([member(features) for member in self.members]).mean(0)


__all__ = ["Panel"]
