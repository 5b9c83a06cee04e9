"""UrbanSound8K: a tree in its layout is read and inspected, its two protocols split it, and what is wrong is told."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from hubbub import audio
from hubbub.datasets.inspection import Inspection, inspect
from hubbub.datasets.statistics import histogram
from hubbub.datasets.urbansound8k import (
    COLUMNS,
    FEW,
    LABELS,
    METADATA,
    N_SLICES,
    REPORT_SLICES,
    SliceClip,
    audio_name,
    is_urbansound8k,
    read_urbansound8k,
)
from hubbub.datasets.urbansound8k_protocols import PROTOCOLS, fold_split, leaked, random_split
from hubbub.errors import DatasetError, HubbubError
from hubbub.report.inspection_page import render
from hubbub.report.inspection_tables import doubling, inspection_tables
from tests.test_inspection import call

SLICES = (
    ("7061-6-0-0.wav", 1, 8000, "PCM_U8", 1, 0.3),
    ("7061-6-0-1.wav", 1, 8000, "PCM_U8", 1, 0.2),
    ("2-0-0-0.wav", 2, 96000, "PCM_24", 1, 0.25),
    ("3-3-1-12.wav", 3, 192000, "FLOAT", 1, 0.2),
    ("4-8-0-0.wav", 4, 22050, "MS_ADPCM", 1, 0.5),
    ("5-8-0-0.wav", 5, 22050, "IMA_ADPCM", 1, 0.5),
    ("6-9-0-0.wav", 10, 44100, "PCM_16", 2, 0.4),
    ("8-1-0-0.wav", 10, 44100, "PCM_16", 1, 0.05),
)
"""File, fold, rate, subtype, channels, seconds: every kind of file that the real set holds."""
LINE = {file: line for line, (file, *_) in enumerate(SLICES, start=2)}
Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "UrbanSound8K"
    rng = np.random.default_rng(0)
    rows = []
    for file, fold, rate, subtype, channels, seconds in SLICES:
        path = folder / audio_name(fold, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = 0.1 * rng.standard_normal((round(seconds * rate), channels)).clip(-3, 3)
        audio.write(path, samples if channels > 1 else samples[:, 0], rate, subtype)
        recording, class_id = file.split("-")[:2]
        rows.append([file, recording, 1.5, 1.5 + seconds, 1, fold, class_id, LABELS[int(class_id)]])
    (folder / METADATA).parent.mkdir()
    with (folder / METADATA).open("w", newline="") as table:
        csv.writer(table).writerows([COLUMNS, *rows])
    return folder


@pytest.fixture
def tree(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "UrbanSound8K")


def rewrite(tree: Path, file: str, **cells: object) -> None:
    """Changes cells of the row of a file."""
    with (tree / METADATA).open(newline="") as table:
        rows = list(csv.DictReader(table))
    next(row for row in rows if row["slice_file_name"] == file).update({key: str(cells[key]) for key in cells})
    with (tree / METADATA).open("w", newline="") as table:
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def again(tree: Path, file: str) -> None:
    """Adds the row of a file once more."""
    lines = (tree / METADATA).read_text().splitlines()
    (tree / METADATA).write_text("\n".join([*lines, lines[LINE[file] - 1]]))


def test_the_labels_are_those_of_the_report() -> None:
    assert LABELS.index("gun_shot") == 6 and LABELS[0] == "air_conditioner" and LABELS[9] == "street_music"
    assert sum(REPORT_SLICES.values()) == N_SLICES == 8732


@pytest.mark.parametrize("above", [False, True])
def test_a_tree_is_read(tree: Path, above: bool) -> None:
    (tree / "audio/fold1/._7061-6-0-0.wav").write_bytes(b"left by a Mac")
    folder = tree.parent if above else tree
    assert is_urbansound8k(folder)
    data = read_urbansound8k(folder)
    assert (data.folder, data.labels, data.notes, data.stand_in) == (tree, LABELS, (), False)
    assert data.missing == (f"{tree / METADATA}: 8 of the 8732 rows of the published set are there",)
    assert [clip.name for clip in data.clips] == [
        audio_name(fold, file) for file, fold, *_ in sorted(SLICES, key=lambda one: (one[1], one[0]))
    ]
    assert data.clips[0] == SliceClip(
        tree / "audio/fold1/7061-6-0-0.wav", "audio/fold1/7061-6-0-0.wav", "gun_shot", 1, "7061", 1.5, 1.8, 1
    )


def test_every_kind_of_audio_is_read(tree: Path) -> None:
    """At the networks' rate; ADPCM is padded to whole blocks."""
    for file, fold, rate, subtype, channels, seconds in SLICES:
        info = audio.info(tree / audio_name(fold, file))
        assert (info.sample_rate, info.subtype, info.channels) == (rate, subtype, channels)
        samples, _ = audio.read(info.path, 22050)
        assert samples.ndim == 1 and np.isfinite(samples).all() and samples.std() > 0.02
        block = 0.05 if "ADPCM" in subtype else 1e-3
        assert seconds - 1e-3 <= len(samples) / 22050 <= seconds + block


