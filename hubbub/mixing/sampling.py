"""Scenes drawn at random from isolated clips."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import ConfigError, DatasetError
from hubbub.mixing.clip import BACKGROUND, Clip
from hubbub.mixing.config import MixConfig
from hubbub.mixing.render import CUT_FADE
from hubbub.mixing.scene import BackgroundPart, Placement, Scene
from hubbub.mixing.store import ClipStore, Facts

SHORTEST_CUT = 0.3
"""Seconds. Less of an excerpt than this at the end of a scene is not worth placing."""

CROSS_FADE = 1.0
"""Seconds over which one piece of background becomes the next."""

HELD_MARGIN = 0.001
"""Seconds left out at the ends of a clip that is held: what is cut, and only that, fades."""

SHORTEST_HELD = 0.1
"""Seconds. What sounds for less would be little but fades."""

TRIES = 50
"""How many silent clips in a row are passed over before a label counts as silent."""


def sample_scene(
    clips: Mapping[str, Sequence[Clip]],
    config: MixConfig,
    rng: np.random.Generator,
    *,
    backgrounds: Sequence[Clip] = (),
    store: ClipStore | None = None,
) -> Scene:
    """Draws one scene from `clips` by label. The `store` should be the one that will render it: clips are read once.

    Raises `DatasetError` where fewer labels have clips than a scene needs, where a label's clips are all silent, or
    where a background is asked for and there is none; `AudioError` where a clip cannot be read; `ConfigError` where
    the store was made for another sample rate or activity.
    """
    store = store if store is not None else ClipStore(config.sample_rate, config.activity)
    if (store.sample_rate, store.activity) != (config.sample_rate, config.activity):
        raise ConfigError(
            "the clip store was made for another sample rate or activity than the scene's; make a new one"
        )
    labels = sorted(label for label, members in clips.items() if members and label != BACKGROUND)
    low, high = config.n_labels
    if len(labels) < low:
        there = ", ".join(labels) if labels else "none"
        raise DatasetError(
            f"clips of {len(labels)} labels ({there}) for scenes of at least {low}; add clips or lower n_labels"
        )
    chosen = rng.choice(labels, int(rng.integers(low, min(high, len(labels)) + 1)), replace=False)
    duration = round(float(rng.uniform(*config.duration)), 3)
    placements: list[Placement] = []
    for label in sorted(chosen.tolist()):
        placements += _track(clips[label], duration, config, rng, store)
    return Scene(
        sample_rate=config.sample_rate,
        duration=duration,
        placements=tuple(sorted(placements, key=lambda placement: (placement.onset, placement.label))),
        background=tuple(_background(backgrounds, duration, rng, store)) if config.snr_db is not None else (),
        snr_db=round(float(rng.uniform(*config.snr_db)), 3) if config.snr_db is not None else None,
        gain_db=round(float(rng.uniform(*config.scene_gain_db)), 3),
        activity=config.activity,
    )


def scenes(
    clips: Mapping[str, Sequence[Clip]],
    config: MixConfig,
    n_scenes: int,
    seed: int,
    *,
    backgrounds: Sequence[Clip] = (),
    store: ClipStore | None = None,
) -> Iterator[Scene]:
    """`n_scenes` scenes, each drawn from (seed, its number), for callers that render them without writing audio."""
    store = store if store is not None else ClipStore(config.sample_rate, config.activity)
    for index in range(n_scenes):
        yield sample_scene(clips, config, np.random.default_rng([seed, index]), backgrounds=backgrounds, store=store)


@dataclass(frozen=True)
class _Sounding:
    """What a track plays between two silences: placements that begin at 0, their length, and how long they sound."""

    placements: list[Placement]
    length: float
    active: float


def _track(
    clips: Sequence[Clip], duration: float, config: MixConfig, rng: np.random.Generator, store: ClipStore
) -> list[Placement]:
    """One label's placements: silence, sound, silence, … until the scene ends; at least one sound."""
    track: list[Placement] = []
    time, duty = 0.0, config.duty(clips[0].label)
    weights = _weights(clips) if config.balance_sources else None  # of thousands of clips, so not at every draw
    while True:
        sounding = _sounding(clips, weights, config, rng, store)
        time += float(rng.uniform(0, 2 * max(0.0, sounding.active / duty - sounding.length)))
        if time > duration - SHORTEST_CUT:
            break
        track += _shifted(sounding, time, duration)
        time += sounding.length
    return track or _shifted(sounding, float(rng.uniform(0, max(0.0, duration - sounding.length))), duration)


