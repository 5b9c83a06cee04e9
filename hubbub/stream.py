"""Blocks of any size in, events out as soon as they are certain.

A recording is a stream that ends: files and microphones run through the same code. The recording is surrounded by
silence: the state before the first block is what silence leaves, and silence is pushed after the last block until
every frame of the recording has come out. Audio that was lost on the way is told to a stream, so that time stays right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.audio import LARGEST_SAMPLE
from hubbub.decode import Decoder, LabelRule
from hubbub.errors import AudioError
from hubbub.events import Event
from hubbub.model import Metadata, Model

MAX_FRAMES = 256
"""Frames in one run of the graph, so that what it computes stays in a core's cache; 1500 take longer."""
LOST_SECONDS = 600
"""Seconds of lost audio that are decided at once, so that memory does not grow with what was lost."""


@dataclass(frozen=True)
class Latency:
    """How late a stream is, and why, in seconds: so long after a sound its frame is decided, at most.

    `look_ahead`: the future that the network hears; `median`: half of the longest median filter of its labels; `block`:
    what the network takes at once. To these add the length of the blocks that are pushed, and for the end of an event
    the label's shortest gap, as until then it could go on.
    """

    look_ahead: float
    median: float
    block: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.look_ahead + self.median + self.block

    def __str__(self) -> str:
        """One line of words."""
        parts = (("look-ahead", self.look_ahead), ("median", self.median), ("block", self.block))
        return f"{self.seconds:.2f} s late ({', '.join(f'{name} {value:.2f} s' for name, value in parts)})"


def checked(samples: NDArray[np.float32], n_before: int = 0) -> NDArray[np.float32]:
    """A block of mono samples, shape (n_samples,), as float32, if it is one; `n_before` samples came before it.

    Raises `AudioError` for samples that are not finite, not float or not one-dimensional.
    """
    samples = np.asarray(samples)
    if samples.dtype.kind != "f":
        raise AudioError(f"a block of {samples.dtype}; wanted float32 from -1 to 1 (16 bit: divide by 32768)")
    with np.errstate(over="ignore"):  # told below
        samples = samples.astype(np.float32, copy=False)
    if samples.ndim != 1:
        raise AudioError(f"a block of shape {samples.shape}; wanted mono samples, shape (n_samples,)")
    if len(samples) and not (samples.min() > -LARGEST_SAMPLE and samples.max() < LARGEST_SAMPLE):  # nor for NaN
        index = int(np.argmin(np.abs(samples) < LARGEST_SAMPLE))
        raise AudioError(f"sample {n_before + index} is {samples[index]:g}; wanted numbers from -1 to 1")
    return np.ascontiguousarray(samples)


