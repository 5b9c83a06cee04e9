"""The networks by name: ours and the report's polyphonic ones, all features → logits."""

from torch import nn

from hubbub.errors import ConfigError
from hubbub.networks.hub import Hub, HubConfig
from hubbub.networks.report import POLYPHONIC

OURS = "hub"
NAMES = (OURS, *POLYPHONIC)


def build(name: str, n_labels: int, dropout: float = HubConfig.dropout) -> nn.Module:
    """The network `name`: features (batch, n_frames, n_features) → logits (batch, n_frames, n_labels).

    `dropout` is for ours; the report's have their own. Raises `ConfigError` for an unknown name.
    """
    check_name(name)
    return Hub(n_labels, HubConfig(dropout=dropout)) if name == OURS else POLYPHONIC[name](n_labels)


def check_name(name: str) -> None:
    """Raises `ConfigError` where `build` has no such network."""
    if name not in NAMES:
        raise ConfigError(f"network {name!r} is none of {', '.join(NAMES)}")


__all__ = ["NAMES", "OURS", "Hub", "HubConfig", "build", "check_name"]
