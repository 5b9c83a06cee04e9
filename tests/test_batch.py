"""Many recordings: their names, the bad ones among them, and where their events go."""

import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hubbub import annotations, audio
from hubbub.annotations.scores import read_scores
from hubbub.batch import Found, Recording, detect, recordings, total_seconds
from hubbub.detection import Sink
from hubbub.detector import Detector
from hubbub.errors import AnnotationError, AudioError, ConfigError
from hubbub.events import Event

RATE = 22050
FOUND = [
    Found(
        Recording(Path("b.wav"), "b.wav"),
        (Event(0.5, 1.25, "rain", 0.75), Event(0.5, 1.5, "dog", 0.123456789), Event(2.0, 3.0, "bell", 1.0)),
        10.0,
    ),
    Found(Recording(Path("a/quiet.wav"), "a/quiet.wav"), (), 5.0),
]


@pytest.fixture
def folder(tmp_path: Path, bursts: np.ndarray) -> Path:
    """Three recordings of a few seconds, and one that is none."""
    for index, name in enumerate(("street.wav", "below/park.flac", "below/deep/yard.wav")):
        path = tmp_path / "recordings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, bursts[index * RATE : (index + 3) * RATE], RATE)
    (tmp_path / "recordings" / "broken.wav").write_text("no audio")
    return tmp_path / "recordings"


def names(chosen: list[Recording]) -> list[str]:
    return [recording.name for recording in chosen]


