"""Segments of cached features, or whole clips, for training: cut, padded with silence, masked, augmented.

Every random choice of an item is drawn from a generator seeded by (seed, epoch, index): an epoch is the same whether
the run came to it in one go or was killed and resumed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

DECIBEL = np.log(10) / 10  # one decibel in the natural logarithm of a power


@dataclass(frozen=True)
class Example:
    """One recording: `features` (n_frames, n_features), memory-mapped; `targets` (n_frames, n_labels), multi-hot. Of a
    clip with one label the targets are a single row, one-hot."""

    name: str
    features: NDArray[np.float32]
    targets: NDArray[np.bool_]


@dataclass(frozen=True)
class Augment:
    """Changes of log-mel features that keep the labels: level, tone colour, pitch, a hidden band.

    `gain_db`, `colour_db`: largest change of the whole level, and of a smooth curve over the bands; `shifted_bands`:
    how many mel bands up or down everything moves at most; `masked_bands`: widest stripe of bands set to silence (as in
    SpecAugment, Park et al. 2019).
    """

    gain_db: float = 8.0
    colour_db: float = 8.0
    shifted_bands: int = 3
    masked_bands: int = 12

    def __call__(
        self, features: NDArray[np.float32], silence: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """(n_frames, n_features) → the same shape; nothing falls below `silence`, shape (n_features,)."""
        n_bands = features.shape[1]
        knots = rng.uniform(-self.colour_db, self.colour_db, size=5)
        curve = np.interp(np.arange(n_bands), np.linspace(0, n_bands - 1, len(knots)), knots)
        change = (curve + rng.uniform(-self.gain_db, self.gain_db)) * DECIBEL
        changed: NDArray[np.float32] = np.maximum(features + change.astype(np.float32), silence)
        shift = int(rng.integers(-self.shifted_bands, self.shifted_bands + 1))
        if shift:
            changed = np.roll(changed, shift, axis=1)
            emptied = slice(0, shift) if shift > 0 else slice(n_bands + shift, n_bands)
            changed[:, emptied] = silence[emptied]
        width = int(rng.integers(0, min(self.masked_bands, n_bands) + 1))
        first = int(rng.integers(0, n_bands - width + 1))
        changed[:, first : first + width] = silence[first : first + width]
        return changed


class Segments(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Segments of `length` frames with `context` frames before and `look_ahead` frames after them.

    An item is features (context + length + look_ahead, n_features), targets (length, n_labels) and a mask (length,)
    that is 0 for padded frames. Indexed by a number the segments are the recordings cut end to end; indexed by
    (epoch, number), as `EpochSampler` does, they begin at random places and are augmented; numbers past the last
    segment begin anew, at other random places.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        length: int,
        context: int,
        look_ahead: int,
        silence: NDArray[np.float32],
        augment: Augment | None = None,
        seed: int = 0,
        jitter: bool = False,
    ) -> None:
        self.examples = examples
        self.length, self.context, self.look_ahead = length, context, look_ahead
        self.silence = silence
        self.augment = augment
        self.seed = seed
        self.jitter = jitter
        self.places = [
            (index, start)
            for index, example in enumerate(examples)
            for start in range(0, len(example.features), length)
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: int | tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        epoch, number = key if isinstance(key, tuple) else (None, key)
        index, start = self.places[number % len(self.places)]
        example = self.examples[index]
        rng = np.random.default_rng([self.seed, epoch, number]) if epoch is not None else None
        if rng is not None and self.jitter:
            shift = int(rng.integers(-self.length // 2, self.length // 2 + 1))
            start = min(max(0, start + shift), max(0, len(example.features) - self.length))
        features = self._cut(example.features, start - self.context, start + self.length + self.look_ahead)
        if rng is not None and self.augment is not None:
            features = self.augment(features, self.silence, rng)
        n_valid = min(self.length, len(example.targets) - start)
        targets = np.zeros((self.length, example.targets.shape[1]), np.float32)
        targets[:n_valid] = example.targets[start : start + n_valid]
        mask = np.zeros(self.length, np.float32)
        mask[:n_valid] = 1
        return torch.from_numpy(features), torch.from_numpy(targets), torch.from_numpy(mask)

    def _cut(self, features: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
        """Frames [first, last), silence where the recording does not reach."""
        cut = np.tile(self.silence, (last - first, 1))
        inside = slice(max(first, 0), min(last, len(features)))
        cut[inside.start - first : inside.stop - first] = features[inside]
        return cut


class Clips(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Whole clips, `length` frames of each, with `look_ahead` frames after them; silence where a clip does not reach.

    An item is features (length + look_ahead, n_features), targets (n_labels,), one of which is 1, and a mask (length,)
    that is 0 behind the clip. Indexed by (epoch, number), as `EpochSampler` does, clips are augmented, and where
    `least_part` is below 1 a part of each is cut out, at least so much of it.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        length: int,
        look_ahead: int,
        silence: NDArray[np.float32],
        augment: Augment | None = None,
        seed: int = 0,
        least_part: float = 1.0,
    ) -> None:
        self.examples = examples
        self.length, self.look_ahead = length, look_ahead
        self.silence = silence
        self.augment = augment
        self.seed = seed
        self.least_part = least_part

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, key: int | tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        epoch, number = key if isinstance(key, tuple) else (None, key)
        example = self.examples[number % len(self.examples)]
        n_frames, first = min(len(example.features), self.length), 0
        rng = np.random.default_rng([self.seed, epoch, number]) if epoch is not None else None
        if rng is not None and self.least_part < 1:
            n_frames = max(1, round(n_frames * rng.uniform(self.least_part, 1)))
            first = int(rng.integers(0, len(example.features) - n_frames + 1))
        features = np.tile(self.silence, (self.length + self.look_ahead, 1))
        features[:n_frames] = example.features[first : first + n_frames]
        if rng is not None and self.augment is not None:
            features[:n_frames] = self.augment(features[:n_frames], self.silence, rng)
        mask = np.zeros(self.length, np.float32)
        mask[:n_frames] = 1
        targets = example.targets[0].astype(np.float32)
        return torch.from_numpy(features), torch.from_numpy(targets), torch.from_numpy(mask)


class EpochSampler(Sampler[tuple[int, int]]):
    """Shuffled (epoch, number) pairs, each item `repeats` times, `most` of them where it is given.

    Lightning calls `set_epoch`, after a resume too.
    """

    def __init__(self, n_items: int, seed: int, repeats: int = 1, most: int | None = None) -> None:
        self.n_items = n_items * repeats
        self.most = self.n_items if most is None else min(most, self.n_items)
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.most

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n_items)[: self.most]
        return ((self.epoch, int(number)) for number in order)
