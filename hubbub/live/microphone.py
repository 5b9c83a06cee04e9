"""A microphone, by PortAudio. A device that goes away is waited for."""

import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Event as Flag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import AudioError, ConfigError
from hubbub.live.listening import TICK, Say
from hubbub.live.sources import Block, Item, Lost

BLOCK_SECONDS = 0.04
"""What the device hands over at once: little beside what a network looks ahead, and 25 calls a second."""
SILENT_FOR = 3.0
"""Seconds without a block after which the device is taken to be gone."""
RETRY = 1.0
"""Seconds between two looks whether it is back."""

Arrived = tuple[NDArray[np.float32], float, bool]
"""Samples, the device's time of the first of them in seconds, whether some were lost before them."""


def sound_system() -> Any:
    """The module sounddevice. Raises `ModuleNotFoundError` without it, `AudioError` without PortAudio."""
    try:
        return import_module("sounddevice")
    except OSError as error:
        raise AudioError("PortAudio is not installed; on Debian and its kin: apt install libportaudio2") from error


def devices(sd: Any) -> list[str]:
    """A line for each device that records: its number, name, channels and rate."""
    return [
        f"{index}  {device['name']}  ({device['max_input_channels']} channels, {device['default_samplerate']:g} Hz)"
        for index, device in enumerate(sd.query_devices())
        if device["max_input_channels"] > 0
    ]


class Microphone:
    """A device that records: `device` is its number, a part of its name, or None for the system's own choice.

    `channels` are averaged; None: one, or where the device does not give one, two. Raises `AudioError` where there is
    no such device, `ConfigError` where it has fewer channels.
    """

    def __init__(self, sd: Any, device: str | None, say: Say, channels: int | None = None) -> None:
        self._sd = sd
        self._say = say
        self._device = int(device) if device is not None and device.isdecimal() else device
        try:
            found = sd.query_devices(self._device, "input")
        except (sd.PortAudioError, ValueError) as error:
            wanted = "there is no device that records" if device is None else f"no device {device!r} records"
            raise AudioError(f"{wanted}; there is: {'; '.join(devices(sd)) or 'none at all'}") from error
        self.name = str(found["name"])
        most = int(found["max_input_channels"])
        if channels is not None and channels > most:
            raise ConfigError(f"--channels {channels}: {self.name} has {most}")
        self._channels = (1, min(2, most)) if channels is None else (channels,)

    def items(self, stop: Flag) -> Iterator[Item]:
        """Blocks as the device records them, and what was lost, by the device or while it was away.

        Raises `AudioError` where it cannot be opened at first; later it is waited for.
        """
        until: float | None = None  # so far all time is accounted for; by the clock that nobody sets
        away = False
        while not stop.is_set():
            arrived: SimpleQueue[Arrived] = SimpleQueue()
            stream = None
            try:
                stream, rate = self._open(arrived)
                for item in self._blocks(stream, rate, arrived, stop):
                    now = time.monotonic()
                    if away and until is not None and isinstance(item, Block):
                        self._say(f"{self.name} is back")
                        yield Lost(max(0.0, now - until - item.seconds))
                        away = False
                    until = now
                    yield item
            except (self._sd.PortAudioError, ValueError) as error:
                if until is None:
                    raise AudioError(f"{self.name}: cannot be opened: {' '.join(str(error).split())}") from error
            finally:
                if stream is not None:
                    self._quietly(stream.close)
            if stop.is_set():
                return
            if until is None:
                raise AudioError(f"{self.name}: records nothing; is it in use, or muted by the system?")
            if not away:
                self._say(f"{self.name} is gone; waiting for it")
                away = True
            yield Lost(time.monotonic() - until)
            until = time.monotonic()
            stop.wait(RETRY)
            self._quietly(self._sd._terminate)  # PortAudio looks at what is plugged in when it starts, and only then
            self._quietly(self._sd._initialize)

    def _open(self, arrived: SimpleQueue[Arrived]) -> tuple[Any, int]:
        """A stream that runs, and its rate. Raises `PortAudioError`, or `ValueError` where the device is not there."""
        found = self._sd.query_devices(self._device, "input")
        if found["name"] != self.name:  # numbers and the system's choice change with what is plugged in
            found = self._sd.query_devices(self.name, "input")
        rate = round(found["default_samplerate"])

        def take(samples: NDArray[np.float32], n_samples: int, when: Any, status: Any) -> None:
            arrived.put((samples.mean(axis=1), when.inputBufferAdcTime, bool(status.input_overflow)))

        for channels in self._channels:
            try:
                stream = self._sd.InputStream(
                    device=found["index"],
                    samplerate=rate,
                    channels=channels,
                    dtype="float32",
                    blocksize=round(BLOCK_SECONDS * rate),
                    callback=take,
                )
                break
            except self._sd.PortAudioError:
                if channels == self._channels[-1]:
                    raise
        stream.start()
        return stream, rate

    def _blocks(self, stream: Any, rate: int, arrived: SimpleQueue[Arrived], stop: Flag) -> Iterator[Item]:
        """Until it is gone."""
        last, expected = time.monotonic(), 0.0
        while not stop.is_set():
            try:
                samples, at, overflow = arrived.get(timeout=TICK)
            except Empty:
                if time.monotonic() - last > SILENT_FOR or not stream.active:
                    return
                continue
            if overflow and 0 < at - expected < SILENT_FOR:
                yield Lost(at - expected)
            last, expected = time.monotonic(), at + len(samples) / rate
            yield Block(samples, rate)

    def _quietly(self, action: Any) -> None:
        """What fails on a device that is gone is of no interest."""
        with suppress(self._sd.PortAudioError):
            action()
