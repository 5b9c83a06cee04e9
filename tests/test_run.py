"""The whole way in small: clips or annotated recordings in, a detector with scores out."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from hubbub import DatasetError, annotations, load
from hubbub.datasets.clips import relative_name
from hubbub.datasets.split_file import read_split
from hubbub.networks import SIZES
from hubbub.training.config import TrainConfig
from hubbub.training.front_end import OURS
from hubbub.training.reporting import Tick
from hubbub.training.run import train
from hubbub.training.soundscapes import soundscapes
from hubbub.tuning import Aim, Decision

CONFIG = TrainConfig(
    epochs=2, least_batches=1, segment_seconds=2, train_minutes=0.5, validation_minutes=0.25, test_minutes=0.25,
    scene_seconds=5, threads=1, workers=0, device="cpu",
)  # fmt: skip


class Silent:
    """A reporter that remembers what was said, and which bars there were."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bars: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def bar(self, title: str) -> AbstractContextManager[Tick]:
        self.bars.append(title)
        return nullcontext(lambda done, total, note="": None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


def test_clips_become_a_detector_with_its_scores(folder: Path, clips: Path) -> None:
    reporter = Silent()
    trained = train(clips, folder / "d.onnx", CONFIG, reporter, jobs=1)
    assert list(trained.scores) == ["system", "always_silent", "always_on", "prior"]
    assert trained.scores["always_silent"].frame.micro_f1 == 0
    assert trained.detector.labels == ("alarms_and_sirens", "dog_barking", "footsteps", "rain")
    meta = load(folder / "d.onnx").metadata
    assert meta.scores["test"] == json.loads(json.dumps(trained.scores["system"].to_dict()))
    assert meta.training["minutes"] == {"train": 1.0, "validation": 0.25, "test": 0.25}
    assert meta.training["licences"] == ["Apache-2.0"]
    assert meta.network["parameters"] == pytest.approx(212_000, rel=0.01)
    assert 5e6 < meta.network["multiply_adds_per_second"] < 20e6
    assert trained.log.read_text().count("\n") == 1 + CONFIG.epochs
    assert trained.probe is not None
    assert meta.scores["probe"] == json.loads(json.dumps(trained.probe.to_dict()))
    played = {heard.name: heard.n_sounds for heard in trained.probe.heard if heard.kind == "label"}
    assert played == dict.fromkeys(trained.detector.labels, 1), "a clip of each label was kept to test on"
    assert {heard.kind for heard in trained.probe.heard} >= {"noise", "label"}
    found = annotations.read(folder / "d.train" / "test-found.tsv")
    assert set(found) == {recording.name for recording in trained.test}


def test_a_test_scene_holds_no_clip_that_was_trained_on(folder: Path, clips: Path) -> None:
    split = read_split(folder / "d.train" / "split.tsv")
    fresh = soundscapes(clips, folder / "d.train", CONFIG, OURS, Silent(), jobs=1).fresh
    assert fresh is not None
    heard = [clip for members in (*fresh.clips.values(), fresh.backgrounds) for clip in members]
    assert {split.sides[relative_name(clip.path, clips)] for clip in heard} == {"train"}
    for side in ("validation", "test"):
        (scenes,) = (folder / "d.train" / "scenes").glob(f"{side}-*")
        used = {
            placement["file"]
            for path in (scenes / "scenes").glob("*.json")
            for part in ("placements", "background")
            for placement in json.loads(path.read_text())[part]
        }
        assert used
        assert {split.sides[file] for file in used} == {side}


def test_a_run_started_again_does_nothing_twice(folder: Path, clips: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "d.train").rglob("*.wav")}
    reporter = Silent()
    again = train(clips, folder / "d.onnx", CONFIG, reporter, jobs=1, probe=False)
    assert not [title for title in reporter.bars if title.startswith("mixing")]
    assert {path: path.stat().st_mtime_ns for path in (folder / "d.train").rglob("*.wav")} == before
    assert len(list((folder / "d.train").glob("fit-*"))) == 1
    assert again.log.is_file()


def test_another_decision_asks_for_no_other_training(folder: Path, clips: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "d.train").glob("fit-*/*.ckpt")}
    decision = Decision(Aim(false_alarms_per_hour=0.0), "temperature")
    trained = train(clips, folder / "d.onnx", CONFIG, Silent(), jobs=1, decision=decision, probe=False)
    assert {path: path.stat().st_mtime_ns for path in (folder / "d.train").glob("fit-*/*.ckpt")} == before != {}
    meta = trained.detector.metadata
    assert meta.training["decision"] == decision.to_dict()
    assert meta.calibration
    assert meta.scores["test"], "they are of the detector as it decides now"


