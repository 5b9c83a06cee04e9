"""Where an isolated clip sounds, from its energy: that is what makes the labels of a scene exact."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hubbub.events import runs
from hubbub.grid import Grid


class ActivityConfig(BaseModel):
    """When a frame of a clip counts as sounding; levels are in dB relative to the clip's loudest frame.

    A frame sounds where its RMS exceeds `threshold_db`. The default of -30 dB keeps what still belongs to the sound (a
    weak step after a loud one, the beginning of an echo) and leaves out the tail that nobody hears in a mixture: what
    lies lower is covered by a background at 20 dB below the sound's mean, which is some 10 dB below its loudest frame.
    In a recording with a noise floor (the tenth percentile of its frames, digital silence at both ends left out) it
    must exceed that by `above_floor_db` too, but nothing above `certain_db` is ever taken for floor: a steady sound has
    no pauses to show one. Gaps shorter than `shortest_gap` seconds are closed; then runs shorter than `shortest_event`
    are dropped unless they reach `certain_db`: a hoof on stone is short and loud, a click of the tape short and weak.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: float = Field(default=0.02, gt=0, le=0.1)
    threshold_db: float = Field(default=-30.0, ge=-80, lt=0)
    above_floor_db: float = Field(default=6.0, ge=0)
    certain_db: float = Field(default=-20.0, ge=-80, lt=0)
    shortest_gap: float = Field(default=0.2, ge=0)
    shortest_event: float = Field(default=0.06, ge=0)


def active_spans(samples: NDArray[np.float32], sample_rate: int, config: ActivityConfig) -> NDArray[np.int64]:
    """Where `samples`, shape (n_samples,), sound: shape (n_spans, 2), first sample and the one after the last.

    Edges lie on the borders of frames of `config.frame` seconds. Silence has no spans.
    """
    grid = Grid(sample_rate, max(1, Grid(sample_rate, 1).frames_in(config.frame)))
    levels = frame_levels(samples, grid)
    if not len(levels) or levels.max() < SILENCE_DB:
        return np.zeros((0, 2), dtype=np.int64)
    levels -= levels.max()
    sounding = np.flatnonzero(levels > SILENCE_DB)
    floor = float(np.percentile(levels[sounding[0] : sounding[-1] + 1], 10))
    threshold = max(config.threshold_db, min(floor + config.above_floor_db, config.certain_db))
    spans = _closed(runs(levels > threshold), config.shortest_gap / grid.period)
    shortest = config.shortest_event / grid.period
    kept = [(a, b) for a, b in spans if b - a >= shortest or levels[a:b].max() >= config.certain_db]
    return np.minimum(np.array(kept, dtype=np.int64) * grid.hop, len(samples))


SILENCE_DB = -120.0
"""Below this a frame is digital silence: less than a tenth of the least 20-bit step."""


def frame_levels(samples: NDArray[np.float32], grid: Grid) -> NDArray[np.float64]:
    """RMS of each frame in dB, shape (n_frames,); a cut last frame counts as if zeros followed. Silence is -200 dB."""
    padded = np.zeros(grid.n_frames(len(samples)) * grid.hop, dtype=np.float32)
    padded[: len(samples)] = samples
    power = np.square(padded.reshape(-1, grid.hop)).mean(axis=1, dtype=np.float64)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-20)), dtype=np.float64)


def _closed(spans: NDArray[np.int64], shortest_gap: float) -> list[tuple[int, int]]:
    """Frame spans, those less than `shortest_gap` frames apart joined."""
    closed: list[tuple[int, int]] = []
    for first, last in spans.tolist():
        if closed and first - closed[-1][1] < shortest_gap - 1e-9:
            closed[-1] = (closed[-1][0], last)
        else:
            closed.append((first, last))
    return closed
