"""The report's polyphonic system reproduced in small: one command over a tree in the layout of TUT-SED Synthetic 2016,
what is wrong with one, the splits, the counts, and what a stopped call leaves to the next one."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from lightning.pytorch import LightningModule, Trainer

from hubbub import audio, load
from hubbub.annotations import read
from hubbub.cli import main, reproduction
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.datasets.split import SIDES
from hubbub.datasets.stand_in import mix_tut2016
from hubbub.datasets.tut2016 import LABELS, Tut2016, annotation_name, audio_name, read_tut2016
from hubbub.errors import DatasetError
from hubbub.events import to_targets
from hubbub.metrics.trivial import prior_labels
from hubbub.mixing.builtin.write import write_clips
from hubbub.networks.report import PAPER_GRID, POLYPHONIC
from hubbub.reproduce import job as jobs
from hubbub.reproduce import tut2016 as recipe
from hubbub.reproduce.job import AS_CODED_THRESHOLD, Job, _tested, trivial_counts
from hubbub.reproduce.results import Results, Run, read_results
from hubbub.reproduce.size import FULL, QUICK, REDUCED, SIZES, Size
from hubbub.reproduce.splits import GRID, Piece, Pieces, split_pieces
from hubbub.training.data import Example
from hubbub.training.fit import History
from hubbub.training.predict import SUBSEQUENCE
from tests.test_reproduce_page import some_run
from tests.test_run import Silent

N_MIXTURES = (3, 2, 2)
TEST, VALIDATION, TRAIN = range(2), range(2, 4), range(4, 7)
TINY = ("--size", "quick", "--epochs", 2, "--train-minutes", 1, "--device", "cpu")
TRAINED = ("dessed", "proposed_strided")


class Ran(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """What went wrong, line by line."""
        assert "Traceback" not in self.out + self.err
        return [line.removeprefix("hubbub: ") for line in self.err.splitlines() if not line.startswith("note: ")]


def hubbub(*arguments: object) -> Ran:
    """The program, in this process and no other."""
    out, err = StringIO(), StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["hubbub", *map(str, arguments)])
        patch.setattr(os, "cpu_count", lambda: 1)
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of the 16 labels, one for each side."""
    folder = tmp_path_factory.mktemp("sounds") / "clips"
    write_clips(folder, 3, seed=1)
    return folder


