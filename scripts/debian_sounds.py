"""Sounds from Debian's packages as a folder of clips, for `scripts/build_detectors.py`.

    python scripts/debian_sounds.py FOLDER [--packages DOWNLOADED]

FOLDER gets `<label>/<source>__<name>.wav` and a manifest.csv that names each clip's package and licence. Which files
of which packages is in `shipping/debian.toml`. Packages are downloaded with `apt-get download` (Debian 12, or a
container of it) into DOWNLOADED, FOLDER-packages where it is not given, and unpacked there; those there already are
taken. Scores are played and sentences spoken by programs: `apt-get install fluidsynth flite espeak-ng`. Some scores
are composed here: `pip install mido`.
"""

import argparse
import csv
import struct
import subprocess
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from shipping import composing

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.clips import MANIFEST
from hubbub.errors import AudioError, DatasetError
from hubbub.files import make_folder

TABLE = Path(__file__).parent / "shipping" / "debian.toml"
LEAST_SECONDS = 0.15
SENTENCES = (
    "Could you pass me the salt, please?",
    "The train to the coast leaves at half past nine from platform four.",
    "No, I have not seen him since yesterday evening.",
    "Listen! There is somebody at the door.",
    "One, two, three, four, five, six, seven, eight, nine, ten.",
    "We should have turned left behind the bridge, as the map said.",
    "What a beautiful morning it is, and how quiet.",
    "Put the kettle on, and then tell me all about it.",
)
Named = list[tuple[str, Path]]
"""Recordings and what they are called."""
COLUMNS = ("label", "file", "source", "source_url_or_repo", "licence", "recording_id", "confidence")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", type=Path)
    given = parser.parse_args()
    packages = given.packages or given.folder.with_name(f"{given.folder.name}-packages")
    table = tomllib.loads(TABLE.read_text("utf-8"))
    made_by = {"sounds": recorded, "lumps": lumps, "scores": played, "pieces": composed, "spoken": spoken}
    addresses = table["addresses"]
    entries = [(made_by[kind], entry) for kind in made_by for entry in table[kind]]
    work = [(make, entry | {"address": addresses.get(entry["package"])}) for make, entry in entries]
    rows = []
    with Reporter().bar("clips") as tick:
        for done, (make, entry) in enumerate(work, 1):
            rows += clips_of(entry, make(entry, packages), given.folder)
            tick(done, len(work))
    with (given.folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def unpacked(package: str, folder: Path, address: str | None = None) -> Path:
    """Where the package's files are; downloads and unpacks it, from `address` or by apt, where it is not there yet."""
    place = folder / package
    if not place.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob(f"{package}_*.deb")):
            if address is not None:
                urllib.request.urlretrieve(address, folder / f"{package}_.deb")
            else:
                subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, place], check=True)
    return place


def recorded(entry: Mapping[str, Any], packages: Path) -> Named:
    """Recordings as the package has them. Raises `DatasetError` for none."""
    place = unpacked(entry["package"], packages, entry["address"])
    without = entry.get("without", ())
    paths = [path for path in files_of(entry, place) if not any(word in path.name for word in without)]
    chosen = _evenly([each for each in timed(paths) if each[1] >= LEAST_SECONDS], entry.get("most"))
    return [("-".join((*path.relative_to(place).parts[4:-1], path.stem)), path) for path, _ in chosen]


def lumps(entry: Mapping[str, Any], packages: Path) -> Named:
    """Sounds from a game's data file: 8 bits, after a header of kind, rate and length."""
    found = []
    for name, data in _lumps(entry, packages):
        if name in entry["names"]:
            _, rate, n_samples = struct.unpack("<HHI", data[:8])
            samples = np.frombuffer(data[8 : 8 + n_samples], np.uint8).astype(np.float32) / 128 - 1
            path = packages / f"{entry['package']}-made" / f"{name}.wav"
            make_folder(path.parent, DatasetError)
            audio.write(path, samples, rate)
            found.append((name, path))
    return found


