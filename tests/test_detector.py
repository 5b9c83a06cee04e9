"""Recordings of any length, from an array or a file, in constant memory."""

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

import hubbub
from hubbub import audio
from hubbub.decode import LabelRule, decode
from hubbub.detector import Detector
from hubbub.errors import AudioError, ConfigError

RATE, HOP = 22050, 441


def wav(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


# Arrays and files


def test_a_file_and_its_samples_are_the_same_recording(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    path = wav(tmp_path / "a.wav", bursts)
    from_file, from_array = detector.probabilities(path), detector.probabilities(bursts)
    np.testing.assert_array_equal(from_file.values, from_array.values)
    np.testing.assert_array_equal(from_file.edges, from_array.edges)
    assert from_file.labels == detector.labels
    events = detector.detect(bursts)
    assert len(events) > 30
    assert events == sorted(events)
    assert detector.detect(path) == detector.detect(str(path)) == events


def test_a_file_at_another_rate_in_stereo_is_resampled_and_averaged(
    tmp_path: Path, detector: Detector, bursts: np.ndarray
) -> None:
    samples = np.stack([bursts, 0.5 * bursts], axis=1)[: 8 * RATE]
    path = wav(tmp_path / "a.wav", samples, 2 * RATE)
    mono, _ = audio.read(path, RATE)
    assert len(mono) == 4 * RATE
    from_file, from_array = detector.probabilities(path), detector.probabilities(mono)
    np.testing.assert_allclose(from_file.values, from_array.values, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(from_file.edges, from_array.edges)
    events = [[(e.label, e.onset, e.offset) for e in detector.detect(source)] for source in (path, mono)]
    assert events[0] == events[1] != []


def test_probabilities_are_those_that_events_are_made_of(detector: Detector, bursts: np.ndarray) -> None:
    found = detector.probabilities(bursts)
    assert found.values.dtype == np.float32
    assert 0 <= found.values.min() < 0.1
    assert 0.9 < found.values.max() <= 1
    metadata = detector.metadata
    events = decode(found.values, found.labels, metadata.rules, metadata.grid, float(found.edges[-1]))
    assert events == detector.detect(bursts)
    assert all(event.offset <= found.edges[-1] for event in events)


@pytest.mark.parametrize("n_samples", [0, 1, 110, 440, 441, 442, 882, 22050, 22051, 70001])
def test_as_many_frames_as_hold_the_samples_and_the_last_edge_is_the_end(
    detector: Detector, bursts: np.ndarray, n_samples: int
) -> None:
    found = detector.probabilities(bursts[:n_samples])
    n_frames = -(-n_samples // HOP)
    assert found.values.shape == (n_frames, 3)
    assert found.edges.shape == (n_frames + 1,)
    assert found.edges[-1] == n_samples / RATE
    np.testing.assert_allclose(np.diff(found.edges[:-1]), 0.02, rtol=0, atol=1e-12)
    assert all(event.offset <= n_samples / RATE for event in detector.detect(bursts[:n_samples]))


def test_five_milliseconds_in_a_file(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    found = detector.probabilities(wav(tmp_path / "short.wav", bursts[:110]))
    assert found.edges.tolist() == [0.0, 110 / RATE]
    np.testing.assert_array_equal(found.values, detector.probabilities(bursts[:110]).values)


# What lies before and after


@pytest.mark.parametrize("n_frames", [1, 7, 60, 301])
def test_silence_before_only_shifts(detector: Detector, bursts: np.ndarray, n_frames: int) -> None:
    """A recording is surrounded by silence, so a second of it more changes nothing."""
    samples = bursts[RATE : 6 * RATE]
    plain = detector.probabilities(samples).values
    later = detector.probabilities(np.concatenate([np.zeros(n_frames * HOP, np.float32), samples])).values
    assert len(later) == len(plain) + n_frames
    np.testing.assert_allclose(later[n_frames:], plain, rtol=0, atol=1e-5)


def test_silence_after_changes_no_earlier_frame(detector: Detector, bursts: np.ndarray) -> None:
    samples = bursts[RATE : 6 * RATE + 100]
    plain = detector.probabilities(samples).values
    longer = detector.probabilities(np.concatenate([samples, np.zeros(3000, np.float32)])).values
    np.testing.assert_allclose(longer[: len(plain)], plain, rtol=0, atol=1e-5)


def test_a_frame_sees_no_further_than_the_look_ahead(detector: Detector, bursts: np.ndarray) -> None:
    """Probability t is final once frame t + look_ahead has been heard; one frame less is not enough."""
    samples = bursts[: 4 * RATE].copy()
    plain = detector.probabilities(samples).values
    changed = 100 * HOP
    samples[changed:] = bursts[10 * RATE : 10 * RATE + len(samples) - changed]
    other = detector.probabilities(samples).values
    differs = np.flatnonzero(np.abs(plain - other).max(axis=1) > 1e-5)
    assert 100 - detector.look_ahead <= differs[0] < 100
    np.testing.assert_allclose(other[: 100 - detector.look_ahead], plain[: 100 - detector.look_ahead], atol=1e-5)


# Thresholds


def test_thresholds_of_all_labels_or_some(detector: Detector, bursts: np.ndarray) -> None:
    found = detector.probabilities(bursts)
    end = float(found.edges[-1])

    def expected(*thresholds: float) -> list[hubbub.Event]:
        rules = [LabelRule(threshold, 0.8 * threshold, 3, 0.04, 0.06) for threshold in thresholds]
        return decode(found.values, found.labels, rules, detector.metadata.grid, end)

    assert detector.with_thresholds(0.7).detect(bursts) == expected(0.7, 0.7, 0.7)
    assert detector.with_thresholds({"dog": 0.9}).detect(bursts) == expected(0.5, 0.9, 0.5)
    chained = detector.with_thresholds({"dog": 0.9}).with_thresholds({"rain": 0.2})
    assert chained.detect(bursts) == expected(0.5, 0.9, 0.2)
    assert len({len(expected(t, t, t)) for t in (0.2, 0.5, 0.7, 0.9)}) == 4
    assert detector.detect(bursts) == expected(0.5, 0.5, 0.5)  # the one they were made of is as it was


def test_thresholds_of_nobody_or_nowhere(detector: Detector) -> None:
    with pytest.raises(ConfigError) as error:
        detector.with_thresholds({"cat": 0.5})
    assert str(error.value) == "threshold for 'cat': this detector knows bell, dog, rain"
    with pytest.raises(
        ConfigError, match=r"^threshold 1\.5 and low threshold 1\.2.*: wanted 0 <= low <= threshold <= 1$"
    ):
        detector.with_thresholds(1.5)


# What goes wrong, how long it takes, how much it holds


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    loud = bursts.copy()
    loud[RATE] = 1e30
    for path, reason in [
        (tmp_path / "none.wav", "does not exist; wanted a recording"),
        (wav(tmp_path / "loud.wav", loud), "the sample at 1.000000 s is 1e+30; wanted samples from -1 to 1"),
    ]:
        for listen in (detector.detect, detector.probabilities):
            with pytest.raises(AudioError) as error:
                listen(path)
            assert str(error.value) == f"{path}: {reason}"
    with pytest.raises(AudioError, match=r"^a block of shape \(10, 2\); wanted mono samples"):
        detector.detect(np.zeros((10, 2), np.float32))


def test_progress_adds_up_to_the_recording(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    path = wav(tmp_path / "a.wav", np.tile(bursts, 2))
    for listen in (detector.detect, detector.probabilities):
        told: list[float] = []
        listen(path, told.append)
        assert len(told) == 2  # blocks of 30 s
        assert sum(told) == pytest.approx(2 * len(bursts) / RATE)


def test_one_thread_hears_what_many_hear(detector: Detector, detector_path: Path, bursts: np.ndarray) -> None:
    alone = hubbub.load(detector_path, threads=1).probabilities(bursts).values
    np.testing.assert_allclose(alone, detector.probabilities(bursts).values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_half_an_hour_needs_little_memory(tmp_path: Path, detector_path: Path, lanes: int) -> None:
    detector = hubbub.load(detector_path, threads=lanes)
    rng = np.random.default_rng(0)
    seconds = 20
    loudness = np.repeat(10 ** rng.uniform(-2, 0, seconds), 8000)
    piece = (128 + 100 * loudness * rng.uniform(-1, 1, seconds * 8000)).astype(np.uint8).tobytes()
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        for _ in range(1800 // seconds):
            file.writeframes(piece)
    told: list[float] = []
    tracemalloc.start()
    try:
        events = detector.detect(path, told.append)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(told) == pytest.approx(1800)
    assert events
    assert events[-1].onset > 1700
    assert peak < 25e6  # all its samples are 159 MB