@pytest.fixture(scope="module")
def tree(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of the 16 built-in sounds in the layout of the real set; two mixtures to test on."""
    folder = tmp_path_factory.mktemp("tree") / "TUT-SED-synthetic-2016"
    mix_tut2016(sounds, folder, seed=1, jobs=1, n_mixtures=N_MIXTURES, minutes=2.0)
    return folder


class Made(NamedTuple):
    out: Path
    ran: Ran
    results: Results


@pytest.fixture(scope="module")
def made(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What one command makes of the tree with two of the networks."""
    out = tmp_path_factory.mktemp("made") / "out"
    networks = [word for network in TRAINED for word in ("--network", network)]
    ran = hubbub("reproduce", "tut2016", tree, "-o", out, *TINY, *networks, "--markdown", out.parent / "tables.md")
    assert ran.code == 0, ran.err
    return Made(out, ran, read_results(out / "results.json"))


# --- one command


def test_the_tree_can_be_inspected(tree: Path) -> None:
    ran = hubbub("inspect", tree, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["kind"] == "A stand-in for TUT-SED Synthetic 2016"
    assert "mixtures are there" not in ran.out  # all that its recipe made


def test_the_table_has_every_network_and_says_what_was_not_run(made: Made) -> None:
    lines = made.ran.out.splitlines()
    assert "quick look, not the result" in made.ran.out
    for network in POLYPHONIC:
        rows = [line for line in lines if line.split()[:1] == [network]]
        assert len(rows) >= 2, network  # how well, and at what cost
        for row in rows[:2]:
            assert ("not run" in row) == (network not in TRAINED), row
    assert any(line.startswith("dessed") and "545 321" in line for line in lines)
    assert any(line.startswith("proposed_strided") and "497 705" in line for line in lines)
    assert {line.split()[1] for line in lines if line.startswith("always ")} == {"silent", "on"}


def test_the_page_and_the_markdown_say_that_it_is_a_quick_look(made: Made) -> None:
    for path in (made.out / "results.html", made.out.parent / "tables.md"):
        text = path.read_text(encoding="utf-8")
        assert "quick look, not the result" in text
        assert "545 321" in text.replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


def test_the_results_hold_both_runs_whole(made: Made, tree: Path) -> None:
    results = made.results
    assert (results.recipe, results.size, results.is_the_result) == ("tut2016", "quick", False)
    assert results.labels == LABELS
    assert results.networks == tuple(POLYPHONIC)
    assert [(run.network, run.split, run.seed) for run in results.runs] == [(name, "official", 0) for name in TRAINED]
    assert [run.parameters for run in results.runs] == [545_321, 497_705]
    n_frames = {audio_name(number): GRID.n_frames_of(audio.info(tree / audio_name(number)).duration) for number in TEST}
    recordings = {recording.name: recording for recording in read_tut2016(tree).recordings}
    for run in results.runs:
        assert (run.epochs, run.ended, len(run.curves)) == (2, "epochs", 2)
        assert run.best_epoch in (1, 2) and 0 < run.loss < 5 and run.detect_seconds_per_hour > 0
        assert [row.epoch for row in run.curves] == [1, 2]
        detector = next(made.out.glob(f"fits/{run.network}-official-0-*/{run.network}.onnx"))
        assert run.file_bytes == detector.stat().st_size
        counts = run.counts["intended"]
        assert {name: found.n_frames for name, found in counts.items()} == n_frames, "padding counts"
        for name, found in counts.items():
            targets = to_targets(recordings[name].events, LABELS, GRID, n_frames[name])
            n_reference = np.add(found.true_positives, found.false_negatives)
            assert n_reference.tolist() == targets.sum(0).tolist()
            assert found.substitutions + found.deletions == sum(found.false_negatives)
            assert found.substitutions + found.insertions == sum(found.false_positives)
        assert run.counts["as_coded"] == {}, "the only sub-sequences do not fill a batch of 16"
    assert results.data["mixtures"] == "7, 2 minutes"
    assert results.data["data"].startswith("a stand-in for TUT-SED Synthetic 2016, not that data set, seed 1")
    assert "to test on, from 2 mixtures" in results.settings["official split"]
    assert results.options == ("--size", "quick", "--train-minutes", "1")


def test_the_exported_network_detects(made: Made, tree: Path) -> None:
    (model,) = made.out.glob("fits/dessed-official-0-*/dessed.onnx")
    assert load(model).labels == LABELS
    assert load(model).metadata.training["split"] == "official"
    ran = hubbub("detect", tree / audio_name(0), "--model", model, "--threshold", 0.02, "-o", made.out / "found.tsv")
    assert ran.code == 0, ran.err
    ((name, events),) = read(made.out / "found.tsv").items()
    assert name == Path(audio_name(0)).name
    assert events and {event.label for event in events} <= set(LABELS)


# --- what is wrong with the data


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400_000])


