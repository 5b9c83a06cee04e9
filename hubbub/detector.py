"""What a user holds: a detector for recordings of any length, in constant memory, and for live audio."""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub import audio
from hubbub.clip import label_blocks
from hubbub.decode import Decoder, LabelRule, decode
from hubbub.detectors import path_of
from hubbub.device import AUTO, Device
from hubbub.errors import ConfigError
from hubbub.events import Event
from hubbub.lanes import cut, hear
from hubbub.model import Metadata, Model
from hubbub.stream import Stream, checked, run_length

BLOCK_RUNS = 6
"""Runs of the graph in a block of samples that are in memory; half a minute, as blocks that are read."""
Source = str | Path | NDArray[np.float32]
Progress = Callable[[float], None]
"""Called with the seconds of audio that were just finished."""


@dataclass(frozen=True)
class Probabilities:
    """`values` (n_frames, n_labels) on `edges` (n_frames + 1,), in seconds; the array travels with its grid."""

    values: NDArray[np.floating]
    edges: NDArray[np.float64]
    labels: tuple[str, ...]


class Detector:
    """Finds events in recordings and live audio. Made by `hubbub.load`."""

    def __init__(self, model: Model, rules: list[LabelRule] | None = None) -> None:
        self._model = model
        self._rules = list(rules) if rules is not None else model.metadata.rules

    @property
    def metadata(self) -> Metadata:
        """What the file says of itself: labels, grid, training data, licences, scores."""
        return self._model.metadata

    @property
    def path(self) -> Path:
        """The file that the detector was loaded from."""
        return self._model.path

    @property
    def device(self) -> Device:
        """Where it computes."""
        return self._model.device

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can hear."""
        return self.metadata.labels

    @property
    def rules(self) -> tuple[LabelRule, ...]:
        """How it decides, a rule a label; none where it labels whole clips."""
        return tuple(self._rules)

    @property
    def sample_rate(self) -> int:
        """Samples per second that `stream()` wants; recordings are resampled to it."""
        return self.metadata.sample_rate

    @property
    def frame_period(self) -> float:
        """Seconds per frame."""
        return self.metadata.grid.period

    @property
    def look_ahead(self) -> int:
        """Frames of future that a probability needs."""
        return self.metadata.look_ahead

    @property
    def latency(self) -> float:
        """Seconds by which a live probability is late at most."""
        return (self.metadata.look_ahead + self.metadata.block) * self.frame_period

    def with_thresholds(self, thresholds: float | Mapping[str, float]) -> "Detector":
        """The same detector at one threshold for all labels, or at others for some.

        Raises `ConfigError` for a label that the detector does not know or a threshold outside [0, 1], and where it
        labels whole clips.
        """
        if not isinstance(thresholds, Mapping):
            thresholds = dict.fromkeys(self.labels, thresholds)
        unknown = [label for label in thresholds if label not in self.labels]
        if unknown:
            raise ConfigError(f"threshold for {unknown[0]!r}: this detector knows {', '.join(self.labels)}")
        rules = [
            rule.at(thresholds[label]) if label in thresholds else rule
            for label, rule in zip(self.labels, self._rules, strict=True)
        ]
        return Detector(self._model, rules)

    def uncalibrated(self) -> "Detector":
        """The same detector giving the probabilities of its network as they are, for a new decision to be made on.

        Raises `ConfigError` where it labels whole clips.
        """
        plain = copy.copy(self._model)
        plain.metadata = plain.metadata.decided(plain.metadata.decode, {})
        return Detector(plain, self._rules)

    def detect(self, source: Source, progress: Progress | None = None) -> list[Event]:
        """The events of a recording, sorted. `source`: a path, or mono float32 samples at `sample_rate`.

        Raises `AudioError` where the recording cannot be read.
        """
        decoder = Decoder(self.labels, self._rules, self.metadata.grid)
        events: list[Event] = []
        n_samples = 0
        for found, n_heard in self._heard(source, progress):
            events += decoder.push(found)
            n_samples += n_heard
        return sorted(events + decoder.close(n_samples / self.sample_rate))

    def probabilities(self, source: Source, progress: Progress | None = None) -> Probabilities:
        """The probability of each label in each frame of a recording; `source` as in `detect`."""
        pieces, n_samples = zip(*self._heard(source, progress), strict=True)
        return Probabilities(np.concatenate(pieces), self.metadata.grid.edges(sum(n_samples)), self.labels)

    def decide(self, probabilities: Probabilities) -> list[Event]:
        """The events that `detect` finds, from what `probabilities` gave for the whole recording; sorted."""
        end = float(probabilities.edges[-1])
        return decode(probabilities.values, self.labels, self._rules, self.metadata.grid, end)

    def stream(self) -> Stream:
        """A new stream for live audio: `push` mono float32 blocks at `sample_rate`, then `close`.

        Raises `ConfigError` where the detector labels whole clips.
        """
        return Stream(self._model, self._rules)

    def _heard(self, source: Source, progress: Progress | None) -> Iterator[tuple[NDArray[np.float32], int]]:
        """What a stream gives for block after block, and how many samples each has; `progress` is told when one was
        heard. Samples in memory are one block, as they are when they are pushed at once."""
        pieces = []
        for found, n_samples in hear(self._model, self._blocks(source)):
            if not isinstance(source, np.ndarray):
                yield found, n_samples
            elif n_samples:
                pieces.append(found)
            else:
                yield from ((np.concatenate(pieces), len(source)), (found, 0)) if pieces else ((found, 0),)
            if n_samples:
                self._tell(progress, n_samples)

    def _tell(self, progress: Progress | None, n_samples: int) -> None:
        if progress is not None:
            progress(n_samples / self.sample_rate)

    def _blocks(self, source: Source) -> Iterator[NDArray[np.float32]]:
        if isinstance(source, np.ndarray):
            return cut(checked(source), BLOCK_RUNS * run_length(self.metadata))
        return _ahead(audio.blocks(source, self.sample_rate))


class ClipDetector(Detector):
    """Gives a whole recording one label. Made by `hubbub.load` of a file with the task `clip`.

    It hears `metadata.clip` samples at once. A longer recording is taken in consecutive windows of that length, and
    their probabilities are averaged, each window weighted by its length, however short the last one is.
    """

    @property
    def frame_period(self) -> float:
        """Seconds that it hears at once; its one frame is as long as the recording."""
        assert self.metadata.clip is not None
        return self.metadata.clip / self.sample_rate

    @property
    def latency(self) -> float:
        """Raises `ConfigError`: there is no live probability that could be late."""
        raise self._no_stream()

    def uncalibrated(self) -> Detector:
        """Raises `ConfigError`: there is neither a calibration nor a threshold."""
        raise ConfigError(
            f"{self.path}: this detector labels whole clips; there is nothing to decide, the most probable label counts"
        )

    def with_thresholds(self, thresholds: float | Mapping[str, float]) -> Detector:
        """Raises `ConfigError`: the most probable label is the answer, whatever its probability."""
        raise ConfigError(
            f"{self.path}: this detector labels whole clips; there is no threshold, the most probable label counts; "
            "leave the threshold out"
        )

    def detect(self, source: Source, progress: Progress | None = None) -> list[Event]:
        """One event over the whole recording, its score is the probability; none where there are no samples.

        `source` and errors as for any detector.
        """
        return self.decide(self.probabilities(source, progress))

    def probabilities(self, source: Source, progress: Progress | None = None) -> Probabilities:
        """The probability of each label, which sum to 1: one frame, as long as the recording.

        Without any samples there is no frame: values of shape (0, n_labels) on the one edge 0.
        """
        values, n_samples = label_blocks(self._model, self._told(source, progress))
        edges = np.array([0.0, n_samples / self.sample_rate][: len(values) + 1])
        return Probabilities(values, edges, self.labels)

    def _told(self, source: Source, progress: Progress | None) -> Iterator[NDArray[np.float32]]:
        for block in self._blocks(source):
            yield block
            self._tell(progress, len(block))

    def decide(self, probabilities: Probabilities) -> list[Event]:
        """The event that `detect` finds; of labels that are equally probable the first."""
        end = float(probabilities.edges[-1])
        return [Event(0.0, end, label, score) for label, score in list(self.ranked(probabilities).items())[:1]]

    def ranked(self, probabilities: Probabilities) -> dict[str, float]:
        """The labels with their probabilities, the most probable first; empty where there is no frame."""
        by_label = [pair for row in probabilities.values for pair in zip(self.labels, row.tolist(), strict=True)]
        return dict(sorted(by_label, key=lambda pair: -pair[1]))

    def stream(self) -> Stream:
        """Raises `ConfigError`: a label belongs to a recording that has ended."""
        raise self._no_stream()

    def _no_stream(self) -> ConfigError:
        return ConfigError(
            f"{self.path}: this detector labels whole clips; it does not stream; "
            "take detect(), or a detector that finds events"
        )


def _ahead(blocks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The same blocks, the next one read and resampled while the last one is listened to."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def load(path: str | Path | None = None, *, device: str = AUTO, threads: int | None = None) -> Detector:
    """Opens a detector: a `ClipDetector` where the file says that its task is `clip`.

    `path`: an `.onnx` file, or the name of a detector that ships: small, small.int8, tiny or tiny.int8; None: small.
    `device`: auto, cpu, cuda, rocm, coreml, directml or openvino; auto is the best that this build of ONNX Runtime has.
    Whatever is not the CPU is checked against it on a second of audio, and left for it where it differs or, with auto,
    does not start or is slower; that is warned of, and `Detector.device` says which it is. `threads`: of the CPU; None
    is one a core.

    Raises `DetectorError` where the file is missing, is no detector, or a device named is not there.
    """
    detector = opened(path, device, threads)
    if detector.device.note is not None:
        warnings.warn(detector.device.note, RuntimeWarning, stacklevel=2)
    return detector


def opened(path: str | Path | None, device: str, threads: int | None) -> Detector:
    """As `load`; what there is to warn of is left to `Detector.device.note`."""
    model = Model(path_of(path), device, threads)
    return ClipDetector(model) if model.metadata.task == "clip" else Detector(model)
