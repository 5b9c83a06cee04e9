"""Training on a CPU keeps the memory that a step frees; nothing else changes, and elsewhere nothing happens."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as lightning
import pytest
import torch

from hubbub.training import allocator
from hubbub.training.allocator import keep_freed_memory
from tests.test_training import CONFIG, SILENCE, examples, network, run

CALLED = "hubbub.training.fit.keep_freed_memory"
COMPARE = """
import resource
import statistics
from pathlib import Path
import torch
import hubbub.training.fit as fit
from tests.test_training import run

def faults():
    # of a typical block: the heap may have to grow for one or two
    counts = []
    for _ in range(11):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.empty(1 << 26, dtype=torch.uint8).fill_(1)  # numpy would ask for huge pages
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return statistics.median(counts)

real, fit.keep_freed_memory = fit.keep_freed_memory, lambda: False
first, with_faults = run(Path("first")), faults()
fit.keep_freed_memory = real
second, without = run(Path("second")), faults()
pairs = zip(first.network.parameters(), second.network.parameters(), strict=True)
print(with_faults, without, first.validation_loss == second.validation_loss, all(torch.equal(a, b) for a, b in pairs))
"""


def forbidden(*_: Any) -> Any:
    raise AssertionError("the C library was asked for")


def test_fit_calls_it_once_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(CALLED, lambda: calls.append(1))
    run(tmp_path)
    assert calls == [1]


def test_fit_does_not_call_it_on_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hubbub.training.device import TrainingDevice
    from hubbub.training.fit import fit

    class OnGpu(SimpleNamespace):
        strategy = SimpleNamespace(root_device=torch.device("cuda"))

        def fit(self, *_: Any, **__: Any) -> None:
            raise SystemExit

    monkeypatch.setattr(lightning, "Trainer", OnGpu)
    monkeypatch.setattr("hubbub.training.fit.find", lambda _: TrainingDevice("cuda", "cuda"))
    monkeypatch.setattr(CALLED, forbidden)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), examples(1, 1), examples(1, 2), SILENCE, CONFIG, 0.02, tmp_path)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_it_does_nothing_on_another_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", forbidden)
    assert not keep_freed_memory()


def test_it_does_nothing_with_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", forbidden)
    for confstr in (unknown, lambda name: "", lambda name: None):
        monkeypatch.setattr(os, "confstr", confstr, raising=False)
        assert not keep_freed_memory()


def test_it_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert not keep_freed_memory(), "a library without mallopt"
    asked: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *pair: asked.append(pair) or 1)  # type: ignore[func-returns-value]
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert keep_freed_memory()
    assert asked == [(allocator.MMAP_MAX, 0), (allocator.TRIM_THRESHOLD, -1)]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_blocks_come_back_without_page_faults_and_results_stay(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", COMPARE], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    with_faults, without, same_loss, same_weights = done.stdout.split()
    assert int(with_faults) > 20 * int(without), done.stdout
    assert (same_loss, same_weights) == ("True", "True")


def test_new_tensors_are_not_filled_while_training(tmp_path: Path) -> None:
    """In deterministic mode torch writes NaN into them first."""
    from hubbub.training.fit import fit

    before = torch.utils.deterministic.fill_uninitialized_memory
    seen: set[bool] = set()
    try:
        torch.utils.deterministic.fill_uninitialized_memory = True

        def look(_: Any) -> None:
            seen.add(torch.utils.deterministic.fill_uninitialized_memory)

        fit(network(), examples(1, 1), examples(1, 2), SILENCE, CONFIG, 0.02, tmp_path, look)
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = before
    assert seen == {False}
