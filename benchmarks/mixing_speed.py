"""How much faster than real time scenes are mixed: drawn, rendered, and written as 16-bit WAV.

    python benchmarks/mixing_speed.py [CLIPS] [--minutes 60] [--jobs 2] [--background]

CLIPS is a folder of clips, CLIPS/<label>/<file>; without one, built-in sounds are made first. Every run begins with no
clip in memory.
"""

import argparse
import importlib.metadata
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hubbub import audio
from hubbub.mixing import Clip, ClipStore, MixConfig, by_label, render, scenes
from hubbub.mixing.builtin.write import write_clips
from hubbub.mixing.write import mix

MEAN_SCENE = 340.0
"""Seconds: the middle of MixConfig's default durations."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--background", action="store_true", help="mix background under the scenes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        clips = clips_of(arguments.clips) if arguments.clips else built_in(Path(scratch) / "clips")
        grouped, backgrounds = by_label(clips)
        config = MixConfig(snr_db=(6, 20) if arguments.background else None)
        n_scenes = max(1, round(arguments.minutes * 60 / MEAN_SCENE))
        print(f"{len(clips)} clips of {len(grouped)} labels; {n_scenes} scenes at {config.sample_rate} Hz; {machine()}")

        start = time.perf_counter()
        store = ClipStore(config.sample_rate, config.activity)
        rendered = sounding = 0.0
        for scene in scenes(grouped, config, n_scenes, 0, backgrounds=backgrounds, store=store):
            _, events = render(scene, store)
            rendered += scene.duration
            sounding += sum(event.duration for event in events)
        report("drawn and rendered, 1 job", rendered, time.perf_counter() - start)

        for jobs in sorted({1, arguments.jobs}):
            start = time.perf_counter()
            mix(grouped, Path(scratch) / f"out{jobs}", config, n_scenes, 0, backgrounds=backgrounds, jobs=jobs)
            name = "1 job" if jobs == 1 else f"{jobs} jobs"
            report(f"drawn, rendered and written, {name}", rendered, time.perf_counter() - start)
        print(f"mean polyphony {sounding / rendered:.2f}")


def clips_of(folder: Path) -> list[Clip]:
    """The clips below a folder, without what a manifest knows of them: mixing needs only the files."""
    paths = [path for path in audio.find(folder) if path.parent.parent == folder]
    return [Clip(path, path.parent.name, f"{path.parent.name}/{path.stem}") for path in paths]


def built_in(folder: Path) -> Sequence[Clip]:
    start = time.perf_counter()
    clips = write_clips(folder, 25, seed=0)
    print(f"{len(clips)} built-in clips made in {time.perf_counter() - start:.1f} s")
    return clips


def machine() -> str:
    packages = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "soundfile"))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"


def report(what: str, rendered: float, seconds: float) -> None:
    print(f"{what}: {rendered / 60:.1f} min in {seconds:.1f} s, {rendered / seconds:.0f} times real time")


if __name__ == "__main__":
    main()
