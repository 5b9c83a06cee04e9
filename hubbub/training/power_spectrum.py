"""The power of every frequency in every frame, by matrix products alone, so that it exports to any runtime.

The textbook way, one convolution whose kernels are windowed sines and cosines, takes n_fft² multiply-adds a frame: for
n_fft 1024 five times the arithmetic of the network behind it, and sums so long that float32 loses a digit. Here it
takes two steps, as in Cooley and Tukey 1965. With n_fft = rows · columns, sample n = columns · r + c and frequency
k = p + rows · q,

    X[p + rows · q] = Σ_c W_columns^(c q) · W_n_fft^(c p) · Σ_r W_rows^(r p) · x[columns · r + c]

with W_m = exp(-2πi / m), of which p up to rows / 2 is enough: for real samples the others mirror these. W_n_fft^(c p)
is part of the second matrix, of which there is one for each p: between the two products nothing is left to do but to
lay the frames side by side.

All its constants follow from n_fft. An exported graph holds how to compute them instead of them; a runtime does so
once, when it opens the file.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class Counting(nn.Module):
    """n → 0, 1, …, n - 1.

    Of an `arange` of known length an exported graph would store every number, and all that is computed of them. What
    begins at a stored number it computes: `stored` False has one.
    """

    one: Tensor | None

    def __init__(self, stored: bool) -> None:
        super().__init__()
        self.register_buffer("one", None if stored else torch.ones(1, dtype=torch.int64))

    def forward(self, n: int) -> Tensor:
        """(n,) whole numbers."""
        return torch.arange(n) if self.one is None else self.one.expand(n).cumsum(0) - self.one


class PowerSpectrum(nn.Module):
    """|DFT|² of Hann-windowed frames: (batch, n_samples) → (batch, n_frames, n_bins).

    n_frames = 1 + (n_samples - n_fft) // hop; nothing is padded. Entry i of the last axis is the power at `bins[i]`,
    a frequency in units of sample_rate / n_fft; their order is the transform's, and a few are there twice.

    `stored`: whether its constants are buffers, or computed anew by each call, as an exported graph should.
    """

    def __init__(self, n_fft: int, hop: int, dtype: torch.dtype = torch.float32, stored: bool = True) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        divisors = [divisor for divisor in range(1, n_fft + 1) if n_fft % divisor == 0]
        self.rows = min(divisors, key=lambda rows: rows + 2 * n_fft // rows)  # the cheapest
        self.columns = n_fft // self.rows
        self.n_halves = self.rows // 2 + 1
        self.dtype, self.stored = dtype, stored
        self.count = Counting(stored)
        self.bins: NDArray[np.int64] = self.frequencies()[0].numpy()
        if stored:
            for name, values in self.constants().items():
                self.register_buffer(name, values, persistent=False)

    def frequencies(self) -> tuple[Tensor, Tensor]:
        """`bins`, (n_bins,), and of each whether the same frequency was there before."""
        p, q = self.count(self.n_halves)[:, None], self.count(self.columns)
        frequencies = p + self.rows * q
        mirrored = self.n_fft - frequencies
        again = (frequencies > mirrored) & ((p == 0) | (2 * p == self.rows))  # those p mirror themselves
        return torch.minimum(frequencies, mirrored).flatten(), again.flatten()

    def constants(self) -> dict[str, Tensor]:
        """By the names of the buffers, computed in float64 from whole numbers."""
        p, r = self.count(self.n_halves), self.count(self.rows)
        c = q = self.count(self.columns)
        rows = roots_of_unity(p[:, None] * r, self.rows)
        twiddle = roots_of_unity(p[:, None] * c, self.n_fft)
        real, imaginary = roots_of_unity(c[:, None] * q, self.columns)
        turn, _ = roots_of_unity(self.count(self.n_fft), self.n_fft)
        # W_columns^(c q) · W_n_fft^(c p), (n_halves, columns, columns)
        cosine = twiddle[0][:, :, None] * real - twiddle[1][:, :, None] * imaginary
        sine = twiddle[0][:, :, None] * imaginary + twiddle[1][:, :, None] * real
        exact = {
            "window": 0.5 - 0.5 * turn,  # periodic, as for any spectrum
            "over_rows": torch.cat(rows),
            "over_columns": torch.cat((torch.cat((cosine, sine), 2), torch.cat((-sine, cosine), 2)), 1),
        }
        return {name: values.to(self.dtype) for name, values in exact.items()}

    def forward(self, audio: Tensor) -> Tensor:
        constants = dict(self.named_buffers()) if self.stored else self.constants()
        windowed = self.frames(audio) * constants["window"]
        n_batch, n_frames = windowed.shape[:2]
        image = windowed.reshape(n_batch, n_frames, self.rows, self.columns)
        half = constants["over_rows"] @ image  # (batch, n_frames, 2 · n_halves, columns), real parts above imaginary
        turned = half.reshape(n_batch, n_frames, 2, self.n_halves, self.columns).permute(0, 3, 1, 2, 4)
        whole = turned.reshape(n_batch, self.n_halves, n_frames, 2 * self.columns) @ constants["over_columns"]
        squares = whole.square()
        power = squares[..., : self.columns] + squares[..., self.columns :]  # (batch, n_halves, n_frames, columns)
        return power.transpose(1, 2).flatten(2)

    def frames(self, audio: Tensor) -> Tensor:
        """(batch, n_samples) → (batch, n_frames, n_fft), by whole hops laid side by side.

        `Tensor.unfold` is the same, but exports as an index for every sample, which takes longer than the transform.
        """
        n_frames = 1 + (audio.shape[1] - self.n_fft) // self.hop
        n_hops = -(-self.n_fft // self.hop)
        padded = functional.pad(audio, (0, n_hops * self.hop - self.n_fft))
        hops = [
            padded[:, start : start + n_frames * self.hop].reshape(-1, n_frames, self.hop)[:, :, : self.n_fft - start]
            for start in range(0, n_hops * self.hop, self.hop)
        ]
        return torch.cat(hops, dim=2)


def roots_of_unity(turns: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of exp(-2πi · turns / n), whole turns taken off before anything is rounded.

    By sines alone: some runtimes have no cosine in float64.
    """
    angle = (turns % n).double() * (2 * torch.pi / n)
    return torch.sin(angle + torch.pi / 2), -torch.sin(angle)
