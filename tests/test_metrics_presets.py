"""The conventions of others under their names, intersections and false alarms by hand, and bounds that always hold."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hubbub.errors import ConfigError
from hubbub.events import Event, from_targets
from hubbub.grid import Grid
from hubbub.metrics import PSDS1, PSDS2, PsdsSettings, Recording, ScoreTable, Settings, evaluate, intersection, psds
from tests.test_metrics import lengths, random_table
from tests.test_metrics_sed_eval import LABELS as SED_EVAL_LABELS
from tests.test_metrics_sed_eval import random_case, sed_eval

__all__ = ["sed_eval"]  # a fixture
THEIRS = json.loads((Path(__file__).parent / "data" / "psds_eval.json").read_text("utf-8"))
LABELS = ["bird", "dog", "rain"]
SEEDS = range(20)


# ---- intersections and false alarms by hand


@pytest.mark.parametrize(
    ("estimated", "hits", "false"),
    [
        ([(2.0, 4.0)], 1, 0),
        ([(2.0, 3.0)], 1, 0),  # covers exactly half of it
        ([(2.0, 2.999)], 0, 0),  # relevant, but of too little: neither right nor wrong
        ([(2.0, 2.5), (3.0, 3.5)], 1, 0),  # two pieces
        ([(2.0, 6.0)], 1, 0),  # exactly half of it is right
        ([(2.0, 6.001)], 0, 1),
        ([(6.0, 7.0)], 0, 1),
        ([(1.0, 9.9)], 0, 1),
        ([(3.0, 3.0)], 0, 0),  # an instant within
        ([(7.0, 7.0)], 0, 1),
        ([], 0, 0),
    ],
)
def test_intersections_by_hand(estimated, hits, false):
    recording = Recording.of([Event(2.0, 4.0, "dog")], [Event(*times, "dog") for times in estimated], 10.0)
    counts = intersection.counts(recording, ["bird", "dog"])
    assert (counts.true_positives, counts.false_positives) == ((0, hits), (0, false))
    assert (counts.false_negatives, counts.deletions, counts.insertions) == ((0, 1 - hits), 1 - hits, false)
    assert counts.substitutions == 0


def test_a_share_is_met_to_the_microsecond():
    # 0.7 × 0.1 s is 0.06999999999999999 in binary, and 0.17 - 0.1 is more than 0.07.
    recording = Recording.of([Event(0.1, 0.17, "dog")], [Event(0.1, 0.2, "dog")], 1.0)
    assert intersection.counts(recording, ["dog"], dtc=0.7, gtc=0.7).true_positives == (1,)
    assert intersection.counts(recording, ["dog"], dtc=0.70001, gtc=0.7).false_positives == (1,)
    # 70 % of 100 002 µs are 70 001.4 µs, and 70 001 are enough.
    recording = Recording.of([Event(0.1, 0.170001, "dog")], [Event(0.1, 0.200002, "dog")], 1.0)
    assert intersection.counts(recording, ["dog"], dtc=0.7, gtc=0.7).true_positives == (1,)
    instant = Recording.of([Event(0.5, 0.5, "dog")], [], 1.0)
    assert intersection.counts(instant, ["dog"]).n_reference == (0,)


def test_false_alarms_by_hand():
    # Touching is no false alarm, another label's event is no excuse, and an instant may be one.
    reference = {"a.wav": [Event(2, 4, "dog"), Event(6, 7, "bird")], "b.wav": []}
    estimated = {
        "a.wav": [Event(4, 5, "dog"), Event(1, 1.5, "dog"), Event(6, 7, "dog"), Event(6.5, 6.5, "bird")],
        "b.wav": [Event(3, 3, "bird")],
    }
    found = evaluate(reference, estimated, {"a.wav": 600.0, "b.wav": 1200.0}).false_alarms
    assert found.by_label == {"bird": 2.0, "dog": 4.0}  # in half an hour
    assert found.per_hour == 6.0
    assert found.beyond_collars_by_label == {"bird": 4.0, "dog": 6.0}
    assert found.beyond_collars_per_hour == 10.0
    assert evaluate({}, {}, {"a.wav": 0.0}, ["dog"]).false_alarms.per_hour == 0


# ---- what always holds


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_stay_in_their_bounds_and_a_false_event_never_helps(seed):
    rng = np.random.default_rng(seed)
    labels = ["bird", "dog", "rain"][: 1 + seed % 3]
    reference, estimated = (random_table(rng, 3, int(rng.integers(0, 30)), 10.0, labels) for _ in range(2))
    reference["1.wav"] = []
    before = evaluate(reference, estimated, lengths(reference), [*labels, "thunder"])
    at = float(rng.uniform(0, 9))
    worse = estimated | {"1.wav": [*estimated["1.wav"], Event(at, at + 0.5, "thunder")]}
    after = evaluate(reference, worse, lengths(reference), [*labels, "thunder"])
    for metric in ("frame", "segment", "event", "intersection"):
        one, other = getattr(before, metric), getattr(after, metric)
        for value in (one.micro_f1, one.macro_f1, one.precision, one.recall):
            assert 0 <= value <= 1
        assert one.error_rate >= 0 and other.precision <= one.precision and other.recall == one.recall
        assert other.error_rate >= one.error_rate
    assert after.false_alarms.per_hour == pytest.approx(before.false_alarms.per_hour + 3600 / 30)
    assert before.false_alarms.per_hour <= before.false_alarms.beyond_collars_per_hour
    perfect = evaluate(reference, reference, lengths(reference)).intersection
    assert (perfect.micro_f1, perfect.macro_f1, perfect.error_rate) == (1, 1, 0)


def test_ten_thousand_events_of_one_recording():
    rng = np.random.default_rng(0)
    onsets = np.sort(rng.choice(40_000, 10_000, replace=False))
    table = {"a.wav": [Event(float(t), float(t) + 0.5, "dog") for t in onsets]}
    late = {"a.wav": [Event(float(t) + 0.2, float(t) + 0.6, "dog") for t in onsets]}
    scores = evaluate(table, late, {"a.wav": 40_001.0})
    assert scores.intersection.micro_f1 == scores.event.micro_f1 == 1
    assert scores.frame.recall == pytest.approx(0.6) and scores.frame.precision == pytest.approx(0.75)


# ---- presets


def rows(name, events):
    return [
        {"filename": name, "event_onset": e.onset, "event_offset": e.offset, "event_label": e.label} for e in events
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("preset", ["sed_eval", "dcase"])
def test_presets_repeat_sed_eval(sed_eval, seed, preset):
    reference, estimated, durations = random_case(seed)
    # A label never estimated, one never in the reference and, for sed_eval, overlaps of one label left as they are.
    reference = {name: [e for e in events if e.label != "glass"] for name, events in reference.items()}
    estimated = {name: [e for e in events if e.label != "rain"] for name, events in estimated.items()}
    options = {"t_collar": 0.2, "percentage_of_length": 0.5}
    if preset == "dcase":
        options = {"t_collar": 0.2, "percentage_of_length": 0.2, "empty_system_output_handling": "zero_score"}
        del reference["only estimated.wav"]
        reference, estimated = (
            {name: list(Recording.of(events, [], 100.0).reference) for name, events in table.items()}
            for table in (reference, estimated)
        )
    by_event = sed_eval.sound_event.EventBasedMetrics(event_label_list=SED_EVAL_LABELS, **options)
    by_segment = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=SED_EVAL_LABELS, time_resolution=1.0)
    for name in reference:
        ours, theirs = rows(name, sorted(reference[name])), rows(name, sorted(estimated[name]))
        by_event.evaluate(ours, theirs)
        by_segment.evaluate(ours, theirs, evaluated_length_seconds=durations[name])
    found = evaluate(reference, estimated, durations, SED_EVAL_LABELS, Settings.preset(preset))
    assert found.settings["preset"] == preset
    for result, theirs in ((found.event, by_event), (found.segment, by_segment)):
        macro = theirs.results_class_wise_average_metrics()["f_measure"]["f_measure"]
        assert result.macro_f1 == pytest.approx(macro, abs=1e-9)
        assert result.micro_f1 == pytest.approx(theirs.overall_f_measure()["f_measure"], abs=1e-9)
        assert result.precision == pytest.approx(theirs.overall_f_measure()["precision"], abs=1e-9)
    assert found.segment.error_rate == pytest.approx(by_segment.overall_error_rate()["error_rate"], abs=1e-9)
    if preset == "dcase":
        known = {name: durations[name] for name in reference}
        by_ours = evaluate(reference, {name: estimated[name] for name in reference}, known, SED_EVAL_LABELS)
        assert by_ours.event.macro_f1 < found.event.macro_f1


@pytest.mark.parametrize("case", THEIRS["cases"])
def test_presets_repeat_psds_eval(case):
    reference, scores, durations, estimated = {}, {}, {}, {}
    for name, recording in case["recordings"].items():
        values = np.array(recording["values"])
        edges = np.arange(len(values) + 1) * recording["hop"]
        reference[name] = [Event(*event) for event in recording["events"]]
        scores[name], durations[name] = ScoreTable(values, edges, LABELS), float(edges[-1])
        estimated[name] = from_targets(values > 0.45, LABELS, edges)
    for scenario, wanted in zip((PSDS1, PSDS2), case["psds_eval"]["psds"], strict=True):
        shares = {"dtc": scenario.dtc, "gtc": scenario.gtc, "cttc": scenario.cttc, "alpha_ct": scenario.alpha_ct}
        at_theirs = PsdsSettings(**shares, max_efpr=THEIRS["max_efpr"], thresholds=tuple(THEIRS["thresholds"]))
        found = psds(reference, scores, durations, at_theirs)
        assert found.value == pytest.approx(wanted, abs=1e-9)
        exact = psds(reference, scores, durations, PsdsSettings(**shares, max_efpr=THEIRS["max_efpr"]))
        assert exact.by_label.keys() == found.by_label.keys()
        assert all(exact.by_label[label] >= found.by_label[label] - 1e-12 for label in LABELS)
        assert found.settings["thresholds"] == THEIRS["thresholds"]
    found = evaluate(reference, estimated, durations, LABELS, Settings.preset("psds_eval")).intersection
    assert found.macro_f1 == pytest.approx(case["psds_eval"]["macro_f1"], abs=1e-9)
    for label, wanted in case["psds_eval"]["f1"].items():
        assert found.by_label[label]["f1"] == pytest.approx(wanted or 0.0, abs=1e-9)


def test_dcase_never_looks_where_the_reference_does_not():
    reference, durations = {"a.wav": [Event(0, 1, "dog")]}, {"a.wav": 2.0, "b.wav": 2.0}
    estimated = {"a.wav": [Event(0, 1, "dog")], "b.wav": [Event(0, 1, "dog")], "unknown.wav": [Event(0, 1, "dog")]}
    found = evaluate(reference, estimated, durations, settings=Settings.preset("dcase"))
    assert (found.event.precision, found.n_recordings, found.false_alarms.per_hour) == (1, 1, 0)
    del estimated["unknown.wav"]
    assert evaluate(reference, estimated, durations).event.precision == 0.5


def test_dnd_sed_counts_the_frames_of_its_own_grid():
    with pytest.raises(ConfigError, match="give its frame_grid"):
        Settings.preset("dnd-sed")
    with pytest.raises(ConfigError, match="there is no preset 'mir_eval'; wanted one of dcase"):
        Settings.preset("mir_eval")
    settings = Settings.preset("dnd-sed", Grid(44100, 1024))
    reference, estimated = {"a.wav": [Event(0, 5, "dog")]}, {"a.wav": [Event(0, 6, "dog")]}
    found = evaluate(reference, estimated, {"a.wav": 10.0}, settings=settings).frame
    n_reference, n_estimated = math.ceil(5 * 44100 / 1024), math.ceil(6 * 44100 / 1024)
    assert found.micro_f1 == 2 * n_reference / (n_reference + n_estimated)
    assert found.error_rate == (n_estimated - n_reference) / n_reference
    for wrong in ({"dtc": 0.0}, {"gtc": 1.5}):
        with pytest.raises(ValueError, match="wanted a share above 0"):
            Settings(**wrong)
