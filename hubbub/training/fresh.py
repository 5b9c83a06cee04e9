"""Soundscapes mixed anew for every step of training: no mixture is heard twice.

A fixed set of mixtures teaches a network the mixtures. Every item here is an excerpt of a scene of its own, drawn from
(seed, epoch, number): a run that was killed goes on with what it would have heard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from hubbub.datasets.features import content_hash, key_of
from hubbub.events import Event, to_targets
from hubbub.grid import Grid
from hubbub.mixing import Clip, ClipStore, MixConfig, render, sample_scene
from hubbub.probing.noises import NOISES
from hubbub.training.data import Augment
from hubbub.training.front_end import FrontEnd, FrontEndConfig

QUIET_DB = (-65.0, -10.0)
"""Levels of a background or a noise alone, dB of full scale."""
NOISE_SNR_DB = (3.0, 30.0)
"""How far a noise lies below the events over it."""
STEADY_NOISES = ("white noise", "pink noise", "brown noise", "mains hum", "gusts of wind", "a swept tone")
"""Clicks and crackle are left out: a step or a shot is no more than that at times."""
GAP_SECONDS, MOST_GAPS = (0.1, 4.0), 3


@dataclass(frozen=True)
class Fresh:
    """What to mix: clips by label, backgrounds, how, and for how many `minutes` an epoch. `labels` are those asked for;
    clips of others sound too, and a background with a label of these is an event. The `store` has the rate of the front
    end. `noisy`: the part of the items that lie under a noise made here; `quiet`: the part in which no clip sounds,
    only background or such a noise, at any level; `gaps`: the part with stretches of no sample at all, as where audio
    was lost or a clip begins and ends in the middle of a sound, so that such an edge is not taken for a bang."""

    clips: Mapping[str, Sequence[Clip]]
    backgrounds: Sequence[Clip]
    mixing: MixConfig
    labels: Sequence[str]
    front_end: FrontEndConfig
    minutes: float
    store: ClipStore = field(repr=False)
    noisy: float = 0.0
    quiet: float = 0.0
    gaps: float = 0.0

    def read(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Reads every clip once. Raises `AudioError` where one cannot be read, before the work."""
        everything = [clip for members in (*self.clips.values(), self.backgrounds) for clip in members]
        for done, clip in enumerate(everything, start=1):
            self.store.facts(self.store.name(clip.path))
            if progress is not None:
                progress(done, len(everything))

    def segments(
        self,
        length: int,
        context: int,
        look_ahead: int,
        silence: NDArray[np.float32],
        augment: Augment | None = None,
        seed: int = 0,
    ) -> "Dataset[tuple[Tensor, Tensor, Tensor]]":
        """What a network with such a context trains on."""
        return FreshSegments(self, length, context, look_ahead, silence, augment, seed)

    @property
    def key(self) -> str:
        """A key of all that is heard, and of how it is drawn: the names in `clips` are drawn first."""
        drawn = [*self.clips.items(), ("", self.backgrounds)]
        heard = sorted([name, clip.label, content_hash(clip.path)] for name, members in drawn for clip in members)
        parts = (self.noisy, self.quiet, self.gaps)
        return key_of(self.mixing.model_dump(), heard, list(self.labels), self.minutes, *parts)


