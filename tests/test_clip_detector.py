"""Detectors that give a whole recording one label: what they answer, how it is written, what is told of bad ones."""

import json
import re
import sys
import tracemalloc
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console

import hubbub
from hubbub import annotations, audio, batch
from hubbub.annotations.scores import read_scores
from hubbub.clip import windows
from hubbub.detection import Sink
from hubbub.detector import ClipDetector, Detector
from hubbub.device import second_of_audio
from hubbub.errors import AudioError, ConfigError, DetectorError
from hubbub.events import Event
from hubbub.model import METADATA_KEY, Metadata, Model
from hubbub.report.terminal import timeline
from tests.conftest import Ran, Run

RATE, CLIP = 22050, 2 * 22050 + 7
LABELS = ("quiet", "middling", "loud")
WEIGHTS, BIAS = np.array([[-30.0, 5.0, 30.0]], np.float32), np.array([3.0, 0.0, -6.0], np.float32)
AGAIN = "; train the detector again"
MOST_SAMPLES = "wanted the most samples that the graph takes"
METADATA: dict[str, Any] = {
    "schema": 1, "task": "clip", "labels": LABELS, "sample_rate": RATE, "hop": 441, "clip": CLIP,
    "look_ahead": 0, "block": 1, "settle": 0, "states": {}, "decode": {},
}  # fmt: skip


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def heard(samples: np.ndarray) -> np.ndarray:
    """What the graph below says of a window, shape (n_labels,): it knows the mean of the sizes of the samples only."""
    return softmax(np.abs(samples.astype(np.float64)).mean() * WEIGHTS[0].astype(np.float64) + BIAS)


