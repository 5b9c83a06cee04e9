"""Recordings: found, read whole or in blocks as mono float32 at any rate, and written; one line for whatever is wrong.

There is one way to read. Samples leave libsndfile in blocks, are averaged over the channels and pass one running soxr
resampler; `read` joins what `blocks` hands out, so the two are equal bit for bit, whatever the length of the blocks.
A recording of n samples at rate a has n * b / a samples at rate b, to the nearest whole number.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from hubbub._riff import Data, Filled, data_chunk
from hubbub.errors import AudioError
from hubbub.files import replacing

EXTENSIONS = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".au", ".caf", ".rf64", ".w64"),
)
"""Suffixes of the files that libsndfile reads and `find` finds, in lower case."""

WRITTEN = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
"""Formats that `write` makes, by suffix."""

_FOR_FFMPEG = (".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mka", ".mkv", ".mov", ".avi", ".amr", ".3gp")
_UNKNOWN_LENGTH = 2**63 - 1  # SF_COUNT_MAX: what libsndfile says of a FLAC stream whose header names no length
LARGEST_SAMPLE = 1e12
"""Far beyond any scale of samples; the power of what is larger overflows, and spoils a detector's state for good."""
_BLOCK = 1 << 16  # samples: libsndfile overruns its stack where a long OGG is written at once


@dataclass(frozen=True)
class AudioInfo:
    """What a recording's header says: samples per second, channels, samples per channel, and libsndfile's name for
    the kind of sample (`PCM_16`, `FLOAT`, `VORBIS`, …). For an MP3 without a Xing header `n_samples` is a guess."""

    path: Path
    sample_rate: int
    channels: int
    n_samples: int
    subtype: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_samples / self.sample_rate


def find(folder: str | Path) -> list[Path]:
    """All recordings below `folder`, by suffix in any case, sorted; hidden files and folders are left out.

    Links to folders are followed, each folder is visited once. Raises `AudioError` where a folder cannot be listed.
    """
    folder = Path(folder)

    def stop(error: OSError) -> None:
        raise AudioError(f"{error.filename}: cannot be listed: {error.strerror}; wanted a folder of recordings")

    found: list[Path] = []
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=stop, followlinks=True):
        here = os.path.realpath(parent)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if here not in visited else []
        if here not in visited:
            found += [Path(parent, name) for name in files if not name.startswith(".")]
        visited.add(here)
    return sorted(path for path in found if path.suffix.lower() in EXTENSIONS)


def info(path: str | Path) -> AudioInfo:
    """What the header of a recording says; only where it names no length is the recording read to count its samples.

    Raises `AudioError` as `read` does, but for what only reading the samples shows.
    """
    with _opened(Path(path)) as file:
        n_samples = file.frames
        if n_samples == _UNKNOWN_LENGTH:
            n_samples = sum(len(block) for block in _mono(file, Path(path), _BLOCK))
        return AudioInfo(Path(path), file.samplerate, file.channels, n_samples, file.subtype)


