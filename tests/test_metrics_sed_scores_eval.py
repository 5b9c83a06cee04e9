"""PSDS, intersections, segments, collars and error rates against sed_scores_eval, wherever the definitions agree."""

import importlib.util
import sys
import types
import warnings

import numpy as np
import pytest

from hubbub.events import from_targets
from hubbub.metrics import PSDS1, PSDS2, PsdsSettings, evaluate, psds
from tests.test_psds import LABELS, random_case

SETTINGS = [
    PSDS1,
    PSDS2,
    PsdsSettings(dtc=0.3, gtc=0.5, cttc=0.2, alpha_ct=1.0, alpha_st=0.0, max_efpr=1000.0),
    PsdsSettings(dtc=0.5, gtc=0.3, alpha_st=0.5, max_efpr=20_000.0),
]


@pytest.fixture(scope="module")
def sse():
    """The package, quiet, with the stand-in that sed_eval below it needs.

    Its compiled part takes no read-only arrays, and pandas 3 hands out no others: they are copied on the way in.
    """
    stand_in = importlib.util.find_spec("pkg_resources") is None
    if stand_in:
        sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import sed_scores_eval
            from sed_scores_eval.base_modules import statistics
    finally:
        if stand_in:
            del sys.modules["pkg_resources"]
    compiled = statistics.onset_offset_curves
    statistics.onset_offset_curves = lambda scores, times, points=None: compiled(
        np.array(scores), np.array(times), None if points is None else np.array(points)
    )
    yield sed_scores_eval
    statistics.onset_offset_curves = compiled


def as_theirs(sse, reference, scores):
    from sed_scores_eval.base_modules.scores import create_score_dataframe

    tables = {name: create_score_dataframe(t.values, t.edges, list(t.labels)) for name, t in scores.items()}
    return tables, {name: [(e.onset, e.offset, e.label) for e in events] for name, events in reference.items()}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("settings", SETTINGS)
def test_psds_equals_sed_scores_eval(sse, seed, settings):
    reference, scores, durations = random_case(seed, ties=seed % 4 == 1, uneven=seed % 2 == 0)
    tables, truth = as_theirs(sse, reference, scores)
    wanted, by_label, (etpr, efpr), _ = sse.intersection_based.psds(
        tables,
        truth,
        durations,
        dtc_threshold=settings.dtc,
        gtc_threshold=settings.gtc,
        cttc_threshold=settings.cttc,
        alpha_ct=settings.alpha_ct,
        alpha_st=settings.alpha_st,
        max_efpr=settings.max_efpr,
    )
    found = psds(reference, scores, durations, settings)
    assert found.value == pytest.approx(wanted, abs=1e-9)
    assert found.by_label == pytest.approx(by_label, abs=1e-9)
    at = np.linspace(0, settings.max_efpr, 50)[1:-1] + 1e-7
    ours, theirs = (y[np.searchsorted(x, at, side="right") - 1] for x, y in (found.curve, (efpr, etpr)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.45, 0.6])
def test_scores_at_one_threshold_equal_sed_scores_eval(sse, seed, threshold):
    from sed_scores_eval.base_modules.curves import get_curve_idx_for_threshold as at_threshold

    reference, scores, durations = random_case(seed, ties=seed % 3 == 1)
    estimated = {name: from_targets(t.values > threshold, LABELS, t.edges) for name, t in scores.items()}
    ours = evaluate(reference, estimated, durations, LABELS)
    tables, truth = as_theirs(sse, reference, scores)
    collars = {"onset_collar": 0.2, "offset_collar": 0.2, "offset_collar_rate": 0.2}
    shares = {"dtc_threshold": 0.5, "gtc_threshold": 0.5}
    pairs = [
        (ours.event, sse.collar_based, collars, ()),
        (ours.intersection, sse.intersection_based, shares, ()),
        (ours.segment, sse.segment_based, {"segment_length": 1.0}, (durations,)),
    ]
    for result, theirs, options, more in pairs:
        f1, precision, recall, _ = theirs.fscore(tables, truth, *more, threshold=threshold, **options)
        # Their error_rate() of intersections at a threshold raises KeyError in 0.0.4; the curve below it does not.
        curves = theirs.error_rate_curve(tables, truth, *more, **options)
        errors = {label: curve[0][at_threshold(curve[3], threshold)] for label, curve in curves.items()}
        assert result.micro_f1 == pytest.approx(f1["micro_average"], abs=1e-9)
        assert result.macro_f1 == pytest.approx(f1["macro_average"], abs=1e-9)
        for label in LABELS:
            score = result.by_label[label]
            assert score["recall"] == pytest.approx(recall[label], abs=1e-9)
            assert score["f1"] == pytest.approx(f1[label], abs=1e-9)
            if score["n_estimated"]:  # where nothing was estimated, theirs is 1
                assert score["precision"] == pytest.approx(precision[label], abs=1e-9)
            hits = score["recall"] * score["n_reference"]
            wrong = score["n_estimated"] + score["n_reference"] - 2 * hits
            assert wrong / score["n_reference"] == pytest.approx(errors[label], abs=1e-9)
    found, n_reference = ours.intersection, sum(s["n_reference"] for s in ours.intersection.by_label.values())
    assert found.error_rate == pytest.approx(found.insertions + found.deletions) and n_reference > 0
    assert 0 < found.micro_f1 < 1


def test_a_label_without_reference_events_is_where_we_differ(sse):
    reference, scores, durations = random_case(0)
    reference = {name: [e for e in events if e.label != "rain"] for name, events in reference.items()}
    with pytest.raises(AssertionError, match="rain"):
        sse.intersection_based.psds(
            *as_theirs(sse, reference, scores), durations, dtc_threshold=0.7, gtc_threshold=0.7, max_efpr=100.0
        )
    assert psds(reference, scores, durations).absent_labels == ("rain",)


@pytest.mark.soak
@pytest.mark.parametrize("settings", SETTINGS[:2])
def test_psds_of_ten_thousand_events(sse, settings):
    reference, scores, durations = random_case(1, n_recordings=5000)
    assert sum(map(len, reference.values())) > 10_000
    wanted, *_ = sse.intersection_based.psds(
        *as_theirs(sse, reference, scores),
        durations,
        dtc_threshold=settings.dtc,
        gtc_threshold=settings.gtc,
        cttc_threshold=settings.cttc,
        alpha_ct=settings.alpha_ct,
        alpha_st=settings.alpha_st,
        max_efpr=settings.max_efpr,
    )
    assert psds(reference, scores, durations, settings).value == pytest.approx(wanted, abs=1e-9)
