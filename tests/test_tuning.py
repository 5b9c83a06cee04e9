"""Decisions on validation recordings: budgets, precision, calibration, what a detector keeps of them."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest

from hubbub import load
from hubbub.calibration import Calibration
from hubbub.decode import LabelRule, decode
from hubbub.detector import ClipDetector, Detector
from hubbub.errors import ConfigError, DetectorError
from hubbub.events import Event, covered_share, to_targets
from hubbub.grid import Grid
from hubbub.model import METADATA_KEY
from hubbub.stream import ProbabilityStream
from hubbub.training.metadata import rewrite
from hubbub.tuning import (
    Aim,
    Decision,
    Validation,
    calibrate,
    decide,
    reliability,
    threshold_curves,
    tune,
)
from hubbub.tuning.aim import Tally
from hubbub.tuning.budget import Line
from tests.conftest import LABELS, Run

GRID = Grid(50, 1)
SECONDS = 24.0
"""Of each validation recording; 150 of them are an hour."""


def validation(rng: np.random.Generator, n_recordings: int = 12, noise: float = 0.15) -> Validation:
    """Dogs are heard well, cats badly, owls never sound; spurious peaks of every height."""
    labels = ["cat", "dog", "owl"]
    probabilities, reference = {}, {}
    for number in range(n_recordings):
        onsets = np.sort(rng.choice(np.arange(1, 22, 3), 4, replace=False))
        events = [Event(float(t), float(t) + 1.5, labels[k % 2]) for k, t in enumerate(onsets)]
        targets = to_targets(events, labels, GRID, 1200)
        heard = np.where(targets, [0.55, 0.8, 0.0], 0.1) + rng.normal(0, noise, (1200, 3)) * [1, 0.5, 0.5]
        for label in range(3):
            start = int(rng.integers(0, 1160))
            heard[start : start + 40, label] += rng.uniform(0, 0.6)
        probabilities[f"{number}.wav"] = np.clip(heard, 0, 1).astype(np.float32)
        reference[f"{number}.wav"] = events
    return Validation(labels, GRID, probabilities, reference, dict.fromkeys(probabilities, SECONDS))


def tally(known: Validation, index: int, rule: LabelRule) -> tuple[int, int, int, int]:
    """(found, false alarms, right, estimated) of a label, counted slowly, event by event."""
    found = false = n_right = n_estimated = 0
    label = known.labels[index]

    def share(event: Event, others: list[Event]) -> float:
        return sum(max(0.0, min(event.offset, o.offset) - max(event.onset, o.onset)) for o in others) / event.duration

    for name, values in known.probabilities.items():
        estimated = decode(values[:, index : index + 1], [label], [rule], known.grid, known.durations[name])
        reference = [event for event in known.reference[name] if event.label == label]
        right = [event for event in estimated if share(event, reference) >= 0.5]
        found += sum(share(event, right) >= 0.5 for event in reference)
        false += sum(not any(e.onset <= o.offset and o.onset <= e.offset for o in reference) for e in estimated)
        n_right += len(right)
        n_estimated += len(estimated)
    return found, false, n_right, n_estimated


def test_what_is_false_right_and_found_by_hand() -> None:
    values = np.zeros((2, 500, 1), np.float32)
    values[0, 50:110] = 0.9  # from 1.0 to 2.2 s: touches the first dog, and is not right
    values[0, 250:300] = 0.9  # nothing is there
    values[0, 475:] = 0.9  # nor here, at the end of one recording
    values[1, :25] = 0.9  # a dog at the beginning of the next one
    reference = {"a.wav": [Event(2.0, 3.0, "dog")], "b.wav": [Event(0.0, 0.5, "dog"), Event(7.0, 8.0, "dog")]}
    known = Validation(
        ["dog"], GRID, dict(zip(reference, values, strict=True)), reference, dict.fromkeys(reference, 10)
    )
    rule = LabelRule(shortest_gap=1.0)
    assert Line.of(known, 0).filtered(1).tally(rule) == Tally(n_found=1, n_false=2, n_right=1, n_estimated=4)


@pytest.mark.parametrize("median", [1, 5, 11])
def test_all_recordings_on_one_line_are_counted_as_each_by_itself(rng: np.random.Generator, median: int) -> None:
    known = validation(rng)
    for index, threshold in product(range(2), (0.2, 0.4, 0.7)):
        rule = LabelRule(threshold, threshold / 2, median, shortest_event=0.1, shortest_gap=0.3)
        counted = Line.of(known, index).filtered(median).tally(rule)
        slowly = tally(known, index, rule)
        assert (counted.n_found, counted.n_false, counted.n_right, counted.n_estimated) == slowly


@pytest.mark.parametrize("budget", [0.0, 20.0, 200.0])
def test_a_budget_of_false_alarms_is_kept_and_used(rng: np.random.Generator, budget: float) -> None:
    known = validation(rng)
    rules = tune(known, Aim(false_alarms_per_hour=budget)).rules
    for index in range(3):
        found, false, _, _ = tally(known, index, rules[index])
        assert false <= budget * known.hours
        plain = [tally(known, index, LabelRule(t, t)) for t in np.arange(0.05, 1, 0.05)]
        assert found >= max([row[0] for row in plain if row[1] <= budget * known.hours], default=0), (
            "no plain threshold is better"
        )
    assert tally(known, 1, rules[1])[0] > 15, "dogs are heard well"


def test_a_larger_budget_finds_more(rng: np.random.Generator) -> None:
    known = validation(rng, noise=0.3)
    found = [tally(known, 0, tune(known, Aim(budget)).rules[0])[0] for budget in (0.0, 100.0, 1000.0)]
    assert found[0] < found[1] <= found[2]


@pytest.mark.parametrize("precision", [0.6, 0.95])
def test_a_precision_is_kept(rng: np.random.Generator, precision: float) -> None:
    known = validation(rng)
    tuned = tune(known, Aim(precision=precision))
    for index in range(2):
        found, _, n_right, n_estimated = tally(known, index, tuned.rules[index])
        assert found
        assert n_right >= precision * n_estimated
    assert tuned.rules[2] == LabelRule(), "owls never sound: there is nothing to be precise about"


def test_leaving_a_label_on_is_no_way_to_keep_to_a_budget() -> None:
    """One event from beginning to end touches every reference event, so it is no false alarm; it finds none either."""
    events = [Event(10.0, 12.0, "dog"), Event(20.0, 22.0, "dog")]
    values = np.full((1200, 1), 0.3, np.float32)
    known = Validation(["dog"], GRID, {"a.wav": values}, {"a.wav": events}, {"a.wav": SECONDS})
    tuned = tune(known, Aim(false_alarms_per_hour=0))
    assert decode(values, ["dog"], tuned.rules, GRID, SECONDS) == []
    assert tuned.notes[1].startswith("dog: no threshold finds any of its events with at most 0 false alarms per hour")
    assert tuned.notes[0].startswith("0.0067 hours of validation cannot tell 0 false alarms per hour from none")


def test_covered_shares(rng: np.random.Generator) -> None:
    edges = np.sort(rng.choice(np.arange(1, 400), 40, replace=False) / 4.0)
    covers, spans = edges.reshape(-1, 2), np.sort(rng.uniform(0, 105, (200, 2)), axis=1)
    slow = [
        sum(max(0.0, min(off, b) - max(on, a)) for a, b in covers.tolist()) / (off - on) for on, off in spans.tolist()
    ]
    np.testing.assert_allclose(covered_share(spans, covers), slow, atol=1e-9)
    assert covered_share(spans, np.zeros((0, 2))).tolist() == [0.0] * 200


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"false_alarms_per_hour": 1.0, "precision": 0.5}, "exclude each other; give one"),
        ({"false_alarms_per_hour": -1.0}, "-1 false alarms per hour; wanted 0 or more"),
        ({"precision": 0.0}, "a precision of 0; wanted a share above 0"),
        ({"precision": 1.5}, "a precision of 1.5; wanted"),
    ],
)
def test_aims_that_are_none(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Aim(**wrong)


# Calibration


def distorted(rng: np.random.Generator, temperature: float, n: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """(what a network gives, targets), (n, 1): it should be divided by `temperature` before the sigmoid."""
    logits = rng.normal(-1, 2, (n, 1))
    targets = rng.uniform(size=(n, 1)) < 1 / (1 + np.exp(-logits))
    return (1 / (1 + np.exp(-logits * temperature))).astype(np.float32), targets


def known_by(values: np.ndarray, targets: np.ndarray) -> Validation:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], targets[:, 0].astype(int), [0]]))) / 50
    events = [Event(float(a), float(b), "dog") for a, b in edges.reshape(-1, 2)]
    known = Validation(["dog"], GRID, {"a": values}, {"a": events}, {"a": len(values) / 50})
    assert (known.targets == targets).all()
    return known


@pytest.mark.parametrize("temperature", [0.4, 2.5])
def test_a_temperature_is_found_again(rng: np.random.Generator, temperature: float) -> None:
    values, targets = distorted(rng, temperature)
    found = calibrate(known_by(values, targets), "temperature")["dog"]
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert found.knots == ()


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_calibrated_probabilities_mean_what_they_say(rng: np.random.Generator, kind: str) -> None:
    values, targets = distorted(rng, 3.0)
    calibration = calibrate(known_by(values, targets), kind)["dog"]  # type: ignore[arg-type]
    fresh, wanted = distorted(rng, 3.0)
    before, after = reliability(fresh, wanted).error, reliability(calibration.apply(fresh), wanted).error
    assert before > 0.08
    assert after < 0.012
    order = np.argsort(fresh[:, 0], kind="stable")
    assert (np.diff(calibration.apply(fresh)[order, 0]) >= 0).all(), "no ranking changes"


def test_isotonic_follows_what_no_temperature_can(rng: np.random.Generator) -> None:
    values = rng.uniform(size=(40_000, 1)).astype(np.float32)
    targets = rng.uniform(size=values.shape) < np.where(values < 0.6, 0.02, 0.7)
    known = known_by(values, targets)
    errors = {
        kind: reliability(calibrate(known, kind)["dog"].apply(values), targets).error  # type: ignore[arg-type]
        for kind in ("temperature", "isotonic")
    }
    assert errors["isotonic"] < 0.02 < errors["temperature"]
    assert len(calibrate(known, "isotonic")["dog"].knots) <= 52


def test_a_calibration_leaves_a_label_alone_that_never_sounds(rng: np.random.Generator) -> None:
    assert sorted(calibrate(validation(rng), "isotonic")) == ["cat", "dog"]
    assert calibrate(validation(rng), "none") == {}
    with pytest.raises(ConfigError, match="calibration 'platt' is none of none, temperature, isotonic"):
        calibrate(validation(rng), "platt")  # type: ignore[arg-type]


def test_ends_and_definition_of_a_temperature() -> None:
    values = np.array([0.0, 0.2, 0.5, 0.9, 1.0], np.float32)
    heard = Calibration(temperature=2.0).apply(values)
    logits = np.log(values[1:4] / (1 - values[1:4]))
    np.testing.assert_allclose(heard[1:4], 1 / (1 + np.exp(-logits / 2)), rtol=1e-6)
    assert (heard[0], heard[-1]) == (0, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"knots": ((0.0, 0.0),)},
        {"knots": ((0.0, 0.5), (1.0, 0.4))},
        {"knots": ((0.0, 0.0), (0.5, 0.5), (0.5, 0.6), (1.0, 1.0))},
        {"knots": ((0.1, 0.0), (1.0, 1.0))},
        {"knots": ((0.0, 0.0), (0.5, 0.8), (0.7, 0.3), (1.0, 1.0))},
        {"knots": ((0.0, 0.0), (1.0, 1.1))},
    ],
)
def test_calibrations_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^calibration: "):
        Calibration(**wrong)  # type: ignore[arg-type]


def test_reliability_by_hand() -> None:
    given = np.array([[0.1, 0.15], [0.9, 0.95], [1.0, 0.12]])
    found = reliability(given, np.array([[False, True], [True, True], [True, False]]), n_bins=10)
    assert found.n_cells.tolist() == [3, 3]
    np.testing.assert_allclose(found.given, [0.37 / 3, 2.85 / 3])
    np.testing.assert_allclose(found.true, [1 / 3, 1.0])
    assert found.error == pytest.approx(0.5 * (1 / 3 - 0.37 / 3) + 0.5 * (1 - 0.95))


def test_thresholds_follow_the_calibration(rng: np.random.Generator) -> None:
    """A decision is made on what the detector will say, so its events stay as they were."""
    known = validation(rng)
    plain, calibrated = (decide(known, Decision(Aim(30.0), kind)) for kind in ("none", "isotonic"))
    heard = known.calibrated(calibrated.calibration)
    for index, label in enumerate(known.labels):
        assert tally(heard, index, calibrated.rules[label])[1] <= 30 * known.hours
    assert plain.errors[0] == plain.errors[1] == calibrated.errors[0] > 2 * calibrated.errors[1]
    assert tally(heard, 1, calibrated.rules["dog"])[0] >= tally(known, 1, plain.rules["dog"])[0] - 2


def test_curves_are_what_each_threshold_gives(rng: np.random.Generator) -> None:
    known = validation(rng)
    curves = threshold_curves(known.stacked, known.targets, known.labels)
    for place in (0, 20, 60, len(curves.thresholds) - 1):
        active = known.stacked >= curves.thresholds[place]
        hits = (active & known.targets).sum(0)
        np.testing.assert_allclose(curves.recall[:2, place], hits[:2] / known.targets.sum(0)[:2])
        np.testing.assert_allclose(curves.precision[:, place], hits / np.maximum(active.sum(0), 1))
        np.testing.assert_allclose(curves.f1[:, place], 2 * hits / (active.sum(0) + known.targets.sum(0)).clip(1))


def test_a_probability_at_the_threshold_counts() -> None:
    """As in the decision rule: an event begins where the threshold is reached."""
    curves = threshold_curves(np.array([[0.5], [0.4]]), np.array([[True], [False]]), ["dog"], np.array([0.4, 0.5, 0.6]))
    assert (curves.recall.tolist(), curves.precision.tolist()) == ([[1, 1, 0]], [[0.5, 1, 0]])


# What a detector keeps


HALVED = Calibration(knots=((0.0, 0.0), (1.0, 0.5)))


@pytest.fixture
def calibrated_path(detector_path: Path, tmp_path: Path) -> Path:
    target = tmp_path / "calibrated.onnx"
    rewrite(detector_path, target, lambda metadata: metadata.decided(metadata.decode, {LABELS[1]: HALVED}))
    return target


def test_a_stored_calibration_is_what_is_heard(detector: Detector, calibrated_path: Path, bursts: np.ndarray) -> None:
    plain, changed = detector.probabilities(bursts), load(calibrated_path).probabilities(bursts)
    np.testing.assert_array_equal(changed.values[:, 1], HALVED.apply(plain.values[:, 1]))
    np.testing.assert_array_equal(changed.values[:, [0, 2]], plain.values[:, [0, 2]])
    assert load(calibrated_path).uncalibrated().probabilities(bursts).values.tolist() == plain.values.tolist()
    assert {event.label for event in load(calibrated_path).detect(bursts)} == {LABELS[0], LABELS[2]}, "below 0.5"


def test_a_calibrated_detector_streams_as_it_detects(calibrated_path: Path, bursts: np.ndarray) -> None:
    detector = load(calibrated_path)
    stream = ProbabilityStream(detector._model)
    pieces = [stream.push(bursts[start : start + 1237]) for start in range(0, len(bursts), 1237)]
    streamed = np.concatenate([*pieces, stream.close()])
    np.testing.assert_allclose(streamed, detector.probabilities(bursts).values, atol=1e-5)


def schema_of(path: Path) -> int:
    (entry,) = (entry for entry in onnx.load(path).metadata_props if entry.key == METADATA_KEY)
    return int(json.loads(entry.value)["schema"])


def test_a_reader_that_knows_no_calibration_refuses_it(detector_path: Path, calibrated_path: Path) -> None:
    """It would otherwise decide on other probabilities; a file without any stays readable to it."""
    assert (schema_of(detector_path), schema_of(calibrated_path)) == (1, 2)
    back = calibrated_path.with_name("back.onnx")
    rewrite(calibrated_path, back, lambda metadata: metadata.decided(metadata.decode, {}))
    assert schema_of(back) == 1
    assert load(back).metadata.calibration == {}


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"calibration": {"bell": {"temperature": 2}}}, "schema 1 has no calibration; wanted schema 2"),
        (
            {"schema": 2, "calibration": {"cow": {"temperature": 2}}},
            "a calibration for 'cow'; wanted one of the labels",
        ),
        ({"schema": 2, "calibration": {"bell": {"temperature": 0}}}, "a temperature of 0.0; wanted a positive number"),
    ],
)
def test_calibrations_of_a_file_that_are_wrong(
    detector_path: Path, tmp_path: Path, edit: dict[str, object], told: str
) -> None:
    model = onnx.load(detector_path)
    (entry,) = model.metadata_props
    entry.value = json.dumps(json.loads(entry.value) | edit)
    onnx.save(model, tmp_path / "wrong.onnx")
    with pytest.raises(DetectorError, match=told):
        load(tmp_path / "wrong.onnx")


def annotated(folder: Path, bursts: np.ndarray, events: str) -> Path:
    import soundfile

    folder.mkdir()
    for name in ("a", "b"):
        soundfile.write(folder / f"{name}.wav", bursts, 22050)
    table = folder / "events.tsv"
    table.write_text("filename\tonset\toffset\tevent_label\n" + events)
    return table


def test_tune_writes_another_detector(
    tmp_path: Path,
    detector: Detector,
    bursts: np.ndarray,
    run: Run,
) -> None:
    found = detector.detect(bursts)
    bells = [event for event in found if event.label == LABELS[0] and event.duration > 0.1][:3]
    rows = "".join(f"{n}.wav\t{e.onset}\t{e.offset}\t{e.label}\n" for n in "ab" for e in bells)
    table = annotated(tmp_path / "data", bursts, rows)
    target = tmp_path / "tuned.onnx"
    source = tmp_path / "scored.onnx"
    rewrite(detector.path, source, lambda metadata: metadata.model_copy(update={"scores": {"test": {"frame": 0.5}}}))
    done = run("tune", source, table, "-o", target, "--false-alarms-per-hour", 0, "--calibrate", "isotonic")
    assert done.code == 0, done.err
    assert LABELS[1] in done.out, "the table of rules"
    tuned = load(target)
    heard = tuned.detect(bursts)
    assert all(any(e.onset < b.offset and b.onset < e.offset for b in bells) for e in heard), "no false alarm is left"
    assert tuned.metadata.training["decision"]["aim"] == "at most 0 false alarms per hour and label"
    assert tuned.metadata.training["decision"]["recordings"] == 2
    assert list(tuned.metadata.calibration) == [LABELS[0]], "the others never sound"
    assert tuned.metadata.scores == {}, "what it reached with other thresholds is no longer true"
    again = run("tune", target, table, "-o", target)  # over itself, from what its network gives
    assert again.code == 0, again.err
    assert load(target).metadata.calibration == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--calibrate", "platt"), "--calibrate platt: wanted one of none, temperature, isotonic"),
        (("--precision", "0.5", "--false-alarms-per-hour", "1"), "exclude each other; give one of them"),
        (("-o", "tuned.txt"), "tuned.txt: a detector's name ends in .onnx; give another name"),
    ],
)
def test_tune_is_called_wrongly(
    tmp_path: Path,
    detector: Detector,
    run: Run,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    done = run("tune", detector.path, tmp_path / "none.tsv", "-o", tmp_path / "t.onnx", *arguments)
    assert done.code == 2
    assert told in done.err
    assert len(done.told) == 1


def test_a_clip_detector_has_nothing_to_decide(detector: Detector) -> None:
    clip = object.__new__(ClipDetector)
    clip.__dict__.update(detector.__dict__)
    with pytest.raises(ConfigError, match="there is nothing to decide"):
        clip.uncalibrated()