def run_length(metadata: Metadata) -> int:
    """The samples of the longest run of the graph."""
    return max(1, MAX_FRAMES // metadata.block) * metadata.block * metadata.hop


class ProbabilityStream:
    """Audio in, probabilities out, frame by frame of the detector's grid, `look_ahead` frames late."""

    def __init__(self, model: Model) -> None:
        meta = model.metadata
        self._model = model
        self._states = model.silent_states()
        self._waiting: list[NDArray[np.float32]] = []  # less than one block of samples, or a block handed over
        self._n_waiting = 0
        self._step = meta.block * meta.hop
        self._largest = run_length(meta)
        self._skip = meta.look_ahead  # outputs that belong to the silence before the recording
        self._n_labels = len(meta.labels)
        self._n_out = 0
        self._closed = False
        self.n_samples = 0

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes mono samples at the detector's rate, any number; gives the frames that are ready, (n_frames, n_labels).

        Raises `AudioError` for samples that are not finite, not float or not one-dimensional, or after `close()`.
        """
        if self._closed:
            raise AudioError("the stream is closed; open a new one with detector.stream()")
        samples = checked(samples, self.n_samples)
        self.n_samples += len(samples)
        return self._run(samples)

    def end_of(
        self, block: NDArray[np.float32], n_samples: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """What `take_up` wants of a stream that was pushed `n_samples` in all and `block` last; None where that is
        too short, or its last run is shorter than what the network remembers."""
        meta = self._model.metadata
        n_before = n_samples - len(block)
        first, last = n_before - n_before % self._step, n_samples - n_samples % self._step
        start = last - ((last - first - 1) % self._largest + 1)  # of the last run of the block
        if last - start < meta.settle * meta.hop:
            start -= self._largest
        if start < n_before or last == first:
            return None
        return block[start - n_before : last - n_before], block[last - n_before :]

    def take_up(self, run: NDArray[np.float32], waiting: NDArray[np.float32], n_samples: int) -> None:
        """Makes a new stream that one which has been pushed `n_samples`, bit for bit.

        `run`: the samples of its last runs of the graph, all that the network remembers; `waiting`: those since.
        """
        meta = self._model.metadata
        for start in range(0, len(run), self._largest):
            _, self._states = self._model.run(run[start : start + self._largest], self._states)
        n_frames = n_samples // self._step * meta.block
        self._n_out = max(0, n_frames - meta.look_ahead)
        self._skip = max(0, meta.look_ahead - n_frames)
        self._waiting, self._n_waiting = [waiting.copy()], len(waiting)
        self.n_samples = n_samples

    def skip(self, n_samples: int) -> NDArray[np.float32]:
        """Takes note of `n_samples` that were lost; gives the frames that are ready, (n_frames, n_labels).

        What came before is heard as if silence followed, what comes after as if silence lay before it, as at the edges
        of a recording. In between nothing is computed: those frames have probability 0. A loss that is too short for
        that is heard as silence. Raises `AudioError` after `close()`.
        """
        meta = self._model.metadata
        end = self.n_samples + n_samples
        heard = (meta.grid.n_frames(self.n_samples) + meta.look_ahead) * meta.hop
        heard += -heard % self._step
        again = end - end % self._step  # listening begins anew on the grid
        if again <= heard or self._closed:
            return self.push(np.zeros(n_samples, np.float32))
        last = self._run(np.zeros(heard - self.n_samples, np.float32))
        unheard = np.zeros((again // meta.hop - self._n_out, self._n_labels), np.float32)
        self._n_out += len(unheard)
        self._states = self._model.silent_states()
        self._skip = meta.look_ahead
        self._waiting, self._n_waiting = [np.zeros(end - again, np.float32)], end - again
        self.n_samples = end
        return np.concatenate([last, unheard])

    def close(self) -> NDArray[np.float32]:
        """Pushes the silence after the recording and gives the last frames, (n_frames, n_labels); once."""
        meta = self._model.metadata
        n_frames = meta.grid.n_frames(self.n_samples)
        missing = 0 if self._closed else n_frames - self._n_out
        self._closed = True
        if missing == 0:
            return np.zeros((0, self._n_labels), np.float32)
        wanted = (n_frames + meta.look_ahead) * meta.hop
        wanted += -wanted % self._step
        return self._run(np.zeros(wanted - self.n_samples, np.float32))[:missing]

    def _run(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        n_before = self._n_waiting
        self._n_waiting += len(samples)
        usable = self._n_waiting - self._n_waiting % self._step
        if not usable:
            self._waiting.append(samples.copy())  # a sound card's buffer is filled anew
            return np.zeros((0, self._n_labels), np.float32)
        outputs = []
        for start in range(-n_before, usable - n_before, self._largest):
            end = min(start + self._largest, usable - n_before)
            audio = samples[start:end] if start >= 0 else np.concatenate([*self._waiting, samples[:end]])
            probabilities, self._states = self._model.run(audio, self._states)
            outputs.append(probabilities)
        self._waiting = [samples[usable - n_before :].copy()]
        self._n_waiting -= usable
        ready = np.concatenate(outputs)
        skipped = min(self._skip, len(ready))
        self._skip -= skipped
        self._n_out += len(ready) - skipped
        return ready[skipped:]


class Stream:
    """Audio in, events out. `probabilities` of the frames that came out last are kept for a display, (n_frames,
    n_labels); `latency` says how late the stream is, and why."""

    def __init__(self, model: Model, rules: list[LabelRule]) -> None:
        meta = model.metadata
        self._rate = meta.sample_rate
        self._frames = ProbabilityStream(model)
        self._decoder = Decoder(meta.labels, rules, meta.grid)
        half = max((rule.median - 1) // 2 for rule in rules)
        self.latency = Latency(*(meta.grid.seconds(frames) for frames in (meta.look_ahead, half, meta.block)))
        self.probabilities: NDArray[np.float32] = np.zeros((0, len(meta.labels)), np.float32)

    @property
    def seconds(self) -> float:
        """How much audio was pushed so far."""
        return self._frames.n_samples / self._rate

    def push(self, samples: NDArray[np.float32]) -> list[Event]:
        """Takes mono float32 samples at the detector's rate, any number; gives the events that are certain now.

        Raises `AudioError` for samples that are not finite, not float or not one-dimensional, or after `close()`.
        """
        self.probabilities = self._frames.push(samples)
        return self._decoder.push(self.probabilities)

    def skip(self, n_samples: int) -> list[Event]:
        """Takes note of `n_samples` at the detector's rate that were lost, any number; gives events as `push` does.

        Time goes on over the loss, nothing sounds in it. `probabilities` are those of its last frames. Raises
        `AudioError` after `close()`.
        """
        events: list[Event] = []
        most = LOST_SECONDS * self._rate
        for first in range(0, n_samples, most):
            self.probabilities = self._frames.skip(min(most, n_samples - first))
            events += self._decoder.push(self.probabilities)
        return events

    def open_events(self) -> list[Event]:
        """The events that have begun and are certain but for their end; sorted.

        Each reaches as far as it is known, its score is the mean until there. `push` or `close` will give it with the
        same label and onset, once, when it has ended for good. One that is still shorter than its label's shortest
        event is not among them.
        """
        return self._decoder.open_events()

    def close(self) -> list[Event]:
        """Ends the recording; gives its last events."""
        self.probabilities = self._frames.close()
        return sorted(self._decoder.push(self.probabilities) + self._decoder.close(self.seconds))
