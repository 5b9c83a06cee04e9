"""`hubbub convert`: between label formats, from the call to the files."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hubbub import annotations
from hubbub.cli import main
from hubbub.events import Event

LABELS = Path(__file__).parent / "labels"
DOG, FOX = Event(0.5, 1.5, "dog barking"), Event(1.0, 4.25, "Füchsin")

Convert = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Convert:
    """Runs the command in an empty folder; gives its exit code and what it said, line by line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, list[str]]:
        monkeypatch.setattr(sys, "argv", ["hubbub", "convert", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        said = capsys.readouterr()
        assert said.out == ""
        return code, said.err.splitlines()

    return run


def test_a_file_to_a_file(convert: Convert) -> None:
    code, said = convert(LABELS / "raven.Table.1.selections.txt", "a.tsv", "--recording", "street.wav")
    assert (code, said) == (0, ["a.tsv: dcase, 1 recordings, 2 events"])
    assert annotations.read("a.tsv") == {"street.wav": [DOG, FOX]}
    code, said = convert("a.tsv", "b.TextGrid")
    assert code == 0
    assert said[0] == "note: textgrid does not name its recording, which is street.wav"
    assert annotations.read("b.TextGrid") == {"b": [DOG, FOX]}


def test_what_is_lost_is_told(convert: Convert) -> None:
    table = {"a.wav": [Event(0, 1, "dog", 0.5)], "b.wav": []}
    annotations.write("a.tsv", table)
    code, said = convert("a.tsv", "a.audioset.tsv")
    assert code == 0
    assert said == [
        "note: audioset has no place for scores; 1 are left out",
        "note: audioset has no place for recordings without events; 1 are left out",
        "a.audioset.tsv: audioset, 2 recordings, 1 events",
    ]


def test_new_labels(convert: Convert) -> None:
    Path("names.tsv").write_text("/m/09x0r\tSpeech\n")
    code, said = convert(LABELS / "audioset_eval_strong.tsv", "a.csv", "--labels", "names.tsv")
    assert code == 0
    assert said[0] == "note: names.tsv has no new name for /m/053hz1; left as they are"
    table = annotations.read("a.csv")
    assert [each.label for events in table.values() for each in events] == ["Speech", "/m/053hz1"]


def test_a_folder_with_a_bad_file(convert: Convert) -> None:
    Path("in/sub").mkdir(parents=True)
    Path("in/sub/a.txt").write_text("0.5\t1.5\tdog barking\n")
    Path("in/silent.txt").write_text("")
    Path("in/bad.txt").write_text("0\t1\tdog\n2\t1\tdog\n")
    wrong = "hubbub: in/bad.txt:2: onset 2 s lies after offset 1 s; wanted 0 <= onset <= offset"
    code, said = convert("in", "out.tsv")
    assert (code, said) == (1, [wrong, "out.tsv: dcase, 2 recordings, 1 events"])
    assert annotations.read("out.tsv") == {"silent": [], "sub/a": [DOG]}
    code, said = convert("in", "grids", "--to", "textgrid")
    assert (code, said) == (1, [wrong, "grids: 2 files: textgrid, 2 recordings, 1 events"])
    assert annotations.read_folder("grids") == {"silent": [], "sub/a": [DOG]}


@pytest.mark.parametrize(
    ("arguments", "code", "wanted"),
    [
        (["a.tsv", "a.docx"], 2, "a.docx: which format? Give --to with one of dcase, csv"),
        (["a.tsv", "b.tsv", "--to", "xml"], 2, "--to xml: wanted one of dcase, csv"),
        (["a.tsv", "b.tsv", "--from", "xml"], 2, "--from xml: wanted one of dcase, csv"),
        ([".", "b.tsv", "--recording", "x"], 2, "--recording names one recording, and IN is a folder"),
        (["none.tsv", "b.tsv"], 1, "none.tsv: cannot be read: No such file or directory; wanted a label file"),
        (["a.tsv", "a.eaf"], 2, "a.eaf: elan holds one recording a file and there are 2; name a folder"),
        (["a.tsv", "none/b.csv"], 1, "none/b.csv: cannot be written: there is no folder none"),
    ],
)
def test_a_wrong_call_is_one_line(convert: Convert, arguments: list[str], code: int, wanted: str) -> None:
    annotations.write("a.tsv", {"a.wav": [DOG], "b.wav": [FOX]})
    Path("a.eaf").write_text("before")
    ended, said = convert(*arguments)
    assert ended == code
    assert len(said) == 1
    assert said[0].startswith(f"hubbub: {wanted}")
    assert Path("a.eaf").read_text() == "before"
