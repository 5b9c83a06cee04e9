"""TUT-SED Synthetic 2016: a tree in its layout is read, and whatever is wrong with one is told in one line."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hubbub import audio
from hubbub.datasets import tut2016
from hubbub.datasets.archives import Archive, damaged
from hubbub.datasets.checks import ranges
from hubbub.datasets.tut2016 import (
    LABELS,
    N_MIXTURES,
    REPORT_EVENTS,
    annotation_name,
    audio_name,
    is_tut2016,
    read_tut2016,
)
from hubbub.errors import AnnotationError, AudioError, DatasetError, HubbubError
from hubbub.events import Event, from_targets, merge, to_targets
from hubbub.grid import Grid
from hubbub.mixing.builtin import SOUNDS

RATE = 8000
SECONDS = 2.0
MIXTURES = (0, 1, 20, 40, 41)
ROWS = {0: "0.5\t1.25\train\n0.75 1.5 dog_barking\n", 20: "1e-1\t2.0\tbus\n", 40: "0\t1\train\n1.5\t1.9\tbus\n", 41: ""}
LISTS = {"train+validate": (20, 40, 41), "validate": (20,), "test": (0, 1), "evaluate": (0, 1)}

Spoil = Callable[[Path], object]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Five mixtures of built-in sounds in the exact layout, with lists."""
    folder = tmp_path / "TUT-SED-synthetic-2016"
    for name in ("audio", "meta", "evaluation_setup"):
        (folder / name).mkdir(parents=True)
    for number in MIXTURES:
        samples = SOUNDS["rain"](np.random.default_rng(number), RATE)
        audio.write(folder / audio_name(number), np.resize(samples, round(SECONDS * RATE)), RATE, "PCM_32")
        (folder / annotation_name(number)).write_text(ROWS.get(number, "0.1\t0.9\tbaby_crying\n"))
    for name, numbers in LISTS.items():
        lines = [f"{audio_name(number)}\tsynthetic\t0.1\t0.5\tmixer" for number in numbers for _ in range(2)]
        (folder / "evaluation_setup" / f"{name}.txt").write_text("\r\n".join(lines) + "\r\n")
    return folder


def test_the_labels_are_those_of_the_built_in_sounds_and_of_the_report() -> None:
    assert tuple(sorted(SOUNDS)) == LABELS
    assert (sum(REPORT_EVENTS.values()), N_MIXTURES) == (36326, 100)


@pytest.mark.parametrize("above", [False, True])
def test_a_tree_is_read(tree: Path, above: bool) -> None:
    folder = tree.parent if above else tree
    assert is_tut2016(folder)
    data = read_tut2016(folder)
    assert data.folder == tree
    assert [recording.name for recording in data.recordings] == [audio_name(number) for number in MIXTURES]
    first = data.recordings[0]
    assert first.path == tree / "audio/TUT-SED-synthetic-2016-mix-0.wav"
    assert first.recording_id == "TUT-SED-synthetic-2016-mix-0"
    assert first.duration == SECONDS
    assert first.events == (Event(0.5, 1.25, "rain"), Event(0.75, 1.5, "dog_barking"))
    assert data.recordings[-1].events == ()
    assert data.sides == {
        "train": (audio_name(40), audio_name(41)),
        "validation": (audio_name(20),),
        "test": (audio_name(0), audio_name(1)),
    }
    assert [recording.name for recording in data.side("train")] == [audio_name(40), audio_name(41)]
    assert data.missing == (f"{tree}: 5 of 100 mixtures are there; missing: 2-19, 21-39, 42-99",)
    assert data.notes == ()


def test_a_stand_in_of_fewer_mixtures_is_whole(tree: Path) -> None:
    recipe = {"recipe": "tut2016", "mixtures": {"train": 1, "validation": 1, "test": 1}}
    (tree / "recipe.json").write_text(json.dumps(recipe))
    assert read_tut2016(tree).missing == (f"{tree}: 2 of 3 mixtures are there; missing: 2",)
    (tree / "recipe.json").write_text(json.dumps(recipe | {"mixtures": {"test": 2}}))
    assert read_tut2016(tree).missing == ()
    for other in ("{", "[]", json.dumps(recipe | {"recipe": "another"}), json.dumps(recipe | {"mixtures": None})):
        (tree / "recipe.json").write_text(other)
        assert read_tut2016(tree).missing == (f"{tree}: 5 of 100 mixtures are there; missing: 2-19, 21-39, 42-99",)


def test_lists_may_hold_paths_alone_and_absolute_ones(tree: Path) -> None:
    (tree / "evaluation_setup/test.txt").write_text(f"\n{tree / audio_name(1)}\nTUT-SED-synthetic-2016-mix-0.wav\n")
    assert read_tut2016(tree).sides["test"] == (audio_name(0), audio_name(1))


