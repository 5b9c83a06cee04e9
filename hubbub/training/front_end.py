"""From samples to features, in torch: log-mel spectrograms and MFCC, as librosa makes them, and as a stream.

A frame is windowed, transformed, squared, gathered into mel bands and brought to a logarithm; MFCC add a cosine
transform. Whole recordings are done in float64; a batch, or a block of a stream, by a module that exports.

Where frames lie. `FrontEnd.forward` pads nothing: it takes audio that holds the context. Two functions lay it:

    librosa's   frame t is centred on sample t · hop
    the grid's  frame t covers [t · hop, (t + 1) · hop), so its window is centred there, between context on both sides:

                  left_context    hop    right_context
                |--------------|-------|---------------|         = n_fft samples

Live, the right context of the newest frames has not been heard yet: they are given `look_ahead` frames later. Where n
frames have been heard, frame n - look_ahead is next, and its window begins `state_length` samples before sample
n · hop. Remembering these makes B frames of every B · hop samples, however the stream is cut:

                | left_context | look_ahead · hop | B · hop samples          |
                |---------- state_length ---------|--------- block ----------|
                |-- window of frame n - look_ahead --|
                                 |-- … of frame n + B - 1 - look_ahead ---|
"""

from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from hubbub.errors import ConfigError
from hubbub.training.power_spectrum import PowerSpectrum, roots_of_unity

CHUNK = 256
"""Frames computed at once where a whole recording is asked for: they fit a processor's cache."""


class FrontEndConfig(BaseModel):
    """What makes features of samples; validated when made, and stored with what it produced.

    Raises `pydantic.ValidationError`, a `ValueError`, for settings that exclude each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["log_mel", "mfcc"]
    sample_rate: int = Field(gt=0)
    n_fft: int = Field(gt=1, description="samples of the window and of the transform")
    hop: int = Field(gt=0, description="samples from frame to frame")
    n_mels: int = Field(gt=0)
    n_mfcc: int | None = Field(default=None, gt=0)
    f_min: float = Field(default=0.0, ge=0, description="Hz, where the lowest mel band begins")
    f_max: float | None = Field(
        default=None, gt=0, description="Hz, where the highest ends; None: half the sample rate"
    )
    scale: Literal["db", "ln"] = Field(default="db", description="10 log10(max(power, floor)) or ln(power + floor)")
    log_floor: float = Field(default=1e-10, gt=0, description="power")
    top_db: float | None = Field(default=None, gt=0, description="dB below the maximum at which the mel bands are cut")

    @property
    def n_features(self) -> int:
        """Features of a frame."""
        return self.n_mfcc or self.n_mels

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        f_max = self.sample_rate / 2 if self.f_max is None else self.f_max
        if (self.kind == "mfcc") != (self.n_mfcc is not None):
            raise ValueError("n_mfcc belongs to kind 'mfcc': give both or neither")
        if self.n_mfcc is not None and self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc is {self.n_mfcc}; wanted at most n_mels, {self.n_mels}")
        if self.hop >= self.n_fft:
            raise ValueError(f"hop is {self.hop}; wanted less than n_fft, {self.n_fft}: frames overlap")
        if not self.f_min < f_max <= self.sample_rate / 2:
            raise ValueError(f"mel bands from {self.f_min:g} to {f_max:g} Hz; wanted within 0 to half the sample rate")
        if self.top_db is not None and self.scale != "db":
            raise ValueError("top_db needs scale 'db'")
        return self


REPORT_POLYPHONIC = FrontEndConfig(
    kind="mfcc", sample_rate=22050, n_fft=440, hop=220, n_mels=40, n_mfcc=40, top_db=80.0
)
"""20 ms windows that overlap by half."""

REPORT_MONOPHONIC = FrontEndConfig(
    kind="mfcc", sample_rate=22050, n_fft=2048, hop=512, n_mels=128, n_mfcc=40, top_db=80.0
)
"""librosa's defaults."""

OURS = FrontEndConfig(
    kind="log_mel", sample_rate=22050, n_fft=1024, hop=441, n_mels=64, f_min=40.0, scale="ln", log_floor=1e-6
)
"""20 ms frames. Nothing in it looks at a maximum, so it streams. The floor is what white noise of -72 dB rms gives."""


