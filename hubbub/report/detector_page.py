"""The page of a detector: its scores, its training, and some of the recordings it was tested on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.detector import Detector
from hubbub.events import Event, EventTable
from hubbub.metrics import Scores, evaluate
from hubbub.report.page import Page, RecordingView, write_page

SHOWN = 3
LONGEST_SHOWN = 600.0
"""Seconds: longer recordings are left out of a page, they would make it too large to open."""


_PURPOSE = {"train": "to train on", "validation": "to tune on", "test": "to test on"}


def write_detector_page(
    path: Path,
    detector: Detector,
    scores: Mapping[str, Scores],
    recordings: Sequence[AnnotatedRecording],
    estimated: EventTable,
    log: Path | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Writes one HTML file; the recordings shown are the worst, the median and the best one by frame F1.

    Raises `HubbubError` where it cannot be written, `AudioError` where a recording cannot be read.
    """
    system = scores["system"]
    views = [
        _view(detector, recording, estimated[recording.name], title)
        for title, recording in _chosen(recordings, estimated, detector.labels)
    ]
    summary = (
        f"Frame F1 {system.frame.micro_f1:.3f} on {system.n_recordings} recordings "
        f"({system.duration_s / 60:.0f} minutes) that it was not trained on; the best system that does not listen "
        f"reaches {max(s.frame.micro_f1 for name, s in scores.items() if name != 'system'):.3f}."
    )
    page = Page(
        title=f"Detector {detector.path.name}",
        summary=summary,
        scores=scores,
        training_log=log,
        recordings=views,
        facts=facts(detector),
        notes=notes,
    )
    write_page(path, page)


def facts(detector: Detector) -> dict[str, str]:
    """What a reader needs to trust or repeat a result, as text."""
    meta = detector.metadata
    training = meta.training
    network = meta.network
    minutes = training.get("minutes", {})
    frame = f"{1000 * detector.frame_period:.1f} ms"
    if meta.task == "clip":
        frame = f"the whole recording, heard {detector.frame_period:.1f} s at a time"
    return {
        "labels": ", ".join(meta.labels),
        "sample rate": f"{meta.sample_rate} Hz",
        "frame": frame,
        "look-ahead": f"{meta.look_ahead} frames, {meta.look_ahead * detector.frame_period:.2f} s",
        "network": f"{network.get('name')}, {network.get('parameters', 0):,} parameters, "
        f"{network.get('multiply_adds_per_second', 0) / 1e6:.1f} million multiply-adds a second of audio",
        "recordings": ", ".join(f"{minutes:g} min {_PURPOSE[side]}" for side, minutes in minutes.items())
        or "not stated",
        "training": f"{training.get('epochs')} epochs in "
        f"{training.get('seconds', 0):.0f} s on {training.get('hardware')}, seed {training.get('split_seed')}",
        "only recording-disjoint": ", ".join(training.get("recording_disjoint_only", [])) or "none",
        "licences of the sounds": ", ".join(training.get("licences", [])) or "not stated",
        "versions": ", ".join(f"{name} {version}" for name, version in training.get("versions", {}).items()),
    }


def _chosen(
    recordings: Sequence[AnnotatedRecording], estimated: EventTable, labels: Sequence[str]
) -> list[tuple[str, AnnotatedRecording]]:
    short = [recording for recording in recordings if recording.duration <= LONGEST_SHOWN]
    if not short:
        return []

    def f1(recording: AnnotatedRecording) -> float:
        known = [event for event in recording.events if event.label in labels]
        name = recording.name
        return evaluate({name: known}, {name: estimated[name]}, {name: recording.duration}).frame.micro_f1

    ranked = sorted(short, key=f1)
    places = {"best": ranked[-1], "median": ranked[len(ranked) // 2], "worst": ranked[0]}
    once = {recording.name: (title, recording) for title, recording in places.items()}
    return sorted(once.values(), key=lambda pair: ["median", "worst", "best"].index(pair[0]))[:SHOWN]


def _view(detector: Detector, recording: AnnotatedRecording, found: Sequence[Event], title: str) -> RecordingView:
    samples, rate = audio.read(recording.path, detector.sample_rate)
    return RecordingView(
        name=f"{recording.name} (the {title} one by frame F1)",
        samples=samples,
        sample_rate=rate,
        estimated=found,
        reference=[event for event in recording.events if event.label in detector.labels],
        probabilities=detector.probabilities(samples),
    )
