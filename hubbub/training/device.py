"""Where a network is trained: what torch has here, in words, and told before the work where it is not there."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.strategies import SingleDeviceStrategy

from hubbub.errors import ConfigError

AUTO = "auto"
CPU = "cpu"


@dataclass(frozen=True)
class TrainingDevice:
    """`name` is what a user calls it, `kind` what torch does: an AMD card is `rocm` here and `cuda` there."""

    name: str
    kind: str

    def __str__(self) -> str:
        """One line of words: CUDA (NVIDIA A100)."""
        return self.words()

    def words(self, threads: int | None = None) -> str:
        """The same, with the threads of a CPU where they are given."""
        if self.name != CPU:
            return f"{KINDS[self.name][2]} ({_model(self.kind)})"
        return f"CPU ({processor()})" if threads is None else f"CPU ({processor()}, {threads} threads)"

    def trainer_options(self) -> dict[str, Any]:
        """What Lightning's trainer is told, to train on one device of this kind."""
        if self.kind != "xpu":
            return {"accelerator": self.kind, "devices": 1}
        return {"strategy": SingleDeviceStrategy(torch.device("xpu", 0), Xpu()), "devices": 1}


def _on_cuda() -> bool:
    return torch.cuda.is_available() and torch.version.hip is None


def _on_rocm() -> bool:
    return torch.cuda.is_available() and torch.version.hip is not None


def _on_mps() -> bool:
    return torch.backends.mps.is_available()


def _on_xpu() -> bool:
    return torch.xpu.is_available()


KINDS: dict[str, tuple[str, Callable[[], bool], str]] = {
    "cuda": ("cuda", _on_cuda, "CUDA"),
    "rocm": ("cuda", _on_rocm, "ROCm"),
    "mps": ("mps", _on_mps, "MPS"),
    "xpu": ("xpu", _on_xpu, "XPU"),
}
"""Names with what torch calls them, whether they are here, and their titles; `auto` takes the first one that is."""
NAMES = (AUTO, CPU, *KINDS)


def find(device: str) -> TrainingDevice:
    """The device of that name; `auto` is the best one that torch has here, and the CPU where there is no other.

    Raises `ConfigError` for a name that is unknown, or a device that torch does not have here.
    """
    if device not in NAMES:
        raise ConfigError(f"device {device!r}: is none of {', '.join(NAMES)}; use --device cpu or auto")
    there = [TrainingDevice(name, kind) for name, (kind, is_there, _) in KINDS.items() if is_there()]
    if device in (AUTO, CPU):
        return there[0] if there and device == AUTO else TrainingDevice(CPU, CPU)
    for each in there:
        if each.name == device:
            return each
    has = ", ".join(each.name for each in there) or "the CPU only"
    raise ConfigError(f"device {device!r}: torch {torch.__version__} has {has} here; use --device cpu or auto")


def processor() -> str:
    """The name of the processor, and what PyTorch makes of it."""
    names = [line.split(":", 1)[1].strip() for line in cpu_info().splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


def machine() -> str:
    """The processor with its cores, and the accelerator where there is one."""
    words, best = f"{processor()}, {os.cpu_count()} cores", find(AUTO)
    return words if best.name == CPU else f"{words}; {_model(best.kind)}"


def cpu_info() -> str:
    """What Linux tells of the processor; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _model(kind: str) -> str:
    if kind == "mps":
        return platform.machine()
    name: str = (torch.cuda if kind == "cuda" else torch.xpu).get_device_name()
    return name


class Xpu(Accelerator):
    """Intel's GPUs, which Lightning does not know yet: one device, as torch has it."""

    def setup_device(self, device: torch.device) -> None:
        """Makes it the one that is meant. Raises `ConfigError` where it is another kind of device."""
        if device.type != "xpu":
            raise ConfigError(f"device {device}: is no XPU; use --device cpu or auto")
        torch.xpu.set_device(device)

    def teardown(self) -> None:
        """Gives back the memory that torch keeps."""
        torch.xpu.empty_cache()

    def get_device_stats(self, device: Any) -> dict[str, Any]:
        """None are kept."""
        return {}

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        """As they are given."""
        return devices

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        """The first one: a network is trained on one device."""
        return [torch.device("xpu", 0)]

    @staticmethod
    def auto_device_count() -> int:
        """How many there are."""
        return torch.xpu.device_count()

    @staticmethod
    def is_available() -> bool:
        """Whether there is one."""
        return _on_xpu()

    @staticmethod
    def name() -> str:
        """What it is called."""
        return "xpu"
