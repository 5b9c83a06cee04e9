"""What several tests need: built-in sounds and a small detector, made once."""

import os
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from hubbub import Detector, load
from hubbub.cli import main
from hubbub.decode import LabelRule
from hubbub.mixing.builtin.write import write_clips
from hubbub.networks import Hub, HubConfig
from hubbub.training import front_end
from hubbub.training.export import export
from hubbub.training.front_end import FrontEnd

LABELS = ("bell", "dog", "rain")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None]:
    """Where skipping is forbidden, as in continuous integration, a skipped test has failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("HUBBUB_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skipping is forbidden: {report.longrepr}"


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, what it wrote, and the lines in which it told what went wrong."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        assert "Traceback" not in self.out + self.err
        return [line.removeprefix("hubbub: ") for line in self.err.splitlines() if line.startswith("hubbub: ")]


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def called(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["hubbub", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        assert isinstance(end.value.code, int)
        assert "Traceback" not in written.out + written.err
        return Ran(end.value.code, written.out, written.err)

    return called


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of built-in clips: 4 labels with 6 clips each, and backgrounds."""
    folder = tmp_path_factory.mktemp("built-in") / "clips"
    write_clips(folder, 6, seed=1, labels=["alarms_and_sirens", "dog_barking", "footsteps", "rain"])
    return folder


@pytest.fixture(scope="session")
def detector_path(tmp_path_factory: pytest.TempPathFactory, bursts: np.ndarray) -> Path:
    """A detector for `LABELS` with random weights, its logits spread so that it finds events in `bursts`."""
    torch.manual_seed(3)
    config = HubConfig(stem=(4, 8, 8), width=16, dilations=(1, 2, 4, 8), max_ahead=7, identity=False)
    network = Hub(len(LABELS), config)
    features = FrontEnd(front_end.OURS).grid_features(bursts)
    with torch.no_grad():
        network.norm.running_mean.copy_(features.mean(0))
        network.norm.running_var.copy_(features.var(0))
        logits = network.eval()(features[None])[0]
        scale = 3 / logits.std(0)
        network.head.weight *= scale[:, None, None]
        network.head.bias.copy_((network.head.bias - logits.mean(0)) * scale)
    path = tmp_path_factory.mktemp("detector") / "tiny.onnx"
    rule = LabelRule(threshold=0.5, low_threshold=0.4, median=3, shortest_event=0.04, shortest_gap=0.06)
    export(path, network, front_end.OURS, LABELS, [rule] * len(LABELS), network_facts={}, training_facts={})
    return path


@pytest.fixture(scope="session")
def detector(detector_path: Path) -> Detector:
    """The detector of `detector_path`, loaded."""
    return load(detector_path)


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same every time."""
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def bursts() -> np.ndarray:
    """20 s at 22 050 Hz: tones and noise at many levels, with silence in between, shape (n_samples,)."""
    rng = np.random.default_rng(11)
    time = np.arange(20 * 22050 + 123) / 22050
    gate = np.repeat(rng.uniform(size=83) > 0.5, 22050 // 4)[: len(time)]
    tone = np.sin(2 * np.pi * (200 + 900 * np.sin(0.7 * time)) * time)
    level = 10 ** (-2 * (1 + np.sin(2 * time)) / 2)
    samples = gate * level * (0.4 * tone + 0.2 * rng.standard_normal(len(time)))
    return (samples + 1e-4 * rng.standard_normal(len(time))).astype(np.float32)
