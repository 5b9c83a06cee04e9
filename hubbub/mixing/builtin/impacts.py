"""Built-in sounds of one thing striking another: steps, hooves, glass, shots, clapping hands."""

import numpy as np

from hubbub.mixing.builtin.pieces import (
    Samples,
    add,
    band,
    chance,
    convolved,
    decay,
    fades,
    length,
    log_uniform,
    partials,
    peaked,
    recorded,
    room,
    through,
    wander,
    white,
)


def footsteps(rng: np.random.Generator, sample_rate: int) -> Samples:
    """One step, or a walk of up to twelve, in shoes on wood, tile, gravel or carpet: a heel, then a sole."""
    n_steps = 1 if chance(rng, 0.2) else int(rng.integers(3, 13))
    period = float(rng.uniform(0.38, 0.75))
    surface = int(rng.integers(4))
    weight, hard = float(rng.uniform(60, 130)), float(rng.uniform(0.3, 1))
    out = np.zeros(length(n_steps * period + 0.35, sample_rate), dtype=np.float32)
    at = 0.0
    for index in range(n_steps):
        foot = 1.0 if index % 2 else float(rng.uniform(0.9, 1.1))
        step = _step(rng, sample_rate, surface, weight * foot, hard)
        add(out, step, at, sample_rate, float(rng.uniform(0.6, 1)))
        at += period * float(rng.normal(1, 0.04))
    return recorded(rng, out, sample_rate, room_chance=0.6)


def _step(rng: np.random.Generator, sample_rate: int, surface: int, weight: float, hard: float) -> Samples:
    n = length(0.3, sample_rate)
    frequencies = np.array([weight, weight * 2.3, rng.uniform(220, 420)]) * rng.uniform(0.95, 1.05)
    heel = partials(n, sample_rate, frequencies, np.array([1, 0.5, 0.4]), rng.uniform(0.08, 0.2, 3))
    sole_at = float(rng.uniform(0.05, 0.13))
    if surface == 0:  # wood: a board that rings
        boards = rng.uniform(250, 1100, 5)
        click = partials(n, sample_rate, boards, rng.uniform(0.2, 0.7, 5), rng.uniform(0.04, 0.12, 5))
    elif surface == 1:  # tile: a hard, bright click
        click = band(white(rng, n), sample_rate, 1500, 6000) * decay(n, sample_rate, 0.05) * 0.8
    elif surface == 2:  # gravel: grains that give way
        grains = white(rng, n) * (rng.random(n) < 0.04)
        click = band(grains.astype(np.float32), sample_rate, 900, 7000) * fades(n, sample_rate, 0.03, 0.2) * 3
    else:  # carpet
        click = band(white(rng, n), sample_rate, 150, 900) * decay(n, sample_rate, 0.12) * 0.6
    out = heel * np.float32(0.3 + 0.5 * (surface in (0, 3))) + np.float32(hard) * click
    brush = band(white(rng, n), sample_rate, 400, 4000) * decay(n, sample_rate, 0.1)
    add(out, np.float32(hard) * click * 0.5 + brush * 0.15, sole_at, sample_rate)
    return out * fades(n, sample_rate, 0.002, 0.05)