SPOILED: list[tuple[str, Spoil, str]] = [
    (
        "header",
        lambda tree: (tree / METADATA).write_text("slice_file_name,fsID,start,end,salience,fold,class\n"),
        f"{METADATA}:1: no column classID; wanted slice_file_name, fsID, start, end, salience, fold, classID, class",
    ),
    ("no metadata", lambda tree: (tree / METADATA).unlink(), f"{METADATA}: is missing; wanted {METADATA} with audio/"),
    (
        "fold",
        lambda tree: rewrite(tree, "2-0-0-0.wav", fold=11),
        f"{METADATA}:4: fold is '11'; wanted one of 1-10",
    ),
    (
        "no fold",
        lambda tree: rewrite(tree, "2-0-0-0.wav", fold="two"),
        f"{METADATA}:4: fold is 'two'; wanted one of 1-10",
    ),
    (
        "class id",
        lambda tree: rewrite(tree, "2-0-0-0.wav", classID=10),
        f"{METADATA}:4: classID is '10'; wanted one of 0-9",
    ),
    (
        "class",
        lambda tree: rewrite(tree, "2-0-0-0.wav", classID=3),
        f"{METADATA}:4: classID 3 is dog_bark, but class says air_conditioner",
    ),
    (
        "name",
        lambda tree: rewrite(tree, "2-0-0-0.wav", classID=3, **{"class": "dog_bark"}),
        f"{METADATA}:4: fsID is 2 and classID 3, but 2-0-0-0.wav says 2 and 0",
    ),
    (
        "salience",
        lambda tree: rewrite(tree, "2-0-0-0.wav", salience=0),
        f"{METADATA}:4: salience is '0'; wanted one of 1-2",
    ),
    (
        "start",
        lambda tree: rewrite(tree, "2-0-0-0.wav", start="nan"),
        f"{METADATA}:4: start is 'nan'; wanted seconds, 0 or more",
    ),
    (
        "order",
        lambda tree: rewrite(tree, "2-0-0-0.wav", start="9"),
        f"{METADATA}:4: start 9 s lies after end 1.75 s; wanted 0 <= start <= end",
    ),
    (
        "empty cell",
        lambda tree: rewrite(tree, "2-0-0-0.wav", fsID=""),
        f"{METADATA}:4: fsID is empty; every row needs fsID",
    ),
    (
        "a path",
        lambda tree: rewrite(tree, "2-0-0-0.wav", slice_file_name="../x.wav"),
        f"{METADATA}:4: ../x.wav is no name of a file; wanted [fsID]-",
    ),
    (
        "repeated",
        lambda tree: again(tree, "3-3-1-12.wav"),
        f"{METADATA}:10: 3-3-1-12.wav has a row already, in line 5; drop one of them",
    ),
    (
        "other folder",
        lambda tree: rewrite(tree, "3-3-1-12.wav", fold=7),
        f"{METADATA}:5: the fold of 3-3-1-12.wav is 7, but it lies in audio/fold3; move it back",
    ),
    (
        "unnamed",
        lambda tree: shutil.copy(tree / "audio/fold3/3-3-1-12.wav", tree / "audio/fold3/9-9-9-9.wav"),
        f"audio/fold3/9-9-9-9.wav: no row of {METADATA} names it there; remove it, or bring its row back",
    ),
    (
        "in two folders",
        lambda tree: shutil.copy(tree / "audio/fold3/3-3-1-12.wav", tree / "audio/fold2"),
        f"audio/fold2/3-3-1-12.wav: no row of {METADATA} names it there; remove it, or bring its row back",
    ),
    ("recipe", lambda tree: (tree / "recipe.json").write_text("{"), "recipe.json: cannot be read as JSON: "),
    (
        "labels of a recipe",
        lambda tree: (tree / "recipe.json").write_text('{"recipe": "urbansound8k", "labels": {"rain": {}}}'),
        "recipe.json: names no class_id for each of its labels; mix it again",
    ),
]
"""What is done to a tree, and the error that tells of it, from the path below the folder on."""


