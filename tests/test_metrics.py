"""The metrics by identity, against slow counting, and what they do with absent labels, silence and bad tables."""

import itertools
import json
import math
import time

import numpy as np
import pytest

from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import Event
from hubbub.grid import Grid
from hubbub.metrics import Counts, Recording, Settings, evaluate, evaluate_with_trivial, event, frame, segment, trivial

LABELS = ("bird", "dog", "rain")


def random_table(rng, n_recordings=4, n_events=12, duration=10.0, labels=LABELS):
    table = {}
    for index in range(n_recordings):
        events = []
        for label in [*labels, *rng.choice(labels, n_events)]:  # every label at least once
            onset = int(rng.integers(0, 1000 * duration - 1))
            offset = int(rng.integers(onset + 1, min(onset + 3000, 1000 * duration) + 1))
            events.append(Event(onset / 1000, offset / 1000, str(label)))
        table[f"{index}.wav"] = events
    return table


def lengths(table, duration=10.0):
    return dict.fromkeys(table, duration)


# ---- by identity


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_system_scores_one_everywhere(seed):
    reference = random_table(np.random.default_rng(seed))
    scores = evaluate(reference, reference, lengths(reference))
    for result in (scores.frame, scores.segment, scores.event):
        assert (result.micro_f1, result.macro_f1, result.precision, result.recall) == (1, 1, 1, 1)
        assert (result.error_rate, result.substitutions, result.deletions, result.insertions) == (0, 0, 0, 0)
        assert all(score["f1"] == 1 for score in result.by_label.values())
    assert scores.accuracy == 1
    assert scores.labels == LABELS
    assert scores.absent_labels == ()
    assert (scores.n_recordings, scores.duration_s) == (4, 40.0)


@pytest.mark.parametrize("seed", range(5))
def test_scores_stay_in_their_bounds_and_add_up(seed):
    rng = np.random.default_rng(seed)
    reference, estimated = random_table(rng), random_table(rng)
    scores = evaluate(reference, estimated, lengths(reference))
    assert 0 < scores.accuracy < 1
    for result in (scores.frame, scores.segment, scores.event):
        for score in (result, *result.by_label.values()):
            values = score if isinstance(score, dict) else vars(score) | {"f1": result.micro_f1}
            assert all(0 <= values[name] <= 1 for name in ("f1", "precision", "recall"))
        assert min(result.substitutions, result.deletions, result.insertions) >= 0
        assert result.error_rate == pytest.approx(result.substitutions + result.deletions + result.insertions)
        assert result.macro_f1 == pytest.approx(np.mean([score["f1"] for score in result.by_label.values()]))
        n_reference, n_estimated = (
            sum(score[name] for score in result.by_label.values()) for name in ("n_reference", "n_estimated")
        )
        assert n_reference * result.recall == pytest.approx(n_estimated * result.precision)  # both are the hits


def test_order_does_not_matter():
    rng = np.random.default_rng(7)
    reference, estimated = random_table(rng), random_table(rng)

    def shuffled(table):
        return {name: [table[name][i] for i in rng.permutation(len(table[name]))] for name in reversed(table)}

    scores = evaluate(reference, estimated, lengths(reference))
    assert 0 < scores.event.micro_f1 < 1
    assert evaluate(shuffled(reference), shuffled(estimated), lengths(reference)) == scores


@pytest.mark.parametrize("seed", range(3))
def test_a_false_event_lowers_precision(seed):
    rng = np.random.default_rng(seed)
    reference, estimated = random_table(rng), random_table(rng)
    labels = [*LABELS, "thunder"]
    estimated["0.wav"] = [*reference["0.wav"], Event(0.0, 4.0, "thunder")]
    worse = estimated | {"0.wav": [*estimated["0.wav"], Event(6.0, 7.0, "thunder")]}
    before = evaluate(reference, estimated, lengths(reference), labels)
    after = evaluate(reference, worse, lengths(reference), labels)
    for metric in ("frame", "segment", "event"):
        assert 0 < getattr(after, metric).precision < getattr(before, metric).precision
        assert getattr(after, metric).recall == getattr(before, metric).recall


