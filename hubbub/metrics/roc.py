"""PSDS, the polyphonic sound detection score: how many events are found for how many false ones, over all thresholds.

Of Bilen et al., "A framework for the robust evaluation of sound event detection", ICASSP 2020, with the criteria of
`hubbub.metrics.intersection`. For label c at one threshold, N_c reference events and T hours of recordings:

    TPR_c  = found reference events / N_c
    FPR_c  = estimated events that are not relevant / T
    CTR_co = cross-triggers of label o / hours of reference events of o
    eFPR_c = FPR_c + alpha_ct · mean of CTR_co over the other labels o

TPR_c(e) is the largest rate that any threshold reaches with eFPR_c <= e: a staircase, as thresholds that find fewer
events for more false ones are passed over. Then

    eTPR(e) = max(0, mean of TPR_c(e) over labels - alpha_st · their standard deviation)
    PSDS    = area under eTPR from 0 to max_efpr / max_efpr

All thresholds that change anything take part (`hubbub.metrics.changes`), as Ebbers, Serizel and Haeb-Umbach,
"Threshold-independent evaluation of sound event detection scores", ICASSP 2022, have it; a score above the largest
decides nothing, so the curve begins at no event found. As found events are whole numbers, a label's curve is kept the
other way round: the smallest eFPR at which one event is found, two are, three are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from hubbub.errors import ConfigError
from hubbub.events import EventTable
from hubbub.metrics.changes import changes
from hubbub.metrics.intersection import seconds_of
from hubbub.metrics.tables import FrameScores, checked

SECONDS_PER_HOUR = 3600.0
Values = NDArray[np.float64]


@dataclass(frozen=True)
class PsdsSettings:
    """The criteria and weights of PSDS; rates are per hour.

    `cttc` None counts no cross-triggers, and then `alpha_ct` is 0. `cross_trigger_mean` averages cross-trigger rates
    over the other labels, as the paper, sed_scores_eval and psds_eval 0.5 do, or over all labels, the label's own 0
    among them, as psds_eval 0.3 did: (n - 1) / n as much. `thresholds` None takes all that change anything; a tuple
    takes only these (an event scores more than the threshold), as psds_eval does, and so underestimates the area.
    Raises `ConfigError` for a share outside (0, 1], a weight below 0 or a limit that is not above 0.
    """

    dtc: float
    gtc: float
    cttc: float | None = None
    alpha_ct: float = 0.0
    alpha_st: float = 1.0
    max_efpr: float = 100.0
    cross_trigger_mean: Literal["others", "all"] = "others"
    thresholds: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("dtc", "gtc", "cttc"):
            share = getattr(self, name)
            if share is not None and not 0 < share <= 1:
                raise ConfigError(f"{name} is {share}; wanted a share above 0, up to 1")
        for name in ("alpha_ct", "alpha_st"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ConfigError(f"{name} is {getattr(self, name)}; wanted a weight of 0 or more")
        if not 0 < self.max_efpr < np.inf:
            raise ConfigError(f"max_efpr is {self.max_efpr}; wanted false positives per hour, above 0")
        if (self.cttc is None) != (self.alpha_ct == 0):
            raise ConfigError(f"cttc is {self.cttc} and alpha_ct {self.alpha_ct}; give both, or None and 0")
        if self.cross_trigger_mean not in ("others", "all"):
            raise ConfigError(f"cross_trigger_mean is {self.cross_trigger_mean!r}; wanted others or all")

    @classmethod
    def preset(cls, name: str, scenario: int = 1) -> "PsdsSettings":
        """The settings of `scenario` 1 or 2 as others take them.

        `dcase`: `PSDS1` and `PSDS2`, our defaults. `psds_eval`: the same at 50 thresholds 0.01, 0.03, ... 0.99, as the
        DCASE baseline hands them to that package. Left out: psds_eval's own `max_efpr=None`, which ends at the largest
        rate that happens to occur, so that no two systems share a scale; its comparison of unrounded shares; and its
        plots. Raises `ConfigError` for another name or scenario; sed_eval and dnd-sed have no PSDS.
        """
        if scenario not in (1, 2):
            raise ConfigError(f"there is no scenario {scenario!r} of PSDS; wanted 1 or 2")
        settings = PSDS1 if scenario == 1 else PSDS2
        if name == "dcase":
            return settings
        if name == "psds_eval":
            return replace(settings, thresholds=tuple((2 * k + 1) / 100 for k in range(50)))
        raise ConfigError(f"there is no preset {name!r} of PSDS; wanted dcase or psds_eval")

    def to_dict(self) -> dict[str, Any]:
        """As stored beside a result."""
        values = asdict(self)
        values["thresholds"] = "all" if self.thresholds is None else list(self.thresholds)
        return values | {"unit": "per hour", "same_label_overlaps": "merged", "absent_label": "TPR 0, in mean and std"}


PSDS1 = PsdsSettings(dtc=0.7, gtc=0.7)
"""DCASE task 4's first scenario: reacting at once, so edges matter."""
PSDS2 = PsdsSettings(dtc=0.1, gtc=0.1, cttc=0.3, alpha_ct=0.5)
"""DCASE task 4's second scenario: telling labels apart matters more than edges."""


