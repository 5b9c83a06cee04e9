"""Label files: what is written is read again, what is wrong with a file is told with its line, other readers agree."""

import csv
import importlib.util
import io
import os
import sys
import types
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hubbub import annotations
from hubbub.annotations import FORMATS, read_durations, read_scores, write_durations, write_scores
from hubbub.errors import AnnotationError
from hubbub.events import Event

TABLE = {
    "b/two.wav": [Event(1.0, 2.5, "dog_barking", 0.25), Event(0.1234564, 3.0, "large vehicle", 1 / 3)],
    "b/silent.wav": [],
    "a.wav": [
        Event(2.0, 2.0, "glass", None),
        Event(2.0, 9.0, "Türklingel 🔔", None),
        Event(0.0, 36000.25, "rain", None),
    ],
}
DCASE = (
    "filename\tonset\toffset\tevent_label\tscore\n"
    "a.wav\t0.000000\t36000.250000\train\t\n"
    "a.wav\t2.000000\t9.000000\tTürklingel 🔔\t\n"
    "a.wav\t2.000000\t2.000000\tglass\t\n"
    "b/silent.wav\t\t\t\t\n"
    "b/two.wav\t0.123456\t3.000000\tlarge vehicle\t0.333333\n"
    "b/two.wav\t1.000000\t2.500000\tdog_barking\t0.250000\n"
)
HEADER = "filename\tonset\toffset\tevent_label\n"
SCORED = "filename\tonset\toffset\tevent_label\tscore\n"


def rounded(table, scores: bool = True) -> dict[str, list[Event]]:
    """The table as a file with six decimals gives it back."""
    return {
        filename: sorted(
            Event(
                round(each.onset, 6),
                round(each.offset, 6),
                each.label,
                round(each.score, 6) if scores and each.score is not None else None,
            )
            for each in events
        )
        for filename, events in table.items()
    }


def file_of(tmp_path: Path, content: str | bytes, name: str = "labels.tsv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def said(path: Path, reader=annotations.read, **options) -> str:
    """What a reader says of a bad file: one line that starts with the path, which is left out here."""
    with pytest.raises(AnnotationError) as error:
        reader(path, **options)
    text = str(error.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path))


# There and back