class FreshSegments(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Excerpts of `length` frames with `context` frames before and `look_ahead` frames after them, as `Segments` has
    them, indexed by (epoch, number). Some begin before their scene does, in silence."""

    def __init__(
        self,
        fresh: Fresh,
        length: int,
        context: int,
        look_ahead: int,
        silence: NDArray[np.float32],
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.fresh = fresh
        self.length, self.context, self.look_ahead = length, context, look_ahead
        self.silence = silence
        self.augment = augment
        self.seed = seed
        self.front_end = FrontEnd(fresh.front_end)
        self.grid = Grid(fresh.front_end.sample_rate, fresh.front_end.hop)
        self.sounding = {fresh.store.name(c.path): c.label for c in fresh.backgrounds if c.label in fresh.labels}

    def __len__(self) -> int:
        return max(1, round(60 * self.fresh.minutes / (self.length * self.grid.period)))

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        fresh, grid = self.fresh, self.grid
        rng = np.random.default_rng([self.seed, *key])
        scene = sample_scene(fresh.clips, fresh.mixing, rng, backgrounds=fresh.backgrounds, store=fresh.store)
        n_frames = self.context + self.length + self.look_ahead
        latest = max(0, grid.n_frames_of(scene.duration) - self.context - self.length)
        first = int(rng.integers(-self.context, latest + 1))  # of the context, in frames of the scene
        before = self.front_end.left_context / grid.sample_rate
        n_samples = (n_frames - 1) * grid.hop + fresh.front_end.n_fft
        heard = scene.excerpt(grid.seconds(first) - before, n_samples / grid.sample_rate)
        quiet, noisy = rng.random(2) < (fresh.quiet, fresh.noisy)
        if quiet:
            heard = heard.model_copy(update={"placements": ()})
        samples, events = render(heard, fresh.store)
        parts = [part for part in heard.background if part.file in self.sounding]
        events += [Event(part.onset, part.onset + part.length, self.sounding[part.file]) for part in parts]
        samples = np.pad(samples, (0, max(0, n_samples - len(samples))))[:n_samples]
        if quiet or noisy:
            samples = self._with_noise(samples, scene.gain_db, quiet, bool(parts), rng)
        emptied = self._gaps(rng, len(samples)) if fresh.gaps and rng.random() < fresh.gaps else []
        for start, end in emptied:
            samples[start:end] = 0
        with torch.inference_mode():
            features: NDArray[np.float32] = self.front_end(torch.from_numpy(samples)[None])[0].numpy()
        if self.augment is not None:
            features = self.augment(features, self.silence, rng)
        asked = before + grid.seconds(self.context)
        moved = [
            Event(max(0.0, event.onset - asked), event.offset - asked, event.label)
            for event in events
            if event.label in fresh.labels and event.offset > asked
        ]
        targets = to_targets(moved, fresh.labels, grid, self.length).astype(np.float32)
        before_targets = self.front_end.left_context + self.context * grid.hop
        for start, end in emptied:  # where a whole frame is empty
            first, last = -(-(start - before_targets) // grid.hop), (end - before_targets) // grid.hop
            targets[max(0, first) : max(0, last)] = 0
        return torch.from_numpy(features), torch.from_numpy(targets), torch.ones(self.length)

    def _gaps(self, rng: np.random.Generator, n_samples: int) -> list[tuple[int, int]]:
        """Where they begin and end, in samples."""
        shortest, longest = np.log(GAP_SECONDS)
        lengths = np.exp(rng.uniform(shortest, longest, size=int(rng.integers(1, MOST_GAPS + 1))))
        starts = rng.integers(0, n_samples, size=len(lengths))
        rate = self.grid.sample_rate
        return [(int(start), int(start + length * rate)) for start, length in zip(starts, lengths, strict=True)]

    def _with_noise(
        self, samples: NDArray[np.float32], gain_db: float, quiet: bool, sounding: bool, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Under a sound its level keeps below that of the events; alone it may be as loud as they are, and louder. A
        background that is an event no noise may drown: alone it has the noise's level itself."""
        level_db = (
            rng.uniform(*QUIET_DB) if quiet else self.fresh.mixing.level_db + gain_db - rng.uniform(*NOISE_SNR_DB)
        )
        loud = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        mixed: NDArray[np.float32]
        if quiet and loud > 0 and (rng.random() < 0.5 or sounding):
            mixed = samples * np.float32(10 ** (level_db / 20) / loud)
        else:
            noise = NOISES[str(rng.choice(STEADY_NOISES))][0](rng, len(samples), self.grid.sample_rate)
            size = float(np.sqrt(np.mean(np.square(noise, dtype=np.float64))))
            mixed = samples + noise * np.float32(10 ** (level_db / 20) / size)
        np.clip(mixed, -1, 1, out=mixed)
        return mixed