@dataclass(frozen=True)
class PsdsResult:
    """PSDS over all recordings. `curve` is (eFPR per hour, eTPR), a staircase that begins at 0 and ends at `max_efpr`;
    `by_label` each label's own area, likewise in [0, 1]. `absent_labels` have no reference event: their rate is 0 at
    every threshold, and they stay in the mean and in the deviation.
    """

    value: float
    curve: tuple[Values, Values]
    by_label: dict[str, float]
    absent_labels: tuple[str, ...]
    n_recordings: int
    duration_s: float
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        values = dict(vars(self))
        values["curve"] = [axis.tolist() for axis in self.curve]
        return values | {"absent_labels": list(self.absent_labels)}


def psds(
    reference: EventTable,
    scores: Mapping[str, FrameScores],
    durations: Mapping[str, float],
    settings: PsdsSettings = PSDS1,
) -> PsdsResult:
    """PSDS of score tables by recording, over every recording in `durations` (seconds) and every label of the tables.

    The scores are taken as they are: filter them before. A recording without reference events counts. Reference events
    of one label that overlap or touch are joined and all are cut at the recording's end; sed_scores_eval leaves them
    apart. A label without reference events has rate 0; sed_scores_eval refuses it. Raises as `tables.checked` does.
    """
    return PsdsStatistic.of(reference, scores, durations, settings).result()


