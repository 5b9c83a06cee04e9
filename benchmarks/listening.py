"""Where the time of `hubbub detect` goes: the command on an hour of audio beside what its parts cost alone.

    python benchmarks/listening.py [DETECTOR ...] [--minutes 60] [--runs 3]

DETECTOR is a file or the name of one that ships (small and tiny where none is given). For each it prints, medians of
`--runs` by turns, each command in a fresh process from the shell: an hour of 44.1 kHz 16-bit WAV and of FLAC, and ten
seconds; the parts of the WAV's hour, one by one on one thread in this process: decoding, resampling, the graph,
and decisions; and a hop of 20 ms, streamed on one thread. Two cores at best need half of what the parts take together,
and the start of Python before it; the last column is how far the command is from that. What it computes on top, the
last run before each stretch that is heard beside another, is no part and counts against it.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from detection_speed import write

import hubbub
from hubbub import audio
from hubbub.detectors import path_of

RATE = 44100
HOP_SECONDS = 20.0
"""Of audio that is streamed hop by hop."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detectors", nargs="*", default=["small", "tiny"])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("hubbub", "onnxruntime", "soundfile", "soxr"))
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    seconds = 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as folder:
        wav, flac, clip = (Path(folder) / name for name in ("long.wav", "long.flac", "clip.wav"))
        write(wav, arguments.minutes / 60)
        write(flac, arguments.minutes / 60)
        audio.write(clip, audio.read(wav, duration=10.0)[0], RATE, "PCM_16")
        start = middle(lambda: command("--help"), arguments.runs)
        print(f"start of the program (its --help): {start:.2f} s; {arguments.minutes:g} minutes of audio, seconds:\n")
        print("| detector | wav | × real time | flac | × real time | ten-second clip | wav / floor |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        told = []
        for name in arguments.detectors:
            path = path_of(name)
            whole: dict[Path, list[float]] = {wav: [], flac: [], clip: []}
            for _ in range(arguments.runs):
                for recording, took in whole.items():
                    took.append(command("detect", str(recording), "--model", str(path)))
            medians = {recording: statistics.median(took) for recording, took in whole.items()}
            parts = parts_of(path, wav, arguments.runs)
            floor = start + sum(parts.values()) / 2
            print(
                f"| {name} | {medians[wav]:.2f} | {seconds / medians[wav]:.0f} | {medians[flac]:.2f} | "
                f"{seconds / medians[flac]:.0f} | {medians[clip]:.2f} | {medians[wav] / floor:.2f} |",
                flush=True,
            )
            hop = hop_milliseconds(path, wav)
            told.append(
                f"{name}: {', '.join(f'{part} {took:.2f} s' for part, took in parts.items())}; "
                f"a hop of the stream {hop:.2f} ms, one thread"
            )
        print("\n" + "\n".join(told))


def command(*words: str) -> float:
    """Seconds of one command in a fresh process."""
    begun = time.perf_counter()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    subprocess.run([sys.executable, "-m", "hubbub", *words], capture_output=True, check=True, env=kept)
    return time.perf_counter() - begun


def middle(work: Callable[[], float], runs: int) -> float:
    """The median of what `work` says."""
    return statistics.median(work() for _ in range(runs))


def parts_of(detector: Path, recording: Path, runs: int) -> dict[str, float]:
    """Seconds on one thread of each part alone; resampling and decisions are what a step more costs."""
    opened = hubbub.load(detector, device="cpu", threads=1)
    samples, _ = audio.read(recording, opened.sample_rate)
    found = opened.probabilities(samples)
    at_its_rate = middle(lambda: timed(lambda: [len(block) for block in audio.blocks(recording, RATE)]), runs)
    resampled = middle(
        lambda: timed(lambda: [len(block) for block in audio.blocks(recording, opened.sample_rate)]), runs
    )
    graph = middle(lambda: timed(lambda: opened.probabilities(samples)), runs)
    return {
        "decoding": at_its_rate,
        "resampling": resampled - at_its_rate,
        "graph": graph,
        "decisions": middle(lambda: timed(lambda: opened.decide(found)), runs),
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds of a call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def hop_milliseconds(detector: Path, recording: Path) -> float:
    """The median time to push a hop."""
    opened = hubbub.load(detector, device="cpu", threads=1)
    samples, _ = audio.read(recording, opened.sample_rate, duration=HOP_SECONDS)
    hop = opened.metadata.hop
    stream, took = opened.stream(), []
    for start in range(0, len(samples) - hop, hop):
        block = np.ascontiguousarray(samples[start : start + hop])
        took.append(timed(lambda block=block: stream.push(block)))  # type: ignore[misc]
    return 1000 * statistics.median(took)


if __name__ == "__main__":
    main()
