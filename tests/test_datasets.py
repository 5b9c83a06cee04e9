"""Folders of clips and of annotated recordings, their splits, and cached features."""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from hubbub import annotations
from hubbub.datasets import features
from hubbub.datasets.annotated import kind_of, read_annotated
from hubbub.datasets.clips import labels_of, read_clips
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.split import (
    SIDES,
    Item,
    Split,
    _notes,
    items_of_clips,
    items_of_recordings,
    make_split,
    tally,
)
from hubbub.datasets.split_file import check_split, read_split, write_split
from hubbub.errors import AnnotationError, DatasetError
from hubbub.events import Event

RATE = 8000
HEADER = "filename\tonset\toffset\tevent_label\tscore\n"


def wav(path: Path, seconds: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 440 * time), RATE)
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def wrong(call, *arguments) -> str:
    """The message of the `DatasetError` that a call raises: one line."""
    with pytest.raises(DatasetError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    for name in ("dog/a.wav", "dog/b.wav", "cat/a.wav", "background/wind.wav"):
        wav(folder / name)
    return folder


class TestClips:
    def test_without_manifest(self, clips):
        found = read_clips(clips)
        assert [(clip.label, clip.recording_id) for clip in found] == [
            ("background", "background/wind"),
            ("cat", "cat/a"),
            ("dog", "dog/a"),
            ("dog", "dog/b"),
        ]
        assert {(clip.source, clip.licence, clip.confidence) for clip in found} == {(None, None, "A")}
        assert labels_of(found) == ["cat", "dog"]

    @pytest.mark.parametrize("beside", [False, True])
    def test_manifest_in_the_folder_or_beside_it(self, clips, monkeypatch, beside):
        home, prefix = (clips.parent, "clips/") if beside else (clips, "")
        rows = [f"{prefix}dog/a.wav,dog,rec1,zoo,CC0,C,x", f"{prefix}./dog/b.wav,dog,rec1,,,,y"]
        text(home / "manifest.csv", "\ufefffile,label,recording_id,source,licence,confidence,extra\n" + "\n".join(rows))
        if beside:
            with (home / "manifest.csv").open("a") as file:
                file.write("\nothers/x.wav,dog,rec9,,,,\n")  # about another folder
        monkeypatch.chdir(clips)
        by_name = {clip.path.as_posix(): clip for clip in read_clips(Path())}
        a, b, cat = by_name["dog/a.wav"], by_name["dog/b.wav"], by_name["cat/a.wav"]
        assert (a.recording_id, a.source, a.licence, a.confidence) == ("rec1", "zoo", "CC0", "C")
        assert (b.recording_id, b.source, b.licence, b.confidence) == ("rec1", None, None, "A")
        assert cat.recording_id == "cat/a"

    def test_two_clips_with_one_name(self, clips):
        wav(clips / "dog/a.flac")
        message = wrong(read_clips, clips)
        assert str(clips / "dog/a.flac") in message and str(clips / "dog/a.wav") in message
        assert "two clips with one name" in message

    @pytest.mark.parametrize(
        ("rows", "wanted"),
        [
            ("file,label\n", r"manifest.csv:1: no column recording_id; wanted .* found file, label"),
            ("", r"manifest.csv:1: no column file; .* found nothing"),
            (
                "file,label,recording_id\ndog/a.wav,dog,1\n\ndog/a.wav,dog,2\n",
                "csv:4: dog/a.wav is listed already in line 2",
            ),
            ("file,label,recording_id\ndog/a.wav,dog,\n", r"csv:2: recording_id is empty"),
            ("file,label,recording_id\ndog/a.wav,dog,1,2\n", r"csv:2: 4 columns where the header has 3"),
            ("file,label,recording_id\ndog/a.wav,cat,1\n", r"csv:2: the label is cat but the clip lies in dog/"),
            (
                "file,label,recording_id,confidence\ndog/a.wav,dog,1,D\n",
                "csv:2: confidence is 'D'; wanted one of A,",
            ),
            (
                "file,label,recording_id\ndog/x.wav,dog,1\ndog/a.wav,dog,1\ndog/y.wav,dog,1\n",
                r"csv:2: 2 files .* not found .* the first is dog/x.wav",
            ),
        ],
    )
    def test_bad_manifest(self, clips, rows, wanted):
        text(clips / "manifest.csv", rows)
        assert re.search(wanted, wrong(read_clips, clips))

    def test_manifest_of_bytes(self, clips):
        (clips / "manifest.csv").write_bytes(b"file,label,recording_id\n\xff\xfe\n")
        assert "cannot be read as a UTF-8 table" in wrong(read_clips, clips)

    def test_no_clips(self, clips, tmp_path):
        assert "no such folder; wanted CLIPS/<label>/<file>" in wrong(read_clips, tmp_path / "nowhere")
        (tmp_path / "empty").mkdir()
        assert "no audio in it; wanted CLIPS/<label>/<file>" in wrong(read_clips, tmp_path / "empty")
        assert "is no folder" in wrong(read_clips, clips / "dog/a.wav")
        wav(clips / "loose.wav")
        assert "loose.wav: a clip lies in a folder named after its label" in wrong(read_clips, clips)


class TestAnnotated:
    @pytest.mark.parametrize("prefix", ["", "audio/", "./audio/"])
    def test_a_table_relative_to_the_folder_or_to_audio(self, tmp_path, prefix):
        wav(tmp_path / "audio/x.wav", 1.0)
        wav(tmp_path / "audio/deep/y.wav", 0.5)
        text(tmp_path / "events.tsv", f"{HEADER}{prefix}x.wav\t0.1\t0.2\tdog\t\n{prefix}deep/y.wav\t\t\t\t\n")
        text(tmp_path / "recordings.csv", "file,recording_id,source\naudio/x.wav,meeting,zoo\n")
        assert kind_of(tmp_path) == "annotated"
        y, x = read_annotated(tmp_path)
        assert (x.name, y.name) == ("audio/x.wav", "audio/deep/y.wav")
        assert (x.events, y.events) == ((Event(0.1, 0.2, "dog"),), ())
        assert (x.recording_id, x.source) == ("meeting", "zoo")
        assert (y.recording_id, y.source) == ("audio/deep/y", None)
        assert (x.duration, y.duration) == (1.0, 0.5)

    @pytest.mark.parametrize("place", ["a.txt", "labels/a.txt", "annotations/a.txt"])
    @pytest.mark.parametrize("below", ["", "audio/"])
    def test_a_label_file_each(self, tmp_path, place, below):
        wav(tmp_path / f"{below}a.wav", 1.0)
        place = place if "/" in place else below + place
        text(tmp_path / place, "0.25\t0.5\tdog\n")
        assert kind_of(tmp_path) == "annotated"
        (recording,) = read_annotated(tmp_path)
        assert recording.events == (Event(0.25, 0.5, "dog"),)
        assert recording.problems == ()

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.tsv", f"{HEADER}a.wav\t0.25\t0.5\tdog\t\n"),
            ("a.tsv", f"{HEADER}a.wav\t0.25\t0.5\tdog\t\nb.wav\t0.1\t0.5\tcat\t\n"),
            (
                "a.json",
                '{"recordings": [{"filename": "a.wav", "events": [{"onset": 0.25, "offset": 0.5, "label": "dog"}]}]}',
            ),
            ("a.txt", "0.25\t0.5\tdog\n\\\t100.0\t900.0\n"),
        ],
    )
    def test_the_formats_of_label_files(self, tmp_path, name, content):
        wav(tmp_path / "a.wav", 1.0)
        text(tmp_path / "labels" / name, content)
        (recording,) = read_annotated(tmp_path)
        assert recording.events == (Event(0.25, 0.5, "dog"),)

    @pytest.mark.parametrize(
        ("ending", "form"),
        [
            (".TextGrid", "textgrid"),
            (".eaf", "elan"),
            (".svl", "sonicvisualiser"),
            (".jams", "jams"),
            (".rttm", "rttm"),
            (".labels.txt", "audacity"),
            (".Table.1.selections.txt", "raven"),
            (".BirdNET.selection.table.txt", "raven"),
        ],
    )
    def test_label_files_of_other_programs(self, tmp_path, ending, form):
        wav(tmp_path / "a.wav", 1.0)
        annotations.write(tmp_path / f"a{ending}", {"a.wav": [Event(0.25, 0.5, "dog")]}, form)
        assert kind_of(tmp_path) == "annotated"
        (recording,) = read_annotated(tmp_path)
        ((onset, offset, label),) = [(event.onset, event.offset, event.label) for event in recording.events]
        assert (onset, offset, label) == (pytest.approx(0.25, abs=1e-3), pytest.approx(0.5, abs=1e-3), "dog")

    def test_labels_of_other_recordings(self, tmp_path):
        wav(tmp_path / "a.wav", 1.0)
        text(tmp_path / "labels/a.tsv", f"{HEADER}x.wav\t0\t1\tdog\t\nb.wav\t0\t1\tcat\t\n")
        with pytest.raises(AnnotationError, match=r"names 2 recordings; wanted the labels of a\.wav only"):
            read_annotated(tmp_path)

    def test_events_past_the_end(self, tmp_path):
        wav(tmp_path / "a.wav", 1.0)
        text(tmp_path / "a.txt", "0.5\t1.0000004\tok\n0.5\t1.5\tlong\n1.2\t1.5\tlate\n")
        (recording,) = read_annotated(tmp_path)
        assert {event.label: event.offset for event in recording.events} == {"ok": pytest.approx(1.0), "long": 1.0}
        assert recording.problems == (
            "long ends at 1.500 s, past the end at 1.000 s; cut there",
            "late begins at 1.200 s, past the end at 1.000 s; left out",
        )

    def test_recordings_without_labels_are_listed(self, tmp_path):
        for name in "abcdef":
            wav(tmp_path / f"{name}.wav")
        text(tmp_path / "a.txt", "")
        assert "5 of 6 recordings have no labels: b.wav, c.wav, d.wav and 2 more" in wrong(read_annotated, tmp_path)
        text(tmp_path / "events.tsv", HEADER + "".join(f"{name}.wav\t\t\t\t\n" for name in "abcde"))
        message = wrong(read_annotated, tmp_path)
        assert "1 of 6 recording has no labels: f.wav; give each a row in events.tsv" in message

    def test_a_row_for_a_recording_that_is_not_there(self, tmp_path):
        wav(tmp_path / "audio/a.wav")
        text(tmp_path / "events.tsv", f"{HEADER}b.wav\t0\t1\tdog\t\n")
        assert "events.tsv: b.wav is not among the 1 recordings" in wrong(read_annotated, tmp_path)
        text(tmp_path / "events.tsv", f"{HEADER}a.wav\t0\t0.1\tdog\t\n")
        text(tmp_path / "recordings.csv", "file,recording_id\na.wav,1\nc.wav,1\n")
        assert "recordings.csv:3: c.wav is not among" in wrong(read_annotated, tmp_path)
        text(tmp_path / "recordings.csv", "file,recording_id\na.wav,1\naudio/a.wav,2\n")
        assert "recordings.csv:3: audio/a.wav is listed already in line 2" in wrong(read_annotated, tmp_path)

    def test_labels_that_could_be_either(self, tmp_path):
        wav(tmp_path / "a.wav")
        text(tmp_path / "a.txt", "")
        text(tmp_path / "labels/a.txt", "")
        assert "two label files for a.wav; keep one" in wrong(read_annotated, tmp_path)
        text(tmp_path / "one.tsv", HEADER)
        text(tmp_path / "two.csv", HEADER.replace("\t", ","))
        assert "two tables of events; name the right one events.tsv" in wrong(read_annotated, tmp_path)

    def test_two_recordings_share_labels(self, tmp_path):
        wav(tmp_path / "a.wav")
        wav(tmp_path / "a.flac")
        text(tmp_path / "a.txt", "")
        assert "two recordings with one name share the labels" in wrong(read_annotated, tmp_path)

    def test_kind_of(self, clips, tmp_path):
        assert kind_of(clips) == "clips"
        text(clips / "dog/a.txt", "licence: CC0")  # one note beside a clip makes no annotated set
        assert kind_of(clips) == "clips"
        wav(tmp_path / "bare/audio/x.wav")
        assert "x.wav has no labels; wanted recordings with" in wrong(kind_of, tmp_path / "bare")
        (tmp_path / "empty").mkdir()
        assert "no audio in it; wanted recordings with" in wrong(kind_of, tmp_path / "empty")
        assert "no such folder" in wrong(kind_of, tmp_path / "nowhere")


