"""The report's monophonic system reproduced in small: one command over a tree in the layout of UrbanSound8K that holds
every kind of file, what is wrong with one, and what a stopped call leaves to the next one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from hubbub import audio, load
from hubbub.datasets.stand_in_urbansound8k import mix_urbansound8k
from hubbub.datasets.urbansound8k import METADATA, audio_name, read_urbansound8k
from hubbub.datasets.urbansound8k_protocols import fold_split, leaked, random_split
from hubbub.mixing.builtin.write import write_clips
from hubbub.networks import CLIP_NAMES
from hubbub.reproduce.monophonic import job as jobs
from hubbub.reproduce.monophonic import urbansound8k as recipe
from hubbub.reproduce.monophonic.results import ClipResults, ClipRun, answers_of, counts_of, read_clip_results
from hubbub.reproduce.monophonic.size import QUICK, SIZES, options
from tests.test_reproduce import Ran, hubbub
from tests.test_run import Silent

ODD = (
    ("9001-3-0-0.wav", 1, 8000, "PCM_U8", 1, 0.6),
    ("9002-3-0-0.wav", 2, 96000, "PCM_24", 1, 0.6),
    ("9003-3-0-0.wav", 3, 192000, "FLOAT", 1, 0.4),
    ("9004-3-0-0.wav", 1, 22050, "MS_ADPCM", 1, 0.6),
    ("9005-3-0-0.wav", 2, 44100, "PCM_16", 2, 0.5),
    ("9006-3-0-0.wav", 3, 44100, "PCM_16", 1, 0.05),
)
"""File, fold, rate, subtype, channels, seconds."""
TRAINED = ("mono_repaired", "hub_clip")
QUICKER = QUICK.model_copy(update={"epoch_clips": 12, "validation_clips": 4})
TINY = ("--size", "quick", "--device", "cpu", *(word for name in TRAINED for word in ("--network", name)))


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """A quick size that is quicker still, on one thread: where cores are shared, two of them wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "quick", QUICKER)  # type: ignore[arg-type]
        yield
    torch.set_num_threads(threads)


class Made(NamedTuple):
    out: Path
    ran: Ran
    results: ClipResults


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in of three folds from built-in sounds, and a label more with the odd files."""
    folder = tmp_path_factory.mktemp("clips")
    write_clips(folder / "clips", 3, seed=1)
    for label in sorted((folder / "clips").iterdir())[3:]:
        if label.is_dir():
            for clip in label.iterdir():
                clip.unlink()
            label.rmdir()
    manifest = folder / "clips" / "manifest.csv"
    lines = manifest.read_text("utf-8").splitlines()
    kept = [line for line in lines[1:] if (folder / "clips" / line.split(",")[0]).is_file()]
    manifest.write_text("\n".join([lines[0], *kept]) + "\n", "utf-8")
    out = folder / "UrbanSound8K"
    mix_urbansound8k(folder / "clips", out, seed=0, jobs=1, folds=3)
    facts = json.loads((out / "recipe.json").read_text("utf-8"))
    class_id = 1 + max(label["class_id"] for label in facts["labels"].values())
    facts["labels"]["oddity"] = {"class_id": class_id}
    (out / "recipe.json").write_text(json.dumps(facts), "utf-8")
    rng = np.random.default_rng(0)
    with (out / METADATA).open("a", newline="") as table:
        for file, fold, rate, subtype, channels, seconds in ODD:
            file = file.replace("-3-", f"-{class_id}-")
            samples = 0.1 * rng.standard_normal((round(seconds * rate), channels)).clip(-3, 3)
            audio.write(out / audio_name(fold, file), samples if channels > 1 else samples[:, 0], rate, subtype)
            table.write(f"{file},{file.split('-')[0]},0,{seconds},1,{fold},{class_id},oddity\n")
    return out


@pytest.fixture(scope="module")
def made(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The command, run on the tree."""
    out = tmp_path_factory.mktemp("made") / "out"
    ran = hubbub("reproduce", "urbansound8k", tree, "-o", out, *TINY, "--markdown", out.parent / "tables.md")
    assert ran.code == 0, ran.err
    return Made(out, ran, read_clip_results(out / "results.json"))


def test_the_tree_can_be_inspected(tree: Path) -> None:
    ran = hubbub("inspect", tree)
    assert ran.code == 0, ran.err
    text = " ".join(ran.out.split())
    for told in ("oddity", "192", "ADPCM"):
        assert told in text


