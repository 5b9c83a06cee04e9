"""What is compared with what: where reference, estimates and durations come from, and by which names."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hubbub import annotations
from hubbub.detector import Detector
from hubbub.errors import AnnotationError, AudioError, ConfigError
from hubbub.evaluation import listen, read_answers, read_reference, short_name
from hubbub.events import Event
from hubbub.metrics import evaluate

RATE = 22050
DOG, RAIN = Event(0.5, 1.0, "dog"), Event(1.5, 2.5, "rain")


def sound(path: Path, seconds: float = 3.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * RATE)), RATE)
    return path


def table(path: Path, events: dict[str, list[Event]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    annotations.write(path, events)
    return path


def durations(path: Path, **seconds: float) -> Path:
    return lengths(path, {f"{name}.wav": duration for name, duration in seconds.items()})


def lengths(path: Path, seconds: dict[str, float]) -> Path:
    annotations.write_durations(path, seconds)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As `hubbub mix` writes: audio/ and a table; the second recording is silent."""
    sound(tmp_path / "data" / "audio" / "a.wav")
    sound(tmp_path / "data" / "audio" / "b.wav", 2.0)
    table(tmp_path / "data" / "events.tsv", {"a.wav": [DOG, RAIN], "b.wav": []})
    return tmp_path / "data"


# Reference


def test_a_folder_and_its_table_are_the_same_reference(folder: Path) -> None:
    for where in (folder, folder / "events.tsv"):
        known = read_reference(where)
        assert known.events == {"a.wav": [DOG, RAIN], "b.wav": []}
        assert known.durations == {"a.wav": 3.0, "b.wav": 2.0}
        assert known.paths == {name: folder / "audio" / name for name in ("a.wav", "b.wav")}


def test_a_table_with_its_audio_beside_or_elsewhere(tmp_path: Path) -> None:
    beside = sound(tmp_path / "x" / "a.wav")
    elsewhere = sound(tmp_path / "y" / "a.wav", 5.0)
    reference = table(tmp_path / "x" / "events.tsv", {"a.wav": [DOG]})
    assert read_reference(reference).paths == {"a.wav": beside}
    assert read_reference(reference).durations == {"a.wav": 3.0}
    known = read_reference(reference, audio_folder=tmp_path / "y")
    assert known.paths == {"a.wav": elsewhere}
    assert known.durations == {"a.wav": 5.0}


def test_names_below_folders_stay_as_they_are(tmp_path: Path) -> None:
    path = sound(tmp_path / "monday" / "audio" / "a.wav")
    reference = table(tmp_path / "events.tsv", {"monday/audio/a.wav": [DOG]})
    for where in (reference, tmp_path):
        known = read_reference(where)
        assert known.paths == {"monday/audio/a.wav": path}
        assert known.events == {"monday/audio/a.wav": [DOG]}


@pytest.mark.parametrize("prefix", ["", "audio/"])
def test_a_table_may_name_its_recordings_with_audio_before_them(folder: Path, prefix: str) -> None:
    reference = table(folder / "events.tsv", {f"{prefix}a.wav": [DOG], f"{prefix}b.wav": []})
    for where in (folder, reference):
        known = read_reference(where, durations=lengths(folder / "lengths.txt", {"audio/a.wav": 3.5, "b.wav": 2.5}))
        assert known.events == {"a.wav": [DOG], "b.wav": []}
        assert known.durations == {"a.wav": 3.5, "b.wav": 2.5}
        assert known.paths == {name: folder / "audio" / name for name in ("a.wav", "b.wav")}


def test_durations_need_no_audio(tmp_path: Path) -> None:
    reference = table(tmp_path / "events.tsv", {"a.wav": [DOG]})
    known = read_reference(reference, durations=durations(tmp_path / "d.tsv", a=3.0))
    assert (known.durations, known.paths) == ({"a.wav": 3.0}, {})
    assert known.annotated() == []


def test_durations_go_before_the_audio_which_fills_in(folder: Path) -> None:
    given = durations(folder.parent / "d.tsv", a=2.75)
    for where in (folder, folder / "events.tsv"):
        assert read_reference(where, durations=given).durations == {"a.wav": 2.75, "b.wav": 2.0}
    (folder / "audio" / "a.wav").write_text("no audio")  # nor needs to be
    assert read_reference(folder / "events.tsv", durations=given).durations == {"a.wav": 2.75, "b.wav": 2.0}


def test_a_recording_that_only_the_durations_name_counts(folder: Path, detector: Detector) -> None:
    reference = table(folder / "one.tsv", {"a.wav": [DOG]})
    given = durations(folder.parent / "d.tsv", a=3.0, b=2.0, c=60.0)
    known = read_reference(reference, durations=given)
    assert known.events == {"a.wav": [DOG]}
    assert known.durations == {"a.wav": 3.0, "b.wav": 2.0, "c.wav": 60.0}
    assert sorted(known.paths) == ["a.wav", "b.wav"]
    scores = evaluate(known.events, {"a.wav": [DOG]}, known.durations)
    assert (scores.n_recordings, scores.duration_s) == (3, 65.0)
    sound(folder / "c.wav", 1.0)
    found = listen(detector, read_reference(reference, durations=given)).events
    assert sorted(found) == ["a.wav", "b.wav", "c.wav"]


