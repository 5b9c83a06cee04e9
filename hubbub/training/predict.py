"""Probabilities of whole recordings, or of clips, from their features by the torch network."""

from collections.abc import Iterable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hubbub.networks import Hub, HubClip
from hubbub.networks.chunked import chunked

SUBSEQUENCE = 1024
"""Frames that the report's networks see at once."""
CLIP_SECONDS = 4.04
"""Of audio in a clip at most."""


def clip_frames(frame_period: float) -> int:
    """Frames of a clip at most, as librosa centres them, the first one on the beginning: 174 for the report's hop."""
    return 1 + int(CLIP_SECONDS / frame_period + 1e-6)


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


def predict_clips(
    network: nn.Module, features: Iterable[NDArray[np.float32]], silence: NDArray[np.float32], length: int
) -> NDArray[np.float32]:
    """Features (n_frames, n_features) of clips, of which `length` frames count → probabilities (n_clips, n_labels)."""
    network.eval()
    compute = chunked(network)
    found = []
    with torch.inference_mode():
        for clip in features:
            heard = clip[:length]
            # ours has no need of padding up to `length`
            behind = network.look_ahead if isinstance(network, HubClip) else length - len(heard)
            padded = np.concatenate([heard, np.tile(silence, (behind, 1))], dtype=np.float32)
            found.append(torch.softmax(compute(torch.from_numpy(padded[None])).float(), 1)[0].numpy())
    return np.stack(found)