@pytest.mark.parametrize(("spoil", "message"), [case[1:] for case in SPOILED], ids=[case[0] for case in SPOILED])
def test_what_is_wrong_is_one_line(tree: Path, spoil: Spoil, message: str) -> None:
    spoil(tree)
    with pytest.raises(DatasetError) as caught:
        read_urbansound8k(tree)
    assert str(caught.value).startswith(f"{tree}/{message}")
    assert "\n" not in str(caught.value)
    errors: list[HubbubError] = []
    data = read_urbansound8k(tree, errors.append)
    assert str(errors[0]) == str(caught.value)
    if f"{METADATA}:4: " in message:  # the other rows are read on
        # What the changed name leaves behind is a file without a row.
        assert len(errors) == (2 if "no name of a file" in message else 1)
        assert len(data.clips) == len(SLICES) - 1


def test_a_few_missing_files_are_told_one_by_one_and_many_by_fold(tree: Path) -> None:
    for file in ("2-0-0-0.wav", "7061-6-0-1.wav"):
        next(tree.rglob(file)).unlink()
    data = read_urbansound8k(tree)
    assert len(data.clips) == 6
    assert data.missing[1:] == (
        f"{tree / METADATA}:3: audio/fold1/7061-6-0-1.wav is missing",
        f"{tree / METADATA}:4: audio/fold2/2-0-0-0.wav is missing",
    )
    for file in ("7061-6-0-0.wav", "3-3-1-12.wav", "5-8-0-0.wav", "6-9-0-0.wav"):
        next(tree.rglob(file)).unlink()
    data = read_urbansound8k(tree)
    assert [clip.label for clip in data.clips] == ["siren", "car_horn"]
    counts = {1: "2 of its 2", 2: "1 of its 1", 3: "1 of its 1", 5: "1 of its 1", 10: "1 of its 2"}
    assert data.missing[1:] == tuple(f"{tree}/audio/fold{n}: {text} slices are missing" for n, text in counts.items())
    shutil.rmtree(tree / "audio")
    with pytest.raises(DatasetError, match=r"none of the slices that metadata/UrbanSound8K\.csv names is there"):
        read_urbansound8k(tree)


def test_many_files_without_a_row_are_told_by_fold(tree: Path) -> None:
    for index in range(FEW + 1):
        shutil.copy(tree / "audio/fold10/8-1-0-0.wav", tree / f"audio/fold{2 + index % 2}/9-9-9-{index}.wav")
    errors: list[HubbubError] = []
    read_urbansound8k(tree, errors.append)
    assert [str(error) for error in errors] == [
        f"{tree}/audio/fold{fold}: 3 of its files have no row in {METADATA}, the first is 9-9-9-{fold - 2}.wav"
        for fold in (2, 3)
    ]


def test_a_recording_in_two_folds_is_told(tree: Path) -> None:
    (tree / "audio/fold9").mkdir()
    (tree / "audio/fold1/7061-6-0-1.wav").rename(tree / "audio/fold9/7061-6-0-1.wav")
    rewrite(tree, "7061-6-0-1.wav", fold=9)
    told = "fsID 7061: its slices lie in folds 1, 9; a recording belongs to one fold"
    assert read_urbansound8k(tree).notes == (told,)
    assert inspect(tree).problems["on two sides"] == (told,)


