"""Long counts, run by `make soak`: broken files, cuts of a stream, kills of a batch and of a training run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from hubbub import AudioError, audio, load
from tests.test_many import killed_and_taken_up, mutated_ones_are_heard_or_told
from tests.test_stream import cuts_agree, in_its_blocks
from tests.test_training import run

pytestmark = pytest.mark.soak


def test_ten_thousand_broken_files_give_audio_or_one_line(tmp_path: Path, bursts: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    wholes = {}
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        soundfile.write(tmp_path / f"whole{suffix}", bursts[:11025], 22050)
        wholes[suffix] = (tmp_path / f"whole{suffix}").read_bytes()
    refused = 0
    for number in range(10_000):
        suffix = list(wholes)[number % len(wholes)]
        content = bytearray(wholes[suffix])
        if number % 3 == 0:
            del content[int(rng.integers(0, len(content))) :]
        for place in rng.integers(0, max(1, min(len(content), 4096)), size=int(rng.integers(0, 12))):
            if content:
                content[place] = int(rng.integers(0, 256))
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(content)
        try:
            for block in audio.blocks(path, 22050):
                assert np.isfinite(block).all()
        except AudioError as error:
            refused += 1
            assert str(error).startswith(str(path)), error
            assert "\n" not in str(error)
    assert refused > 1000


def test_a_batch_of_ten_thousand_broken_files_goes_to_its_end(
    tmp_path: Path, detector_path: Path, bursts: np.ndarray
) -> None:
    mutated_ones_are_heard_or_told(tmp_path, detector_path, bursts, 10_000)


def test_twenty_kills_of_a_batch_change_no_byte(tmp_path: Path, detector_path: Path, bursts: np.ndarray) -> None:
    killed_and_taken_up(tmp_path, detector_path, bursts, n_files=200, n_kills=20)


@pytest.mark.parametrize("name", ["small", "tiny", "small.int8", "tiny.int8"])
def test_a_thousand_cuts_of_a_stream_change_no_event(tmp_path: Path, bursts: np.ndarray, name: str) -> None:
    """Of the recordings below the folder `HUBBUB_RECORDINGS`, where it is named, else of built-in sounds."""
    detector = load(name).with_thresholds(0.3)
    folder = os.environ.get("HUBBUB_RECORDINGS")
    if folder is None:
        audio.write(tmp_path / "bursts.wav", bursts, 22050)
    paths = audio.find(folder or tmp_path)[:1000]
    recordings = [(str(path), audio.read(path, detector.sample_rate)[0]) for path in paths]
    joined = np.concatenate([samples for _, samples in recordings] * (1 if folder else 10))
    audio.write(tmp_path / "joined.wav", joined, detector.sample_rate)
    n_whole = sum(in_its_blocks(detector, path) for path in [*paths, tmp_path / "joined.wav"])
    largest, n_events, n_near = cuts_agree(detector, recordings, 1000)
    print(
        f"{name}: {len(paths)} recordings, {len(joined) / detector.sample_rate / 60:.0f} minutes, "
        f"{n_whole} events in its own blocks; 1000 cuts: {n_events} events the same, probabilities to {largest:.1e}; "
        f"{n_near} rows with a probability at a threshold"
    )
    assert n_events


def test_kills_of_a_training_run_change_nothing(tmp_path: Path) -> None:
    unbroken = run(tmp_path / "unbroken")
    for batch in range(1, 24, 2):
        folder = tmp_path / f"killed-{batch}"
        code = f"import tests.test_training as t; from pathlib import Path; t.run(Path({str(folder)!r}), {batch})"
        done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True)
        assert done.returncode in (0, 9), done.stderr.decode()
        resumed = run(folder)
        assert resumed.validation_loss == unbroken.validation_loss
        for a, b in zip(unbroken.network.parameters(), resumed.network.parameters(), strict=True):
            assert torch.equal(a, b), f"killed at batch {batch}"
