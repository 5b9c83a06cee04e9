"""The decision rule: by hand, against a slow version written frame by frame, and in pieces."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from hubbub.decode import Decoder, LabelRule, decode
from hubbub.errors import ConfigError
from hubbub.events import Event
from hubbub.grid import Grid

GRID = Grid(sample_rate=100, hop=10)  # 0.1 s
RULES = [
    LabelRule(),
    LabelRule(threshold=0.7, low_threshold=0.3),
    LabelRule(threshold=0.6, low_threshold=0.6, median=5),
    LabelRule(shortest_gap=0.3),
    LabelRule(shortest_event=0.4),
    LabelRule(threshold=0.8, low_threshold=0.45, median=3, shortest_event=0.5, shortest_gap=0.4),
    LabelRule(threshold=0.55, low_threshold=0.5, median=9, shortest_event=0.2, shortest_gap=0.7),
]


def slow_decode(probabilities: np.ndarray, label: str, rule: LabelRule, grid: Grid, end: float) -> list[Event]:
    """One label, one frame after the other; shape (n_frames,)."""
    n_frames, half = len(probabilities), rule.median // 2
    active = []
    state = False
    for frame in range(n_frames):
        window = [probabilities[t] if 0 <= t < n_frames else 0.0 for t in range(frame - half, frame + half + 1)]
        median = sorted(window)[half]
        if median >= rule.threshold:
            state = True
        elif median < rule.low_threshold:
            state = False
        active.append(state)
    spans: list[list[int]] = []
    for frame, sounds in enumerate(active):
        if sounds and spans and spans[-1][1] == frame:
            spans[-1][1] = frame + 1
        elif sounds:
            spans.append([frame, frame + 1])
    joined: list[list[int]] = []
    for first, last in spans:
        if joined and first - joined[-1][1] < round(rule.shortest_gap / grid.period):
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return [
        Event(first * grid.period, min(last * grid.period, end), label, float(np.mean(probabilities[first:last])))
        for first, last in joined
        if last - first >= round(rule.shortest_event / grid.period)
    ]


def waves(rng: np.random.Generator, n_frames: int, n_labels: int) -> np.ndarray:
    """Probabilities that wander, rest on the thresholds now and then, and jump."""
    steps = rng.normal(0, 0.25, size=(n_frames, n_labels))
    values = 0.5 + 0.5 * np.sin(np.cumsum(steps, axis=0)) + rng.normal(0, 0.1, size=steps.shape)
    values = np.where(rng.uniform(size=steps.shape) < 0.1, rng.choice([0.0, 0.3, 0.5, 0.6, 0.7, 1.0]), values)
    return np.clip(values, 0, 1)


def in_pieces(decoder: Decoder, probabilities: np.ndarray, lengths: Sequence[int], end: float) -> list[Event]:
    events, start = [], 0
    for length in lengths:
        events += decoder.push(probabilities[start : start + length])
        start += length
    events += decoder.push(probabilities[start:])
    return sorted(events + decoder.close(end))


def same(found: Sequence[Event], expected: Sequence[Event], times: float = 0.0) -> None:
    assert [event.label for event in found] == [event.label for event in expected]
    for name, tolerance in (("onset", times), ("offset", times), ("score", 1e-9)):
        numbers = [[getattr(event, name) for event in events] for events in (found, expected)]
        np.testing.assert_allclose(*numbers, rtol=0, atol=tolerance, err_msg=name)


def by_hand(values: Sequence[float], end: float | None = None, **rule: float) -> list[tuple[float, float, float]]:
    probabilities = np.array(values, dtype=np.float64)[:, np.newaxis]
    seconds = GRID.seconds(len(values)) if end is None else end
    found = decode(probabilities, ["dog"], [LabelRule(**rule)], GRID, seconds)  # type: ignore[arg-type]
    return [(event.onset, event.offset, round(event.score or 0.0, 6)) for event in found]


# By hand


def test_an_event_lasts_while_the_threshold_is_reached() -> None:
    assert by_hand([0.1, 0.5, 0.9, 0.4, 0.49, 0.6, 0.2]) == [(0.1, 0.3, 0.7), (0.5, 0.6, 0.6)]


def test_hysteresis_holds_an_event_down_to_the_low_threshold_but_does_not_begin_it_there() -> None:
    values = [0.4, 0.4, 0.8, 0.4, 0.3, 0.29, 0.5, 0.1]
    assert by_hand(values, threshold=0.8, low_threshold=0.3) == [(0.2, 0.5, 0.5)]


def test_the_median_passes_over_what_is_shorter_than_half_of_it() -> None:
    assert by_hand([0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0], median=3) == [(0.5, 1.0, 0.8)]
    # outside the recording there is silence
    assert by_hand([1, 1, 0, 0, 0, 1], median=3) == [(0.0, 0.2, 1.0)]
    assert by_hand([1, 1], median=5) == []
    assert by_hand([1, 1, 1], median=5) == [(0.0, 0.3, 1.0)]


def test_gaps_shorter_than_the_shortest_are_closed_and_count_in_the_score() -> None:
    values = [0.8, 0.2, 0.2, 0.8, 0, 0, 0, 1]
    assert by_hand(values, shortest_gap=0.3) == [(0.0, 0.4, 0.5), (0.7, 0.8, 1.0)]
    assert by_hand(values, shortest_gap=0.2) == [(0.0, 0.1, 0.8), (0.3, 0.4, 0.8), (0.7, 0.8, 1.0)]


def test_events_shorter_than_the_shortest_are_dropped_after_gaps_are_closed() -> None:
    assert by_hand([1, 1, 0, 1, 0, 0, 1, 1], shortest_event=0.3) == []
    assert by_hand([1, 1, 0, 1, 0, 0, 1, 1], shortest_event=0.2) == [(0.0, 0.2, 1.0), (0.6, 0.8, 1.0)]
    assert by_hand([1, 1, 0, 1, 0, 0, 1, 1], shortest_event=0.3, shortest_gap=0.2) == [(0.0, 0.4, 0.75)]


def test_an_event_is_cut_where_the_recording_ends() -> None:
    assert by_hand([0, 1, 1], end=0.23) == [(0.1, 0.23, 1.0)]
    assert by_hand([0, 0, 1], end=0.23) == [(0.2, 0.23, 1.0)]
    # its length in frames is what the shortest event is about
    assert by_hand([0, 1, 1], end=0.23, shortest_event=0.2) == [(0.1, 0.23, 1.0)]


def test_no_frames_have_no_events() -> None:
    for rule in RULES:
        assert decode(np.zeros((0, 1)), ["dog"], [rule], GRID, 0.0) == []


def test_extreme_thresholds() -> None:
    assert by_hand([0.0, 0.0], threshold=0.0, low_threshold=0.0) == [(0.0, 0.2, 0.0)]
    assert by_hand([0.999, 1.0], threshold=1.0, low_threshold=1.0) == [(0.1, 0.2, 1.0)]


def test_labels_have_rules_of_their_own() -> None:
    probabilities = np.array([[0.6, 0.6], [0.6, 0.9], [0.0, 0.0]])
    rules = [LabelRule(), LabelRule(threshold=0.9)]
    events = decode(probabilities, ["dog", "bell"], rules, GRID, 0.3)
    assert [(event.label, event.onset, event.offset) for event in events] == [("dog", 0.0, 0.2), ("bell", 0.1, 0.2)]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        decode(probabilities, ["dog", "bell"], rules[:1], GRID, 0.3)


# Against the slow version


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n_frames", [1, 2, 3, 8, 200])
def test_it_is_what_the_slow_version_gives(rule: LabelRule, n_frames: int) -> None:
    rng = np.random.default_rng(n_frames)
    n_events = 0
    for _ in range(8):
        probabilities = waves(rng, n_frames, 1)
        end = GRID.seconds(n_frames) - rng.uniform(0, 0.09)
        expected = slow_decode(probabilities[:, 0], "dog", rule, GRID, end)
        same(decode(probabilities, ["dog"], [rule], GRID, end), expected, times=1e-9)
        n_events += len(expected)
    assert n_events >= (8 if n_frames == 200 else 0)


# In pieces


@pytest.mark.parametrize("seed", range(25))
def test_pieces_give_what_the_whole_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = [f"label {index}" for index in range(len(RULES))]
    n_frames = int(rng.integers(1, 300))
    probabilities = waves(rng, n_frames, len(RULES))
    end = GRID.seconds(n_frames) - rng.uniform(0, 0.09)
    expected = decode(probabilities, labels, RULES, GRID, end)
    lengths = rng.integers(0, rng.choice([2, 5, 60]), size=n_frames)
    same(in_pieces(Decoder(labels, RULES, GRID), probabilities, lengths, end), expected)
    same(in_pieces(Decoder(labels, RULES, GRID), probabilities.astype(np.float32), [1] * n_frames, end), decode(
        probabilities.astype(np.float32), labels, RULES, GRID, end
    ))  # fmt: skip


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.median == 1])
def test_an_event_is_given_as_soon_as_no_future_can_change_it(rule: LabelRule) -> None:
    probabilities = waves(np.random.default_rng(8), 120, 1)
    decoder = Decoder(["dog"], [rule], GRID)
    given: set[tuple[float, float]] = set()
    for n_heard in range(1, len(probabilities) + 1):
        given |= {(event.onset, event.offset) for event in decoder.push(probabilities[n_heard - 1 : n_heard])}
        futures = [np.concatenate([probabilities[:n_heard], np.full((20, 1), value)]) for value in (0.0, 1.0)]
        certain = set.intersection(
            *({(e.onset, e.offset) for e in decode(future, ["dog"], [rule], GRID, 99.0)} for future in futures)
        )
        assert given == certain
    assert given


@pytest.mark.parametrize("rule", RULES)
def test_an_event_comes_once_the_gap_and_half_the_median_have_passed(rule: LabelRule) -> None:
    probabilities = np.array([0.0] * 7 + [1.0] * 12 + [0.0] * 20)[:, np.newaxis]
    decoder = Decoder(["dog"], [rule], GRID)
    came = [frame for frame, value in enumerate(probabilities) if decoder.push(value[np.newaxis])]
    wait = max(1, round(rule.shortest_gap / GRID.period)) + rule.median // 2
    assert came == [7 + 12 + wait - 1]
    assert decoder.close(3.9) == []


def test_a_score_stays_exact_after_a_long_time() -> None:
    decoder = Decoder(["dog"], [LabelRule(threshold=0.9, low_threshold=0.9)], GRID)
    quiet = np.full((100_000, 1), 0.8)
    for _ in range(20):
        assert decoder.push(quiet) == []
    decoder.push(np.full((3, 1), 0.95))
    (event,) = decoder.push(np.zeros((1, 1)))
    assert event.onset == 200_000.0
    assert event.score == pytest.approx(0.95, abs=1e-7)


# Rules


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"threshold": 1.5},
            "threshold 1.5 and low threshold 0.5: wanted 0 <= low <= threshold <= 1",
        ),
        (
            {"threshold": 0.4},
            "threshold 0.4 and low threshold 0.5: wanted 0 <= low <= threshold <= 1",
        ),
        (
            {"low_threshold": -0.1},
            "threshold 0.5 and low threshold -0.1: wanted 0 <= low <= threshold <= 1",
        ),
        ({"threshold": math.nan}, "threshold nan and low threshold 0.5: wanted 0 <= low <= threshold <= 1"),
        ({"median": 4}, "median of 4 frames: wanted an odd number, 1 for none"),
        ({"median": -1}, "median of -1 frames: wanted an odd number, 1 for none"),
        ({"shortest_event": -0.1}, "shortest event -0.1 s, gap 0.0 s: wanted 0 or more"),
        ({"shortest_gap": -1.0}, "shortest event 0.0 s, gap -1.0 s: wanted 0 or more"),
        ({"shortest_gap": math.nan}, "shortest event 0.0 s, gap nan s: wanted 0 or more"),
        ({"shortest_event": math.inf}, "shortest event inf s, gap 0.0 s: wanted 0 or more"),
    ],
)
def test_an_impossible_rule_is_one_line(rule: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        LabelRule(**rule)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_at_another_threshold_the_low_one_keeps_its_ratio() -> None:
    rule = LabelRule(0.5, 0.4, 5, 0.1, 0.2)
    assert rule.at(0.25) == LabelRule(0.25, 0.2, 5, 0.1, 0.2)
    assert rule.at(0.0) == LabelRule(0.0, 0.0, 5, 0.1, 0.2)
    assert LabelRule(0.0, 0.0).at(0.7) == LabelRule(0.7, 0.7)
    for threshold in np.linspace(0, 1, 101):
        assert rule.at(threshold).low_threshold <= threshold
    with pytest.raises(ConfigError, match=r"^threshold 1\.01 and low threshold"):
        rule.at(1.01)
