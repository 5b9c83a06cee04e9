"""PSDS and average precision: by identity, by hand, against slow loops; runs of scores; what is refused."""

import json

import numpy as np
import pytest

from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import Event, merge
from hubbub.metrics import (
    PSDS1,
    PSDS2,
    PrecisionStatistic,
    PsdsSettings,
    PsdsStatistic,
    ScoreTable,
    average_precision,
    interval_of,
    paired_difference_of,
    psds,
)
from hubbub.metrics.runs import runs

LABELS = ("bird", "dog", "rain")


def random_case(seed, n_recordings=6, ties=False, uneven=False):
    """(reference, scores, durations): noise that rises a little where an event is; silent and constant recordings."""
    rng = np.random.default_rng(seed)
    reference, scores, durations = {}, {}, {}
    for index in range(n_recordings):
        n_frames, hop = int(rng.integers(20, 60)), rng.choice([0.02, 0.064, 0.1])
        edges = np.arange(n_frames + 1) * hop
        if uneven:
            edges = np.unique([0, *rng.uniform(0, n_frames * hop, n_frames - 1).round(6), n_frames * hop])
        end, events = float(edges[-1]), []
        for label in LABELS * (2 if index == 0 else 1):
            for _ in range(rng.integers(int(index == 0), 4)):
                onset = round(float(rng.uniform(0, 0.9 * end)), 6)
                events.append(Event(onset, round(min(end, onset + float(rng.uniform(0.1, 0.5 * end))), 6), label))
        name = f"{index}.wav"
        reference[name] = merge(events) if index != 2 else []
        width = int(rng.integers(1, 9))
        noise = rng.random((len(edges) - 1 + width - 1, len(LABELS)))
        values = np.stack([np.convolve(column, np.ones(width) / width, "valid") for column in noise.T], axis=1)
        for event in reference[name]:
            inside = (edges[1:] > event.onset) & (edges[:-1] < event.offset)
            values[inside, LABELS.index(event.label)] += 0.4 * rng.random()
        values = np.full_like(values, 0.5) if index == 3 else values.round(1) if ties else values
        scores[name], durations[name] = ScoreTable(values, edges, LABELS), end
    return reference, scores, durations


def seen_by(reference, durations, hop=0.01):
    """Scores that are 1 where the reference sounds, else 0; events lie on frames of `hop` seconds."""
    tables = {}
    for name, duration in durations.items():
        edges = np.arange(round(duration / hop) + 1) * hop
        values = np.zeros((len(edges) - 1, len(LABELS)))
        for event in reference.get(name, ()):
            values[round(event.onset / hop) : round(event.offset / hop), LABELS.index(event.label)] = 1
        tables[name] = ScoreTable(values, edges, LABELS)
    return tables


# ---- runs


@pytest.mark.parametrize("seed", range(40))
def test_runs_against_every_threshold(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 6, (rng.integers(1, 4), rng.integers(1, 40))).astype(float)
    found = runs(rows)
    ours = zip(
        *(getattr(found, name).tolist() for name in ("row", "first", "last", "level", "parent_level")), strict=True
    )
    wanted = {}
    for row, scores in enumerate(rows):
        for threshold in np.unique(scores)[::-1]:
            on = np.diff(np.concatenate(([0], scores >= threshold, [0])).astype(int))
            for first, last in zip(np.flatnonzero(on == 1), np.flatnonzero(on == -1), strict=True):
                beside = max([*scores[max(first - 1, 0) : first], *scores[last : last + 1], -np.inf])
                wanted.setdefault((row, int(first), int(last)), (float(threshold), float(beside)))
    assert sorted(ours) == sorted((*run, *levels) for run, levels in wanted.items())


# ---- PSDS


