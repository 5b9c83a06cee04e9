"""Noises that are in no label, made here: what a detector meets when nothing that it knows is to be heard.

Each is mono float32 of shape (n_samples,), and the same every time. Its level is its RMS relative to full scale; of
what is silent for most of the time (clicks, a crackling line) its peak.
"""

import zlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hubbub.mixing.builtin.pieces import (
    Samples,
    band,
    coloured,
    cycles,
    decay,
    fades,
    length,
    peaked,
    rms,
    wander,
    white,
)

SECONDS = 60.0
"""Of each noise at each level: three minutes of most noises, half an hour of all together."""
LEVELS_DB = (-50.0, -30.0, -12.0)
"""Hardly audible, as loud as the sounds in our soundscapes, and as loud as a noise can be without being clipped."""
OFFSET_DB = -80.0
"""Of the noise of the converter that a DC offset comes from."""
SEED = 6


def silence(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """Zeros: a muted microphone."""
    return np.zeros(n, dtype=np.float32)


def white_noise(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """As much power in every hertz."""
    return white(rng, n)


def pink_noise(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """As much power in every octave."""
    return coloured(rng, n, 1.0, sample_rate)


def brown_noise(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """Power that falls by 6 dB an octave: traffic far away."""
    return coloured(rng, n, 2.0, sample_rate)


def hum(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """The mains with fifteen harmonics, the odd ones louder; first at 50 Hz, from the middle on at 60 Hz."""
    halves = []
    for mains in (50, 60):
        second = np.zeros(sample_rate)  # a whole number of periods, so that it can be repeated
        phase = 2 * np.pi * mains * np.arange(sample_rate) / sample_rate
        for harmonic in range(1, 16):
            if harmonic * mains < 0.45 * sample_rate:
                gain = (1.0 if harmonic % 2 else 0.3) / harmonic
                second += gain * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
        halves.append(np.resize(second, n - n // 2 if mains == 50 else n // 2))
    return np.concatenate(halves).astype(np.float32)


def swept_tone(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """One sine that goes slowly from 60 Hz up to 0.45 of the rate, every octave alike."""
    frequency = np.geomspace(60.0, 0.45 * sample_rate, n).astype(np.float32)
    return np.sin(2 * np.pi * cycles(frequency, sample_rate)).astype(np.float32)


def clicks(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """Two a second at random: single samples, and bursts of a few milliseconds as a switch or a cable makes them."""
    out = np.zeros(n, dtype=np.float32)
    burst = length(0.01, sample_rate)
    for at in rng.integers(0, max(1, n - burst), int(2 * n / sample_rate)):
        if rng.random() < 0.5:
            out[at] += rng.choice((-1.0, 1.0))
        else:
            part = peaked(white(rng, burst) * decay(burst, sample_rate, float(rng.uniform(0.002, 0.01))))
            out[at : at + burst] += part[: len(out) - at]
    return peaked(out)


def crackle(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """A worn record or a bad contact: impulses of every height in swarms, on a faint hiss."""
    dense = rng.random(n) < 80.0 / sample_rate * wander(rng, n, sample_rate, 2.0, 0, 1) ** 2
    impulses = dense * rng.lognormal(-2.0, 1.0, n).astype(np.float32) * rng.choice((-1.0, 1.0), n)
    return peaked(band(impulses.astype(np.float32), sample_rate, 300, 7000, order=1)) + white(rng, n) * 0.003


def gusts(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """Wind in a microphone: brown noise that swells and dies away."""
    return coloured(rng, n, 2.0, sample_rate) * wander(rng, n, sample_rate, 0.7, 0.02, 1) ** 2


def offset(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """A constant beside zero, with the noise of its converter."""
    return 1 + white(rng, n) * np.float32(10 ** (OFFSET_DB / 20))


def overdriven(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """Pink noise 20 dB too loud for the converter: most of it stands at full scale."""
    return coloured(rng, n, 1.0, sample_rate) * np.float32(10)


ANY = (None,)
"""Of noises that have no choice of levels."""
NOISES: dict[str, tuple[Callable[[np.random.Generator, int, int], Samples], tuple[float | None, ...]]] = {
    "digital silence": (silence, ANY),
    "white noise": (white_noise, LEVELS_DB),
    "pink noise": (pink_noise, LEVELS_DB),
    "brown noise": (brown_noise, LEVELS_DB),
    "mains hum": (hum, LEVELS_DB),
    "a swept tone": (swept_tone, LEVELS_DB),
    "clicks": (clicks, LEVELS_DB),
    "gusts of wind": (gusts, LEVELS_DB),
    "a crackling line": (crackle, LEVELS_DB),
    "a DC offset": (offset, LEVELS_DB[-1:]),
    "overdriven noise": (overdriven, ANY),
}
"""By name: (generator, number of samples, sample rate) -> samples, and the levels at which it is played."""
BY_PEAK = (clicks, crackle)
N_NOISES = sum(len(levels) for _, levels in NOISES.values())
"""Each at each of its levels."""


def noises(sample_rate: int, seconds: float = SECONDS) -> Iterator[tuple[str, float | None, NDArray[np.float32]]]:
    """(name, level in dB, samples) of every noise at each of its levels; None where it has but one.

    Clipped at full scale, as a recording is; it comes and goes within half a second, or its onset would be a sound of
    its own.
    """
    n = length(seconds, sample_rate)
    envelope = fades(n, sample_rate, 0.5, 0.5)
    for name, (make, levels) in NOISES.items():
        made = make(np.random.default_rng([SEED, zlib.crc32(name.encode())]), n, sample_rate)
        size = 1.0 if levels == ANY or make in BY_PEAK else rms(made)
        for level in levels:
            gain = 1.0 if level is None else 10 ** (level / 20) / size
            yield name, level, np.clip(made * np.float32(gain), -1, 1) * envelope