def test_without_lists_the_customary_split_is_taken_and_told(tree: Path) -> None:
    for path in (tree / "evaluation_setup").iterdir():
        path.unlink()
    (tree / "evaluation_setup").rmdir()
    data = read_tut2016(tree)
    assert {side: len(names) for side, names in data.sides.items()} == {"train": 2, "validation": 1, "test": 2}
    (note,) = data.notes
    assert note.endswith("split as others do who have no lists: train 40-99, validation 20-39, test 0-19")


def test_evaluate_stands_in_for_test_and_a_mixture_in_no_list_is_told(tree: Path) -> None:
    (tree / "evaluation_setup/test.txt").unlink()
    (tree / "evaluation_setup/evaluate.txt").write_text(f"{audio_name(0)}\n")
    data = read_tut2016(tree)
    assert data.sides["test"] == (audio_name(0),)
    assert data.notes == ("in none of the lists, and so on no side: mixtures 1",)


def test_events_past_the_end_are_cut_and_told(tree: Path) -> None:
    (tree / annotation_name(1)).write_text("1.5\t2.5\train\n")
    recording = read_tut2016(tree).recordings[1]
    assert recording.events == (Event(1.5, 2.0, "rain"),)
    assert recording.problems == ("rain ends at 2.500 s, past the end at 2.000 s; cut there",)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20000])


SPOILED: list[tuple[str, Spoil, type[HubbubError], str]] = [
    (
        "missing annotation",
        lambda tree: (tree / annotation_name(20)).unlink(),
        DatasetError,
        "meta/TUT-SED-synthetic-2016-annot-20.txt: is missing, and audio/TUT-SED-synthetic-2016-mix-20.wav is there; "
        "wanted labels for every mixture; unpack TUT-SED-synthetic-2016.meta.zip again",
    ),
    (
        "label first",
        lambda tree: (tree / annotation_name(1)).write_text("0\t1\train\nrain\t0.5\t1.0\n"),
        AnnotationError,
        "meta/TUT-SED-synthetic-2016-annot-1.txt:2: the label 'rain' comes first; wanted onset offset label",
    ),
    (
        "offset before onset",
        lambda tree: (tree / annotation_name(1)).write_text("1.5\t0.5\train\n"),
        AnnotationError,
        "meta/TUT-SED-synthetic-2016-annot-1.txt:1: onset 1.5 s lies after offset 0.5 s; wanted 0 <= onset <= offset",
    ),
    (
        "unknown label",
        lambda tree: (tree / annotation_name(40)).write_text("0.5\t1.5\tdog barking\n"),
        AnnotationError,
        "meta/TUT-SED-synthetic-2016-annot-40.txt:1: label 'dog barking' is none of the 16 of TUT-SED Synthetic 2016; "
        "did you mean dog_barking?",
    ),
    (
        "columns",
        lambda tree: (tree / annotation_name(40)).write_text("0.5 1.5\n"),
        AnnotationError,
        "meta/TUT-SED-synthetic-2016-annot-40.txt:1: has 2 columns; wanted 3: onset offset label",
    ),
    (
        "truncated wav",
        lambda tree: cut(tree / audio_name(41)),
        AudioError,
        "audio/TUT-SED-synthetic-2016-mix-41.wav: is cut short: its header promises 2.000 s, 1.375 s are there; fetch",
    ),
    (
        "no mixture in a list",
        lambda tree: (tree / "evaluation_setup/validate.txt").write_text(f"{audio_name(20)}\n{audio_name(100)}\n"),
        DatasetError,
        "evaluation_setup/validate.txt:2: audio/TUT-SED-synthetic-2016-mix-100.wav is no mixture; wanted "
        "audio/TUT-SED-synthetic-2016-mix-0.wav to audio/TUT-SED-synthetic-2016-mix-99.wav",
    ),
    (
        "a list is missing",
        lambda tree: (tree / "evaluation_setup/validate.txt").unlink(),
        DatasetError,
        "evaluation_setup/validate.txt: is missing; unpack TUT-SED-synthetic-2016.meta.zip again, or remove ",
    ),
    (
        "two sides",
        lambda tree: (tree / "evaluation_setup/test.txt").write_text(f"{audio_name(0)}\n{audio_name(20)}\n"),
        DatasetError,
        "evaluation_setup/test.txt: lists audio/TUT-SED-synthetic-2016-mix-20.wav, which ",
    ),
]
"""What is done to a tree, and the error that tells of it, from the path below the folder on."""


@pytest.mark.parametrize(
    ("spoil", "kind", "message"), [case[1:] for case in SPOILED], ids=[case[0] for case in SPOILED]
)
def test_what_is_wrong_is_one_line(tree: Path, spoil: Spoil, kind: type[HubbubError], message: str) -> None:
    spoil(tree)
    with pytest.raises(HubbubError) as caught:
        read_tut2016(tree)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{tree}/{message}")
    assert "\n" not in str(caught.value)


