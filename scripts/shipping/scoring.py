"""What a detector is worth on one group of sources: on mixtures, and in an hour without its labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.detector import Detector
from hubbub.events import Event
from hubbub.metrics import evaluate_with_trivial


@dataclass(frozen=True)
class Scored:
    """Frame F1 in all and by label; the systems that do not listen; false alarms an hour, and what set them
    off; how many there are with those that another network hears too, and in the crowd, where other sounds than the
    labels are mixed with each other."""

    frame_f1: float
    by_label: dict[str, dict[str, float]]
    event_f1: float
    segment_f1: float
    trivial: dict[str, float]
    alarms: float
    alarms_by_label: dict[str, float]
    alarms_by_sound: dict[str, int]
    hours: float
    alarms_unaudited: float
    alarms_in_crowd: float

    @property
    def best_trivial(self) -> float:
        """Frame F1 of the best system that does not listen."""
        return max(self.trivial.values())

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**vars(self), "best_trivial": self.best_trivial}


def score(
    detector: Detector,
    mixtures: Sequence[AnnotatedRecording],
    without: Sequence[AnnotatedRecording],
    unaudited: Sequence[AnnotatedRecording],
    crowd: Sequence[AnnotatedRecording],
    known: Sequence[AnnotatedRecording],
) -> Scored:
    """`unaudited`: the recordings `without` the labels, with what their names say only. `known`: mixtures of another
    group, from which the constant answer that does best is chosen."""
    labels = list(detector.labels)
    found = {each.name: detector.detect(each.path) for each in mixtures}
    scores = evaluate_with_trivial(
        _reference(mixtures, labels), found, _durations(mixtures), labels, _reference(known, labels), _durations(known)
    )
    frame = scores["system"].frame
    raised = {each.name: detector.detect(each.path) for each in without}
    alarms = {each.name: _false(each, raised[each.name]) for each in without}
    hours = sum(each.duration for each in without) / 3600
    by_label = Counter(event.label for events in alarms.values() for event in events)
    by_sound = Counter(f"{event.label} in {name}" for name, events in alarms.items() for event in events)
    return Scored(
        frame.micro_f1,
        {label: _of(frame, label) for label in labels},
        scores["system"].event.micro_f1,
        scores["system"].segment.micro_f1,
        {name: each.frame.micro_f1 for name, each in scores.items() if name != "system"},
        sum(by_label.values()) / hours,
        {label: by_label[label] / hours for label in labels},
        dict(by_sound.most_common()),
        hours,
        sum(len(_false(each, raised[each.name])) for each in unaudited) / hours,
        sum(len(detector.detect(each.path)) for each in crowd) / (sum(each.duration for each in crowd) / 3600),
    )


def _false(recording: AnnotatedRecording, found: Sequence[Event]) -> list[Event]:
    """Of what was found, what the recording is not known to hold."""
    held = {event.label for event in recording.events}
    return [event for event in found if event.label not in held]


def _of(frame: Any, label: str) -> dict[str, float]:
    return {name: round(float(frame.by_label[label][name]), 4) for name in ("f1", "precision", "recall")}


def _reference(recordings: Sequence[AnnotatedRecording], labels: Sequence[str]) -> dict[str, list[Event]]:
    return {each.name: [event for event in each.events if event.label in labels] for each in recordings}


def _durations(recordings: Sequence[AnnotatedRecording]) -> dict[str, float]:
    return {each.name: each.duration for each in recordings}