def test_a_stand_in_has_labels_of_its_own(tree: Path) -> None:
    labels = {"rain": {"class_id": 12}, **{label: {"class_id": index} for index, label in enumerate(LABELS)}}
    (tree / "recipe.json").write_text(json.dumps({"recipe": "urbansound8k", "labels": labels}))
    (tree / "audio/fold2/2-0-0-0.wav").rename(tree / "audio/fold2/2-12-0-0.wav")
    rewrite(tree, "2-0-0-0.wav", slice_file_name="2-12-0-0.wav", classID=12, **{"class": "rain"})
    data = read_urbansound8k(tree)
    assert data.stand_in and data.missing == () and data.labels == (*LABELS, "rain")
    assert next(clip for clip in data.clips if clip.fold == 2).label == "rain"
    (tree / "recipe.json").write_text('{"recipe": "another"}')
    with pytest.raises(DatasetError, match="classID is '12'; wanted one of 0-9"):
        read_urbansound8k(tree)


def test_what_is_no_such_set_is_told(tmp_path: Path) -> None:
    assert not is_urbansound8k(tmp_path)
    with pytest.raises(DatasetError, match=r"holds nothing of UrbanSound8K; wanted metadata/UrbanSound8K\.csv with"):
        read_urbansound8k(tmp_path)
    with pytest.raises(DatasetError, match="is no folder with UrbanSound8K"):
        read_urbansound8k(tmp_path / "none")


@pytest.fixture
def clips() -> list[SliceClip]:
    """Ten slices of each of 30 recordings, three recordings a fold."""
    return [
        SliceClip(Path(name := f"{r}-0-0-{s}.wav"), name, LABELS[0], r % 10 + 1, str(r), 0.0, 4.0, 1)
        for r in range(30)
        for s in range(10)
    ]


class TestProtocols:
    def test_a_random_split_is_60_20_20_and_leaks(self, clips: list[SliceClip]) -> None:
        sides = random_split(clips, 3)
        assert {side: len(members) for side, members in sides.items()} == {"train": 180, "validation": 60, "test": 60}
        assert sorted(clip.name for members in sides.values() for clip in members) == sorted(c.name for c in clips)
        assert leaked(sides) > 0.9
        assert random_split(clips[::-1], 3) == sides != random_split(clips, 4)

    def test_folds_do_not_leak(self, clips: list[SliceClip]) -> None:
        for fold in range(1, 11):
            sides = fold_split(clips, fold)
            assert {clip.fold for clip in sides["test"]} == {fold}
            assert {clip.fold for clip in sides["validation"]} == {fold % 10 + 1}
            assert {clip.fold for clip in sides["train"]} == set(range(1, 11)) - {fold, fold % 10 + 1}
            assert leaked(sides) == 0
            assert sum(map(len, sides.values())) == len(clips)

    def test_folds_without_slices_are_passed_over(self, clips: list[SliceClip]) -> None:
        some = [clip for clip in clips if clip.fold in (2, 5, 9)]
        assert {clip.fold for clip in fold_split(some, 5)["validation"]} == {9}
        assert {clip.fold for clip in fold_split(some, 9)["validation"]} == {2}
        with pytest.raises(DatasetError, match="fold 1 has no slices; wanted one of 2, 5, 9"):
            fold_split(some, 1)
        with pytest.raises(DatasetError, match="slices lie in 2 folds; wanted 3: to train, validate and test on"):
            fold_split([clip for clip in some if clip.fold != 9], 2)

    def test_too_few_slices_are_told(self, clips: list[SliceClip]) -> None:
        assert [len(members) for members in random_split(clips[:4]).values()] == [2, 1, 1]
        with pytest.raises(DatasetError, match="1 slices cannot be split three ways"):
            random_split(clips[:1])

    def test_which_one_leaks_is_said(self) -> None:
        assert [(protocol.name, protocol.leaks, "leaks" in protocol.title) for protocol in PROTOCOLS] == [
            ("random", True, True),
            ("folds", False, False),
        ]


@pytest.fixture(scope="module")
def found(original: Path) -> Inspection:
    return inspect(original)


