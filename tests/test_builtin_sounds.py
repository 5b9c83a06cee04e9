"""Every built-in sound: sane, random, repeatable, and written as a folder of clips."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from hubbub import audio
from hubbub.datasets.clips import read_clips
from hubbub.errors import ConfigError
from hubbub.mixing import active_spans, by_label
from hubbub.mixing.activity import ActivityConfig
from hubbub.mixing.builtin import SOUNDS, background
from hubbub.mixing.builtin.pieces import cycles, pulses, sawtooth
from hubbub.mixing.builtin.write import write_clips

RATE = 22050
TUT_LABELS = [
    *("alarms_and_sirens", "baby_crying", "bird_singing", "bus", "cat_meowing", "crowd_applause", "crowd_cheering"),
    *("dog_barking", "footsteps", "glass_smash", "gun_shot", "horsewalk", "mixer", "motorcycle", "rain", "thunder"),
]


def test_the_labels_are_those_of_tut_sed_synthetic_2016() -> None:
    assert sorted(SOUNDS) == TUT_LABELS


@pytest.mark.parametrize("label", TUT_LABELS)
def test_a_sound_is_sane_random_and_repeatable(label: str) -> None:
    first, again, other = (SOUNDS[label](np.random.default_rng(seed), RATE) for seed in (1, 1, 2))
    for x in (first, other):
        assert x.dtype == np.float32 and x.ndim == 1
        assert np.isfinite(x).all()
        assert 0.05 < np.abs(x).max() <= 1
        assert 0.2 * RATE < len(x) < 12 * RATE
        spans = active_spans(x, RATE, ActivityConfig())
        assert len(spans) and np.diff(spans).sum() > 0.05 * RATE
    assert first.tobytes() == again.tobytes()
    assert first.shape != other.shape or not np.allclose(first, other)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_sounds_can_be_made_at_other_rates(rate: int) -> None:
    for label in ("bird_singing", "glass_smash", "mixer", "alarms_and_sirens", "cat_meowing"):
        for seed in range(3):
            x = SOUNDS[label](np.random.default_rng(seed), rate)
            assert np.isfinite(x).all() and 0.05 < np.abs(x).max() <= 1, label


def test_background_is_as_long_as_asked_and_never_pauses() -> None:
    x = background(np.random.default_rng(0), RATE, 4.0)
    assert len(x) == 4 * RATE and np.abs(x).max() <= 1
    assert active_spans(x, RATE, ActivityConfig()).tolist() == [[0, len(x)]]


def test_oscillators_keep_their_pitch() -> None:
    contour = np.full(RATE, 100.0, dtype=np.float32)
    assert np.count_nonzero(pulses(contour - 0.5, RATE)) == 100
    assert cycles(contour, RATE)[-1] == pytest.approx(100)
    spectrum = np.abs(np.fft.rfft(sawtooth(contour, RATE)))
    assert spectrum.argmax() == 100
    # A sawtooth's harmonics fall as 1 / k; what lies between them is alias, and must be faint.
    assert spectrum[300] / spectrum[100] == pytest.approx(1 / 3, rel=0.02)
    between = np.delete(spectrum[1:5000], np.arange(99, 4999, 100))
    assert between.max() < 0.003 * spectrum[100]


def test_write_clips_makes_a_folder_that_the_reader_takes(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    written = write_clips(tmp_path / "a", 2, 7, labels=["dog_barking", "gun_shot"], progress=lambda *n: seen.append(n))
    assert seen == [(n, 6) for n in range(1, 7)]
    found = read_clips(tmp_path / "a")
    assert sorted(written, key=lambda clip: clip.path) == found
    grouped, backgrounds = by_label(found)
    assert {label: len(clips) for label, clips in grouped.items()} == {"dog_barking": 2, "gun_shot": 2}
    assert len(backgrounds) == 2
    assert len({clip.recording_id for clip in found}) == len(found)
    info = audio.info(found[-1].path)
    assert (info.sample_rate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
    with (tmp_path / "a" / "manifest.csv").open() as file:
        row = next(csv.DictReader(file))
    assert row["file"] == "dog_barking/dog_barking-000.wav"
    assert (row["source"], row["licence"], row["confidence"]) == ("built-in", "Apache-2.0", "A")


def test_the_same_seed_writes_the_same_bytes_and_more_clips_leave_the_first_ones(tmp_path: Path) -> None:
    def digests(name: str, count: int, seed: int, *labels: str) -> dict[str, str]:
        write_clips(tmp_path / name, count, seed, labels=labels or ("gun_shot", "dog_barking"))
        files = sorted((tmp_path / name).rglob("*.wav"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    first, again, more, other = (
        digests("a", 1, 3),
        digests("b", 1, 3),
        digests("c", 2, 3, "dog_barking", "gun_shot"),
        digests("d", 1, 4),
    )
    assert first == again
    assert first.items() <= more.items() and len(more) == len(first) + 2
    assert all(first[name] != other[name] for name in first)


def test_an_unknown_label_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^violin: there is no such built-in sound; wanted one of alarms_and_sirens"):
        write_clips(tmp_path, 1, 0, labels=["violin"])


def test_an_unwritable_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/gun_shot: cannot be made: .*; choose another folder$"):
        write_clips(tmp_path / "file", 1, 0, labels=["gun_shot"])
