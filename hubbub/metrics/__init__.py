"""How good are the events that were found: frame by frame, second by second, event by event.

Reference before estimated, always. Every metric (`frame`, `segment`, `event`, `intersection`) turns a `Recording` into
`Counts`; counts add up over recordings and become `Scores` here. `psds` and `average_precision` look at scores over all
thresholds. `bootstrap` says how sure any of these or a difference is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hubbub.errors import ConfigError
from hubbub.events import EventTable
from hubbub.metrics import event, false_alarms, frame, intersection, segment, trivial
from hubbub.metrics.bootstrap import (
    Difference,
    Interval,
    interval,
    interval_of,
    paired_difference,
    paired_difference_of,
    unpaired_difference,
)
from hubbub.metrics.counts import Counts
from hubbub.metrics.false_alarms import FalseAlarms
from hubbub.metrics.precision import PrecisionResult, PrecisionStatistic, average_precision
from hubbub.metrics.recording import Recording, labels_to_score, recordings
from hubbub.metrics.roc import PSDS1, PSDS2, PsdsResult, PsdsSettings, PsdsStatistic, psds
from hubbub.metrics.scores import LabelScore, Result, Scores
from hubbub.metrics.settings import PRESETS, Macro, Settings
from hubbub.metrics.tables import FrameScores, ScoreTable

__all__ = [
    "PRESETS",
    "PSDS1",
    "PSDS2",
    "Counts",
    "Difference",
    "FalseAlarms",
    "FrameScores",
    "Interval",
    "LabelScore",
    "Macro",
    "PrecisionResult",
    "PrecisionStatistic",
    "PsdsResult",
    "PsdsSettings",
    "PsdsStatistic",
    "Recording",
    "Result",
    "ScoreTable",
    "Scores",
    "Settings",
    "average_precision",
    "evaluate",
    "evaluate_with_trivial",
    "interval",
    "interval_of",
    "paired_difference",
    "paired_difference_of",
    "psds",
    "unpaired_difference",
]

DEFAULT_SETTINGS = Settings()


def evaluate(
    reference: EventTable,
    estimated: EventTable,
    durations: Mapping[str, float],
    labels: Sequence[str] | None = None,
    settings: Settings = DEFAULT_SETTINGS,
) -> Scores:
    """The scores of `estimated` against `reference` over every recording in `durations` (seconds).

    A recording that neither table has events for counts as silence. Events are cut at the recording's end and joined
    where two of one label overlap or touch; `settings` may say otherwise. `labels` are those that occur in either table
    where None is given; give them where a label may be missing from both. Raises `AnnotationError` for a recording of
    the reference without a duration, an estimated recording that nobody knows, or a label outside `labels`, and
    `ConfigError` for a label given twice.
    """
    if settings.scored_recordings == "reference":
        durations = {name: duration for name, duration in durations.items() if name in reference}
        estimated = {name: events for name, events in estimated.items() if name in reference}
    labels = labels_to_score(reference, estimated, labels)
    by_frame = by_segment = by_event = by_intersection = Counts.zero(labels)
    n_alarms = np.zeros(len(labels), dtype=np.int64)
    for recording in recordings(reference, estimated, durations, labels, settings.same_label_overlaps == "merged"):
        by_frame += frame.counts(recording, labels, settings.frame_grid)
        by_segment += segment.counts(recording, labels, settings.segment_grid)
        by_event += event.counts(
            recording, labels, settings.onset_collar, settings.offset_collar, settings.offset_collar_ratio
        )
        by_intersection += intersection.counts(recording, labels, settings.dtc, settings.gtc)
        n_alarms += false_alarms.counts(recording, labels)
    duration_s = float(sum(durations.values()))
    in_both = zip(labels, by_event.n_reference, by_event.n_estimated, strict=True)
    return Scores(
        frame=Result.of(by_frame, settings.macro.frame),
        segment=Result.of(by_segment, settings.macro.segment),
        event=Result.of(by_event, settings.macro.event),
        intersection=Result.of(by_intersection, settings.macro.intersection),
        false_alarms=FalseAlarms.of(labels, n_alarms.tolist(), by_event.false_positives, duration_s),
        accuracy=by_frame.accuracy,
        labels=labels,
        absent_labels=tuple(label for label, n_reference, n_estimated in in_both if not (n_reference and n_estimated)),
        n_recordings=len(durations),
        duration_s=duration_s,
        settings=settings.to_dict(),
    )


def evaluate_with_trivial(
    reference: EventTable,
    estimated: EventTable,
    durations: Mapping[str, float],
    labels: Sequence[str] | None = None,
    prior_reference: EventTable | None = None,
    prior_durations: Mapping[str, float] | None = None,
    settings: Settings = DEFAULT_SETTINGS,
) -> dict[str, Scores]:
    """Scores by system: "system" (`estimated`), then "always_silent", "always_on" and "prior".

    `prior_reference` holds training or validation labels, with their durations in seconds; never the test's own.
    Without them there is no "prior". `settings["prior"]` of every score names the labels it left on, or says that it
    was left out. Raises as `evaluate` does, and `ConfigError` where only one of the two is given.
    """
    if (prior_reference is None) != (prior_durations is None):
        raise ConfigError("the prior needs labels and durations of training recordings; give both or neither")
    labels = labels_to_score(reference, estimated, labels)
    # First, because it is the system's evaluation that checks reference and durations.
    scores = {"system": evaluate(reference, estimated, durations, labels, settings)}
    systems = {
        "always_silent": trivial.always_silent(durations),
        "always_on": trivial.always_on(durations, labels),
    }
    prior_note: list[str] | str = "left out: no training labels were given"
    if prior_reference is not None and prior_durations is not None:
        prior_note = list(trivial.prior_labels(labels, prior_reference, prior_durations, settings.frame_grid))
        systems["prior"] = trivial.always_on(durations, prior_note)
    for name, table in systems.items():
        scores[name] = evaluate(reference, table, durations, labels, settings)
    return {name: replace(score, settings={**score.settings, "prior": prior_note}) for name, score in scores.items()}