class FrontEnd(nn.Module):
    """Features of audio that already holds its context: (batch, n_samples) → (batch, n_frames, n_features).

    n_frames = 1 + (n_samples - n_fft) // hop. Where the config has a `top_db`, it is relative to the maximum of each
    row of the batch. Nothing in it is trained or saved; it computes in float32, under autocast too. `stored`: whether
    its constants are buffers, or computed anew by each call, as an exported graph should.

    Raises `ConfigError` where a mel band is so narrow that no frequency of the transform lies in it.
    """

    mel: Tensor | None
    dct: Tensor | None

    def __init__(self, config: FrontEndConfig, stored: bool = True) -> None:
        super().__init__()
        self.config = config
        self.mel_edges = torch.from_numpy(mel_edges(config))
        self.exact_mel = triangles(torch.arange(1 + config.n_fft // 2).double() * self._bin_hz, self.mel_edges)
        self.exact_dct = (
            None if config.n_mfcc is None else dct_basis(torch.arange(config.n_mels), torch.arange(config.n_mfcc))
        )
        if not self.exact_mel.any(dim=0).all():
            raise ConfigError(
                f"{config.n_mels} mel bands are too narrow for n_fft {config.n_fft}: one holds no frequency; "
                "take fewer bands or a longer window"
            )
        self.stored = stored
        self.power = PowerSpectrum(config.n_fft, config.hop, stored=stored)
        mel, dct = self._constants() if stored else (None, None)
        self.register_buffer("mel", mel, persistent=False)
        self.register_buffer("dct", dct, persistent=False)

        self.left_context = (config.n_fft - config.hop + 1) // 2
        """Samples needed before the first frame begins."""
        self.right_context = (config.n_fft - config.hop) // 2
        """Samples needed after the last frame ends."""
        self.look_ahead = -(-self.right_context // config.hop)
        """Frames after which a frame can be computed."""
        self.state_length = self.left_context + self.look_ahead * config.hop
        """Samples to remember from block to block."""

    def forward(self, audio: Tensor) -> Tensor:
        if torch.is_autocast_enabled(audio.device.type):
            with torch.autocast(audio.device.type, enabled=False):
                return self.forward(audio)
        mel, dct = (self.mel, self.dct) if self.stored else self._constants()
        bands = clip_db(log_power(self.power(audio) @ mel, self.config), self.config.top_db)
        return bands if dct is None else bands @ dct

    @property
    def _bin_hz(self) -> float:
        return self.config.sample_rate / self.config.n_fft

    def _constants(self) -> tuple[Tensor, Tensor | None]:
        """Mel weights of the frequencies that `power` gives, (n_bins, n_mels), 0 where one is there again; `dct`."""
        n_mels, n_mfcc, count = self.config.n_mels, self.config.n_mfcc, self.power.count
        bins, again = self.power.frequencies()
        hz = torch.where(again, -1, bins).double() * self._bin_hz  # no triangle reaches below 0
        mel = triangles(hz, self.mel_edges).float()
        return mel, None if n_mfcc is None else dct_basis(count(n_mels), count(n_mfcc)).float()

    def step(self, block: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The next frames of a stream, and the next state.

        `block` is (batch, B * hop), `state` (batch, state_length), zeros at first. The B frames given are the grid's,
        `look_ahead` frames late: as many at the start of a stream lie before its first sample.
        """
        heard = torch.cat((state, block), dim=1)
        # Products with a single row are summed in another order, whose last bit int8 makes a whole step of. So one more
        # frame goes through them, of silence, and a stream of single frames gives what any other does, bit for bit.
        longer = functional.pad(heard, (0, self.config.hop))
        return self(longer)[:, :-1], heard[:, -self.state_length :]

    def grid_features(self, audio: Tensor | NDArray[np.floating]) -> Tensor:
        """Features on the grid: samples (n_samples,) → (ceil(n_samples / hop), n_features).

        Zero samples surround the recording and fill the last frame; `top_db` is relative to the recording's maximum.
        """
        n_frames = -(-len(audio) // self.config.hop)
        return self.recording_features(audio, self.left_context, n_frames)

    def recording_features(self, audio: Tensor | NDArray[np.floating], before: int, n_frames: int) -> Tensor:
        """Features of `n_frames` windows, of which the first begins `before` samples before the recording.

        Computed in float64 on the processor, a few frames at a time, and rounded at the end; by FFT it is no slower
        than `forward`. They differ by what float32 cannot hold: up to 0.01 dB where a mel band lies 80 dB below a
        pure tone, a thousandth of that on other sounds.
        """
        config = self.config
        window = torch.hann_window(config.n_fft, dtype=torch.float64)
        samples = torch.as_tensor(audio, device="cpu")
        bands = torch.empty(n_frames, config.n_mels, dtype=torch.float64)
        for first in range(0, n_frames, CHUNK):
            last = min(first + CHUNK, n_frames)
            start, end = first * config.hop - before, (last - 1) * config.hop + config.n_fft - before
            heard = samples[max(start, 0) : max(end, 0)].double()
            padded = functional.pad(heard, (max(-start, 0), end - max(start, 0) - len(heard)))
            spectrum = torch.fft.rfft(padded.unfold(0, config.n_fft, config.hop) * window)
            power = spectrum.real.square() + spectrum.imag.square()
            bands[first:last] = log_power(power @ self.exact_mel, config)
        bands = clip_db(bands, config.top_db)
        return (bands if self.exact_dct is None else bands @ self.exact_dct).to(
            torch.float32 if self.mel is None else self.mel.dtype
        )


def librosa_features(front_end: FrontEnd, audio: Tensor | NDArray[np.floating]) -> Tensor:
    """Features as librosa makes them: samples (n_samples,) → (1 + n_samples // hop, n_features).

    That is `librosa.feature.mfcc`, or `power_to_db` of its `melspectrogram`, transposed: zeros surround the recording,
    and `top_db` is relative to its maximum.
    """
    config = front_end.config
    before = config.n_fft // 2
    return front_end.recording_features(audio, before, 1 + (len(audio) + 2 * before - config.n_fft) // config.hop)


def log_power(power: Tensor, config: FrontEndConfig) -> Tensor:
    """The logarithm that `config` asks for, of powers of any shape."""
    if config.scale == "ln":
        return torch.log(power + config.log_floor)
    return 10 * torch.log10(power.clamp(min=config.log_floor))


def clip_db(log_mel: Tensor, top_db: float | None) -> Tensor:
    """Raises what lies more than `top_db` below the maximum over the last two axes, frames and bands, to that."""
    if top_db is None or log_mel.numel() == 0:
        return log_mel
    return torch.maximum(log_mel, log_mel.amax((-2, -1), keepdim=True) - top_db)


def mel_edges(config: FrontEndConfig) -> NDArray[np.float64]:
    """Where triangle k begins, has its peak and ends: entries k, k + 1 and k + 2 of (n_mels + 2,), in Hz.

    Slaney's scale (Auditory Toolbox, 1998), as librosa's by default: linear to 1 kHz, where it is 15 mel, then 27 mel
    for each factor of 6.4.
    """
    f_max = config.sample_rate / 2 if config.f_max is None else config.f_max
    knee, knee_hz, mel_per_log = 15.0, 1000.0, 27 / np.log(6.4)

    def to_mel(hz: float) -> float:
        return knee * hz / knee_hz if hz < knee_hz else float(knee + np.log(hz / knee_hz) * mel_per_log)

    mels = np.linspace(to_mel(config.f_min), to_mel(f_max), config.n_mels + 2)
    edges: NDArray[np.float64] = np.where(
        mels < knee, mels * knee_hz / knee, knee_hz * np.exp((mels - knee) / mel_per_log)
    )
    return edges


def triangles(hz: Tensor, edges: Tensor) -> Tensor:
    """Mel weights of the frequencies `hz`, (n,) float64, shape (n, n_mels): every triangle has the area 1 (in Hz)."""
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    hz = hz[:, None]
    sides = torch.minimum((hz - low) / (centre - low), (high - hz) / (high - centre))
    return sides.clamp(min=0) * 2 / (high - low)


def dct_basis(m: Tensor, k: Tensor) -> Tensor:
    """Vectors `k` (n_mfcc,) of the orthonormal DCT-II over all mel bands `m` (n_mels,): (n_mels, n_mfcc), float64."""
    cosines, _ = roots_of_unity((2 * m + 1)[:, None] * k, 4 * len(m))
    return cosines * ((2 - (k == 0).double()) / len(m)).sqrt()
