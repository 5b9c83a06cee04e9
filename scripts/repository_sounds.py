"""Sounds from public repositories as a folder of clips, for `scripts/build_detectors.py`.

    python scripts/repository_sounds.py FOLDER [--clones CLONES]

FOLDER gets `<label>/<source>__<name>` and a manifest.csv that names each clip's repository, licence, author and
recording. Which files of which repositories, at which commit, is in `shipping/repositories.tsv`, with whose they are,
under what licence, and which file of the repository says so. Repositories are cloned with git from github.com into
CLONES, FOLDER/clones where it is not given; those there already are taken. FLAC in OGG is made plain FLAC by ffmpeg.
"""

import argparse
import csv
import re
import subprocess
from pathlib import Path, PurePosixPath

from hubbub.console import Reporter
from hubbub.datasets.clips import MANIFEST
from hubbub.datasets.tables import Row, read_rows
from hubbub.errors import DatasetError
from hubbub.files import make_folder

TABLE = Path(__file__).parent / "shipping" / "repositories.tsv"
ASKED = ("repository", "commit", "path", "label", "source", "licence", "author", "recording", "said_in")
COLUMNS = ("label", "file", "source", "source_url_or_repo", "licence", "recording_id", "author", "confidence")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clones", type=Path)
    given = parser.parse_args()
    named = read_rows(TABLE, ASKED, "\t")
    rows = []
    with Reporter().bar("clips") as tick:
        for done, entry in enumerate(named, 1):
            rows.append(row(entry, given.clones or given.folder / "clones", given.folder))
            tick(done, len(named))
    with (given.folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def cloned(repository: str, clones: Path) -> Path:
    """Where the repository's objects are; clones it where it is not there yet."""
    place = clones / repository.replace("/", "+")
    if not place.is_dir():
        make_folder(clones, DatasetError)
        address = f"https://github.com/{repository}"
        subprocess.run(["git", "clone", "--quiet", "--bare", "--filter=blob:none", address, place], check=True)
    return place


def row(entry: Row, clones: Path, folder: Path) -> dict[str, str]:
    """Takes a file out of its repository; its row of the manifest. Raises `DatasetError` where it is not there."""
    repository, commit, path = entry["repository"], entry["commit"], entry["path"]
    place = cloned(repository, clones)
    got = subprocess.run(["git", f"--git-dir={place}", "cat-file", "blob", f"{commit}:{path}"], capture_output=True)
    if got.returncode:
        raise DatasetError(f"{place}: no {path} at {commit}; {got.stderr.decode(errors='replace').strip()}")
    inside = PurePosixPath(path)
    name = re.sub(r"[^\w.-]+", "_", "-".join((*inside.parts[-2:-1], inside.name)))
    target = folder / entry["label"] / f"{entry['source']}__{name}"
    make_folder(target.parent, DatasetError)
    target.write_bytes(got.stdout)
    if b"\x7fFLAC" in got.stdout[:64]:  # FLAC in OGG, which libsndfile does not read
        taken, target = target, target.with_suffix(".flac")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", taken, "-c:a", "flac", target], check=True)
        taken.unlink()
    return {
        "label": entry["label"], "file": target.relative_to(folder).as_posix(), "source": entry["source"],
        "source_url_or_repo": f"https://github.com/{repository}", "licence": entry["licence"],
        "recording_id": entry["recording"], "author": entry["author"], "confidence": "A",
    }  # fmt: skip


if __name__ == "__main__":
    main()