def test_every_network_is_in_the_table_by_both_protocols(made: Made) -> None:
    text = made.ran.out
    assert "random" in text and "fold" in text
    for network in CLIP_NAMES:
        assert network in text
        assert [run.fold for run in made.results.of(network, "random")] == [0] * (network in TRAINED)
        assert [run.fold for run in made.results.of(network, "folds")] == [1] * (network in TRAINED)
    assert "not run" in text
    assert "A quick look, not the result" in text
    assert "A quick look, not the result" in (made.out / "results.html").read_text("utf-8")
    assert "mono_baseline" in (made.out.parent / "tables.md").read_text("utf-8")


def test_the_runs_hold_what_was_tested(made: Made, tree: Path) -> None:
    data = read_urbansound8k(tree)
    assert made.results.folds == (1, 2, 3)
    assert "oddity" in made.results.labels
    for run in made.results.runs:
        sides = random_split(data.clips, 0) if run.protocol == "random" else fold_split(data.clips, run.fold)
        assert run.slices == {side: len(clips) for side, clips in sides.items()}
        tested = [(clip.recording_id, clip.label) for clip in sides["test"]]
        answered = [
            (recording, made.results.labels[label])
            for recording, rows in run.answers.items()
            for label, _, n in rows
            for _ in range(n)
        ]
        assert sorted(answered) == sorted(tested)
        assert run.leaked == leaked(sides)
        assert len(run.curves) == run.epochs == (QUICK.our_epochs if run.network == "hub_clip" else QUICK.epochs)
        assert run.detect_milliseconds > 0 and run.file_bytes > 100_000 and np.isfinite(run.loss)
    assert made.results.trivial.keys() == {"random", "folds"}
    frequent = made.results.trivial["random"]["most_frequent"]
    assert len({answer for rows in frequent.values() for _, answer, _ in rows}) == 1


def test_the_exported_networks_label_every_kind_of_file(made: Made, tree: Path, tmp_path: Path) -> None:
    files = [clip.path for clip in read_urbansound8k(tree).clips if clip.label == "oddity"]
    assert len(files) == len(ODD)
    for network in TRAINED:
        model = next(made.out.glob(f"fits/{network}-fold1-*/{network}.onnx"))
        out = tmp_path / f"{network}.json"
        ran = hubbub("detect", *files, "--model", model, "-o", out)
        assert ran.code == 0, ran.err
        told = json.loads(out.read_text("utf-8"))["recordings"]
        assert len(told) == len(files)
        for recording in told:
            assert recording["label"] in made.results.labels
            assert sum(recording["probabilities"].values()) == pytest.approx(1, abs=1e-4)
            (event,) = recording["events"]
            assert event["label"] == recording["label"] and event["onset"] == 0


def test_the_file_answers_as_the_network_did(made: Made, tree: Path) -> None:
    """Each tested slice, read and detected as a user would, has the answer that the table counts."""
    clips = fold_split(read_urbansound8k(tree).clips, 1)["test"]
    for network in TRAINED:
        detector = load(next(made.out.glob(f"fits/{network}-fold1-*/{network}.onnx")))
        found = [detector.detect(clip.path)[0].label for clip in clips]
        labels = made.results.labels
        answers = answers_of(
            [clip.recording_id for clip in clips],
            [labels.index(clip.label) for clip in clips],
            [labels.index(label) for label in found],
        )
        (run,) = made.results.of(network, "folds")
        assert run.answers == answers


def test_a_second_call_does_nothing_again(made: Made, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in (made.out / "runs").iterdir()}
    monkeypatch.setattr(jobs, "fit", None)
    ran = hubbub("reproduce", "urbansound8k", tree, "-o", made.out, "--size", "quick", "--network", "hub_clip")
    assert ran.code == 0, ran.err
    assert {path: path.stat().st_mtime_ns for path in (made.out / "runs").iterdir()} == before
    assert read_clip_results(made.out / "results.json").runs == made.results.runs  # of the other networks too


