"""The clips of ESC-50 as a folder of clips, for `scripts/build_detectors.py`.

    python scripts/esc50_sounds.py ESC50 FOLDER [--better COPY ...]

ESC50 is a checkout of https://github.com/karolpiczak/ESC-50 (Piczak 2015, doi 10.1145/2733373.2806390), or a folder
with its LICENSE and its clips at whatever rate, somewhere below. FOLDER gets `<label>/<clip>` and a manifest.csv. COPY,
another folder of some of the clips, is taken where its rate is higher.

The data set as a whole is CC BY-NC; its LICENSE says of every clip whose it is and under what licence, which is what
the manifest gets. People who recorded are shared out among five sources, `esc50-1` to `esc50-5`: whoever is in one of
them is in none of the others.
"""

import argparse
import csv
import hashlib
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.clips import MANIFEST
from hubbub.errors import DatasetError
from hubbub.files import make_folder

PLACE = "ESC-50, https://github.com/karolpiczak/ESC-50"
PARTS = 5
HEADING = re.compile(r"\d{3} - (.+):$")
ENTRY = re.compile(
    r"- \[(?P<stem>\d-\d+-[A-Z])d?\.ogg\]: +clip derived from (?P<title>.+?) *"
    r"\(https?://(?:www\.)?freesound\.org/people/(?P<by>[^/]+)/sounds/(?P<number>\d+)/?\).*\[(?P<licence>CC[^\]]*)\]"
)
LABELS = {
    "cat": "cat_meowing",
    "chirping_birds": "bird_singing",
    "clapping": "crowd_applause",
    "crying_baby": "baby_crying",
    "dog": "dog_barking",
    "engine": "engine_idling",
    "glass_breaking": "glass_smash",
    "siren": "alarms_and_sirens",
    "thunderstorm": "thunder",
}
"""Ours for theirs, where they differ."""
COLUMNS = ("label", "file", "source", "source_url_or_repo", "licence", "recording_id", "author", "title", "confidence")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("esc50", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--better", type=Path, action="append", default=[], help="Another folder of some of the clips.")
    given = parser.parse_args()
    named = entries(given.esc50 / "LICENSE")
    rows = []
    with Reporter().bar("clips") as tick:
        for done, (stem, path) in enumerate(sorted(copies([given.esc50, *given.better]).items()), 1):
            rows.append(row(stem, path, named, given.folder))
            tick(done, len(named))
    with (given.folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def entries(licences: Path) -> dict[str, dict[str, str]]:
    """By the stem of a clip what LICENSE says of it. Raises `DatasetError` for a line that says too little of one."""
    found: dict[str, dict[str, str]] = {}
    kind = ""
    for number, line in enumerate(licences.read_text("utf-8").splitlines(), 1):
        if heading := HEADING.match(line):
            kind = heading[1]
        elif line.startswith("- ["):
            entry = ENTRY.match(line)
            if entry is None:
                raise DatasetError(f"{licences}:{number}: wanted a clip, its origin and its licence; got {line!r}")
            found[entry["stem"]] = entry.groupdict() | {"kind": kind}
    return found


def copies(folders: list[Path]) -> dict[str, Path]:
    """The copy of each clip with the highest rate, by its stem; of equal ones the first."""
    best: dict[str, tuple[int, Path]] = {}
    for folder in folders:
        for path in sorted(audio.find(folder)):
            stem = "-".join(path.stem.split("-")[:3])  # theirs ends in the number of the kind
            rate = audio.info(path).sample_rate
            if rate > best.get(stem, (0, path))[0]:
                best[stem] = rate, path
    return {stem: path for stem, (_, path) in best.items()}


def row(stem: str, path: Path, named: dict[str, dict[str, str]], folder: Path) -> dict[str, str]:
    """Copies a clip; its row of the manifest. Raises `DatasetError` for one that LICENSE does not name."""
    if stem not in named:
        raise DatasetError(f"{path}: LICENSE says nothing of {stem}; wanted the clips of ESC-50")
    entry = named[stem]
    kind = re.sub(r"[^a-z]+", "_", entry["kind"].lower()).strip("_")
    label, author = LABELS.get(kind, kind), unquote(entry["by"])
    part = int(hashlib.sha256(author.encode()).hexdigest(), 16) % PARTS + 1
    target = folder / label / f"esc50__{stem}{path.suffix}"
    make_folder(target.parent, DatasetError)
    shutil.copyfile(path, target)
    return {
        "label": label, "file": target.relative_to(folder).as_posix(), "source": f"esc50-{part}",
        "source_url_or_repo": PLACE, "licence": f"{entry['licence']} (ESC-50)",
        "recording_id": f"fs:{entry['number']}", "author": author, "title": entry["title"], "confidence": "A",
    }  # fmt: skip


if __name__ == "__main__":
    main()
