"""What audio comes from, as a source gives it: blocks of samples, and notes of what was lost; standard input."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from threading import Event as Flag
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from hubbub.audio import LARGEST_SAMPLE
from hubbub.errors import AudioError
from hubbub.live.pcm import Header, Layout, read_header

PIECE = 1 << 16
"""Bytes that are read at most at once; of a pipe, what is there."""


@dataclass(frozen=True)
class Block:
    """Mono float32 `samples`, shape (n_samples,), at `rate` samples per second."""

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Lost:
    """`seconds` of sound that nobody heard; `overload` where that is because detection is too slow."""

    seconds: float
    overload: bool = False


Item = Block | Lost


class Source(Protocol):
    """Where audio comes from. `items` runs in a thread of its own and ends soon after `stop` is set.

    It raises `AudioError` for whatever is wrong with the audio, after all that is right with it.
    """

    name: str

    def items(self, stop: Flag) -> Iterator[Item]: ...


class Pipe:
    """A WAV, or with a `layout` samples without a header, from an open binary file such as standard input."""

    def __init__(self, file: BinaryIO | FileIO, name: str, layout: Layout | None = None) -> None:
        self.name = name
        self._file = file
        self._layout = layout

    def items(self, stop: Flag) -> Iterator[Item]:
        """Blocks, as soon as they are there, until the samples end.

        Raises `AudioError` where it is empty, no WAV, or ends before all samples that its header promises.
        """
        header = read_header(self._take, self.name) if self._layout is None else Header(self._layout, None)
        layout, left = header.layout, header.n_bytes
        n_read, kept = 0, b""
        while not stop.is_set() and left != 0:
            piece = self._read(PIECE if left is None else min(PIECE, left))
            if not piece:
                break
            n_read += len(piece)
            left = None if left is None else left - len(piece)
            data = kept + piece
            usable = len(data) - len(data) % layout.n_bytes
            kept = data[usable:]
            samples = layout.mono(data[:usable])
            sound = np.abs(samples) < LARGEST_SAMPLE  # false for NaN as well
            n_sound = len(samples) if sound.all() else int(np.argmin(sound))
            if n_sound:
                yield Block(samples[:n_sound], layout.rate)
            if n_sound < len(samples):
                second = ((n_read - len(kept)) // layout.n_bytes - len(samples) + n_sound) / layout.rate
                what = f"{samples[n_sound]:g}" if np.isfinite(samples[n_sound]) else "no finite number"
                raise AudioError(f"{self.name}: the sample at {second:.6f} s is {what}; wanted samples from -1 to 1")
        if stop.is_set():
            return
        if n_read < layout.n_bytes:
            raise AudioError(f"{self.name}: holds no samples; what was to write audio to it wrote none")
        if left:
            promised, present = (n / layout.n_bytes / layout.rate for n in (n_read + left, n_read))
            raise AudioError(
                f"{self.name}: is cut short: its header promises {promised:.3f} s, {present:.3f} s are there"
            )
        while not stop.is_set() and self._read(PIECE):
            """What follows the samples is of no interest, but who writes it shall not fail."""

    def _read(self, most: int) -> bytes:
        try:
            read = getattr(self._file, "read1", self._file.read)  # what is there, rather than all that is asked for
            piece: bytes = read(most)
        except (OSError, ValueError) as error:
            raise AudioError(f"{self.name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
        return piece

    def _take(self, n_bytes: int) -> bytes:
        pieces = []
        while n_bytes and (piece := self._read(n_bytes)):
            pieces.append(piece)
            n_bytes -= len(piece)
        return b"".join(pieces)
