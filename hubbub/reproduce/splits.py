"""The three ways to split the mixtures, and what of each side is used.

The report does not say what it split. Drawn at random by sub-sequence, pieces of one mixture, and so of one clip, lie
on both sides: a network can know the answer by heart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from hubbub.datasets.split import SIDES, Side
from hubbub.datasets.tut2016 import Tut2016
from hubbub.errors import DatasetError
from hubbub.grid import Grid
from hubbub.reproduce.results import SplitName
from hubbub.reproduce.size import Size
from hubbub.training.front_end import REPORT_POLYPHONIC
from hubbub.training.predict import SUBSEQUENCE

GRID = Grid(REPORT_POLYPHONIC.sample_rate, REPORT_POLYPHONIC.hop)
SHARES: Mapping[Side, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}


@dataclass(frozen=True, order=True)
class Piece:
    """Frames [first, last) of a recording: one sub-sequence, the last one of a recording is shorter."""

    recording: str
    first: int
    last: int


Pieces = Mapping[Side, Sequence[Piece]]


def split_pieces(data: Tut2016, name: SplitName, size: Size, seed: int) -> Pieces:
    """The sub-sequences of each side, in the order of the data set.

    The official split does not depend on `seed`, the other two are drawn from it. Raises `DatasetError` where a side
    has no recordings.
    """
    of = {
        recording.name: _pieces(recording.name, GRID.n_frames_of(recording.duration)) for recording in data.recordings
    }
    names = list(of)
    rng = np.random.default_rng(seed)
    if name == "subsequence":
        everything = [piece for pieces in of.values() for piece in pieces]
        drawn = _drawn(len(everything), rng)
        chosen = {side: [everything[index] for index in drawn[side]] for side in SIDES}
    elif name == "mixture":
        drawn = _drawn(len(names), rng)
        chosen = {side: [piece for index in drawn[side] for piece in of[names[index]]] for side in SIDES}
    else:
        chosen = {side: [piece for recording in data.sides[side] for piece in of[recording]] for side in SIDES}
    empty = [side for side in SIDES if not chosen[side]]
    if empty:
        raise DatasetError(f"{data.folder}: no mixtures on the {empty[0]} side; wanted some on each of three")
    return {side: _limited(chosen[side], side, name, size, rng) for side in SIDES}


def _pieces(recording: str, n_frames: int) -> list[Piece]:
    return [Piece(recording, first, min(first + SUBSEQUENCE, n_frames)) for first in range(0, n_frames, SUBSEQUENCE)]


def _drawn(n: int, rng: np.random.Generator) -> dict[Side, NDArray[np.int64]]:
    """60 %, 20 % and 20 % of the numbers below `n`, each part sorted."""
    order = rng.permutation(n)
    first, second = round(n * SHARES["train"]), round(n * (SHARES["train"] + SHARES["validation"]))
    parts = order[:first], order[first:second], order[second:]
    return {side: np.sort(part) for side, part in zip(SIDES, parts, strict=True)}


def _limited(pieces: Sequence[Piece], side: Side, name: SplitName, size: Size, rng: np.random.Generator) -> list[Piece]:
    """As much of a side as `size` says: some of its sub-sequences where they were drawn one by one; else whole
    recordings to train on, so that few need to be read, and the beginning of every recording of the other sides, so
    that none is left out."""
    minutes = size.minutes(side)
    if minutes is None:
        return list(pieces)
    wanted = int(np.ceil(60 * minutes / GRID.period))
    if name == "subsequence":
        order = rng.permutation(len(pieces))
        return [pieces[index] for index in np.sort(order[: _enough([pieces[index] for index in order], wanted)])]
    if side == "train":
        return list(pieces[: _enough(pieces, wanted)])
    by_recording: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_recording.setdefault(piece.recording, []).append(piece)
    columns = zip_longest(*by_recording.values())  # the first piece of each recording, the second ones, …
    rounds = [sum(piece.last - piece.first for piece in column if piece is not None) for column in columns]
    each = int(np.searchsorted(np.cumsum(rounds), wanted)) + 1
    return [piece for its_pieces in by_recording.values() for piece in its_pieces[:each]]


def _enough(pieces: Sequence[Piece], wanted: int) -> int:
    """How many of the first pieces hold `wanted` frames; the last one of a recording holds fewer than the others."""
    return int(np.searchsorted(np.cumsum([piece.last - piece.first for piece in pieces]), wanted)) + 1