def slow_psds(reference, scores, durations, settings):
    """The definition, threshold by threshold and event by event."""
    hours = sum(durations.values()) / 3600
    seconds = {o: sum(e.duration for events in reference.values() for e in events if e.label == o) for o in LABELS}
    points = {}
    for column, label in enumerate(LABELS):
        n_reference = sum(e.label == label for events in reference.values() for e in events)
        points[label] = [(0.0, 0.0)]
        for threshold in np.unique(np.concatenate([table.values[:, column] for table in scores.values()])):
            hits = false = 0
            crossed = dict.fromkeys(LABELS, 0)
            for name, table in scores.items():
                on = np.diff(np.concatenate(([0], table.values[:, column] >= threshold, [0])).astype(int))
                heard = zip(table.edges[np.flatnonzero(on == 1)], table.edges[np.flatnonzero(on == -1)], strict=True)
                covered = {event: 0.0 for event in reference[name] if event.label == label}
                for onset, offset in heard:
                    shared = {e: max(0, min(offset, e.offset) - max(onset, e.onset)) for e in reference[name]}
                    sums = {o: sum(s for e, s in shared.items() if e.label == o) for o in LABELS}
                    if round(sums[label], 6) >= round(settings.dtc * (offset - onset), 6):
                        for event in covered:
                            covered[event] += shared[event]
                        continue
                    false += 1
                    for other in LABELS:
                        if settings.cttc and other != label:
                            crossed[other] += round(sums[other], 6) >= round(settings.cttc * (offset - onset), 6)
                hits += sum(round(s, 6) >= round(settings.gtc * e.duration, 6) for e, s in covered.items())
            crossing = sum(3600 * crossed[o] / seconds[o] for o in LABELS if o != label) / (len(LABELS) - 1)
            points[label].append((false / hours + settings.alpha_ct * crossing, hits / n_reference))
    axis = sorted({e for each in points.values() for e, _ in each if e <= settings.max_efpr})
    area = 0.0
    for start, end in zip(axis, [*axis[1:], settings.max_efpr], strict=True):
        rates = [max(tpr for e, tpr in points[label] if e <= start) for label in LABELS]
        area += (end - start) * max(0.0, np.mean(rates) - settings.alpha_st * np.std(rates))
    return area / settings.max_efpr


CASES = [(0, False, False), (1, True, False), (2, False, True), (3, True, True)]
WIDE = PsdsSettings(dtc=0.3, gtc=0.5, cttc=0.2, alpha_ct=1.0, alpha_st=0.5, max_efpr=5000.0)


@pytest.mark.parametrize(("seed", "ties", "uneven"), CASES)
@pytest.mark.parametrize("settings", [PSDS1, PSDS2, WIDE])
def test_psds_against_the_slow_definition(seed, ties, uneven, settings):
    case = random_case(seed, 5, ties, uneven)
    found = psds(*case, settings).value
    assert found == pytest.approx(slow_psds(*case, settings), abs=1e-9)
    assert 0 <= found <= 1 and (settings != WIDE or 0.05 < found < 0.95)


@pytest.mark.parametrize("settings", [PSDS1, PSDS2, WIDE])
def test_a_perfect_system_scores_one_and_a_deaf_one_less(settings):
    durations = {"a.wav": 20.0, "b.wav": 10.0, "empty.wav": 5.0}
    reference = {
        "a.wav": [Event(1, 3, "dog"), Event(5, 5.5, "dog"), Event(2, 4, "bird")],
        "b.wav": [Event(0, 10, "rain")],
    }
    perfect = psds(reference, seen_by(reference, durations), durations, settings)
    assert perfect.value == pytest.approx(1, abs=1e-12)
    assert perfect.by_label == pytest.approx(dict.fromkeys(LABELS, 1.0), abs=1e-12)
    assert perfect.absent_labels == ()
    # Scores that are all alike: one threshold, at which everything is on in three recordings of 35 s together.
    deaf = psds(reference, seen_by({}, durations), durations, settings)
    assert deaf.value < 0.97 and (settings.max_efpr > 100 or deaf.value == 0)


def test_an_absent_label_has_rate_zero_and_is_listed():
    durations, reference = {"a.wav": 10.0}, {"a.wav": [Event(1, 3, "dog")]}
    found = psds(reference, seen_by(reference, durations), durations)
    assert found.absent_labels == ("bird", "rain")
    assert found.by_label == {"bird": 0, "dog": 1, "rain": 0}
    assert found.value == 0  # a mean of 1/3 less a deviation of 0.47
    mean = psds(reference, seen_by(reference, durations), durations, PsdsSettings(0.7, 0.7, alpha_st=0.0))
    assert mean.value == pytest.approx(1 / 3)


def test_psds_by_hand():
    # One hour. Above 0.8 nothing; from 0.8 on the dog is found; below 0.6 one false positive; below 0.4 a second dog.
    values = np.zeros((3600, 1))
    values[100:200], values[1000:1100], values[2000:2100] = 0.8, 0.6, 0.4
    reference = {"a.wav": [Event(100, 200, "dog"), Event(2000, 2100, "dog"), Event(3000, 3100, "dog")]}
    scores = {"a.wav": ScoreTable(values, np.arange(3601.0), ["dog"])}
    found = psds(reference, scores, {"a.wav": 3600.0}, PsdsSettings(0.7, 0.7, max_efpr=10.0))
    # One of three from 0 on, two of three from one false positive an hour on.
    assert found.value == found.by_label["dog"] == pytest.approx((1 / 3 * 1 + 2 / 3 * 9) / 10)
    assert found.curve[0].tolist() == [0, 1, 10]
    assert found.curve[1] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    few = psds(reference, scores, {"a.wav": 3600.0}, PsdsSettings(0.7, 0.7, max_efpr=10.0, thresholds=(0.5, 0.7)))
    assert few.value == pytest.approx(1 / 3)


