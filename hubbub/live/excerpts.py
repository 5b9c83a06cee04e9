"""A short recording of every event, cut from the last seconds of audio."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub import audio, files
from hubbub.errors import ConfigError
from hubbub.live.actions import Worker
from hubbub.live.listening import Heard, Say, Sink

LONGEST = 60.0
"""Seconds of an event that are kept: its first ones."""
SUFFIXES = ("wav", "flac")


@dataclass
class _Wanted:
    """An excerpt from `first` to `last` seconds, the latter not known before the event has ended."""

    name: str
    first: float
    last: float | None = None


class Excerpts(Sink):
    """Writes each event with `around` seconds before and after it to a folder, mono and at the rate at which it came.

    `late`: how many seconds an event may be told after its onset; so much more audio is kept in memory.
    Raises `ConfigError` for a folder that cannot be made or an unknown suffix.
    """

    def __init__(self, folder: Path, around: float, suffix: str, late: float, say: Say, patient: bool = False) -> None:
        if suffix not in SUFFIXES:
            raise ConfigError(f"excerpts in {suffix!r}: wanted one of {', '.join(SUFFIXES)}")
        files.make_folder(folder, ConfigError)
        self._folder = folder
        self._around = around
        self._suffix = suffix
        self._kept = 2 * around + LONGEST + late
        self._pieces: list[NDArray[np.float32]] = []
        self._rate = 0
        self._began = 0.0  # seconds where the pieces begin
        self._n_samples = 0  # in them
        self._wanted: dict[tuple[str, float], _Wanted] = {}
        self._worker = Worker("--keep", say, patient)

    @property
    def _end(self) -> float:
        return self._began + (self._n_samples / self._rate if self._rate else 0.0)

    def sound(self, samples: NDArray[np.float32], rate: int) -> None:
        """Keeps it for a while, and cuts what is complete now."""
        if rate != self._rate:
            self._cut_complete(ended=True)
            self._began, self._pieces, self._n_samples, self._rate = self._end, [], 0, rate
        self._pieces.append(samples)
        self._n_samples += len(samples)
        self._cut_complete()
        while self._n_samples - len(self._pieces[0]) > self._kept * rate:
            gone = len(self._pieces.pop(0))
            self._n_samples -= gone
            self._began += gone / rate

    def began(self, heard: Heard) -> None:
        """Will be cut when its end has come, or after `LONGEST`."""
        event = heard.event
        start = f"{event.onset:010.3f}" if heard.time is None else heard.time.strftime("%Y%m%dT%H%M%S.%f")[:-3]
        label = "".join(character if character.isalnum() or character in "-_" else "_" for character in event.label)
        name = f"{start}_{label[:80]}.{self._suffix}"
        self._wanted[event.label, event.onset] = _Wanted(name, event.onset - self._around)

    def ended(self, heard: Heard) -> None:
        """Its end is known."""
        wanted = self._wanted.get((heard.event.label, heard.event.onset))
        if wanted is not None:  # or it was so long that it is cut already
            wanted.last = heard.event.offset + self._around
            self._cut_complete()

    def close(self) -> None:
        """Cuts the last ones, where the audio ends."""
        self._cut_complete(ended=True)
        self._worker.close()

    def _cut_complete(self, ended: bool = False) -> None:
        for key, wanted in list(self._wanted.items()):
            longest = wanted.first + LONGEST + 2 * self._around
            last = longest if wanted.last is None else min(wanted.last, longest)
            if self._end >= last or ended:
                del self._wanted[key]
                self._cut(wanted.name, wanted.first, last)

    def _cut(self, name: str, first: float, last: float) -> None:
        start = max(0, round((first - self._began) * self._rate))
        stop = round((last - self._began) * self._rate)
        samples = np.concatenate([np.zeros(0, np.float32), *self._pieces])[start : max(start, stop)]
        if len(samples):
            self._worker.put(partial(audio.write, self._folder / name, samples, self._rate))
