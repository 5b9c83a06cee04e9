"""Sounds from Debian's packages as a folder of clips, for `scripts/build_detectors.py`.

    python scripts/debian_sounds.py FOLDER [--packages DOWNLOADED]

FOLDER gets `<label>/<source>__<name>.wav` and a manifest.csv that names each clip's package and licence. Which files
of which packages is in `shipping/debian.toml`. Packages are downloaded with `apt-get download` (Debian 12, or a
container of it) into DOWNLOADED, FOLDER/packages where it is not given, and unpacked there; those there already are
taken.
"""

import argparse
import csv
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.clips import MANIFEST
from hubbub.errors import AudioError, DatasetError

TABLE = Path(__file__).parent / "shipping" / "debian.toml"
LEAST_SECONDS = 0.15
COLUMNS = ("label", "file", "source", "source_url_or_repo", "licence", "recording_id", "confidence")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", type=Path)
    given = parser.parse_args()
    packages = given.packages or given.folder / "packages"
    rows = []
    with Reporter().bar("clips") as tick:
        table = tomllib.loads(TABLE.read_text("utf-8"))["sounds"]
        for done, entry in enumerate(table, 1):
            rows += clips_of(entry, unpacked(entry["package"], packages), given.folder)
            tick(done, len(table))
    with (given.folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def unpacked(package: str, folder: Path) -> Path:
    """Where the package's files are; downloads and unpacks it where it is not there yet."""
    place = folder / package
    if not place.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, place], check=True)
    return place


def clips_of(entry: Mapping[str, Any], place: Path, folder: Path) -> list[dict[str, str]]:
    """Writes the clips of an entry of the table; a row of the manifest for each. Raises `DatasetError` for none."""
    without = entry.get("without", ())
    found = sorted(
        {p for pattern in entry["files"] for p in place.glob(pattern) if not any(w in p.name for w in without)}
    )
    chosen = _evenly([each for each in timed(found) if each[1] >= LEAST_SECONDS], entry.get("most"))
    if not chosen:
        raise DatasetError(f"{place}: no file like {entry['files'][0]}; is {entry['package']} of another version?")
    source = f"debian-{entry['package']}"
    rows = []
    for path, duration in chosen:
        name = "-".join((*path.relative_to(place).parts[4:-1], path.stem)).replace(" ", "_")
        number, seconds = entry.get("pieces", (1, duration))
        for piece in range(number):
            start = max(0.0, (duration - seconds) * (piece + 0.5) / number)
            samples, rate = audio.read(path, start=start, duration=min(seconds, duration))
            ending = f"-{piece}" if number > 1 else ""
            target = folder / entry["label"] / f"{source}__{name}{ending}.wav"
            target.parent.mkdir(parents=True, exist_ok=True)
            audio.write(target, samples / max(1.0, float(np.abs(samples).max())), rate, "PCM_16")
            rows.append({
                "label": entry["label"], "file": target.relative_to(folder).as_posix(), "source": source,
                "source_url_or_repo": f"https://packages.debian.org/bookworm/{entry['package']}",
                "licence": entry["licence"], "recording_id": f"deb:{entry['package']}:{name}", "confidence": "A",
            })  # fmt: skip
    return rows


def timed(paths: Sequence[Path]) -> list[tuple[Path, float]]:
    """Recordings and their seconds; some packages hold empty ones, which are left out."""
    found = []
    for path in paths:
        with suppress(AudioError):
            found.append((path, audio.info(path).duration))
    return found


def _evenly(timed: Sequence[tuple[Path, float]], most: int | None) -> list[tuple[Path, float]]:
    """So many of the longer half, evenly."""
    if most is None or len(timed) <= most:
        return list(timed)
    longer = sorted(timed, key=lambda each: each[1])[-max(most, len(timed) // 2) :]
    kept = sorted(longer)
    return [kept[int(k)] for k in np.linspace(0, len(kept) - 1, most)]


if __name__ == "__main__":
    main()