def test_other_data_of_the_same_names_are_another_run(folder: Path, clips: Path, tmp_path: Path) -> None:
    copytree(clips, tmp_path / "clips")
    one = next((tmp_path / "clips" / "rain").glob("*.wav"))
    other = next((tmp_path / "clips" / "dog_barking").glob("*.wav"))
    one.write_bytes(other.read_bytes())
    train(tmp_path / "clips", folder / "d.onnx", CONFIG, Silent(), jobs=1, probe=False)
    assert len(list((folder / "d.train").glob("fit-*"))) == 2


def test_a_network_made_otherwise_is_another_run(folder: Path, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(list((folder / "d.train").glob("fit-*")))
    monkeypatch.setitem(SIZES, CONFIG.network, replace(SIZES[CONFIG.network], width=32))
    train(clips, folder / "d.onnx", CONFIG, Silent(), jobs=1, probe=False)
    assert len(list((folder / "d.train").glob("fit-*"))) == before + 1


def test_one_label_alone_is_set_against_other_sounds(
    tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree(clips / "dog_barking", tmp_path / "clips" / "dog_barking")
    monkeypatch.chdir(tmp_path)  # as a user would give it: relative paths
    reporter = Silent()
    trained = train(Path("clips"), Path("dog.onnx"), CONFIG, reporter, jobs=1)
    assert trained.detector.labels == ("dog_barking",)
    assert any("few labels (dog_barking): built-in sounds were mixed in" in text for text in reporter.said)
    scenes = [json.loads(path.read_text()) for path in (tmp_path / "dog.train").rglob("scene-*.json")]
    others = {placement["label"] for scene in scenes for placement in scene["placements"]} - {"dog_barking"}
    assert len(others) > 5
    assert all(scene["background"] for scene in scenes)
    assert {event.label for recording in trained.test for event in recording.events} <= {"dog_barking"}
    assert trained.probe is not None
    assert len({heard.name for heard in trained.probe.heard if heard.kind == "built-in"} - {"dog_barking"}) == 15


def fixed_scenes(clips: Path, folder: Path) -> Path:
    """Half a minute of soundscapes to train on, as recordings."""
    config = CONFIG.model_copy(update={"fresh": False})
    mixed = soundscapes(clips, folder / "fixed", config, OURS, Silent(), jobs=1)
    assert mixed.fresh is None and mixed.sides["train"]
    return min((folder / "fixed" / "scenes").glob("train-*"))


def test_annotated_recordings_become_a_detector(clips: Path, tmp_path: Path) -> None:
    scenes = fixed_scenes(clips, tmp_path)
    trained = train(scenes, tmp_path / "d.onnx", CONFIG, Silent(), jobs=1)
    sides = read_split(tmp_path / "d.train" / "split.tsv")
    assert {recording.name for recording in trained.test} == set(sides.ids("test"))
    assert trained.detector.metadata.training["data"] == "annotated"
    assert trained.probe is not None
    there = [event for recording in trained.test for event in recording.events]
    assert sum(heard.n_sounds for heard in trained.probe.heard if heard.kind == "label") == len(there)


def test_too_few_clips_are_told_before_the_work(tmp_path: Path, clips: Path) -> None:
    (tmp_path / "clips" / "rain").mkdir(parents=True)
    for path in sorted((clips / "rain").glob("*.wav"))[:2]:
        (tmp_path / "clips" / "rain" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(
        DatasetError, match=r"clips: no clips for the test side; wanted at least three recordings of a l"
    ):
        train(tmp_path / "clips", tmp_path / "d.onnx", CONFIG, Silent(), jobs=1)


def test_a_report_network_says_what_its_clipping_costs(clips: Path, tmp_path: Path) -> None:
    scenes = fixed_scenes(clips, tmp_path)
    reporter = Silent()
    config = CONFIG.model_copy(update={"network": "dessed", "epochs": 1, "batch_size": 2})
    trained = train(scenes, tmp_path / "d.onnx", config, reporter, jobs=1, probe=False)
    assert any("frame F1 on validation" in text and "of each sub-sequence" in text for text in reporter.said)
    assert trained.detector.metadata.block == 1024
    assert trained.detector.metadata.network["name"] == "dessed"
