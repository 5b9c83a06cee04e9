"""How one clip becomes several slices that are alike but not equal."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SLICE, HOP = 4.0, 2.0
"""Seconds: those of UrbanSound8K."""
FEWEST = 3
"""Slices of a clip; where `HOP` gives fewer, they are cut at random places."""
SHARE = (0.6, 0.9)
"""Of a clip that a slice at a random place lasts, as long as that is no longer than `SLICE`."""
CANDIDATES = 12
QUIET_DB = -20.0
"""Relative to the mean power of the clip: what is cut there does not hold its sound."""
FOREGROUND_SNR_DB, BACKGROUND_SNR_DB = (15.0, 30.0), (0.0, 10.0)
GAIN_DB = (-6.0, 6.0)
BALANCE_DB = 3.0
"""How far the two channels of a stereo slice are apart, at most."""
PEAK = 0.99
SETTINGS: dict[str, object] = {
    "slice": SLICE,
    "hop": HOP,
    "fewest": FEWEST,
    "share": SHARE,
    "candidates": CANDIDATES,
    "quiet_db": QUIET_DB,
    "snr_db": {"1": FOREGROUND_SNR_DB, "2": BACKGROUND_SNR_DB},
    "gain_db": GAIN_DB,
    "balance_db": BALANCE_DB,
    "peak": PEAK,
}


def windows(samples: Samples, sample_rate: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Where slices of a clip begin and end, in samples; `samples` has shape (n_samples,). One at least."""
    n_samples, length = len(samples), round(SLICE * sample_rate)
    found = [(first, first + length) for first in range(0, n_samples - length + 1, round(HOP * sample_rate))]
    n_wanted = len(found)
    if n_wanted < FEWEST:
        n_wanted = FEWEST
        lengths = np.minimum(np.ceil(n_samples * rng.uniform(*SHARE, CANDIDATES)).astype(int), length)
        firsts = (rng.uniform(0, 1, CANDIDATES) * (n_samples - lengths)).astype(int)
        found = [(int(first), int(first + its)) for first, its in zip(firsts, lengths, strict=True)]
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    powers = {(first, end): (energy[end] - energy[first]) / (end - first) for first, end in found}
    loud_enough = energy[-1] / n_samples * 10 ** (QUIET_DB / 10)
    heard = [window for window in found if powers[window] >= loud_enough]
    return heard[:n_wanted] or [max(found, key=powers.__getitem__)]


def under(
    sound: Samples, background: Samples, snr_db: tuple[float, float], stereo: bool, rng: np.random.Generator
) -> Samples:
    """`sound`, shape (n_samples,), over a part of `background` at a level and with a gain drawn from `rng`.

    Shape (n_samples,), or (n_samples, 2) where `stereo`: then the channels differ a little in level and hear different
    parts of the background. No sample exceeds `PEAK`.
    """
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) / 10 ** (rng.uniform(*snr_db) / 20)
    channels = []
    for _ in range(1 + stereo):
        first = int(rng.integers(max(1, len(background) - len(sound) + 1)))
        part = np.resize(background[first : first + len(sound)], len(sound)).astype(np.float64)
        part *= level / max(float(np.sqrt(np.mean(np.square(part)))), 1e-9)
        balance = rng.uniform(-BALANCE_DB, BALANCE_DB) / 2 if stereo else 0.0
        channels.append((sound + part) * 10 ** (balance / 20))
    mixed = np.stack(channels, axis=1) * 10 ** (rng.uniform(*GAIN_DB) / 20)
    mixed *= min(1.0, PEAK / max(float(np.abs(mixed).max()), 1e-9))
    return np.asarray(mixed if stereo else mixed[:, 0], dtype=np.float32)


def noise(n_samples: int, rng: np.random.Generator) -> Samples:
    """Steady noise of a colour of its own, between white and brown; shape (n_samples,)."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    spectrum /= np.arange(1, len(spectrum) + 1) ** rng.uniform(0, 1)
    return np.asarray(np.fft.irfft(spectrum, n_samples), dtype=np.float32)
