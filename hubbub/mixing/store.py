"""Clips in memory: each is looked at once, however often scenes use it, and read again only where memory is short."""

from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.signal import resample_poly

from hubbub import audio
from hubbub.mixing.activity import ActivityConfig, active_spans

FINEST_SPEED = 20
"""Speeds are fractions with denominators up to this."""


@dataclass(frozen=True)
class Facts:
    """What a scene is drawn by: how long a clip is, in samples; where it sounds, shape (n_spans, 2), in samples; and
    the frequency in Hz below which half of its power lies."""

    n_samples: int
    spans: NDArray[np.int64]
    half_power_hz: float


@dataclass(frozen=True)
class Sound:
    """A clip in memory: samples, shape (n_samples,), and what is known of it."""

    samples: NDArray[np.float32]
    facts: Facts


class ClipStore:
    """Reads clips at `sample_rate` and keeps the last ones used, `max_bytes` of samples at most. Threads may share one.

    With a `root`, clips below it are named by their path relative to it, so that scenes can move with their clips.
    """

    def __init__(
        self,
        sample_rate: int,
        activity: ActivityConfig | None = None,
        root: Path | None = None,
        max_bytes: int = 512 * 2**20,
    ) -> None:
        self.sample_rate = sample_rate
        self.activity = activity if activity is not None else ActivityConfig()
        self.root = root
        self.max_bytes = max_bytes
        self._names: dict[Path, str] = {}  # asked for at every draw, and paths are slow
        self._bytes = 0
        self._lock = Lock()
        self._sounds: OrderedDict[tuple[str, float], Sound] = OrderedDict()
        # of all that was ever asked for, samples or not: most of a scene that is drawn is never heard
        self._facts: dict[tuple[str, float], Facts] = {}

    def name(self, path: Path) -> str:
        """How a scene names the clip at `path`."""
        if path not in self._names:
            inside = self.root is not None and path.is_relative_to(self.root)
            self._names[path] = (path.relative_to(self.root) if inside and self.root else path).as_posix()
        return self._names[path]

    def sound(self, name: str, speed: float = 1.0) -> Sound:
        """The clip that a scene calls `name`, played `speed` times as fast. Raises `AudioError` where it cannot be
        read."""
        key = name, speed
        with self._lock:
            if key in self._sounds:
                self._sounds.move_to_end(key)
                return self._sounds[key]
        if speed == 1:
            path = Path(name) if self.root is None else self.root / name
            samples, _ = audio.read(path, self.sample_rate)
        else:
            ratio = Fraction(speed).limit_denominator(FINEST_SPEED)
            samples = resample_poly(self.sound(name).samples, ratio.denominator, ratio.numerator).astype(np.float32)
        samples.flags.writeable = False
        sound = Sound(samples, self._facts.get(key) or self._facts_of(samples))
        with self._lock:  # reading is left out: two threads may read one clip, and one of them keeps it
            self._bytes += samples.nbytes if key not in self._sounds else 0
            self._sounds[key], self._facts[key] = sound, sound.facts
            while self._bytes > self.max_bytes and len(self._sounds) > 1:
                self._bytes -= self._sounds.popitem(last=False)[1].samples.nbytes
        return sound

    def facts(self, name: str, speed: float = 1.0) -> Facts:
        """What is known of the clip that a scene calls `name`, played `speed` times as fast. Raises `AudioError` where
        it cannot be read."""
        return self._facts.get((name, speed)) or self.sound(name, speed).facts

    def _facts_of(self, samples: NDArray[np.float32]) -> Facts:
        spans = active_spans(samples, self.sample_rate, self.activity)
        return Facts(len(samples), spans, self._half_power(samples))

    def _half_power(self, samples: NDArray[np.float32]) -> float:
        n = next_fast_len(len(samples), real=True)
        power = np.cumsum(np.square(np.abs(rfft(samples, n))), dtype=np.float64)
        return float(np.searchsorted(power, power[-1] / 2) * self.sample_rate / n)
