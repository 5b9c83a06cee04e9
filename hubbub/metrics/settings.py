"""How to score, and the conventions of others under their names.

Ours are the defaults. A preset repeats what another package or code base does, so that its numbers can be compared with
published ones; each names what ours does otherwise, and what no table of events can bring back.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from hubbub.errors import ConfigError
from hubbub.grid import COMPARISON_GRID, Grid
from hubbub.metrics.event import OFFSET_COLLAR, OFFSET_COLLAR_RATIO, ONSET_COLLAR
from hubbub.metrics.intersection import DTC, GTC
from hubbub.metrics.segment import SEGMENT_GRID

Averaged = Literal["every label", "labels that occur", "labels in the reference", "labels with a hit"]
"""Which labels enter a macro mean; "that occur": in the reference and in the estimates."""
PRESETS = ("dcase", "sed_eval", "psds_eval", "dnd-sed")


@dataclass(frozen=True)
class Macro:
    """Which labels enter the macro mean of each metric. By default all do: an absent one scores 0."""

    frame: Averaged = "every label"
    segment: Averaged = "every label"
    event: Averaged = "every label"
    intersection: Averaged = "every label"


@dataclass(frozen=True)
class Settings:
    """How to score: the grids of frames and segments, the collars of events in seconds (the ratio: of the length), the
    shares that intersection-based scores ask of estimated (`dtc`) and reference events (`gtc`).

    `same_label_overlaps` "kept" leaves two overlapping or touching events of one label two, where "merged" makes them
    one. `scored_recordings` "reference" looks only at recordings that the reference names, and drops what was
    estimated elsewhere. Raises `ValueError` for a collar below 0 or a share outside (0, 1].
    """

    frame_grid: Grid = COMPARISON_GRID
    segment_grid: Grid = SEGMENT_GRID
    onset_collar: float = ONSET_COLLAR
    offset_collar: float = OFFSET_COLLAR
    offset_collar_ratio: float = OFFSET_COLLAR_RATIO
    dtc: float = DTC
    gtc: float = GTC
    macro: Macro = field(default_factory=Macro)
    same_label_overlaps: Literal["merged", "kept"] = "merged"
    scored_recordings: Literal["durations", "reference"] = "durations"
    preset_name: str = "hubbub"

    def __post_init__(self) -> None:
        for name in ("onset_collar", "offset_collar", "offset_collar_ratio"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; wanted 0 or more")
        for name in ("dtc", "gtc"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; wanted a share above 0, up to 1")

    @classmethod
    def preset(cls, name: str, frame_grid: Grid | None = None) -> "Settings":
        """The settings that repeat another's convention; `frame_grid` is the system's own, where its frames count.

        `dcase`: DCASE task 4. Collars 0.2 s / 20 %, segments of 1 s. Only recordings that the reference names are
        looked at, so an event estimated in any other is never a false alarm: list recordings without events in the
        reference, or they do not count. Events average labels of the reference (sed_eval's zero_score: a label never
        estimated has 0, one never in the reference drops out), segments labels in both, intersections labels with a
        hit (see psds_eval). Ours differs because a label or a recording that drops out raises the mean.

        `sed_eval`: its own defaults. Offset collar 50 % of the length, overlaps of one label are two events, and a
        label that the reference or the estimates lack is NaN and left out of every mean. Its comparison of binary
        fractions, in which 2.2 - 2.0 exceeds 0.2, is not repeated. Its macro error rate is none of our scores.

        `psds_eval`: its macro F1 of intersections. It divides the hits by the hit rate to find the number of reference
        events, so a label without a hit is NaN and left out of the mean: a label that is always missed raises the
        score. Its criteria compare unrounded shares, which is not repeated. (For PSDS: `PsdsSettings.preset`.)

        `dnd-sed`: frame by frame on the system's own `frame_grid`, which has to be given; F1 and error rate are micro.
        An error rate per frame is no error rate per segment. What tables of events cannot bring back: validation
        thresholds probabilities at 0.5, the test thresholds logits at 0.5, which is a probability of 0.6225 (decide
        the events with that threshold for its test figures); and `drop_last` leaves out up to a batch less one of
        sequences in every split, here all frames count.

        Raises `ConfigError` for another name, or for `dnd-sed` without a grid.
        """
        grid = COMPARISON_GRID if frame_grid is None else frame_grid
        if name == "dcase":
            macro = Macro(
                segment="labels that occur", event="labels in the reference", intersection="labels with a hit"
            )
            return cls(grid, macro=macro, scored_recordings="reference", preset_name=name)
        if name == "sed_eval":
            macro = Macro(*(("labels that occur",) * 4))
            return cls(grid, offset_collar_ratio=0.5, macro=macro, same_label_overlaps="kept", preset_name=name)
        if name == "psds_eval":
            return cls(grid, macro=Macro(intersection="labels with a hit"), preset_name=name)
        if name == "dnd-sed":
            if frame_grid is None:
                raise ConfigError("the preset dnd-sed counts the system's own frames; give its frame_grid")
            return cls(grid, preset_name=name)
        raise ConfigError(f"there is no preset {name!r}; wanted one of {', '.join(PRESETS)}")

    def to_dict(self) -> dict[str, Any]:
        """As stored beside a result; times in seconds."""
        return {
            "preset": self.preset_name,
            "frame_hop_s": self.frame_grid.period,
            "segment_s": self.segment_grid.period,
            "onset_collar_s": self.onset_collar,
            "offset_collar_s": self.offset_collar,
            "offset_collar_ratio": self.offset_collar_ratio,
            "event_matching": "optimal",
            "dtc": self.dtc,
            "gtc": self.gtc,
            "same_label_overlaps": self.same_label_overlaps,
            "scored_recordings": f"those of the {self.scored_recordings}",
            "macro_mean_of": asdict(self.macro),
            "absent_label": "scores 0; macro_mean_of says whether it is in the mean",
        }
