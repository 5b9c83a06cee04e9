"""Built-in sounds of weather, and the background that scenes lie on."""

import numpy as np

from hubbub.mixing.builtin.pieces import (
    Samples,
    add,
    band,
    chance,
    coloured,
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
    times,
    wander,
    white,
)


def rain(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Drops at random, from a drizzle on a window sill to a downpour on leaves, over the hiss of all the far ones."""
    n = length(float(rng.uniform(3, 8)), sample_rate)
    per_second = log_uniform(rng, 80, 1000)
    drop_n = length(0.04, sample_rate)
    out = np.zeros(n + drop_n - 1, dtype=np.float32)
    for _ in range(6):  # six kinds of place for a drop to fall on
        drop = partials(
            drop_n, sample_rate, rng.uniform(800, 7500, 3), rng.uniform(0.2, 1, 3), rng.uniform(0.004, 0.05, 3)
        )
        drop += white(rng, drop_n) * decay(drop_n, sample_rate, float(rng.uniform(0.004, 0.02)))
        at = rng.integers(0, n, rng.poisson(per_second * n / sample_rate / 6))
        train = np.zeros(n, dtype=np.float32)
        np.add.at(train, at, rng.lognormal(-1.5, 0.8, len(at)).astype(np.float32))
        out += convolved(train, drop)
    hiss = coloured(rng, len(out), float(rng.uniform(-0.3, 0.7)), sample_rate)
    hiss = band(hiss, sample_rate, log_uniform(rng, 400, 1500), float(rng.uniform(5000, 11000)), order=1)
    loudness = log_uniform(rng, 0.08, 0.6) * float(np.quantile(np.abs(out), 0.999))
    out += hiss * np.float32(loudness) * wander(rng, len(out), sample_rate, 0.7, 0.7, 1)
    return recorded(rng, out * fades(len(out), sample_rate, 0.3, 0.5), sample_rate, room_chance=0.2)


def thunder(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A clap, near or far, that rolls away: bursts of low noise on top of one another for two to eight seconds."""
    seconds = float(rng.uniform(2.5, 8))
    n = length(seconds, sample_rate)
    far = float(rng.random())
    out = np.zeros(n, dtype=np.float32)
    for index in range(int(rng.integers(3, 9))):
        at = 0.0 if index == 0 else float(rng.beta(1, 1.8) * seconds * 0.75)
        m = length(float(rng.uniform(0.8, 3.5)), sample_rate)
        burst = band(white(rng, m), sample_rate, 25, log_uniform(rng, 70, 300 + 500 * (1 - far)), order=2)
        burst = peaked(burst) * decay(m, sample_rate, float(rng.uniform(1.2, 3.5)))
        burst *= fades(m, sample_rate, float(rng.uniform(0.02, 0.1 + 0.4 * far)), 0.3)
        burst *= wander(rng, m, sample_rate, float(rng.uniform(4, 14)), 0.2, 1)
        add(out, burst, at, sample_rate, float(rng.uniform(0.3, 1)) * (1 - 0.6 * at / seconds))
    if far < 0.5:  # near: it tears before it rolls
        m = length(float(rng.uniform(0.2, 0.9)), sample_rate)
        tear = band(white(rng, m), sample_rate, 200, log_uniform(rng, 2000, 7000), order=1)
        tear *= decay(m, sample_rate, m / sample_rate) * wander(rng, m, sample_rate, 40, 0.1, 1) ** 2
        add(out, peaked(tear), 0.0, sample_rate, float(rng.uniform(0.2, 0.9)))
    out = room(rng, out, sample_rate, 2.4, float(rng.uniform(0.2, 0.6)))[:n]
    return recorded(rng, out * fades(n, sample_rate, 0.01, 0.8), sample_rate, room_chance=0.0)


def background(rng: np.random.Generator, sample_rate: int, seconds: float) -> Samples:
    """Where nothing in particular sounds: coloured noise that swells slowly, perhaps wind, perhaps hum of the mains."""
    n = length(seconds, sample_rate)
    out = coloured(rng, n, float(rng.uniform(0.3, 2)), sample_rate) * wander(rng, n, sample_rate, 0.3, 0.7, 1.2)
    if chance(rng, 0.5):  # wind
        gusts = wander(rng, n, sample_rate, 0.8, 0, 1) ** 2
        out += (
            band(white(rng, n), sample_rate, 30, float(rng.uniform(150, 600))) * gusts * np.float32(rng.uniform(0.5, 3))
        )
    if chance(rng, 0.4):  # mains
        mains = 50.0 if chance(rng, 0.5) else 60.0
        time = times(n, sample_rate)
        for harmonic in (1, 2, 3, 4, 6):
            hum = np.sin(np.float32(2 * np.pi * mains * harmonic) * time + np.float32(rng.uniform(0, 6.28)))
            out += hum * np.float32(rng.uniform(0, 0.3) / harmonic)
    out *= through(n, (0, rng.uniform(0.7, 1)), (0.5, 1), (1, rng.uniform(0.7, 1)))
    return peaked(out, float(rng.uniform(0.1, 0.5)))
