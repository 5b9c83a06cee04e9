"""From a scene's description to its samples and its events."""

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import ConfigError
from hubbub.events import Event, merge
from hubbub.grid import Grid
from hubbub.mixing.filters import filtered, high_shelf, low_pass
from hubbub.mixing.scene import BackgroundPart, Placement, Scene
from hubbub.mixing.store import ClipStore

LOW_PASS_ORDER = 6
CUT_FADE = 0.01
"""Seconds over which an excerpt comes or goes where it was cut out of its clip."""

EMPTY_LEVEL_DB = -32.0
"""What a background's SNR refers to in a scene where nothing sounds."""

LARGEST_PEAK = 0.999


def render(scene: Scene, store: ClipStore | None = None) -> tuple[NDArray[np.float32], list[Event]]:
    """The scene's samples, shape (n_samples,), no larger than 1, and its events, sorted, labels merged.

    The same description gives the same bytes. `store` saves reading clips again; the SNR holds between the placements'
    sum, where any label sounds, and the background, all over the scene. Raises `AudioError` where a clip cannot be
    read, `ConfigError` where a placement lies outside of its clip or the store does not fit the scene.
    """
    store = store if store is not None else ClipStore(scene.sample_rate, scene.activity)
    if (store.sample_rate, store.activity) != (scene.sample_rate, scene.activity):
        raise ConfigError(
            "the clip store was made for another sample rate or activity than the scene's; make a new one"
        )
    clock = Grid(scene.sample_rate, 1)
    mix = np.zeros(clock.frames_in(scene.duration), dtype=np.float32)
    events: list[Event] = []
    for placement in scene.placements:
        events += _place(mix, placement, clock, store)
    events = merge(events, scene.activity.shortest_gap - 1e-6)
    if scene.background:
        mix += _background(scene, mix, events, clock, store)
    peak = float(np.abs(mix).max(initial=0.0)) * 10 ** (scene.gain_db / 20)
    mix *= np.float32(10 ** (scene.gain_db / 20) * (LARGEST_PEAK / peak if peak > 1 else 1.0))
    return mix, events


def _place(mix: NDArray[np.float32], placement: Placement, clock: Grid, store: ClipStore) -> list[Event]:
    """Adds one excerpt to the `mix`; returns where it sounds."""
    sound = store.sound(placement.file, placement.speed)
    first = clock.frames_in(placement.start)
    last = min(first + clock.frames_in(placement.length), len(sound.samples))
    onset = clock.frames_in(placement.onset)
    last = min(last, first + len(mix) - onset)
    if last <= first:
        raise ConfigError(
            f"{placement.file}: the excerpt from {placement.start:g} s to be placed at {placement.onset:g} s lies past "
            "the end of the clip or the scene"
        )
    x = _coloured(sound.samples[first:last], placement, store.sample_rate)
    fade = min(clock.frames_in(CUT_FADE), len(x))
    ramp = np.arange(1, fade + 1, dtype=np.float32) / np.float32(fade)
    if first > 0:
        x[:fade] *= ramp
    if last < len(sound.samples):
        x[len(x) - fade :] *= ramp[::-1]
    spans = np.clip(sound.facts.spans - first, 0, len(x))
    spans = spans[spans[:, 1] > spans[:, 0]]
    power = _power(x, spans)
    if power > 0:
        x *= np.float32(10 ** (placement.level_db / 20) / np.sqrt(power))
        mix[onset : onset + len(x)] += x
    return [Event(clock.seconds(onset + a), clock.seconds(onset + b), placement.label) for a, b in spans.tolist()]


def _coloured(x: NDArray[np.float32], placement: Placement, sample_rate: int) -> NDArray[np.float32]:
    """A copy of `x` through the placement's filters."""
    sections = []
    for hertz in (placement.low_pass_hz, placement.shelf_hz):
        if hertz is not None and hertz >= sample_rate / 2:
            raise ConfigError(f"{placement.file}: a filter at {hertz:g} Hz; wanted less than half of {sample_rate} Hz")
    if placement.low_pass_hz is not None:
        sections.append(low_pass(placement.low_pass_hz, sample_rate, LOW_PASS_ORDER))
    if placement.shelf_hz is not None:
        sections.append(high_shelf(placement.shelf_hz, placement.shelf_db, sample_rate))
    return filtered(x, *sections) if sections else x.copy()


def _background(
    scene: Scene, mix: NDArray[np.float32], events: list[Event], clock: Grid, store: ClipStore
) -> NDArray[np.float32]:
    """The scene's background, as long as the `mix`, at the SNR asked for."""
    background = np.zeros_like(mix)
    for part in scene.background:
        _lay(background, part, clock, store)
    power = float(np.mean(np.square(background, dtype=np.float64)))
    if power == 0:
        return background
    spans = np.array([(clock.frames_in(e.onset), clock.frames_in(e.offset)) for e in events], dtype=np.int64)
    sounding = _power(mix, _union(spans, len(mix))) if len(spans) else 0.0
    reference = sounding if sounding > 0 else 10 ** (EMPTY_LEVEL_DB / 10)
    snr_db = scene.snr_db if scene.snr_db is not None else 0.0
    background *= np.float32(np.sqrt(reference / power) * 10 ** (-snr_db / 20))
    return background


def _lay(background: NDArray[np.float32], part: BackgroundPart, clock: Grid, store: ClipStore) -> None:
    """Adds one piece; at a seam the two pieces' powers sum to one, so that noise keeps its level."""
    samples = store.sound(part.file).samples
    first, onset = clock.frames_in(part.start), clock.frames_in(part.onset)
    last = min(first + clock.frames_in(part.length), len(samples), first + len(background) - onset)
    x = samples[first:last].copy()
    fade = min(clock.frames_in(part.fade), len(x))
    rise = np.sin(np.pi / 2 * (np.arange(fade, dtype=np.float32) + 0.5) / max(fade, 1)).astype(np.float32)
    if onset > 0:
        x[:fade] *= rise
    if onset + len(x) < len(background):
        x[len(x) - fade :] *= rise[::-1]
    background[onset : onset + len(x)] += x


def _power(x: NDArray[np.float32], spans: NDArray[np.int64]) -> float:
    """Mean square of `x` over sample `spans` that do not overlap; 0 where there are none.

    Summed by numpy, not BLAS: a BLAS may sum in another order on another day.
    """
    total = sum(float(np.sum(np.square(x[a:b]), dtype=np.float64)) for a, b in spans.tolist())
    n = int(np.sum(spans[:, 1] - spans[:, 0]))
    return total / n if n else 0.0


def _union(spans: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Spans that may overlap, as spans that do not."""
    steps = np.zeros(n + 1, dtype=np.int32)
    np.add.at(steps, np.clip(spans[:, 0], 0, n), 1)
    np.add.at(steps, np.clip(spans[:, 1], 0, n), -1)
    active = np.cumsum(steps[:-1]) > 0
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False))
    return edges.reshape(-1, 2)
