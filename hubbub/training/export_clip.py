"""From a network for clips to one `.onnx` file: the samples of a clip in, the probability of each label out.

Front end, padding and softmax are inside. The file proves itself on clips of many lengths.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hubbub.detector import load
from hubbub.errors import DetectorError
from hubbub.files import replacing
from hubbub.model import Metadata
from hubbub.networks import HubClip
from hubbub.training.compact import without_norms
from hubbub.training.export import Exported, proved, silence_of, sounds_to_prove, write_graph
from hubbub.training.front_end import FrontEnd, FrontEndConfig, librosa_features
from hubbub.training.predict import CLIP_SECONDS, clip_frames, predict_clips

PROVED_SECONDS = (0.05, 0.3, 1.0, 2.7, 4.0)


class ClipGraph(nn.Module):
    """Audio (1, n_samples), a clip's length at most, → probabilities (1, n_labels).

    The report's networks see `n_frames` frames, those behind the clip zeros; ours sees the clip and what it needs to
    look ahead.
    """

    silence: Tensor

    def __init__(self, front_end: FrontEnd, network: nn.Module, n_frames: int, silence: NDArray[np.float32]) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network
        self.n_frames = n_frames
        self.register_buffer("silence", torch.from_numpy(silence))

    def forward(self, audio: Tensor) -> Tensor:
        """As librosa frames it: frame t is centred on sample t · hop, zeros surround the clip."""
        around = self.front_end.config.n_fft // 2
        features = self.front_end(functional.pad(audio, (around, around)))
        if isinstance(self.network, HubClip):
            padded = torch.cat([features, self.silence.expand(1, self.network.look_ahead, -1)], 1)
        else:
            padded = torch.cat([features, self.silence.expand(1, self.n_frames, -1)], 1)[:, : self.n_frames]
        return torch.softmax(self.network(padded), 1)


def clip_samples(config: FrontEndConfig) -> int:
    """Samples of a clip at most."""
    return round(CLIP_SECONDS * config.sample_rate)


def clip_features(front_end: FrontEnd, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (n_frames, n_features) of a clip, as librosa frames it; what lies behind `CLIP_SECONDS` is left out."""
    features: NDArray[np.float32] = librosa_features(front_end, samples[: clip_samples(front_end.config)]).numpy()
    return features


def export_clip(
    path: Path,
    network: nn.Module,
    config: FrontEndConfig,
    labels: Sequence[str],
    *,
    network_facts: dict[str, Any],
    training_facts: dict[str, Any],
    scores: dict[str, Any] | None = None,
) -> Exported:
    """Writes the detector and proves it. Raises `DetectorError` where it cannot be written or differs from torch."""
    network = network.eval().float().cpu()
    n_frames = clip_frames(config.hop / config.sample_rate)
    graph = ClipGraph(FrontEnd(config, stored=False), without_norms(network), n_frames, silence_of(config))
    metadata = Metadata(
        task="clip",
        labels=tuple(labels),
        sample_rate=config.sample_rate,
        hop=config.hop,
        clip=clip_samples(config),
        look_ahead=0,
        states={},
        decode={},
        front_end=config.model_dump(),
        network=network_facts,
        training=training_facts,
        scores=scores or {},
    )
    with replacing(path, DetectorError) as beside:
        write_graph(beside, graph, metadata, torch.zeros(1, config.sample_rate), {}, {})
        return proved(path, beside, _prove(beside, network, config, n_frames))


def _prove(path: Path, network: nn.Module, config: FrontEndConfig, n_frames: int) -> float:
    """The largest difference between the file and torch, over clips of `PROVED_SECONDS`."""
    rng = np.random.default_rng(0)
    detector = load(path, device="cpu")
    front_end = FrontEnd(config)
    largest = 0.0
    for seconds in PROVED_SECONDS:
        audio = sounds_to_prove(rng, config.sample_rate, seconds)
        found = detector.probabilities(audio).values
        wanted = predict_clips(network, [clip_features(front_end, audio)], silence_of(config), n_frames)
        largest = max(largest, float(np.abs(found - wanted).max()))
    return largest
