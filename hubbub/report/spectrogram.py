"""A mel spectrogram to look at: as many columns as the picture is wide, however long the recording is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 0.046
LOWEST_FREQUENCY = 40.0
DYNAMIC_RANGE = 70.0
"""Decibels between the loudest band and black."""
FRAMES_PER_COLUMN = 48
"""At most, spread evenly: while they suffice the frames overlap by half, beyond that they sample the sound."""
CHUNK = 1024
"""Frames transformed at once."""


@dataclass(frozen=True)
class Spectrogram:
    """`decibels`, shape (n_bands, n_columns), against the loudest cell (0), lowest band first.

    `frequencies` are the bands' centres, shape (n_bands,), in Hz; `duration` is in seconds.
    """

    decibels: NDArray[np.float32]
    frequencies: NDArray[np.float64]
    duration: float

    @property
    def brightness(self) -> NDArray[np.float32]:
        """Shape (n_bands, n_columns), from 0 (`DYNAMIC_RANGE` below the loudest, or less) to 1."""
        bright: NDArray[np.float32] = np.clip(1 + self.decibels / DYNAMIC_RANGE, 0, 1)
        return bright

    def height_of(self, frequency: float) -> float:
        """Where a frequency stands on the picture: 0 at the bottom, 1 at the top."""
        centres = hertz_to_mel(self.frequencies)
        half_band = (centres[1] - centres[0]) / 2
        low, high = centres[0] - half_band, centres[-1] + half_band
        return float((hertz_to_mel(np.float64(frequency)) - low) / (high - low))


def spectrogram(
    samples: NDArray[np.floating], sample_rate: int, n_columns: int = 1200, n_bands: int = 96
) -> Spectrogram:
    """The spectrogram of mono `samples`, shape (n_samples,), in `n_columns` columns of equal length.

    A column is the loudest of the Hann-windowed frames centred in it, never their mean: a click in half an hour can
    still be seen. Samples that are no numbers count as silence.
    """
    samples = np.asarray(samples)
    size = 2 ** max(6, round(np.log2(WINDOW_SECONDS * sample_rate)))
    filters, frequencies = mel_filters(sample_rate, size, n_bands)
    per_column = int(np.clip(np.ceil(2 * len(samples) / n_columns / size), 1, FRAMES_PER_COLUMN))
    n_frames = n_columns * per_column
    centres = (2 * np.arange(n_frames, dtype=np.int64) + 1) * len(samples) // (2 * n_frames)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    power = np.empty((n_frames, n_bands), dtype=np.float32)
    for first in range(0, n_frames, CHUNK):
        chunk = centres[first : first + CHUNK]
        frames = _frames(samples, chunk, size)
        spectrum = np.fft.rfft(frames * window)
        power[first : first + CHUNK] = (spectrum.real**2 + spectrum.imag**2) @ filters.T
    loudest = power.reshape(n_columns, per_column, n_bands).max(axis=1).T
    peak = max(float(loudest.max()), 1e-10)
    decibels = 10 * np.log10(np.maximum(loudest / peak, 1e-12))
    return Spectrogram(decibels.astype(np.float32), frequencies, len(samples) / sample_rate)


def _frames(samples: NDArray[np.floating], centres: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """`size` samples around each of the rising `centres`, shape (n_centres, size), with silence beyond both ends."""
    low, high = int(centres[0]) - size // 2, int(centres[-1]) + size // 2
    piece = np.nan_to_num(samples[max(0, low) : high].astype(np.float32), posinf=0, neginf=0)
    padded = np.pad(piece, (max(0, -low), max(0, high - len(samples))))
    frames: NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(padded, size)[centres - centres[0]]
    return frames


def mel_filters(sample_rate: int, n_fft: int, n_bands: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Triangles evenly spaced in mel, each of weight one: shape (n_bands, n_fft // 2 + 1); and their centres in Hz.

    A triangle is never narrower than two bins, so that no low band is empty.
    """
    corners = mel_to_hertz(
        np.linspace(hertz_to_mel(np.float64(LOWEST_FREQUENCY)), hertz_to_mel(np.float64(sample_rate / 2)), n_bands + 2)
    )
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    spacing = sample_rate / n_fft
    centres = corners[1:-1, None]
    below = np.maximum(centres - corners[:-2, None], spacing)
    above = np.maximum(corners[2:, None] - centres, spacing)
    weights = np.clip(np.minimum(1 + (bins - centres) / below, 1 - (bins - centres) / above), 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32), corners[1:-1]


def hertz_to_mel(frequency: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """2595 log10(1 + f / 700): O'Shaughnessy, Speech Communication, 1987."""
    return np.asarray(2595 * np.log10(1 + frequency / 700), dtype=np.float64)


def mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `hertz_to_mel`."""
    return 700 * (10 ** (mel / 2595) - 1)
