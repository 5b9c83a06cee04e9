"""From trained weights to one `.onnx` file: samples in, probabilities out, the front end inside.

The file proves itself: what it gives for a test recording, pushed in random blocks through the same code that users
run, must equal what torch gives for the whole.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hubbub.decode import LabelRule
from hubbub.errors import DetectorError
from hubbub.files import replacing
from hubbub.model import METADATA_KEY, Metadata, Model
from hubbub.networks import Hub
from hubbub.stream import ProbabilityStream
from hubbub.training.compact import compact, without_norms
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.predict import SUBSEQUENCE, context_of, predict

TOLERANCE = 1e-4
"""Largest difference of a probability between the exported file and torch."""


class HubGraph(nn.Module):
    """Front end and network as one step: audio (1, n_samples) and the states → probabilities, new states."""

    def __init__(self, front_end: FrontEnd, network: Hub) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network

    def forward(self, audio: Tensor, audio_state: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Probabilities (1, n_frames, n_labels), late by the look-ahead of front end and network."""
        features, audio_state = self.front_end.step(audio, audio_state)
        logits, new_states = self.network.step(features, states)
        return torch.sigmoid(logits), audio_state, *new_states


class SubsequenceGraph(nn.Module):
    """A report network on whole sub-sequences: it starts anew in each, and `top_db` is relative to each."""

    def __init__(self, front_end: FrontEnd, network: nn.Module) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network

    def forward(self, audio: Tensor, audio_state: Tensor) -> tuple[Tensor, Tensor]:
        """Audio (1, n * 1024 * hop) → probabilities (1, n * 1024, n_labels)."""
        front_end = self.front_end
        step, overlap = SUBSEQUENCE * front_end.config.hop, front_end.state_length
        heard = torch.cat([audio_state, audio], dim=1)
        # rows of `step + overlap` samples; `Tensor.unfold` would say the same, but does not export at any length
        bodies = heard[:, :-overlap].reshape(-1, step)
        tails = functional.pad(heard[:, step:], (0, step - overlap)).reshape(-1, step)[:, :overlap]
        rows = torch.cat([bodies, tails], dim=1)
        probabilities = torch.sigmoid(self.network(front_end(rows)))
        return probabilities.flatten(0, 1).unsqueeze(0), heard[:, -overlap:]


@dataclass(frozen=True)
class Exported:
    """Where the file is, and how far it is from torch."""

    path: Path
    largest_difference: float
    n_bytes: int


def export(
    path: Path,
    network: nn.Module,
    front_end_config: FrontEndConfig,
    labels: Sequence[str],
    rules: Sequence[LabelRule],
    *,
    network_facts: dict[str, Any],
    training_facts: dict[str, Any],
    scores: dict[str, Any] | None = None,
) -> Exported:
    """Writes the detector and proves it.

    Raises `DetectorError` where it cannot be written or differs from torch, or where the network hears time backwards:
    its first frame would wait for the last one of a recording, and no stream has that.
    """
    if any(getattr(module, "bidirectional", False) for module in network.modules()):
        raise DetectorError(
            f"{path}: the network is bidirectional, so it cannot hear a stream; wanted one with a known look-ahead, "
            "such as `small`, or `small` with causal=True for none"
        )
    front_end = FrontEnd(front_end_config, stored=False)
    network = network.eval().float().cpu()
    streams = isinstance(network, Hub)
    graph: nn.Module = (
        HubGraph(front_end, without_norms(network))
        if isinstance(network, Hub)
        else SubsequenceGraph(front_end, network)
    )
    block = 1 if streams else SUBSEQUENCE
    states: dict[str, tuple[int, ...]] = {"audio_state": (1, front_end.state_length)}
    before, after = context_of(network)
    if isinstance(network, Hub):
        states |= network.state_shapes()
    metadata = Metadata(
        labels=tuple(labels),
        sample_rate=front_end_config.sample_rate,
        hop=front_end_config.hop,
        look_ahead=front_end.look_ahead + after,
        block=block,
        settle=before + after + front_end.look_ahead + 2 if streams else 0,
        states=states,
        decode=dict(zip(labels, rules, strict=True)),
        front_end=front_end_config.model_dump() | _clipping_note(front_end_config, streams),
        network=network_facts,
        training=training_facts,
        scores=scores or {},
    )
    with replacing(path, DetectorError) as beside:
        _write(beside, graph, metadata)
        difference = prove(beside, network, front_end_config)
        return proved(path, beside, difference)


def proved(path: Path, beside: Path, difference: float) -> Exported:
    """The detector that lies `beside` its place `path`. Raises `DetectorError` where it differs from torch."""
    if difference > TOLERANCE:
        raise DetectorError(
            f"{path}: the exported file differs from torch by {difference:.1e}, more than {TOLERANCE:.0e}; "
            "this is a bug of hubbub or of this onnxruntime: please report it with both versions"
        )
    return Exported(path, difference, beside.stat().st_size)


