"""What is made for training beside the clips: synthesised sounds that are no label, and clips as rooms change them.

Clips that may be trained on are few. So music, machines, clatter, noise and puffs are synthesised for the detector to
stay silent on, and every clip is also heard through rooms and poor microphones.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hubbub import audio
from hubbub.errors import ConfigError
from hubbub.files import make_folder
from hubbub.mixing import Clip
from hubbub.mixing.builtin.pieces import (
    Samples,
    add,
    band,
    chance,
    coloured,
    fades,
    length,
    log_uniform,
    partials,
    peaked,
    recorded,
    room,
    sung,
    through,
    wander,
    white,
)

RATE = 22050
SOURCE = "synthesised"
PER_KIND = 48
VARIANTS, MOST_VARIANTS = 2, 12
CLIPS_OF_A_LABEL = 120
"""Of labels with fewer clips, each is changed in more ways."""
NARROW = ("catmeows", "donateacry")
"""Sources whose recordings end at 4 kHz."""
LONGEST = 15.0
"""Seconds of a clip that are changed."""


def music(rng: np.random.Generator, n: int) -> Samples:
    """Notes of a few instruments on a scale and a beat, with or without drums."""
    out = np.zeros(n, np.float32)
    beat, root = 60 / float(rng.uniform(60, 170)), log_uniform(rng, 60, 400)
    scale = np.array((0, 2, 4, 5, 7, 9, 11, 12)) if chance(rng, 0.5) else np.array((0, 2, 3, 5, 7, 8, 10, 12))
    struck, n_partials = chance(rng, 0.5), int(rng.integers(2, 12))
    gains = rng.uniform(0.1, 1, n_partials) / np.arange(1, n_partials + 1)
    for at in np.arange(0, n / RATE, beat / int(rng.choice((1, 2, 4)))):
        if chance(rng, 0.75):
            notes = root * 2 ** (rng.choice(scale, int(rng.integers(1, 4))) / 12)
            seconds = float(rng.uniform(0.1, 1.2))
            m = length(seconds, RATE)
            for note in notes:
                t60 = np.full(n_partials, seconds if struck else 20.0)
                tone = partials(m, RATE, note * np.arange(1, n_partials + 1), gains, t60) * fades(m, RATE, 0.01, 0.05)
                add(out, tone, float(at), RATE, 0.3)
        if chance(rng, 0.3):
            m = length(float(rng.uniform(0.03, 0.2)), RATE)
            low = log_uniform(rng, 60, 6000)
            drum = band(white(rng, m), RATE, low, low * 3) * through(m, (0, 1), (1, 0)) ** 3
            add(out, peaked(drum), float(at), RATE, 0.6)
    return out


def machine(rng: np.random.Generator, n: int) -> Samples:
    """A fan, a drill, a vacuum cleaner: noise in a band and a whine that follows the speed, beating or not."""
    low = log_uniform(rng, 40, 2000)
    noise = band(coloured(rng, n, float(rng.uniform(0, 2)), RATE), RATE, low, low * log_uniform(rng, 2, 40))
    speed = wander(rng, n, RATE, log_uniform(rng, 0.05, 1.0), 0.8, 1.2) * np.float32(log_uniform(rng, 40, 1500))
    whine = sung(speed, RATE, [(log_uniform(rng, 200, 5000), log_uniform(rng, 100, 3000), 1.0)], tilt=0.5)
    mixed = peaked(noise) + peaked(whine) * float(rng.uniform(0, 1.5))
    if chance(rng, 0.4):
        phase = np.cumsum(np.full(n, log_uniform(rng, 4, 40) / RATE)) * 2 * np.pi
        mixed *= (1 - float(rng.uniform(0.2, 0.9)) * (0.5 + 0.5 * np.sin(phase))).astype(np.float32)
    return mixed * fades(n, RATE, float(rng.uniform(0.02, 1.5)), float(rng.uniform(0.02, 1.5)))


def clatter(rng: np.random.Generator, n: int) -> Samples:
    """Things are put down, knocked on, dropped and typed on: short dull and ringing hits at no steady pace."""
    out = np.zeros(n, np.float32)
    base, t60 = log_uniform(rng, 120, 3000), log_uniform(rng, 0.02, 0.4)
    for at in np.cumsum(rng.exponential(log_uniform(rng, 0.08, 1.0), 60)):
        if at > n / RATE - 0.1:
            break
        m = length(2 * t60, RATE)
        modes = base * np.cumprod(rng.uniform(1.05, 1.9, 8))
        hit = partials(m, RATE, modes, rng.uniform(0.1, 1, 8), t60 * rng.uniform(0.3, 1, 8))
        add(hit, band(white(rng, length(0.01, RATE)), RATE, 300, 8000), 0.0, RATE, float(rng.uniform(0, 1)))
        add(out, peaked(hit), float(at), RATE, log_uniform(rng, 0.1, 1))
    return out


def texture(rng: np.random.Generator, n: int) -> Samples:
    """Wind, surf, traffic far away, a kettle: noise of one colour whose loudness and band move slowly."""
    noise = coloured(rng, n, float(rng.uniform(0, 2.5)), RATE)
    low, high = log_uniform(rng, 30, 1000), log_uniform(rng, 1500, 11000)
    loudness = wander(rng, n, RATE, log_uniform(rng, 0.1, 3), float(rng.uniform(0, 0.9)), 1)
    return band(noise, RATE, low, high, 1) * loudness


def puffs(rng: np.random.Generator, n: int) -> Samples:
    """Breath and wind in a microphone, steps, bumps on its stand: bursts of dull noise, some with a hiss; not shots."""
    out = np.zeros(n, np.float32)
    high, seconds, pause = log_uniform(rng, 80, 600), log_uniform(rng, 0.05, 1.2), log_uniform(rng, 0.2, 2.0)
    hiss = float(rng.uniform(0.02, 0.7)) if chance(rng, 0.5) else 0.0
    attack = float(rng.uniform(0.02, 0.5))
    for at in np.cumsum(rng.exponential(seconds / 2 + pause, 60)):
        if at > n / RATE - 0.1:
            break
        m = length(seconds * log_uniform(rng, 0.5, 2), RATE)
        dull = peaked(band(coloured(rng, m, float(rng.uniform(0.5, 2)), RATE), RATE, 20, high, int(rng.integers(1, 4))))
        bright = peaked(band(white(rng, m), RATE, log_uniform(rng, 300, 2000), log_uniform(rng, 3000, 10000), 1))
        shape = through(m, (0, 0), (attack, 1), (1, 0)) ** 2
        add(out, (dull + hiss * bright) * shape, float(at), RATE, log_uniform(rng, 0.2, 1))
    return out


KINDS: dict[str, Callable[[np.random.Generator, int], Samples]] = {
    "music": music, "machine": machine, "clatter": clatter, "texture": texture, "puffs": puffs,
}  # fmt: skip


def synthesised(folder: Path, seed: int) -> dict[str, list[Clip]]:
    """Synthesised sounds by kind; written below `folder` where they are not there yet."""
    found: dict[str, list[Clip]] = {}
    for number, (kind, make) in enumerate(KINDS.items()):
        make_folder(folder / kind, ConfigError)
        found[kind] = []
        for index in range(PER_KIND):
            path = folder / kind / f"{kind}-{index:03d}.wav"
            if not path.is_file():
                rng = np.random.default_rng([seed, number, index])
                samples = recorded(rng, peaked(make(rng, length(float(rng.uniform(4, 10)), RATE))), RATE)
                audio.write(path, samples, RATE)
            found[kind].append(Clip(path, kind, f"{SOURCE}:{kind}-{index:03d}", SOURCE))
    return found


def changed(clips: Sequence[Clip], folder: Path, seed: int) -> list[Clip]:
    """The clips and `VARIANTS` or more of each: through a room, through a narrow or overdriven microphone, or both."""
    found = list(clips)
    variants = min(MOST_VARIANTS, max(VARIANTS, CLIPS_OF_A_LABEL // max(1, len(clips))))
    for clip in clips:
        make_folder(folder / clip.label, ConfigError)
        for index in range(variants):
            path = folder / clip.label / f"{clip.path.stem}-{index}.wav"
            if not path.is_file():
                rng = np.random.default_rng([seed, index, *path.stem.encode()])
                samples, _ = audio.read(clip.path, RATE)
                samples = samples[: length(LONGEST, RATE)]
                if clip.source in NARROW:
                    samples = _widened(rng, samples)
                audio.write(path, _change(rng, samples), RATE)
            found.append(replace(clip, path=path))
    return found


def _widened(rng: np.random.Generator, x: Samples) -> Samples:
    """With overtones above 4 kHz, as a rectifier makes them of those below: a cry is to be known with and without."""
    bent = band(np.abs(band(x, RATE, 1000, 4000)), RATE, 3600, log_uniform(rng, 5000, 11000), 3)
    loud = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
    made = float(np.sqrt(np.mean(np.square(bent, dtype=np.float64))))
    return x + bent * np.float32(loud * log_uniform(rng, 0.05, 0.5) / max(made, 1e-9))


def _change(rng: np.random.Generator, x: Samples) -> Samples:
    narrow = chance(rng, 0.6)
    if not narrow or chance(rng, 0.6):
        x = room(rng, x, RATE, log_uniform(rng, 0.15, 1.5), float(rng.uniform(0.2, 0.9)))
    if narrow:
        x = band(x, RATE, log_uniform(rng, 30, 350), log_uniform(rng, 3000, 10000), int(rng.integers(1, 4)))
    if chance(rng, 0.3):
        x = np.tanh(peaked(x) * np.float32(log_uniform(rng, 1.5, 8)))
    return peaked(x, 0.9)
