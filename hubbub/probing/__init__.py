"""What makes a detector fire that should not: noises, and sounds of other labels, played to it.

    noises, made here               ┐
    sounds with known labels        ├→ detect → false events by the sound that set them off → table, warnings
    few labels: built-in sounds too ┘

It needs no more than a detector does, and can be run on any.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording, kind_of, read_annotated
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.detector import ClipDetector, Detector
from hubbub.errors import ConfigError
from hubbub.events import Event, EventTable
from hubbub.mixing.builtin import SOUNDS
from hubbub.mixing.clip import BACKGROUND, Clip, by_label
from hubbub.probing.counting import Tallies, Tally
from hubbub.probing.noises import N_NOISES, SECONDS, noises
from hubbub.probing.result import Finding, Fired, Heard, Probe

__all__ = ["Finding", "Fired", "Heard", "Probe", "probe", "sounds_in"]

LONGEST_SOUND = 10.0
"""Seconds of a clip that are played."""
MOST_SOUNDS = 20
"""Clips of a label that are played: enough to tell a tenth from nothing."""
FEW_LABELS = 4
"""With fewer, other sounds say little of what else could set a detector off: built-in ones are played too."""
BUILT_IN_PER_LABEL = 8
BUILT_IN_SEED = 20_000
"""Far from the seeds that a user gives, from which the sounds to train on may have been made."""


def probe(
    detector: Detector,
    recordings: Sequence[AnnotatedRecording] = (),
    progress: Callable[[int, int], None] | None = None,
    estimated: EventTable | None = None,
    seconds: float = SECONDS,
) -> Probe:
    """Plays noises, `recordings`, and where these have few labels built-in sounds of other labels, to a detector.

    `recordings` are ones that it was not trained on: annotated, or isolated sounds as `sounds_in` gives them. What it
    finds in them is taken from `estimated`, by name, where it is there. `seconds`: of each noise at each level. Sounds
    that a clip holds beside its label are not known, and what is found of them counts as false.

    Raises `ConfigError` where the detector labels whole clips, `AudioError` where a recording cannot be read.
    """
    if isinstance(detector, ClipDetector):
        raise ConfigError(
            f"{detector.path}: this detector labels whole clips, and always gives one of its labels; "
            "wanted one that finds events"
        )
    labels = {event.label for recording in recordings for event in recording.events}
    others = others_than([*detector.labels, *labels]) if len(labels) < FEW_LABELS else []
    total = N_NOISES + len(recordings) + BUILT_IN_PER_LABEL * len(others)
    n_done = 0

    def tick() -> None:
        nonlocal n_done
        n_done += 1
        if progress is not None:
            progress(n_done, total)

    heard = []
    for name, level, samples in noises(detector.sample_rate, seconds):
        tally = Tally(seconds=len(samples) / detector.sample_rate)
        for event in detector.detect(samples):
            tally.add(event)
        heard.append(tally.heard("noise", name, level))
        tick()
    known: Mapping[str, Sequence[Event]] = {} if estimated is None else estimated
    of_recordings, of_built_in = Tallies(), Tallies()
    for recording in recordings:
        found = known[recording.name] if recording.name in known else _detect(detector, recording)
        of_recordings.add(recording.events, found, recording.duration)
        tick()
    for label, samples in _built_in(others, detector.sample_rate):
        duration = len(samples) / detector.sample_rate
        of_built_in.add([Event(0.0, duration, label)], detector.detect(samples), duration)
        tick()
    return Probe((*heard, *of_recordings.heard("label"), *of_built_in.heard("built-in")))


def sounds_in(folder: Path, names: Callable[[str], bool] = lambda name: True) -> list[AnnotatedRecording]:
    """What there is to play in a folder of clips or of annotated recordings; those that `names` says yes to.

    A clip is one event from its beginning to its end, its first 10 s if it is longer, and one in `background/` has
    none. Of each label at most 20 clips are taken, evenly spread, and none of confidence C. Raises as `read_clips` and
    `read_annotated` do.
    """
    if kind_of(folder) == "annotated":
        return [recording for recording in read_annotated(folder) if names(recording.name)]
    clips = [clip for clip in read_clips(folder) if clip.confidence != "C" and names(relative_name(clip.path, folder))]
    labelled, backgrounds = by_label(clips)
    return [
        _isolated(members[index], folder)
        for members in (*labelled.values(), backgrounds)
        for index in np.unique(np.linspace(0, len(members) - 1, min(MOST_SOUNDS, len(members))).round().astype(int))
    ]


def others_than(labels: Sequence[str]) -> list[str]:
    """The built-in labels that are none of `labels`, even by another name: `dog` is no other than `dog_barking`."""
    words = {word for label in labels for word in _words(label)}
    return [
        label for label in SOUNDS if not any(a.startswith(b) or b.startswith(a) for a in _words(label) for b in words)
    ]


def _words(label: str) -> list[str]:
    return [word for word in "".join(c if c.isalpha() else " " for c in label.lower()).split() if len(word) > 2]


def _isolated(clip: Clip, folder: Path) -> AnnotatedRecording:
    seconds = min(LONGEST_SOUND, audio.info(clip.path).duration)
    events = () if clip.label == BACKGROUND else (Event(0.0, seconds, clip.label),)
    name = relative_name(clip.path, folder)
    return AnnotatedRecording(clip.path, name, seconds, events, clip.recording_id, clip.source)


def _detect(detector: Detector, recording: AnnotatedRecording) -> list[Event]:
    if recording.duration > LONGEST_SOUND:
        return detector.detect(recording.path)
    wanted = round(recording.duration * detector.sample_rate)
    blocks: list[NDArray[np.float32]] = []
    for block in audio.blocks(recording.path, detector.sample_rate):
        blocks.append(block)
        if sum(map(len, blocks)) >= wanted:
            break
    return detector.detect(np.concatenate(blocks)[:wanted])


def _built_in(labels: Sequence[str], sample_rate: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for label in labels:
        for index in range(BUILT_IN_PER_LABEL):
            rng = np.random.default_rng([BUILT_IN_SEED, zlib.crc32(label.encode()), index])
            yield label, SOUNDS[label](rng, sample_rate)