def prove(path: Path, network: nn.Module, front_end_config: FrontEndConfig, seconds: float = 12.0) -> float:
    """The largest difference between the file, fed in random blocks, and torch on the whole, over a test recording."""
    rng = np.random.default_rng(0)
    audio = sounds_to_prove(rng, front_end_config.sample_rate, seconds)
    model = Model(path)
    stream = ProbabilityStream(model)
    pieces, start = [], 0
    while start < len(audio):
        end = start + int(rng.integers(1, front_end_config.sample_rate))
        pieces.append(stream.push(audio[start:end]))
        start = end
    pieces.append(stream.close())
    streamed = np.concatenate(pieces)
    if model.metadata.block == 1:
        whole = _whole(network, front_end_config, audio)
    else:
        whole = _subsequences(network, front_end_config, audio, model.metadata)
    return float(np.abs(streamed - whole).max())


def silence_of(config: FrontEndConfig) -> NDArray[np.float32]:
    """What surrounds a recording's features, (n_features,): those of silence; zeros for the report's MFCC."""
    if config.kind == "mfcc":
        return np.zeros(config.n_features, np.float32)
    front_end = FrontEnd(config)
    silence: NDArray[np.float32] = front_end(torch.zeros(1, config.n_fft))[0, 0].numpy()
    return silence


def _whole(network: nn.Module, config: FrontEndConfig, audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (n_frames, n_labels) by torch, all at once.

    A few silent frames go before and after: the windows of the nearest ones reach into the recording.
    """
    front_end = FrontEnd(config)
    n_frames, margin = -(-len(audio) // config.hop), front_end.look_ahead
    n_windows = n_frames + 2 * margin
    padded = np.zeros((n_windows - 1) * config.hop + config.n_fft, np.float32)
    padded[front_end.left_context + margin * config.hop :][: len(audio)] = audio
    with torch.inference_mode():
        features = front_end(torch.from_numpy(padded)[None])[0].numpy()
    return predict(network, features, silence_of(config))[margin : margin + n_frames]


def _subsequences(
    network: nn.Module, config: FrontEndConfig, audio: NDArray[np.float32], metadata: Metadata
) -> NDArray[np.float32]:
    """The sub-sequence form, written slowly in torch with the other transform."""
    front_end = FrontEnd(config)
    n_frames = metadata.grid.n_frames(len(audio))
    step = SUBSEQUENCE * config.hop
    n_blocks = -(-(n_frames + metadata.look_ahead) // SUBSEQUENCE)
    padded = np.zeros(front_end.state_length + n_blocks * step, np.float32)
    padded[front_end.state_length :][: len(audio)] = audio
    rows = [padded[k * step : (k + 1) * step + front_end.state_length] for k in range(n_blocks)]
    with torch.inference_mode():
        values = [torch.sigmoid(network(front_end(torch.from_numpy(row)[None])))[0].numpy() for row in rows]
    whole: NDArray[np.float32] = np.concatenate(values)[metadata.look_ahead :][:n_frames]
    return whole


def _write(path: Path, graph: nn.Module, metadata: Metadata) -> None:
    # several blocks, so that nothing in the graph is specialised to one
    audio = torch.zeros(1, 3 * metadata.block * metadata.hop)
    states = {name: torch.zeros(shape) for name, shape in metadata.states.items()}
    write_graph(path, graph, metadata, audio, states, {1: "n_frames"})


def write_graph(
    path: Path,
    graph: nn.Module,
    metadata: Metadata,
    audio: Tensor,
    states: dict[str, Tensor],
    probabilities: dict[int, str],
) -> None:
    """Writes `graph`, traced with `audio` (1, n_samples) and `states`, with its metadata; `probabilities`: the axes
    of its first output whose length is not always the same."""
    graph.eval()
    with warnings.catch_warnings(), torch.inference_mode():
        # the newer way, dynamo=True, gives the same graph but takes twenty times as long over its many states
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (audio, *states.values()),
            str(path),
            input_names=["audio", *states],
            output_names=["probabilities", *(f"{name}_out" for name in states)],
            dynamic_axes={"audio": {1: "n_samples"}, "probabilities": probabilities},
            dynamo=False,
        )
    model = onnx.load(path)
    compact(model)
    model.metadata_props.add(key=METADATA_KEY, value=metadata.to_json())
    onnx.save(model, path)


def sounds_to_prove(rng: np.random.Generator, sample_rate: int, seconds: float) -> NDArray[np.float32]:
    """Noise bursts and sweeping tones at many levels, with silence in between, (n_samples,)."""
    n_samples = int(seconds * sample_rate) + 7  # no whole number of frames
    time = np.arange(n_samples) / sample_rate
    tone = np.sin(2 * np.pi * (300 * time + 120 * np.sin(time) * time))
    gate = np.repeat(rng.uniform(0, 1, size=int(seconds * 4) + 2) > 0.5, sample_rate // 4)[:n_samples]
    level = 10 ** (-3 * (1 + np.sin(time)) / 2)
    audio = gate * level * (0.5 * tone + 0.2 * rng.standard_normal(n_samples))
    return audio.astype(np.float32)


def _clipping_note(config: FrontEndConfig, streams: bool) -> dict[str, str]:
    if config.top_db is None or streams:
        return {}
    return {"top_db_relative_to": f"each sub-sequence of {SUBSEQUENCE} frames (in training: the whole recording)"}
