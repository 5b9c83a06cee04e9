"""The script that brings public sets of annotated recordings into hubbub's layout."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hubbub.datasets.annotated import kind_of, read_annotated
from hubbub.events import Event

SCRIPT = Path(__file__).parents[1] / "scripts" / "convert_annotations.py"
SPEC = importlib.util.spec_from_file_location("convert_annotations", SCRIPT)
convert_annotations = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(convert_annotations)


def run(*arguments: object) -> int:
    return convert_annotations.main([str(argument) for argument in arguments])


@pytest.fixture
def sounds(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, rate in (("0.wav", 32000), ("1.wav", 16000)):
        soundfile.write(folder / name, 0.1 * np.ones(2 * rate), rate)
    return folder


def sequence(file: str, start: int, *notes: tuple[int, int, str]) -> str:
    body = "".join(f"<Note><Position>{p}</Position><Length>{n}</Length><Label>{x}</Label></Note>" for p, n, x in notes)
    head = f"<WaveFileName>{file}</WaveFileName><Position>{start}</Position><Length>9</Length>"
    return f"<Sequence>{head}{body}</Sequence>"


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def song(tmp_path):
    return write(
        tmp_path / "Annotation.xml",
        "<?xml version='1.0' encoding='UTF-8'?><Sequences><NumSequence>3</NumSequence>"
        + sequence("0.wav", 16000, (1600, 3200, "0"), (8000, 3200, "a"))
        + sequence("0.wav", 48000, (0, 1600, "0"))
        + sequence("1.wav", 1600, (0, 1600, "0"))
        + sequence("7.wav", 0, (0, 1600, "0"))
        + "</Sequences>",
    )


def test_birdsong_notes(sounds, song, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("birdsongrec", sounds, song, out, "--source", "finches") == 0
    assert kind_of(out) == "annotated"
    first, second = read_annotated(out)
    assert first.name == "audio/0.wav"
    assert first.events == (Event(0.55, 0.65, "note_0"), Event(0.75, 0.85, "note_a"), Event(1.5, 1.55, "note_0"))
    assert second.events == (Event(0.1, 0.2, "note_0"),)  # at its own sample rate
    assert (second.recording_id, second.source) == ("1", "finches")
    assert (out / "audio/0.wav").read_bytes() == (sounds / "0.wav").read_bytes()
    assert not (out / "audio/0.wav").is_symlink()
    told = capsys.readouterr()
    assert "2 recordings, 4.0 s, 4 events" in told.out
    assert "note_0: 3 events" in told.out
    assert "1 in the labels without a recording: 7" in told.err


def test_birdsong_songs(sounds, song, tmp_path):
    out = tmp_path / "out"
    assert run("birdsongrec", sounds, song, out, "--label", "song", "--merge-gap", "0.11", "--link") == 0
    assert read_annotated(out)[0].events == (Event(0.55, 0.85, "song"), Event(1.5, 1.55, "song"))
    assert (out / "audio/0.wav").resolve() == sounds / "0.wav"


RTTM = """;; a comment
SPKR-INFO 0 1 <NA> <NA> <NA> unknown ann <NA> <NA>
SPEAKER 0 1 0.50 0.50 <NA> <NA> ann <NA> <NA>
SPEAKER 0 1 0.75 0.50 <NA> <NA> ben <NA> <NA>
SPEAKER 0 1 1.75 0.50 <NA> <NA> ben <NA> <NA>
SPEAKER 9 1 0.10 0.50 <NA> <NA> ben <NA> <NA>
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [(0.5, 1.25, "speech"), (1.75, 2.0, "speech")]),
        (("--own-labels",), [(0.5, 1.0, "ann"), (0.75, 1.25, "ben"), (1.75, 2.0, "ben")]),
        (("--own-labels", "--drop", "ann"), [(0.75, 1.25, "ben"), (1.75, 2.0, "ben")]),
    ],
)
def test_rttm(sounds, tmp_path, capsys, options, expected):
    labels = tmp_path / "labels"
    labels.mkdir()
    write(labels / "x.rttm", RTTM)
    out = tmp_path / "out"
    assert run("rttm", sounds, labels, out, *options) == 0
    (recording,) = read_annotated(out)
    assert [(event.onset, event.offset, event.label) for event in recording.events] == expected
    assert recording.problems == ()
    told = capsys.readouterr().err
    assert "1 events pass the end of their recording" in told
    assert "1 in the labels without a recording: 9" in told
    assert "1 recordings without labels: 1" in told


def test_segments(sounds, tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    write(labels / "0.segments", "0.0\t0.5\tsilence\n0.5\t0.9\tspeech\n")
    write(labels / "1.segments", "0.0,0.5,silence\n")
    out = tmp_path / "out"
    assert run("segments", sounds, labels, out, "--drop", "silence") == 0
    first, second = read_annotated(out)
    assert first.events == (Event(0.5, 0.9, "speech"),)
    assert second.events == ()
    with (out / "recordings.csv").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [["0.wav", "0", ""], ["1.wav", "1", ""]]


@pytest.mark.parametrize(
    ("kind", "content", "wanted"),
    [
        ("rttm", "SPEAKER 0 1 0.5 0.5\n", "x:1: 5 fields; wanted SPEAKER"),
        ("rttm", "\nSPEAKER 0 1 zero 0.5 <NA> <NA> ann <NA> <NA>\n", "x:2: 'zero' is no number; wanted seconds"),
        ("rttm", "SPEAKER 0 1 -1 0.5 <NA> <NA> ann <NA> <NA>\n", "x:1: onset -1 s is negative"),
        ("rttm", "SPEAKER 5 1 1 0.5 <NA> <NA> ann <NA> <NA>\n", "names none of the 2 recordings"),
        ("segments", "0.5 1\n", "x:1: 2 fields; wanted start, end and label"),
        ("segments", "1.5 1 a\n", "x:1: onset 1.5 s lies after offset 1 s"),
        ("birdsongrec", "<Sequences><Sequence>", "x: no XML that can be read"),
        ("birdsongrec", "<S><Sequence><WaveFileName>0.wav</WaveFileName></Sequence></S>", "x: sequence 1: no Position"),
        ("birdsongrec", f"<S>{sequence('0.wav', -9, (0, 1, '0'))}</S>", "x: sequence 1: onset"),
        ("birdsongrec", f"<S>{sequence('0.wav', 0, ('1.5', 1, '0'))}</S>", "Position is '1.5'; wanted whole samples"),
    ],
)
def test_bad_labels(sounds, tmp_path, capsys, kind, content, wanted):
    labels = write(tmp_path / "x", content)
    assert run(kind, sounds, labels, tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert wanted in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_bad_folders(sounds, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("rttm", empty, empty, tmp_path / "out") == 1
    assert "no audio in it" in capsys.readouterr().err
    assert run("rttm", sounds, empty, tmp_path / "out") == 1
    assert "no label file; wanted *.rttm" in capsys.readouterr().err
    soundfile.write(sounds / "0.flac", np.zeros(100), 16000)
    assert run("rttm", sounds, empty, tmp_path / "out") == 1
    assert "two recordings with one name" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run("mp3", sounds, empty, tmp_path / "out")
