"""The stand-in for UrbanSound8K: its layout, its folds, its slices, and what stops or goes on."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from hubbub import audio
from hubbub.cli import main
from hubbub.datasets.clips import relative_name
from hubbub.datasets.folds import Recording, deal
from hubbub.datasets.inspection import inspect
from hubbub.datasets.slices import PEAK, noise, under, windows
from hubbub.datasets.stand_in_urbansound8k import MOST_SLICES, SliceStandIn, mix_urbansound8k
from hubbub.datasets.urbansound8k import METADATA, read_urbansound8k
from hubbub.datasets.urbansound8k_protocols import fold_split, leaked, random_split
from hubbub.errors import ConfigError, DatasetError
from hubbub.mixing import Clip

RATE = 4000
RECORDINGS = {"dog_barking": 4, "rain": 3, "siren": 2, "air_conditioner": 3}
FOLDS = 3


def tone(rng: np.random.Generator, seconds: float, rate: int = RATE) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * rng.uniform(200, 900) * times) * rng.uniform(0.5, 1, len(times))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of 1 s; one rain of 12 s, another of two clips and another rate; one clip of confidence C."""
    folder = tmp_path_factory.mktemp("sounds") / "clips"
    rng = np.random.default_rng(0)
    rows = []
    for label, number in (*RECORDINGS.items(), ("background", 3)):
        for index in range(number):
            for part in range(2 if (label, index) == ("rain", 1) else 1):
                path = folder / label / f"{index}-{part}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                rate = 8000 if (label, index) == ("rain", 1) else RATE
                audio.write(path, tone(rng, 12 if (label, index) == ("rain", 0) else 1, rate), rate)
                confidence = "C" if (label, index) == ("air_conditioner", 0) else "A"
                rows.append([relative_name(path, folder), label, f"{label} {index}", "zoo", "CC0-1.0", confidence])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "label", "recording_id", "source", "licence", "confidence"], *rows])
    return folder


