"""What a network costs: its size, a step of training, and the time to detect. `networks.py cost` calls it.

Everything is measured one after the other in one process, in rounds, so that what else the machine does falls on all
alike; a figure is the median of its rounds.
"""

import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import hubbub
from hubbub import audio
from hubbub.decode import LabelRule
from hubbub.networks import Hub
from hubbub.networks.chunked import chunked
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.networks.hub import ResidualBlock
from hubbub.training.allocator import keep_freed_memory
from hubbub.training.export import export
from hubbub.training.front_end import FrontEndConfig
from hubbub.training.predict import SUBSEQUENCE
from hubbub.training.quantization import quantize

PAPER_SETTINGS = "settings/synthetic_2016_k_33_d_10_1.yaml"
PAPER_FRONT_END = FrontEndConfig(
    kind="log_mel", sample_rate=22050, n_fft=882, hop=441, n_mels=40, scale="ln", log_floor=1e-6
)
"""40 mel bands in windows of 40 ms that overlap by half, as the paper has them."""
RECORDING_SECONDS = 300.0
TRAINED_SECONDS = 2 * SUBSEQUENCE * 0.01
"""Of audio in a step of training: two sub-sequences, whatever the frames."""
RATE = 44100


class Paper(nn.Module):
    """The paper's proposed network from a checkout of github.com/dr-costas/dnd-sed, (batch, n_frames, 40) → logits."""

    def __init__(self, checkout: Path, n_labels: int) -> None:
        import yaml

        super().__init__()
        sys.path.insert(0, str(checkout.resolve()))
        settings = yaml.safe_load((checkout / PAPER_SETTINGS).read_text(encoding="utf-8"))["dessed_dilated"]
        self.network = importlib.import_module("models").DESSEDDilated(**{**settings, "nb_classes": n_labels})

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.network(features)
        return logits


def costs(
    networks: Mapping[str, tuple[nn.Module, FrontEndConfig]], labels: tuple[str, ...], threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """By name: parameters, multiply-adds a second, kB of the file, and as lists of the rounds seconds to train a minute
    of audio, to detect an hour in a 44.1 kHz WAV (in float and, for ours, in int8), and what of that is left with the
    samples in memory at the detector's rate: the exported graph, front end and network, and the decision."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording.wav"
        audio.write(recording, noise(), RATE, "PCM_16")
        detectors = {}
        heard = {}
        for name, (network, front_end) in networks.items():
            awake(network)
            rate = front_end.sample_rate / front_end.hop
            path = Path(folder) / f"{name}.onnx"
            export(
                path, network, front_end, labels, [LabelRule()] * len(labels), network_facts={}, training_facts={}
            )  # fmt: skip
            detectors[name] = hubbub.load(path, device="cpu", threads=threads)
            heard[name], _ = audio.read(recording, front_end.sample_rate)
            found[name] = {
                "parameters": n_parameters(network),
                "multiply_adds": multiply_adds_per_second(network, rate, front_end.n_features, SUBSEQUENCE),
                "kilobytes": path.stat().st_size / 1e3,
                "train": [],
                "detect": [],
                "graph": [],
            }
            if isinstance(network, Hub):
                rounded = path.with_suffix(".int8.onnx")
                quantize(path, rounded, [recording])
                detectors[f"{name} int8"] = hubbub.load(rounded, device="cpu", threads=threads)
                found[name] |= {"kilobytes_int8": rounded.stat().st_size / 1e3, "detect_int8": []}
        for number in range(rounds + 1):
            for name, (network, front_end) in networks.items():
                seconds = {"train": trained(network, front_end, len(labels)) / (TRAINED_SECONDS / 60)}
                for kind, key, source in (
                    (name, "detect", recording),
                    (f"{name} int8", "detect_int8", recording),
                    (name, "graph", heard[name]),
                ):
                    if kind in detectors:
                        begun = time.perf_counter()
                        detectors[kind].detect(source)
                        seconds[key] = (time.perf_counter() - begun) * 3600 / RECORDING_SECONDS
                if number:  # the first round warms up
                    for key, value in seconds.items():
                        found[name][key].append(value)
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return found


def awake(network: nn.Module) -> None:
    """Gives blocks that begin as identities weights as training does: zeros take no room in a file."""
    for block in network.blocks if isinstance(network, Hub) else ():
        assert isinstance(block, ResidualBlock)
        nn.init.uniform_(block.norm_out.weight, 0.5, 1)


def trained(network: nn.Module, front_end: FrontEndConfig, n_labels: int) -> float:
    """Seconds of a step: forward, cross-entropy, backward, Adam."""
    n_frames = round(TRAINED_SECONDS * front_end.sample_rate / front_end.hop)
    rows = 1 if isinstance(network, Hub) else -(-n_frames // SUBSEQUENCE)
    more = network.context + network.look_ahead if isinstance(network, Hub) else 0
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, n_frames // rows + more, front_end.n_features, generator=generator)
    targets = (torch.rand(rows, n_frames // rows, n_labels, generator=generator) < 0.1).float()
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    begun = time.perf_counter()
    loss = functional.binary_cross_entropy_with_logits(chunked(network)(features), targets)
    loss.backward()
    optimizer.step()
    took = time.perf_counter() - begun
    optimizer.zero_grad(set_to_none=True)
    return took


def middle(values: list[float]) -> float:
    return statistics.median(values)


def noise() -> np.ndarray:
    """Five minutes of noise in bursts, (n_samples,)."""
    rng = np.random.default_rng(0)
    gate = np.repeat(rng.uniform(size=round(2 * RECORDING_SECONDS)) > 0.5, RATE // 2)
    return (0.05 * rng.standard_normal(len(gate)) * gate).astype(np.float32)