def test_all_that_is_wrong_can_be_had_at_once(tree: Path) -> None:
    for _, spoil, _, _ in SPOILED[:2] + SPOILED[5:6]:
        spoil(tree)
    errors: list[HubbubError] = []
    data = read_tut2016(tree, errors.append)
    assert [type(error) for error in errors] == [DatasetError, AnnotationError, AudioError]
    assert [recording.name for recording in data.recordings] == [audio_name(number) for number in (0, 1, 40)]
    assert data.recordings[1].events == (Event(0, 1, "rain"),)
    assert data.sides["validation"] == ()


def test_several_annotations_missing_are_one_line(tree: Path) -> None:
    for number in (0, 1, 40):
        (tree / annotation_name(number)).unlink()
    with pytest.raises(DatasetError, match=re.escape("mix-0.wav is there (and so for mixtures 0-1, 40); wanted")):
        read_tut2016(tree)


def test_what_is_no_such_set_is_told(tmp_path: Path) -> None:
    assert not is_tut2016(tmp_path)
    with pytest.raises(DatasetError, match=r"holds nothing of TUT-SED Synthetic 2016; wanted audio/TUT-SED-.*-N\.wav"):
        read_tut2016(tmp_path)
    with pytest.raises(DatasetError, match="is no folder with TUT-SED Synthetic 2016"):
        read_tut2016(tmp_path / "none")
    (tmp_path / "TUT-SED-synthetic-2016.meta.zip").write_bytes(b"half")
    assert is_tut2016(tmp_path)
    with pytest.raises(DatasetError, match="none of the 100 mixtures is there; unpack the archives"):
        read_tut2016(tmp_path)


@pytest.mark.parametrize("beside", [False, True])
def test_damaged_archives_of_an_unfinished_download_are_told_one_by_one(
    tree: Path, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong, short = (Archive(f"{name}.zip", 4, hashlib.md5(b"good").hexdigest()) for name in ("a", "b", "c"))
    monkeypatch.setattr(tut2016, "ARCHIVES", (right, wrong, short, Archive("absent.zip", 4, "")))
    home = tree.parent if beside else tree
    for archive, content in ((right, b"good"), (wrong, b"evil"), (short, b"go")):
        (home / archive.name).write_bytes(content)
    assert read_tut2016(tree).missing[1:] == (
        f"{home}/b.zip: has the MD5 {hashlib.md5(b'evil').hexdigest()}; wanted {right.md5}; fetch it again",
        f"{home}/c.zip: has 2 bytes; wanted 4; fetch it again",
    )


def test_the_checksum_is_not_computed_where_the_size_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "md5", lambda **_: pytest.fail("computed"))
    (tmp_path / "a.zip").write_bytes(b"xx")
    assert len(damaged([Archive("a.zip", 3, "")], [tmp_path])) == 1


def test_ranges() -> None:
    assert ranges({9, 1, 2, 3, 7, 10}) == "1-3, 7, 9-10"
    assert ranges(set()) == ""


def test_targets_turned_back_into_events_lie_within_a_hop_of_the_labels(tree: Path, rng: np.random.Generator) -> None:
    """As the networks of the report see the labels: 22 050 Hz, a hop of 220 samples. Between two hops of silence there
    is always a silent frame; a gap under two hops may have none, so those are closed."""
    grid = Grid(22050, 220)
    rows = []
    for label in LABELS:
        gaps = rng.permutation([0.5, 1.2, 1.9, 1.99, 2.01, 2.1, 3.0, 7.0]) * grid.period
        edges = np.cumsum(np.stack([gaps, rng.uniform(0.03, 0.2, len(gaps))], axis=1).ravel())
        rows += [f"{onset:.6f}\t{offset:.6f}\t{label}\n" for onset, offset in edges.reshape(-1, 2)]
    (tree / annotation_name(0)).write_text("".join(rows))
    recording = read_tut2016(tree).recordings[0]
    n_samples = round(recording.duration * grid.sample_rate)
    targets = to_targets(recording.events, LABELS, grid, grid.n_frames(n_samples))
    found = from_targets(targets, LABELS, grid.edges(n_samples))
    wanted = merge(recording.events, 2 * grid.period - 1e-6)
    assert len(LABELS) * 4 <= len(wanted) <= len(found) < len(recording.events)
    for label in LABELS:
        theirs = [event for event in wanted if event.label == label]
        ours = [event for event in found if event.label == label]
        for event in theirs:
            inside = [one for one in ours if one.onset < event.offset and one.offset > event.onset]
            assert abs(min(one.onset for one in inside) - event.onset) <= grid.period
            assert abs(max(one.offset for one in inside) - event.offset) <= grid.period
            for one in inside:
                ours.remove(one)
        assert ours == []
