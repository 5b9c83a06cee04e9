"""Detectors in int8: small, close to the float ones, and alike however the audio is cut."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import torch

from hubbub import load
from hubbub.decode import LabelRule
from hubbub.errors import ConfigError
from hubbub.events import Event
from hubbub.networks import SIZES, Hub, build
from hubbub.stream import ProbabilityStream
from hubbub.training.export import export
from hubbub.training.front_end import OURS, REPORT_POLYPHONIC
from hubbub.training.quantization import int8_path, quantize

LABELS = [f"label_{index}" for index in range(16)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, bursts: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("heard") / "bursts.wav"
    soundfile.write(path, bursts, 22050)
    return path


@pytest.fixture(scope="module")
def int8(detector_path: Path, recording: Path) -> Path:
    """The detector of `detector_path` in int8."""
    path = int8_path(detector_path)
    quantize(detector_path, path, [recording])
    return path


def test_tiny_is_smaller_than_150_kb(tmp_path: Path, recording: Path) -> None:
    torch.manual_seed(0)
    network = Hub(len(LABELS), replace(SIZES["tiny"], identity=False))
    path = tmp_path / "tiny.onnx"
    rules = [LabelRule(0.5, 0.5)] * len(LABELS)
    exported = export(path, network, OURS, LABELS, rules, network_facts={}, training_facts={})
    stored = 4 * sum(value.numel() for value in network.state_dict().values())
    assert exported.n_bytes < stored + 25_000, "weights and little else"
    quantize(path, tmp_path / "tiny.int8.onnx", [recording])
    assert (tmp_path / "tiny.int8.onnx").stat().st_size < 110_000


def test_int8_finds_nearly_the_same(detector_path: Path, int8: Path, bursts: np.ndarray) -> None:
    plain, rounded = load(detector_path), load(int8)
    wanted, found = (detector.probabilities(bursts).values for detector in (plain, rounded))
    assert wanted.std() > 0.2, "a detector that says the same to everything would prove nothing"
    # few channels with random weights, and a head that makes much of little: trained ones differ less
    assert 0 < np.abs(found - wanted).mean() < 0.05
    active = [_active(detector.detect(bursts)) for detector in (plain, rounded)]
    assert 2 * (active[0] & active[1]).sum() / (active[0].sum() + active[1].sum()) > 0.9


def test_what_is_heavy_is_rounded_but_the_stem_what_is_over_time_and_the_front_end_are_not(int8: Path) -> None:
    graph = onnx.load(int8).graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    given = [(node.op_type, {made_by.get(name, "stored") for name in node.input}) for node in graph.node]
    groups = [a.i for node in graph.node if node.op_type == "Conv" for a in node.attribute if a.name == "group"]
    shapes = [
        a.ints for node in graph.node if node.op_type == "Conv" for a in node.attribute if a.name == "kernel_shape"
    ]
    convolutions = [inputs for operator, inputs in given if operator == "Conv"]
    small = [len(shape) == 2 or group > 1 for shape, group in zip(shapes, groups, strict=True)]
    rounded = [inputs == {"DequantizeLinear"} for inputs in convolutions]
    assert [len(shape) for shape in shapes].count(2) == 5 and sum(small) == 5 + 4 and len(convolutions) > 12
    assert rounded[:-1] == [not one for one in small[:-1]]
    assert "DequantizeLinear" not in convolutions[-1]  # the head
    assert not [operator for operator, inputs in given if operator == "MatMul" and "DequantizeLinear" in inputs]


def test_the_metadata_stay_but_for_scores(detector_path: Path, int8: Path) -> None:
    plain, rounded = load(detector_path).metadata, load(int8).metadata
    assert rounded == plain.model_copy(update={"network": plain.network | {"precision": "int8"}, "scores": {}})


def test_random_blocks_give_what_the_whole_gives(int8: Path, bursts: np.ndarray, rng: np.random.Generator) -> None:
    detector = load(int8)
    whole = detector.probabilities(bursts).values
    stream = ProbabilityStream(detector._model)
    cuts = np.sort(rng.integers(0, len(bursts), 60))
    pieces = [stream.push(piece) for piece in np.split(bursts, cuts)]
    streamed = np.concatenate([*pieces, stream.close()])
    # the last digit of a float may fall on the other side of a step of 8 bits
    assert np.mean(streamed == whole) > 0.5
    assert np.abs(streamed - whole).max() < 0.05
    assert np.abs(streamed - whole).mean() < 1e-3


def test_a_network_that_does_not_stream_is_rounded_too(tmp_path: Path, recording: Path, bursts: np.ndarray) -> None:
    torch.manual_seed(0)
    path, rules = tmp_path / "d.onnx", [LabelRule(0.5, 0.5)] * len(LABELS)
    export(path, build("dessed", 16), REPORT_POLYPHONIC, LABELS, rules, network_facts={}, training_facts={})
    quantize(path, tmp_path / "d.int8.onnx", [recording])
    wanted, found = (load(file).probabilities(bursts).values for file in (path, tmp_path / "d.int8.onnx"))
    assert 0 < np.abs(found - wanted).mean() < 0.02


def test_nothing_is_said_meanwhile(
    detector_path: Path, recording: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quantize(detector_path, tmp_path / "d.onnx", [recording])
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == logging.NOTSET


def test_what_cannot_be_rounded_is_told(detector_path: Path, int8: Path, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny\.int8\.onnx: is in int8 already; wanted the detector that it was"):
        quantize(int8, tmp_path / "d.onnx", [recording])
    with pytest.raises(ConfigError, match=r"tiny\.onnx: no recordings to take ranges from; wanted one at least"):
        quantize(detector_path, tmp_path / "d.onnx", [])
    with pytest.raises(ConfigError, match=r"missing.d\.int8\.onnx: cannot be written"):
        int8_path(tmp_path / "missing" / "d.onnx")
    assert not list(tmp_path.iterdir())


def _active(events: list[Event]) -> np.ndarray:
    """On a grid of 10 ms, (n_labels, n_frames)."""
    active = np.zeros((3, 2100), bool)
    for event in events:
        active[("bell", "dog", "rain").index(event.label), int(100 * event.onset) : int(100 * event.offset)] = True
    return active