def swap(path: Path) -> None:
    onset, offset, label = path.read_text().splitlines()[0].split()
    path.write_text(f"{label}\t{onset}\t{offset}\n")


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing annotation": (
        lambda folder: (folder / annotation_name(2)).unlink(),
        f"{annotation_name(2)}: is missing, and {audio_name(2)} is there; wanted labels for every mixture; unpack",
    ),
    "swapped column": (
        lambda folder: swap(folder / annotation_name(4)),
        " comes first; wanted onset offset label",
    ),
    "truncated wav": (
        lambda folder: cut(folder / audio_name(0)),
        f"{audio_name(0)}: is cut short: its header promises ",
    ),
    "unknown label": (
        lambda folder: (folder / annotation_name(5)).write_text("0.5\t1.5\tdog barking\n"),
        f"{annotation_name(5)}:1: label 'dog barking' is none of the 16 of TUT-SED Synthetic 2016; did you mean",
    ),
    "no events": (
        lambda folder: [path.write_text("") for path in (folder / "meta").iterdir()],
        "no events in any mixture; wanted some to learn from",
    ),
    "no validation side": (
        lambda folder: (folder / "evaluation_setup/validate.txt").write_text(""),
        "no mixtures on the validation side; wanted some on each of three",
    ),
    "no data set": (shutil.rmtree, "is no folder with TUT-SED Synthetic 2016; wanted audio/"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_wrong_with_the_data_is_one_line_and_nothing_is_trained(tree: Path, tmp_path: Path, what: str) -> None:
    folder, out = tmp_path / "spoiled", tmp_path / "out"
    shutil.copytree(tree, folder)
    spoil, message = SPOILED[what]
    spoil(folder)
    ran = hubbub("reproduce", "tut2016", folder, "-o", out, *TINY, "--network", "dessed")
    (told,) = ran.told
    assert told.startswith(str(folder)) and message in told
    assert (ran.code, ran.out) == (1, "")
    assert not (out / "fits").exists() and not (out / "results.json").exists()


# --- a call that is wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["urbansound"], "'urbansound' is none of tut2016, urbansound8k"),
        (["tut2016", "DATA", "--size", "huge"], "--size huge: wanted quick, reduced, full"),
        (["tut2016", "DATA", "--split", "random"], "--split random: wanted official, mixture, subsequence"),
        (["tut2016", "DATA", "--network", "vgg"], f"--network vgg: wanted {', '.join(POLYPHONIC)}"),
        (["tut2016", "--network", "vgg"], f"--network vgg: wanted {', '.join(POLYPHONIC)}"),
        (["tut2016", "DATA", "--clips", "x"], "--clips mixes a stand-in for the data set; leave it out, or DATA"),
        (["tut2016", "DATA", "--hours", "0"], "hours: Input should be greater than 0"),
        (
            ["tut2016", "DATA", "--jobs", "2", "--device", "cuda"],
            "--jobs 2 train on a CPU; leave them out, or --device cuda",
        ),
        (["tut2016", "DATA", "-o", "file"], "file: cannot be made: File exists; choose another folder"),
        (["tut2016", "DATA", "--markdown", "none/x.md"], "none/x.md: cannot be written: there is no folder none"),
    ],
)
def test_a_wrong_call_is_one_line(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reproduction, "_mixtures", lambda *_: pytest.fail("mixed"))
    monkeypatch.setattr(recipe, "do", lambda *_: pytest.fail("trained"))
    Path("file").touch()
    ran = hubbub("reproduce", *(str(tree) if word == "DATA" else word for word in arguments))
    assert ran == Ran(2, "", f"hubbub: {message}\n")


# --- the splits