def _shifted(sounding: _Sounding, time: float, duration: float) -> list[Placement]:
    """The placements moved to `time`, and cut where the scene ends."""
    shifted = []
    for placement in sounding.placements:
        onset = round(time + placement.onset, 6)
        room = duration - onset
        if room > min(SHORTEST_CUT, placement.length / 2):
            length = round(min(placement.length, room), 6)
            shifted.append(placement.model_copy(update={"onset": onset, "length": length}))
    return shifted


def _sounding(
    clips: Sequence[Clip],
    weights: NDArray[np.float64] | None,
    config: MixConfig,
    rng: np.random.Generator,
    store: ClipStore,
) -> _Sounding:
    clip, sound = _drawn(clips, rng, store, weights)
    wanted = float(rng.uniform(*config.excerpt))
    level = config.level_db + float(rng.uniform(-config.jitter_db, config.jitter_db))
    speed = 1.0 if len(config.speeds) == 1 else float(rng.choice(config.speeds))
    if speed != 1:
        sound = store.facts(store.name(clip.path), speed)
        if not len(sound.spans):  # the edges of frames fall elsewhere: too short to count as sounding
            speed, sound = 1.0, store.facts(store.name(clip.path))
    colour = _colour(sound, config, rng) | ({"speed": speed} if speed != 1 else {})
    if _held(clip, sound, config) and sound.n_samples < wanted * store.sample_rate:
        pool = [(clip, sound), *(two for two in _others(clips, clip, store, speed) if _held(*two, config))]
        return _hold(pool, wanted, level, colour, rng, store)
    if _chained(clip, sound, config) and sound.n_samples < wanted * store.sample_rate:
        pool = [(clip, sound), *(two for two in _others(clips, clip, store, speed) if _chained(*two, config))]
        return _chain(pool, wanted, level, colour, config, rng, store)
    rate = store.sample_rate
    total = sound.n_samples
    n = min(round(wanted * rate), total)
    start = _start(sound, n, rng)
    inside = np.clip(sound.spans, start, start + n)
    placement = Placement(
        file=store.name(clip.path),
        label=clip.label,
        start=round(start / rate, 6),
        length=round(n / rate, 6),
        onset=0.0,
        level_db=round(level, 3),
        **colour,
    )
    return _Sounding([placement], n / rate, float(np.sum(inside[:, 1] - inside[:, 0])) / rate)


def _weights(clips: Sequence[Clip]) -> NDArray[np.float64]:
    """How likely each clip is to be drawn where sources are balanced, shape (n_clips,), summing to 1.

    A large source would teach its microphone; the root keeps a small one from being heard over and over.
    """
    together = Counter(clip.recording_id for clip in clips)
    recordings = Counter(source for source, _ in {(clip.source, clip.recording_id) for clip in clips})
    weights = np.array([recordings[clip.source] ** -0.5 / together[clip.recording_id] for clip in clips])
    return np.asarray(weights / weights.sum())


def _drawn(
    clips: Sequence[Clip], rng: np.random.Generator, store: ClipStore, weights: NDArray[np.float64] | None = None
) -> tuple[Clip, Facts]:
    """A random clip that is not silent."""
    for _ in range(TRIES):
        number = rng.integers(len(clips)) if weights is None else rng.choice(len(clips), p=weights)
        clip = clips[int(number)]
        sound = store.facts(store.name(clip.path))
        if len(sound.spans):
            return clip, sound
    raise DatasetError(
        f"{clip.path}: silent, like all other clips of {clip.label} that were drawn; remove the silent ones"
    )


def _start(sound: Facts, n: int, rng: np.random.Generator) -> int:
    """Where an excerpt of `n` samples begins, so that it holds the inner part of a span in which the clip sounds."""
    latest = sound.n_samples - n
    if latest == 0:
        return 0
    lengths = sound.spans[:, 1] - sound.spans[:, 0]
    first, last = sound.spans[int(rng.choice(len(lengths), p=lengths / lengths.sum()))]
    point = first + (last - first) * rng.uniform(0.25, 0.75)
    return int(np.clip(point - n * rng.uniform(0.1, 0.9), 0, latest))


def _others(clips: Sequence[Clip], clip: Clip, store: ClipStore, speed: float) -> Iterator[tuple[Clip, Facts]]:
    """What else of the recording of `clip` is among the `clips`, without what is silent."""
    for other in clips:
        if other.recording_id == clip.recording_id and other != clip:
            sound = store.facts(store.name(other.path), speed)
            if len(sound.spans):
                yield other, sound


def _chained(clip: Clip, sound: Facts, config: MixConfig) -> bool:
    limit = config.chain_any_below
    if clip.label in config.chain:
        limit = max(limit, config.chain_below)
    return sound.n_samples < limit * config.sample_rate