def test_the_bytes_of_a_dcase_table(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"
    annotations.write(path, TABLE)
    assert path.read_bytes() == DCASE.encode()
    assert [each.name for each in tmp_path.iterdir()] == ["events.tsv"]


@pytest.mark.parametrize("name", ["dcase", "csv", "json"])
def test_a_table_comes_back_and_is_written_the_same_again(tmp_path: Path, name: str) -> None:
    first, second = tmp_path / f"1{FORMATS[name].suffixes[0]}", tmp_path / f"2{FORMATS[name].suffixes[0]}"
    annotations.write(first, TABLE, name)
    assert annotations.detect_format(first) == name
    assert annotations.read(first) == rounded(TABLE)
    annotations.write(second, annotations.read(first), name)
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("name", ["text", "audacity"])
@pytest.mark.parametrize("filename", list(TABLE))
def test_one_recording_comes_back_without_scores(tmp_path: Path, name: str, filename: str) -> None:
    path = tmp_path / "street.txt"
    annotations.write(path, {filename: TABLE[filename]}, name)
    wanted = rounded(TABLE, scores=False)[filename]
    assert annotations.read(path) == {"street": wanted}
    assert annotations.read(path, format=name, recording=filename) == {filename: wanted}


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_stream_gets_what_a_file_gets(tmp_path: Path, name: str) -> None:
    table = {"a.wav": [replace(each, label=each.label.replace(" ", "_")) for each in TABLE["a.wav"]]}
    stream = io.StringIO()
    annotations.write(stream, table, name)
    annotations.write(tmp_path / "a", table, name)
    assert stream.getvalue().encode() == (tmp_path / "a").read_bytes()


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_table_of_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "nothing"
    annotations.write(path, {}, name)
    about_one = not FORMATS[name].several or name == "birdnet"  # which writes a table a recording
    assert annotations.read(path, format=name) == ({"nothing": []} if about_one else {})


def test_tsv_is_dcase() -> None:
    stream = io.StringIO()
    annotations.write(stream, TABLE, "tsv")
    assert stream.getvalue() == DCASE


def test_names_with_commas_and_quotes_come_back(tmp_path: Path) -> None:
    table = {'say "hi", twice.wav': [Event(0.0, 1.0, '"quoted", label')]}
    for name in ("dcase", "csv", "json"):
        annotations.write(tmp_path / name, table, name)
        assert annotations.read(tmp_path / name, format=name) == table


# What files look like


DOG = [Event(0.5, 1.5, "dog")]


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("dcase", HEADER + "a.wav\t0.5\t1.5\tdog\nb.wav\t\t\t\n", {"a.wav": DOG, "b.wav": []}),
        ("dcase", (HEADER + "a.wav\t0.5\t1.5\tdog\r\n").encode("utf-16"), {"a.wav": DOG}),
        ("dcase", HEADER + "b.wav\na.wav\t0.5\t1.5\tdog\n", {"b.wav": [], "a.wav": DOG}),
        ("dcase", "\ufeff" + HEADER.replace("\n", "\r\n") + "\r\na.wav\t0.5\t1.5\tdog\r\n\r\n", {"a.wav": DOG}),
        ("dcase", "\n" + HEADER.replace("\n", "\r") + "a.wav\t0.5\t1.5\tdog", {"a.wav": DOG}),
        ("dcase", "scene\tevent_label\toffset\tonset\tfilename\nhome\tdog\t1.5\t0.5\ta.wav\n", {"a.wav": DOG}),
        ("dcase", SCORED + "a.wav\t0.5\t1.5\tdog\n", {"a.wav": DOG}),
        ("dcase", SCORED + "a.wav\t0.5\t1.5\tdog\t0.75\n", {"a.wav": [Event(0.5, 1.5, "dog", 0.75)]}),
        ("dcase", HEADER + 'a.wav\t0.5\t1.5\t"dog"\n\t\t\t\n', {"a.wav": DOG}),
        ("csv", "filename,onset,offset,event_label\na.wav,0.5,1.5,dog\nb.wav,,,\n", {"a.wav": DOG, "b.wav": []}),
        ("text", "0.5\t1.5\tdog\n", {"labels": DOG}),
        ("text", "0.5 1.5 dog\r\n\r\n", {"labels": DOG}),
        ("text", "  0.5   1.5\t dog\n".replace("\t", " "), {"labels": DOG}),
        ("text", "0.5,1.5,dog", {"labels": DOG}),
        ("text", "0.5; 1.5; dog\n", {"labels": DOG}),
        ("text", "onset\toffset\tevent_label\n0.5\t1.5\tdog\n", {"labels": DOG}),
        ("text", "0.5\t1.5\tdog, or fox\n", {"labels": [Event(0.5, 1.5, "dog, or fox")]}),
        ("text", "0.5, 1.5, old dog\n", {"labels": [Event(0.5, 1.5, "old dog")]}),
        ("text", "0.5\t1.5\tdog\t\n", {"labels": DOG}),
        ("text", "", {"labels": []}),
        ("audacity", "0.5\t1.5\tdog\n\\\t440.0\t880.5\n2\t2\tfox\n", {"labels": [*DOG, Event(2.0, 2.0, "fox")]}),
        ("audacity", "\ufeff0.5\t1.5\tdog\t0.25\r\n", {"labels": [Event(0.5, 1.5, "dog", 0.25)]}),
        ("json", '{"recordings": [{"filename": "a.wav", "events": []}], "by": "me"}', {"a.wav": []}),
        (
            "json",
            '\n {"recordings": [{"filename": "a.wav", "events": [{"onset": 0.5, "offset": 1.5, "label": "dog"}]}]}',
            {"a.wav": DOG},
        ),
    ],
)
def test_files_as_others_write_them(
    tmp_path: Path, name: str, content: str | bytes, wanted: dict[str, list[Event]]
) -> None:
    path = file_of(tmp_path, content, "labels.txt")
    assert annotations.detect_format(path) == name
    read = annotations.read(path)
    assert read == wanted
    assert [[each.score for each in events] for events in read.values()] == [
        [each.score for each in events] for events in wanted.values()
    ]
    assert list(read) == list(wanted)


