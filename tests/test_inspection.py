"""What an inspection finds in a data set, on a terminal, as JSON and on a page."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from hubbub import audio
from hubbub.cli import main
from hubbub.datasets import inspection, tut2016
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.archives import Archive
from hubbub.datasets.inspection import Inspection, inspect, overlaps
from hubbub.datasets.material import Material
from hubbub.datasets.split import SIDES
from hubbub.datasets.statistics import PARTS, histogram, in_parts, label_facts, lengths_of, polyphony, seconds_by_number
from hubbub.datasets.tut2016 import REPORT_EVENTS, annotation_name, audio_name
from hubbub.errors import DatasetError
from hubbub.events import Event
from hubbub.report.inspection_page import render
from hubbub.report.inspection_tables import MOST_PROBLEMS, inspection_tables, problem_lines, summary
from tests.test_tut2016 import MIXTURES, RATE, SPOILED, Spoil, tree

__all__ = ["tree"]  # a fixture


def recording(name: str, duration: float, *events: Event) -> AnnotatedRecording:
    return AnnotatedRecording(Path(name), name, duration, tuple(sorted(events)), name)


def noise(path: Path, rng: np.random.Generator, seconds: float = 1.0, rate: int = RATE, **options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write(path, 0.1 * rng.standard_normal(round(seconds * rate)).clip(-3, 3), rate, **options)
    return path


def call(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `hubbub inspect`."""
    monkeypatch.setattr(sys, "argv", ["hubbub", "inspect", *map(str, arguments)])
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    return int(str(code or 0)), *capsys.readouterr()


class TestStatistics:
    def test_seconds_by_number_by_hand(self) -> None:
        events = [Event(1, 4, "a"), Event(2, 3, "b"), Event(4, 5, "c"), Event(6, 6, "d")]
        # nothing in 0-1 and 5-10, two in 2-3; c begins as a ends; d is an instant
        assert seconds_by_number(10, events).tolist() == [6, 3, 1]
        assert seconds_by_number(10, []).tolist() == [10]

    def test_polyphony_is_over_all_time(self) -> None:
        found = polyphony([recording("x", 4, Event(0, 2, "a"), Event(1, 2, "b")), recording("y", 6)])
        assert found.shares == pytest.approx((0.8, 0.1, 0.1))
        assert (found.mean, found.maximum) == (pytest.approx(0.3), 2)
        assert len(found.over_time) == PARTS and np.mean(found.over_time) == pytest.approx(0.3)

    def test_events_of_one_label_at_once_are_one(self) -> None:
        found = polyphony([recording("x", 4, Event(0, 3, "a"), Event(1, 4, "a"))])
        assert (found.shares, found.maximum) == ((0, 1), 1)

    def test_parts(self) -> None:
        parts = in_parts(PARTS, [Event(0.5, 2.25, "a"), Event(PARTS - 1, PARTS, "b"), Event(1, 2, "c")])
        assert parts[:4].tolist() == [0.5, 2, 0.25, 0] and parts[-1] == 1
        assert in_parts(3, []).tolist() == [0] * PARTS

    def test_label_facts_by_hand(self) -> None:
        x = recording("x", 10, Event(0, 2, "a"), Event(1, 3, "a"), Event(9, 10, "b"))
        a, b, c = label_facts(
            [x, recording("y", 30, Event(0, 6, "a"))], {"train": ["x"], "test": ["y"]}, {"a": 7, "c": 1}
        )
        assert (a.label, a.n_events, a.published, a.n_recordings, a.share) == ("a", 3, 7, 2, 1.0)
        assert a.seconds == pytest.approx(3 + 6)
        assert (a.lengths.shortest, a.lengths.median, a.lengths.longest) == (2, 2, 6)
        assert a.n_by_side == {"train": 2, "validation": 0, "test": 1}
        assert a.over_time[0] == pytest.approx((0.2 + 0.6) / (40 / PARTS)) and a.over_time[-1] == 0
        assert (b.n_events, b.published, b.share) == (1, 0, 0.5)
        assert (c.n_events, c.published, c.seconds, c.lengths.longest) == (0, 1, 0, 0)

    def test_histogram_and_lengths(self) -> None:
        found = histogram([1.0, 1.2, 1.5, 4.0, 0.0])
        assert found.edges[-3:] == pytest.approx((2**1.5, 4, 2**2.5))
        assert sum(found.counts) == 5 and found.counts[0] == 1 and found.counts[-1] == 1
        assert found.counts[found.edges.index(1.0)] == 2
        assert len(found.edges) == len(found.counts) + 1
        assert histogram([]).counts == () and lengths_of([]).longest == 0

    def test_overlaps_are_told_label_by_label(self) -> None:
        events = [Event(0, 5, "a"), Event(1, 2, "a"), Event(4, 6, "a"), Event(5, 6, "b"), Event(6, 7, "b")]
        assert overlaps(events) == ["2 of the events of a begin inside another, the first at 1.000 s"]
        assert overlaps([Event(0, 1, "a"), Event(0.5, 2, "a")])[0].startswith("1 of the events of a begins inside")


