"""Which recordings a page shows, and which minute of a long one: where most went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.events import Event, clip, labels_of
from hubbub.report.comparison import Probabilities, Span, uncovered
from hubbub.report.page import RecordingView
from hubbub.report.sound import LONGEST

LEAD = 3.0
"""Seconds that an excerpt begins before the first mistake."""


@dataclass(frozen=True)
class Cut:
    """Probabilities of an excerpt; a `Probabilities`."""

    values: NDArray[np.floating]
    edges: NDArray[np.float64]
    labels: Sequence[str]


def mistakes(reference: Sequence[Event], estimated: Sequence[Event]) -> list[Span]:
    """The missed and the false parts of all labels, in seconds, sorted."""
    spans: list[Span] = []
    for label in labels_of({"reference": reference, "estimated": estimated}):
        ours, theirs = ([e for e in events if e.label == label] for events in (estimated, reference))
        spans += [*uncovered(theirs, ours), *uncovered(ours, theirs)]
    return sorted(spans)


def worst_first(
    recordings: Sequence[AnnotatedRecording], estimated: Mapping[str, Sequence[Event]]
) -> list[AnnotatedRecording]:
    """By the share of label seconds that are missed or false, most first; by name where that is equal."""

    def wrong(recording: AnnotatedRecording) -> float:
        spans = mistakes(recording.events, estimated[recording.name])
        return sum(offset - onset for onset, offset in spans) / max(recording.duration, 1e-9)

    return sorted(recordings, key=lambda recording: (-wrong(recording), recording.name))


def window(spans: Sequence[Span], duration: float, length: float) -> tuple[float, float]:
    """Where to begin and end, seconds, so that the most of `spans` lies inside; all of a short recording."""
    if duration <= length:
        return 0.0, duration
    starts = [min(max(0.0, onset - LEAD), duration - length) for onset, _ in spans] or [0.0]

    def held(start: float) -> float:
        return sum(max(0.0, min(offset, start + length) - max(onset, start)) for onset, offset in spans)

    start = float(int(max(starts, key=held)))  # whole seconds read better
    return start, start + length


def heard_view(
    path: Path, name: str, duration: float, estimated: Sequence[Event], heard: Probabilities | None
) -> RecordingView:
    """A recording of which nobody knows what sounds, or of a long one the minute in which most was found.

    Raises `AudioError` where it cannot be read.
    """
    start, end = window([(event.onset, event.offset) for event in estimated], duration, LONGEST)
    whole = (start, end) == (0.0, duration)
    samples, rate = _read(path, start, end, None)
    events = list(estimated) if whole else clip(estimated, start, end)
    probabilities = heard if whole or heard is None else _cut(heard, start, end)
    return RecordingView(name, samples, rate, events, None, probabilities, start)


def view(
    recording: AnnotatedRecording,
    title: str,
    estimated: Sequence[Event],
    heard: Probabilities | None,
    sample_rate: int | None = None,
) -> RecordingView:
    """The recording, or of a long one the minute where most went wrong. Raises `AudioError` where it cannot be read."""
    start, end = window(mistakes(recording.events, estimated), recording.duration, LONGEST)
    samples, rate = _read(recording.path, start, end, sample_rate)
    whole = (start, end) == (0.0, recording.duration)
    return RecordingView(
        name=f"{recording.name} ({title})",
        samples=samples,
        sample_rate=rate,
        estimated=list(estimated) if whole else clip(estimated, start, end),
        reference=list(recording.events) if whole else clip(recording.events, start, end),
        probabilities=heard if whole or heard is None else _cut(heard, start, end),
        start=start,
    )


def _read(path: Path, start: float, end: float, sample_rate: int | None) -> tuple[NDArray[np.float32], int]:
    rate = sample_rate if sample_rate is not None else audio.info(path).sample_rate
    first, last = round(start * rate), round(end * rate)
    pieces: list[NDArray[np.float32]] = []
    n_before = 0
    for block in audio.blocks(path, rate):  # a recording may be ten hours long
        pieces.append(block[max(0, first - n_before) : max(0, last - n_before)])
        n_before += len(block)
        if n_before >= last:
            break
    return np.concatenate([np.zeros(0, np.float32), *pieces]), rate


def _cut(heard: Probabilities, start: float, end: float) -> Cut:
    edges = np.asarray(heard.edges)
    first = max(0, int(np.searchsorted(edges, start, side="right")) - 1)
    last = max(first, int(np.searchsorted(edges[:-1], end, side="left")))
    shown = np.clip(edges[first : last + 1], start, end) - start
    return Cut(np.asarray(heard.values)[first:last], shown, heard.labels)
