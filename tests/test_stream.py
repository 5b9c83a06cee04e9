"""A recording is a stream that ends: however it is cut, the same comes out, as soon as it is certain."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import get_ident

import numpy as np
import onnx
import pytest
import torch

import hubbub
from hubbub import audio
from hubbub.decode import LabelRule, decode
from hubbub.detector import Detector
from hubbub.detectors import path_of
from hubbub.errors import AudioError, DetectorError
from hubbub.events import Event
from hubbub.model import METADATA_KEY, Metadata
from hubbub.networks import Hub, HubConfig, build
from hubbub.stream import ProbabilityStream, Stream
from hubbub.training import front_end
from hubbub.training.export import export
from tests.conftest import LABELS

RATE, HOP = 22050, 441


def cut(samples: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Blocks of very different lengths: none, one sample, a few, a frame or so, seconds."""
    start = 0
    while start < len(samples):
        at_most = rng.choice([1, 2, 10, HOP, 3 * HOP, RATE, 4 * RATE])
        length = int(rng.integers(0, at_most + 1))
        yield samples[start : start + length]
        start += length


def pushed(stream: Stream, blocks: Iterator[np.ndarray]) -> tuple[list[Event], np.ndarray]:
    """Events sorted, and probabilities, shape (n_frames, n_labels)."""
    events, probabilities = [], []
    for block in blocks:
        events += stream.push(block)
        probabilities.append(stream.probabilities)
    events += stream.close()
    probabilities.append(stream.probabilities)
    return sorted(events), np.concatenate(probabilities)