def empty(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


# Names


def test_names_are_relative_to_the_folder_or_a_files_own(folder: Path) -> None:
    chosen, errors = recordings([folder])
    assert names(chosen) == ["below/deep/yard.wav", "below/park.flac", "broken.wav", "street.wav"]
    assert [recording.path for recording in chosen] == [folder / name for name in names(chosen)]
    assert errors == []
    assert names(recordings([folder / "below" / "park.flac"])[0]) == ["park.flac"]
    assert names(recordings([folder / "none.wav"])[0]) == ["none.wav"]  # told when it is read


def test_a_recording_given_twice_is_there_once(folder: Path) -> None:
    chosen, _ = recordings([folder / "below" / "park.flac", folder, folder])
    assert names(chosen) == ["below/deep/yard.wav", "broken.wav", "park.flac", "street.wav"]
    chosen, _ = recordings([folder / "below", folder / "below" / "park.flac", folder])
    assert names(chosen) == ["broken.wav", "deep/yard.wav", "park.flac", "street.wav"]
    chosen, _ = recordings([folder, folder / "below" / "park.flac"])
    assert "below/park.flac" in names(chosen)


def test_recordings_of_one_name_are_told_apart_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x.wav", "monday/x.wav", "monday/y.wav", "tuesday/x.wav"):
        empty(Path(name))
    chosen, _ = recordings([Path("monday/x.wav"), Path("tuesday/x.wav"), Path("monday/y.wav")])
    assert names(chosen) == ["monday/x.wav", "tuesday/x.wav", "y.wav"]
    chosen, _ = recordings([Path("monday"), Path("tuesday"), Path("x.wav")])
    assert names(chosen) == ["monday/x.wav", "tuesday/x.wav", "x.wav", "y.wav"]


def test_a_path_that_tells_apart_may_be_anothers_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/x.wav", "x.wav", "b/a/x.wav"):
        empty(Path(name))
    chosen, _ = recordings([Path("a"), Path("x.wav"), Path("b")])
    assert names(chosen) == ["a/x.wav", "b/a/x.wav", "x.wav"]


def test_folders_without_audio_and_those_that_cannot_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare, locked = folder.parent / "bare", folder.parent / "locked"
    bare.mkdir()
    locked.mkdir()
    find = audio.find

    def finds(path: Path) -> list[Path]:
        if path == locked:
            raise AudioError(f"{path}: cannot be listed: Permission denied; wanted a folder of recordings")
        return find(path)

    monkeypatch.setattr(audio, "find", finds)
    chosen, errors = recordings([bare, folder, locked])
    assert len(chosen) == 4
    assert errors == [
        f"{bare}: a folder without audio; wanted files that end in .wav .flac .ogg .oga .opus .mp3 …",
        f"{locked}: cannot be listed: Permission denied; wanted a folder of recordings",
    ]


# Detection


def test_a_bad_file_costs_its_own_events_only(folder: Path, detector: Detector) -> None:
    chosen, _ = recordings([folder, folder / "none.wav"])
    told: list[float] = []
    found = list(detect(detector, chosen, progress=told.append))
    assert [each.recording for each in found] == chosen
    by_name = {each.recording.name: each for each in found}
    for name in ("street.wav", "below/park.flac", "below/deep/yard.wav"):
        good = by_name.pop(name)
        assert good.error is None
        assert list(good.events) == detector.detect(folder / name) != []
        assert good.duration == 3.0
    broken, none = by_name.pop("broken.wav"), by_name.pop("none.wav")
    assert broken.error is not None
    assert broken.error.startswith(f"{folder / 'broken.wav'}: holds text, not audio")
    assert none.error == f"{folder / 'none.wav'}: does not exist; wanted a recording"
    assert broken.events == none.events == ()
    assert by_name == {}
    assert sum(told) == 9.0


def test_a_recording_too_large_for_the_memory_costs_its_own_events_only(folder: Path, detector: Detector) -> None:
    class Small(Detector):
        def detect(self, source: object, progress: object = None) -> list[Event]:
            if Path(str(source)).name == "street.wav":
                raise MemoryError
            return []

    found = list(detect(Small(detector._model), recordings([folder])[0]))
    errors = {each.recording.name: each.error for each in found if each.error}
    assert errors == {"street.wav": f"{folder / 'street.wav'}: not enough memory to read it"}


def test_several_at_a_time_find_the_same_in_the_same_order(folder: Path, detector: Detector) -> None:
    chosen, _ = recordings([folder])
    told: list[float] = []
    one_by_one = list(detect(detector, chosen))
    at_once = list(detect(detector, chosen, jobs=2, progress=told.append))
    assert [(f.recording, f.duration, f.error) for f in at_once] == [
        (f.recording, f.duration, f.error) for f in one_by_one
    ]
    for a, b in zip(at_once, one_by_one, strict=True):
        assert [(e.onset, e.offset, e.label) for e in a.events] == [(e.onset, e.offset, e.label) for e in b.events]
    assert sum(told) == 9.0


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_jobs_are_how_many_run_at_once(detector: Detector, jobs: int) -> None:
    """All `jobs` recordings meet in the middle of their detection; one fewer would wait for ever."""
    meeting = threading.Barrier(jobs, timeout=10)

    class Meets(Detector):
        def detect(self, source: object, progress: object = None) -> list[Event]:
            meeting.wait()
            return [Event(0, 1, str(source))]

    chosen = [Recording(Path(name), name) for name in "abcdef"]
    found = list(detect(Meets(detector._model), chosen, jobs=jobs))
    assert [each.events[0].label for each in found] == list("abcdef")


def test_total_seconds_passes_over_what_cannot_be_opened(folder: Path) -> None:
    assert total_seconds(recordings([folder, folder / "none.wav"])[0]) == 9.0
    assert total_seconds([]) == 0.0


# Where it goes


def written(detector: Detector, output: Path | None, format: str | None = None) -> None:
    with Sink(format, output, None, pretty=False) as sink:
        for found in FOUND:
            sink.add(found)


TSV = (
    "filename\tonset\toffset\tevent_label\tscore\n"
    "a/quiet.wav\t\t\t\t\n"
    "b.wav\t0.500000\t1.500000\tdog\t0.123457\n"
    "b.wav\t0.500000\t1.250000\train\t0.750000\n"
    "b.wav\t2.000000\t3.000000\tbell\t1.000000\n"
)


def test_tsv_byte_for_byte(tmp_path: Path, detector: Detector, capsys: pytest.CaptureFixture[str]) -> None:
    """Sorted by filename, onset, label; a recording without events has a row of its own."""
    for name, format in (("a.tsv", None), ("b.tsv", "tsv"), ("c.json", "tsv"), ("d.unknown", None), ("e", None)):
        written(detector, tmp_path / name, format)
        assert (tmp_path / name).read_bytes() == TSV.encode(), name
    assert capsys.readouterr().out == ""
    written(detector, None)
    assert capsys.readouterr().out == TSV


def test_csv_and_json(tmp_path: Path, detector: Detector, capsys: pytest.CaptureFixture[str]) -> None:
    written(detector, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [line.split("\t") for line in TSV.splitlines()]
    written(detector, tmp_path / "a.json")
    held = json.loads((tmp_path / "a.json").read_text())
    assert [each["filename"] for each in held["recordings"]] == ["a/quiet.wav", "b.wav"]
    assert held["recordings"][0]["events"] == []
    assert held["recordings"][1]["events"][1] == {"onset": 0.5, "offset": 1.25, "label": "rain", "score": 0.75}
    written(detector, None, "json")
    assert json.loads(capsys.readouterr().out) == held
    for name in ("a.csv", "a.json"):
        table = annotations.read(tmp_path / name)
        assert sorted(table) == ["a/quiet.wav", "b.wav"]
        assert [event.label for event in table["b.wav"]] == ["rain", "dog", "bell"]


def test_audacity_holds_one_recording(tmp_path: Path, detector: Detector) -> None:
    path = tmp_path / "labels.txt"
    with Sink("audacity", path, None, pretty=False) as sink:
        sink.add(FOUND[0])
    lines = "0.500000\t1.500000\tdog\n0.500000\t1.250000\train\n2.000000\t3.000000\tbell\n"
    assert path.read_text() == lines
    with pytest.raises(AnnotationError) as error:
        written(detector, path, "audacity")
    assert str(error.value) == "audacity holds one recording; wanted no more, or --format tsv"
    assert path.read_text() == lines  # the first of the two


def test_a_format_that_is_none(tmp_path: Path, detector: Detector) -> None:
    with pytest.raises(ConfigError) as error:
        Sink("xml", None, None, pretty=False)
    assert str(error.value) == (
        "--format xml: wanted tsv, audacity, audioset, birdnet, csv, elan, jams, json, kaleidoscope, raven, rttm, "
        "sonicvisualiser, text, textgrid"
    )


def test_an_output_that_cannot_be_written_is_told_before_the_work(tmp_path: Path, detector: Detector) -> None:
    (tmp_path / "file").write_text("kept")
    for output, reason in [
        (tmp_path / "none" / "a.tsv", f"there is no folder {tmp_path / 'none'}"),
        (tmp_path, "it is a folder; wanted the name of a file"),
    ]:
        with pytest.raises(ConfigError) as error:
            Sink(None, output, None, pretty=False)
        assert str(error.value) == f"{output}: cannot be written: {reason}"
    with pytest.raises(ConfigError) as told:
        Sink(None, None, tmp_path / "file" / "scores", pretty=False)
    assert str(told.value).startswith(f"{tmp_path / 'file' / 'scores'}: cannot be made: ")
    assert (tmp_path / "file").read_text() == "kept"


def test_what_was_there_stays_until_the_work_is_done(tmp_path: Path, detector: Detector) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("of an earlier run")
    with Sink(None, path, None, pretty=False) as sink:
        sink.add(FOUND[0])
        assert path.read_text() == "of an earlier run"
        assert list(tmp_path.iterdir()) == [path]
    assert path.read_text().startswith("filename\t")
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_is_stopped_keeps_what_was_finished(tmp_path: Path, detector: Detector) -> None:
    def run() -> None:
        with Sink(None, tmp_path / "a.tsv", None, pretty=False) as sink:
            sink.add(FOUND[1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert annotations.read(tmp_path / "a.tsv") == {"a/quiet.wav": []}


def test_a_timeline_for_a_terminal_writes_no_table(detector: Detector, capsys: pytest.CaptureFixture[str]) -> None:
    with Sink(None, None, None, pretty=True) as sink:
        sink.add(FOUND[0])
    shown = capsys.readouterr().out
    assert "b.wav" in shown
    assert "3 events" in shown
    assert "filename\t" not in shown


# Scores


def test_score_tables_lie_below_their_folder_and_come_back(
    tmp_path: Path, folder: Path, detector: Detector, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.wav").unlink()
    chosen, _ = recordings([folder])
    with Sink(None, None, tmp_path / "scores", pretty=False) as sink:
        for found in detect(detector, chosen, keep_probabilities=True):
            sink.add(found)
            assert list(found.events) == detector.detect(found.recording.path)
    tables = sorted(path.relative_to(tmp_path / "scores").as_posix() for path in (tmp_path / "scores").rglob("*.tsv"))
    assert tables == ["below/deep/yard.wav.tsv", "below/park.flac.tsv", "street.wav.tsv"]
    for recording in chosen:
        edges, values, labels = read_scores(tmp_path / "scores" / f"{recording.name}.tsv")
        heard = detector.probabilities(recording.path)
        np.testing.assert_array_equal(values.astype(np.float32), heard.values)
        np.testing.assert_allclose(edges, heard.edges, rtol=0, atol=5e-7)
        assert tuple(labels) == heard.labels
    assert capsys.readouterr().out.startswith("filename\t")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (lambda folder: (folder / "street.wav").as_posix(), lambda folder: f"{folder.as_posix()[1:]}/street.wav.tsv"),
        (lambda folder: "../street.wav", lambda folder: "__/street.wav.tsv"),
    ],
)
def test_no_name_leads_out_of_the_scores_folder(
    tmp_path: Path, folder: Path, detector: Detector, name: Callable[[Path], str], table: Callable[[Path], str]
) -> None:
    """Two recordings of one name are told apart by their paths, and these may be absolute."""
    with Sink(None, tmp_path / "a.tsv", tmp_path / "scores", pretty=False) as sink:
        probabilities = detector.probabilities(folder / "street.wav")
        sink.add(Found(Recording(folder / "street.wav", name(folder)), probabilities=probabilities))
    assert (tmp_path / "scores" / table(folder)).is_file()
    assert list(folder.rglob("*.tsv")) == []