def test_counts_add_up_over_recordings():
    rng = np.random.default_rng(3)
    one = frame.counts_from_targets(rng.random((50, 3)) < 0.5, rng.random((50, 3)) < 0.5)
    other = frame.counts_from_targets(rng.random((70, 3)) < 0.5, rng.random((70, 3)) < 0.5)
    both = one + other
    assert both.n_slots == 120
    assert sum(both.n_reference) == sum(one.n_reference) + sum(other.n_reference) > 0
    assert both.substitutions == one.substitutions + other.substitutions > 0
    assert Counts.zero(one.labels) + one == one
    with pytest.raises(ValueError, match="cannot be added"):
        one + Counts.zero(["dog"])
    with pytest.raises(ValueError, match="one for each of the labels"):
        Counts(("dog",), (1, 2), (0,), (0,), 0, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_frames_and_segments_against_slow_counting(seed):
    """An event is active in a frame where they share time: in whole milliseconds, one cell at a time."""
    rng = np.random.default_rng(seed)
    reference, estimated = random_table(rng, 1, 6, 20.0)["0.wav"], random_table(rng, 1, 6, 20.0)["0.wav"]
    recording = Recording.of(reference, estimated, 20.0)
    for counts, period_ms in ((frame.counts(recording, LABELS), 10), (segment.counts(recording, LABELS), 1000)):
        hits, false, missed, parts = dict.fromkeys(LABELS, 0), dict.fromkeys(LABELS, 0), dict.fromkeys(LABELS, 0), []
        for start in range(0, 20000, period_ms):
            active = [
                {
                    e.label
                    for e in events
                    if round(1000 * e.onset) < start + period_ms and round(1000 * e.offset) > start
                }
                for events in (reference, estimated)
            ]
            for label in LABELS:
                hits[label] += label in active[0] and label in active[1]
                false[label] += label not in active[0] and label in active[1]
                missed[label] += label in active[0] and label not in active[1]
            n_missed, n_false = len(active[0] - active[1]), len(active[1] - active[0])
            parts.append((min(n_missed, n_false), max(0, n_missed - n_false), max(0, n_false - n_missed)))
        assert counts.true_positives == tuple(hits.values())
        assert counts.false_positives == tuple(false.values())
        assert counts.false_negatives == tuple(missed.values())
        assert [counts.substitutions, counts.deletions, counts.insertions] == np.sum(parts, axis=0).tolist()
        assert min(sum(hits.values()), counts.substitutions, counts.deletions, counts.insertions) > 0


# ---- policies


def test_absent_labels_score_zero_and_stay_in_the_mean():
    reference = {"a.wav": [Event(0, 1, "dog"), Event(2, 3, "bird")]}
    estimated = {"a.wav": [Event(0, 1, "dog"), Event(4, 5, "rain")]}
    scores = evaluate(reference, estimated, {"a.wav": 6.0}, ["dog", "bird", "rain", "bus"])
    assert scores.absent_labels == ("bird", "rain", "bus")
    for result in (scores.frame, scores.segment, scores.event):
        assert result.macro_f1 == 1 / 4
        assert result.by_label["dog"]["f1"] == 1
        assert result.by_label["bird"] == {"f1": 0, "precision": 0, "recall": 0} | {
            "n_reference": result.by_label["dog"]["n_reference"],
            "n_estimated": 0,
        }
        assert result.by_label["bus"] == {"f1": 0, "precision": 0, "recall": 0, "n_reference": 0, "n_estimated": 0}


def test_without_any_event_nothing_is_nan():
    scores = evaluate({}, {}, {"a.wav": 2.0}, ["dog"])
    assert (scores.frame.micro_f1, scores.event.macro_f1, scores.segment.error_rate) == (0, 0, 0)
    assert scores.accuracy == 1
    assert evaluate({}, {}, {"a.wav": 0.0}).accuracy == 0
    made_up = evaluate({}, {"a.wav": [Event(0, 1, "dog")]}, {"a.wav": 2.0})
    assert (made_up.event.error_rate, made_up.segment.error_rate, made_up.frame.error_rate) == (1, 1, 100)


def test_silent_recordings_count():
    reference = {"a.wav": [Event(0, 1, "dog")], "empty.wav": []}
    durations = {"a.wav": 2.0, "empty.wav": 2.0, "unnamed.wav": 2.0}
    assert evaluate(reference, reference, durations).n_recordings == 3
    false_alarm = {"a.wav": [Event(0, 1, "dog")], "unnamed.wav": [Event(0, 2, "dog")]}
    scores = evaluate(reference, false_alarm, durations)
    assert scores.event.precision == 1 / 2
    assert scores.segment.precision == scores.frame.precision == 1 / 3
    assert scores.accuracy == 400 / 600


def test_events_are_cut_at_the_end_and_joined():
    recording = Recording.of(
        [Event(0, 0, "dog"), Event(1.0, 2.0, "dog"), Event(9.0, 12.0, "bird"), Event(10.0, 11.0, "bird")],
        [Event(1.6, 2.0, "dog"), Event(1.0, 1.6, "dog"), Event(9.0, 10.0, "bird")],
        10.0,
    )
    assert recording.reference == (Event(0, 0, "dog"), Event(1.0, 2.0, "dog"), Event(9.0, 10.0, "bird"))
    assert recording.estimated == (Event(1.0, 2.0, "dog"), Event(9.0, 10.0, "bird"))
    assert event.counts(recording, ["bird", "dog"]).true_positives == (1, 1)
    assert frame.counts(recording, ["bird", "dog"]).n_reference == (100, 101)  # an instant takes its frame


def test_scores_are_plain_json_and_carry_their_settings():
    rng = np.random.default_rng(0)
    reference, estimated = random_table(rng), random_table(rng)
    settings = Settings(frame_grid=Grid(44100, 882), offset_collar_ratio=0.5)
    scores = evaluate(reference, estimated, lengths(reference), settings=settings)
    stored = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert stored == scores.to_dict()
    assert stored["settings"]["frame_hop_s"] == 0.02
    assert (stored["settings"]["segment_s"], stored["settings"]["onset_collar_s"]) == (1.0, 0.2)
    assert (stored["settings"]["offset_collar_s"], stored["settings"]["offset_collar_ratio"]) == (0.2, 0.5)
    assert stored["frame"]["by_label"]["dog"]["f1"] == scores.frame.by_label["dog"]["f1"] > 0
    wide = {"a.wav": [Event(0, 2, "dog")]}, {"a.wav": [Event(0, 3, "dog")]}, {"a.wav": 3.0}
    assert (evaluate(*wide).event.micro_f1, evaluate(*wide, settings=settings).event.micro_f1) == (0, 1)
    assert evaluate(*wide, settings=settings).frame.by_label["dog"]["n_reference"] == 100
    for name, score in evaluate_with_trivial(*wide, settings=settings).items():
        assert score.settings.items() >= settings.to_dict().items(), name
    assert evaluate_with_trivial(*wide, settings=settings)["system"].event.micro_f1 == 1


# ---- trivial systems


def test_always_silent_and_always_on():
    rng = np.random.default_rng(1)
    reference = random_table(rng)
    scores = evaluate_with_trivial(reference, random_table(rng), lengths(reference))
    assert list(scores) == ["system", "always_silent", "always_on"]
    for result in (scores["always_silent"].frame, scores["always_silent"].segment, scores["always_silent"].event):
        assert (result.micro_f1, result.error_rate, result.deletions) == (0, 1, 1)
    assert scores["always_on"].frame.recall == scores["always_on"].segment.recall == 1
    share = sum(score["n_reference"] for score in scores["always_on"].frame.by_label.values()) / (4 * 1000 * 3)
    assert scores["always_on"].accuracy == scores["always_on"].frame.precision == pytest.approx(share)
    assert scores["always_silent"].accuracy == pytest.approx(1 - share)
    assert all(score.settings["prior"].startswith("left out") for score in scores.values())


@pytest.mark.parametrize("seed", range(4))
def test_the_prior_is_the_best_constant_answer(seed):
    rng = np.random.default_rng(seed)
    labels = ["a", "b", "c", "d"]
    table = random_table(rng, 2, 3, labels=labels)
    table["0.wav"] += [Event(0.0, float(rng.uniform(3, 10)), str(rng.choice(labels)))]
    durations = lengths(table)
    subsets = [subset for k in range(5) for subset in itertools.combinations(labels, k)]
    f1 = {
        subset: evaluate(table, trivial.always_on(durations, subset), durations, labels).frame.micro_f1
        for subset in subsets
    }
    chosen = trivial.prior_labels(labels, table, durations)
    assert f1[tuple(sorted(chosen))] == max(f1.values()) > 0
    scores = evaluate_with_trivial(table, {}, {"0.wav": 3.0, "1.wav": 4.0}, labels, table, durations)
    assert list(scores)[-1] == "prior"
    assert scores["system"].settings["prior"] == list(chosen)
    assert {name for name in labels if scores["prior"].event.by_label[name]["n_estimated"] == 2} == set(chosen)


def test_the_prior_knows_only_the_labels_it_was_given():
    durations = {"a.wav": 10.0}
    train = {"train.wav": [Event(0, 9, "bus"), Event(0, 5, "rain"), Event(0, 0.1, "dog")]}
    assert trivial.prior_labels(["dog", "rain"], train, {"train.wav": 10.0}) == ("rain",)
    assert trivial.prior_labels(["bird"], train, {"train.wav": 10.0}) == ()
    assert trivial.prior(durations, ["dog", "rain"], train, {"train.wav": 10.0}) == {"a.wav": [Event(0, 10.0, "rain")]}
    with pytest.raises(ConfigError, match="give both or neither"):
        evaluate_with_trivial({}, {}, durations, ["dog"], prior_reference=train)
    with pytest.raises(AnnotationError, match=r"^train\.wav: .* duration is unknown"):
        evaluate_with_trivial({}, {}, durations, ["dog"], train, durations)


# ---- refusals


@pytest.mark.parametrize(
    ("reference", "estimated", "durations", "message"),
    [
        ({"a.wav": []}, {"b.wav": []}, {"a.wav": 1.0}, r"^b\.wav: estimated, but neither the reference nor the dur"),
        ({"a.wav": [], "c.wav": []}, {}, {"a.wav": 1.0}, r"^c\.wav: the reference names .* duration is unknown"),
        ({}, {"a.wav": [Event(0, 1, "bus")]}, {"a.wav": 1.0}, r"^a\.wav: estimated label 'bus' is none of .*dog"),
        ({"a.wav": [Event(0, 1, "bus")]}, {}, {"a.wav": 1.0}, r"^a\.wav: reference label 'bus' is none of .*dog"),
        ({}, {}, {}, r"^there is no recording to score"),
        ({}, {}, {"a.wav": -1.0}, r"^a\.wav: duration -1\.0 is no length of time"),
        ({}, {}, {"a.wav": math.nan}, r"^a\.wav: duration nan is no length of time"),
        ({}, {}, {"a.wav": math.inf}, r"^a\.wav: duration inf is no length of time"),
    ],
)
def test_bad_tables_are_refused_in_one_line(reference, estimated, durations, message):
    for function in (evaluate, evaluate_with_trivial):
        with pytest.raises(AnnotationError, match=message) as caught:
            function(reference, estimated, durations, LABELS)
        assert "\n" not in str(caught.value)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="'dog' is given twice"):
        evaluate({}, {}, {"a.wav": 1.0}, ["dog", "bird", "dog"])
    with pytest.raises(ValueError, match="onset_collar is -1"):
        Settings(onset_collar=-1)
    with pytest.raises(ValueError, match="wanted seconds, 0 or more"):
        Recording.of([], [], -1.0)
    with pytest.raises(ValueError, match="'bus' is none of dog"):
        event.counts(Recording.of([Event(0, 1, "bus")], [], 2.0), ["dog"])
    targets = np.zeros((4, 2), dtype=bool)
    with pytest.raises(ValueError, match="estimated targets are float64; wanted booleans"):
        frame.counts_from_targets(targets, targets.astype(float))
    with pytest.raises(ValueError, match="reference has 4 frames and estimated 3"):
        frame.counts_from_targets(targets, targets[:3])
    with pytest.raises(ValueError, match=r"shape \(4, 1\); wanted \(n_frames, 2\)"):
        frame.counts_from_targets(targets, targets[:, :1])


def test_an_hour_with_sixteen_labels_takes_well_under_two_seconds():
    rng = np.random.default_rng(0)
    labels = [f"label {index}" for index in range(16)]
    reference, estimated = (random_table(rng, 12, 300, 300.0, labels) for _ in range(2))
    start = time.perf_counter()
    evaluate(reference, estimated, lengths(reference, 300.0), labels)
    assert time.perf_counter() - start < 2.0
