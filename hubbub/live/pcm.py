"""Samples in bytes, with or without a WAV header, that come from a pipe: read once, forwards."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub._riff import is_unknown
from hubbub.errors import AudioError, ConfigError, HubbubError

Take = Callable[[int], bytes]
"""Gives so many bytes, fewer only where there are no more."""

WIDTHS = {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}
"""Bytes of a sample."""
SAMPLE_FORMATS = ("u8", "s16le", "s24le", "s32le", "f32le")
"""What a user calls samples without a header, as ffmpeg does."""
OTHER_CODES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "ADPCM", 80: "MPEG", 85: "MP3"}
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
HIGHEST_RATE, MOST_CHANNELS = 768_000, 1024


@dataclass(frozen=True)
class Layout:
    """How samples lie in bytes: samples per second, channels beside each other, a key of `WIDTHS`, byte order."""

    rate: int
    channels: int
    kind: str
    big: bool = False

    @property
    def n_bytes(self) -> int:
        """Of one sample of all channels."""
        return self.channels * WIDTHS[self.kind]

    def mono(self, data: bytes) -> NDArray[np.float32]:
        """Whole samples of all channels as floats from -1 to 1, averaged over the channels: shape (n_samples,).

        The same numbers, bit for bit, as `audio.read` has them from a file.
        """
        order = ">" if self.big else "<"
        values: NDArray[np.float32]
        if self.kind == "u8":
            values = (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)
        elif self.kind == "s24":
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            wide[:, slice(0, 3) if self.big else slice(1, 4)] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values = wide.view(f"{order}i4")[:, 0].astype(np.float32) / np.float32(2**31)
        elif self.kind in ("s16", "s32"):
            width = WIDTHS[self.kind]
            values = np.frombuffer(data, f"{order}i{width}").astype(np.float32) / np.float32(2 ** (8 * width - 1))
        else:
            with np.errstate(over="ignore"):  # told where the samples are checked
                values = np.frombuffer(data, f"{order}f{WIDTHS[self.kind]}").astype(np.float32)
        if self.channels > 1:
            with np.errstate(invalid="ignore", over="ignore"):
                values = values.reshape(-1, self.channels).mean(axis=1)
        return values


@dataclass(frozen=True)
class Header:
    """What a WAV header says: how its samples lie, and how many bytes they take; None where nobody knew."""

    layout: Layout
    n_bytes: int | None


def raw_layout(rate: int, channels: int, sample_format: str) -> Layout:
    """The layout of samples without a header. Raises `ConfigError` for a format, a rate or channels that are none."""
    if sample_format not in SAMPLE_FORMATS:
        raise ConfigError(f"--sample-format {sample_format}: wanted one of {', '.join(SAMPLE_FORMATS)}")
    return _checked(Layout(rate, channels, sample_format.removesuffix("le")), "raw samples", ConfigError)


def read_header(take: Take, name: str) -> Header:
    """Reads up to the first sample of a RIFF, RIFX, RF64 or BW64 file called `name`.

    Raises `AudioError` where there are no bytes, no WAV, or one whose samples are not plain numbers.
    """
    head = take(12)
    if not head:
        raise AudioError(f"{name}: is empty (0 bytes); what was to write audio to it wrote nothing")
    form = head[:4]
    if form not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise AudioError(
            f"{name}: begins with {head[:4]!r}, which is no WAV; for samples without a header give --rate, --channels "
            "and --sample-format, and let ffmpeg convert anything else: ffmpeg -i - -f wav -"
        )
    big = form == b"RIFX"
    number = ">I" if big else "<I"
    riff_size = struct.unpack(number, head[4:8])[0]
    at, layout, long_size = 12, None, None
    while True:
        chunk = take(8)
        if len(chunk) < 8:
            raise AudioError(f"{name}: is cut short in its header; wanted a WAV with samples")
        kind, size = chunk[:4], struct.unpack(number, chunk[4:])[0]
        at += 8
        if kind == b"data":
            if layout is None:
                raise AudioError(f"{name}: its samples come before their format; wanted a WAV")
            if long_size is not None and size == 0xFFFFFFFF:
                return Header(layout, long_size or None)
            # a length of 0 is meant where chunks follow, which the file's own length covers
            unknown = is_unknown(size) and not (size == 0 and at < riff_size + 8 <= 0x7FFFF000)
            return Header(layout, None if unknown else size)
        size += size % 2
        body = b""
        if kind in (b"fmt ", b"ds64"):
            body = take(size)
        else:
            for first in range(0, size, 1 << 16):
                if not take(min(1 << 16, size - first)):
                    break
        at += size
        if kind == b"fmt ":
            layout = _layout(body, big, name)
        elif kind == b"ds64" and len(body) >= 16:
            long_size = struct.unpack("<Q", body[8:16])[0]
            long_size = 0 if long_size >= 1 << 63 else long_size


def _layout(body: bytes, big: bool, name: str) -> Layout:
    if len(body) < 16:
        raise AudioError(f"{name}: is cut short in its header; wanted a WAV with samples")
    code, channels, rate, _, frame = struct.unpack(">HHIIH" if big else "<HHIIH", body[:14])
    if code == EXTENSIBLE and len(body) >= 26:
        code = struct.unpack(">H" if big else "<H", body[24:26])[0]
    width = frame // channels if channels else 0
    kinds = {(PCM, 1): "u8", (PCM, 2): "s16", (PCM, 3): "s24", (PCM, 4): "s32", (FLOAT, 4): "f32", (FLOAT, 8): "f64"}
    kind = kinds.get((code, width))
    if channels and kind is None:
        what = OTHER_CODES.get(code, f"code {code} of {8 * width} bits")
        raise AudioError(
            f"{name}: its samples are {what}; wanted whole numbers or floats: ffmpeg -i … -c:a pcm_s16le -f wav -"
        )
    return _checked(Layout(rate, channels, kind or "u8", big), name, AudioError)


def _checked(layout: Layout, name: str, error: type[HubbubError]) -> Layout:
    if not (0 < layout.rate <= HIGHEST_RATE and 0 < layout.channels <= MOST_CHANNELS):
        raise error(
            f"{name}: {layout.channels} channels at {layout.rate} Hz; wanted 1 to {MOST_CHANNELS} channels and at most "
            f"{HIGHEST_RATE} Hz"
        )
    return layout
