"""Probabilities of whole recordings from their features, by the torch network: what thresholds are tuned on."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hubbub.networks import Hub
from hubbub.networks.chunked import chunked

SUBSEQUENCE = 1024
"""Frames that the report's networks see at once."""


def context_of(network: nn.Module) -> tuple[int, int]:
    """Frames (before, after) that a frame's logits need; the report's networks see their sub-sequence only."""
    return (network.context, network.look_ahead) if isinstance(network, Hub) else (0, 0)


def predict(network: nn.Module, features: NDArray[np.float32], silence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (n_frames, n_features) of a recording → probabilities (n_frames, n_labels).

    `silence` (n_features,): what the front end gives where nothing sounds; the recording is surrounded by it.
    """
    before, after = context_of(network)
    network.eval()
    compute = chunked(network)
    length = SUBSEQUENCE if (before, after) == (0, 0) else 4 * SUBSEQUENCE
    n_frames = len(features)
    padding = -n_frames % length
    padded = np.concatenate(
        [np.tile(silence, (before, 1)), features, np.tile(silence, (padding + after, 1))], dtype=np.float32
    )
    pieces = []
    with torch.inference_mode():
        for start in range(0, n_frames, length):
            segment = torch.from_numpy(padded[start : start + before + length + after])
            pieces.append(torch.sigmoid(compute(segment[None]))[0].float().numpy())
    return cast(NDArray[np.float32], np.concatenate(pieces)[:n_frames])