def test_what_is_stopped_goes_on_fold_by_fold(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in its third job, a call leaves two runs, and the next one does the third one only."""
    done: list[str] = []
    whole = jobs.do

    def counted(job: jobs.ClipJob, main: int | None = None) -> ClipRun:
        if len(done) == 2:
            raise KeyboardInterrupt
        run = whole(job, main)
        if main is not None:
            done.append(job.name)
        return run

    size = QUICKER.model_copy(update={"folds": 2, "our_factor": 1})
    plan = recipe.ClipPlan(size=size, networks=("hub_clip",), device="cpu")
    monkeypatch.setattr(recipe, "do", counted)
    with pytest.raises(KeyboardInterrupt):
        recipe.reproduce(tree, tmp_path, plan, Silent())
    first = list(done)
    assert len(first) == 2
    monkeypatch.setattr(recipe, "do", whole)
    fitted: list[Path] = []
    fit: Callable[..., Any] = jobs.fit
    monkeypatch.setattr(jobs, "fit", lambda *given: (fitted.append(given[6]), fit(*given))[1])
    results = recipe.reproduce(tree, tmp_path, plan, Silent())
    assert [run.key for run in results.runs] == ["hub_clip-random-0", "hub_clip-fold1-0", "hub_clip-fold2-0"]
    assert len(fitted) == 1 and fitted[0].name not in first


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("--split", "official"), "--split official: wanted random, folds"),
        (("--network", "baseline"), "--network baseline: wanted mono_baseline, mono_proposed, mono_repaired, hub_clip"),
        (("--grid",), "--grid means nothing to urbansound8k; leave it out"),
        (("--train-minutes", 3), "--train-minutes means nothing to urbansound8k; leave it out"),
    ],
)
def test_a_wrong_call_is_one_line(tree: Path, tmp_path: Path, call: tuple[object, ...], message: str) -> None:
    ran = hubbub("reproduce", "urbansound8k", tree, "-o", tmp_path / "out", *call)
    assert (ran.code, ran.told) == (2, [message])
    assert not (tmp_path / "out").exists()


def test_folds_mean_nothing_to_the_other_recipe(tmp_path: Path) -> None:
    ran = hubbub("reproduce", "tut2016", tmp_path, "-o", tmp_path / "out", "--folds", 2)
    assert (ran.code, ran.told) == (2, ["--folds means nothing to tut2016; leave it out"])


def test_what_is_wrong_with_the_data_is_one_line(tree: Path, tmp_path: Path) -> None:
    table = (tree / METADATA).read_text("utf-8")
    try:
        (tree / METADATA).write_text(table.replace(",1,", ",11,", 1).replace(",2,", ",11,", 1), "utf-8")
        ran = hubbub("reproduce", "urbansound8k", tree, "-o", tmp_path / "out", *TINY)
    finally:
        (tree / METADATA).write_text(table, "utf-8")
    assert ran.code == 1
    (line,) = ran.told
    assert f"{METADATA}:2: " in line


def test_answers_become_counts() -> None:
    answers = answers_of(["a", "b", "a", "a"], [0, 1, 0, 2], [0, 1, 1, 2])
    assert answers == {"a": ((0, 0, 1), (0, 1, 1), (2, 2, 1)), "b": ((1, 1, 1),)}
    counts = counts_of(answers, ("x", "y", "z"))
    assert counts["a"].true_positives == (1, 0, 1) and counts["a"].false_positives == (0, 1, 0)
    assert counts["a"].false_negatives == (1, 0, 0) and counts["a"].substitutions == 1 and counts["a"].n_slots == 3
    assert (counts["a"] + counts["b"]).micro_f1 == 3 / 4  # the accuracy


@pytest.mark.parametrize("name", SIZES)
def test_the_options_of_a_size_give_it(name: str) -> None:
    assert options(SIZES[name]) == ("--size", name)
    changed = SIZES[name].model_copy(update={"epochs": 7, "folds": 2})
    assert options(changed) == ("--size", name, "--epochs", "7", "--folds", "2")


def test_one_seed_and_size_give_one_identity(tree: Path, tmp_path: Path) -> None:
    data = read_urbansound8k(tree)
    plan = recipe.ClipPlan(size=QUICK, networks=("mono_proposed", "hub_clip"), device="cpu")
    sides = {place: recipe._sides(data, place) for place in recipe._places(plan, data)}
    slices = jobs.Slices(data.labels, {clip.name: clip.name for clip in data.clips}, None)  # type: ignore[arg-type]

    def identities(size: Any) -> list[str]:
        changed = plan.model_copy(update={"size": size})
        return [job.identity for job in recipe._jobs(changed, sides, slices, tmp_path)]

    first = identities(QUICK)
    assert len(set(first)) == len(first) == 4
    more = identities(QUICK.model_copy(update={"epochs": 3}))
    assert [a == b for a, b in zip(first, more, strict=True)] == [True, False, True, False]  # a half cosine is another
    assert not set(first) & set(identities(QUICK.model_copy(update={"validation_clips": 7})))
    assert not list(tmp_path.iterdir())