def same(found: list[Event], expected: list[Event]) -> None:
    assert [(e.label, e.onset, e.offset) for e in found] == [(e.label, e.onset, e.offset) for e in expected]
    np.testing.assert_allclose([e.score for e in found], [e.score for e in expected], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def whole(detector: Detector, bursts: np.ndarray) -> tuple[list[Event], np.ndarray]:
    """Events and probabilities of `bursts`, handed over at once."""
    return detector.detect(bursts), detector.probabilities(bursts).values


# Pieces


def test_the_detector_of_these_tests_finds_something(whole: tuple[list[Event], np.ndarray]) -> None:
    events, probabilities = whole
    assert len(events) > 30
    assert {event.label for event in events} == {"bell", "dog", "rain"}
    assert probabilities.std(axis=0).min() > 0.05


@pytest.mark.parametrize("seed", range(12))
def test_a_recording_in_random_blocks_is_the_whole_recording(
    detector: Detector, bursts: np.ndarray, whole: tuple[list[Event], np.ndarray], seed: int
) -> None:
    events, probabilities = pushed(detector.stream(), cut(bursts, np.random.default_rng(seed)))
    np.testing.assert_allclose(probabilities, whole[1], rtol=0, atol=1e-5)
    same(events, whole[0])


def test_sample_by_sample(detector: Detector, bursts: np.ndarray) -> None:
    samples = bursts[3 * RATE :][: 30 * HOP + 5]
    events, probabilities = pushed(detector.stream(), iter(np.split(samples, len(samples))))
    np.testing.assert_allclose(probabilities, detector.probabilities(samples).values, rtol=0, atol=1e-5)
    same(events, detector.detect(samples))


def test_a_long_block_is_run_in_parts(
    detector: Detector, bursts: np.ndarray, whole: tuple[list[Event], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.stream.MAX_FRAMES", 70)
    lengths = []
    run = detector._model.run

    def counted(audio: np.ndarray, states: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        lengths.append(len(audio))
        return run(audio, states)

    monkeypatch.setattr(detector._model, "run", counted)
    events, probabilities = pushed(detector.stream(), iter([bursts]))
    assert max(lengths) == 70 * HOP
    np.testing.assert_allclose(probabilities, whole[1], rtol=0, atol=1e-5)
    same(events, whole[0])


@pytest.mark.parametrize("block", [2, 7, 64])
def test_a_graph_that_takes_several_frames_at_once(
    tmp_path: Path, detector_path: Path, bursts: np.ndarray, whole: tuple[list[Event], np.ndarray], block: int
) -> None:
    model = onnx.load(detector_path)
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = json.dumps({**json.loads(entry.value), "block": block})
    onnx.save(model, tmp_path / "blocks.onnx")
    detector = hubbub.load(tmp_path / "blocks.onnx")
    assert detector.latency == pytest.approx((detector.look_ahead + block) * 0.02)
    stream = detector.stream()
    events, probabilities = pushed(stream, cut(bursts, np.random.default_rng(block)))
    np.testing.assert_allclose(probabilities, whole[1], rtol=0, atol=1e-5)
    same(events, whole[0])
    assert stream.close() == []
    assert stream.probabilities.shape == (0, 3)


def test_the_caller_may_fill_its_buffer_anew(
    detector: Detector, bursts: np.ndarray, whole: tuple[list[Event], np.ndarray]
) -> None:
    """A sound card hands out one buffer again and again."""
    buffer = np.zeros(100, np.float32)
    stream = detector.stream()
    events, probabilities = [], []
    for start in range(0, 8 * RATE, 100):
        buffer[:] = bursts[start : start + 100]
        events += stream.push(buffer)
        probabilities.append(stream.probabilities)
    heard = np.concatenate(probabilities)
    np.testing.assert_allclose(heard, whole[1][: len(heard)], rtol=0, atol=1e-5)
    assert len(heard) == 8 * RATE // HOP - detector.look_ahead


def test_two_streams_do_not_hear_each_other(detector: Detector, bursts: np.ndarray) -> None:
    first, second = detector.stream(), detector.stream()
    for block in np.array_split(bursts[: 3 * RATE], 40):
        first.push(block)
        second.push(-0.3 * block[::-1])
    alone = detector.stream()
    for block in np.array_split(bursts[: 3 * RATE], 40):
        alone.push(block)
    first.push(bursts[:RATE])
    alone.push(bursts[:RATE])
    np.testing.assert_array_equal(first.probabilities, alone.probabilities)


def test_samples_may_be_float64_or_strided(detector: Detector, bursts: np.ndarray) -> None:
    samples = bursts[: 2 * RATE]
    stereo = np.stack([samples, np.zeros_like(samples)], axis=1)
    expected = detector.probabilities(samples).values
    np.testing.assert_array_equal(detector.probabilities(samples.astype(np.float64)).values, expected)
    np.testing.assert_array_equal(detector.probabilities(stereo[:, 0]).values, expected)


# When


def test_events_come_as_soon_as_they_are_certain(detector: Detector, bursts: np.ndarray) -> None:
    """After the look-ahead, half of the median of 3, and a gap of 3 frames: not before, and not only at the end."""
    stream = detector.stream()
    wait = (detector.look_ahead + 1 + 3) * HOP / RATE
    n_given = 0
    for start in range(0, len(bursts), HOP):
        for event in stream.push(bursts[start : start + HOP]):
            assert event.offset + wait == pytest.approx(stream.seconds, abs=1e-9)
            n_given += 1
    last = stream.close()
    assert n_given > 30
    assert len(last) <= 3
    assert n_given + len(last) == len(detector.detect(bursts))


def test_a_stream_knows_how_much_it_heard(detector: Detector, bursts: np.ndarray) -> None:
    stream = detector.stream()
    assert stream.seconds == 0
    for block in (bursts[:100], bursts[:0], bursts[100:22050]):
        stream.push(block)
    assert stream.seconds == 1.0
    assert stream.probabilities.shape == (50 - detector.look_ahead, 3)
    assert stream.probabilities.dtype == np.float32
    stream.close()
    assert stream.seconds == 1.0
    assert stream.probabilities.shape == (detector.look_ahead, 3)


def test_events_are_those_of_the_probabilities(detector: Detector, bursts: np.ndarray) -> None:
    metadata = detector.metadata
    events, probabilities = pushed(detector.stream(), cut(bursts, np.random.default_rng(99)))
    expected = decode(probabilities, metadata.labels, metadata.rules, metadata.grid, len(bursts) / RATE)
    same(events, expected)


# Little, and wrong


@pytest.mark.parametrize("n_samples", [0, 1, 110, 440, 441, 442, 4410])
def test_short_recordings(detector: Detector, bursts: np.ndarray, n_samples: int) -> None:
    samples = bursts[4 * RATE :][:n_samples]
    stream = detector.with_thresholds(0.0).stream()  # every frame is an event
    events = stream.push(samples)
    assert events == []
    events = stream.close()
    assert stream.probabilities.shape == (-(-n_samples // HOP), 3)
    ends = [(event.label, event.onset, event.offset) for event in events]
    lasting = n_samples > HOP  # the shortest event is 2 frames
    assert ends == ([(label, 0.0, n_samples / RATE) for label in detector.labels] if lasting else [])


def test_a_closed_stream_takes_no_more(detector: Detector, bursts: np.ndarray) -> None:
    stream = detector.stream()
    stream.push(bursts[:RATE])
    stream.close()
    with pytest.raises(AudioError) as error:
        stream.push(bursts[:RATE])
    assert str(error.value) == "the stream is closed; open a new one with detector.stream()"
    assert stream.close() == []
    assert stream.seconds == 1.0


WRONG = [
    (np.full((4, 2), 0.1, np.float32), "a block of shape (4, 2); wanted mono samples, shape (n_samples,)"),
    (np.float32(0.1), "a block of shape (); wanted mono samples, shape (n_samples,)"),
    (np.array([0, 0, np.nan], np.float32), "sample 1002 is nan; wanted numbers from -1 to 1"),
    (np.array([0, -np.inf], np.float32), "sample 1001 is -inf; wanted numbers from -1 to 1"),
    (np.array([1e30], np.float32), "sample 1000 is 1e+30; wanted numbers from -1 to 1"),
    (np.array([1e300]), "sample 1000 is inf; wanted numbers from -1 to 1"),
    (np.array([100, -100], np.int16), "a block of int16; wanted float32 from -1 to 1 (16 bit: divide by 32768)"),
]


@pytest.mark.parametrize(("block", "message"), WRONG)
def test_a_wrong_block_is_refused_and_changes_nothing(
    detector: Detector, bursts: np.ndarray, block: np.ndarray, message: str
) -> None:
    stream = ProbabilityStream(detector._model)
    pieces = [stream.push(bursts[:1000])]
    with pytest.raises(AudioError) as error:
        stream.push(block)
    assert str(error.value) == message
    pieces += [stream.push(bursts[1000:RATE]), stream.close()]
    expected = detector.probabilities(bursts[:RATE]).values
    np.testing.assert_allclose(np.concatenate(pieces), expected, rtol=0, atol=1e-5)


def test_the_loudest_samples_do_not_spoil_what_comes_later(detector: Detector, bursts: np.ndarray) -> None:
    stream = detector.stream()
    stream.push(np.full(RATE, 9e11, np.float32) * np.sign(bursts[:RATE]))
    assert np.isfinite(stream.probabilities).all()
    stream.push(bursts[: 10 * RATE])
    quiet = detector.probabilities(bursts[: 10 * RATE]).values
    heard = stream.probabilities[detector.look_ahead :]
    np.testing.assert_allclose(heard[100:], quiet[: len(heard)][100:], rtol=0, atol=1e-5)


# How late, what is open, what was lost


@pytest.fixture(scope="session")
def detectors(tmp_path_factory: pytest.TempPathFactory, detector_path: Path) -> dict[str, Path]:
    """One of each kind: hearing ahead, causal, rounded to int8, by sub-sequences, and with a memory without an end."""
    folder = tmp_path_factory.mktemp("kinds")
    torch.manual_seed(0)
    causal = Hub(3, HubConfig(stem=(4, 8, 8), width=16, dilations=(1, 2, 4), max_ahead=0, identity=False))
    rules = [LabelRule(0.5, 0.4, 3)] * 3
    for name, network, config in (
        ("causal", causal, front_end.OURS),
        ("report", build("proposed_strided", 3), front_end.REPORT_POLYPHONIC),
    ):
        export(folder / name, network, config, LABELS, rules, network_facts={}, training_facts={})
    return {
        "ahead": detector_path,
        "causal": folder / "causal",
        "int8": path_of("tiny.int8"),
        "report": folder / "report",
        "endless": endless(folder / "endless"),
    }


def endless(path: Path) -> Path:
    """A detector whose probabilities depend on all that was heard, however long ago."""
    metadata = Metadata(
        labels=("loud",), sample_rate=RATE, hop=HOP, look_ahead=0, states={"heard": (1, 1, 1)}, settle=1,
        decode={"loud": LabelRule()},
    )  # fmt: skip
    nodes = [
        onnx.helper.make_node("Reshape", ["audio", "shape"], ["frames"]),
        onnx.helper.make_node("ReduceL1", ["frames", "last"], ["level"], keepdims=1),
        onnx.helper.make_node("CumSum", ["level", "first"], ["levels"]),
        onnx.helper.make_node("Add", ["levels", "heard"], ["sums"]),
        onnx.helper.make_node("Gather", ["sums", "end"], ["heard_out"], axis=1),
        onnx.helper.make_node("Mul", ["sums", "little"], ["scaled"]),
        onnx.helper.make_node("Sin", ["scaled"], ["waves"]),
        onnx.helper.make_node("Sigmoid", ["waves"], ["probabilities"]),
    ]
    constants = {"shape": np.array([1, -1, HOP]), "last": np.array([2]), "first": np.array(1), "end": np.array([-1]),
                 "little": np.array(0.003, np.float32)}  # fmt: skip
    state, number = [1, 1, 1], onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "endless",
        [onnx.helper.make_tensor_value_info(*each) for each in (("audio", number, [1, "n"]), ("heard", number, state))],
        [
            onnx.helper.make_tensor_value_info(*each)
            for each in (("probabilities", number, [1, "t", 1]), ("heard_out", number, state))
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("kind", "lanes"),
    [*((kind, lanes) for kind in ("ahead", "causal", "int8", "endless") for lanes in (1, 2, 3)), ("report", 2)],
)
def test_in_its_own_blocks_a_stream_is_bit_for_bit_what_detect_finds(
    tmp_path: Path,
    detectors: dict[str, Path],
    bursts: np.ndarray,
    kind: str,
    lanes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = hubbub.load(detectors[kind], threads=lanes)
    assert detector._model.lanes == (1 if kind == "report" else lanes)
    threads: list[int] = []
    take_up = ProbabilityStream.take_up
    monkeypatch.setattr(
        ProbabilityStream, "take_up", lambda *arguments: threads.append(get_ident()) or take_up(*arguments)
    )
    recording = np.tile(bursts, 11)[: (200 if kind != "report" else 40) * RATE + 321]
    audio.write(tmp_path / "a.wav", recording, RATE)
    audio.write(tmp_path / "b.flac", recording, 2 * RATE)
    detector.detect(tmp_path / "a.wav")
    assert len(set(threads)) == (lanes if lanes > 1 and kind in ("ahead", "causal", "int8") else 0)
    for path in (tmp_path / "a.wav", tmp_path / "b.flac"):
        in_its_blocks(detector, path)
    samples, _ = audio.read(tmp_path / "a.wav", detector.sample_rate)
    for n_samples in (0, 1, HOP, 12 * 256 * HOP, 12 * 256 * HOP + 1, len(samples)):
        events, probabilities = pushed(detector.stream(), iter([samples[:n_samples]]))
        assert detector.detect(samples[:n_samples]) == events
        found = detector.probabilities(samples[:n_samples])
        np.testing.assert_array_equal(found.values, probabilities)
        assert len(found.edges) == len(probabilities) + 1


def in_its_blocks(detector: Detector, path: Path) -> int:
    """How many events `detect` finds, which are those of a stream, bit for bit, as the probabilities are."""
    events, probabilities = pushed(detector.stream(), audio.blocks(path, detector.sample_rate))
    assert events == detector.detect(path), path
    np.testing.assert_array_equal(probabilities, detector.probabilities(path).values, err_msg=str(path))
    return len(events)


def test_a_detector_that_says_too_little_of_its_memory_is_heard_in_turn(
    tmp_path: Path, detector_path: Path, bursts: np.ndarray
) -> None:
    model = onnx.load(detector_path)
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            said = json.loads(entry.value)
            entry.value = json.dumps({**said, "settle": 5})
    onnx.save(model, tmp_path / "short.onnx")
    assert said["settle"] > 30
    assert hubbub.load(detector_path, threads=2)._model.forgets
    short = hubbub.load(tmp_path / "short.onnx", threads=2)
    assert not short._model.forgets
    samples = np.tile(bursts, 9)
    np.testing.assert_array_equal(short.probabilities(samples).values, pushed(short.stream(), iter([samples]))[1])


def test_what_is_wrong_late_in_a_recording_is_told(detector_path: Path, bursts: np.ndarray) -> None:
    detector = hubbub.load(detector_path, threads=2)
    model, run, n_runs = detector._model, detector._model.run, 0

    def breaks(audio: np.ndarray, states: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        nonlocal n_runs
        n_runs += 1
        if n_runs == 40:
            raise DetectorError("broken")
        return run(audio, states)

    model.run = breaks  # type: ignore[method-assign]
    with pytest.raises(DetectorError, match=r"^broken$"):
        detector.detect(np.tile(bursts, 60))
    assert 40 <= n_runs < 120  # of 236: the rest is left


def cuts_agree(detector: Detector, recordings: Sequence[tuple[str, np.ndarray]], n_cuts: int) -> tuple[float, int, int]:
    """Recordings by turns, cut at random, against the whole: probabilities to 1e-5, and the events of each label, where
    none of its probabilities lies within 1e-5 of a threshold of it. The largest difference, how many events were the
    same, and how many rows of labels had a probability too near."""
    largest, n_events, n_near = 0.0, 0, 0
    wholes = [
        (name, samples, detector.detect(samples), detector.probabilities(samples).values)
        for name, samples in recordings
    ]
    for seed in range(n_cuts):
        name, samples, expected, whole = wholes[seed % len(wholes)]
        events, probabilities = pushed(detector.stream(), cut(samples, np.random.default_rng(seed)))
        np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5, err_msg=f"{name}, seed {seed}")
        largest = max(largest, float(np.abs(probabilities - whole).max(initial=0)))
        for index, (label, rule) in enumerate(zip(detector.labels, detector.rules, strict=True)):
            thresholds = np.array([rule.threshold, rule.low_threshold])
            if (np.abs(whole[:, index, np.newaxis] - thresholds) <= 1e-5).any():
                n_near += 1
                continue
            wanted = [event for event in expected if event.label == label]
            same([event for event in events if event.label == label], wanted)
            n_events += len(wanted)
    return largest, n_events, n_near


@pytest.mark.parametrize("kind", ["ahead", "causal", "int8"])
def test_random_cuts_change_no_event(detectors: dict[str, Path], bursts: np.ndarray, kind: str) -> None:
    detector = hubbub.load(detectors[kind])
    ordered = np.sort(detector.probabilities(bursts).values, axis=0)[200:-200].astype(np.float64)
    widest = np.argmax(np.diff(ordered, axis=0), axis=0)  # thresholds where no probability is
    thresholds = [float(values[at : at + 2].mean()) for values, at in zip(ordered.T, widest, strict=True)]
    detector = detector.with_thresholds(dict(zip(detector.labels, thresholds, strict=True)))
    backwards = np.ascontiguousarray(bursts[::-1])
    _, n_events, _ = cuts_agree(detector, [("bursts", bursts), ("backwards", backwards)], 12)
    assert n_events > 5


@pytest.mark.parametrize(("block", "median", "said"), [(1, 3, "0.02"), (512, 9, "10.24")])
def test_a_stream_says_how_late_it_is_and_why(
    tmp_path: Path, detector_path: Path, block: int, median: int, said: str
) -> None:
    model = onnx.load(detector_path)
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = json.dumps({**json.loads(entry.value), "block": block})
    onnx.save(model, tmp_path / "late.onnx")
    detector = hubbub.load(tmp_path / "late.onnx")
    detector._rules[1] = LabelRule(median=median)
    latency = detector.stream().latency
    parts = latency.look_ahead, latency.median, latency.block
    assert parts == pytest.approx((detector.look_ahead * 0.02, (median - 1) / 2 * 0.02, block * 0.02))
    assert latency.seconds == pytest.approx(sum(parts))
    assert str(latency).startswith(f"{latency.seconds:.2f} s late (look-ahead ")
    assert str(latency).endswith(f"block {said} s)")


def test_no_frame_is_decided_later_than_a_stream_says(detector: Detector, bursts: np.ndarray) -> None:
    """An event is open as soon as its frames are decided and it is long enough."""
    stream = detector.stream()
    shortest = 2 * HOP / RATE
    reached: dict[tuple[str, float], float] = {}
    ended = []
    for start in range(0, len(bursts) - HOP, HOP):
        ended += stream.push(bursts[start : start + HOP])
        for event in stream.open_events():
            key = event.label, event.onset
            if key not in reached:
                assert event.onset + shortest + stream.latency.seconds == pytest.approx(stream.seconds + HOP / RATE)
            assert event.offset >= reached.get(key, event.onset + shortest - 1e-9)
            assert 0 < event.score <= 1
            reached[key] = event.offset
        assert not {(event.label, event.onset) for event in ended} & {
            (event.label, event.onset) for event in stream.open_events()
        }
    ended += stream.close()
    assert stream.open_events() == []
    assert {(event.label, event.onset) for event in ended} >= set(reached)
    assert len(reached) > 30
    assert all(
        event.offset >= reached[event.label, event.onset] for event in ended if (event.label, event.onset) in reached
    )


@pytest.mark.parametrize("lost", [3 * RATE, 3 * RATE + 17, 100 * RATE - 1])
@pytest.mark.parametrize("heard", [0, 5 * RATE, 5 * RATE + 123])
def test_what_was_lost_is_an_edge_of_silence_on_both_sides(
    detector: Detector, bursts: np.ndarray, heard: int, lost: int
) -> None:
    first, second = bursts[:heard], bursts[7 * RATE : 15 * RATE]
    frames = ProbabilityStream(detector._model)
    pieces = [frames.push(first[:1000]), frames.push(first[1000:])]
    pieces += [frames.skip(lost), frames.push(second[:99]), frames.push(second[99:]), frames.close()]
    found = np.concatenate(pieces)
    assert frames.n_samples == heard + lost + len(second)
    assert len(found) == -(-frames.n_samples // HOP)
    before = detector.probabilities(first).values
    np.testing.assert_allclose(found[: len(before)], before, rtol=0, atol=1e-5)
    again = (heard + lost) // HOP
    after = detector.probabilities(np.concatenate([np.zeros((heard + lost) % HOP, np.float32), second])).values
    np.testing.assert_allclose(found[again:], after, rtol=0, atol=1e-5)
    assert (found[len(before) + 2 * detector.look_ahead + 2 : again] == 0).all()


@pytest.mark.parametrize("lost", [1, 40, HOP, 5 * HOP + 1])
def test_a_short_loss_is_heard_as_silence(detector: Detector, bursts: np.ndarray, lost: int) -> None:
    stream = detector.stream()
    events = stream.push(bursts[: 5 * RATE]) + stream.skip(lost) + stream.push(bursts[5 * RATE :]) + stream.close()
    same(sorted(events), detector.detect(np.insert(bursts, [5 * RATE] * lost, 0)))


def test_a_long_loss_is_not_computed(detector: Detector, bursts: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.stream.LOST_SECONDS", 900)
    stream = detector.stream()
    events = stream.push(bursts[: 5 * RATE])
    n_computed = []
    run = detector._model.run
    monkeypatch.setattr(
        detector._model, "run", lambda audio, states: n_computed.append(len(audio)) or run(audio, states)
    )
    lost = 3600 * RATE
    events += stream.skip(lost)
    assert 0 < sum(n_computed) < 60 * RATE
    assert stream.open_events() == []
    assert stream.seconds == 5 + 3600
    n_before = len(events)
    events += stream.push(bursts[5 * RATE : 10 * RATE]) + stream.close()
    assert n_before > 5
    later = [(e.label, round(e.onset - stream.seconds + 5, 6)) for e in sorted(events[n_before:])]
    assert later == [(e.label, round(e.onset, 6)) for e in detector.detect(bursts[5 * RATE : 10 * RATE])]


def test_a_closed_stream_cannot_lose_anything(detector: Detector) -> None:
    stream = detector.stream()
    stream.close()
    for n_samples in (5, 60 * RATE):
        with pytest.raises(AudioError, match=r"^the stream is closed"):
            stream.skip(n_samples)
