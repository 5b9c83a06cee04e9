"""What another network hears in clips: such clips are neither trained on, nor mixed, nor counted as without a label."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hubbub import audio
from hubbub.console import Reporter

SCRIPTS = Path(__file__).parents[1] / "scripts"
TABLE = """
    [licences]
    CC0 = [true, "itemised"]
    [left_out]
    [left_out_of_training]
    [sources]
    street = "train"
    garden = "choose"
    [labels.dog_barking]
    train = []
    choose = []
    report = []
    [labels.speech]
    train = []
    choose = []
    report = []
    [others]
    [under]
    labels = ["speech"]
    [steady]
    kinds = ["rain", "steps"]
    [holds]
    [speech]
"""
CLIPS = {
    "dog_barking/alone": "street", "dog_barking/with_voice": "street", "dog_barking/faint": "street",
    "steps/alone": "street", "steps/with_voice": "street",
    "dog_barking/clean": "garden", "dog_barking/talked_over": "garden", "speech/voice": "garden",
    "steps/quiet": "garden", "steps/while_talking": "garden",
    "background/wind": "garden", "background/cafe": "garden",
}  # fmt: skip


@pytest.fixture
def shipping(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("shipping.groups"), importlib.import_module("shipping.mixtures")


@pytest.fixture
def sounds(tmp_path: Path, shipping: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Any:
    groups, _ = shipping
    (tmp_path / "groups.toml").write_text(TABLE, "utf-8")
    (tmp_path / "audit.tsv").write_text(
        "clip\thears\tmisses\nwith_voice\tmusic,speech\t\ntalked_over\tspeech\t\nwhile_talking\tspeech\t\n"
        "faint\t\tdog_barking\ncafe\tspeech\t\n",
        "utf-8",
    )
    table, audit = groups.read_table(tmp_path / "groups.toml"), groups.read_audit(tmp_path / "audit.tsv")
    monkeypatch.setattr(groups, "read_table", lambda: table)
    monkeypatch.setattr(groups, "read_audit", lambda: audit)
    lines = ["label,file,source,recording_id,licence"]
    for number, (name, source) in enumerate(CLIPS.items()):
        path = tmp_path / "clips" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.write(path, np.random.default_rng(number).normal(0, 0.1, 8000).astype(np.float32), 8000)
        lines.append(f"{path.parent.name},{name}.wav,{source},r{number},CC0")
    (tmp_path / "clips" / "manifest.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return groups.read_sounds([tmp_path / "clips"], tmp_path / "made")


def test_training_leaves_out_what_is_heard_beside_a_label_and_what_is_hardly_one(sounds: Any) -> None:
    named = {label: [clip.path.stem for clip in clips] for label, clips in sounds.tried["train"].items()}
    assert named == {"dog_barking": ["alone"]}
    assert [clip.path.stem for clip in sounds.others["train"]["steps"]] == ["alone"]


def test_mixtures_are_of_clips_in_which_no_other_label_is_heard(
    sounds: Any, shipping: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    _, mixtures = shipping
    mixed = mixtures.mixtures(
        sounds, "choose", ["dog_barking", "speech"], 3, tmp_path / "mixed", tmp_path / "clips", Reporter()
    )
    assert {event.label for each in mixed for event in each.events} == {"dog_barking", "speech"}
    told = "".join(path.read_text("utf-8") for path in (tmp_path / "mixed").rglob("*.json"))
    assert "clean" in told and "wind" in told and "talked_over" not in told and "cafe" not in told


def test_where_there_are_no_backgrounds_mixtures_lie_on_steady_sounds(sounds: Any) -> None:
    beneath = {group: {clip.path.stem for clip in sounds.beneath(group, ["speech"])} for group in ("train", "choose")}
    assert beneath == {"train": {"alone"}, "choose": {"wind"}}


def test_what_another_network_hears_is_no_false_alarm(sounds: Any, shipping: tuple[ModuleType, ModuleType]) -> None:
    _, mixtures = shipping
    held = {
        audited: {
            each.name.split("/")[1]: {event.label for event in each.events}
            for each in mixtures.hour_without(sounds, "choose", ["dog_barking", "speech"], audited=audited).recordings
        }
        for audited in (True, False)
    }
    assert held[True] == {
        "wind.wav": set(),
        "cafe.wav": {"speech"},
        "quiet.wav": set(),
        "while_talking.wav": {"speech"},
        "voice.wav": {"speech"},
    }
    assert held[False] == {
        "wind.wav": set(),
        "cafe.wav": set(),
        "quiet.wav": set(),
        "while_talking.wav": set(),
        "voice.wav": {"speech"},
    }


def test_the_table_in_the_repository_is_whole(shipping: tuple[ModuleType, ModuleType]) -> None:
    groups, _ = shipping
    audit, table = groups.read_audit(), groups.read_table()
    assert len(audit.hears) > 100
    assert {label for labels in audit.hears.values() for label in labels} <= {*table["labels"]}


def test_voices_and_birds_are_sought_beside_a_label_and_the_label_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    judged = importlib.import_module("audit_sounds").judged
    scores = {"bird_singing": 0.6, "speech": 0.4, "dog_barking": 0.05, "music": 0.9}
    assert judged(scores, "dog_barking") == (["bird_singing"], ["dog_barking"])
    assert judged(scores, "bird_singing") == ([], [])
    assert judged(scores | {"music": 0.0}, "music") == (["bird_singing"], []), "music is taken at its word"
    assert judged(scores | {"speech": 0.7}, "cow") == (["bird_singing", "speech"], []), "of cows nothing is known"
    assert judged(scores, "speech") == ([], [])