class TestTut2016:
    def test_numbers(self, tree: Path) -> None:
        found = inspect(tree)
        assert (found.kind, found.n_recordings, found.seconds, found.n_events) == ("TUT-SED Synthetic 2016", 5, 10, 6)
        assert {fact.label: fact.published for fact in found.labels} == REPORT_EVENTS
        rain = next(fact for fact in found.labels if fact.label == "rain")
        assert (rain.n_events, rain.seconds, rain.share) == (2, pytest.approx(1.75), pytest.approx(0.4))
        assert rain.n_by_side == {"train": 1, "validation": 0, "test": 1}
        assert [(side.n_recordings, side.seconds, side.n_events) for side in found.sides] == [
            (2, 4, 2),
            (1, 2, 1),
            (2, 4, 3),
        ]
        assert found.polyphony is not None and found.polyphony.maximum == 2
        assert (found.sample_rates, found.subtypes, found.channels) == ({RATE: 5}, {"PCM_32": 5}, {1: 5})
        assert set(found.problems) == {"missing", "without events", "no events on a side"}
        assert not found.failed
        json.dumps(found.to_dict())

    @pytest.mark.parametrize(
        ("spoil", "message"), [(case[1], case[3]) for case in SPOILED], ids=[case[0] for case in SPOILED]
    )
    def test_what_a_loader_stops_at_is_one_line_and_exit_1(
        self,
        tree: Path,
        spoil: Spoil,
        message: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        spoil(tree)
        code, out, err = call(capsys, monkeypatch, tree)
        assert code == 1
        (line,) = err.splitlines()
        assert line.startswith(f"hubbub: {tree}/{message}")
        assert "5 of 100 mixtures are there" in out

    def test_an_inspection_goes_on(
        self, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _, spoil, _, _ in (SPOILED[0], SPOILED[1], SPOILED[5]):
            spoil(tree)
        code, out, err = call(capsys, monkeypatch, tree, "--json")
        told = json.loads(out)
        assert code == 1 and told["n_recordings"] == 3
        assert err.splitlines() == [f"hubbub: {text}" for text in told["problems"]["not readable"]]
        assert len(err.splitlines()) == 3

    def test_a_whole_tree_is_exit_0(
        self, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, out, err = call(capsys, monkeypatch, tree)
        assert (code, err) == (0, "")
        assert re.search(r"^rain +2 +511 +0:02 +40 +0\.88 +1\.00 +1 +0 +1 *$", out, re.MULTILINE)
        assert re.search(r"^all +6 +36326 *$", out, re.MULTILINE)
        assert f"  {tree}: 5 of 100 mixtures are there; missing: 2-19, 21-39, 42-99\n" in out

    def test_a_stand_in_is_named_as_one(self, tree: Path) -> None:
        (tree / "recipe.json").write_text("{}")
        assert inspect(tree).kind == "A stand-in for TUT-SED Synthetic 2016"

    def test_archives_are_told_even_where_nothing_is_missing(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tree.parent / "a.zip").write_bytes(b"x")
        monkeypatch.setattr(tut2016, "ARCHIVES", (Archive("a.zip", 2, ""),))
        wanted = f"{tree.parent}/a.zip: has 1 bytes; wanted 2; fetch it again"
        assert inspect(tree).problems["missing"][1:] == (wanted,)
        monkeypatch.setattr(tut2016, "N_MIXTURES", 2)
        for path in (tree / "evaluation_setup").iterdir():
            path.write_text(f"{audio_name(0)}\n" if path.stem.startswith("train") else f"{audio_name(1)}\n")
        assert inspect(tree).problems["missing"] == (wanted,)

    def test_what_is_wrong_with_what_can_be_read(self, tree: Path, rng: np.random.Generator) -> None:
        audio.write(tree / audio_name(41), np.zeros(RATE), RATE, "PCM_32")
        (tree / audio_name(40)).write_bytes((tree / audio_name(1)).read_bytes())
        (tree / annotation_name(0)).write_text("0\t1\train\n0.5\t1.5\train\n1.75\t3\tbus\n")
        problems = inspect(tree).problems
        assert problems["past the end"] == (
            f"{audio_name(0)}: bus ends at 3.000 s, past the end at 2.000 s; cut there",
        )
        (overlap,) = problems["overlap"]
        assert overlap == f"{audio_name(0)}: 1 of the events of rain begins inside another, the first at 0.500 s"
        assert problems["silent"] == (f"{audio_name(41)}: every sample is zero",)
        assert problems["without events"] == (f"{audio_name(41)}: no events in 1.0 s",)
        (double,) = problems["duplicate"]
        assert (
            double
            == f"{audio_name(1)}: the same samples as {audio_name(40)}, on several sides of the split: train, test"
        )
        _, validation, _ = problems["no events on a side"]
        assert (
            validation.startswith("validation: no events of alarms_and_sirens, baby_crying,")
            and "bus" not in validation
        )


class TestOthers:
    def test_annotated_recordings(self, tmp_path: Path, rng: np.random.Generator) -> None:
        noise(tmp_path / "a.wav", rng)
        noise(tmp_path / "b.flac", rng, 2.0, 16000)
        noise(tmp_path / "bad.wav", rng).write_bytes(b"text")
        rows = ["gone.wav\t0\t1\tdog", "a.wav\t0.5\t1.0\tdog", "b.flac\t\t\t", "bad.wav\t0\t1\tdog"]
        (tmp_path / "events.tsv").write_text("\n".join(["filename\tonset\toffset\tevent_label", *rows]))
        found = inspect(tmp_path)
        assert (found.kind, found.n_recordings, found.seconds, found.n_events) == ("annotated recordings", 2, 3, 1)
        assert found.sample_rates == {8000: 1, 16000: 1}
        gone, bad = found.problems["not readable"]
        assert "gone.wav is not among the 3 recordings" in gone and "bad.wav: holds text, not audio" in bad
        assert "no events on a side" not in found.problems  # our own split; its notes say what it had to leave open
        assert any(note.startswith("dog cannot be") for note in found.notes)

    def test_a_recording_whose_end_is_damaged_is_found_by_reading_it(
        self, tmp_path: Path, rng: np.random.Generator
    ) -> None:
        noise(tmp_path / "a.wav", rng)
        path = noise(tmp_path / "b.flac", rng, 4.0)
        path.write_bytes(path.read_bytes()[:-4000])
        rows = "filename\tonset\toffset\tevent_label\na.wav\t0\t1\tdog\nb.flac\t0\t1\tdog\n"
        (tmp_path / "events.tsv").write_text(rows)
        found = inspect(tmp_path)
        assert found.n_recordings == found.n_events == 1 and found.failed
        assert str(path) in found.problems["not readable"][0]

    def test_clips(self, tmp_path: Path, rng: np.random.Generator) -> None:
        for name in ("dog/1.wav", "dog/2.wav", "cat/1.wav", "background/1.wav"):
            noise(tmp_path / name, rng, 0.5)
        (tmp_path / "cat/2.wav").write_bytes((tmp_path / "dog/1.wav").read_bytes())
        (tmp_path / "cat/3.wav").write_bytes(b"")
        found = inspect(tmp_path)
        assert (found.kind, found.counted, found.n_recordings, found.polyphony) == ("clips", "clips", 5, None)
        assert {fact.label: fact.n_events for fact in found.labels} == {"cat": 2, "dog": 2}
        assert found.seconds == 2.5 and sum(side.n_recordings for side in found.sides) == 5
        assert found.problems["duplicate"][0].startswith("cat/2.wav: the same samples as dog/1.wav")
        assert found.problems["not readable"] == (f"{tmp_path}/cat/3.wav: is empty (0 bytes); fetch it again",)
        assert set(found.problems) == {"duplicate", "not readable"}
        assert summary(found) == "5 clips, 2.5 seconds of 2 labels"

    def test_all_that_is_wrong_with_clips(self, tmp_path: Path, rng: np.random.Generator) -> None:
        for name in ("dog/1.wav", "dog/1.flac", "dog/2.wav", "loose.wav"):
            noise(tmp_path / name, rng, 0.5)
        (tmp_path / "manifest.csv").write_text("file,label,recording_id\ndog/gone.wav,dog,1\ndog/2.wav,cat,2\n")
        found = inspect(tmp_path)
        assert found.n_recordings == 1
        double, other, loose, gone = found.problems["not readable"]
        assert "two clips with one name" in double and "the label is cat but the clip lies in dog/" in other
        assert "lies in a folder named after its label" in loose and "csv:2: 1 file of this table not found" in gone

    def test_label_files_are_read_one_by_one(self, tmp_path: Path, rng: np.random.Generator) -> None:
        for name in ("a", "b", "c", "d"):
            noise(tmp_path / f"{name}.wav", rng)
        (tmp_path / "a.txt").write_text("0\t1\tdog\n")
        (tmp_path / "b.txt").write_text("1\t0\tdog\n")
        (tmp_path / "c.txt").write_text("")
        (tmp_path / "c.tsv").write_text("")
        found = inspect(tmp_path)
        assert found.n_recordings == found.n_events == 1
        swapped, two, none = found.problems["not readable"]
        assert "b.txt:1: onset 1 s lies after offset 0 s" in swapped and "two label files for c.wav" in two
        assert "1 of 4 recording has no labels: d.wav" in none

    def test_a_split_that_came_with_the_data_is_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recordings = [
            AnnotatedRecording(Path(name), name, 1.0, (Event(0, 1, "dog"),), group, source)
            for name, group, source in (("a", "1", "zoo"), ("b", "1", None), ("c", "2", "zoo"), ("d", "3", None))
        ]
        sides = {"train": ("a",), "validation": ("b",), "test": ("c", "d")}
        material = Material("mine", recordings, sides, "its own", official=True)
        found = [text for kind, text in inspection._problems_of_sides(material, []) if kind == "on two sides"]
        assert found == [
            "recording_id 1: its recordings lie on several sides: train, validation",
            "source zoo: its recordings lie on several sides: train, test",
        ]

    def test_nothing_that_is_a_data_set_is_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(DatasetError, match="no audio in it"):
            inspect(tmp_path)
        code, out, err = call(capsys, monkeypatch, tmp_path / "none")
        assert (code, out) == (1, "") and "no such folder" in err and err.count("\n") == 1

    def test_progress_and_jobs(self, tree: Path) -> None:
        told: list[tuple[int, int]] = []
        several = inspect(tree, lambda done, total: told.append((done, total)), jobs=3)
        assert told == [(done, len(MIXTURES)) for done in range(1, len(MIXTURES) + 1)]
        assert several == inspect(tree)


class TestShown:
    @pytest.fixture
    def found(self, tree: Path) -> Inspection:
        rows = "".join(f"{index / 10}\t9\train\n" for index in range(MOST_PROBLEMS + 2))
        (tree / annotation_name(0)).write_text(rows)
        (tree / audio_name(1)).write_bytes(b"")
        return inspect(tree)

    def test_tables_fit_80_columns(self, found: Inspection) -> None:
        console = Console(width=80)
        with console.capture() as captured:
            console.print(inspection_tables(found))
        lines = captured.get().splitlines()
        assert max(map(len, lines)) <= 80
        assert not [line for line in lines if "…" in line and str(found.folder)[:20] not in line]
        assert "4 recordings, 8.0 seconds, with 15 events of 2 labels" in lines

    def test_many_problems_of_a_kind_are_counted(self, found: Inspection) -> None:
        lines = [line.plain for line in problem_lines(found)]
        at = lines.index(f"past the end ({MOST_PROBLEMS + 2})")
        assert lines[at + MOST_PROBLEMS + 1] == "  and 2 more; --json and --page have them all"
        assert not any("is empty" in line for line in lines)  # an error, told as such

    def test_page(self, found: Inspection) -> None:
        html = render(found)
        assert html == render(found)
        assert html.count("<svg") == 5
        assert html.count("past the end at 2.000 s") == MOST_PROBLEMS + 2
        assert "is empty (0 bytes); fetch it again" in html
        assert not re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']""", html)
        assert not re.findall(r"url\((?!#)", html)

    def test_page_of_clips_and_hostile_names(self, tmp_path: Path, rng: np.random.Generator) -> None:
        label = "<b>a$x$&"
        for index in range(2):
            noise(tmp_path / label / f"{index}.wav", rng)
        html = render(inspect(tmp_path))
        assert "<b>a" not in html
        assert html.count(">&lt;b&gt;a$x$&amp;<") == 3  # in the table and in two figures, where it is no mathematics
        assert html.count("<svg") == 3 and "Nothing that was looked for" in html

    def test_the_command_writes_a_page(
        self, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, out, err = call(capsys, monkeypatch, tree, "--page", tmp_path / "a.html", "--jobs", 1)
        assert (code, err) == (0, f"page: {tmp_path / 'a.html'}\n")
        assert (tmp_path / "a.html").read_text("utf-8").startswith("<!doctype html>")
        code, out, err = call(capsys, monkeypatch, tree, "--page", tmp_path / "none/a.html")
        assert (code, out) == (1, "") and "there is no folder" in err


def test_every_side_has_facts(tree: Path) -> None:
    assert [side.side for side in inspect(tree).sides] == list(SIDES)