def test_cross_triggers_cost_what_the_settings_say():
    # The dog scores on the bird's whole hour third: one false positive, one cross-trigger in 1200 s, 3 an hour.
    values = np.zeros((3600, 3))
    values[0:100, 1], values[1200:2400, 1] = 0.9, 0.95
    values[1200:2400, 0] = values[3000:3100, 2] = 1.0
    reference = {"a.wav": [Event(1200, 2400, "bird"), Event(0, 100, "dog"), Event(3000, 3100, "rain")]}
    scores, durations = {"a.wav": ScoreTable(values, np.arange(3601.0), LABELS)}, {"a.wav": 3600.0}
    settings = {"dtc": 0.5, "gtc": 0.5, "cttc": 0.3, "alpha_ct": 1.0, "max_efpr": 10.0}
    # eFPR = 1 + 3 / 2 labels, or 1 + 3 / 3 where the label itself is averaged in.
    dog = psds(reference, scores, durations, PsdsSettings(**settings)).by_label["dog"]
    assert dog == pytest.approx(1 - (1 + 3 / 2) / 10)
    dog = psds(reference, scores, durations, PsdsSettings(**settings, cross_trigger_mean="all")).by_label["dog"]
    assert dog == pytest.approx(1 - (1 + 3 / 3) / 10)


def test_neither_order_nor_a_rising_map_of_the_scores_matters():
    reference, scores, durations = random_case(5)
    wanted = psds(reference, scores, durations, PSDS2)
    assert 0 < wanted.value < 1
    backwards = {name: reference[name][::-1] for name in reversed(reference)}
    assert psds(backwards, dict(reversed(scores.items())), durations, PSDS2).value == wanted.value
    mapped = {name: ScoreTable(np.exp(3 * t.values), t.edges, t.labels) for name, t in scores.items()}
    assert psds(reference, mapped, durations, PSDS2).value == pytest.approx(wanted.value, abs=1e-12)
    wanted = psds(reference, scores, durations, WIDE).value
    for table in (reference, scores, durations):
        table["z.wav"] = table["2.wav"]
    longer = psds(reference, scores, durations, WIDE)
    assert longer.value != pytest.approx(wanted, abs=1e-3)  # a recording without events counts


def test_results_are_plain_json_and_carry_their_settings():
    found = psds(*random_case(0), PSDS2).to_dict()
    stored = json.loads(json.dumps(found, allow_nan=False))
    assert stored == found
    assert stored["settings"].items() >= {"dtc": 0.1, "cttc": 0.3, "max_efpr": 100.0, "thresholds": "all"}.items()
    json.dumps(average_precision(*random_case(0)).to_dict(), allow_nan=False)


# ---- average precision


@pytest.mark.parametrize(("seed", "ties", "uneven"), CASES)
def test_average_precision_against_the_slow_definition(seed, ties, uneven):
    reference, scores, durations = random_case(seed, 5, ties, uneven)
    found = average_precision(reference, scores, durations)
    for column, label in enumerate(LABELS):
        frames = []
        for name, table in scores.items():
            for start, end, score in zip(table.edges[:-1], table.edges[1:], table.values[:, column], strict=True):
                on = any(e.label == label and e.onset < end - 1e-6 and e.offset > start + 1e-6 for e in reference[name])
                frames.append((score, on, end - start))
        total, area, before = sum(length for _, on, length in frames if on), 0.0, 0.0
        for threshold in sorted({score for score, _, _ in frames}, reverse=True):
            hits = sum(length for score, on, length in frames if on and score >= threshold)
            area += (hits - before) / total * hits / sum(length for score, _, length in frames if score >= threshold)
            before = hits
        assert found.by_label[label] == pytest.approx(area, abs=1e-9)
        assert 0 < area < 1
    assert found.value == pytest.approx(np.mean(list(found.by_label.values())))


def test_average_precision_of_a_perfect_system_and_of_an_absent_label():
    durations, reference = {"a.wav": 10.0, "b.wav": 5.0}, {"a.wav": [Event(1, 3, "dog"), Event(2, 4, "bird")]}
    found = average_precision(reference, seen_by(reference, durations), durations)
    assert found.by_label == {"bird": 1, "dog": 1, "rain": 0}
    assert (found.absent_labels, found.value) == (("rain",), pytest.approx(2 / 3))
    nothing = average_precision({}, seen_by({}, durations), durations)
    assert (nothing.value, nothing.absent_labels) == (0, LABELS)


# ---- intervals