def horsewalk(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Two to eight strides of a horse at walk, trot or canter, on stone (a hollow clop) or earth (a thud)."""
    gait = int(rng.integers(3))
    beats = ([0.0, 0.25, 0.5, 0.75], [0.0, 0.5], [0.0, 0.3, 0.5])[gait]
    stride = float(rng.uniform(*((0.95, 1.3), (0.6, 0.8), (0.5, 0.7))[gait]))
    stone = chance(rng, 0.8)
    base = rng.uniform(800, 1300) if stone else rng.uniform(120, 240)
    hooves = base * rng.uniform(0.82, 1.2, 4)
    n = length(0.25, sample_rate)
    strides = int(rng.integers(2, 9))
    out = np.zeros(length(strides * stride + 0.3, sample_rate), dtype=np.float32)
    for index in range(strides):
        for hoof, beat in enumerate(beats):
            modes = hooves[hoof] * np.array([1.0, 1.52, 2.41, 0.28]) * rng.uniform(0.97, 1.03)
            t60s = rng.uniform(0.05, 0.11, 4) if stone else rng.uniform(0.08, 0.2, 4)
            clop = partials(n, sample_rate, modes, np.array([1, 0.6, 0.25, 0.5]), t60s)
            dirt = band(white(rng, n), sample_rate, 200, 2500) * decay(n, sample_rate, 0.05)
            strike = clop + np.float32(0.25 if stone else 0.5) * dirt
            at = max(0.0, (index + beat) * stride + float(rng.normal(0, 0.012)))
            add(out, strike * fades(n, sample_rate, 0.001, 0.03), at, sample_rate, float(rng.uniform(0.5, 1)))
    return recorded(rng, out, sample_rate, room_chance=0.5)


def glass_smash(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A blow, dozens of high modes out of tune that ring off, and shards that fall for up to a second and a half."""
    fall = float(rng.uniform(0.3, 1.5))
    out = np.zeros(length(fall + 0.8, sample_rate), dtype=np.float32)
    n = length(0.6, sample_rate)
    low, high = float(rng.uniform(1200, 2800)), float(rng.uniform(6000, 10500))
    n_modes = int(rng.integers(25, 60))
    modes = rng.uniform(low, high, n_modes)
    pane = partials(n, sample_rate, modes, rng.exponential(1, n_modes), rng.uniform(0.08, 0.6, n_modes))
    blow = band(white(rng, n), sample_rate, 600, None, order=1) * decay(n, sample_rate, float(rng.uniform(0.06, 0.25)))
    thud = partials(n, sample_rate, rng.uniform(150, 500, 3), np.ones(3), rng.uniform(0.05, 0.15, 3))
    add(out, peaked(pane) + 0.8 * peaked(blow) + np.float32(rng.uniform(0, 0.6)) * peaked(thud), 0.0, sample_rate)
    n = length(0.2, sample_rate)
    kinds = [
        peaked(partials(n, sample_rate, rng.uniform(low, high, 4), rng.exponential(1, 4), rng.uniform(0.03, 0.25, 4)))
        for _ in range(8)
    ]
    for _ in range(int(rng.integers(8, 45))):
        at = float(rng.beta(1.2, 2.5) * fall + 0.03)
        add(
            out, kinds[int(rng.integers(8))], at, sample_rate, float(rng.uniform(0.05, 0.5) * (1.1 - at / (fall + 0.1)))
        )
    return recorded(rng, out, sample_rate)


def gun_shot(rng: np.random.Generator, sample_rate: int) -> Samples:
    """One shot, or a few: a blast within milliseconds, a low boom, echoes, the answer of the open."""
    shots = 1 if chance(rng, 0.55) else int(rng.integers(2, 6))
    spacing = log_uniform(rng, 0.12, 0.7)
    n = length(0.7, sample_rate)
    crack = white(rng, n) * decay(n, sample_rate, log_uniform(rng, 0.05, 0.22))
    crack = band(crack, sample_rate, None, log_uniform(rng, 3500, 10000), order=1)
    boom = band(white(rng, n), sample_rate, 40, float(rng.uniform(180, 500))) * decay(
        n, sample_rate, float(rng.uniform(0.2, 0.5))
    )
    shot = np.tanh(2 * (peaked(crack) + np.float32(rng.uniform(0.3, 0.9)) * peaked(boom)))
    dry = np.zeros(length(0.9 + shots * spacing * 1.2, sample_rate), dtype=np.float32)
    for index in range(shots):
        add(dry, shot, index * spacing * float(rng.normal(1, 0.03)), sample_rate, float(rng.uniform(0.7, 1)))
    for _ in range(int(rng.integers(0, 4))):  # walls and woods
        echo = band(dry, sample_rate, None, float(rng.uniform(800, 3000)), order=1)
        add(dry, echo.copy(), float(rng.uniform(0.06, 0.45)), sample_rate, float(rng.uniform(0.05, 0.3)))
    wet = room(rng, dry, sample_rate, float(rng.uniform(0.4, 1.4)), float(rng.uniform(0.15, 0.45)))
    return recorded(rng, wet, sample_rate, room_chance=0.0)


def crowd_applause(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Eight to 120 people clapping two to five times a second, each pair of hands with its own sound."""
    n = length(float(rng.uniform(2.5, 7)), sample_rate)
    people = round(log_uniform(rng, 8, 120))
    seconds = n / sample_rate
    pairs = 8
    clap_n = length(0.04, sample_rate)
    out = np.zeros(n + clap_n - 1, dtype=np.float32)
    swell = through(n, (0, rng.uniform(0.3, 1)), (rng.uniform(0.2, 0.7), 1), (1, rng.uniform(0.1, 0.8)))
    for pair in range(pairs):
        hands = white(rng, clap_n) * decay(clap_n, sample_rate, float(rng.uniform(0.012, 0.04)))
        centre = log_uniform(rng, 700, 2800)
        hands = peaked(band(hands, sample_rate, centre * 0.6, centre * 1.7, order=1))
        train = np.zeros(n, dtype=np.float32)
        for _ in range(people // pairs + (pair < people % pairs)):
            rate = float(rng.uniform(2.2, 5))
            claps = rng.uniform(0, 1 / rate) + np.arange(int(seconds * rate) + 1) / rate
            claps += rng.normal(0, 0.025, len(claps))
            at = np.clip(np.round(claps * sample_rate).astype(np.int64), 0, n - 1)
            heights = log_uniform(rng, 0.15, 1) * rng.uniform(0.5, 1, len(claps))
            np.add.at(train, at, heights.astype(np.float32) * (rng.random(len(claps)) < swell[at]))
        out += convolved(train * swell, hands)
    out *= wander(rng, len(out), sample_rate, 1, 0.8, 1)
    out = room(rng, out, sample_rate, float(rng.uniform(0.3, 1.2)), float(rng.uniform(0.2, 0.6)))
    return recorded(rng, out * fades(len(out), sample_rate, 0.05, 0.3), sample_rate, room_chance=0.0)
