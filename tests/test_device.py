"""Where a detector computes: providers that differ, are slower or do not start, by fakes that run on the CPU."""

import json
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import hubbub
from hubbub import DetectorError, audio, device, model
from tests.conftest import Run

CUDA, OPENVINO = "CUDAExecutionProvider", "OpenVINOExecutionProvider"
SPEED = r"a second of audio takes \d{3,}\.\d ms, on the CPU \d+\.\d ms"
REAL = onnxruntime.InferenceSession
Change = Callable[[list[np.ndarray]], list[np.ndarray]]
"""What a fake provider makes of the outputs of the CPU: the probabilities, then the states."""


class Fake:
    """A session of another provider: the CPU's, with its outputs changed and its time longer or shorter."""

    def __init__(self, path: str, options: Any, change: Change, seconds: float, providers: list[str]) -> None:
        self._session = REAL(path, options, providers=["CPUExecutionProvider"])
        self._change, self._seconds, self._providers = change, seconds, providers
        self.runs = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return self._providers

    def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.runs += 1
        time.sleep(self._seconds)
        return self._change(self._session.run(names, inputs))


class Build:
    """An ONNX Runtime with the providers that a test adds; the CPU takes `CPU_SECONDS` a run where there is one."""

    CPU_SECONDS = 0.04

    def __init__(self) -> None:
        self.made: dict[str, Fake] = {}
        self.opened: list[str] = []
        self.told: list[dict[str, str]] = []
        self.unknown: set[str] = set()
        self._added: dict[str, tuple[Change, float, Exception | None, bool]] = {}

    def add(
        self,
        provider: str,
        change: Change = lambda outputs: outputs,
        seconds: float = 0.0,
        error: Exception | None = None,
        starts: bool = True,
    ) -> None:
        self._added[provider] = (change, seconds, error, starts)

    def providers(self) -> list[str]:
        return [*self._added, "AzureExecutionProvider", "CPUExecutionProvider"]

    def session(
        self, path: str, options: Any, providers: list[tuple[str, dict[str, str]]], enable_fallback: int
    ) -> Any:
        ((provider, told),) = providers
        assert not enable_fallback, "onnxruntime would tell it on standard output"
        self.opened.append(provider)
        self.told.append(told)
        if set(told) & self.unknown:
            raise RuntimeError(f"unknown provider option {told}")
        if provider not in self._added:
            return Fake(path, options, lambda outputs: outputs, self.CPU_SECONDS if self._added else 0.0, [provider])
        change, seconds, error, starts = self._added[provider]
        if error is not None:
            raise error
        there = [provider, "CPUExecutionProvider"] if starts else ["CPUExecutionProvider"]
        self.made[provider] = Fake(path, options, change, seconds, there)
        return self.made[provider]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    made = Build()
    monkeypatch.setattr(onnxruntime, "get_available_providers", made.providers)
    monkeypatch.setattr(onnxruntime, "InferenceSession", made.session)
    return made


