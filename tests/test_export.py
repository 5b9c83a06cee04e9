"""One file out of trained weights: it proves itself, carries everything, and is not left behind half-done."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from hubbub import load
from hubbub.decode import LabelRule
from hubbub.errors import DetectorError
from hubbub.model import Metadata
from hubbub.networks import Hub, HubConfig, build
from hubbub.training import export as exporting
from hubbub.training.export import export
from hubbub.training.front_end import OURS, REPORT_POLYPHONIC, FrontEnd
from hubbub.training.metadata import rewrite
from hubbub.training.predict import SUBSEQUENCE, predict

LABELS = ("a", "b")
RULES = [LabelRule(0.3, 0.2, 5, 0.1, 0.2), LabelRule(0.6, 0.6)]


def tiny() -> Hub:
    torch.manual_seed(2)
    return Hub(2, HubConfig(stem=(2, 4, 4), width=8, dilations=(1, 4), max_ahead=5, identity=False)).eval()


def make(path: Path, network: torch.nn.Module) -> exporting.Exported:
    front_end = OURS if isinstance(network, Hub) else REPORT_POLYPHONIC
    return export(path, network, front_end, LABELS, RULES, network_facts={"name": "n"}, training_facts={"seed": 1})


def test_our_network_exports_with_everything_in_it(tmp_path: Path, bursts: np.ndarray) -> None:
    network = tiny()
    exported = make(tmp_path / "d.onnx", network)
    assert exported.largest_difference < 1e-5
    assert exported.n_bytes == (tmp_path / "d.onnx").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["d.onnx"]
    detector = load(tmp_path / "d.onnx")
    meta = detector.metadata
    assert (meta.labels, meta.sample_rate, meta.hop, meta.block) == (LABELS, 22050, 441, 1)
    assert meta.look_ahead == network.look_ahead + FrontEnd(OURS).look_ahead
    assert meta.rules == RULES
    assert meta.front_end["n_mels"] == 64
    assert (meta.network, meta.training, meta.scores) == ({"name": "n"}, {"seed": 1}, {})
    # the way of training: features of the whole recording in float64, silence around them
    features = FrontEnd(OURS).grid_features(bursts).numpy()
    trained_on = predict(network, features, exporting.silence_of(OURS))
    heard = detector.probabilities(bursts).values
    assert heard.shape == trained_on.shape
    assert np.abs(heard - trained_on)[5:].max() < 1e-3
    assert np.ptp(heard) > 0.01, "a network that says the same to everything would prove nothing"


@pytest.mark.parametrize("name", ["dessed", "proposed_strided"])
def test_a_report_network_runs_sub_sequence_by_sub_sequence(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(name, 2)
    exported = make(tmp_path / "d.onnx", network)
    assert exported.largest_difference < 1e-4
    meta = load(tmp_path / "d.onnx").metadata
    assert meta.block == SUBSEQUENCE
    assert "each sub-sequence of 1024 frames" in meta.front_end["top_db_relative_to"]
    assert list(meta.states) == ["audio_state"]


def test_a_bidirectional_network_is_refused_with_what_to_take(tmp_path: Path) -> None:
    network = build("baseline", 2)
    for module in network.modules():
        if isinstance(module, torch.nn.GRU):
            module.bidirectional = True
    with pytest.raises(DetectorError, match=r"b.onnx: the network is bidirectional.* wanted .* `small`") as error:
        make(tmp_path / "b.onnx", network)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_differs_from_torch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "prove", lambda *_: 2e-3)
    with pytest.raises(DetectorError, match=r"d\.onnx: the exported file differs from torch by 2\.0e-03"):
        make(tmp_path / "d.onnx", tiny())
    assert not list(tmp_path.iterdir())


def test_the_proof_sees_a_wrong_weight(tmp_path: Path) -> None:
    network = tiny()
    make(tmp_path / "d.onnx", network)
    with torch.no_grad():
        network.head.bias[0] += 0.01
    assert exporting.prove(tmp_path / "d.onnx", network, OURS) > exporting.TOLERANCE


def test_scores_are_added_later(tmp_path: Path) -> None:
    path = tmp_path / "d.onnx"
    make(path, tiny())
    before = load(path).metadata
    rewrite(path, path, lambda metadata: metadata.model_copy(update={"scores": {"test": {"frame": 0.5}}}))
    after = load(path).metadata
    assert after == before.model_copy(update={"scores": {"test": {"frame": 0.5}}})
    (entry,) = onnx.load(path).metadata_props
    assert Metadata.model_validate_json(entry.value) == after


def test_an_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"missing.d\.onnx: cannot be written"):
        make(tmp_path / "missing" / "d.onnx", tiny())