def read(
    path: str | Path, sample_rate: int | None = None, start: float = 0.0, duration: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """A recording, or the part of it from `start` for `duration` seconds, as mono: (samples, shape (n_samples,), rate).

    Channels are averaged; soxr resamples (quality HQ) where `sample_rate` is not the recording's, as if silence lay
    around the part. A part that reaches past the end is cut there.
    OGG and MP3 are decoded from their beginning whatever `start` is, as libsndfile seeks in them to a wrong place.

    Raises `AudioError` where the file is missing, a folder, empty, no audio, cut short, damaged, of a kind that ffmpeg
    has to convert, without samples, or holds a sample that is no finite number.
    """
    path = Path(path)
    if not (0 <= start < np.inf) or not (duration is None or 0 < duration < np.inf):
        raise AudioError(f"{path}: no part starts at {start} s and lasts {duration} s; wanted start >= 0, duration > 0")
    with _opened(path) as file:
        rate = file.samplerate
        wanted = rate if sample_rate is None else sample_rate
        n_wanted = None if duration is None else max(1, round(duration * rate))
        mono = _mono(file, path, 16 * _BLOCK, round(start * rate), n_wanted)
        return np.concatenate(list(_resampled(mono, path, rate, wanted))), wanted


def blocks(path: str | Path, sample_rate: int, block_seconds: float = 30.0) -> Iterator[NDArray[np.float32]]:
    """The samples of `read(path, sample_rate)` in blocks of about `block_seconds`, shapes (n_samples,), none empty.

    Joined they equal `read` bit for bit. Memory does not grow with the recording. Raises as `read`, when met.
    """
    with _opened(Path(path)) as file:
        mono = _mono(file, Path(path), max(1, round(block_seconds * file.samplerate)))
        yield from _resampled(mono, Path(path), file.samplerate, sample_rate)


def write(path: str | Path, samples: NDArray[np.floating], sample_rate: int, subtype: str | None = None) -> None:
    """Writes samples, shape (n_samples,) or (n_samples, channels), to .wav, .flac or .ogg, beside and then renamed.

    `subtype` is libsndfile's, its default `PCM_16` or `VORBIS`; integer subtypes clip at ±1. WAV and FLAC written
    twice are the same bytes; OGG is not, as its streams carry a random number. Raises `AudioError`.
    """
    path = Path(path)
    form = WRITTEN.get(path.suffix.lower())
    if form is None:
        raise AudioError(
            f"{path}: cannot be written: the suffix is {path.suffix!r}; wanted one of {', '.join(WRITTEN)}"
        )
    if subtype is not None and not soundfile.check_format(form, subtype):
        known = ", ".join(soundfile.available_subtypes(form))
        raise AudioError(f"{path}: cannot be written: {form} has no subtype {subtype!r}; wanted one of {known}")
    if not samples.size or not np.isfinite(samples).all():
        raise AudioError(f"{path}: not written: wanted samples, all of them finite numbers, and at least one")
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    try:
        with replacing(path, AudioError) as beside:
            with soundfile.SoundFile(_name(beside), "w", sample_rate, channels, subtype, format=form) as file:
                for first in range(0, len(samples), _BLOCK):
                    file.write(samples[first : first + _BLOCK])
            _forget_when(beside)
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error


def _forget_when(path: Path) -> None:
    """Clears the time of writing that libsndfile puts in a float WAV, so that the same samples give the same bytes."""
    with path.open("r+b") as file:
        at = file.read(128).find(b"PEAK")
        if at >= 0:
            file.seek(at + 12)
            file.write(bytes(4))


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Reads on. soundfile seeks after every read where it can, which in an MP3 lands beside: so it may not."""

    def seekable(self) -> bool:
        return False

    def seeks_exactly(self) -> bool:
        """Whether `seek` lands where it should: in OGG and MP3 it is up to thousands of samples beside."""
        return super().seekable() and self.format != "OGG" and not self.subtype.startswith("MPEG")


@contextmanager
def _opened(path: Path) -> Iterator[_Forward]:
    """The recording, at its first sample; whatever libsndfile says, here or while it is read, becomes `AudioError`."""
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "does not exist"
            raise AudioError(f"{path}: {found}; wanted a recording")
        with path.open("rb") as raw:
            head = raw.read(256)
        if not head:
            raise AudioError(f"{path}: is empty (0 bytes); fetch it again")
        if path.suffix.lower() == ".raw":
            raise AudioError(f"{path}: has no header; say what it holds: {_by_ffmpeg(path, '-f s16le -ar RATE ')}")
        data = data_chunk(path)
        with (
            Filled(path, data) if data and data.length else nullcontext(_name(path)) as source,
            _Forward(source) as file,
        ):
            if data:
                _check_whole(file, path, data)
            if file.frames == 0:
                raise AudioError(f"{path}: holds no samples: it is only a header, or cut short right behind one")
            yield file
    except OSError as error:
        raise AudioError(f"{path}: cannot be read: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: {_why_not_readable(path, head, error)}") from error


def _name(path: Path) -> str | bytes:
    """A path as libsndfile takes it: where the system lets a name be any bytes, soundfile wants them as bytes."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def _why_not_readable(path: Path, head: bytes, error: soundfile.LibsndfileError) -> str:
    flac_in_ogg = head.startswith(b"OggS") and b"\x7fFLAC" in head  # libsndfile reads either, not one in the other
    if path.suffix.lower() in _FOR_FFMPEG or head[4:8] == b"ftyp" or flac_in_ogg:
        return f"this kind of file is not decoded here; convert it first: {_by_ffmpeg(path)}"
    if head.isascii() and b"\0" not in head and not head.startswith((b"fLaC", b"OggS", b"RIFF")):
        return f"holds text, not audio; wanted a recording ({', '.join(EXTENSIONS)})"
    reason = error.error_string.strip().removeprefix("Error").strip(" :.")
    if error.prefix and error.code in (1, 2, 4):  # not recognised; "system error", also of what is no MP3; unsupported
        return f"is no audio that libsndfile knows ({', '.join(EXTENSIONS)}); convert it first: {_by_ffmpeg(path)}"
    return f"is damaged or cut short ({reason}); fetch it again, or save what is there: {_by_ffmpeg(path)}"


def _by_ffmpeg(path: Path, options: str = "") -> str:
    target = path.with_suffix(".wav") if path.suffix.lower() != ".wav" else path.with_suffix(".converted.wav")
    return f"ffmpeg {options}-i {shlex.quote(str(path))} {shlex.quote(str(target))}"


def _mono(
    file: _Forward, path: Path, block: int, first: int = 0, n_wanted: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Samples [first, first + n_wanted) at the recording's own rate, averaged over channels, `block` at a time."""
    rate, n_samples = file.samplerate, file.frames
    end = n_samples if n_wanted is None else min(n_samples, first + n_wanted)
    position = 0
    if first < n_samples != _UNKNOWN_LENGTH and file.seeks_exactly():
        position = file.seek(first)
    while position < end:
        frames = _floats(file, min(block, end - position))
        if not len(frames):
            break
        kept = frames[max(0, first - position) :]
        position += len(frames)
        samples = _averaged(kept)
        if len(samples) and not (samples.min() > -LARGEST_SAMPLE and samples.max() < LARGEST_SAMPLE):  # nor for NaN
            index = int(np.argmin(np.abs(samples) < LARGEST_SAMPLE))
            what = f"{samples[index]:g}" if np.isfinite(samples[index]) else "no finite number"
            second = (position - len(kept) + index) / rate
            raise AudioError(f"{path}: the sample at {second:.6f} s is {what}; wanted samples from -1 to 1")
        if len(samples):
            yield samples
    if position <= first:
        raise AudioError(f"{path}: has no sample at {first / rate:g} s: it ends at {position / rate:g} s")
    if position < end and n_samples != _UNKNOWN_LENGTH and not _is_guess(file, path):
        raise AudioError(_cut_short(path, n_samples / rate, position / rate))


def _floats(file: _Forward, n_samples: int) -> NDArray[np.float32]:
    """The next samples, shape (n_samples, channels). Those of 16 bits become here what libsndfile would make of them:
    it takes four times as long."""
    if file.subtype != "PCM_16":
        floats: NDArray[np.float32] = file.read(n_samples, dtype="float32", always_2d=True)
        return floats
    shorts: NDArray[np.int16] = file.read(n_samples, dtype="int16", always_2d=True)
    return np.multiply(shorts, np.float32(2**-15), dtype=np.float32)


def _averaged(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over the channels; few of them are summed one by one, as `mean` does it, but many samples at once."""
    n_channels = frames.shape[1]
    if n_channels == 1:
        return frames[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):  # told by whoever calls
        if n_channels >= 8:  # `mean` sums in another order
            mean: NDArray[np.float32] = frames.mean(axis=1)
            return mean
        total = frames[:, 0] + frames[:, 1]
        for channel in range(2, n_channels):
            total += frames[:, channel]
        total /= np.float32(n_channels)
        return total


def _resampled(
    mono: Iterator[NDArray[np.float32]], path: Path, rate: int, wanted: int
) -> Iterator[NDArray[np.float32]]:
    """Blocks at `rate` as blocks at the rate `wanted`; soxr gives the same samples however its input is cut."""
    if wanted <= 0 or int(wanted) != wanted:
        raise AudioError(f"{path}: cannot be read at {wanted} samples a second; wanted a positive whole number")
    if wanted == rate:
        yield from mono
        return
    resampler = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")
    n_out = 0
    for samples in chain(mono, [None]):
        out = resampler.resample_chunk(np.zeros(0, np.float32) if samples is None else samples, last=samples is None)
        n_out += len(out)
        if len(out):
            yield out
    if not n_out:
        raise AudioError(f"{path}: is shorter than one sample at {wanted} Hz; wanted a longer recording")


def _cut_short(path: Path, promised: float, present: float) -> str:
    return (
        f"{path}: is cut short: its header promises {promised:.3f} s, {present:.3f} s are there; "
        f"fetch it again, or save what is there: {_by_ffmpeg(path)}"
    )


def _is_guess(file: _Forward, path: Path) -> bool:
    """Whether the length is libsndfile's guess: that of an MP3 whose first frame is no Xing or Info header."""
    if file.format != "MP3":
        return False
    with path.open("rb") as raw:
        tag = raw.read(10)
        if tag[:3] == b"ID3":  # its length stands in four bytes of seven bits
            raw.seek(10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)))
        head = raw.read(256)
    return b"Xing" not in head and b"Info" not in head


def _check_whole(file: _Forward, path: Path, data: Data) -> None:
    if not data.present < data.promised:
        return
    if not data.present:
        raise AudioError(f"{path}: is cut short: its header promises {data.promised} bytes of samples, none are there")
    promised = file.frames * data.promised / data.present
    if promised - file.frames > 0.5:  # a part of a sample is not missed
        raise AudioError(_cut_short(path, promised / file.samplerate, file.frames / file.samplerate))