def test_the_first_lines_tell_more_than_the_suffix(tmp_path: Path) -> None:
    for content in ("onset\toffset\tlabel\n0.5\t1.5\tdog\n", "0.5\t1.5\tdog\n"):
        assert annotations.read(file_of(tmp_path, content, "labels.tsv")) == {"labels": DOG}
    assert annotations.detect_format(file_of(tmp_path, DCASE, "labels.csv")) == "dcase"
    assert annotations.detect_format(file_of(tmp_path, "", "labels.csv")) == "csv"


def test_the_score_is_read(tmp_path: Path) -> None:
    """Events compare with their scores; this says so, since two tests above lean on it."""
    assert Event(0.5, 1.5, "dog", 0.75) != Event(0.5, 1.5, "dog")
    path = file_of(tmp_path, DCASE)
    assert [each.score for each in annotations.read(path)["b/two.wav"]] == [0.333333, 0.25]


# What is wrong with a file


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (HEADER + "a.wav\t2\t1\tdog\n", ":2: onset 2 s lies after offset 1 s; wanted 0 <= onset <= offset"),
        (HEADER + "\n\na.wav\t-1\t1\tdog\n", ":4: onset -1 s is negative; wanted 0 <= onset <= offset"),
        (SCORED.replace("\n", "\r\n") + "a.wav\r\nb.wav\t-1\t1\tdog\t\r\n", ":3: onset -1 s is negative; wanted"),
        (HEADER + "a.wav\tone\t1\tdog\n", ":2: onset is 'one'; wanted a number"),
        (HEADER + "a.wav\t0\tnan\tdog\n", ":2: offset is 'nan'; wanted a number"),
        (HEADER + "a.wav\t0\t1_0\tdog\n", ":2: offset is '1_0'; wanted a number"),
        (HEADER + "a.wav\t0,5\t1\tdog\n", ":2: onset is '0,5', with a decimal comma; wanted a point: 0.5"),
        (HEADER + "a.wav\t0\t\tdog\n", ":2: offset is empty; wanted a number"),
        (HEADER + "a.wav\t0\t1\t \n", ":2: the label is empty; wanted what sounds"),
        (HEADER + "a.wav\t0\t1\n", ":2: has 3 columns; wanted 4: filename onset offset event_label"),
        (HEADER + "a.wav\t0\t1\tdog\tbig\n", ":2: has 5 columns; wanted 4: filename onset offset event_label"),
        (HEADER + "\t0\t1\tdog\n", ":2: filename is empty; wanted the name of a recording"),
        (HEADER + 'a.wav\t0\t1\t"dog\nb.wav\t0\t1\tcat\n', ":3: unexpected end of data; wanted quotes around a whole"),
        (SCORED + "a.wav\t0\t1\tdog\thigh\n", ":2: score is 'high'; wanted a number"),
        ("filename\tonset\tevent_label\na.wav\t0\tdog\n", ":1: column offset is missing; wanted a header: filename on"),
        (
            "filename\tonset\tonset\toffset\tevent_label\n",
            ":1: column onset is there twice; wanted a header: filename ",
        ),
        ("", ":1: column filename is missing; wanted a header: filename onset offset event_label"),
        (b"filename\tonset\toffset\tevent_label\na.wav\t0\t1\tT\xfcr\n", ":2: is not UTF-8; wanted text, saved as UTF"),
        (HEADER.encode("utf-16")[:-1], ":1: is not UTF-16, as its first bytes say; wanted text, saved as UTF-8"),
    ],
)
def test_a_bad_table_is_told_with_its_line(tmp_path: Path, content: str | bytes, wanted: str) -> None:
    assert said(file_of(tmp_path, content)).startswith(wanted)


