"""How good are the events that were found: frame by frame, second by second, event by event.

Reference before estimated, always. Every metric (`frame`, `segment`, `event`) turns a `Recording` into `Counts`; counts
add up over recordings and become `Scores` here. `bootstrap` says how sure a score or a difference is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hubbub.errors import ConfigError
from hubbub.events import EventTable
from hubbub.metrics import event, frame, segment, trivial
from hubbub.metrics.bootstrap import Difference, Interval, interval, paired_difference, unpaired_difference
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording, labels_to_score, recordings
from hubbub.metrics.scores import LabelScore, Result, Scores, Settings

__all__ = [
    "Counts",
    "Difference",
    "Interval",
    "LabelScore",
    "Recording",
    "Result",
    "Scores",
    "Settings",
    "evaluate",
    "evaluate_with_trivial",
    "interval",
    "paired_difference",
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
    where two of one label overlap or touch. `labels` are those that occur in either table where None is given; give
    them where a label may be missing from both. Raises `AnnotationError` for a recording of the reference without a
    duration, an estimated recording that nobody knows, or a label outside `labels`, and `ConfigError` for a label
    given twice.
    """
    labels = labels_to_score(reference, estimated, labels)
    by_frame = by_segment = by_event = Counts.zero(labels)
    for recording in recordings(reference, estimated, durations, labels):
        by_frame += frame.counts(recording, labels, settings.frame_grid)
        by_segment += segment.counts(recording, labels, settings.segment_grid)
        by_event += event.counts(
            recording, labels, settings.onset_collar, settings.offset_collar, settings.offset_collar_ratio
        )
    in_both = zip(labels, by_event.n_reference, by_event.n_estimated, strict=True)
    return Scores(
        frame=Result.of(by_frame),
        segment=Result.of(by_segment),
        event=Result.of(by_event),
        accuracy=by_frame.accuracy,
        labels=labels,
        absent_labels=tuple(label for label, n_reference, n_estimated in in_both if not (n_reference and n_estimated)),
        n_recordings=len(durations),
        duration_s=float(sum(durations.values())),
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