def _chain(
    pool: list[tuple[Clip, Facts]],
    wanted: float,
    level: float,
    colour: dict[str, float],
    config: MixConfig,
    rng: np.random.Generator,
    store: ClipStore,
) -> _Sounding:
    """Short clips of one recording again and again, `wanted` seconds long or a little more.

    The pause between two runs from where one stops sounding to where the next one starts.
    """
    rate = store.sample_rate
    pause = float(np.exp(rng.uniform(*np.log(config.chain_gap))))
    placements: list[Placement] = []
    active = end = silent_from = 0.0
    while end < wanted:
        clip, sound = pool[int(rng.integers(len(pool)))]
        first, last = float(sound.spans[0, 0]) / rate, float(sound.spans[-1, 1]) / rate
        gap = pause * float(np.clip(rng.normal(1, 0.12), 0.5, 1.5)) if placements else 0.0
        onset = max(0.0, silent_from + gap - first)
        length = sound.n_samples / rate
        placements.append(
            Placement(
                file=store.name(clip.path),
                label=clip.label,
                start=0.0,
                length=round(length, 6),
                onset=onset,
                level_db=round(level + float(rng.normal(0, 1)), 3),
                **colour,
            )
        )
        silent_from, end = onset + last, onset + length
        active += float(np.sum(sound.spans[:, 1] - sound.spans[:, 0])) / rate
    return _Sounding(placements, end, active)


def _held(clip: Clip, sound: Facts, config: MixConfig) -> bool:
    return clip.label in config.hold and sound.spans[-1, 1] - sound.spans[0, 0] > SHORTEST_HELD * config.sample_rate


def _hold(
    pool: list[tuple[Clip, Facts]],
    wanted: float,
    level: float,
    colour: dict[str, float],
    rng: np.random.Generator,
    store: ClipStore,
) -> _Sounding:
    """Clips of one recording, each from where it begins to sound to where it stops, one fading into the next one."""
    rate = store.sample_rate
    placements: list[Placement] = []
    active = end = 0.0
    while wanted - end > SHORTEST_CUT:
        clip, sound = pool[int(rng.integers(len(pool)))]
        start = max(sound.spans[0, 0] / rate, HELD_MARGIN)
        stop = min(sound.spans[-1, 1] / rate, sound.n_samples / rate - HELD_MARGIN)
        onset = max(0.0, end - CUT_FADE)
        length = min(stop - start, wanted - onset)
        placements.append(
            Placement(
                file=store.name(clip.path),
                label=clip.label,
                start=round(start, 6),
                length=round(length, 6),
                onset=onset,
                level_db=round(level, 3),
                **colour,
            )
        )
        inside = np.clip(sound.spans / rate, start, start + length)
        active += float(np.sum(inside[:, 1] - inside[:, 0])) - (onset < end) * CUT_FADE
        end = onset + length
    return _Sounding(placements, end, active)


def _colour(sound: Facts, config: MixConfig, rng: np.random.Generator) -> dict[str, float]:
    """The filters of one event, as fields of a placement."""
    colour: dict[str, float] = {}
    if rng.random() < config.low_pass_chance:
        lowest = max(config.low_pass_hz[0], 1.5 * sound.half_power_hz)
        highest = min(config.low_pass_hz[1], 0.45 * config.sample_rate)
        if lowest < highest:
            colour["low_pass_hz"] = round(float(np.exp(rng.uniform(np.log(lowest), np.log(highest)))), 1)
    if rng.random() < config.shelf_chance:
        highest = min(4000.0, 0.4 * config.sample_rate)
        colour["shelf_hz"] = round(float(np.exp(rng.uniform(np.log(500.0), np.log(highest)))), 1)
        colour["shelf_db"] = round(float(rng.uniform(-config.shelf_db, config.shelf_db)), 3)
    return colour


def _background(
    backgrounds: Sequence[Clip], duration: float, rng: np.random.Generator, store: ClipStore
) -> Iterator[BackgroundPart]:
    """Pieces of one background clip that cover the scene, each from another place of the clip if it is longer."""
    if not backgrounds:
        raise DatasetError(
            "snr_db asks for a background but there are no background clips; add some or leave snr_db out"
        )
    clip, sound = _drawn(backgrounds, rng, store)
    total = sound.n_samples / store.sample_rate
    fade = round(min(CROSS_FADE, total / 4), 6)
    onset = 0.0
    while True:
        start = round(float(rng.uniform(0, total / 2 if total < duration else total - duration)), 6)
        length = round(min(total - start, duration - onset), 6)
        yield BackgroundPart(file=store.name(clip.path), start=start, length=length, onset=round(onset, 6), fade=fade)
        if onset + length > duration - 1e-5:
            return
        onset += length - fade
