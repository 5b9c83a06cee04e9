"""The script that makes a folder of clips of ESC-50."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from hubbub import audio
from hubbub.datasets.clips import read_clips
from hubbub.errors import DatasetError

SCRIPT = Path(__file__).parents[1] / "scripts" / "esc50_sounds.py"
SPEC = importlib.util.spec_from_file_location("esc50_sounds", SCRIPT)
esc50_sounds = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(esc50_sounds)

LICENSE = """# ESC-50: Dataset for Environmental Sound Classification

The dataset as a whole is available under the terms of the Creative Commons
Attribution-NonCommercial license (http://creativecommons.org/licenses/by-nc/3.0/).

## Licensing/attribution details for individual clips:

101 - Dog:
- [1-100-A.ogg]: clip derived from rose.wav (http://www.freesound.org/people/x/sounds/100/) by x [CC0]
- [1-200-A.ogg]:  clip derived from a dog (near) (http://freesound.org/people/Bob%20B/sounds/200/) by Bob B [CC-BY]

404 - Door - wood creaks:
- [3-300-Bd.ogg]: clip derived from [creak[1]](http://www.freesound.org/people/x/sounds/300/) by x [CC-Sampling+]
"""


@pytest.fixture
def esc50(tmp_path: Path) -> Path:
    folder = tmp_path / "esc50"
    (folder / "audio").mkdir(parents=True)
    (folder / "LICENSE").write_text(LICENSE, "utf-8")
    for name in ("1-100-A-0", "1-200-A-0", "3-300-B-33"):
        audio.write(folder / "audio" / f"{name}.wav", np.full(16000, 0.1, np.float32), 16000)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> list[dict[str, str]]:
    monkeypatch.setattr("sys.argv", ["esc50_sounds.py", *map(str, arguments)])
    esc50_sounds.main()
    with (arguments[1] / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_clip_gets_its_own_licence_and_author(esc50, tmp_path, monkeypatch):
    rows = run(monkeypatch, esc50, tmp_path / "out")
    assert [(row["label"], row["licence"], row["recording_id"], row["author"], row["title"]) for row in rows] == [
        ("dog_barking", "CC0 (ESC-50)", "fs:100", "x", "rose.wav"),
        ("dog_barking", "CC-BY (ESC-50)", "fs:200", "Bob B", "a dog (near)"),
        ("door_wood_creaks", "CC-Sampling+ (ESC-50)", "fs:300", "x", "[creak[1]]"),
    ]
    assert rows[0]["source"] == rows[2]["source"], "whoever recorded two clips is in one source"
    clips = read_clips(tmp_path / "out")
    assert sorted(clip.label for clip in clips) == ["dog_barking", "dog_barking", "door_wood_creaks"]


def test_the_copy_with_the_higher_rate_is_taken(esc50, tmp_path, monkeypatch):
    better = tmp_path / "better"
    better.mkdir()
    audio.write(better / "1-200-A.wav", np.full(44100, 0.1, np.float32), 44100)
    rows = run(monkeypatch, esc50, tmp_path / "out", "--better", better)
    assert [audio.info(tmp_path / "out" / row["file"]).sample_rate for row in rows] == [16000, 44100, 16000]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("[CC-BY]", ""), ":10: wanted a clip, its origin and its licence"),
        (("- [1-200-A.ogg]", "(1-200-A.ogg)"), "says nothing of 1-200-A"),
    ],
)
def test_a_clip_whose_licence_is_not_told_is_refused(esc50, tmp_path, monkeypatch, change, named):
    (esc50 / "LICENSE").write_text(LICENSE.replace(*change), "utf-8")
    with pytest.raises(DatasetError, match=named):
        run(monkeypatch, esc50, tmp_path / "out")