def make(path: Path, end: str = "Softmax", metadata: dict[str, Any] | None = None, rank: int = 2) -> Path:
    """A detector whose probabilities depend on the mean size of the samples. `end`: what stands in place of softmax."""
    nodes = [
        helper.make_node("Abs", ["audio"], ["sizes"]),
        helper.make_node("ReduceMean", ["sizes"], ["size"], axes=[1], keepdims=1),
        helper.make_node("MatMul", ["size", "weights"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["right"], axis=1),
    ]
    nodes += {
        "Softmax": [helper.make_node("Identity", ["right"], ["probabilities"])],
        "Identity": [helper.make_node("Identity", ["logits"], ["probabilities"])],
        "Sigmoid": [helper.make_node("Sigmoid", ["logits"], ["probabilities"])],
        "Sqrt": [helper.make_node("Sqrt", ["logits"], ["probabilities"])],  # of what is below 0: not a number
        "Tilted": [helper.make_node("Add", ["right", "tilt"], ["probabilities"])],  # the sum stays 1
        "Twice": [helper.make_node("Concat", ["right", "right"], ["probabilities"], axis=0)],
        "Frames": [helper.make_node("Unsqueeze", ["right", "first"], ["probabilities"])],
    }[end]
    tilt = np.array([-1.0, 0.5, 0.5], np.float32)
    held = [(tilt, "tilt"), (WEIGHTS, "weights"), (BIAS, "bias"), (np.array([0]), "first")]
    shape: list[int | str] = [*["rows", "frames"][: rank - 1], len(LABELS)]
    graph = helper.make_graph(
        nodes,
        "mean size",
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, "n_samples"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for array, name in held],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    model.metadata_props.add(key=METADATA_KEY, value=json.dumps(METADATA if metadata is None else metadata))
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clip") / "clip.onnx")


@pytest.fixture(scope="module")
def clip(clip_path: Path) -> Detector:
    return hubbub.load(clip_path)


def test_a_device_is_checked_by_a_clip_of_a_second(clip_path: Path) -> None:
    model = Model(clip_path)
    probabilities, states = model._listener(model._session)()
    second = second_of_audio(model.metadata.sample_rate, min(model.metadata.sample_rate, int(model.metadata.clip or 0)))
    assert (probabilities == model.run_clip(second)).all()
    assert probabilities.shape == (len(LABELS),)
    assert states == []


def noise(n_samples: int, size: float, seed: int = 0) -> np.ndarray:
    """Noise between -2 * size and 2 * size: the mean of its sizes is about `size`."""
    return (2 * size * np.random.default_rng(seed).uniform(-1, 1, n_samples)).astype(np.float32)


# What it answers


@pytest.mark.parametrize(("size", "label"), [(0.01, "quiet"), (0.15, "middling"), (0.45, "loud")])
def test_one_event_over_the_whole_recording(clip: Detector, size: float, label: str) -> None:
    samples = noise(30001, size)
    wanted = heard(samples)
    found = clip.probabilities(samples)
    assert found.values.dtype == np.float32
    assert found.edges.dtype == np.float64
    assert found.labels == LABELS
    assert found.edges.tolist() == [0.0, 30001 / RATE]
    np.testing.assert_allclose(found.values, wanted[np.newaxis], rtol=0, atol=1e-6)
    (event,) = clip.detect(samples)
    assert (event.onset, event.offset, event.label) == (0.0, 30001 / RATE, label)
    assert event.score == pytest.approx(wanted.max(), abs=1e-6)
    assert clip.decide(found) == [event]


def test_the_file_tells_what_kind_of_detector_it_is(clip: Detector, clip_path: Path, detector: Detector) -> None:
    assert type(clip) is ClipDetector
    assert type(detector) is Detector
    assert clip.labels == LABELS
    assert clip.look_ahead == 0
    assert clip.frame_period == CLIP / RATE
    assert Model(clip_path).metadata.rules == []


def test_of_labels_that_are_equally_probable_the_first_is_taken(clip: ClipDetector) -> None:
    for values, ranked in [([0.2, 0.4, 0.4], [1, 2, 0]), ([1 / 3] * 3, [0, 1, 2]), ([0.3, 0.3, 0.4], [2, 0, 1])]:
        found = hubbub.Probabilities(np.array([values], np.float32), np.array([0.0, 1.0]), LABELS)
        assert list(clip.ranked(found)) == [LABELS[index] for index in ranked]
        assert clip.decide(found) == [Event(0.0, 1.0, LABELS[ranked[0]], float(np.float32(max(values))))]


@pytest.mark.parametrize("n_samples", [1, 2, CLIP - 1, CLIP, CLIP + 1, 2 * CLIP, 3 * CLIP + 5000])
def test_windows_are_averaged_by_their_length(clip: Detector, n_samples: int) -> None:
    samples = noise(n_samples, 0.1) * np.linspace(0, 3, n_samples, dtype=np.float32) + np.float32(0.01)
    parts = [samples[start : start + CLIP] for start in range(0, n_samples, CLIP)]
    wanted = sum(len(part) * heard(part) for part in parts) / n_samples
    np.testing.assert_allclose(clip.probabilities(samples).values[0], wanted, rtol=0, atol=1e-6)


def test_a_last_window_counts_by_its_length_however_short_it_is(clip: Detector) -> None:
    quiet, loud = np.zeros(CLIP, np.float32), np.full(CLIP // 10, 0.9, np.float32)
    whole = clip.probabilities(np.concatenate([quiet, loud])).values[0]
    parts = [clip.probabilities(part).values[0] for part in (quiet, loud)]
    np.testing.assert_allclose(whole, (10 * parts[0] + parts[1]) / 11, rtol=0, atol=1e-4)
    assert abs(whole - (parts[0] + parts[1]) / 2).max() > 0.4


def test_the_windows_are_those_of_the_recording_however_it_comes(rng: np.random.Generator) -> None:
    samples = rng.standard_normal(1000).astype(np.float32)
    for length in (1, 7, 250, 999, 1000, 1001):
        wanted = [samples[start : start + length] for start in range(0, 1000, length)]
        for cuts in ([], [250], [500, 500, 750], sorted(rng.integers(0, 1000, 40).tolist())):
            cut = list(windows(np.split(samples, cuts), length))
            assert [len(each) for each in cut] == [len(each) for each in wanted]
            np.testing.assert_array_equal(np.concatenate(cut), samples)
    assert list(windows([], 5)) == list(windows([samples[:0]], 5)) == []


def test_without_samples_there_is_no_label(clip: ClipDetector) -> None:
    nothing = np.zeros(0, np.float32)
    found = clip.probabilities(nothing)
    assert found.values.shape == (0, 3)
    assert found.edges.tolist() == [0.0]
    assert clip.detect(nothing) == clip.decide(found) == []
    assert clip.ranked(found) == {}


# Recordings


@pytest.mark.parametrize(
    ("rate", "subtype", "channels", "seconds"),
    [
        (8000, "PCM_U8", 1, 1.5),
        (96000, "PCM_24", 1, 1.5),
        (44100, "PCM_16", 2, 1.5),
        (RATE, "FLOAT", 1, 0.05),
        (RATE, "FLOAT", 1, 1 / RATE),
        (48000, "PCM_16", 2, 65.0),  # more than two blocks of reading
    ],
)
def test_recordings_of_every_kind(
    tmp_path: Path, clip: Detector, rate: int, subtype: str, channels: int, seconds: float
) -> None:
    samples = noise(round(seconds * rate) * channels, 0.15).reshape(-1, channels)
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate, subtype=subtype)
    mono, _ = audio.read(path, RATE)
    parts = [mono[start : start + CLIP] for start in range(0, len(mono), CLIP)]
    wanted = sum(len(part) * heard(part) for part in parts) / len(mono)
    found = clip.probabilities(path)
    assert found.edges.tolist() == [0.0, len(mono) / RATE]
    np.testing.assert_allclose(found.values[0], wanted, rtol=0, atol=1e-5)
    (event,) = clip.detect(str(path))
    assert (event.onset, event.offset) == (0.0, pytest.approx(seconds, abs=1 / RATE))
    assert event.label == LABELS[int(wanted.argmax())]


def test_what_cannot_be_read_is_told(tmp_path: Path, clip: Detector) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(0), RATE)
    for source, wanted in [
        (tmp_path / "none.wav", "none.wav: does not exist; wanted a recording"),
        (tmp_path / "silent.wav", "silent.wav: holds no samples: it is only a header, or cut short right behind one"),
        (np.zeros((10, 2), np.float32), "a block of shape (10, 2); wanted mono samples, shape (n_samples,)"),
        (np.array([0, 0, np.nan], np.float32), "sample 2 is nan; wanted numbers from -1 to 1"),
        (np.zeros(5, np.int16), "a block of int16; wanted float32 from -1 to 1 (16 bit: divide by 32768)"),
    ]:
        with pytest.raises(AudioError) as error:
            clip.detect(source)
        assert str(error.value).removeprefix(f"{tmp_path}/") == wanted


