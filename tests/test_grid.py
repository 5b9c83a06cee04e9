"""Seconds, samples and frames: by hand, and against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from hubbub.grid import COMPARISON_GRID, TIME_TOLERANCE, Grid, receptive_field

GRIDS = [Grid(44100, 882), Grid(22050, 441), Grid(16000, 320), Grid(32000, 512), Grid(48000, 1), Grid(8000, 8000)]


def test_a_period_is_the_hop_in_seconds() -> None:
    assert Grid(44100, 882).period == 0.02
    assert COMPARISON_GRID.period == 0.01


@pytest.mark.parametrize(
    ("n_samples", "n_frames"), [(0, 0), (1, 1), (881, 1), (882, 1), (883, 2), (1764, 2), (1765, 3)]
)
def test_samples_fill_frames_and_the_last_may_be_cut(n_samples: int, n_frames: int) -> None:
    assert Grid(44100, 882).n_frames(n_samples) == n_frames


@pytest.mark.parametrize(
    ("duration", "n_frames"), [(0.0, 0), (5e-7, 0), (0.02, 1), (0.1 + 0.2, 15), (0.3 + 5e-7, 15), (0.300002, 16)]
)
def test_seconds_fill_frames_to_within_a_microsecond(duration: float, n_frames: int) -> None:
    assert Grid(44100, 882).n_frames_of(duration) == n_frames


def test_a_length_of_nothing_has_no_frames_however_short_they_are() -> None:
    assert Grid(10_000_000, 1).n_frames_of(0.0) == 0


def test_edges_are_one_more_than_frames_and_end_with_the_recording() -> None:
    grid = Grid(100, 10)
    assert grid.edges(25).tolist() == [0.0, 0.1, 0.2, 0.25]
    assert grid.edges(30).tolist() == [0.0, 0.1, 0.2, 0.3]
    assert grid.edges(1).tolist() == [0.0, 0.01]
    assert grid.edges(0).tolist() == [0.0]
    assert grid.edges_of(3).tolist() == [0.0, 0.1, 0.2, 0.3]
    assert grid.edges_of(0).tolist() == [0.0]
    assert grid.edges(25).dtype == np.float64


def test_edges_do_not_drift_over_a_day() -> None:
    grid = Grid(44100, 883)  # the period is no short decimal
    n_samples = 44100 * 86400 + 17
    frame = grid.n_frames(n_samples) - 1
    exact = Fraction(frame * 883, 44100)
    assert grid.seconds(frame) == float(exact)
    assert grid.seconds(frame) < n_samples / 44100 <= grid.seconds(frame + 1)


@pytest.mark.parametrize(("seconds", "frames"), [(0.0, 0), (0.029, 1), (0.031, 2), (0.1 + 0.2, 15), (0.06, 3)])
def test_a_length_is_the_nearest_number_of_frames(seconds: float, frames: int) -> None:
    assert Grid(22050, 441).frames_in(seconds) == frames


@pytest.mark.parametrize(
    ("onset", "offset", "frames"),
    [
        (0.0, 0.1, (0, 10)),
        (0.1 + 0.2, 0.7 + 0.1, (30, 80)),  # 0.30000000000000004 and 0.7999999999999999
        (0.3, 0.1 + 0.2, (30, 31)),
        (0.29, 0.31, (29, 31)),
        (0.295, 0.301, (29, 31)),
        (0.333333, 0.333334, (33, 34)),
        (0.25, 0.25, (25, 26)),  # an instant takes the frame that begins with it
        (0.256, 0.256, (25, 26)),
        (0.0, 0.0, (0, 1)),
        (0.2999995, 0.4000005, (30, 40)),  # half a microsecond beside the edges
        (0.299998, 0.400002, (29, 41)),  # two microseconds beside them
    ],
)
def test_an_event_takes_every_frame_that_it_overlaps(onset: float, offset: float, frames: tuple[int, int]) -> None:
    assert COMPARISON_GRID.span(onset, offset) == frames


@pytest.mark.parametrize("grid", GRIDS)
def test_frames_written_with_six_decimals_come_back(grid: Grid) -> None:
    rng = np.random.default_rng(1)
    at_most = 3600 * grid.sample_rate // grid.hop
    for first, length in zip(rng.integers(0, at_most, 300), rng.integers(1, 1000, 300), strict=True):
        first, last = int(first), int(first + length)
        onset, offset = (float(f"{grid.seconds(frame):.6f}") for frame in (first, last))
        if grid.period > 2 * TIME_TOLERANCE:
            assert grid.span(onset, offset) == (first, last)
            assert grid.n_frames_of(offset) == last


@pytest.mark.parametrize("grid", GRIDS[:4])
def test_span_is_that_of_exact_fractions(grid: Grid) -> None:
    """An edge within the tolerance of a frame's edge is on it; all others overlap the frame they lie in."""
    rng = np.random.default_rng(2)
    tolerance = Fraction(TIME_TOLERANCE)
    for onset, length in zip(rng.uniform(0, 600, 300), rng.uniform(0, 0.2, 300), strict=True):
        first, last = grid.span(onset, onset + length)
        frame = Fraction(grid.hop, grid.sample_rate)
        exact_first = (Fraction(onset) + tolerance) // frame
        exact_last = -((tolerance - Fraction(onset + length)) // frame)
        assert (first, last) == (exact_first, max(exact_last, exact_first + 1))


@pytest.mark.parametrize(
    ("sample_rate", "hop", "message"),
    [
        (0, 441, "sample_rate is 0; wanted a positive whole number"),
        (-8000, 80, "sample_rate is -8000; wanted a positive whole number"),
        (22050, 0, "hop is 0; wanted a positive whole number"),
        (22050, 220.5, r"hop is 220\.5; wanted a positive whole number"),
    ],
)
def test_a_grid_needs_positive_whole_numbers(sample_rate: int, hop: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Grid(sample_rate, hop)


def test_a_receptive_field_is_counted_by_pushing_an_impulse() -> None:
    kernels, dilations = (3, 3, 5, 1), (1, 4, 2, 7)
    response = np.ones(1)
    for kernel, dilation in zip(kernels, dilations, strict=True):
        taps = np.zeros((kernel - 1) * dilation + 1)
        taps[::dilation] = 1
        response = np.convolve(response, taps)
    assert receptive_field(kernels, dilations) == len(response)
    assert receptive_field((), ()) == 1
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        receptive_field((3, 3), (1,))