def played(entry: Mapping[str, Any], packages: Path) -> Named:
    """Scores from a game's data file, played by FluidSynth."""
    package, file = entry["soundfont"]
    soundfont = unpacked(package, packages) / file
    found = []
    for name, data in _lumps(entry, packages):
        if data[:4] != b"MThd":
            continue
        score = packages / f"{entry['package']}-made" / f"{name}.mid"
        make_folder(score.parent, DatasetError)
        score.write_bytes(data)
        found.append((name, _played(score, soundfont)))
    return found


def composed(entry: Mapping[str, Any], packages: Path) -> Named:
    """Scores composed at random, played with a package's soundfont."""
    soundfont = unpacked(entry["package"], packages) / entry["soundfont"]
    found = []
    for index in range(entry["most"]):
        score = packages / f"{entry['source']}-made" / f"{index:03d}.mid"
        make_folder(score.parent, DatasetError)
        rng = np.random.default_rng([entry["seed"], index])
        composing.score(composing.composed(rng, entry["drums_alone"])).save(score)
        found.append((score.stem, _played(score, soundfont)))
    return found


def _played(score: Path, soundfont: Path) -> Path:
    path = score.with_suffix(".wav")
    if not path.is_file():
        subprocess.run(["fluidsynth", "-niq", "-r", "22050", "-F", path, soundfont, score], check=True)
    return path


def spoken(entry: Mapping[str, Any], packages: Path) -> Named:
    """Each sentence by each voice of a program."""
    found = []
    for voice in entry["voices"]:
        for index, text in enumerate(SENTENCES):
            path = packages / f"{entry['package']}-made" / f"{voice}-{index}.wav"
            if not path.is_file():
                make_folder(path.parent, DatasetError)
                words = [word.format(voice=voice, file=path, text=text) for word in entry["command"]]
                subprocess.run(words, check=True)
            found.append((path.stem, path))
    return found


def _lumps(entry: Mapping[str, Any], packages: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each lump of the data files (WAD: a header, lumps, and at the end their directory)."""
    for path in files_of(entry, unpacked(entry["package"], packages)):
        data = path.read_bytes()
        n_lumps, directory = struct.unpack("<II", data[4:12])
        for start in range(directory, directory + 16 * n_lumps, 16):
            first, size, name = struct.unpack("<II8s", data[start : start + 16])
            yield name.rstrip(b"\0").decode("ascii"), data[first : first + size]


def files_of(entry: Mapping[str, Any], place: Path) -> list[Path]:
    """The files that the entry names. Raises `DatasetError` for none."""
    found = sorted({path for pattern in entry["files"] for path in place.glob(pattern)})
    if not found:
        raise DatasetError(f"{place}: no file like {entry['files'][0]}; is {entry['package']} of another version?")
    return found


def clips_of(entry: Mapping[str, Any], named: Named, folder: Path) -> list[dict[str, str]]:
    """Writes recordings, whole or in pieces, as clips; a row of the manifest for each."""
    source = entry.get("source", f"debian-{entry['package']}")
    suite = "trixie" if entry["address"] else "bookworm"
    rows = []
    for given_name, path in named:
        name = given_name.replace(" ", "_")
        duration = audio.info(path).duration
        number, seconds = entry.get("pieces", (1, duration))
        for piece in range(number):
            start = max(0.0, (duration - seconds) * (piece + 0.5) / number)
            samples, rate = audio.read(path, start=start, duration=min(seconds, duration))
            ending = f"-{piece}" if number > 1 else ""
            target = folder / entry["label"] / f"{source}__{name}{ending}.wav"
            make_folder(target.parent, DatasetError)
            audio.write(target, samples / max(1.0, float(np.abs(samples).max())), rate, "PCM_16")
            rows.append({
                "label": entry["label"], "file": target.relative_to(folder).as_posix(), "source": source,
                "source_url_or_repo": f"https://packages.debian.org/{suite}/{entry['package']}",
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