def test_a_bad_sample_in_a_later_block_is_told_with_its_place() -> None:
    blocks = [np.zeros(50, np.float32), np.array([0, np.inf], np.float32)]
    with pytest.raises(AudioError, match=r"^sample 51 is inf; wanted numbers"):
        list(windows(blocks, 10))


def test_a_quarter_of_an_hour_needs_little_memory(tmp_path: Path, clip: Detector) -> None:
    path, told = tmp_path / "long.wav", list[float]()
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(45):
            file.write(noise(20 * 8000, 0.15))
    tracemalloc.start()
    try:
        (event,) = clip.detect(path, told.append)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert event.offset == pytest.approx(900)
    assert sum(told) == pytest.approx(900)
    assert max(told) < 31
    assert peak < 15e6  # all its samples are 79 MB


# What it refuses


def test_it_neither_streams_nor_has_a_threshold(clip: Detector) -> None:
    no_stream = "does not stream; take detect(), or a detector that finds events"
    for refused, wanted in {
        clip.stream: no_stream,
        lambda: clip.latency: no_stream,
        lambda: clip.with_thresholds(0.5): "the most probable label counts; leave the threshold out",
        lambda: clip.with_thresholds({"loud": 0.5}): "the most probable label counts; leave the threshold out",
    }.items():
        with pytest.raises(ConfigError) as error:
            refused()  # type: ignore[operator]
        said = str(error.value)
        assert said.startswith(f"{clip.path}: this detector labels whole clips; ")
        assert said.endswith(wanted)
        assert "\n" not in said


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        ({"clip": None}, f"metadata: the task is 'clip' and clip is missing; {MOST_SAMPLES}"),
        ({"task": "events"}, f"metadata: clip is {CLIP} and the task 'events'; wanted a clip for the task 'clip' only"),
        ({"clip": 0}, "metadata field 'clip': Input should be greater than 0"),
        ({"clip": 1.5}, "metadata field 'clip': Input should be a valid integer, got a number with a fractional part"),
        *[
            (
                edit,
                "metadata: the task is 'clip'; wanted look_ahead 0, block 1, settle 0, "
                "and neither states nor decision rules nor calibration",
            )
            for edit in (
                {"look_ahead": 1}, {"block": 2}, {"settle": 3}, {"states": {"memory": [1]}}, {"decode": {"loud": {}}}
            )
        ],
        ({"labels": ["quiet", "loud"]}, "the graph gives probabilities of shape [1, 3]; wanted 1, 2 labels"),
        (
            {"task": "events", "clip": None, "decode": {label: {} for label in LABELS}},
            "the graph gives probabilities of shape [1, 3]; wanted 1, n_frames, 3 labels",
        ),
    ],
)  # fmt: skip
def test_bad_metadata_are_one_line(tmp_path: Path, edit: dict[str, Any], wanted: str) -> None:
    content = {name: value for name, value in (METADATA | edit).items() if value is not None}
    path = make(tmp_path / "a.onnx", metadata=content)
    with pytest.raises(DetectorError) as error:
        hubbub.load(path)
    assert str(error.value) == f"{path}: {wanted}{AGAIN}"