def sources(label: str, **counts: int) -> list[Item]:
    return [
        Item(f"{label}/{source}{index}.wav", (label,), f"{label}-{source}-{index}", source)
        for source, count in counts.items()
        for index in range(count)
    ]


def sides_of(split: Split, items: list[Item], key) -> dict:
    sides = defaultdict(set)
    for item in items:
        sides[key(item)].add(split.sides[item.id])
    return sides


class TestSplit:
    def test_shares_of_many_recordings(self):
        items = sources("dog", zoo=50, farm=50)
        split = make_split(items)
        assert tally(split, items) == {"dog": {"train": 60, "validation": 20, "test": 20}}
        assert split.recording_disjoint == ("dog",)
        check_split(split, items)

    def test_sources_lie_on_one_side_where_there_are_three(self):
        items = sources("baby", a=55, b=4, c=3) + sources("rain", a=40, **{f"s{n}": 1 for n in range(8)})
        items += sources("background", a=6, b=2, c=2)
        split = make_split(items)
        counts = tally(split, items)
        assert counts["baby"]["train"] == 55
        assert counts["rain"] == {"train": 40, "validation": 4, "test": 4}
        assert counts["background"] == {"train": 6, "validation": 2, "test": 2}
        assert split.recording_disjoint == ("background",)
        by_source = sides_of(
            split, [item for item in items if item.labels != ("background",)], lambda i: (i.labels, i.source)
        )
        assert all(len(sides) == 1 for sides in by_source.values())

    def test_a_recording_lies_on_one_side_over_labels(self):
        rng = np.random.default_rng(0)
        items = [
            Item(f"{n}.wav", (str(rng.choice(["a", "b", "c", "d"])),), f"r{rng.integers(30)}", f"s{rng.integers(4)}")
            for n in range(120)
        ]
        # One source for all would tie everything together here, so few enough labels have three sources:
        items = [Item(i.id, i.labels, i.recording_id, None if i.labels != ("a",) else "s") for i in items]
        split = make_split(items)
        assert all(len(sides) == 1 for sides in sides_of(split, items, lambda item: item.recording_id).values())
        check_split(split, items)

    def test_ties_reach_over_labels(self):
        items = sources("cheer", aziz=3, x=3, y=3) + sources("clap", aziz=3, x=3, y=3)
        items.append(Item("clap/both.wav", ("clap",), "cheer-aziz-0", "aziz"))
        split = make_split(items)
        aziz = [item for item in items if item.source == "aziz"]
        assert len({split.sides[item.id] for item in aziz}) == 1

    def test_confidence_c_is_never_tested_on(self):
        items = [Item(f"{n}.wav", ("fan",), f"r{n}", confidence="C" if n < 7 else "A") for n in range(10)]
        for seed in range(20):
            split = make_split(items, seed)
            assert set(split.ids("test")) <= {"7.wav", "8.wav", "9.wav"}
            assert len(split.ids("test")) == 2

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
    def test_few_recordings(self, count):
        items = sources("bus", a=count) + sources("dog", a=10)
        split = make_split(items)
        expected = {1: [1, 0, 0], 2: [1, 1, 0], 3: [1, 1, 1], 4: [2, 1, 1], 5: [3, 1, 1]}[count]
        assert list(tally(split, items)["bus"].values()) == expected
        untestable = f"bus cannot be tested: it has {count} of the 3 recordings that this takes"
        assert (untestable in split.notes) == (count < 3)
        assert ("tested on fewer than 3 recordings: bus (1), dog (2)" in split.notes) == (count >= 3)

    def test_untestable_by_confidence(self):
        items = [Item(f"{n}.wav", ("fan",), f"r{n}", confidence="C") for n in range(5)] + sources("dog", a=10)
        assert "fan cannot be tested: all its clips are of confidence C" in make_split(items).notes

    def test_what_cannot_be_trained_on_is_said(self):
        items = [Item("a.wav", ("dog", "cat"), "a")]
        split = Split({"a.wav": "validation"}, 0)
        (dog,) = [note for note in _notes(items, split.sides, set()) if note.startswith("dog cannot be trained on")]
        assert dog.endswith("needed elsewhere for other labels")

    def test_the_same_for_the_same_seed_in_any_order(self):
        items = sources("dog", a=40) + sources("cat", a=17, b=4)
        split = make_split(items, 3)
        assert make_split(items[::-1], 3) == split
        assert make_split(items, 4).sides != split.sides
        assert split.ids("train") != sorted(split.sides)[: len(split.ids("train"))]

    def test_recordings_of_many_labels(self):
        rng = np.random.default_rng(1)
        labels = [f"l{n:02}" for n in range(16)]
        items = []
        for n in range(100):
            mine = rng.choice(labels, rng.integers(4, 10), replace=False)
            items.append(Item(f"{n}.wav", tuple(sorted(map(str, mine))), f"r{n}", weight=float(rng.uniform(200, 400))))
        items += [Item(f"rare{n}.wav", ("rare", "l00"), f"rare{n}", weight=300.0) for n in range(3)]
        items.append(Item("quiet.wav", (), "quiet", weight=300.0))
        split = make_split(items)
        assert all(min(sides.values()) >= 1 for sides in tally(split, items).values())
        whole = sum(item.weight for item in items)
        shares = [sum(i.weight for i in items if split.sides[i.id] == side) / whole for side in SIDES]
        assert np.allclose(shares, [0.6, 0.2, 0.2], atol=0.03)
        check_split(split, items)

    def test_nothing_and_doubles(self):
        assert "the data set is empty" in wrong(make_split, [])
        assert "a.wav: two items of a split with one name" in wrong(make_split, [Item("a.wav", (), "r")] * 2)

    def test_items(self, clips, tmp_path):
        text(clips / "manifest.csv", "file,label,recording_id\ndog/a.wav,dog,r\ndog/b.wav,dog,r\ncat/a.wav,cat,r\n")
        items = {item.id: item for item in items_of_clips(read_clips(clips), clips)}
        assert items["dog/a.wav"] == Item("dog/a.wav", ("dog",), "r", weight=0.5)
        assert items["cat/a.wav"].weight == 1.0
        wav(tmp_path / "set/a.wav", 2.0)
        text(tmp_path / "set/a.txt", "0\t1\tdog\n0\t1\tcat\n1\t2\tdog\n")
        assert items_of_recordings(read_annotated(tmp_path / "set")) == [Item("a.wav", ("cat", "dog"), "a", weight=2.0)]