def recordings(*durations: float) -> Tut2016:
    """A data set of silence, its mixtures on the sides as others take them where there are no lists."""
    names = [audio_name(number) for number in range(len(durations))]
    made = [
        AnnotatedRecording(Path(name), name, duration, (), name)
        for name, duration in zip(names, durations, strict=True)
    ]
    n = len(names)
    sides = {"test": names[: n // 5], "validation": names[n // 5 : 2 * n // 5], "train": names[2 * n // 5 :]}
    return Tut2016(Path("set"), tuple(made), {side: tuple(its_names) for side, its_names in sides.items()})


HUNDRED = recordings(*np.random.default_rng(0).uniform(290, 390, 100))


def names(pieces: Pieces) -> dict[str, set[str]]:
    return {side: {piece.recording for piece in pieces[side]} for side in SIDES}


def minutes(pieces: list[Piece]) -> float:
    return sum(piece.last - piece.first for piece in pieces) * GRID.period / 60


@pytest.mark.parametrize("split", ["official", "mixture", "subsequence"])
def test_pieces_cover_each_recording_exactly(split: str) -> None:
    sides = split_pieces(HUNDRED, split, FULL, seed=2)
    everything = [piece for side in SIDES for piece in sides[side]]
    assert len(set(everything)) == len(everything), "a piece on two sides"
    for recording in HUNDRED.recordings:
        its_pieces = sorted(piece for piece in everything if piece.recording == recording.name)
        assert [piece.first for piece in its_pieces] == [0, *(piece.last for piece in its_pieces[:-1])]
        assert its_pieces[-1].last == GRID.n_frames_of(recording.duration)
        assert all(piece.last - piece.first == SUBSEQUENCE for piece in its_pieces[:-1])
        assert 0 < its_pieces[-1].last - its_pieces[-1].first <= SUBSEQUENCE


def test_the_official_split_is_that_of_the_lists() -> None:
    for seed in (0, 1):
        assert names(split_pieces(HUNDRED, "official", FULL, seed)) == {s: set(n) for s, n in HUNDRED.sides.items()}


def test_mixtures_drawn_at_random_lie_on_one_side_each() -> None:
    found = names(split_pieces(HUNDRED, "mixture", FULL, seed=0))
    assert {side: len(found[side]) for side in SIDES} == {"train": 60, "validation": 20, "test": 20}
    assert len(set().union(*found.values())) == 100
    assert found["test"] != set(HUNDRED.sides["test"])


def test_sub_sequences_drawn_at_random_leak() -> None:
    sides = split_pieces(HUNDRED, "subsequence", FULL, seed=0)
    total = sum(len(sides[side]) for side in SIDES)
    for side, share in {"train": 0.6, "validation": 0.2, "test": 0.2}.items():
        assert len(sides[side]) == pytest.approx(share * total, abs=1)
    found = names(sides)
    assert len(found["train"] & found["validation"] & found["test"]) > 90


@pytest.mark.parametrize("split", ["mixture", "subsequence"])
def test_a_draw_follows_from_its_seed(split: str) -> None:
    for size in (FULL, QUICK):
        first, again, other = (split_pieces(HUNDRED, split, size, seed) for seed in (4, 4, 5))
        assert first == again
        assert all(first[side] != other[side] for side in SIDES)


@pytest.mark.parametrize("split", ["official", "mixture", "subsequence"])
@pytest.mark.parametrize("size", [QUICK, REDUCED])
def test_a_size_takes_what_it_says_and_hardly_more(split: str, size: Size) -> None:
    whole, part = split_pieces(HUNDRED, split, FULL, 1), split_pieces(HUNDRED, split, size, 1)
    for side in SIDES:
        left = iter(whole[side])
        assert all(piece in left for piece in part[side]), "not there, or in another order"
        wanted = size.minutes(side)
        if wanted is None:
            assert part[side] == whole[side]
            continue
        # at most one more sub-sequence, or one more of each recording
        most = 20 if split != "subsequence" and side != "train" else 1
        assert wanted <= minutes(part[side]) < wanted + most * SUBSEQUENCE * GRID.period / 60
    assert len(names(part)["test"]) >= 20
    if split != "subsequence":
        assert names(part)["test"] == names(whole)["test"]
        assert names(part)["validation"] == names(whole)["validation"]
        if size.train_minutes is not None:
            assert len(names(part)["train"]) <= 9, "few recordings to read"


def test_where_some_recordings_are_short_the_others_give_more() -> None:
    data = recordings(*[3600, 30, 30, 3600, 30] * 5)
    part = split_pieces(data, "official", QUICK, 0)
    assert 60 <= minutes(part["test"]) < 61
    assert names(part)["test"] == set(data.sides["test"])


def test_less_than_a_size_takes_is_all_there_is() -> None:
    short = recordings(*[30] * 10)
    assert split_pieces(short, "official", QUICK, 0) == split_pieces(short, "official", FULL, 0)
    assert split_pieces(short, "subsequence", QUICK, 0) == split_pieces(short, "subsequence", FULL, 0)


def test_a_side_without_mixtures_is_told() -> None:
    with pytest.raises(DatasetError, match=r"^set: no mixtures on the validation side; wanted some on each of three$"):
        split_pieces(recordings(30, 30, 30), "mixture", FULL, 0)


def test_the_test_side_cannot_be_made_shorter_than_an_hour() -> None:
    assert all(size.test_minutes is None or size.test_minutes >= 60 for size in SIZES.values())
    with pytest.raises(ValueError, match="greater than or equal to 60"):
        Size(name="less", is_the_result=True, epochs=1, test_minutes=59)


# --- the counts


def targets(*rows: str) -> np.ndarray:
    """One string a frame, one character a label: x where it sounds."""
    return np.array([[character == "x" for character in row] for row in rows])


class Listed:
    """What a job needs of its sounds, with made-up examples."""

    def __init__(self, examples: dict[Piece, np.ndarray], labels: tuple[str, ...]) -> None:
        self.made, self.labels = examples, labels

    def examples(self, pieces: list[Piece]) -> list[Example]:
        return [Example("", np.zeros((len(self.made[p]), 1), np.float32), self.made[p]) for p in pieces]


def test_counts_by_hand_in_both_conventions(monkeypatch: pytest.MonkeyPatch) -> None:
    # two recordings; the seventeenth sub-sequence is left out as coded
    reference = {Piece("a", 0, 3): targets("xx", "x.", ".."), Piece("b", 0, 1): targets("x.")}
    reference |= {Piece("b", first, first + 1): targets("..") for first in range(1, 15)}
    reference[Piece("c", 0, 2)] = targets("x.", "x.")
    found = [np.array([[0.7, 0.1], [0.1, 0.55], [0.5, 0.0]]), np.array([[0.62, 0.63]])]
    found += [np.array([[0.49, 0.3]])] * 14
    found += [np.array([[0.9, 0.9], [0.0, 0.2]])]
    told = iter(found)
    monkeypatch.setattr(jobs, "predict", lambda *_: next(told).astype(np.float32))
    pieces = list(reference)
    job = SimpleNamespace(pieces={"test": pieces}, sounds=Listed(reference, ("p", "q")))
    loss, counts = _tested(job, SimpleNamespace(network=None), np.zeros(1))

    assert pytest.approx(0.62246, abs=1e-5) == AS_CODED_THRESHOLD
    by_hand = {
        # hits, false, missed of p and q; substitutions, deletions, insertions; frames
        ("intended", "a"): ((1, 0), (1, 1), (1, 1), 1, 1, 1, 3),
        ("intended", "b"): ((1, 0), (0, 1), (0, 0), 0, 0, 1, 15),
        ("intended", "c"): ((1, 0), (0, 1), (1, 0), 0, 1, 1, 2),
        ("as_coded", "a"): ((1, 0), (0, 0), (1, 1), 0, 2, 0, 3),
        ("as_coded", "b"): ((0, 0), (0, 1), (1, 0), 1, 0, 0, 15),
    }
    assert {
        (convention, name): tuple(numbers.model_dump().values())
        for convention, rows in counts.items()
        for name, numbers in rows.items()
    } == by_hand
    answers = np.concatenate(found).clip(1e-7, 1 - 1e-7)
    wanted = np.where(np.concatenate(list(reference.values())), answers, 1 - answers)
    assert loss == pytest.approx(-np.log(wanted).mean(), rel=1e-6)


def test_systems_that_do_not_listen_by_hand() -> None:
    train, test = Piece("a", 0, 5), Piece("b", 0, 2)
    # on the training side p sounds in 4 of 5 frames and q in 1: p alone is best, F1 8/10 against 10/15 with q
    made = {train: targets("x..", "xx.", "x..", "x..", "..."), test: targets(".x.", "xx.")}
    counts = trivial_counts(Listed(made, ("p", "q", "r")), {"train": [train], "validation": [], "test": [test]})
    by_hand = {
        "always_silent": ((0, 0, 0), (0, 0, 0), (1, 2, 0), 0, 3, 0, 2),
        "always_on": ((1, 2, 0), (1, 0, 2), (0, 0, 0), 0, 0, 3, 2),
        "prior": ((1, 0, 0), (1, 0, 0), (0, 2, 0), 1, 1, 0, 2),
    }
    assert {name: tuple(rows["b"].model_dump().values()) for name, rows in counts.items()} == by_hand


def test_the_constant_answer_is_that_of_the_metrics(made: Made, tree: Path) -> None:
    data = read_tut2016(tree)
    train = {recording.name: recording for recording in data.side("train")}
    durations = {name: recording.duration for name, recording in train.items()}
    events = {name: list(recording.events) for name, recording in train.items()}
    wanted = prior_labels(LABELS, events, durations, GRID)
    assert 0 < len(wanted) < len(LABELS)
    for found in made.results.trivial["official"]["prior"].values():
        on = np.add(found.true_positives, found.false_positives) == found.n_frames
        assert [label for label, chosen in zip(LABELS, on, strict=True) if chosen] == sorted(wanted)
    silent = made.results.trivial["official"]["always_silent"]
    assert silent.keys() == made.results.runs[0].counts["intended"].keys()


# --- a call that is stopped, and the next one


def same(run: Run) -> dict[str, Any]:
    """All of a run but the time that it took."""
    fields = run.model_dump(exclude={"train_seconds", "detect_seconds_per_hour"})
    return fields | {"curves": [row.model_dump(exclude={"seconds"}) for row in run.curves]}


def test_a_second_call_does_nothing_again(made: Made, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "fit", lambda *_: pytest.fail("trained again"))
    monkeypatch.setattr(recipe, "load", lambda *_: pytest.fail("timed again"))
    monkeypatch.setattr(recipe, "_features", lambda *_: pytest.fail("features again"))
    before = (made.out / "results.json").read_bytes()
    networks = [word for network in TRAINED for word in ("--network", network)]
    ran = hubbub("reproduce", "tut2016", tree, "-o", made.out, *TINY, *networks)
    assert ran.code == 0, ran.err
    assert ran.out == made.ran.out
    assert (made.out / "results.json").read_bytes() == before
    # and fewer networks do not take the others out of the table
    ran = hubbub("reproduce", "tut2016", tree, "-o", made.out, *TINY, "--network", "dessed")
    assert (made.out / "results.json").read_bytes() == before


def test_a_call_that_is_stopped_twice_ends_as_if_it_had_not_been(
    made: Made, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(made.out / "features", out / "features")
    begun: list[int] = []
    begin, test = History.on_train_epoch_start, jobs._tested
    stops = ["in the second epoch", "after training"]

    def begins(history: History, trainer: Trainer, module: LightningModule) -> None:
        begun.append(trainer.current_epoch)
        if trainer.current_epoch == 1 and stops[0] == "in the second epoch":
            raise KeyboardInterrupt
        begin(history, trainer, module)

    def tests(*arguments: Any) -> Any:
        if stops[0] == "after training":
            raise KeyboardInterrupt
        return test(*arguments)

    monkeypatch.setattr(History, "on_train_epoch_start", begins)
    monkeypatch.setattr(jobs, "_tested", tests)
    command = ("reproduce", "tut2016", tree, "-o", out, *TINY, "--network", "dessed")
    for n_begun in (2, 3):
        ran = hubbub(*command)
        assert ran.code == 130, ran.err
        assert "stopped; what was finished is kept" in ran.err
        assert len(begun) == n_begun
        assert not (out / "results.json").exists()
        del stops[0]
        stops.append("never")
    ran = hubbub(*command)
    assert ran.code == 0, ran.err
    assert begun == [0, 1, 1], "an epoch was trained again"
    (run,) = read_results(out / "results.json").runs
    assert same(run) == same(made.results.of("dessed")[0])


# --- what is run, with the work itself only pretended


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that were done, each once: nothing is trained, and the runs are made up."""
    jobs: list[Job] = []

    def pretend(job: Job, main: int | None = None) -> Run:
        if main is not None:  # not only read, to be timed
            jobs.append(job)
        run = some_run(job.config.network, job.split, job.config.seed, job.shape.kernel, job.shape.dilation, 0.6, 3)
        return run.model_copy(update={"curves": run.curves[:2]})

    monkeypatch.setattr(recipe, "do", pretend)
    monkeypatch.setattr(recipe, "load", lambda *_, **__: SimpleNamespace(detect=lambda samples: []))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    return jobs


def reproduce(tree: Path, out: Path, **plan: object) -> Results:
    given = {"size": QUICK, "device": "cpu"} | plan
    return recipe.reproduce(tree, out, recipe.Plan.model_validate(given), Silent())


def of(things: list[Job] | tuple[Run, ...]) -> list[tuple[str, str, int]]:
    return [
        (one.config.network, one.split, one.config.seed) if isinstance(one, Job) else (one.network, one.split, one.seed)
        for one in things
    ]


def test_one_more_network_joins_the_finished_ones(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    reproduce(tree, tmp_path, networks=("dessed",))
    results = reproduce(tree, tmp_path, networks=("baseline", "dessed"))
    assert of(done) == [("dessed", "official", 0), ("baseline", "official", 0)]
    assert of(results.runs) == [("baseline", "official", 0), ("dessed", "official", 0)]
    assert of(reproduce(tree, tmp_path, networks=("dessed",)).runs) == of(results.runs)
    assert len(done) == 2
    # other dials are other runs, and belong to another table
    results = reproduce(tree, tmp_path, networks=("dilated",), size=QUICK.model_copy(update={"epochs": 1}))
    assert of(results.runs) == [("dilated", "official", 0)]


def test_networks_with_a_share_of_the_hours_are_kept_too(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    size = QUICK.model_copy(update={"hours": 2.0})
    reproduce(tree, tmp_path, networks=("dessed",), size=size)
    results = reproduce(tree, tmp_path, networks=("baseline", "dessed", "dilated"), size=size)
    assert [(job.config.network, job.config.hours) for job in done] == [
        ("dessed", 2.0), ("dilated", pytest.approx(2 / 3)), ("baseline", pytest.approx(2 / 3)),
    ]  # fmt: skip
    assert of(results.runs) == [(network, "official", 0) for network in ("baseline", "dilated", "dessed")]
    assert reproduce(tree, tmp_path, networks=("dessed",)).runs[0].network == "dessed" and len(done) == 4


def test_the_identity_of_a_job_is_that_of_what_its_result_depends_on(
    done: list[Job], tree: Path, tmp_path: Path
) -> None:
    reproduce(tree, tmp_path, networks=("dessed",))
    (job,) = done
    job = replace(job, data="same")
    assert job.name == f"dessed-official-0-{job.identity}"
    for change in (
        {"seed": 1},
        {"learning_rate": 0.1},
        {"batch_size": 3},
        {"epoch_minutes": 3.0},
        {"precision": "32-true"},
    ):
        assert replace(job, config=job.config.model_copy(update=change)).identity != job.identity
    assert replace(job, hours=1.0).identity != job.identity != replace(job, momentum=0.5).identity
    assert replace(job, data="other").identity != job.identity
    for change in ({"threads": 7}, {"device": "cuda"}):
        assert replace(job, config=job.config.model_copy(update=change)).identity == job.identity
    longer = replace(job, config=job.config.model_copy(update={"epochs": 7}))
    assert longer.fit_folder == job.fit_folder, "it goes on where the shorter one ended"
    assert longer.result != job.result and longer.untimed != job.untimed


def test_two_seeds_make_two_runs(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    command = ("reproduce", "tut2016", tree, "-o", tmp_path / "out", *TINY, "--network", "dessed", "--seed", 3)
    ran = hubbub(*command, "--seeds", 2)
    assert ran.code == 0, ran.err
    assert of(done) == [("dessed", "official", 3), ("dessed", "official", 4)]
    results = read_results(tmp_path / "out/results.json")
    assert of(results.runs) == of(done)
    assert done[0].pieces == done[1].pieces


def test_splits_and_seeds_of_earlier_calls_keep_their_place(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    size = QUICK.model_copy(update={"train_minutes": 0.2})
    reproduce(tree, tmp_path, networks=("dessed",), size=size, splits=("mixture",), seeds=(1,))
    results = reproduce(tree, tmp_path, networks=("dessed",), size=size, seeds=(0,))
    assert of(results.runs) == [("dessed", "official", 0), ("dessed", "mixture", 1)]
    for job in done:
        heard = {piece.recording for piece in job.pieces["test"]}
        assert results.trivial[job.split]["always_on"].keys() == heard
    assert list(results.trivial) == ["official", "mixture"]
    assert {"official split", "mixture split"} < results.settings.keys()


def test_a_split_that_nobody_asked_for_may_be_impossible(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    folder = tmp_path / "set"
    shutil.copytree(tree, folder)
    shutil.rmtree(folder / "evaluation_setup")  # then all of these mixtures are to be tested on
    with pytest.raises(DatasetError, match="no mixtures on the train side"):
        reproduce(folder, tmp_path / "out", networks=("dessed",))
    results = reproduce(folder, tmp_path / "out", networks=("dessed",), splits=("mixture",))
    assert of(results.runs) == [("dessed", "mixture", 0)]
    assert any("split as others do who have no lists" in note for note in results.notes)


def test_a_grid_is_run_once_with_the_shape_of_the_report(tree: Path, tmp_path: Path, done: list[Job]) -> None:
    ran = hubbub("reproduce", "tut2016", tree, "-o", tmp_path / "out", *TINY, "--network", "dessed", "--grid")
    assert ran.code == 0, ran.err
    shapes = [(job.shape.kernel, job.shape.dilation) for job in done]
    assert len(set(shapes)) == len(shapes)
    assert set(shapes) == {(shape.kernel, shape.dilation) for shape in PAPER_GRID} | {(3, 10)}
    assert len({job.fit_folder for job in done}) == len(done)


def test_without_data_a_stand_in_is_mixed_and_named(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[Job]
) -> None:
    monkeypatch.setattr(reproduction, "QUICK_MIXTURES", N_MIXTURES)
    monkeypatch.setattr(reproduction, "MINUTES_EACH", 0.2)
    out = tmp_path / "out"
    ran = hubbub("reproduce", "tut2016", "--clips", sounds, "-o", out, *TINY, "--network", "dessed")
    assert ran.code == 0, ran.err
    assert "note: these are not the report's data but 7 mixtures of other sounds by its recipe" in ran.err
    assert "not that data set" in read_results(out / "results.json").data["data"]
    assert read_tut2016(out / "stand-in-quick").sides["test"] == (audio_name(0), audio_name(1))
