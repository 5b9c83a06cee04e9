"""Where a detector computes: ONNX Runtime's providers by short names, each checked against the CPU before it is taken.

A provider may be in a build and not start, start and compute in half precision, or compute the same and take longer: a
detector is small, and handing a block over to a GPU has its price. So whatever is not the CPU hears a second of audio
first, as the CPU does, and is left for it where it differs or, unless it was asked for by name, is slower. Where
ONNX Runtime has the CPU only, as from `pip install onnxruntime`, nothing is checked and nothing is waited for.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hubbub.errors import DetectorError

AUTO = "auto"
CPU = "cpu"
PROVIDERS: dict[str, tuple[str, ...]] = {
    CPU: ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider",),
    "rocm": ("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
    "coreml": ("CoreMLExecutionProvider",),
    "directml": ("DmlExecutionProvider",),
    "openvino": ("OpenVINOExecutionProvider",),
}
"""Devices with their providers, the better one first. `auto` tries the devices in this order."""
EXACT: dict[str, dict[str, str]] = {
    "CUDAExecutionProvider": {"use_tf32": "0"},
    "OpenVINOExecutionProvider": {"precision": "ACCURACY"},
}
"""What providers are told, so that they compute in float32 where they would not; older ones know no such word."""
DEVICES = (AUTO, *PROVIDERS)
LARGEST_DIFFERENCE = 1e-3
"""Of a probability. Sums in another order differ by 1e-6, half precision and TF32 by 1e-3 to 1e-2; thresholds are told
apart in steps of 1e-2."""
LARGEST_STATE_DIFFERENCE = 0.05
"""Of a state's largest number: a detector that says 0 to the second of audio says it whatever it computed, but what it
carries to the next block shows it."""
LONGEST_REASON = 200
"""Characters of what ONNX Runtime says."""
N_TIMED = 3
"""Runs over the second of audio on either side, by turns; the fastest of each counts."""

Session: TypeAlias = onnxruntime.InferenceSession
Heard = tuple[NDArray[np.float32], list[NDArray[np.float32]]]
"""The probabilities of the second of audio, and the states after it."""
Listener = Callable[[], Heard]


@dataclass(frozen=True)
class Device:
    """Where a detector computes, as a short name and as ONNX Runtime's provider.

    `threads`: None is one a core. `check`: what the check against the CPU measured, where there was one. `note`: a line
    that a user should know, such as why it is not the device that was asked for.
    """

    name: str
    provider: str
    threads: int | None = None
    check: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        """One line of words, without the note."""
        threads = {None: "a thread a core", 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        checked = "" if self.check is None else f"; {self.check}"
        return f"{self.name}, {self.provider} of onnxruntime {onnxruntime.__version__}, {threads}{checked}"


def on_cpu(threads: int | None) -> Device:
    """The CPU, unchecked: it is what the others are checked against."""
    return Device(CPU, PROVIDERS[CPU][0], threads)


def candidates(device: str) -> list[Device]:
    """The devices to try before the CPU, the best one first; none where the CPU is meant, or all that there is.

    Raises `DetectorError` for a device that is not known, or that this build of ONNX Runtime lacks.
    """
    if device not in DEVICES:
        raise DetectorError(f"device {device!r} is none of {', '.join(DEVICES)}")
    there = onnxruntime.get_available_providers()
    wanted = list(PROVIDERS) if device == AUTO else [device]
    found = [Device(name, provider) for name in wanted for provider in PROVIDERS[name] if provider in there]
    if not found:
        lacking = " and ".join(PROVIDERS[device])
        raise DetectorError(f"device {device!r}: this build of onnxruntime lacks {lacking}; use --device cpu")
    return [each for each in found if each.name != CPU]


def open_session(path: Path, provider: str, threads: int | None) -> Session:
    """The graph in the file `path` on a provider, which is really there: ONNX Runtime itself would go on without it.

    Raises what ONNX Runtime raises, `RuntimeError` where it went on without.
    """
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # or it waits by burning a core
    options.log_severity_level = 4  # what goes wrong is told by our own errors
    if threads is not None:
        options.intra_op_num_threads = threads
    if provider == "DmlExecutionProvider":
        options.enable_mem_pattern = False  # it refuses to start otherwise

    def opened(told: dict[str, str]) -> Session:
        # no fallback: it is told on standard output, where the events go
        session = onnxruntime.InferenceSession(str(path), options, providers=[(provider, told)], enable_fallback=0)
        if provider not in session.get_providers():
            raise RuntimeError(f"{provider} is in this build and does not start here")
        return session

    try:
        return opened(EXACT.get(provider, {}))
    except Exception:  # onnxruntime's exceptions share no base class but this
        if provider not in EXACT:
            raise
        return opened({})


def choose(
    path: Path,
    tried: Sequence[Device],
    by_name: bool,
    threads: int | None,
    cpu: Session,
    listener: Callable[[Session], Listener],
) -> tuple[Session, Device]:
    """The first of the devices `tried` that hears what the CPU hears, and sooner; else the CPU, with a note that says
    why. `by_name`: it was asked for by name, so that it is taken though it is slower.

    `listener` gives what hears the second of audio by a session.

    Raises `DetectorError` where a device asked for by name does not start, or what `listener` raises for the CPU.
    """
    by_cpu = listener(cpu)
    wanted = by_cpu()  # the first run allocates and compiles
    left: dict[str, str] = {}
    failed: list[Exception] = []
    for device in tried:
        try:
            session = _quietly(path, device.provider, threads)
            other = listener(session)
            differs = difference(other(), wanted)
            took, cpu_took = _timed(other, by_cpu) if differs is None else (0.0, 0.0)
        except Exception as error:  # onnxruntime's exceptions share no base class but this
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:LONGEST_REASON]
            left[device.name] = f"does not start ({reason})"
            failed.append(error)
            continue
        speed = f"a second of audio takes {1e3 * took:.1f} ms, on the CPU {1e3 * cpu_took:.1f} ms"
        if differs is not None:
            left[device.name] = differs
        elif took < cpu_took or by_name:
            left.pop(device.name, None)  # its other provider, which did not start
            slower = None if took < cpu_took else f"{device.name} is slower than the CPU: {speed}"
            note = slower or _left(left, device.name)
            return session, replace(device, threads=threads, check=f"as on the CPU; {speed}", note=note)
        else:
            left[device.name] = f"is slower; {speed}"
    if by_name and len(failed) == len(tried):
        ((name, reason),) = left.items()
        raise DetectorError(f"device {name!r}: {reason}; use --device cpu") from failed[-1]
    return cpu, replace(on_cpu(threads), note=_left(left, "the CPU"))


def _left(left: Mapping[str, str], taken: str) -> str | None:
    return "; ".join(f"{name} is left for {taken}: it {reason}" for name, reason in left.items()) or None


def difference(heard: Heard, wanted: Heard) -> str | None:
    """What a device does that hears other than the CPU, in words; None where it is near enough."""
    (probabilities, states), (wanted_probabilities, wanted_states) = heard, wanted
    most = float(np.abs(probabilities - wanted_probabilities).max())
    if not most <= LARGEST_DIFFERENCE:  # NaN is no small difference
        return f"gives probabilities that differ by {most:.2g}, more than {LARGEST_DIFFERENCE:g}"
    for state, wanted_state in zip(states, wanted_states, strict=True):
        part = float(np.abs(state - wanted_state).max() / max(np.abs(wanted_state).max(), 1e-6))
        if not part <= LARGEST_STATE_DIFFERENCE:
            return f"carries from block to block what differs by {part:.0%}, more than {LARGEST_STATE_DIFFERENCE:.0%}"
    return None


def _timed(*listeners: Listener) -> list[float]:
    """Seconds of each, by turns, the fastest of `N_TIMED`."""
    fastest = [np.inf] * len(listeners)
    for _ in range(N_TIMED):
        for index, listener in enumerate(listeners):
            begun = time.perf_counter()
            listener()
            fastest[index] = min(fastest[index], time.perf_counter() - begun)
    return fastest


def second_of_audio(sample_rate: int, n_samples: int) -> NDArray[np.float32]:
    """Noise under two tones that come and go, the same every time, shape (n_samples,), from -1 to 1."""
    seconds = np.arange(n_samples) / sample_rate
    noise = 0.02 * np.random.default_rng(0).standard_normal(n_samples)
    tones = 0.3 * np.sin(2 * np.pi * 440 * seconds) + 0.2 * np.sin(2 * np.pi * 2600 * seconds)
    return (noise + tones * (np.sin(2 * np.pi * 3 * seconds) > 0)).astype(np.float32)


def _quietly(path: Path, provider: str, threads: int | None) -> Session:
    """The session; what ONNX Runtime would write about a provider that does not start is told by us in one line."""
    onnxruntime.set_default_logger_severity(4)
    try:
        return open_session(path, provider, threads)
    finally:
        onnxruntime.set_default_logger_severity(2)  # its default
