"""What `pip install .` brings, without extras: installed in a fresh environment, weighed, and tried.

    python benchmarks/install_size.py [--most 420]

Prints the size of the environment's packages, MB (millions of bytes in files, compiled modules included), the largest
of them first, and whether `hubbub detect` works there with the detector that ships. Exits with 1 where it weighs more
than `--most` MB, holds PyTorch or does not detect. It downloads what it installs.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SHOWN = 12
WEIGH = """
import json, sys, sysconfig
from importlib.metadata import distributions
from pathlib import Path
folder = Path(sysconfig.get_path("purelib"))
sizes = {}
for each in distributions(path=[str(folder)]):
    files = [Path(each.locate_file(file)) for file in each.files or []]
    sizes[f"{each.name} {each.version}"] = sum(file.stat().st_size for file in files if file.is_file())
whole = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
json.dump({"whole": whole, "sizes": sizes, "torch": (folder / "torch").exists()}, sys.stdout)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=float, default=420.0, help="MB")
    most = parser.parse_args().most
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = folder / "source"  # a build leaves files behind
        shutil.copytree(ROOT / "hubbub", source / "hubbub", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        venv.create(folder / "env", with_pip=True)
        programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(
            [programs / "python", "-m", "pip", "install", "--quiet", source], check=True, env=clean, cwd=folder
        )
        done = subprocess.run(
            [programs / "python", "-c", WEIGH], capture_output=True, check=True, env=clean, cwd=folder
        )
        found = json.loads(done.stdout)
        write_noise(folder / "noise.wav")
        detected = subprocess.run(
            [programs / "hubbub", "detect", folder / "noise.wav"],
            capture_output=True, text=True, env=clean, cwd=folder, check=False,
        )  # fmt: skip
    works = detected.returncode == 0 and "noise.wav\t" in detected.stdout
    size = found["whole"] / 1e6
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    print("| package | MB |\n|---|---:|")
    ordered = sorted(found["sizes"].items(), key=lambda pair: -pair[1])
    for name, n_bytes in ordered[:SHOWN]:
        print(f"| {name} | {n_bytes / 1e6:.1f} |")
    print(f"| {len(ordered) - SHOWN} others | {sum(n_bytes for _, n_bytes in ordered[SHOWN:]) / 1e6:.1f} |")
    print(f"| **all of site-packages** | **{size:.0f}** |\n")
    print(
        f"PyTorch: {'is there' if found['torch'] else 'none'}; hubbub detect: {'works' if works else 'does not work'}"
    )
    if not works:
        print(detected.stderr, file=sys.stderr)
    sys.exit(0 if works and size < most and not found["torch"] else 1)


def write_noise(path: Path) -> None:
    """Ten seconds of noise at 44.1 kHz, 16 bits."""
    samples = np.random.default_rng(0).normal(0, 1000, 441_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