@pytest.fixture(scope="module")
def mixed(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> SliceStandIn:
    return mix_urbansound8k(sounds, tmp_path_factory.mktemp("mixed") / "set", seed=3, folds=FOLDS)


def contents(folder: Path) -> dict[str, bytes]:
    return {relative_name(path, folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_is_read_and_inspected_as_the_real_set_is(mixed: SliceStandIn) -> None:
    data = read_urbansound8k(mixed.folder)
    assert data.stand_in and data.missing == data.notes == ()
    assert data.labels == ("dog_bark", "rain")  # by classID: 3 as in the real set, 10 as the first of its own
    assert set(contents(mixed.folder)) == {METADATA, "README.txt", "recipe.json", *(clip.name for clip in data.clips)}
    assert len(data.clips) == mixed.n_slices == sum(mixed.slices.values())
    assert mixed.recordings == {"dog_bark": 4, "rain": 3} and mixed.n_recordings == 7
    for clip in data.clips:
        info = audio.info(clip.path)
        assert info.duration == pytest.approx(clip.end - clip.start, abs=1e-4) and info.duration <= 4
        assert info.subtype in ("PCM_16", "PCM_24") and info.channels in (1, 2)
        assert clip.salience in (1, 2)
    assert mixed.duration == pytest.approx(sum(clip.end - clip.start for clip in data.clips), abs=1e-4)
    found = inspect(mixed.folder)
    assert (found.kind, found.publication) == ("A stand-in for UrbanSound8K", "") and not found.problems
    assert set(found.sample_rates) == {RATE, 8000}  # those of the clips
    assert len(found.folds) == FOLDS and all(set(fold.n_by_label) == {"dog_bark", "rain"} for fold in found.folds)


def test_folds_hold_whole_recordings_and_backgrounds_of_their_own(mixed: SliceStandIn) -> None:
    clips = read_urbansound8k(mixed.folder).clips
    recordings = json.loads((mixed.folder / "recipe.json").read_text())["recordings"]
    for clip in clips:
        assert recordings[clip.recording_id]["fold"] == clip.fold
    folds: dict[str, set[int]] = {}
    for recording in recordings.values():
        folds.setdefault(recording["background"], set()).add(recording["fold"])
    assert None not in folds and all(len(its) == 1 for its in folds.values())
    assert all(leaked(fold_split(clips, fold)) == 0 for fold in range(1, FOLDS + 1))
    assert leaked(random_split(clips, 0)) > 0.5


def test_a_recording_gives_several_slices_alike_but_not_equal(mixed: SliceStandIn) -> None:
    clips = read_urbansound8k(mixed.folder).clips
    numbers = {
        recording["recording_id"]: number
        for number, recording in json.loads((mixed.folder / "recipe.json").read_text())["recordings"].items()
    }
    by_id = {name: [clip for clip in clips if clip.recording_id == number] for name, number in numbers.items()}
    assert [(clip.start, clip.end) for clip in by_id["rain 0"]] == [(n, n + 4) for n in (0, 2, 4, 6, 8)]
    assert len(by_id["rain 1"]) == 6  # three of each of its clips
    short = by_id["dog_barking 2"]
    assert len(short) == 3 and all(0.6 <= clip.end - clip.start <= 0.9 + 1 / RATE for clip in short)
    a, b = (audio.read(clip.path)[0] for clip in short[:2])
    spectra = [np.abs(np.fft.rfft(samples, 1 << 14)) for samples in (a, b)]
    assert abs(int(spectra[0].argmax()) - int(spectra[1].argmax())) <= 20  # the same tone, but for the bins
    assert not np.array_equal(a[:1000], b[:1000])
    levels = [20 * np.log10(audio.read(clip.path)[0].std()) for clip in by_id["rain 0"]]
    assert max(levels) - min(levels) > 1  # each has a gain of its own


def test_it_says_what_it_is_and_what_was_left_out(mixed: SliceStandIn) -> None:
    assert "this is not that data set" in (mixed.folder / "README.txt").read_text()
    recipe = json.loads((mixed.folder / "recipe.json").read_text())
    assert "stand-in" in recipe["what"] and (recipe["seed"], recipe["folds"]) == (3, FOLDS)
    rain = {"class_id": 10, "clips": 4, "recordings": 3, "sources": {"zoo": 4}, "licences": {"CC0-1.0": 4}}
    assert recipe["labels"]["rain"] == rain
    assert {"hubbub", "numpy"} <= set(recipe["versions"])
    assert mixed.notes == (
        "left out, as they have fewer than 3 recordings: air_conditioner (2), siren (2)",
        "left out, as every fold is tested on: 1 clip of confidence C",
        "folds are by recording, as those of the real set, and not by source",
    )


def test_a_run_that_was_killed_goes_on_whatever_the_jobs(mixed: SliceStandIn, sounds: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    out = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        mix_urbansound8k(sounds, out, seed=3, jobs=1, progress=stop, folds=FOLDS)
    assert METADATA not in contents(out)
    (out / "audio/fold1/.1-3-0-0.wav.0123.part").write_bytes(b"RIFF")  # what SIGKILL leaves
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.wav")}
    assert 0 < len(kept) < mixed.n_slices
    mix_urbansound8k(sounds, out, seed=3, jobs=3, folds=FOLDS)
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    assert contents(out) == contents(mixed.folder)


def test_another_set_is_not_cut_into_one_that_is_there(mixed: SliceStandIn, sounds: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds a stand-in of other clips, seed or settings"):
        mix_urbansound8k(sounds, mixed.folder, seed=4, folds=FOLDS)
    (tmp_path / "metadata").mkdir()
    with pytest.raises(ConfigError, match="not mixed here; choose another folder"):
        mix_urbansound8k(sounds, tmp_path, seed=3, folds=FOLDS)


def test_each_fold_has_as_many_recordings_of_a_label_whatever_their_lengths(sounds: Path) -> None:
    paths = [sounds / "rain/0-0.wav", *[sounds / "rain/2-0.wav"] * 5]  # 12 s and five of 1 s
    recordings = [Recording(str(n), {"rain": [Clip(path, "rain", str(n))]}) for n, path in enumerate(paths)]
    deal(recordings, FOLDS, 0)
    assert sorted(recording.fold for recording in recordings) == [1, 1, 2, 2, 3, 3]


def test_fewer_folds_where_recordings_are_few(sounds: Path, tmp_path: Path) -> None:
    few = shutil.copytree(sounds, tmp_path / "clips")
    shutil.rmtree(few / "background")
    lines = (few / "manifest.csv").read_text().splitlines()
    (few / "manifest.csv").write_text("\n".join(line for line in lines if "background" not in line))
    found = mix_urbansound8k(few, tmp_path / "set")
    assert found.n_folds == 3
    assert found.notes[0] == "3 folds and not 10: fewer than 2 labels have 4 recordings"
    assert "too few backgrounds for the folds; noise lies under slices instead" in found.notes
    shutil.rmtree(few / "rain")
    (few / "manifest.csv").unlink()
    shutil.rmtree(few / "air_conditioner")
    with pytest.raises(DatasetError, match="1 of 2 labels have 3 recordings; wanted at least 2 labels with 3 to 10"):
        mix_urbansound8k(few, tmp_path / "none")
    with pytest.raises(ConfigError, match="11 folds; wanted 3 to 10"):
        mix_urbansound8k(few, tmp_path / "none", folds=11)
    assert not (tmp_path / "none").exists()


class TestSlices:
    def test_silence_is_passed_over(self, rng: np.random.Generator) -> None:
        samples = np.zeros(12 * RATE, np.float32)
        samples[: 5 * RATE] = tone(rng, 5)
        assert windows(samples, RATE, rng) == [(first * RATE, (first + 4) * RATE) for first in (0, 2, 4)]
        click = np.zeros(RATE, np.float32)
        click[-1] = 1  # most places miss it
        assert 1 <= len(windows(click, RATE, rng)) <= 3
        assert len(windows(np.zeros(1, np.float32), RATE, rng)) == 3
        assert [end - first for first, end in windows(tone(rng, 7.9), RATE, rng)] == [4 * RATE] * 3  # not two

    @pytest.mark.parametrize("snr_db", [0.0, 20.0])
    def test_levels(self, rng: np.random.Generator, snr_db: float) -> None:
        sound, background = tone(rng, 1).astype(np.float32) / 10, noise(500, rng)  # shorter: it is repeated
        mixed = under(sound, background, (snr_db, snr_db), False, rng).astype(np.float64)
        gain = (mixed @ sound) / (sound @ sound)
        assert -6.5 < 20 * np.log10(gain) < 6.5
        rest = mixed / gain - sound
        assert 10 * np.log10(np.mean(sound**2) / np.mean(rest**2)) == pytest.approx(snr_db, abs=1.0)

    def test_stereo_and_peak(self, rng: np.random.Generator) -> None:
        mixed = under(np.full(100, 5, np.float32), noise(300, rng), (0, 0), True, rng)
        assert mixed.shape == (100, 2) and np.abs(mixed).max() == pytest.approx(PEAK)
        assert not np.array_equal(mixed[:, 0], mixed[:, 1])


def test_a_recording_gives_no_more_than_the_most(sounds: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    many = shutil.copytree(sounds, tmp_path / "clips")
    audio.write(many / "rain/0-0.wav", tone(rng, 30), RATE)
    found = mix_urbansound8k(many, tmp_path / "set", folds=FOLDS)
    assert inspect(found.folder).clips_of_recordings[MOST_SLICES] == 1


def test_the_command(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["hubbub", "mix", str(sounds), str(tmp_path / "set"), "--recipe", "urbansound8k", "--jobs", "1"]
    )
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().err
    assert end.value.code == 0
    text = " ".join(told.split())
    assert "a stand-in for UrbanSound8K, 26 slices of 7 recordings, 3 folds, " in text
    assert "are of recordings trained on; split by fold, none" in text
    assert "note: left out, as they have fewer than 3 recordings: air_conditioner (2), siren (2)" in text
    (row,) = (line.split() for line in told.splitlines() if line.startswith("dog_bark"))
    assert row == ["dog_bark", "12", "4"]