class TestSplitFile:
    def test_round_trip(self, tmp_path):
        items = sources("dog, große", a=4) + sources("cat", a=2, b=1)
        items.append(Item('odd "name"\tx.wav', ("dog, große",), "odd"))
        split = make_split(items, 7)
        write_split(tmp_path / "split.tsv", split)
        assert read_split(tmp_path / "split.tsv") == split
        assert [path.name for path in tmp_path.iterdir()] == ["split.tsv"]

    def test_a_killed_run_leaves_the_old_file(self, tmp_path):
        write_split(tmp_path / "split.tsv", Split({"a": "train"}, 1))
        with pytest.raises(TypeError):  # after the first lines are written
            write_split(tmp_path / "split.tsv", Split({"a": "test", None: "test"}, 2))
        assert read_split(tmp_path / "split.tsv") == Split({"a": "train"}, 1)
        assert [path.name for path in tmp_path.iterdir()] == ["split.tsv"]

    def test_by_hand(self, tmp_path):
        path = text(tmp_path / "s.tsv", "file\tside\r\na.wav\ttrain\r\n\r\nb.wav\ttest\r\n")
        assert read_split(path) == Split({"a.wav": "train", "b.wav": "test"}, 0)

    @pytest.mark.parametrize(
        ("content", "wanted"),
        [
            ("# seed: 1\na.wav\ttrain\n", "s.tsv:2: no header"),
            ("", "s.tsv:1: no header"),
            ("# seed: 1\n", "s.tsv:2: no header"),
            ("# seed: x\nfile\tside\n", "s.tsv:1: the seed is 'x'"),
            (
                "# seed: 1\nfile\tside\na.wav\ttrain\nb.wav\teval\n",
                "s.tsv:4: found 'b.wav eval'; wanted a file, a",
            ),
            ("file\tside\na.wav\ttrain\na.wav\ttest\n", "s.tsv:3: a.wav has a side already"),
        ],
    )
    def test_bad_file(self, tmp_path, content, wanted):
        assert wanted in wrong(read_split, text(tmp_path / "s.tsv", content))

    def test_no_file(self, tmp_path):
        assert "cannot be read as a split" in wrong(read_split, tmp_path / "none.tsv")
        assert "cannot be written" in wrong(write_split, tmp_path / "none/s.tsv", Split({}, 0))

    @pytest.mark.parametrize(
        ("change", "wanted"),
        [
            ({"a0": None}, "the split gives no side to a0; make a new split"),
            ({"x": "train"}, "the split names x, not in the data set"),
            ({"b0": "train", "b1": "train", "d0": "train"}, "nothing to validate on; it takes three"),
            ({"a1": "validation"}, "recording ra on two sides: a0 (train), a1 (validation)"),
            ({"a0": "test", "a1": "test", "c0": "train"}, "tests on a0, whose label has confidence C"),
            ({"d0": "test"}, "source farm of label cat on two sides: b0 (validation), d0 (test)"),
        ],
    )
    def test_check(self, change, wanted):
        items = [
            Item("a0", ("dog",), "ra", "zoo", confidence="C"),
            Item("a1", ("dog",), "ra", "zoo", confidence="C"),
            Item("b0", ("cat",), "rb", "farm"),
            Item("b1", ("cat",), "rb", "farm"),
            Item("c0", ("dog",), "rc", "zoo"),
            Item("d0", ("cat",), "rd", "farm"),
        ]
        good = {"a0": "train", "a1": "train", "b0": "validation", "b1": "validation", "c0": "test", "d0": "validation"}
        check_split(Split(good, 0, ("dog",)), items)
        sides = {name: side for name, side in (good | change).items() if side is not None}
        assert wanted in wrong(check_split, Split(sides, 0, ("dog",)), items)