def said(path: Path, **settings: Any) -> tuple[hubbub.Detector, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector = hubbub.load(path, **settings)
    assert all(each.category is RuntimeWarning and each.filename == __file__ for each in caught)
    return detector, [str(each.message) for each in caught]


def shifted(by: float) -> Change:
    return lambda outputs: [outputs[0] + np.float32(by), *outputs[1:]]


def test_where_there_is_only_the_cpu_nothing_is_checked(build: Build, detector_path: Path) -> None:
    for name in ("auto", "cpu"):
        detector, told = said(detector_path, device=name, threads=1)
        assert detector.device == hubbub.Device("cpu", "CPUExecutionProvider", 1)
        assert told == []
        assert detector._model._session.runs == 0  # type: ignore[attr-defined]
    assert build.opened == ["CPUExecutionProvider"] * 2


def test_a_provider_that_hears_the_same_and_is_faster_is_taken(
    build: Build, detector_path: Path, bursts: np.ndarray, detector: hubbub.Detector
) -> None:
    build.add(CUDA, shifted(5e-4))
    found, told = said(detector_path)
    assert (found.device.name, found.device.provider, told) == ("cuda", CUDA, [])
    assert found.device.check is not None and found.device.check.startswith("as on the CPU; a second of audio takes ")
    checked = build.made[CUDA].runs
    assert checked == 1 + 2 * (1 + device.N_TIMED), "silence once, then the two blocks, first unmeasured"
    values = found.probabilities(bursts).values
    assert build.made[CUDA].runs > checked
    assert values == pytest.approx(detector.probabilities(bursts).values + 5e-4, abs=1e-6)
    assert hubbub.load(detector_path, device="cpu").device.name == "cpu"


@pytest.mark.parametrize("name", ["auto", "cuda"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (shifted(2e-3), "it gives probabilities that differ by 0.002, more than 0.001"),
        (shifted(np.nan), "it gives probabilities that differ by nan, more than 0.001"),
    ],
)
def test_one_that_differs_is_left_for_the_cpu(
    build: Build, detector_path: Path, change: Change, why: str, name: str
) -> None:
    seen = []

    def silent(outputs: list[np.ndarray]) -> list[np.ndarray]:
        seen.append(outputs)
        return change(outputs)

    build.add(CUDA, silent)
    found, told = said(detector_path, device=name)
    assert (found.device.name, found.device.check) == ("cpu", None)
    (line,) = told
    assert line == f"cuda is left for the CPU: {why}"
    assert found._model._session is not build.made[CUDA]
    assert len(seen) == 3, "one that differs is not timed"


def test_states_that_differ_are_seen_where_the_probabilities_do_not(build: Build, detector_path: Path) -> None:
    """Only the last state of the second block is wrong, which no probability has seen yet."""
    calls = 0

    def last(outputs: list[np.ndarray]) -> list[np.ndarray]:
        nonlocal calls
        calls += 1
        return outputs if calls < 3 else [*outputs[:-1], outputs[-1] + 0.06 * np.abs(outputs[-1]).max()]

    build.add(CUDA, last)
    _, told = said(detector_path)
    assert told == ["cuda is left for the CPU: it carries from block to block what differs by 6%, more than 5%"]


def test_one_that_is_slower_is_left_unless_it_was_named(build: Build, detector_path: Path) -> None:
    build.add(OPENVINO, seconds=0.2)
    found, (line,) = said(detector_path)
    assert found.device.name == "cpu"
    assert re.fullmatch(r"openvino is left for the CPU: it is slower; " + SPEED, line)
    found, (line,) = said(detector_path, device="openvino")
    assert found.device.name == "openvino"
    assert re.fullmatch(r"openvino is slower than the CPU: " + SPEED, line)


def test_one_that_does_not_start_is_left_or_told(build: Build, detector_path: Path) -> None:
    build.add(CUDA, starts=False)  # onnxruntime goes on with the CPU, without a word
    assert said(detector_path)[1] == [f"cuda is left for the CPU: it does not start ({CUDA} is in this build and does "
                                      "not start here)"]  # fmt: skip
    build.add(CUDA, error=RuntimeError("no driver\nat line 3"))
    found, told = said(detector_path)
    assert (found.device.name, told) == ("cpu", ["cuda is left for the CPU: it does not start (no driver)"])
    with pytest.raises(DetectorError) as error:
        hubbub.load(detector_path, device="cuda")
    assert str(error.value) == "device 'cuda': does not start (no driver); use --device cpu"


def test_the_next_one_is_tried(build: Build, detector_path: Path) -> None:
    build.add(OPENVINO)
    build.add(CUDA, error=RuntimeError("no driver"))
    found, told = said(detector_path)
    assert (found.device.name, told) == ("openvino", ["cuda is left for openvino: it does not start (no driver)"])


@pytest.mark.parametrize(("block", "n_frames"), [(1, [16, 34]), (7, [14, 42]), (64, [64, 64])])
def test_the_second_comes_in_two_whole_blocks(
    build: Build, detector_path: Path, tmp_path: Path, block: int, n_frames: list[int]
) -> None:
    """After the silence; at least two of them, so that a state is carried, however long a block is."""
    graph = onnx.load(detector_path)
    (entry,) = graph.metadata_props
    settle = json.loads(entry.value)["settle"]
    entry.value = json.dumps({**json.loads(entry.value), "block": block})
    onnx.save(graph, tmp_path / "blocks.onnx")
    seen: list[int] = []

    def counted(outputs: list[np.ndarray]) -> list[np.ndarray]:
        seen.append(outputs[0].shape[1])
        return outputs

    build.add(CUDA, counted)
    assert said(tmp_path / "blocks.onnx")[0].device.name == "cuda"
    assert seen[:3] == [-(-settle // block) * block, *n_frames]


def test_cuda_computes_in_float32_where_it_knows_how(build: Build, detector_path: Path) -> None:
    build.add(CUDA)
    assert said(detector_path)[0].device.name == "cuda"
    assert build.told == [{}, {"use_tf32": "0"}]
    build.unknown.add("use_tf32")
    assert said(detector_path)[0].device.name == "cuda"
    assert build.told[2:] == [{}, {"use_tf32": "0"}, {}]


def test_rocm_has_two_providers(build: Build, detector_path: Path) -> None:
    with pytest.raises(DetectorError, match="lacks MIGraphXExecutionProvider and ROCMExecutionProvider; use"):
        hubbub.load(detector_path, device="rocm")
    build.add("ROCMExecutionProvider")
    assert said(detector_path, device="rocm")[0].device.provider == "ROCMExecutionProvider"
    build.add("MIGraphXExecutionProvider")
    assert said(detector_path, device="rocm")[0].device.provider == "MIGraphXExecutionProvider"
    build.add("MIGraphXExecutionProvider", starts=False)
    found, told = said(detector_path, device="rocm")
    assert (found.device.provider, told) == ("ROCMExecutionProvider", [])
    build.add("ROCMExecutionProvider", shifted(0.5))
    found, (line,) = said(detector_path, device="rocm")
    assert (found.device.name, line[:35]) == ("cpu", "rocm is left for the CPU: it gives ")


def test_a_file_that_is_no_detector_is_told_before_any_provider(build: Build, tmp_path: Path) -> None:
    build.add(CUDA, error=RuntimeError("no driver"))
    (tmp_path / "a.onnx").write_bytes(b"no graph")
    with pytest.raises(DetectorError, match="is no ONNX file"):
        hubbub.load(tmp_path / "a.onnx")
    assert build.opened == ["CPUExecutionProvider"]


def test_the_second_of_audio_is_the_same_every_time_and_not_silent() -> None:
    heard = device.second_of_audio(22050, 22050)
    assert (heard == device.second_of_audio(22050, 22050)).all()
    assert heard.dtype == np.float32
    assert 0.1 < np.abs(heard).max() < 1
    halves = [np.sqrt((part**2).mean()) for part in np.split(heard[:22050], 6)]
    assert min(halves) < 0.1 * max(halves), "tones come and go"


def test_directml_runs_one_block_at_a_time(build: Build, detector_path: Path) -> None:
    build.add("DmlExecutionProvider")
    found, _ = said(detector_path)
    assert found.device.name == "directml"
    turn = found._model._turn
    with turn:
        assert not turn.acquire(blocking=False)  # type: ignore[attr-defined]
    assert model.nullcontext is type(said(detector_path, device="cpu")[0]._model._turn)


# On the command line


def test_verbose_says_first_where_it_computes(
    build: Build, detector_path: Path, tmp_path: Path, bursts: np.ndarray, run: Run
) -> None:
    audio.write(tmp_path / "a.wav", bursts[:44100], 22050)
    plain = run("detect", tmp_path / "a.wav", "-m", detector_path)
    found = run("detect", tmp_path / "a.wav", "-m", detector_path, "--verbose")
    on_cpu = f"tiny.onnx: on cpu, CPUExecutionProvider of onnxruntime {onnxruntime.__version__}, a thread a core"
    assert found.err.splitlines()[0] == on_cpu
    assert (found.out, found.err.count("\n")) == (plain.out, plain.err.count("\n") + 1)
    many = run("detect", tmp_path / "a.wav", "-m", detector_path, "-v", "-j", 3)
    assert many.err.splitlines()[0] == on_cpu.replace("a thread a core", "1 thread").replace(":", ", 3 at once:", 1)

    build.add(CUDA, shifted(0.5))
    told = run("detect", tmp_path / "a.wav", "-m", detector_path, "-v")
    assert told.err.splitlines()[:2] == [
        on_cpu,
        "note: cuda is left for the CPU: it gives probabilities that differ by 0.5, more than 0.001",
    ]
    assert told.out == plain.out
    quiet = run("detect", tmp_path / "a.wav", "-m", detector_path)
    assert quiet.err.splitlines()[0] == told.err.splitlines()[1]
    assert (quiet.code, quiet.out) == (0, plain.out)


@pytest.mark.parametrize("engine", ["joblib", "dask"])
def test_a_batch_takes_the_device_that_was_checked(
    build: Build, detector_path: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """Its child processes are not to check it again; the machines of a cluster have devices of their own."""
    works = []

    def remembered(_: Any, __: Any, ___: Any, work: Any, ____: Any) -> Any:
        works.append(work)
        raise hubbub.ConfigError("no more than that")

    monkeypatch.setattr("hubbub.many.run.run", remembered)
    build.add(CUDA, shifted(0.5))
    audio.write(tmp_path / "a.wav", np.zeros(22050, np.float32), 22050)
    done = run("detect", tmp_path / "a.wav", "-m", detector_path, "-o", f"{tmp_path / 'out'}/", "--engine", engine)
    assert done.told == ["no more than that"]
    assert [work.device for work in works] == ["cpu" if engine == "joblib" else "auto"]


def test_listen_says_it_too(build: Build, detector_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    build.add(OPENVINO, seconds=0.2)
    done = run("listen", "-", "-m", detector_path, "-v", "--rate", 1)  # not enough is said of the samples
    lines = done.err.splitlines()
    assert lines[0].startswith("tiny.onnx: on cpu, CPUExecutionProvider of ")
    assert lines[1].startswith("note: openvino is left for the CPU: it is slower; ")
    assert done.code == 2
