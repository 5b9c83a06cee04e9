"""Small recursive filters in closed form: designing one costs microseconds, so that every excerpt can have its own."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

Sections = NDArray[np.float32]
"""Second-order sections, shape (n_sections, 6), as `scipy.signal.sosfilt` takes them."""


def low_pass(cutoff: float, sample_rate: int, order: int) -> Sections:
    """Butterworth low-pass of any order, -3 dB at `cutoff` Hz, by the bilinear transform."""
    return _butterworth(cutoff, sample_rate, order, high=False)


def high_pass(cutoff: float, sample_rate: int, order: int) -> Sections:
    """Butterworth high-pass of any order, -3 dB at `cutoff` Hz, by the bilinear transform."""
    return _butterworth(cutoff, sample_rate, order, high=True)


def high_shelf(corner: float, gain_db: float, sample_rate: int) -> Sections:
    """Lifts what lies above `corner` Hz by `gain_db`, half of it at the corner; slope 0.5.

    Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (W3C note, 2021).
    """
    a = 10 ** (gain_db / 40)
    turn = 2 * np.pi * corner / sample_rate
    cos = np.cos(turn)
    root = np.sqrt(a) * np.sin(turn) * np.sqrt((a + 1 / a) + 2)  # 2 sqrt(A) alpha with S = 0.5: 1 / S - 1 = 1
    b = a * np.array([(a + 1) + (a - 1) * cos + root, -2 * ((a - 1) + (a + 1) * cos), (a + 1) + (a - 1) * cos - root])
    c = np.array([(a + 1) - (a - 1) * cos + root, 2 * ((a - 1) - (a + 1) * cos), (a + 1) - (a - 1) * cos - root])
    return np.asarray(np.concatenate((b, c))[np.newaxis] / c[0], dtype=np.float32)


def filtered(x: NDArray[np.float32], *sections: Sections) -> NDArray[np.float32]:
    """`x`, shape (n_samples,), through all `sections` one after the other, from rest."""
    return np.asarray(sosfilt(np.concatenate(sections), x), dtype=np.float32)


def _butterworth(cutoff: float, sample_rate: int, order: int, high: bool) -> Sections:
    k = np.tan(np.pi * cutoff / sample_rate)
    sections = []
    for index in range(order // 2):
        damping = 2 * np.sin(np.pi * (2 * index + 1) / (2 * order))
        norm = 1 / (1 + damping * k + k * k)
        b = (norm, -2 * norm, norm) if high else (k * k * norm, 2 * k * k * norm, k * k * norm)
        sections.append((*b, 1.0, 2 * (k * k - 1) * norm, (1 - damping * k + k * k) * norm))
    if order % 2:
        b = (1 / (1 + k), -1 / (1 + k), 0.0) if high else (k / (1 + k), k / (1 + k), 0.0)
        sections.append((*b, 1.0, (k - 1) / (k + 1), 0.0))
    return np.array(sections, dtype=np.float32)
