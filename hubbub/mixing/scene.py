"""A scene as a description: JSON that says all there is to render; one description, one result."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hubbub.errors import ConfigError
from hubbub.mixing.activity import ActivityConfig

SHORTEST_PIECE = 0.005
"""Seconds. Less than this of a sound is left out where an excerpt cuts it."""


class Placement(BaseModel):
    """One excerpt of a clip in a scene; times in seconds.

    `start` and `length` lie in the clip, `onset` in the scene. `level_db` is the RMS of the excerpt where it sounds,
    after its filters, relative to full scale. `speed`: the clip is played so many times as fast, as a tape would be;
    `start` and `length` count in the clip so played.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    label: str = Field(min_length=1)
    start: float = Field(ge=0)
    length: float = Field(gt=0)
    onset: float = Field(ge=0)
    level_db: float
    low_pass_hz: float | None = Field(default=None, gt=0)
    shelf_hz: float | None = Field(default=None, gt=0)
    shelf_db: float = 0.0
    speed: float = Field(default=1.0, gt=0)


class BackgroundPart(BaseModel):
    """One piece of a scene's background; pieces overlap by `fade` seconds, in which one goes and the next one comes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    start: float = Field(ge=0)
    length: float = Field(gt=0)
    onset: float = Field(ge=0)
    fade: float = Field(ge=0)


class Scene(BaseModel):
    """A soundscape before it sounds: what lies where, at which level, on which background."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    sample_rate: int = Field(gt=0)
    duration: float = Field(gt=0)
    placements: tuple[Placement, ...]
    background: tuple[BackgroundPart, ...] = ()
    snr_db: float | None = None
    gain_db: float = 0.0
    activity: ActivityConfig = ActivityConfig()

    @property
    def labels(self) -> list[str]:
        """The labels placed, sorted."""
        return sorted({placement.label for placement in self.placements})

    def excerpt(self, start: float, length: float) -> Self:
        """The scene from `start` on for `length` seconds, as a scene of its own; `start` may lie before its beginning.

        Levels are set in the excerpt: a sound's by what of it is heard there, and the SNR likewise.
        """
        placements = []
        for placement in self.placements:
            first = max(placement.onset, start)
            last = min(placement.onset + placement.length, start + length)
            if last - first > SHORTEST_PIECE:
                moved = {
                    "start": round(placement.start + first - placement.onset, 6),
                    "length": round(last - first, 6),
                    "onset": round(first - start, 6),
                }
                placements.append(placement.model_copy(update=moved))
        background = []
        for part in self.background:
            first, last = max(part.onset, start), min(part.onset + part.length, start + length)
            if last - first > SHORTEST_PIECE:
                moved = {
                    "start": round(part.start + first - part.onset, 6),
                    "length": round(last - first, 6),
                    "onset": round(first - start, 6),
                }
                background.append(part.model_copy(update=moved))
        changes = {"duration": length, "placements": tuple(placements), "background": tuple(background)}
        return self.model_copy(update=changes)

    def to_json(self) -> str:
        """The description as JSON, indented, ending in a new line."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A scene from its JSON. Raises `ConfigError` where it is none."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the text"
            raise ConfigError(
                f"this is no scene: {where}: {first['msg']}; wanted JSON that hubbub mix wrote"
            ) from error
