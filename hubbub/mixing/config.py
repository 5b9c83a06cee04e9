"""How scenes are mixed: every choice that is drawn, and from what range."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hubbub.mixing.activity import ActivityConfig

Number = TypeVar("Number", int, float)


def _ordered(bounds: tuple[Number, Number]) -> tuple[Number, Number]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the range begins at {bounds[0]:g} and ends at {bounds[1]:g}; wanted the smaller one first")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
PositiveRange = Annotated[tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]], AfterValidator(_ordered)]

PositiveCounts = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], AfterValidator(_ordered)]


class MixConfig(BaseModel):
    """The recipe of TUT-SED Synthetic 2016 by default; where that was never published, what we chose.

    Published: 4 to 9 labels a scene, a track a label, excerpts of 3 to 15 s, random silences, tracks summed, labels
    from energy, no background. Chosen: everything else. Ranges are drawn from uniformly, frequencies by octaves.

    - `duration`: seconds of a scene.
    - `polyphony`: how many labels sound at once on average. The silence before an event is uniform from 0 to twice
      what makes the label sound for `polyphony / mean(n_labels)` of the time; so it follows the length of the clips.
      Short scenes come out denser, as every label that was drawn sounds at least once.
    - `duty_of`: pairs of a label and the part of a scene for which it sounds, instead of what `polyphony` gives.
    - `level_db`, `jitter_db`: an event's RMS while it sounds, relative to full scale, plus or minus the jitter.
    - `scene_gain_db`: applied to the whole scene.
    - `snr_db`: the scene's sound while any label sounds, over its background; None: no background.
    - `low_pass_chance`, `low_pass_hz`: of an event being dulled, and to where, so that a source with little bandwidth
      does not betray what it recorded. No event loses more than half of its power's band.
    - `shelf_chance`, `shelf_db`: of an event being brighter or darker above a corner of 0.5 to 4 kHz, by at most that.
    - `speeds`: one of these is drawn for each event; its clip is played so many times as fast, pitch and all.
    - `balance_sources`: clips are drawn so that a source counts by the root of its recordings, and a recording once
      however many clips were cut from it; else every clip counts alike.
    - `chain`, `chain_below`, `chain_any_below`: clips shorter than `chain_below` seconds of the labels named, and those
      shorter than `chain_any_below` of any label, are repeated (with others of their recording, if there are) until
      an excerpt's length is reached, with pauses drawn about one of `chain_gap` seconds.
    - `hold`: clips of these labels that are shorter than an excerpt are repeated likewise, but without a pause.
    - `activity`: when a clip counts as sounding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = Field(default=22050, ge=4000, le=384000)
    duration: PositiveRange = (300.0, 380.0)
    n_labels: PositiveCounts = (4, 9)
    excerpt: PositiveRange = (3.0, 15.0)
    polyphony: float = Field(default=1.5, gt=0)
    duty_of: tuple[tuple[str, Annotated[float, Field(gt=0, le=1)]], ...] = ()
    level_db: float = Field(default=-32.0, le=0)
    jitter_db: float = Field(default=6.0, ge=0)
    scene_gain_db: Range = (0.0, 0.0)
    snr_db: Range | None = None
    low_pass_chance: float = Field(default=0.3, ge=0, le=1)
    low_pass_hz: PositiveRange = (2500.0, 8000.0)
    shelf_chance: float = Field(default=0.5, ge=0, le=1)
    shelf_db: float = Field(default=4.0, ge=0, le=24)
    speeds: tuple[Annotated[float, Field(ge=0.5, le=2)], ...] = Field(default=(1.0,), min_length=1)
    balance_sources: bool = False
    chain: tuple[str, ...] = ("footsteps", "gun_shot", "horsewalk")
    chain_below: float = Field(default=1.5, ge=0)
    chain_any_below: float = Field(default=1.0, ge=0)
    chain_gap: PositiveRange = (0.15, 0.9)
    hold: tuple[str, ...] = ()
    activity: ActivityConfig = ActivityConfig()

    def duty(self, label: str) -> float:
        """The part of a scene for which `label` is meant to sound where it was drawn."""
        of_all = self.polyphony / ((self.n_labels[0] + self.n_labels[1]) / 2)
        return min(0.95, dict(self.duty_of).get(label, of_all))
