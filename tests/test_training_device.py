"""Where a network is trained: what torch has, by fakes, as none of it but the CPU is there when the tests run."""

from pathlib import Path

import lightning.pytorch as lightning
import pytest
import torch

from hubbub import ConfigError
from hubbub.reproduce.running import jobs_on
from hubbub.training.config import TrainConfig
from hubbub.training.device import NAMES, TrainingDevice, find
from hubbub.training.fit import _precision, _shared_out
from hubbub.training.fresh import Fresh
from hubbub.training.run import train
from tests.conftest import Run
from tests.test_run import Silent

WORDS = {"cuda": "CUDA (A card)", "rocm": "ROCm (A card)", "xpu": "XPU (An Arc)"}


def has(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A torch that has these devices, and the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool({"cuda", "rocm"} & set(names)))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A card")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.version, "hip", "6.4" if "rocm" in names else None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: "xpu" in names)
    monkeypatch.setattr(torch.xpu, "get_device_name", lambda: "An Arc")


@pytest.mark.parametrize(
    ("there", "best"),
    [((), "cpu"), (("cuda",), "cuda"), (("rocm",), "rocm"), (("mps",), "mps"), (("xpu",), "xpu"),
     (("xpu", "cuda"), "cuda")],
)  # fmt: skip
def test_auto_is_the_best_that_torch_has(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], best: str) -> None:
    has(monkeypatch, *there)
    assert find("auto").name == best
    assert find(best) == find("auto")
    assert str(find("auto")).startswith(WORDS.get(best, best.upper() + " ("))
    assert find("cpu") == TrainingDevice("cpu", "cpu")
    assert find("cpu").words(3).endswith(", 3 threads)")
    for name in set(NAMES) - {"auto", "cpu", *there}:
        here = ", ".join(sorted(there)) or "the CPU only"
        with pytest.raises(ConfigError) as error:
            find(name)
        told = f"device {name!r}: torch {torch.__version__} has {here} here; use --device cpu or auto"
        assert str(error.value) == told


def test_an_amd_card_is_what_torch_calls_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, "rocm")
    assert find("rocm").trainer_options() == {"accelerator": "cuda", "devices": 1}


def test_lightning_takes_an_xpu(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, "xpu")
    trainer = lightning.Trainer(**find("xpu").trainer_options(), logger=False, enable_checkpointing=False)
    assert trainer.strategy.root_device == torch.device("xpu", 0)
    assert (trainer.num_devices, trainer.accelerator.name()) == (1, "xpu")
    with pytest.raises(ConfigError, match=r"^device cpu: is no XPU;"):
        trainer.accelerator.setup_device(torch.device("cpu"))


def test_what_depends_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Fresh.__new__(Fresh)  # only that it is one counts
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    ours, report = TrainConfig(), TrainConfig(network="baseline")
    monkeypatch.setattr("hubbub.training.fit.cpu_info", lambda: "flags : avx512_bf16")
    told = {}
    for name in ("cpu", "cuda", "mps"):
        has(monkeypatch, name)
        device = find(name)
        told[name] = (_shared_out(fresh, ours, device), _precision(ours, device), _precision(report, device))
        assert jobs_on("auto") == (7 if name == "cpu" else 1)
    assert told == {
        "cpu": ((4, 4), "32-true", "bf16-mixed"),
        "cuda": ((8, None), "32-true", "bf16-mixed"),
        "mps": ((8, None), "32-true", "32-true"),
    }


def test_a_device_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path, clips: Path, run: Run) -> None:
    out = tmp_path / "d.onnx"
    told = f"device 'nonsense': is none of {', '.join(NAMES)}; use --device cpu or auto"
    for call in (
        ("train", clips, "-o", out, "--device", "nonsense"),
        ("reproduce", "tut2016", "-o", tmp_path / "a", "--size", "quick", "--device", "nonsense"),
        ("reproduce", "urbansound8k", "-o", tmp_path / "b", "--device", "nonsense", "--jobs", 1),
    ):
        done = run(*call)
        assert (done.code, done.told) == (2, [told])
    assert list(tmp_path.iterdir()) == []


def test_training_says_first_where(tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise ConfigError("no further")

    monkeypatch.setattr("hubbub.training.run.soundscapes", stop)
    reporter = Silent()
    with pytest.raises(ConfigError, match="no further"):
        train(clips, tmp_path / "d.onnx", TrainConfig(device="cpu"), reporter)
    assert reporter.said == [f"training on {find('cpu')}"]
