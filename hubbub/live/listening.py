"""The loop: audio as it comes is resampled, pushed into the stream, and what is found is told to the sinks."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Flag
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from hubbub.detector import Detector
from hubbub.errors import AudioError
from hubbub.events import Event
from hubbub.live.capture import Capture
from hubbub.live.clock import Clock
from hubbub.live.sources import Item, Lost

Say = Callable[[str], None]
TOLD_EVERY = 5.0
"""Seconds between two lines about audio that was dropped."""
TICK = 0.1
"""Seconds after which a request to stop is seen at the latest."""


@dataclass(frozen=True)
class Heard:
    """An event of a stream, `event`, and the `time` of day of its onset; None where the stream is not live."""

    event: Event
    time: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """What is told of it: `label`, `onset`, `offset` and `score` to six decimals, `time` in ISO 8601 or None."""
        event = self.event
        return {
            "label": event.label,
            "onset": round(event.onset, 6),
            "offset": round(event.offset, 6),
            "score": None if event.score is None else round(event.score, 6),
            "time": None if self.time is None else self.time.isoformat(timespec="milliseconds"),
        }


class Sink:
    """What is done with what was heard; does nothing. None of its methods may wait for long: audio is coming in."""

    def began(self, heard: Heard) -> None:
        """An event is certain but for its end; called once before `ended`."""

    def ended(self, heard: Heard) -> None:
        """An event has ended."""

    def sound(self, samples: NDArray[np.float32], rate: int) -> None:
        """The next audio as it came, shape (n_samples,); zeros for what was lost."""

    def frames(self, probabilities: NDArray[np.float32], seconds: float) -> None:
        """The frames that came out last, (n_frames, n_labels), when `seconds` were heard."""

    def close(self) -> None:
        """The stream has ended, all events are told."""


class Listening:
    """A detector at work on a stream of audio. `say` is told what a user should know, a line at a time."""

    def __init__(self, detector: Detector, sinks: Sequence[Sink], say: Say, live: bool) -> None:
        self._rate = detector.sample_rate
        self._stream = detector.stream()
        self._sinks = sinks
        self._say = say
        self._clock = Clock() if live else None
        self._ears = _Resampler(self._rate, self._rate)
        self._open: dict[tuple[str, float], Heard] = {}
        self._told_at, self._told = -TOLD_EVERY, 0.0
        self.dropped = 0.0
        """Seconds of audio that nobody heard because detection was too slow."""
        self.missed = 0.0
        """Seconds in which there was no audio, as its device was away."""
        self.n_events = 0

    @property
    def seconds(self) -> float:
        """How much time has passed in the stream."""
        return self._stream.seconds

    def hear(self, items: Iterable[tuple[Item, float]]) -> None:
        """Takes what a capture fetched. Raises `AudioError` for samples that are no numbers."""
        waiting: list[NDArray[np.float32]] = []
        for item, at in items:
            if isinstance(item, Lost):
                self._push(waiting)
                self._lose(item)
                waiting = []
            else:
                if item.rate != self._ears.rate:
                    self._push([*waiting, self._ears.close()])
                    self._ears, waiting = _Resampler(item.rate, self._rate), []
                waiting.append(self._ears.push(item.samples))
                for sink in self._sinks:
                    sink.sound(item.samples, item.rate)
                if self._clock is not None:
                    arrived = self.seconds + sum(map(len, waiting)) / self._rate + self._ears.delay
                    self._clock.heard(arrived, at)
        self._push(waiting)
        self._tell_of_losses()

    def close(self) -> None:
        """Ends the stream and tells its last events."""
        self._push([self._ears.close()])
        self._told_at = -TOLD_EVERY
        self._tell_of_losses()
        self._tell(self._stream.close())

    def _push(self, pieces: list[NDArray[np.float32]]) -> None:
        samples = np.concatenate([np.zeros(0, np.float32), *pieces])
        if len(samples):
            self._tell(self._stream.push(samples))

    def _lose(self, lost: Lost) -> None:
        self._push([self._ears.close()])
        rate = self._ears.rate
        self._ears = _Resampler(rate, self._rate)
        if lost.overload:
            self.dropped += lost.seconds
        else:
            self.missed += lost.seconds
        for sink in self._sinks:
            sink.sound(np.zeros(round(lost.seconds * rate), np.float32), rate)
        self._tell(self._stream.skip(round(lost.seconds * self._rate)))

    def _tell_of_losses(self) -> None:
        now = time.monotonic()
        if self.dropped > self._told and now - self._told_at >= TOLD_EVERY:
            new = self.dropped - self._told
            self._say(f"dropped {new:.1f} s: detection is slower than the sound ({self.dropped:.1f} s in all)")
            self._told_at, self._told = now, self.dropped

    def _tell(self, ended: list[Event]) -> None:
        still = {(event.label, event.onset): event for event in self._stream.open_events()}
        for event in [*ended, *still.values()]:
            key = event.label, event.onset
            if key not in self._open:
                self._open[key] = self._heard(event)
                for sink in self._sinks:
                    sink.began(self._open[key])
        for event in ended:
            began = self._open.pop((event.label, event.onset))
            self.n_events += 1
            for sink in self._sinks:
                sink.ended(Heard(event, began.time))
        for sink in self._sinks:
            sink.frames(self._stream.probabilities, self.seconds)

    def _heard(self, event: Event) -> Heard:
        return Heard(event, None if self._clock is None else self._clock.time(event.onset))


def listen(capture: Capture, listening: Listening, stop: Flag, longest: float | None = None) -> None:
    """Until the source ends, `stop` is set or `longest` seconds were heard; the last events are told whatever happens.

    Raises what the source and the sinks raise.
    """
    try:
        with capture:
            while not stop.is_set() and (longest is None or listening.seconds < longest):
                try:
                    items = capture.fetch(TICK)
                except AudioError:
                    if stop.is_set():  # Ctrl-C is for the whole pipe: of course what came in is cut short
                        break
                    raise
                if items is None:
                    break
                listening.hear(items)
    finally:
        listening.close()


class _Resampler:
    """Samples at `rate` → samples at the detector's; n become n * wanted / rate, to the nearest whole number."""

    def __init__(self, rate: int, wanted: int) -> None:
        self.rate = rate
        self._wanted = wanted
        self._n_in = self._n_out = 0
        self._soxr = None if rate == wanted else soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")

    @property
    def delay(self) -> float:
        """Seconds of samples that came in and are not out yet."""
        return self._n_in / self.rate - self._n_out / self._wanted

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._run(samples, last=False)

    def close(self) -> NDArray[np.float32]:
        """The last samples; once."""
        out = self._run(np.zeros(0, np.float32), last=True) if self._n_in else np.zeros(0, np.float32)
        self._n_in = 0
        return out

    def _run(self, samples: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
        self._n_in += len(samples)
        out: NDArray[np.float32] = samples if self._soxr is None else self._soxr.resample_chunk(samples, last=last)
        self._n_out += len(out)
        return out
