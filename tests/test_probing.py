"""What makes a detector fire that should not: toy detectors whose answers are known, and counts by hand."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hubbub import Detector, Event, audio, load, probing
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.decode import LabelRule
from hubbub.errors import ConfigError
from hubbub.events import merge
from hubbub.metrics import evaluate
from hubbub.mixing.builtin import SOUNDS
from hubbub.model import METADATA_KEY, Metadata
from hubbub.probing import Heard, Probe, others_than, probe, sounds_in
from hubbub.probing.counting import Tallies
from hubbub.probing.noises import N_NOISES, noises
from hubbub.probing.result import lowest_share
from hubbub.report.page import Page, render
from hubbub.training import run as training_run
from tests.conftest import Run

RATE, HOP = 22050, 441
LOUD_DB, DEAF_DB = -25.0, 20.0


def write_toy(path: Path, threshold_db: float, label: str = "doorbell") -> None:
    """A detector whose `label` is probable where a frame's power is above the threshold; `knock` never is."""
    constants = {
        "frames": np.array([1, -1, HOP], np.int64),
        "limit": np.array([[[10 ** (threshold_db / 10), 1e9]]], np.float32),
        "steep": np.array([1e5], np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["audio", "frames"], ["framed"]),
        helper.make_node("Mul", ["framed", "framed"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["power"], axes=[2], keepdims=1),
        helper.make_node("Sub", ["power", "limit"], ["beyond"]),
        helper.make_node("Mul", ["beyond", "steep"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, "n_samples"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, "n_frames", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 13)])
    labels = (label, "knock")
    metadata = Metadata(
        labels=labels, sample_rate=RATE, hop=HOP, look_ahead=0, states={}, decode=dict.fromkeys(labels, LabelRule())
    )
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, metadata.to_json()
    onnx.save(model, path)


@dataclass(frozen=True)
class Toys:
    """A detector that fires on whatever is loud, and one that never does."""

    loud: Detector
    deaf: Detector


@pytest.fixture(scope="module", autouse=True)
def few_built_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probing, "BUILT_IN_PER_LABEL", 2)
        yield


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Toys:
    folder = tmp_path_factory.mktemp("toys")
    write_toy(folder / "loud.onnx", LOUD_DB)
    write_toy(folder / "deaf.onnx", DEAF_DB)
    return Toys(load(folder / "loud.onnx"), load(folder / "deaf.onnx"))


@pytest.fixture(scope="module")
def loud(toys: Toys) -> Probe:
    return probe(toys.loud, seconds=4)


def of(found: Probe, name: str, level: float | None = None) -> Heard:
    (one,) = [heard for heard in found.heard if (heard.name, heard.level_db) == (name, level)]
    return one


# Noises


def test_noises_have_their_level_and_are_the_same_every_time() -> None:
    made = {(name, level): samples for name, level, samples in noises(RATE, 3)}
    assert len(made) == N_NOISES
    for (name, level), samples in made.items():
        assert samples.dtype == np.float32
        assert samples.shape == (3 * RATE,)
        assert np.abs(samples).max() <= 1
        if level is not None:
            middle = samples[RATE : 2 * RATE]
            peak = name in ("clicks", "a crackling line")
            if name not in ("gusts of wind", "clicks", "a crackling line"):  # these come and go
                assert 20 * np.log10(np.sqrt(np.mean(middle**2))) == pytest.approx(level, abs=2), name
            if peak:
                assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(level, abs=0.3), name
    assert not made["digital silence", None].any()
    assert made["a DC offset", -12.0][RATE : 2 * RATE].mean() == pytest.approx(10 ** (-12 / 20), rel=1e-3)
    for (name, _, samples), again in zip(noises(RATE, 3), made.values(), strict=True):
        assert np.array_equal(samples, again), name


def test_what_is_loud_is_warned_of(loud: Probe) -> None:
    assert of(loud, "white noise", -30.0).fired == ()
    (fired,) = of(loud, "white noise", -12.0).fired
    assert (fired.label, fired.n_events) == ("doorbell", 1)
    assert 3 < fired.seconds < 4
    (warning, *advice) = loud.warnings()
    assert warning.startswith("warning: doorbell fires on ")
    assert advice == loud.advice
    assert len(advice) == 2
    assert "background/" in advice[0]
    assert "--false-alarms-per-hour" in advice[0]
    noisy = {each.heard.name for each in loud.by_label["doorbell"] if each.heard.kind == "noise"}
    assert noisy >= {"white noise", "pink noise", "mains hum", "a DC offset", "overdriven noise"}
    assert not noisy & {"digital silence"}
    assert "knock" not in loud.by_label


