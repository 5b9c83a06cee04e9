"""The power of every frequency in every frame, by matrix products alone, so that it exports to any runtime.

The textbook way, one convolution whose kernels are windowed sines and cosines, takes n_fft² multiply-adds a frame: for
n_fft 1024 five times the arithmetic of the network behind it, and sums so long that float32 loses a digit. Here it
takes two steps, as in Cooley and Tukey 1965. With n_fft = rows · columns, sample n = columns · r + c and frequency
k = p + rows · q,

    X[p + rows · q] = Σ_c W_columns^(c q) · W_n_fft^(c p) · Σ_r W_rows^(r p) · x[columns · r + c]

with W_m = exp(-2πi / m), of which p up to rows / 2 is enough: for real samples the others mirror these.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class PowerSpectrum(nn.Module):
    """|DFT|² of Hann-windowed frames: (batch, n_samples) → (batch, n_frames, n_bins).

    n_frames = 1 + (n_samples - n_fft) // hop; nothing is padded. Entry i of the last axis is the power at `bins[i]`,
    a frequency in units of sample_rate / n_fft; their order is the transform's, and a few are there twice.
    """

    window: Tensor
    over_rows: Tensor
    twiddle_real: Tensor
    twiddle_imaginary: Tensor
    over_columns: Tensor

    def __init__(self, n_fft: int, hop: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        divisors = [divisor for divisor in range(1, n_fft + 1) if n_fft % divisor == 0]
        self.rows = min(divisors, key=lambda rows: rows + 2 * n_fft // rows)  # the cheapest
        self.columns = n_fft // self.rows

        p = np.arange(self.rows // 2 + 1)
        c, q = np.arange(self.columns), np.arange(self.columns)
        frequencies = p[:, None] + self.rows * q
        self.bins: NDArray[np.int64] = np.minimum(frequencies, n_fft - frequencies).ravel()
        self.n_halves = len(p)
        rows = roots_of_unity(np.outer(p, np.arange(self.rows)), self.rows)
        twiddle = roots_of_unity(np.outer(p, c), n_fft)
        columns = roots_of_unity(np.outer(c, q), self.columns)
        for name, values in {
            "window": 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft),  # periodic, as for any spectrum
            "over_rows": np.concatenate((rows.real, rows.imag)),
            "twiddle_real": twiddle.real,
            "twiddle_imaginary": twiddle.imag,
            "over_columns": np.block([[columns.real, columns.imag], [-columns.imag, columns.real]]),
        }.items():
            self.register_buffer(name, torch.from_numpy(values).to(dtype), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        windowed = self.frames(audio) * self.window
        image = windowed.reshape(*windowed.shape[:2], self.rows, self.columns)
        half = self.over_rows @ image  # (batch, n_frames, 2 · n_halves, columns), real parts above imaginary ones
        real, imaginary = half[:, :, : self.n_halves], half[:, :, self.n_halves :]
        turned = (
            real * self.twiddle_real - imaginary * self.twiddle_imaginary,
            real * self.twiddle_imaginary + imaginary * self.twiddle_real,
        )
        squares = (torch.cat(turned, dim=3) @ self.over_columns).square()
        return (squares[..., : self.columns] + squares[..., self.columns :]).flatten(2)

    def frames(self, audio: Tensor) -> Tensor:
        """(batch, n_samples) → (batch, n_frames, n_fft), by whole hops laid side by side.

        `Tensor.unfold` is the same, but exports as an index for every sample, which takes longer than the transform.
        """
        n_frames = 1 + (audio.shape[1] - self.n_fft) // self.hop
        n_hops = -(-self.n_fft // self.hop)
        padded = functional.pad(audio, (0, n_hops * self.hop - self.n_fft))
        hops = [
            padded[:, start : start + n_frames * self.hop].reshape(-1, n_frames, self.hop)
            for start in range(0, n_hops * self.hop, self.hop)
        ]
        return torch.cat(hops, dim=2)[:, :, : self.n_fft]


def roots_of_unity(turns: NDArray[np.int64], n: int) -> NDArray[np.complex128]:
    """exp(-2πi · turns / n), whole turns taken off before anything is rounded."""
    roots: NDArray[np.complex128] = np.exp(-2j * np.pi / n * (turns % n))
    return roots