@pytest.mark.parametrize("statistic", [lambda *case: PsdsStatistic.of(*case, WIDE), PrecisionStatistic.of])
def test_a_resample_scores_as_the_recordings_it_holds(statistic):
    reference, scores, durations = random_case(7)
    whole = statistic(reference, scores, durations)
    times = np.array([2.0, 0.0, 1.0, 0.0, 3.0, 0.0])
    copies = {f"{name} {k}": name for name, n in zip(whole.names, times, strict=True) for k in range(int(n))}
    again = [{copy: table[name] for copy, name in copies.items()} for table in (reference, scores, durations)]
    assert whole.scores(times[None])[0] == pytest.approx(statistic(*again).value(), abs=1e-9)
    assert whole.scores(times[None])[0] != pytest.approx(whole.value(), abs=1e-3)
    found = interval_of(whole, np.random.default_rng(0), n_resamples=50)
    assert found.low < found.value < found.high and found.value == whole.value()
    same = paired_difference_of(whole, whole, np.random.default_rng(0), n_resamples=5)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_intervals_refuse_what_they_cannot_resample():
    reference, scores, durations = random_case(8)
    whole, rng = PrecisionStatistic.of(reference, scores, durations), np.random.default_rng(0)
    one = PrecisionStatistic.of({}, {"0.wav": scores["0.wav"]}, {"0.wav": durations["0.wav"]})
    with pytest.raises(ConfigError, match="two or more of them; given: 1"):
        interval_of(one, rng)
    with pytest.raises(ConfigError, match="5 belong to one alone"):
        paired_difference_of(whole, one, rng)


# ---- refusals


def test_what_does_not_fit_is_told_in_one_line():
    table = ScoreTable(np.zeros((10, 1)), np.arange(11.0), ["dog"])
    other = ScoreTable(np.zeros((10, 1)), np.arange(11.0), ["cat"])
    two = {"a.wav": 10.0, "b.wav": 10.0}
    dog = {"a.wav": [Event(0, 1, "dog")]}
    cases = [
        (
            dog,
            dog,
            {"a.wav": 10.0},
            ConfigError,
            "^(PSDS|average precision) wants scores of every frame, and a.wav holds",
        ),
        (dog, {"a.wav": table}, two, AnnotationError, r"^b\.wav: .* this one has none"),
        ({}, {"a.wav": table, "b.wav": table}, {"a.wav": 10.0}, AnnotationError, r"^b\.wav: scored, but neither"),
        (dog, {"a.wav": table, "b.wav": other}, two, ConfigError, r"^b\.wav: score columns are cat; .*dog"),
        (dog, {"a.wav": other}, {"a.wav": 10.0}, AnnotationError, r"^a\.wav: reference label 'dog' is none of"),
        (dog, {"a.wav": table}, {"a.wav": 30.0}, ConfigError, r"^a\.wav: scores cover 0 to 10 s of .* 30 s"),
        (dog, {}, {}, AnnotationError, "^there is no recording to score"),
    ]
    for reference, scores, durations, error, message in cases:
        for metric in (psds, average_precision):
            with pytest.raises(error, match=message) as caught:
                metric(reference, scores, durations)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "edges", "labels", "message"),
    [
        (np.zeros((10, 2)), np.arange(11.0), ["dog"], r"scores \(10, 2\) on 11 edges for 1 labels"),
        (np.zeros((10, 1)), np.arange(10.0), ["dog"], "on 10 edges"),
        (np.full((10, 1), np.nan), np.arange(11.0), ["dog"], "no finite numbers"),
        (np.zeros((2, 1)), np.array([0.0, 1.0, 1.0]), ["dog"], "do not rise"),
        (np.zeros((10, 2)), np.arange(11.0), ["dog", "dog"], "a label occurs twice"),
    ],
)
def test_malformed_tables_are_refused(values, edges, labels, message):
    with pytest.raises(ConfigError, match=message):
        ScoreTable(values, edges, labels)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dtc": 0.0}, "dtc is 0.0"),
        ({"gtc": 1.1}, "gtc is 1.1"),
        ({"cttc": 0.3}, "give both"),
        ({"alpha_ct": 0.5}, "give both"),
        ({"alpha_st": -1.0}, "alpha_st is -1"),
        ({"max_efpr": 0.0}, "max_efpr is 0"),
        ({"cross_trigger_mean": "none"}, "wanted others or all"),
    ],
)
def test_settings_out_of_bounds_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        PsdsSettings(**({"dtc": 0.5, "gtc": 0.5} | wrong))
    with pytest.raises(ConfigError, match="there is no preset 'sed_eval' of PSDS"):
        PsdsSettings.preset("sed_eval")
    assert PsdsSettings.preset("dcase", 2) == PSDS2
    assert len(PsdsSettings.preset("psds_eval", 1).thresholds) == 50
