"""What the built-in sounds are put together from: noise, filters, envelopes, voices, rooms.

Every signal is float32, mono, shape (n_samples,); every frequency is in hertz, every time in seconds. A contour is a
value for every sample, shape (n_samples,).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter, oaconvolve

from hubbub.mixing.filters import filtered, high_pass, low_pass

Samples = NDArray[np.float32]


def length(seconds: float, sample_rate: int) -> int:
    """Samples in `seconds`, at least one."""
    return max(1, round(seconds * sample_rate))


def times(n: int, sample_rate: int) -> Samples:
    """Seconds at each of `n` samples."""
    return np.arange(n, dtype=np.float32) / np.float32(sample_rate)


# Sources


def white(rng: np.random.Generator, n: int) -> Samples:
    """Gaussian white noise of variance 1."""
    return rng.standard_normal(n, dtype=np.float32)


def coloured(rng: np.random.Generator, n: int, exponent: float, sample_rate: int) -> Samples:
    """Noise whose power falls as 1 / f ** exponent above 20 Hz; RMS 1."""
    fast = next_fast_len(n, real=True)
    spectrum = rfft(white(rng, fast))
    frequency = np.fft.rfftfreq(fast, 1 / sample_rate)
    spectrum *= (np.maximum(frequency, 20.0) / 1000.0).astype(np.float32) ** np.float32(-exponent / 2)
    spectrum[frequency < 20.0] = 0
    noise = irfft(spectrum, fast)[:n].astype(np.float32)
    return noise / max(rms(noise), 1e-9)


def cycles(frequency: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Turns made since the beginning by an oscillator that follows the contour `frequency`."""
    return np.cumsum(frequency, dtype=np.float64) / sample_rate


def sawtooth(frequency: Samples, sample_rate: int, start: float = 0.0) -> Samples:
    """A sawtooth along the contour `frequency`, its jumps rounded by a polynomial so that it hardly aliases.

    PolyBLEP: Välimäki, Pekonen, Nam 2012, "Perceptually informed synthesis of bandlimited classical waveforms".
    """
    step = (frequency / np.float32(sample_rate)).astype(np.float32)
    phase = ((cycles(frequency, sample_rate) + start) % 1.0).astype(np.float32)
    wave = 2 * phase - 1
    after = phase < step
    ratio = phase[after] / step[after]
    wave[after] -= 2 * ratio - ratio**2 - 1
    before = phase > 1 - step
    ratio = (phase[before] - 1) / step[before]
    wave[before] -= ratio**2 + 2 * ratio + 1
    return wave


def pulses(frequency: Samples, sample_rate: int, heights: Sequence[float] = (1.0,)) -> Samples:
    """One impulse a turn of the contour `frequency`; the turns take their `heights` one after the other."""
    turn = np.floor(cycles(frequency, sample_rate)).astype(np.int64)
    at = np.flatnonzero(np.diff(turn, prepend=-1))
    train = np.zeros(len(frequency), dtype=np.float32)
    train[at] = np.asarray(heights, dtype=np.float32)[turn[at] % len(heights)]
    return train


def partials(
    n: int, sample_rate: int, frequencies: NDArray[np.float64], gains: NDArray[np.float64], t60s: NDArray[np.float64]
) -> Samples:
    """Struck modes: sines that die away, each by 60 dB within its `t60s`; those above 0.48 of the rate are left out."""
    keep = frequencies < 0.48 * sample_rate
    time = times(n, sample_rate)[np.newaxis]
    phase = np.float32(2 * np.pi) * frequencies[keep, np.newaxis].astype(np.float32) * time
    fall = np.exp(np.float32(-6.9078) / t60s[keep, np.newaxis].astype(np.float32) * time)
    out: Samples = np.einsum("k,kn->n", gains[keep].astype(np.float32), np.sin(phase) * fall)
    return out


def sung(
    frequency: Samples,
    sample_rate: int,
    formants: Sequence[tuple[Samples | float, float, float]],
    tilt: float = 1.0,
) -> Samples:
    """A voice along the contour `frequency`: harmonics weighted by formants that may move.

    A formant is (centre contour or constant, bandwidth, gain). Harmonic k starts from 1 / k ** `tilt`. Harmonics above
    0.47 of the rate are silent.
    """
    n = len(frequency)
    turns = (cycles(frequency, sample_rate) % 1.0).astype(np.float32)
    # Gains change slowly: they are computed every 128 samples and drawn straight between.
    knots = np.arange(0, n + 255, 128)
    coarse = frequency[np.minimum(knots, n - 1)]
    centres = [np.broadcast_to(np.asarray(c, dtype=np.float32), (n,))[np.minimum(knots, n - 1)] for c, _, _ in formants]
    out = np.zeros(n, dtype=np.float32)
    share = np.arange(128, dtype=np.float32) / 128
    for k in range(1, int(0.47 * sample_rate / max(float(frequency.min()), 20.0)) + 1):
        weight = np.full(len(knots), 0.01, dtype=np.float32)
        for centre, (_, bandwidth, gain) in zip(centres, formants, strict=True):
            weight += np.float32(gain) / (1 + ((k * coarse - centre) / np.float32(bandwidth)) ** 2)
        weight *= np.where(k * coarse < 0.47 * sample_rate, np.float32(k) ** np.float32(-tilt), np.float32(0))
        if weight.max() < 3e-3:
            continue
        loudness = weight[:-1, np.newaxis] + np.diff(weight)[:, np.newaxis] * share
        out += loudness.reshape(-1)[:n] * np.sin(np.float32(2 * np.pi * k) * turns)
    return out


# Contours and envelopes


