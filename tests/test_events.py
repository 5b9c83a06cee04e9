"""Events: the value, joined, cut, and as multi-hot targets and back."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hubbub.errors import HubbubError
from hubbub.events import Event, clip, from_targets, labels_of, merge, runs, to_targets
from hubbub.grid import COMPARISON_GRID, Grid

LABELS = ("bell", "dog", "rain")


def random_events(rng: np.random.Generator, n: int, scored: bool = False) -> list[Event]:
    """Events on a 10 ms grid, many of which touch or overlap."""
    onsets, lengths = rng.integers(0, 300, n), rng.integers(0, 30, n)
    return [
        Event(int(a) / 100, int(a + b) / 100, LABELS[rng.integers(3)], float(rng.uniform()) if scored else None)
        for a, b in zip(onsets, lengths, strict=True)
    ]


# The value


@pytest.mark.parametrize(
    ("onset", "offset", "label", "message"),
    [
        (-0.5, 1.0, "dog", r"onset -0\.5 s is negative"),
        (2.0, 1.5, "dog", r"onset 2 s lies after offset 1\.5 s"),
        (math.nan, 1.0, "dog", r"onset nan and offset 1\.0 must be finite numbers"),
        (0.0, math.inf, "dog", r"onset 0\.0 and offset inf must be finite numbers"),
        (0.0, 1.0, "", "the label is empty"),
    ],
)
def test_an_impossible_event_is_refused(onset: float, offset: float, label: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$") as error:
        Event(onset, offset, label)
    assert not isinstance(error.value, HubbubError)  # who reads a file says where it stands


def test_an_instant_is_an_event() -> None:
    assert Event(1.5, 1.5, "dog").duration == 0
    assert Event(0.0, 0.25, "dog").duration == 0.25


def test_events_sort_by_onset_offset_label_whatever_their_score() -> None:
    ordered = [
        Event(0.0, 1.0, "dog", 0.9),
        Event(0.0, 2.0, "bell"),
        Event(0.0, 2.0, "dog", 0.1),
        Event(0.5, 0.6, "bell", 0.2),
    ]
    assert sorted([ordered[index] for index in (3, 1, 0, 2)]) == ordered


def test_labels_of_a_table_are_sorted_and_each_there_once() -> None:
    table = {"b": [Event(0, 1, "rain"), Event(1, 2, "bell")], "a": [Event(0, 1, "rain")], "c": []}
    assert labels_of(table) == ["bell", "rain"]
    assert labels_of({}) == []


# Joined


def test_events_that_overlap_touch_or_lie_near_are_joined() -> None:
    events = [Event(4.0, 5.0, "dog"), Event(0.0, 1.0, "dog"), Event(1.0, 2.0, "dog"), Event(1.5, 3.0, "dog")]
    assert merge(events) == [Event(0.0, 3.0, "dog"), Event(4.0, 5.0, "dog")]
    assert merge(events, gap=0.99) == merge(events)
    assert merge(events, gap=1.0) == [Event(0.0, 5.0, "dog")]
    assert merge([]) == []


def test_an_event_inside_another_does_not_shorten_it() -> None:
    events = [Event(0.0, 9.0, "dog"), Event(1.0, 2.0, "dog"), Event(8.0, 10.0, "dog")]
    assert merge(events) == [Event(0.0, 10.0, "dog")]


def test_labels_are_joined_each_by_itself_and_the_result_is_sorted() -> None:
    events = [Event(0.0, 1.0, "bell"), Event(0.0, 2.0, "dog"), Event(0.5, 5.0, "bell")]
    assert merge(events) == [Event(0.0, 2.0, "dog"), Event(0.0, 5.0, "bell")]


def test_the_score_of_joined_events_is_their_mean_by_duration() -> None:
    events = [Event(0.0, 1.0, "dog", 0.0), Event(2.0, 3.0, "dog", 1.0), Event(3.0, 5.0, "dog", 0.25)]
    assert merge(events, gap=1.0) == [Event(0.0, 5.0, "dog", (0 + 1 + 0.5) / 4)]
    inside = [Event(0.0, 10.0, "dog", 0.2), Event(1.0, 2.0, "dog", 0.9), Event(3.0, 4.0, "dog", 0.9)]
    assert merge(inside)[0].score == pytest.approx((2 + 0.9 + 0.9) / 12)


def test_events_without_a_score_or_a_duration_do_not_spoil_the_mean() -> None:
    assert merge([Event(0, 9, "dog"), Event(9, 10, "dog", 0.5)]) == [Event(0, 10, "dog", 0.5)]
    assert merge([Event(0, 1, "dog"), Event(1, 2, "dog")]) == [Event(0, 2, "dog", None)]
    assert merge([Event(1, 1, "dog", 0.2), Event(1, 1, "dog", 0.6)]) == [Event(1, 1, "dog", pytest.approx(0.4))]


@pytest.mark.parametrize("seed", range(20))
def test_joined_events_cover_the_same_frames_and_stay_as_they_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = random_events(rng, 40, scored=True)
    merged = merge(events)
    assert merged == sorted(merged)
    assert merge(merged) == merged
    lasting = [event for event in events if event.duration > 0]  # an instant takes a frame of its own
    expected = to_targets(lasting, LABELS, COMPARISON_GRID, 400)
    np.testing.assert_array_equal(to_targets(merge(lasting), LABELS, COMPARISON_GRID, 400), expected)
    for label in LABELS:
        mine = [event for event in merged if event.label == label]
        assert all(a.offset < b.onset for a, b in pairwise(mine))


# Cut


def test_the_parts_inside_are_kept_and_counted_from_the_start() -> None:
    events = [
        Event(0.0, 2.0, "bell", 0.5),  # ends where the part begins
        Event(1.0, 3.0, "dog", 0.25),
        Event(2.5, 3.0, "rain"),
        Event(3.5, 9.0, "dog"),
        Event(4.0, 5.0, "bell"),  # begins where it ends
    ]
    assert clip(events, 2.0, 4.0) == [Event(0, 1, "dog", 0.25), Event(0.5, 1, "rain"), Event(1.5, 2, "dog")]
    assert clip(events[:1], 0.0, 10.0) == events[:1]


def test_an_instant_lies_in_the_part_that_begins_with_it() -> None:
    instant = [Event(2.0, 2.0, "dog")]
    assert clip(instant, 2.0, 4.0) == [Event(0.0, 0.0, "dog")]
    assert clip(instant, 1.0, 4.0) == [Event(1.0, 1.0, "dog")]
    assert clip(instant, 0.0, 2.0) == []


# Targets


def test_a_frame_is_true_where_an_event_overlaps_it_at_all() -> None:
    grid = Grid(100, 10)
    events = [Event(0.05, 0.11, "dog"), Event(0.3, 0.3, "bell"), Event(0.4, 99.0, "rain"), Event(7.0, 8.0, "dog")]
    targets = to_targets(events, LABELS, grid, 5)
    assert targets.dtype == bool
    assert targets.astype(int).tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_a_label_that_is_not_asked_for_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^label 'cat' is none of bell, dog, rain$"):
        to_targets([Event(0, 1, "cat")], LABELS, COMPARISON_GRID, 5)


def test_events_of_targets_end_where_the_recording_ends() -> None:
    targets = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    edges = Grid(100, 10).edges(25)
    assert from_targets(targets, LABELS, edges) == [Event(0.0, 0.2, "bell"), Event(0.2, 0.25, "rain")]
    assert from_targets(np.zeros((0, 3), bool), LABELS, np.zeros(1)) == []
    with pytest.raises(ValueError, match="argument 2 is longer"):
        from_targets(targets, LABELS[:2], edges)


@pytest.mark.parametrize("grid", [COMPARISON_GRID, Grid(44100, 882), Grid(22050, 512)])
def test_targets_become_events_and_the_same_targets_again(grid: Grid) -> None:
    rng = np.random.default_rng(4)
    for n_frames in (1, 2, 7, 50, 300):
        targets = rng.uniform(size=(n_frames, 3)) > 0.5
        events = from_targets(targets, LABELS, grid.edges_of(n_frames))
        assert events == sorted(events)
        np.testing.assert_array_equal(to_targets(events, LABELS, grid, n_frames), targets)
        rounded = [Event(round(e.onset, 6), round(e.offset, 6), e.label) for e in events]
        np.testing.assert_array_equal(to_targets(rounded, LABELS, grid, n_frames), targets)


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([1], [[0, 1]]),
        ([1, 1, 0, 1], [[0, 2], [3, 4]]),
        ([0, 1, 1, 0, 0, 1, 0], [[1, 3], [5, 6]]),
    ],
)
def test_runs_are_first_and_the_frame_after_the_last(active: list[int], expected: list[list[int]]) -> None:
    assert runs(np.array(active, dtype=bool)).tolist() == expected
