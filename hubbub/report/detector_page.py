"""The page of an evaluation: scores, how it decides, what it confuses, and the recordings where most went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.detector import ClipDetector, Detector
from hubbub.evaluation import Answers, Overall, Reference, listen, stacked
from hubbub.events import EventTable
from hubbub.metrics import Interval, PsdsResult, Scores, interval
from hubbub.metrics.confusion import Confusion
from hubbub.metrics.each import Each
from hubbub.metrics.recording import Recording
from hubbub.metrics.settings import Settings
from hubbub.probing import Probe
from hubbub.report.confusion import confusion_figure
from hubbub.report.excerpts import view, worst_first
from hubbub.report.figures import to_inline_svg
from hubbub.report.page import Page, RecordingView, Section, write_page
from hubbub.report.score_figures import amount_figure, psds_figure, reliability_figure, threshold_figure
from hubbub.tuning import reliability, threshold_curves

N_WORST = 5
N_RESAMPLES = 2000
MOST_LABELS = 60
"""Above this many a figure with a panel a label could not be read."""


_PURPOSE = {"train": "to train on", "validation": "to tune on", "test": "to test on"}


def write_detector_page(
    path: Path,
    detector: Detector,
    scores: Mapping[str, Scores],
    recordings: Sequence[AnnotatedRecording],
    estimated: EventTable,
    log: Path | None = None,
    notes: Sequence[str] = (),
    probe: Probe | None = None,
) -> None:
    """Writes one HTML file of a detector that was tested on `recordings`; `probe`: what makes it fire besides.

    Raises `HubbubError` where it cannot be written, `AudioError` where a recording cannot be read.
    """
    known = [_known_only(recording, detector.labels) for recording in recordings]
    heard = Answers({}) if isinstance(detector, ClipDetector) else listen(detector, _reference(known))
    answers = replace(heard, events={name: list(events) for name, events in estimated.items()})
    write_evaluation_page(
        path,
        f"Detector {detector.path.name}",
        scores,
        known,
        answers,
        facts(detector),
        log,
        notes,
        detector.sample_rate,
        probe=probe,
    )


def write_evaluation_page(
    path: Path,
    title: str,
    scores: Mapping[str, Scores],
    recordings: Sequence[AnnotatedRecording],
    answers: Answers,
    facts: Mapping[str, str],
    log: Path | None = None,
    notes: Sequence[str] = (),
    sample_rate: int | None = None,
    curves: Overall | None = None,
    probe: Probe | None = None,
) -> None:
    """Writes one HTML file of any system; `recordings` are those whose audio is at hand.

    Recordings are shown worst first, then the middle one and the best; of long ones the minute where most went wrong.
    `sample_rate`: what to show of them, None for their own. Raises as `write_detector_page` does.
    """
    system = scores["system"]
    limits = [score.frame.micro_f1 for name, score in scores.items() if name not in ("system", "oracle")]
    judged = {each.name: Recording.of(each.events, answers.events[each.name], each.duration) for each in recordings}
    # an interval over recordings wants all of them, and two or more
    counted = Each.of(judged, system.labels, Settings()) if len(judged) == system.n_recordings > 1 else None
    page = Page(
        title=title,
        summary=f"Frame F1 {system.frame.micro_f1:.3f} on {system.n_recordings} recordings "
        f"({system.duration_s / 60:.0f} minutes); the best system that does not listen reaches {max(limits):.3f}.",
        scores=scores,
        intervals={} if counted is None else _intervals(counted),
        label_intervals={} if counted is None else _label_intervals(counted, system.labels),
        sections=_sections(recordings, list(judged.values()), answers, system.labels, curves),
        training_log=log,
        recordings=_views(recordings, answers, sample_rate),
        probe=probe,
        facts=facts,
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
    decision = training.get("decision", {})
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
        "decided for": decision.get("aim", "best F1"),
        "calibration": decision.get("calibration", "none"),
        "only recording-disjoint": ", ".join(training.get("recording_disjoint_only", [])) or "none",
        "licences of the sounds": ", ".join(training.get("licences", [])) or "not stated",
        "versions": ", ".join(f"{name} {version}" for name, version in training.get("versions", {}).items()),
    }


def _overall(curves: Overall) -> Section:
    said = []
    for name, result in curves.results.items():
        between = curves.intervals.get(name)
        said.append(f"{name} {result.value:.3f}" + (f" ({between.low:.3f} to {between.high:.3f})" if between else ""))
    return Section(
        "Over all thresholds",
        f"{'; '.join(said)}. From the probabilities as they are: hysteresis, median filter and shortest lengths act on "
        "decided events only, and enter the scores above but not these. The curve: how many events are found, for how "
        "many false ones an hour; PSDS is the area under it.",
        to_inline_svg(psds_figure({name: r for name, r in curves.results.items() if isinstance(r, PsdsResult)})),
    )


def _known_only(recording: AnnotatedRecording, labels: Sequence[str]) -> AnnotatedRecording:
    events = tuple(event for event in recording.events if event.label in labels)
    return AnnotatedRecording(recording.path, recording.name, recording.duration, events, recording.recording_id)


def _reference(recordings: Sequence[AnnotatedRecording]) -> Reference:
    return Reference(
        {recording.name: list(recording.events) for recording in recordings},
        {recording.name: recording.duration for recording in recordings},
        {recording.name: recording.path for recording in recordings},
    )


def _views(recordings: Sequence[AnnotatedRecording], answers: Answers, sample_rate: int | None) -> list[RecordingView]:
    ranked = worst_first(recordings, answers.events)
    n_worst = min(N_WORST, max(1, len(ranked) - 2))
    places = list(enumerate(("the worst", "the second worst", "the third", "the fourth", "the fifth")[:n_worst]))
    places += [(len(ranked) // 2, "the middle one"), (len(ranked) - 1, "the best one")]
    chosen = {index: title for index, title in reversed(places) if index < len(ranked)}
    return [
        view(
            ranked[index],
            f"{title}, of {len(ranked)}" if len(ranked) > 1 else "the only one",
            answers.events[ranked[index].name],
            answers.heard.get(ranked[index].name),
            sample_rate,
        )
        for index, title in sorted(chosen.items())
    ]


def _label_intervals(each: Each, labels: Sequence[str]) -> dict[str, Interval]:
    """Of the frame F1 of each label."""
    rng = np.random.default_rng(0)
    return {
        label: interval(
            {name: counts.of_label(label) for name, counts in each.frame.items()}, "micro_f1", rng, N_RESAMPLES
        )
        for label in labels
    }


def _intervals(each: Each) -> dict[str, Interval]:
    """Of the headlines."""
    rng = np.random.default_rng(0)
    kinds = (("frame F1", each.frame), ("segment F1", each.segment), ("event F1", each.event))
    return {title: interval(counted, "micro_f1", rng, N_RESAMPLES) for title, counted in kinds}


def _sections(
    recordings: Sequence[AnnotatedRecording],
    judged: Sequence[Recording],
    answers: Answers,
    labels: Sequence[str],
    curves: Overall | None,
) -> list[Section]:
    first = [] if curves is None else [_overall(curves)]
    if not recordings or not 0 < len(labels) <= MOST_LABELS:
        return first
    counted = Confusion.of(judged, labels)
    there = [sum(e.duration for each in judged for e in each.reference if e.label == label) for label in labels]
    found = [sum(e.duration for each in judged for e in each.estimated if e.label == label) for label in labels]
    last = [
        Section(
            "How much of each label there is",
            "A label that sounds for a few seconds only has a score that a few seconds decide.",
            to_inline_svg(amount_figure(labels, there, found)),
        ),
        Section(
            "What was taken for what",
            "Events, in percent of each row. A found event stands in the row of the label that sounded there, or of "
            "nothing; the last column holds the events of which nothing was found.",
            to_inline_svg(confusion_figure(counted.counts, (*labels, "(nothing)"), "")),
        ),
    ]
    if answers.heard:
        probabilities, targets = stacked(answers, _reference(recordings))
        if answers.thresholds:  # a detector of whole clips has none
            tried = threshold_curves(probabilities, targets, answers.labels)
            first.append(
                Section(
                    "Thresholds",
                    "Frame by frame and without any filter; dotted is the threshold in use. Where F1 is higher beside "
                    "it, these recordings would have asked for another one, which no system may know.",
                    to_inline_svg(threshold_figure(tried, answers.thresholds)),
                )
            )
        last.append(
            Section(
                "Do probabilities mean what they say?",
                "All frames and labels together: of the cells that were given 0.8, eight in ten should be true.",
                to_inline_svg(reliability_figure(reliability(probabilities, targets))),
            )
        )
    return [*first, *last]
