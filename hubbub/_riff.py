"""Where a WAV or AIFF file keeps its samples, and how many it promises: a part of `audio`.

libsndfile reads a file that was cut short as if it ended there, and a WAV whose writer could not go back to fill in
the length as if it were empty. So the header is looked at before.
"""

import struct
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from hubbub.errors import AudioError

_NOT_FILLED_IN = (range(1), range(0x7FFFF000, 0x80000100), range(0xFFFFFF00, 0x100000000))
"""Lengths that mean "not known yet": what ffmpeg, sox, arecord and GStreamer put in a WAV that goes to a pipe."""


@dataclass(frozen=True)
class Data:
    """The chunk of samples: the bytes that its header promises, and those that are there.

    Where the writer never filled in the length, `length` holds the bytes that belong at position `at`.
    """

    promised: int
    present: int
    at: int = 0
    length: bytes = b""


class Filled(FileIO):
    """The bytes of a file, with the length of its samples filled in."""

    def __init__(self, path: Path, data: Data) -> None:
        super().__init__(path)
        self._at, self._length = data.at, data.length

    def readinto(self, buffer: Any) -> int:
        """As `FileIO.readinto`."""
        position = self.tell()
        n_read = super().readinto(buffer) or 0
        first, last = max(position, self._at), min(position + n_read, self._at + len(self._length))
        if first < last:
            memoryview(buffer)[first - position : last - position] = self._length[first - self._at : last - self._at]
        return n_read


def is_unknown(length: int) -> bool:
    """Whether a length of samples, in bytes, is one that writers to a pipe put where they cannot know it."""
    return any(length in lengths for lengths in _NOT_FILLED_IN)


def data_chunk(path: Path) -> Data | None:
    """The samples' chunk of a RIFF, RIFX, RF64, BW64 or AIFF file; None for another file, or one without that chunk.

    Raises `AudioError` for a WAV without a length that is longer than its header could ever say.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        form = file.read(4)
        if form not in (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM"):
            return None
        number = ">I" if form in (b"RIFX", b"FORM") else "<I"
        riff_end, at, long_at = 8 + _number(file, 4, number), 12, 0
        while True:
            file.seek(at)
            name = file.read(4)
            if at + 8 > size or not name.isascii() or b"\0" in name:
                return None
            promised, present = _number(file, at + 4, number), size - at - 8
            if name == b"SSND":  # eight bytes of it are no samples
                return Data(promised - 8, present - 8)
            if name == b"data":
                break
            if name == b"ds64":
                long_at = at + 16
            at += 8 + promised + promised % 2
        if long_at and promised == 0xFFFFFFFF:
            promised = _number(file, long_at, "<Q")
            if 0 < promised < 1 << 63:
                return Data(promised, present)
            return Data(present, present, long_at, struct.pack("<Q", present))
    # A length of 0 is meant where the chunks behind it, which the file's own length covers, are no samples.
    nothing_behind = riff_end <= at + 8 or riff_end > 0xFFFFFFFF
    unknown = promised > present or promised == 0xFFFFFFFF or (promised == 0 and nothing_behind)
    if not unknown or not is_unknown(promised):
        return Data(promised, present)
    if present > 0xFFFFFFFF:
        raise AudioError(f"{path}: has over 4 GiB of samples and a header without their length; convert it with ffmpeg")
    return Data(present, present, at + 4, struct.pack(number, present))


def _number(file: BinaryIO, at: int, form: str) -> int:
    file.seek(at)
    raw = file.read(struct.calcsize(form)).ljust(struct.calcsize(form), b"\0")
    return int(struct.unpack(form, raw)[0])