def test_a_graph_of_frames_or_with_states_is_told_when_it_is_opened(tmp_path: Path) -> None:
    path = make(tmp_path / "a.onnx", "Frames", rank=3)
    with pytest.raises(DetectorError) as error:
        hubbub.load(path)
    assert str(error.value) == (f"{path}: the graph gives probabilities of shape [1, 1, 3]; wanted 1, 3 labels{AGAIN}")
    model = onnx.load(make(path))
    model.graph.input.append(helper.make_tensor_value_info("memory", TensorProto.FLOAT, [1]))
    onnx.save(model, path)
    with pytest.raises(DetectorError) as error:
        hubbub.load(path)
    assert str(error.value) == f"{path}: the graph's inputs and outputs are not those its metadata name; train it again"


@pytest.mark.parametrize(
    ("end", "wanted"),
    [
        ("Twice", "the graph gives probabilities of shape (2, 3) for 100 samples; wanted (1, 3)"),
        ("Identity", "probabilities from -6 to 3 with the sum -3 for 100 samples; wanted 0 to 1 with the sum 1"),
        ("Sigmoid", "to 0.952574 with the sum 1.45505 for 100 samples; wanted 0 to 1 with the sum 1"),
        ("Tilted", " with the sum 1 for 100 samples; wanted 0 to 1 with the sum 1"),
        ("Sqrt", "from nan to nan with the sum nan for 100 samples; wanted 0 to 1 with the sum 1"),
    ],
)
def test_what_are_no_probabilities_is_told_when_it_runs(tmp_path: Path, end: str, wanted: str) -> None:
    path = make(tmp_path / "a.onnx", end)
    with pytest.raises(DetectorError) as error:
        hubbub.load(path).detect(np.zeros(100, np.float32))
    assert str(error.value).startswith(f"{path}: the graph gives probabilities ")
    assert str(error.value).endswith(wanted + AGAIN)