def wander(rng: np.random.Generator, n: int, sample_rate: int, rate: float, low: float, high: float) -> Samples:
    """A smooth random contour between `low` and `high` with about `rate` turns a second."""
    n_knots = max(4, int(np.ceil(n / sample_rate * rate)) + 3)
    values = rng.uniform(low, high, n_knots)
    position = np.linspace(0, n_knots - 1, n)
    left = np.minimum(position.astype(np.int64), n_knots - 2)
    share = position - left
    share = share * share * (3 - 2 * share)
    contour: Samples = (values[left] * (1 - share) + values[left + 1] * share).astype(np.float32)
    return contour


def through(n: int, *points: tuple[float, float]) -> Samples:
    """A contour drawn straight through (position from 0 to 1, value)."""
    positions, values = zip(*points, strict=True)
    return np.asarray(np.interp(np.linspace(0, 1, n), positions, values), dtype=np.float32)


def decay(n: int, sample_rate: int, t60: float) -> Samples:
    """An envelope that starts at 1 and loses 60 dB in `t60` seconds."""
    return np.asarray(np.exp(np.float32(-6.9078 / t60) * times(n, sample_rate)), dtype=np.float32)


def fades(n: int, sample_rate: int, attack: float, release: float) -> Samples:
    """An envelope that rises over `attack` and falls over `release` seconds, as halves of a cosine."""
    envelope = np.ones(n, dtype=np.float32)
    rise = min(length(attack, sample_rate), n)
    fall = min(length(release, sample_rate), n)
    envelope[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise, dtype=np.float32) / rise)
    envelope[n - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall, dtype=np.float32) / fall)
    return envelope


# Filters


def band(x: Samples, sample_rate: int, low: float | None, high: float | None, order: int = 2) -> Samples:
    """Butterworth low-pass, high-pass or one after the other; an edge past 0.45 of the rate is no edge."""
    sections = []
    if low is not None:
        sections.append(high_pass(min(low, 0.4 * sample_rate), sample_rate, order))
    if high is not None and high < 0.45 * sample_rate:
        sections.append(low_pass(high, sample_rate, order))
    return filtered(x, *sections) if sections else x


def resonate(x: Samples, sample_rate: int, peaks: Sequence[tuple[float, float, float]]) -> Samples:
    """Two-pole resonators side by side, each (centre, bandwidth, gain at the centre); none past 0.47 of the rate."""
    out = np.zeros_like(x)
    for centre, bandwidth, gain in peaks:
        if centre >= 0.47 * sample_rate:
            continue
        radius = np.exp(-np.pi * bandwidth / sample_rate)
        turn = 2 * np.pi * centre / sample_rate
        scale = gain * (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * turn) + radius**2)
        a = np.array([1, -2 * radius * np.cos(turn), radius**2])
        out += np.asarray(lfilter([scale], a, x.astype(np.float64)), dtype=np.float32)
    return out


def convolved(x: Samples, response: Samples) -> Samples:
    """`x` through an impulse response, as long as both together less one."""
    return np.asarray(oaconvolve(x, response), dtype=np.float32)


def room(rng: np.random.Generator, x: Samples, sample_rate: int, t60: float, wet: float) -> Samples:
    """`x` with the tail of a room: noise that loses 60 dB in `t60`, `wet` as loud as `x` itself. Longer than `x`."""
    n = length(min(t60, 2.5), sample_rate)
    tail = white(rng, n) * decay(n, sample_rate, t60)
    tail[: length(0.004, sample_rate)] = 0
    tail = band(tail, sample_rate, 150.0, float(rng.uniform(2500, 9000)), order=1)
    echo = convolved(x, tail)
    echo *= wet * rms(x) * np.sqrt(len(x) / len(echo)) / max(rms(echo), 1e-9)
    echo[: len(x)] += x
    return echo


# Putting together


def rms(x: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if len(x) else 0.0


def add(out: Samples, x: Samples, at: float, sample_rate: int, gain: float = 1.0) -> None:
    """Adds `x` to `out` from `at` seconds on; what does not fit is cut."""
    start = round(at * sample_rate)
    part = x[: max(0, len(out) - start)]
    out[start : start + len(part)] += np.float32(gain) * part


def peaked(x: Samples, peak: float = 1.0) -> Samples:
    """`x` scaled to a largest absolute value of `peak`."""
    return (x * np.float32(peak / max(float(np.abs(x).max()), 1e-9))).astype(np.float32)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with `probability`."""
    return bool(rng.random() < probability)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between `low` and `high`, every octave alike."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def recorded(rng: np.random.Generator, x: Samples, sample_rate: int, room_chance: float = 0.4) -> Samples:
    """`x` as somebody recorded it: perhaps in a room, perhaps with a dull microphone, hiss and another level.

    The result is finite, begins and ends at zero, and its peak lies between 0.1 and 0.9.
    """
    x = band(x, sample_rate, 20, None, order=1) * fades(len(x), sample_rate, 0.001, 0.02)
    if chance(rng, room_chance):
        x = room(rng, x, sample_rate, log_uniform(rng, 0.2, 0.9), float(rng.uniform(0.1, 0.5)))
    if chance(rng, 0.2):
        x = band(x, sample_rate, None, log_uniform(rng, 4000, 9000), order=3)
    if chance(rng, 0.2):
        x = band(x, sample_rate, log_uniform(rng, 60, 300), None, order=1)
    x = peaked(x)
    if chance(rng, 0.4):
        x = x + coloured(rng, len(x), float(rng.uniform(0, 1.5)), sample_rate) * np.float32(
            log_uniform(rng, 3e-4, 4e-3)
        )
    x *= fades(len(x), sample_rate, 0.002, 0.02)
    return peaked(x, float(10 ** (rng.uniform(-18, -1) / 20)))