@pytest.mark.parametrize("name", ["text", "audacity"])
@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("0\t1\tdog\n2\t1\tdog\n", ":2: onset 2 s lies after offset 1 s; wanted 0 <= onset <= offset"),
        ("0\t1\tdog\n\n-2\t1\tdog\n", ":3: onset -2 s is negative; wanted 0 <= onset <= offset"),
        ("start\t1\tdog\n", ":1: onset is 'start'; wanted a number"),
        ("0,25\t1,5\tdog\n", ":1: onset is '0,25', with a decimal comma; wanted a point: 0.25"),
        ("0\t1\tdog\n0\t1\n", ":2: has 2 columns; wanted 3: "),
        ("0\t1\tdog\n0\t1\t \n", ":2: the label is empty, others are not; wanted what sounds"),
        ("0\t1\tdog\t1.06\n", ":1: score 1.06 is no confidence; wanted 0 to 1"),
        ("0\t1\tdog\t-0.1\n", ":1: score -0.1 is no confidence; wanted 0 to 1"),
        ("0\t1\tdog\n\n0\t1\tdog\t0.5\tx\n", ":3: has 5 columns; wanted 3: "),
    ],
)
def test_bad_labels_of_one_recording_are_told_with_their_line(
    tmp_path: Path, name: str, content: str, wanted: str
) -> None:
    path = file_of(tmp_path, content, "a.txt")
    assert said(path, format=name).startswith(wanted)
    if name == "text" or "score" in wanted:
        assert said(path).startswith(wanted)


def test_what_only_text_or_audacity_can_have_wrong(tmp_path: Path) -> None:
    path = file_of(tmp_path, "0 1 old dog\n", "a.txt")
    assert said(path) == ":1: has 4 columns; wanted 3: onset offset label, with tabs where a label holds blanks"
    path = file_of(tmp_path, "0,5 1,5 dog\n", "a.txt")
    assert said(path) == ":1: onset is '0,5', with a decimal comma; wanted a point: 0.5"
    path = file_of(tmp_path, "\\\t440\t880\n0\t1\tdog\n", "a.txt")
    assert said(path).startswith(":1: frequencies without a label; wanted")
    path = file_of(tmp_path, "0\t1\tdog\n\\\t440\thigh\n", "a.txt")
    assert said(path) == ":2: upper frequency is 'high'; wanted a number"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ('{\n"recordings": [\n}', ":3: is no JSON: Expecting value; wanted {"),
        ('{"recordings": 3}', ": there is no list recordings; wanted {"),
        ('{"recordings": [{"events": []}]}', ": recordings[0]: filename is None; wanted the name of a recording"),
        ('{"recordings": [{"filename": "a"}]}', ": there is no list recordings[0].events; wanted {"),
        ('{"recordings": [7]}', ": recordings[0]: filename is None; wanted the name of a recording"),
        ('{"recordings": [{"filename": "a", "events": [7]}]}', ": recordings[0].events[0] is 7; wanted onset, offset"),
    ],
)
def test_a_bad_json_is_told_with_its_place(tmp_path: Path, content: str, wanted: str) -> None:
    assert said(file_of(tmp_path, content, "a.json")).startswith(wanted)