def test_a_graph_that_does_not_run_is_told(tmp_path: Path) -> None:
    model = onnx.load(make(tmp_path / "a.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 50  # of samples, and no other number
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(DetectorError, match=r"a\.onnx: does not run \(.*\); train the detector again$"):
        hubbub.load(tmp_path / "a.onnx").detect(np.zeros(100, np.float32))


def test_the_metadata_come_back_and_those_of_events_name_no_clip(clip: Detector, detector: Detector) -> None:
    assert clip.metadata == Metadata.model_validate_json(clip.metadata.to_json())
    assert json.loads(clip.metadata.to_json())["clip"] == CLIP
    assert "clip" not in json.loads(detector.metadata.to_json())


# Many recordings, and where the labels go


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with three recordings: one quiet, one loud, one broken."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("quiet.wav", noise(4000, 0.01), 8000, subtype="PCM_16")
    soundfile.write("loud.wav", noise(3 * RATE, 0.45), RATE, subtype="PCM_16")
    Path("broken.wav").write_text("no audio")
    return tmp_path


BROKEN = "hubbub: broken.wav: holds text, not audio; wanted a recording "


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_table_has_one_row_a_recording_and_a_broken_one_costs_nothing_else(
    place: Path, run: Run, clip: Detector, jobs: int
) -> None:
    done = run("detect", "quiet.wav", "broken.wav", "loud.wav", "--model", clip.path, "--jobs", jobs)
    assert done.code == 1
    assert done.err.startswith(BROKEN)
    assert done.err.count("hubbub: ") == 1
    scores = {name: clip.detect(name)[0].score for name in ("loud.wav", "quiet.wav")}
    assert done.out == (
        "filename\tonset\toffset\tevent_label\tscore\n"
        f"loud.wav\t0.000000\t3.000000\tloud\t{scores['loud.wav']:.6f}\n"
        f"quiet.wav\t0.000000\t0.500000\tquiet\t{scores['quiet.wav']:.6f}\n"
    )


@pytest.mark.parametrize("to_file", [False, True])
def test_json_holds_every_probability_and_comes_back(place: Path, run: Run, clip: Detector, to_file: bool) -> None:
    target = ("-o", "found.json") if to_file else ("--format", "json")
    done = run("detect", "quiet.wav", "loud.wav", "broken.wav", "--model", clip.path, *target)
    assert done.code == 1
    Path("found.json").write_text(Path("found.json").read_text() if to_file else done.out)
    recordings = json.loads(Path("found.json").read_text())["recordings"]
    assert [each["filename"] for each in recordings] == ["loud.wav", "quiet.wav"]
    for each in recordings:
        assert list(each) == ["filename", "label", "probabilities", "events"]
        values = clip.probabilities(each["filename"]).values[0]
        wanted = {LABELS[index]: round(float(values[index]), 6) for index in np.argsort(-values)}
        assert list(each["probabilities"].items()) == list(wanted.items())
        assert each["label"] == next(iter(wanted))
        (event,) = each["events"]
        assert (event["label"], event["score"]) == (each["label"], wanted[each["label"]])
    table = annotations.read("found.json")
    assert {name: [event.label for event in events] for name, events in table.items()} == {
        "loud.wav": ["loud"],
        "quiet.wav": ["quiet"],
    }


def test_the_json_is_as_it_was_written_before_but_for_the_answer(tmp_path: Path) -> None:
    table = {"a.wav": [Event(0.0, 1.5, "hüpf", 0.25)], "b.wav": []}
    plain = '{"recordings": [\n {"filename": "a.wav", "events": [\n   {"onset": 0.0, "offset": 1.5, "label": "hüpf", '
    plain += '"score": 0.25}\n  ]},\n {"filename": "b.wav", "events": []}\n]}\n'
    annotations.write(tmp_path / "a.json", table, "json")
    assert (tmp_path / "a.json").read_text("utf-8") == plain
    annotations.write(tmp_path / "a.json", table, "json", {"a.wav": {"dog": 0.1234567, "hüpf": 0.8765433}})
    answer = '"label": "hüpf", "probabilities": {"hüpf": 0.876543, "dog": 0.123457},\n  "events"'
    assert (tmp_path / "a.json").read_text("utf-8") == plain.replace('"events"', answer, 1)
    assert annotations.read(tmp_path / "a.json") == table
    annotations.write(tmp_path / "a.tsv", table, "dcase", {"a.wav": {"dog": 0.1}})
    assert annotations.read(tmp_path / "a.tsv") == table


def test_a_detector_of_events_writes_no_probabilities_into_its_json(place: Path, run: Run, detector_path: Path) -> None:
    done = run("detect", "quiet.wav", "--model", detector_path, "--format", "json", "--scores", "scores")
    assert done.code == 0
    assert list(json.loads(done.out)["recordings"][0]) == ["filename", "events"]


def test_scores_are_one_row(place: Path, run: Run, clip: Detector) -> None:
    done = run("detect", "loud.wav", "--model", clip.path, "--scores", "scores", "-o", "found.csv")
    assert done.code == 0
    edges, values, labels = read_scores("scores/loud.wav.tsv")
    found = clip.probabilities("loud.wav")
    assert edges.tolist() == [0.0, 3.0]
    np.testing.assert_array_equal(values.astype(np.float32), found.values)
    assert tuple(labels) == LABELS
    assert not Path("scores/quiet.wav.tsv").exists()


def test_no_scores_are_written_where_none_are_wanted(place: Path, clip: Detector) -> None:
    chosen, _ = batch.recordings([Path("loud.wav")])
    before = sorted(place.iterdir())
    with Sink("tsv", place / "found.tsv", None, pretty=False) as sink:
        for found in batch.detect(clip, chosen):
            sink.add(found)
    assert sorted(place.iterdir()) == sorted([*before, place / "found.tsv"])


def test_a_terminal_shows_the_most_probable_labels(
    place: Path, run: Run, clip: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = run("detect", "quiet.wav", "loud.wav", "--model", clip.path)
    assert done.code == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", done.out).splitlines()  # where colour is forced
    values = dict(zip(LABELS, clip.probabilities("quiet.wav").values[0].tolist(), strict=True))
    ranked = sorted(LABELS, key=lambda label: -values[label])
    assert lines[-1] == "  " + " · ".join(f"{label} {values[label]:.2f}" for label in ranked)
    assert lines[0].split() == ["loud.wav", "0:03.0", "1", "event"]
    assert "━" * 20 in lines[1]
    assert sum(line.startswith("quiet ") or line.startswith("  quiet ") for line in lines) == 2


def test_a_line_of_labels_holds_three_and_is_safe_to_show() -> None:
    def shown(ranking: dict[str, float], encoding: str = "utf-8") -> str:
        with TextIOWrapper(BytesIO(), encoding=encoding) as file:
            Console(file=file, width=80, color_system=None).print(timeline("a", [], 1.0, ranking=ranking))
            file.seek(0)
            return file.read().splitlines()[-1]

    assert shown({"c": 0.1, "a": 0.6, "d": 0.05, "b": 0.25}) == "  a 0.60 · b 0.25 · c 0.10"
    assert shown({"b\x1b[2J": 1.0}) == "  b\N{REPLACEMENT CHARACTER}[2J 1.00"
    assert shown({"x" * 60: 1.0}) == f"  {'x' * 19}… 1.00"
    assert len(shown({f"{index}" * 60: 0.3 for index in range(4)})) <= 80
    assert shown({"a": 0.6, "b": 0.4}, "ascii") == "  a 0.60, b 0.40"


@pytest.mark.parametrize("threshold", ["0.5", "loud=0.2"])
def test_a_threshold_is_a_wrong_call(place: Path, run: Run, clip_path: Path, threshold: str) -> None:
    assert run("detect", "loud.wav", "--model", clip_path, "--threshold", threshold) == Ran(
        2,
        "",
        f"hubbub: {clip_path}: this detector labels whole clips; there is no threshold, "
        "the most probable label counts; leave the threshold out\n",
    )


def test_a_graph_that_gives_no_probabilities_costs_a_line_a_recording(place: Path, run: Run) -> None:
    make(place / "bad.onnx", "Sqrt")
    done = run("detect", "quiet.wav", "loud.wav", "--model", "bad.onnx", "--format", "json")
    assert (done.code, done.out) == (1, '{"recordings": []}\n')
    told = [line[:34] for line in done.err.splitlines() if line.startswith("hubbub: ")]
    assert told == ["hubbub: bad.onnx: the graph gives "] * 2


# Scores


def test_it_is_evaluated_as_any_detector_is(place: Path, run: Run, clip_path: Path) -> None:
    rows = "filename\tonset\toffset\tevent_label\nquiet.wav\t0\t0.5\tquiet\nloud.wav\t0\t3\t"
    for label, accuracy in {"loud": 1.0, "middling": 0.5 / 3.5}.items():
        Path("events.tsv").write_text(f"{rows}{label}\n")
        done = run("evaluate", "events.tsv", clip_path, "--json", "--page", "page.html")
        assert done.code == 0
        assert json.loads(done.out)["system"]["frame"]["micro_f1"] == pytest.approx(accuracy)
        page = Path("page.html").read_text("utf-8")
        assert "the whole recording, heard 2.0 s at a time" in page
    assert run("evaluate", "events.tsv", clip_path).code == 0
