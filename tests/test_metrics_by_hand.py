"""What each metric counts, on cases small enough to count on paper."""

import numpy as np
import pytest

from hubbub.events import Event
from hubbub.metrics import Counts, Recording, event, frame, segment

LABELS = ("bird", "dog", "rain")


def test_frames_by_hand():
    # 1 s is 100 frames: 25 right, 25 missed, 25 made up, and two labels, so 200 cells.
    recording = Recording.of([Event(0.0, 0.5, "dog")], [Event(0.25, 0.75, "dog")], 1.0)
    counts = frame.counts(recording, ["bird", "dog"])
    assert counts.true_positives == (0, 25)
    assert counts.false_positives == (0, 25)
    assert counts.false_negatives == (0, 25)
    assert (counts.substitutions, counts.deletions, counts.insertions) == (0, 25, 25)
    assert counts.micro_f1 == counts.precision == counts.recall == 0.5
    assert counts.macro_f1 == 0.25
    assert counts.error_rate == 1.0
    assert counts.accuracy == 0.75


def test_wrong_label_in_a_frame_is_one_substitution_not_two_errors():
    recording = Recording.of([Event(0, 1, "dog")], [Event(0, 1, "bird"), Event(0, 1, "rain")], 1.0)
    counts = frame.counts(recording, LABELS)
    assert (counts.substitutions, counts.deletions, counts.insertions) == (100, 0, 100)
    assert (counts.substitution_rate, counts.deletion_rate, counts.insertion_rate) == (1.0, 0.0, 1.0)
    assert counts.error_rate == 2.0


def test_segments_by_hand():
    # 3.5 s are four segments. Reference: dog in 0 and 1. Estimated: dog in 1, bird in 3.
    recording = Recording.of([Event(0.9, 1.1, "dog")], [Event(1.5, 1.6, "dog"), Event(3.2, 3.4, "bird")], 3.5)
    counts = segment.counts(recording, ["bird", "dog"])
    assert counts.n_slots == 4
    assert counts.true_positives == (0, 1)
    assert counts.false_positives == (1, 0)
    assert counts.false_negatives == (0, 1)
    assert (counts.substitutions, counts.deletions, counts.insertions) == (0, 1, 1)
    assert counts.error_rate == 1.0


@pytest.mark.parametrize(
    ("reference", "estimated", "right"),
    [
        ((2.0, 3.0), (2.2, 3.2), True),  # exactly on both collars, although 2.2 - 2.0 > 0.2 in binary
        ((2.0, 3.0), (2.200001, 3.0), False),
        ((2.0, 3.0), (1.8, 2.8), True),
        ((2.0, 3.0), (1.799999, 3.0), False),
        ((2.0, 3.0), (2.0, 3.200001), False),
        ((2.0, 7.0), (2.0, 8.0), True),  # 20 % of 5 s is 1 s
        ((2.0, 7.0), (2.0, 6.0), True),
        ((2.0, 7.0), (2.0, 8.000001), False),
        ((2.0, 2.1), (2.0, 2.3), True),  # short events keep the 0.2 s
        ((2.0, 3.0), (2.0, 9.0), False),  # the estimate's length is no excuse
    ],
)
def test_collars_by_hand(reference, estimated, right):
    assert 2.2 - 2.0 > 0.2
    recording = Recording.of([Event(*reference, "dog")], [Event(*estimated, "dog")], 10.0)
    counts = event.counts(recording, ["dog"])
    assert counts.true_positives == (int(right),)
    assert (counts.deletions, counts.insertions) == (int(not right), int(not right))


def test_events_by_hand():
    reference = [Event(1, 2, "dog"), Event(3, 4, "bird"), Event(5, 6, "dog"), Event(8, 9, "dog")]
    estimated = [Event(1.1, 2.1, "dog"), Event(3, 4, "dog"), Event(5.1, 5.2, "dog"), Event(5.3, 6, "dog")]
    counts = event.counts(Recording.of(reference, estimated, 10.0), ["bird", "dog"])
    # 1-2 is right; the bird at 3 was called a dog; the dog at 5 in two pieces is two false events and a missed one.
    assert counts.true_positives == (0, 1)
    assert counts.false_positives == (0, 3)
    assert counts.false_negatives == (1, 2)
    assert (counts.substitutions, counts.deletions, counts.insertions) == (1, 2, 2)
    assert counts.micro_f1 == 0.25
    assert counts.error_rate == 5 / 4


def test_each_event_is_substituted_once():
    reference = [Event(1.0, 2.0, "dog"), Event(1.1, 2.1, "bird")]
    estimated = [Event(1.0, 2.0, "rain"), Event(1.1, 2.1, "bus")]  # each in time for both
    labels = ["bird", "bus", "dog", "rain"]
    both = event.counts(Recording.of(reference, estimated, 3.0), labels)
    assert (both.substitutions, both.deletions, both.insertions) == (2, 0, 0)
    one = event.counts(Recording.of(reference, estimated[:1], 3.0), labels)
    assert (one.substitutions, one.deletions, one.insertions) == (1, 1, 0)


def test_matching_is_the_largest_not_the_first():
    rows, columns = np.array([0, 0, 1]), np.array([0, 1, 0])  # taking (0, 0) first would leave row 1 alone
    assert event.match(rows, columns, (2, 2)).tolist() == [1, 0]
    assert event.match(rows[:0], columns[:0], (2, 0)).tolist() == [-1, -1]


def test_counts_from_targets_by_hand():
    reference = np.array([[1, 1], [1, 0], [0, 0], [0, 1]], dtype=bool)
    estimated = np.array([[1, 0], [0, 1], [1, 1], [0, 1]], dtype=bool)
    counts = frame.counts_from_targets(reference, estimated)
    assert counts == Counts(("0", "1"), (1, 1), (1, 2), (1, 1), substitutions=1, deletions=1, insertions=2, n_slots=4)
    assert counts.accuracy == 3 / 8
