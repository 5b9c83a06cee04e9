"""The script that makes a folder of clips of files in public repositories."""

import csv
import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hubbub import audio
from hubbub.datasets.clips import read_clips
from hubbub.errors import DatasetError

SCRIPT = Path(__file__).parents[1] / "scripts" / "repository_sounds.py"
SPEC = importlib.util.spec_from_file_location("repository_sounds", SCRIPT)
repository_sounds = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(repository_sounds)

ENTRY = {
    "repository": "somebody/game", "path": "sounds/dog bark.wav", "label": "dog_barking", "source": "game",
    "licence": "CC0", "author": "rover", "recording": "fs:17", "said_in": "CREDITS.md",
}  # fmt: skip


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "sounds").mkdir(parents=True)
    audio.write(made / "sounds" / "dog bark.wav", np.full(16000, 0.1, np.float32), 16000)
    git(made, "init", "--quiet")
    git(made, "add", ".")
    git(made, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "x")
    git(tmp_path, "clone", "--quiet", "--bare", "made", "clones/somebody+game")
    return tmp_path / "clones"


def git(place: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, text=True).stdout.strip()


def run(monkeypatch: pytest.MonkeyPatch, clones: Path, out: Path, **changed: str) -> list[dict[str, str]]:
    entry = {"commit": git(clones / "somebody+game", "rev-parse", "HEAD")} | ENTRY | changed
    table = clones / "table.tsv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, entry, delimiter="\t")
        writer.writeheader()
        writer.writerow(entry)
    monkeypatch.setattr(repository_sounds, "TABLE", table)
    monkeypatch.setattr("sys.argv", ["repository_sounds.py", str(out), "--clones", str(clones)])
    repository_sounds.main()
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_file_becomes_a_clip_with_whose_it_is(monkeypatch, tmp_path, clones):
    (row,) = run(monkeypatch, clones, tmp_path / "clips")
    assert (row["author"], row["licence"], row["recording_id"]) == ("rover", "CC0", "fs:17")
    assert row["source_url_or_repo"] == "https://github.com/somebody/game"
    (clip,) = read_clips(tmp_path / "clips")
    assert (clip.label, clip.source, clip.path.name) == ("dog_barking", "game", "game__sounds-dog_bark.wav")
    assert audio.info(clip.path).duration == 1.0


def test_a_file_that_is_not_there_is_told(monkeypatch, tmp_path, clones):
    with pytest.raises(DatasetError, match=r"somebody\+game: no sounds/cat\.wav at [0-9a-f]{40}"):
        run(monkeypatch, clones, tmp_path / "clips", path="sounds/cat.wav")


def test_the_table_in_the_repository_is_whole():
    rows = repository_sounds.read_rows(repository_sounds.TABLE, repository_sounds.ASKED, "\t")
    assert len(rows) > 100
    files = [(row["repository"], row["path"]) for row in rows]
    assert len(set(files)) == len(files)
    assert all(len(row["commit"]) == 40 and row["said_in"] and row["author"] for row in rows)