def test_what_never_fires_is_not_warned_of(toys: Toys) -> None:
    silent = probe(toys.deaf, seconds=1)
    assert len(silent.heard) == N_NOISES + len(SOUNDS)
    assert silent.findings == []
    assert silent.warnings() == []
    assert silent.to_dict()["fires_on"] == {}
    assert "it stayed silent" in render(Page("p", "s", probe=silent))


def test_what_is_told_is_ready_for_metadata(loud: Probe) -> None:
    said = json.loads(json.dumps(loud.to_dict()))
    assert list(said) == ["false_events_per_hour", "minutes", "fires_on"]
    assert said["minutes"]["noise"] == pytest.approx(N_NOISES * 4 / 60, abs=0.01)
    white = [each for each in said["fires_on"]["doorbell"] if each["on"] == "white noise"]
    assert white[0].pop("share_of_time") > 0.8
    assert white == [{"kind": "noise", "on": "white noise", "level_db": -12.0, "per_minute": 15}]
    n_events = sum(fired.n_events for heard in loud.heard if heard.kind == "noise" for fired in heard.fired)
    assert said["false_events_per_hour"]["noise"] == pytest.approx(n_events / (N_NOISES * 4 / 3600), abs=0.01)


def test_a_detector_of_whole_clips_is_refused(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "ClipDetector", Detector)
    with pytest.raises(ConfigError, match=r"loud.onnx: this detector labels whole clips"):
        probe(toys.loud)


# Sounds of other labels


