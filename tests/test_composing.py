"""Music composed at random, which the detectors that ship learn from."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def composing(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "scripts"))
    return importlib.import_module("shipping.composing")


def test_pieces_are_as_long_as_asked_and_can_be_played(composing: Any) -> None:
    pieces = [composing.composed(np.random.default_rng([1, number])) for number in range(60)]
    for piece in pieces:
        seconds_a_tick = 60 / piece.beats_a_minute / (4 * composing.TICKS)
        bar = composing.STEPS * composing.TICKS
        last = max(start for start, *_ in piece.notes)
        assert (last + bar) * seconds_a_tick >= composing.SECONDS
        for start, length, channel, pitch, velocity in piece.notes:
            assert start >= 0 and length > 0 and channel in piece.programs
            assert 0 <= pitch < 128 and 0 < velocity < 128
    drums = [composing.DRUM_CHANNEL in piece.programs for piece in pieces]
    alone = [set(piece.programs) == {composing.DRUM_CHANNEL} for piece in pieces]
    assert 0 < sum(alone) < sum(drums) < len(pieces)
    drums_only = [composing.composed(np.random.default_rng([1, number]), True) for number in range(9)]
    assert all(set(piece.programs) == {composing.DRUM_CHANNEL} and piece.notes for piece in drums_only)


def test_pieces_are_the_same_for_the_same_seed_and_differ_for_others(composing: Any) -> None:
    first, again, other = (composing.composed(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
