"""The stand-in for TUT-SED Synthetic 2016: its layout, its sides, its labels, and what stops or goes on."""

import csv
import functools
import json
import shutil
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hubbub import annotations, audio
from hubbub.cli import main
from hubbub.datasets import stand_in
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.split import SIDES
from hubbub.datasets.split_file import read_split
from hubbub.datasets.stand_in import StandIn, mix_tut2016
from hubbub.datasets.tut2016 import read_tut2016
from hubbub.errors import ConfigError, DatasetError
from hubbub.events import Event
from hubbub.mixing import Clip, ClipStore, MixConfig, Scene, render, sample_scene
from hubbub.mixing.builtin.write import write_clips

LABELS = ["cat_meowing", "dog_barking", "footsteps", "gun_shot", "rain"]
N_MIXTURES = (3, 1, 2)
N = sum(N_MIXTURES)
TEST, VALIDATION, TRAIN = range(2), range(2, 3), range(3, 6)
STEM = "TUT-SED-synthetic-2016"
mix_small = functools.partial(mix_tut2016, n_mixtures=N_MIXTURES, minutes=1.0)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built-in clips, two of each recording and some of confidence C, with a label that the real set does not have."""
    folder = tmp_path_factory.mktemp("sounds") / "clips"
    write_clips(folder, 10, seed=2, labels=LABELS)
    shutil.copytree(folder / "rain", folder / "drilling")
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        number = int(Path(row["file"]).stem[-3:])
        row["recording_id"] = f"{row['label']} {number // 2}"
        row["confidence"] = "C" if number >= 8 else "A"
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def mixed(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return mix_small(sounds, tmp_path_factory.mktemp("mixed") / "set", seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {relative_name(path, folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def scene_of(folder: Path, number: int) -> Scene:
    return Scene.from_json((folder / f"scenes/{STEM}-mix-{number}.json").read_text())


def rows_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_the_layout_is_that_of_the_real_set(mixed: StandIn) -> None:
    expected = {"README.txt", "recipe.json", "split.tsv"}
    expected |= {f"evaluation_setup/{name}.txt" for name in ("train+validate", "validate", "test", "evaluate")}
    for number in range(N):
        expected |= {f"audio/{STEM}-mix-{number}.wav", f"meta/{STEM}-annot-{number}.txt"}
        expected.add(f"scenes/{STEM}-mix-{number}.json")
    assert set(contents(mixed.folder)) == expected
    infos = [audio.info(mixed.folder / f"audio/{STEM}-mix-{number}.wav") for number in range(N)]
    assert {(info.sample_rate, info.channels, info.subtype) for info in infos} == {(44100, 1, "PCM_32")}
    assert sum(info.duration for info in infos) == pytest.approx(60.0, abs=0.01)
    assert len({info.n_samples for info in infos}) == N
    for row in rows_of(mixed.folder / f"meta/{STEM}-annot-0.txt"):
        onset, offset, label = row
        assert 0 <= float(onset) < float(offset) <= infos[0].duration + 1e-6
        assert label in LABELS


def test_the_lists_name_every_mixture_on_one_side(mixed: StandIn) -> None:
    setup = mixed.folder / "evaluation_setup"
    for name, numbers in {
        "test": TEST,
        "evaluate": TEST,
        "validate": VALIDATION,
        "train+validate": [*VALIDATION, *TRAIN],
    }.items():
        rows = rows_of(setup / f"{name}.txt")
        if name == "test":
            assert rows == [[f"audio/{STEM}-mix-{number}.wav"] for number in numbers]
        else:
            assert rows == [
                [f"audio/{STEM}-mix-{number}.wav", "synthetic", *event, "m"]
                for number in numbers
                for event in rows_of(mixed.folder / f"meta/{STEM}-annot-{number}.txt")
            ]


def test_it_is_read_as_the_real_set_is(mixed: StandIn) -> None:
    data = read_tut2016(mixed.folder)
    assert {side: len(data.sides[side]) for side in SIDES} == dict(zip(SIDES, N_MIXTURES, strict=True))
    events = [event for recording in data.recordings for event in recording.events]
    assert mixed.events == {label: sum(event.label == label for event in events) for label in LABELS}
    for label in LABELS:
        total = sum(event.offset - event.onset for event in events if event.label == label)
        assert mixed.seconds[label] == pytest.approx(total)


def test_a_recording_sounds_on_one_side_and_doubtful_clips_are_not_tested_on(mixed: StandIn, sounds: Path) -> None:
    clips = {relative_name(clip.path, sounds): clip for clip in read_clips(sounds)}
    heard: dict[str, set[str]] = {}
    for side, numbers in zip(("test", "validation", "train"), (TEST, VALIDATION, TRAIN), strict=True):
        files = {placement.file for number in numbers for placement in scene_of(mixed.folder, number).placements}
        heard[side] = {clips[file].recording_id for file in files}
        assert side != "test" or {clips[file].confidence for file in files} == {"A"}
        assert all(read_split(mixed.folder / "split.tsv").sides[file] == side for file in files)
    assert heard["test"] and heard["validation"] and heard["train"]
    assert not (heard["test"] & heard["train"] | heard["test"] & heard["validation"])
    assert not heard["validation"] & heard["train"]


def test_labels_are_where_the_energy_is(mixed: StandIn, sounds: Path) -> None:
    sounding, quiet = [], []
    for number in range(N):
        scene = scene_of(mixed.folder, number)
        assert 4 <= len(scene.labels) <= 5
        assert not scene.background
        rendered, expected = render(scene, ClipStore(44100, scene.activity, sounds))
        path = mixed.folder / f"audio/{STEM}-mix-{number}.wav"
        samples, _ = audio.read(path)
        np.testing.assert_allclose(samples, rendered, rtol=0, atol=2**-30)
        (events,) = annotations.read(mixed.folder / f"meta/{STEM}-annot-{number}.txt").values()
        assert [event.label for event in events] == [event.label for event in expected]
        for event, its_expected in zip(events, expected, strict=True):
            assert (event.onset, event.offset) == pytest.approx((its_expected.onset, its_expected.offset), abs=1e-6)
        labelled = np.zeros(len(samples), dtype=bool)
        for event in events:
            part = slice(round(event.onset * 44100), round(event.offset * 44100))
            labelled[part] = True
            assert np.mean(np.square(samples[part], dtype=np.float64)) > 10 ** ((-38 - 22) / 10)
        sounding.append(samples[labelled])
        quiet.append(samples[~labelled])
    assert len(np.concatenate(quiet)) > 5 * 44100
    powers = [np.mean(np.square(np.concatenate(parts), dtype=np.float64)) for parts in (sounding, quiet)]
    assert powers[0] > 100 * powers[1]


def test_it_says_what_it_is(mixed: StandIn) -> None:
    assert "this is not that data set" in (mixed.folder / "README.txt").read_text()
    recipe = json.loads((mixed.folder / "recipe.json").read_text())
    assert "stand-in" in recipe["what"]
    assert recipe["seed"] == 3
    assert sorted(recipe["labels"]) == LABELS
    assert sum(recipe["labels"]["rain"]["clips"].values()) == 10
    assert recipe["labels"]["rain"]["recordings"] == 5
    assert recipe["labels"]["rain"]["licences"] == {"Apache-2.0": 10}
    assert {"hubbub", "numpy"} <= set(recipe["versions"])
    (note,) = (note for note in mixed.notes if note.startswith("no clips of"))
    assert "alarms_and_sirens, baby_crying" in note
    assert "rain" not in note


def test_a_run_that_was_killed_goes_on(mixed: StandIn, sounds: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    out = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        mix_small(sounds, out, seed=3, jobs=1, progress=stop)
    assert "evaluation_setup/test.txt" not in contents(out)
    half = out / "audio" / f".{STEM}-mix-5.wav.0123.part"  # what SIGKILL leaves
    half.write_bytes(b"RIFF")
    kept = {path: path.stat().st_mtime_ns for path in (out / "audio").glob("*.wav")}
    assert 3 <= len(kept) < N
    ticks: list[tuple[int, int]] = []
    again = mix_small(sounds, out, seed=3, jobs=1, progress=lambda done, total: ticks.append((done, total)))
    assert ticks == [(done, N) for done in range(len(kept) + 1, N + 1)]
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    assert contents(out) == contents(mixed.folder)
    assert (again.events, again.seconds, again.notes) == (mixed.events, mixed.seconds, mixed.notes)


def test_another_set_is_not_mixed_into_one_that_is_there(mixed: StandIn, sounds: Path, tmp_path: Path) -> None:
    before = contents(mixed.folder)
    other = tmp_path / "other"
    shutil.copytree(sounds, other)
    (other / "rain/rain-000.wav").write_bytes((other / "rain/rain-001.wav").read_bytes())
    for call in (
        functools.partial(mix_small, sounds, seed=4),
        functools.partial(mix_small, sounds, seed=3, minutes=1.5),
        functools.partial(mix_small, other, seed=3),
    ):
        with pytest.raises(ConfigError, match="holds a stand-in of other clips, seed or settings"):
            call(mixed.folder)
    assert contents(mixed.folder) == before
    (tmp_path / "real/audio").mkdir(parents=True)
    with pytest.raises(ConfigError, match="not mixed here; choose another folder"):
        mix_small(sounds, tmp_path / "real")


def test_jobs_change_nothing(mixed: StandIn, sounds: Path, tmp_path: Path) -> None:
    mix_small(sounds, tmp_path, seed=3, jobs=3)
    assert contents(tmp_path) == contents(mixed.folder)


def test_what_cannot_be_mixed_is_told(sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tmp_path / "few"
    for label in LABELS[:3]:
        shutil.copytree(sounds / label, few / label)
    with pytest.raises(DatasetError, match=r"few: clips of 3 of the labels .* \(cat_meowing, dog_barking, footsteps\)"):
        mix_small(few, tmp_path / "set")
    (few / "rain").mkdir()
    shutil.copy(sounds / "rain/rain-000.wav", few / "rain")
    with pytest.raises(DatasetError, match=r"few: the test side has clips of 3 labels .*; wanted at least 4"):
        mix_small(few, tmp_path / "set")
    for n_mixtures in ((0, 1, 1), (99, 1, 1)):
        with pytest.raises(ConfigError, match="wanted one or more a side, 100 in all"):
            mix_tut2016(sounds, tmp_path / "set", n_mixtures=n_mixtures)
    assert not (tmp_path / "set").exists()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, 10**7))
    with pytest.raises(ConfigError, match=r"set: 0\.1 GB are needed and 0\.0 GB free; make room for it"):
        mix_tut2016(sounds, tmp_path / "set", n_mixtures=N_MIXTURES, minutes=10)


def test_the_summary_counts_by_hand() -> None:
    tables = [
        [Event(1.0, 3.0, "rain"), Event(2.0, 4.0, "bus"), Event(6.0, 7.0, "rain")],
        [Event(0.0, 1.0, "bus"), Event(1.0, 2.0, "rain")],
    ]
    summary = stand_in._summary(Path("x"), tables, 20.0, ["note"])
    assert summary.events == {"bus": 2, "rain": 3}
    assert summary.seconds == {"bus": 3.0, "rain": 4.0}
    assert summary.polyphony == pytest.approx(7 / 20)
    assert summary.seconds_with == pytest.approx((14.0, 5.0, 1.0))
    assert summary.published("bus") == pytest.approx((456 * 20 / 33960, 3464 * 20 / 33960))


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Clip]]:
    """Half a second of noise between two pauses; a clip for two labels."""
    path = tmp_path_factory.mktemp("steady") / "noise.wav"
    samples = np.zeros(8000, dtype=np.float32)
    samples[2000:6000] = np.random.default_rng(0).uniform(-0.5, 0.5, 4000)
    audio.write(path, samples, 8000)
    return {label: [Clip(path, label, label)] for label in ("held", "other")}


def test_held_clips_fill_an_excerpt_without_a_pause(steady: dict[str, list[Clip]]) -> None:
    config = MixConfig(
        sample_rate=8000, duration=(200, 200), n_labels=(2, 2), excerpt=(4, 5), hold=("held",), chain_any_below=0,
        polyphony=0.4, low_pass_chance=0, shelf_chance=0,
    )  # fmt: skip
    samples, events = render(sample_scene(steady, config, np.random.default_rng(1)))
    lengths = [event.offset - event.onset for event in events if event.label == "held" and event.offset < 199]
    assert len(lengths) > 4
    assert all(3.6 < length <= 5.03 for length in lengths), lengths
    others = [event.offset - event.onset for event in events if event.label == "other"]
    assert others == pytest.approx([0.5] * len(others), abs=0.05)
    for event in events:
        if event.label == "held":
            inside = samples[round(event.onset * 8000) : round(event.offset * 8000)]
            blocks = inside[: len(inside) // 160 * 160].reshape(-1, 160)
            assert np.sqrt(np.mean(np.square(blocks), axis=1)).min() > 10 ** (-38 / 20) / 3


def test_each_label_can_have_its_own_duty(steady: dict[str, list[Clip]]) -> None:
    config = MixConfig(
        sample_rate=8000, duration=(2000, 2000), n_labels=(2, 2), polyphony=0.2, duty_of=(("other", 0.3),)
    )
    assert (config.duty("held"), config.duty("other")) == (0.1, 0.3)
    _, events = render(sample_scene(steady, config, np.random.default_rng(1)))
    for label, duty in {"held": 0.1, "other": 0.3}.items():
        total = sum(event.offset - event.onset for event in events if event.label == label)
        assert total / 2000 == pytest.approx(duty, rel=0.15)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def called(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hubbub", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        return end.value.code, *capsys.readouterr()

    return called


def test_the_command_shows_what_was_reached(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.setattr(stand_in, "mix_tut2016", mix_small)
    for clips in (sounds, "built-in"):
        out = tmp_path / Path(clips).name
        monkeypatch.setattr("hubbub.cli.recipe.BUILT_IN_PER_LABEL", 3)
        code, printed, told = run("mix", clips, out, "--recipe", "tut2016", "--jobs", 2)
        assert (code, printed) == (0, "")
        assert f"a stand-in for TUT-SED Synthetic 2016, {N} mixtures, 1.0 minutes" in " ".join(told.split())
        assert "mean polyphony: " in told
        (row,) = (line.split() for line in told.splitlines() if line.startswith("footsteps"))
        assert row[0] == "footsteps"
        assert row[2] == str(round(8302 / 566))
        events = sum(row[2] == "footsteps" for path in (out / "meta").iterdir() for row in rows_of(path))
        assert row[1] == str(events)
    assert len(list((out / "clips/rain").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "tut2017"], "--recipe tut2017: there is no such recipe; wanted tut2016, urbansound8k"),
        (["--recipe", "tut2016", "--scenes", "10"], "--recipe tut2016 sets --scenes itself; leave that out"),
        (["--recipe", "tut2016", "--rate", "8000", "--snr", "3", "9"],
         "--recipe tut2016 sets --snr, --rate itself; leave that out"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_followed_is_one_line(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], arguments: list[str], message: str
) -> None:
    assert run("mix", "built-in", tmp_path / "out", *arguments) == (2, "", f"hubbub: {message}\n")
    assert not (tmp_path / "out").exists()