@pytest.mark.parametrize(
    ("onset", "offset", "label", "score", "wanted"),
    [
        ("2", "1", '"dog"', "null", "onset 2 s lies after offset 1 s; wanted 0 <= onset <= offset"),
        ("-1", "1", '"dog"', "null", "onset -1 s is negative; wanted 0 <= onset <= offset"),
        ("0", "Infinity", '"dog"', "null", "onset 0.0 and offset inf must be finite numbers; wanted 0 <= onset <= off"),
        ('"0"', "1", '"dog"', "null", "onset is '0'; wanted a number"),
        ("0", "null", '"dog"', "null", "offset is None; wanted a number"),
        ("0", "true", '"dog"', "null", "offset is True; wanted a number"),
        ("0", "1", '""', "null", "label is ''; wanted what sounds"),
        ("0", "1", "3", "null", "label is 3; wanted what sounds"),
        ("0", "1", '"dog"', '"high"', "score is 'high'; wanted a number"),
    ],
)
def test_a_bad_event_in_json(tmp_path: Path, onset: str, offset: str, label: str, score: str, wanted: str) -> None:
    event = f'{{"onset": {onset}, "offset": {offset}, "label": {label}, "score": {score}}}'
    path = file_of(tmp_path, f'{{"recordings": [{{"filename": "a.wav", "events": [{event}]}}]}}', "a.json")
    assert said(path).startswith(f": recordings[0].events[0]: {wanted}")


def test_a_recording_twice_in_json_and_one_nested_too_deeply(tmp_path: Path) -> None:
    twice = '{"recordings": [{"filename": "a.wav", "events": []}, {"filename": "a.wav", "events": []}]}'
    assert said(file_of(tmp_path, twice, "a.json")) == ": recordings[1]: 'a.wav' is there twice; wanted it once"
    deep = '{"recordings": ' + "[" * 100_000
    assert "nested too deeply" in said(file_of(tmp_path, deep, "a.json"))


def test_files_that_are_none(tmp_path: Path) -> None:
    assert said(tmp_path / "none.tsv") == ": cannot be read: No such file or directory; wanted a label file"
    assert said(tmp_path) == ": cannot be read: Is a directory; wanted a label file"
    poem = file_of(tmp_path, "The quick brown fox\njumps\n", "poem.md")
    assert said(poem) == ": is no label file known here; wanted one of " + ", ".join(FORMATS)
    assert said(poem, annotations.detect_format) == said(poem)
    with pytest.raises(
        AnnotationError, match="there is no label format 'xml'; wanted one of dcase, csv, jams, json, audio"
    ):
        annotations.read(poem, format="xml")


# Writing what cannot be written


def refused(path: Path, table, name: str) -> str:
    with pytest.raises(AnnotationError) as error:
        annotations.write(path, table, name)
    assert not [each for each in path.parent.glob("*") if each.suffix == ".part"]
    return str(error.value).removeprefix(f"{path}: ")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = file_of(tmp_path, "before", "a.tsv")
    assert refused(path, {"a.wav": [Event(0, 1, "a\tb")]}, "dcase") == (
        "cannot be written: the label 'a\\tb' holds '\\t'; rename it"
    )
    assert refused(path, {"a\nb.wav": []}, "csv") == (
        "cannot be written: the filename 'a\\nb.wav' holds '\\n'; rename it"
    )
    assert refused(path, {" ": []}, "dcase") == "cannot be written: an empty filename; wanted a name"
    for name in ("text", "audacity"):
        assert refused(path, TABLE, name) == (
            f"{name} holds one recording a file and the table has 3; write a file for each, or take dcase"
        )
        assert "holds '\\t'" in refused(path, {"a": [Event(0, 1, "a\tb")]}, name)
    assert "is no Unicode text; rename it" in refused(path, {"a\udcff.wav": []}, "dcase")
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.tsv"]


def test_an_unwritable_path_is_told(tmp_path: Path) -> None:
    assert (
        refused(tmp_path / "none" / "a.tsv", TABLE, "dcase") == f"cannot be written: there is no folder {tmp_path}/none"
    )
    assert refused(tmp_path, TABLE, "dcase") == "cannot be written: it is a folder; wanted the name of a file"