def test_no_durations_and_no_audio_is_one_line(tmp_path: Path) -> None:
    reference = table(tmp_path / "events.tsv", {"a.wav": [DOG], "b.wav": [], "c.wav": []})
    sound(tmp_path / "a.wav")
    for given in (None, durations(tmp_path / "d.tsv", a=3.0, c=1.0)):
        missing = "b.wav"
        with pytest.raises(ConfigError) as error:
            read_reference(reference, durations=given)
        assert str(error.value) == (
            f"{reference}: how long is {missing}? There is no such audio beside the table; "
            "give --audio FOLDER, or --durations FILE with the columns filename and duration"
        )


def test_one_recording_by_two_names_is_one_line(folder: Path) -> None:
    both = {"a.wav": [DOG], "audio/a.wav": [RAIN]}
    said = "names one recording both with and without audio/; use one way"
    with pytest.raises(AnnotationError) as error:
        read_reference(table(folder / "both.tsv", both))
    assert str(error.value) == f"{folder / 'both.tsv'}: {said}"
    with pytest.raises(AnnotationError) as error:
        read_reference(folder / "events.tsv", durations=lengths(folder / "d.txt", {"a.wav": 1.0, "audio/a.wav": 1.0}))
    assert str(error.value) == f"{folder / 'd.txt'}: {said}"
    known = read_reference(folder / "events.tsv")
    with pytest.raises(AnnotationError) as error:
        read_answers(folder / "both.tsv", known)
    assert str(error.value) == f"{folder / 'both.tsv'}: {said}"
    # a folder in which both are there
    (folder / "both.tsv").unlink()
    sound(folder / "a.wav")
    table(folder / "events.tsv", {"a.wav": [DOG], "audio/a.wav": [RAIN], "b.wav": []})
    with pytest.raises(AnnotationError) as error:
        read_reference(folder)
    assert str(error.value) == f"{folder}: {said}"


# Estimates


@pytest.mark.parametrize("in_reference", ["", "audio/"])
@pytest.mark.parametrize("in_estimate", ["", "audio/"])
def test_estimates_are_named_with_or_without_audio(folder: Path, in_reference: str, in_estimate: str) -> None:
    known = read_reference(table(folder / "events.tsv", {f"{in_reference}a.wav": [DOG], f"{in_reference}b.wav": []}))
    found = read_answers(table(folder.parent / "found.tsv", {f"{in_estimate}a.wav": [DOG]}), known).events
    assert found == {"a.wav": [DOG]}
    scores = evaluate(known.events, found, known.durations)
    assert scores.event.micro_f1 == 1.0


def test_a_name_that_the_reference_knows_is_not_shortened(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "audio" / "a.wav")
    table(tmp_path / "events.tsv", {"audio/a.wav": [DOG]})
    known = read_reference(tmp_path)
    assert known.durations == {"audio/a.wav": 3.0}
    found = read_answers(table(tmp_path / "found.txt", {"audio/a.wav": [RAIN]}), known).events
    assert found == {"audio/a.wav": [RAIN]}


def test_short_names() -> None:
    names = ["audio/a.wav", "a.wav", "monday/audio/a.wav", "audio2/a.wav"]
    assert [short_name(name) for name in names] == ["a.wav", "a.wav", "monday/audio/a.wav", "audio2/a.wav"]


# A detector


def test_a_detector_is_run_on_every_recording(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    for index, name in enumerate(("a.wav", "audio/b.wav")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, bursts[index * RATE : (index + 4) * RATE], RATE)
    reference = table(tmp_path / "events.tsv", {"a.wav": [DOG], "b.wav": []})
    known = read_reference(reference)
    told: list[tuple[int, int]] = []
    found = listen(detector, known, lambda done, total: told.append((done, total))).events
    assert told == [(1, 2), (2, 2)]
    assert found == {name: detector.detect(path) for name, path in known.paths.items()}
    assert sorted(found) == ["a.wav", "b.wav"]
    assert all(found.values())
    annotated = known.annotated()
    assert [(each.name, each.duration, each.events) for each in annotated] == [
        ("a.wav", 4.0, (DOG,)),
        ("b.wav", 4.0, ()),
    ]


def test_a_detector_needs_the_audio(tmp_path: Path, detector: Detector) -> None:
    reference = table(tmp_path / "events.tsv", {"a.wav": [DOG]})
    known = read_reference(reference, durations=durations(tmp_path / "d.tsv", a=3.0))
    with pytest.raises(AudioError) as error:
        listen(detector, known)
    assert str(error.value) == "a.wav: no such audio beside the reference; give --audio FOLDER"
