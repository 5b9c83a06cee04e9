"""The networks by name, ours and the report's: for events, and for clips. All take features and give logits."""

from dataclasses import asdict, replace
from typing import Any

from torch import nn

from hubbub.errors import ConfigError
from hubbub.networks.hub import CLIP, SIZES, Body, Hub, HubClip, HubConfig
from hubbub.networks.report import MONOPHONIC, POLYPHONIC

OURS = tuple(SIZES)
OUR_CLIP = "hub_clip"
NAMES = (*OURS, *POLYPHONIC)
"""For events: features (batch, n_frames, n_features) → logits (batch, n_frames, n_labels)."""
CLIP_NAMES = (*MONOPHONIC, OUR_CLIP)
"""For clips: features (batch, n_frames, n_features) → logits (batch, n_labels)."""


def build(
    name: str,
    n_labels: int,
    dropout: float = HubConfig.dropout,
    causal: bool = False,
    n_features: int = HubConfig.n_features,
) -> nn.Module:
    """The network `name`, for events or for clips, freshly initialised from torch's generator.

    `dropout`, `causal` (for events) and `n_features` are for ours; the report's have their own dropout and 40 features.
    Raises `ConfigError` for an unknown name.
    """
    if name == OUR_CLIP:
        return HubClip(n_labels, replace(CLIP, dropout=dropout))
    if name in MONOPHONIC:
        return MONOPHONIC[name](n_labels)
    check_name(name)
    if name in SIZES:
        return Hub(n_labels, replace(SIZES[name], dropout=dropout, causal=causal, n_features=n_features))
    return POLYPHONIC[name](n_labels)


def made_of(network: nn.Module) -> dict[str, Any]:
    """What tells one of our own networks from one of the same name, of another version of hubbub; nothing of the
    report's, which stay as they are. For the keys of what was trained."""
    return asdict(network.config) if isinstance(network, Body) else {}


def check_name(name: str) -> None:
    """Raises `ConfigError` where `name` is no network for events."""
    if name not in NAMES:
        raise ConfigError(f"network {name!r} is none of {', '.join(NAMES)}")


def is_ours(name: str) -> bool:
    """Whether it is one of our own networks, which train in another way than the report's."""
    return name in (*OURS, OUR_CLIP)


def labels_clips(name: str) -> bool:
    """Whether it gives one label for a whole clip, not events."""
    return name in CLIP_NAMES


__all__ = [
    "CLIP", "CLIP_NAMES", "NAMES", "OURS", "OUR_CLIP", "SIZES", "Hub", "HubClip", "HubConfig", "build", "check_name",
    "is_ours", "labels_clips", "made_of",
]  # fmt: skip
