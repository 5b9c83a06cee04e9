"""How fast and how small: an hour and ten hours through `hubbub detect`, in fresh processes.

    python benchmarks/detection_speed.py my.onnx [--hours 1 10] [--runs 3]

Makes noise with bursts as FLAC and WAV at 44.1 kHz, then measures wall time, processor time and the peak memory of the
whole command, start of Python included. The audio is deleted afterwards.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

RATE = 44100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector", type=Path)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--suffix", nargs="+", default=[".wav", ".flac"])
    arguments = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"onnxruntime {onnxruntime.__version__}, soundfile {soundfile.__version__}")
    print("hours  file    wall s (median)  cpu s   peak MB   times real time")
    with tempfile.TemporaryDirectory() as folder:
        for hours in arguments.hours:
            for suffix in arguments.suffix:
                path = Path(folder) / f"long{suffix}"
                write(path, hours)
                runs = [measure(arguments.detector, path) for _ in range(arguments.runs)]
                wall, cpu, peak = (statistics.median(values) for values in zip(*runs, strict=True))
                ratio = hours * 3600 / wall
                print(f"{hours:5.1f}  {suffix:6}  {wall:15.2f}  {cpu:5.2f}  {peak:8.0f}   {ratio:.0f}")
                path.unlink()


def write(path: Path, hours: float) -> None:
    rng = np.random.default_rng(0)
    minute = 0.05 * rng.standard_normal(60 * RATE) * np.repeat(rng.uniform(size=120) > 0.5, RATE // 2)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(minute.astype(np.float32))


def measure(detector: Path, path: Path) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak megabytes of one command."""
    code = (
        "import resource, sys; from hubbub.cli import main\n"
        f"sys.argv = ['hubbub', 'detect', {str(path)!r}, '--model', {str(detector)!r}]\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, int(done.stderr.split()[-1]) / 1024


if __name__ == "__main__":
    main()