def tone(folder: Path, name: str, level_db: float, seconds: float = 1.0) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write(path, (10 ** (level_db / 20) * np.sqrt(2) * np.sin(2 * np.pi * 441 * time)).astype(np.float32), RATE)


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Kettles of which 4 of 6 are loud, bells that are all loud, quiet cats, and a loud background."""
    folder = tmp_path / "sounds"
    for index in range(6):
        tone(folder, f"kettle/{index}.wav", -12 if index < 4 else -40)
        tone(folder, f"doorbell/{index}.wav", -12)
        tone(folder, f"cat/{index}.wav", -40)
        tone(folder, f"dog/{index}.wav", -12 if index < 1 else -40)
    tone(folder, "background/0.wav", -12, 12)
    return folder


def test_sounds_of_other_labels_are_counted_and_own_ones_are_not(toys: Toys, sounds: Path) -> None:
    found = probe(toys.loud, sounds_in(sounds), seconds=0.5)
    (kettle,) = of(found, "kettle").fired
    assert (kettle.label, kettle.n_fired, kettle.n_sounds, kettle.n_events) == ("doorbell", 4, 6, 4)
    assert of(found, "doorbell").fired == of(found, "cat").fired == ()
    warned = {each.heard.name for each in found.by_label["doorbell"]}
    assert {"kettle", "background"} <= warned
    assert not {"doorbell", "cat", "dog"} & warned, "one dog of six may be a clip with a wrong label"
    assert "4 of 6 sounds of kettle" in str([str(each) for each in found.by_label["doorbell"]])
    assert of(found, "background").seconds == 10, "no more of a clip is played"
    assert not [heard for heard in found.heard if heard.kind == "built-in"], "four labels are enough"


def test_few_labels_are_set_against_built_in_sounds(toys: Toys, sounds: Path) -> None:
    found = probe(toys.loud, sounds_in(sounds, lambda name: name.startswith("dog")), seconds=0.5)
    others = {heard.name for heard in found.heard if heard.kind == "built-in"}
    assert others == set(SOUNDS) - {"dog_barking"}


def test_a_label_by_another_name_is_no_other() -> None:
    assert set(SOUNDS) - set(others_than(["siren", "dog", "Rainfall", "x"])) == {
        "alarms_and_sirens", "dog_barking", "rain",
    }  # fmt: skip


def test_of_each_label_some_clips_are_taken(tmp_path: Path) -> None:
    for index in range(45):
        tone(tmp_path, f"cat/{index:02d}.wav", -40, 0.01)
    names = [recording.name for recording in sounds_in(tmp_path)]
    assert len(names) == probing.MOST_SOUNDS
    assert (names[0], names[-1]) == ("cat/00.wav", "cat/44.wav")
    (tmp_path / "manifest.csv").write_text(
        "file,label,recording_id,confidence\n" + "".join(f"cat/{i:02d}.wav,cat,{i},{'AC'[i > 2]}\n" for i in range(45))
    )
    assert [recording.name for recording in sounds_in(tmp_path)] == [f"cat/{i:02d}.wav" for i in range(3)]


def tallied(reference: Iterable[Event], estimated: list[Event], duration: float = 60.0) -> Callable[[str], Heard]:
    tallies = Tallies()
    tallies.add(reference, estimated, duration)
    return partial(of, Probe(tuple(tallies.heard("label"))))


def test_what_is_part_of_the_mixture_is_not_false() -> None:
    reference = [Event(0, 10, "cat"), Event(5, 12, "bell"), Event(20, 30, "cat"), Event(40, 41, "bell")]
    estimated = [Event(8, 11, "bell"), Event(22, 23, "bell"), Event(25, 26, "bell"), Event(50, 52, "bell")]
    get = tallied(reference, estimated)
    (cat,) = get("cat").fired
    assert (cat.label, cat.n_events, cat.seconds, cat.n_fired, cat.n_sounds) == ("bell", 2, 2, 1, 1)
    assert get("bell").fired == ()
    (background,) = get("background").fired
    assert (background.n_events, background.seconds) == (1, 2)
    assert get("background").seconds == 60 - 12 - 10 - 1


def test_a_false_event_is_put_down_to_what_it_overlaps_longest() -> None:
    get = tallied([Event(0, 10, "cat"), Event(9, 20, "dog")], [Event(8, 15, "bell")])
    assert get("cat").fired == ()
    (dog,) = get("dog").fired
    assert (dog.n_events, dog.n_fired, dog.n_sounds) == (1, 1, 1)


def test_false_events_are_those_that_the_metrics_call_false_alarms(rng: np.random.Generator) -> None:
    def some(n: int) -> list[Event]:
        onsets = np.round(rng.uniform(0, 95, n), 1)
        lengths = np.round(rng.uniform(0.1, 4, n), 1)
        return [Event(a, a + b, "abc"[i % 3]) for i, (a, b) in enumerate(zip(onsets, lengths, strict=True))]

    reference, estimated = some(25), merge(some(60))
    tallies = Tallies()
    tallies.add(reference, estimated, 100)
    count = sum(fired.n_events for heard in tallies.heard("label") for fired in heard.fired)
    alarms = evaluate({"r": reference}, {"r": estimated}, {"r": 100.0}, ["a", "b", "c"]).false_alarms
    assert 0 < count < len(estimated)
    assert count == pytest.approx(alarms.per_hour * 100 / 3600)


def test_a_share_is_held_against_its_lower_end() -> None:
    assert lowest_share(0, 0) == lowest_share(0, 9) == 0
    assert lowest_share(10, 20) == pytest.approx(0.2993, abs=1e-4)  # Wilson's interval of 10 in 20: 0.2993 to 0.7007
    assert lowest_share(2, 5) > 0.1 > lowest_share(1, 5)


def test_what_was_found_already_is_not_looked_for_again(toys: Toys, tmp_path: Path) -> None:
    recording = AnnotatedRecording(tmp_path / "none.wav", "r", 30.0, (Event(0, 9, "cat"),), "r")
    found = probe(toys.deaf, [recording], estimated={"r": [Event(1, 2, "knock")]}, seconds=0.2)
    assert of(found, "cat").fired[0].label == "knock"


# Commands and the page


def test_the_command_says_what_fires(toys: Toys, sounds: Path, run: Run) -> None:
    done = run("probe", toys.loud.path, sounds)
    assert done.code == 0
    assert "kettle" in done.out
    assert "4 of 6 sounds !" in done.out
    assert "warning: doorbell fires on " in done.err
    assert "what helps against noise: " in done.err
    assert run("probe", sounds / "none.onnx").code == 1


def test_training_warns(toys: Toys, clips: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def loud_instead(
        detector: Detector, recordings: list[AnnotatedRecording], progress: object, estimated: object
    ) -> Probe:
        played.extend(recordings)
        return probe(toys.loud, recordings, seconds=1)

    monkeypatch.setattr(training_run, "run_probe", loud_instead)
    call = ("train", clips, "-o", tmp_path / "x.onnx", "--minutes", 1, "--test-minutes", 1, "--epochs", 1, "-j", 1)
    call = (*call, "--network", "tiny")
    done = run(*call)
    assert done.code == 0
    assert "warning: doorbell fires on " in done.err
    assert {recording.events[0].label for recording in played if recording.events} == set(load(call[3]).labels)
    assert "doorbell" in load(call[3]).metadata.scores["probe"]["fires_on"]
    page = (tmp_path / "x.html").read_text()
    assert "What makes it fire" in page
    assert "overdriven noise" in page
    quiet = run(*call, "--no-page", "--no-probe")
    assert quiet.code == 0
    assert "warning" not in quiet.err
    assert set(load(call[3]).metadata.scores) == {"test"}