def test_a_pipe_or_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """With a pipe of the test's own: a real device, such as the null device, would be lost if this failed as root."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        annotations.write(pipe, TABLE)
        assert os.read(reader, 10_000) == DCASE.encode()
    finally:
        os.close(reader)
    assert pipe.is_fifo()


# Scores and durations


def test_scores_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    edges = np.minimum(np.arange(502) * 0.02, 10.013)
    values = np.random.default_rng(0).random((501, 3), dtype=np.float32) ** 8
    write_scores(path, edges, values, ["dog", "large vehicle", "Tür"])
    read_edges, read_values, labels = read_scores(path)
    assert labels == ["dog", "large vehicle", "Tür"]
    np.testing.assert_allclose(read_edges, edges, rtol=0, atol=5e-7)
    np.testing.assert_array_equal(read_values.astype(np.float32), values)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tsv"]


def test_the_bytes_of_scores(tmp_path: Path) -> None:
    write_scores(tmp_path / "a.tsv", np.array([0, 0.02, 0.03]), np.array([[0.5, 0], [1e-9, 1]]), ["dog", "old fox"])
    assert (tmp_path / "a.tsv").read_bytes() == (
        b"onset\toffset\tdog\told fox\n0.000000\t0.020000\t0.5\t0\n0.020000\t0.030000\t1e-09\t1\n"
    )


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("onset\tdog\n", ":1: column offset is missing; wanted a header: onset offset"),
        ("onset\toffset\n", ":1: columns are 'onset offset'; wanted onset offset LABEL…, each label once"),
        ("onset\toffset\tdog\tdog\n", ":1: columns are 'onset offset dog dog'; wanted onset offset LABEL…, each"),
        ("dog\tonset\toffset\n", ":1: columns are 'dog onset offset'; wanted onset offset LABEL…"),
        ("onset\toffset\tdog\n", ": has no frames; wanted a row for each"),
        ("onset\toffset\tdog\n0\t1\n", ":2: has 2 columns; wanted 3, as the header"),
        ("onset\toffset\tdog\n0\t1\thigh\n", ":2: dog is 'high'; wanted a number"),
        ("onset\toffset\tdog\n0\t1\tnan\n", ":2: dog is 'nan'; wanted a number"),
        ("onset\toffset\tdog\n0\t1\t0,5\n", ":2: dog is '0,5', with a decimal comma; wanted a point: 0.5"),
        ("onset\toffset\tdog\n0\t1\t1\n1\t1\t1\n", ":3: a frame from 1 s to 1 s; wanted 0 <= onset < offset"),
        ("onset\toffset\tdog\n-1\t1\t1\n", ":2: a frame from -1 s to 1 s; wanted 0 <= onset < offset"),
        ("onset\toffset\tdog\n0\t1\t1\n1.5\t2\t1\n", ":3: onset 1.5 s; wanted 1 s, where the frame before ends"),
        ("onset\toffset\tdog\n0\t1\t1\n0.5\t2\t1\n", ":3: onset 0.5 s; wanted 1 s, where the frame before ends"),
    ],
)
def test_bad_scores_are_told_with_their_line(tmp_path: Path, content: str, wanted: str) -> None:
    assert said(file_of(tmp_path, content), read_scores).startswith(wanted)


@pytest.mark.parametrize(
    ("edges", "values", "labels", "wanted"),
    [
        ([0, 1], [[1], [1]], ["dog"], "scores (2, 1) on 2 edges for 1 labels"),
        ([0, 1], [[1]], ["dog", "fox"], "scores (1, 1) on 2 edges for 2 labels"),
        ([0], np.zeros((0, 1)), ["dog"], "scores (0, 1) on 1 edges"),
        ([0, 1e-7], [[1]], ["dog"], "edges do not rise by a microsecond"),
        ([0, 1], [[np.nan]], ["dog"], "some scores or edges are no finite numbers"),
        ([0, 1], [[1, 1]], ["dog", "dog"], "labels dog, dog; wanted each once"),
        ([0, 1], [[1]], ["onset"], "labels onset; wanted each once, and no onset, offset"),
        ([0, 1], [[1]], ["a\\b"], "the label 'a\\\\b' holds"),
        ([0, 1], [[1]], [""], "an empty label"),
    ],
)
def test_scores_that_are_not_written(tmp_path: Path, edges, values, labels: list[str], wanted: str) -> None:
    with pytest.raises(AnnotationError) as error:
        write_scores(tmp_path / "a.tsv", np.array(edges, float), np.array(values, float), labels)
    assert str(error.value).startswith(f"{tmp_path / 'a.tsv'}: cannot be written: {wanted}")
    assert list(tmp_path.iterdir()) == []


def test_durations_come_back(tmp_path: Path) -> None:
    path = tmp_path / "durations.tsv"
    write_durations(path, {"b.wav": 36000.1234567, "a b.wav": 10})
    assert path.read_bytes() == b"filename\tduration\na b.wav\t10.000000\nb.wav\t36000.123457\n"
    assert read_durations(path) == {"a b.wav": 10.0, "b.wav": 36000.123457}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("filename\tlength\n", ":1: column duration is missing; wanted a header: filename duration"),
        ("filename\tduration\na.wav\n", ":2: has 1 columns; wanted 2: filename duration"),
        ("filename\tduration\na.wav\tlong\n", ":2: duration is 'long'; wanted a number"),
        ("filename\tduration\na.wav\t-1\n", ":2: duration is -1 s; wanted more than 0"),
        ("filename\tduration\na.wav\t0\n", ":2: duration is 0 s; wanted more than 0"),
        ("filename\tduration\na.wav\t1\n\na.wav\t1\n", ":4: 'a.wav' is there twice; wanted each recording once"),
        ("filename\tduration\n\t1\n", ":2: filename is empty; wanted each recording once"),
    ],
)
def test_bad_durations_are_told_with_their_line(tmp_path: Path, content: str, wanted: str) -> None:
    assert said(file_of(tmp_path, content), read_durations) == wanted


# Other readers


@pytest.fixture(scope="module")
def dcase_util():
    """sed_eval's reader. It imports pkg_resources, which setuptools has dropped, and needs none of it."""
    stand_in = importlib.util.find_spec("pkg_resources") is None
    if stand_in:
        sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dcase_util
    finally:
        if stand_in:
            del sys.modules["pkg_resources"]
    return dcase_util