class TestInspection:
    def test_numbers(self, found: Inspection) -> None:
        assert (found.kind, found.counted, found.n_recordings, found.polyphony) == ("UrbanSound8K", "clips", 8, None)
        assert {fact.label: fact.published for fact in found.labels} == REPORT_SLICES
        assert {fact.label: fact.n_events for fact in found.labels if fact.n_events} == {
            "air_conditioner": 1, "car_horn": 1, "dog_bark": 1, "gun_shot": 2, "siren": 2, "street_music": 1
        }  # fmt: skip
        assert found.sample_rates == {8000: 2, 22050: 2, 44100: 2, 96000: 1, 192000: 1}
        assert found.subtypes == {"PCM_U8": 2, "PCM_16": 2, "PCM_24": 1, "FLOAT": 1, "MS_ADPCM": 1, "IMA_ADPCM": 1}
        assert found.channels == {1: 7, 2: 1}
        assert found.sides == () and not found.failed and set(found.problems) == {"missing"}
        folds = {fold.fold: (fold.n_clips, fold.n_recordings, dict(fold.n_by_label)) for fold in found.folds}
        assert set(folds) == {1, 2, 3, 4, 5, 10}
        assert folds[1] == (2, 1, {"gun_shot": 2}) and folds[10] == (2, 2, {"car_horn": 1, "street_music": 1})
        assert found.clips_of_recordings == {1: 6, 2: 1}
        json.dumps(found.to_dict())

    def test_lengths_are_counted_up_to_4_s(self) -> None:
        found = histogram([4.0, 4.0, 3.75, 3.8, 0.05, 0.25], 0.25)
        assert (found.edges[0], found.edges[-1], len(found.edges)) == (0, 4, 17)
        assert (found.counts[0], found.counts[-1], found.counts[-2], sum(found.counts)) == (2, 3, 1, 6)
        assert histogram([], 0.25).counts == ()

    def test_recordings_are_counted_by_doubling(self) -> None:
        assert doubling({1: 5, 2: 1, 3: 2, 4: 1, 9: 7}) == {"1": 5, "2": 1, "3-4": 3, "5-8": 0, "9-16": 7}
        assert doubling({}) == {}

    def test_tables_fit_80_columns(self, found: Inspection) -> None:
        console = Console(width=80)
        with console.capture() as captured:
            console.print(inspection_tables(found))
        text = captured.get()
        assert max(map(len, text.splitlines())) <= 80
        assert re.search(r"^gun_shot +2 +374 +0:0[01] +25 ", text, re.MULTILINE)
        assert re.search(r"^all +8 +8732 *$", text, re.MULTILINE)
        assert re.search(r"^1 +2 +1 +0\.0 +0 +2 *$", text, re.MULTILINE)
        assert "4 bit MS ADPCM (1)" in " ".join(text.split())
        assert "0.25 to 0.5 s" in text and "train" not in text and "at once" not in text

    def test_page(self, found: Inspection) -> None:
        html = render(found)
        assert html.count("<svg") == 4
        assert "Folds and recordings" in html and "4 bit IMA ADPCM" in html
        assert "<th>side</th>" not in html and "at once" not in html

    def test_a_spoiled_tree_is_exit_1_with_a_line_each(
        self, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tree / "audio/fold4/4-8-0-0.wav").unlink()
        shutil.copy(tree / "audio/fold3/3-3-1-12.wav", tree / "audio/fold5/9-9-9-9.wav")
        rewrite(tree, "2-0-0-0.wav", fold=0)
        rewrite(tree, "8-1-0-0.wav", classID=7)
        (tree / "audio/fold1/7061-6-0-1.wav").write_bytes(b"")
        code, out, err = call(capsys, monkeypatch, tree)
        assert code == 1
        assert err.splitlines() == [
            f"hubbub: {tree / METADATA}:4: fold is '0'; wanted one of 1-10",
            f"hubbub: {tree / METADATA}:9: classID 7 is jackhammer, but class says car_horn",
            f"hubbub: {tree}/audio/fold5/9-9-9-9.wav: no row of {METADATA} names it there; "
            "remove it, or bring its row back",
            f"hubbub: {tree}/audio/fold1/7061-6-0-1.wav: is empty (0 bytes); fetch it again",
        ]
        assert f"  {tree / METADATA}:6: audio/fold4/4-8-0-0.wav is missing\n" in out

    def test_the_same_samples_in_two_folds_are_told(self, tree: Path) -> None:
        shutil.copy(tree / "audio/fold3/3-3-1-12.wav", tree / "audio/fold2/2-0-0-0.wav")
        (told,) = inspect(tree).problems["duplicate"]
        assert told == "audio/fold2/2-0-0-0.wav: the same samples as audio/fold3/3-3-1-12.wav, in folds 2-3"