@dataclass(frozen=True)
class PsdsStatistic:
    """All that PSDS needs of each recording, so that resamples need no second look at the scores.

    The changes of all recordings stand in one order, by label and then falling score: `recording`, `hits` and `false`
    have one entry a change, `crossed` (n_changes, n_labels) the cross-triggers of each other label. `ends` are the
    changes after which a count holds for a threshold, and `column` their label. `n_events` and `seconds` are
    (n_recordings, n_labels): reference events and their lengths.
    """

    settings: PsdsSettings
    labels: tuple[str, ...]
    names: tuple[str, ...]
    durations: Values
    n_events: Values
    seconds: Values
    recording: NDArray[np.int64]
    hits: Values
    false: Values
    crossed: csr_matrix
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    column: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        reference: EventTable,
        scores: Mapping[str, FrameScores],
        durations: Mapping[str, float],
        settings: PsdsSettings = PSDS1,
    ) -> "PsdsStatistic":
        """Raises as `psds` does."""
        labels, names, recordings = checked("PSDS", reference, scores, durations)
        events = [[seconds_of(recording.reference, label) for label in labels] for recording in recordings]
        parts = [
            (index, part)
            for index, (name, recording) in enumerate(zip(names, recordings, strict=True))
            for part in changes(recording, scores[name], labels, settings.dtc, settings.gtc, settings.cttc)
        ]
        column = np.concatenate([part.column for _, part in parts])
        score = np.concatenate([part.score for _, part in parts])
        order = np.lexsort((-score, column))
        first = np.cumsum([0, *(len(part.column) for _, part in parts)])
        rows = np.concatenate([part.crossed[0] + start for (_, part), start in zip(parts, first, strict=False)])
        crossed = csr_matrix(
            (
                np.concatenate([part.crossed[2] for _, part in parts]),
                (rows, np.concatenate([part.crossed[1] for _, part in parts])),
            ),
            shape=(len(column), len(labels)),
        )[order]
        column, score = column[order], score[order]
        starts = np.flatnonzero(np.append(True, column[1:] != column[:-1])) if len(column) else np.empty(0, np.int64)
        ends = _ends(column, score, settings.thresholds)
        return cls(
            settings,
            labels,
            tuple(names),
            durations=np.array([durations[name] for name in names]),
            n_events=np.array([[len(onsets) for onsets, _ in row] for row in events], dtype=np.float64),
            seconds=np.array([[float((offsets - onsets).sum()) for onsets, offsets in row] for row in events]),
            recording=np.concatenate([np.full(len(part.column), index) for index, part in parts])[order],
            hits=np.concatenate([part.hits for _, part in parts])[order],
            false=np.concatenate([part.false for _, part in parts])[order],
            crossed=crossed,
            starts=starts,
            ends=ends,
            column=column[ends],
        )

    def value(self, times: Values | None = None) -> float:
        """PSDS of a set that holds each recording `times` (n_recordings,), once where None."""
        return self._result(np.ones(len(self.names)) if times is None else times).value

    def scores(self, times: Values) -> Values:
        """PSDS of resamples that hold each recording `times`, (n_resamples, n_recordings)."""
        return np.array([self.value(row) for row in times])

    def result(self) -> PsdsResult:
        """PSDS of all the recordings, once each."""
        return self._result(np.ones(len(self.names)))

    def _result(self, times: Values) -> PsdsResult:
        n_events, hours = times @ self.n_events, float(times @ self.durations) / SECONDS_PER_HOUR
        curves = self._curves(times, n_events, hours)
        largest = self.settings.max_efpr
        efpr = np.unique(np.concatenate(([0.0], *curves)))
        efpr = efpr[efpr <= largest]
        rates = np.stack(
            [
                np.searchsorted(curve, efpr, side="right") / max(1.0, n)
                for curve, n in zip(curves, n_events, strict=True)
            ]
        )
        etpr = np.maximum(rates.mean(0) - self.settings.alpha_st * rates.std(0), 0.0)
        efpr, etpr = np.append(efpr, largest), np.append(etpr, etpr[-1])
        areas = [
            float((largest - np.minimum(curve, largest)).sum() / largest / max(1.0, n))
            for curve, n in zip(curves, n_events, strict=True)
        ]
        return PsdsResult(
            value=float((np.diff(efpr) * etpr[:-1]).sum() / largest),
            curve=(efpr, etpr),
            by_label=dict(zip(self.labels, areas, strict=True)),
            absent_labels=tuple(label for label, n in zip(self.labels, n_events, strict=True) if not n),
            n_recordings=len(self.names),
            duration_s=hours * SECONDS_PER_HOUR,
            settings=self.settings.to_dict(),
        )

    def _curves(self, times: Values, n_events: Values, hours: float) -> list[Values]:
        """By label: the smallest eFPR at which 1, 2, 3, ... reference events are found, inf for never."""
        weight = times[self.recording]
        # Sums of whole numbers, so that what comes and goes leaves exactly 0.
        hits, false = self._running(weight * self.hits), self._running(weight * self.false)
        efpr = false / hours if hours else np.where(false > 0, np.inf, 0.0)
        if self.settings.alpha_ct:
            seconds = times @ self.seconds
            per_trigger = np.divide(SECONDS_PER_HOUR, seconds, out=np.zeros_like(seconds), where=seconds > 0)
            n_averaged = len(self.labels) - (self.settings.cross_trigger_mean == "others")
            rate = self._running(weight * (self.crossed @ per_trigger)) / max(1, n_averaged)
            efpr = np.maximum(efpr + self.settings.alpha_ct * rate, 0.0)
        smallest = np.full((len(self.labels), int(n_events.max(initial=0)) + 1), np.inf)
        np.minimum.at(smallest, (self.column, hits.astype(np.int64)), efpr)
        # Who finds three events has found two.
        reached = np.minimum.accumulate(smallest[:, ::-1], axis=1)[:, ::-1]
        return [row[1 : int(n) + 1] for row, n in zip(reached, n_events, strict=True)]

    def _running(self, change: Values) -> Values:
        """Sums from the highest score down to each end, label by label."""
        total = np.cumsum(change)
        before = (total - change)[self.starts]
        n_changes = np.diff(np.append(self.starts, len(change)))
        total -= np.repeat(before, n_changes)
        return total[self.ends]


def _ends(column: NDArray[np.int64], score: Values, thresholds: Sequence[float] | None) -> NDArray[np.int64]:
    """The changes after which all of one score have been added; with `thresholds`, the last above each of them."""
    if not len(column):
        return np.empty(0, np.int64)
    if thresholds is None:
        return np.flatnonzero(np.append((column[1:] != column[:-1]) | (score[1:] != score[:-1]), True))
    found = []
    for each in np.unique(column).tolist():
        first, last = np.searchsorted(column, [each, each + 1])
        above = np.searchsorted(-score[first:last], -np.asarray(thresholds, dtype=np.float64), side="left")
        found.append(first + above[above > 0] - 1)
    return np.unique(np.concatenate(found)).astype(np.int64)