@pytest.mark.filterwarnings("ignore")  # its own
def test_sed_eval_reads_our_tables_and_labels(tmp_path: Path, dcase_util) -> None:
    container = dcase_util.containers.MetaDataContainer
    table = {"a.wav": [Event(0.0, 1.25, "dog"), Event(0.5, 1.5, "large vehicle")], "b.wav": [Event(2.0, 3.0, "dog")]}
    annotations.write(tmp_path / "a.txt", {"a.wav": table["a.wav"]}, "text")
    read = container().load(filename=str(tmp_path / "a.txt"))
    assert [(each.onset, each.offset, each.event_label) for each in read] == [
        (0, 1.25, "dog"),
        (0.5, 1.5, "large vehicle"),
    ]
    annotations.write(tmp_path / "events.tsv", table)
    read = container().load(
        filename=str(tmp_path / "events.tsv"), fields=["filename", "onset", "offset", "event_label"]
    )
    rows = [(each.filename, each.onset, each.offset, each.event_label) for each in read if each.filename in table]
    assert rows == [(name, each.onset, each.offset, each.label) for name, events in table.items() for each in events]


def test_scores_meet_the_rules_of_sed_scores_eval(tmp_path: Path) -> None:
    """Its reader (0.0.4, `validate_score_dataframe`) wants these columns first, no empty frame, and each onset equal to
    the offset before, compared as floats."""
    path = tmp_path / "a.tsv"
    write_scores(path, np.arange(3001) * (220 / 22050), np.zeros((3000, 2)), ["dog", "fox"])
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0] == ["onset", "offset", "dog", "fox"]
    onsets, offsets = np.array([row[:2] for row in rows[1:]], dtype=float).T
    assert (onsets[1:] == offsets[:-1]).all()
    assert (onsets < offsets).all()
