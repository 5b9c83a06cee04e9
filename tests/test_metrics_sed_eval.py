"""Our counts against sed_eval, the field's reference for segments and events."""

import importlib.util
import sys
import types
import warnings

import numpy as np
import pytest

from hubbub.events import Event, merge
from hubbub.metrics import evaluate

LABELS = ["bird", "dog", "glass", "rain"]
SEEDS = range(8)


@pytest.fixture(scope="module")
def sed_eval():
    """The package, quiet. Its dcase_util imports pkg_resources, which setuptools has dropped, and needs none of it."""
    stand_in = importlib.util.find_spec("pkg_resources") is None
    if stand_in:
        sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import sed_eval
    finally:
        if stand_in:
            del sys.modules["pkg_resources"]
    return sed_eval


def random_case(seed):
    """(reference, estimated, durations) with overlaps, touching events, edges on whole seconds and silent recordings.

    Times are whole microseconds; the estimates are the reference shifted, dropped, relabelled, and some made up.
    """
    rng = np.random.default_rng(seed)
    durations = {f"{index}.wav": float(rng.integers(15, 40)) + 0.25 for index in range(6)}
    durations |= {"silent.wav": 12.5, "only estimated.wav": 8.0, "missed.wav": 9.0}
    reference = {name: events_in(rng, duration) for name, duration in durations.items()}
    reference |= {"silent.wav": [], "only estimated.wav": []}
    estimated = {name: heard(rng, events, durations[name]) for name, events in reference.items()}
    estimated |= {"missed.wav": [], "only estimated.wav": events_in(rng, 8.0)}
    # Touching: two labels meet, and two of one label do, at a whole second.
    reference["0.wav"] += [Event(3.0, 5.0, "dog"), Event(5.0, 6.5, "bird"), Event(6.5, 8.0, "bird")]
    estimated["0.wav"] += [Event(3.0, 4.0, "dog"), Event(4.0, 5.0, "dog"), Event(5.0, 8.0, "bird")]
    return reference, estimated, durations


def events_in(rng, duration):
    events = []
    for label in [*LABELS, *rng.choice(LABELS, 25)]:
        onset = round(rng.uniform(0, duration - 0.3), 6)
        length = rng.uniform(0.1, 0.6) if rng.random() < 0.5 else rng.uniform(0.6, 4)
        events.append(Event(onset, round(min(duration, onset + length), 6), str(label)))
    return events


def heard(rng, events, duration):
    found = []
    for event in merge(events):
        if rng.random() < 0.15:
            continue
        onset = round(float(np.clip(event.onset + rng.normal(0, 0.1), 0, duration - 0.1)), 6)
        offset = round(float(np.clip(event.offset + rng.normal(0, 0.15), onset + 0.01, duration)), 6)
        found.append(Event(onset, offset, event.label if rng.random() < 0.7 else str(rng.choice(LABELS))))
    return found


def rows(name, events):
    """As sed_eval takes them; it would count two overlapping events of one label as two, so they are merged first."""
    return [
        {"filename": name, "event_onset": event.onset, "event_offset": event.offset, "event_label": event.label}
        for event in merge(events)
    ]


def same(result, theirs):
    """One of our results has every number that sed_eval's object reports, to 1e-9."""
    overall, errors = theirs.overall_f_measure(), theirs.overall_error_rate()
    ours = [result.micro_f1, result.precision, result.recall]
    ours += [result.error_rate, result.substitutions, result.deletions, result.insertions]
    wanted = [overall["f_measure"], overall["precision"], overall["recall"]]
    wanted += [errors[name + "_rate"] for name in ("error", "substitution", "deletion", "insertion")]
    for label in LABELS:
        by_label = theirs.class_wise_f_measure(label) | theirs.class_wise_count(label)
        score = result.by_label[label]
        ours += [score["f1"], score["precision"], score["recall"], score["n_reference"], score["n_estimated"]]
        wanted += [by_label[name] for name in ("f_measure", "precision", "recall", "Nref", "Nsys")]
    ours.append(result.macro_f1)
    wanted.append(theirs.results_class_wise_average_metrics()["f_measure"]["f_measure"])
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-9)
    # Nothing here is trivially equal.
    assert min(result.micro_f1, result.substitutions, result.deletions, result.insertions) > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_segments_equal_sed_eval(sed_eval, seed):
    reference, estimated, durations = random_case(seed)
    theirs = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=LABELS, time_resolution=1.0)
    for name, duration in durations.items():
        theirs.evaluate(rows(name, reference[name]), rows(name, estimated[name]), evaluated_length_seconds=duration)
    same(evaluate(reference, estimated, durations, LABELS).segment, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_equal_sed_eval(sed_eval, seed):
    reference, estimated, durations = random_case(seed)
    theirs = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=LABELS,
        t_collar=0.2,
        percentage_of_length=0.2,
        event_matching_type="optimal",
        empty_system_output_handling="zero_score",
    )
    for name in durations:
        theirs.evaluate(rows(name, reference[name]), rows(name, estimated[name]))
    same(evaluate(reference, estimated, durations, LABELS).event, theirs)


def test_a_binary_fraction_is_where_we_differ_from_sed_eval(sed_eval):
    theirs = sed_eval.sound_event.EventBasedMetrics(event_label_list=["dog"], t_collar=0.2, percentage_of_length=0.2)
    reference, estimated = [Event(2.0, 3.0, "dog")], [Event(2.2, 3.0, "dog")]
    theirs.evaluate(rows("a.wav", reference), rows("a.wav", estimated))
    assert theirs.overall_f_measure()["recall"] == 0  # 2.2 - 2.0 = 0.2000000000000002
    assert evaluate({"a.wav": reference}, {"a.wav": estimated}, {"a.wav": 4.0}).event.recall == 1


def test_overlaps_of_one_label_are_where_we_differ_from_sed_eval(sed_eval):
    theirs = sed_eval.sound_event.EventBasedMetrics(event_label_list=["dog"], t_collar=0.2, percentage_of_length=0.2)
    reference, estimated = [Event(2.0, 4.0, "dog"), Event(3.0, 5.0, "dog")], [Event(2.0, 5.0, "dog")]
    unmerged = [row for event in reference for row in rows("a.wav", [event])]
    theirs.evaluate(unmerged, rows("a.wav", estimated))
    assert theirs.overall_f_measure()["f_measure"] == 0
    assert evaluate({"a.wav": reference}, {"a.wav": estimated}, {"a.wav": 6.0}).event.micro_f1 == 1