def squares(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float32) ** 2


class TestFeatures:
    def test_computed_once(self, tmp_path):
        cache, calls = FeatureCache(tmp_path / "new" / "cache"), []
        key = key_of({"hop": 220}, "content")

        def compute() -> np.ndarray:
            calls.append(1)
            return np.arange(12.0).reshape(3, 4).T

        for _ in range(2):
            array = cache.get(key, compute)
            assert isinstance(array, np.memmap) and not array.flags.writeable
            assert np.array_equal(array, np.arange(12.0).reshape(3, 4).T)
        assert len(calls) == 1
        assert [path.name for path in (tmp_path / "new/cache").iterdir()] == [f"{key}.npy"]

    @pytest.mark.parametrize("damage", ["empty", "header", "cut", "text", "pickle", "zip"])
    def test_a_broken_file_is_computed_again(self, tmp_path, damage):
        cache = FeatureCache(tmp_path)
        path = cache.path("k")
        cache.get("k", lambda: squares(1000))
        whole = path.read_bytes()
        if damage == "zip":
            with path.open("wb") as file:
                np.savez(file, a=squares(3))
        elif damage == "pickle":
            np.save(path, np.array([{}], dtype=object), allow_pickle=True)
        else:
            path.write_bytes({"empty": b"", "header": whole[:50], "cut": whole[:-1], "text": b"no array"}[damage])
        assert cache.load("k") is None
        assert np.array_equal(cache.get("k", lambda: squares(1000)), squares(1000))
        assert path.read_bytes() == whole

    def test_arrays_without_frames(self, tmp_path):
        assert FeatureCache(tmp_path).get("k", lambda: np.zeros((0, 40))).shape == (0, 40)

    def test_a_failed_computation_leaves_nothing(self, tmp_path):
        cache = FeatureCache(tmp_path / "cache")
        with pytest.raises(ZeroDivisionError):
            cache.get("k", lambda: np.zeros(1 // 0))
        with pytest.raises(ValueError, match="an array of objects would need pickle"):
            cache.get("k", lambda: np.array([{}], dtype=object))
        assert not (tmp_path / "cache").exists()

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        text(tmp_path / "file", "")
        assert "features cannot be written" in wrong(FeatureCache(tmp_path / "file").get, "k", lambda: squares(1))

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_fill(self, tmp_path, n_jobs):
        cache, seen = FeatureCache(tmp_path), []
        cache.get("0", lambda: squares(0))
        jobs = [(str(n), lambda n=n: squares(n)) for n in range(5)]
        with parallel_config("threading"):  # processes take seconds to start
            assert cache.fill([*jobs, jobs[1]], lambda done, total: seen.append((done, total)), n_jobs) == 4
        assert seen == [(n, 4) for n in range(5)]
        for n in range(5):
            assert np.array_equal(cache.load(str(n)), squares(n))
        assert cache.fill(jobs) == 0

    def test_many_jobs_without_joblib(self, tmp_path, monkeypatch):
        monkeypatch.setattr(features, "Parallel", None)
        jobs = [(str(n), lambda n=n: squares(n)) for n in range(2)]
        assert "2 jobs need joblib: pip install" in wrong(FeatureCache(tmp_path).fill, jobs, None, 2)

    def test_keys(self):
        assert key_of({"a": 1, "b": [2.0]}, "x") == key_of({"b": [2.0], "a": 1}, "x")
        keys = [
            key_of("ab"),
            key_of("a", "b"),
            key_of(["a", "b"]),
            key_of("a", None),
            key_of(1),
            key_of("1"),
            key_of(1.5),
        ]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
        with pytest.raises(TypeError):
            key_of(Path("a"))
        with pytest.raises(ValueError, match="Out of range"):
            key_of(float("nan"))

    def test_content_hash(self, tmp_path):
        a, b = text(tmp_path / "a", "same"), text(tmp_path / "b", "same")
        assert content_hash(a) == content_hash(b) == "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"
        text(a, "other")
        assert content_hash(a) != content_hash(b)
        assert "cannot be read" in wrong(content_hash, tmp_path / "none")
