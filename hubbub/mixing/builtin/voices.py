"""Built-in sounds that a throat or a beak makes: babies, birds, cats, dogs, cheering crowds."""

import numpy as np

from hubbub.mixing.builtin.pieces import (
    Samples,
    add,
    band,
    chance,
    coloured,
    cycles,
    fades,
    length,
    log_uniform,
    peaked,
    recorded,
    resonate,
    sawtooth,
    sung,
    through,
    times,
    wander,
    white,
)


def baby_crying(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Two to six cries of half a second to two, each an arc of pitch around 400 to 500 Hz, with breaths between."""
    pitch = float(rng.uniform(360, 520))
    first, second = float(rng.uniform(950, 1400)), float(rng.uniform(2600, 3600))
    harsh = float(rng.uniform(0.0, 0.5))
    parts: list[Samples] = []
    for _ in range(int(rng.integers(2, 7))):
        n = length(float(rng.uniform(0.45, 1.6)), sample_rate)
        arc = through(n, (0, rng.uniform(0.75, 0.95)), (rng.uniform(0.15, 0.5), 1.12), (1, rng.uniform(0.7, 0.95)))
        tremor = 1 + 0.012 * np.sin(2 * np.pi * rng.uniform(5, 9) * times(n, sample_rate))
        contour = (pitch * rng.uniform(0.92, 1.08) * arc * tremor).astype(np.float32)
        cry = sung(contour, sample_rate, [(first, 350, 1.0), (second, 500, 0.8), (pitch, 300, 0.5)], tilt=0.6)
        if chance(rng, harsh):  # a cry that breaks: every second period weaker
            cry *= 1 + 0.6 * np.cos(np.pi * cycles(contour, sample_rate)).astype(np.float32)
        cry += 0.15 * harsh * band(white(rng, n), sample_rate, 1500, 6000) * np.abs(cry)
        parts.append(cry * fades(n, sample_rate, 0.08, 0.18) * np.float32(rng.uniform(0.6, 1)))
        n = length(float(rng.uniform(0.15, 0.6)), sample_rate)
        breath = resonate(white(rng, n), sample_rate, [(1800, 900, 1.0), (4200, 1500, 0.6)])
        parts.append(breath * fades(n, sample_rate, n / sample_rate * 0.7, 0.04) * np.float32(rng.uniform(0, 0.25)))
    return recorded(rng, np.concatenate(parts), sample_rate)


def bird_singing(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A bird's song: whistles, chirps or trills between 2 and 8 kHz, said two to eight times over."""
    top = 0.42 * sample_rate
    centre = min(log_uniform(rng, 2200, 6500), 0.8 * top)
    notes: list[tuple[float, float, float, float, float, float]] = []  # wait, length, from, to, tremble rate, depth
    for _ in range(int(rng.integers(1, 5))):
        kind = rng.integers(3)
        start, end = centre * rng.uniform(0.7, 1.3, 2)
        if kind == 0:  # a whistle
            notes.append((rng.uniform(0.03, 0.2), rng.uniform(0.12, 0.5), start, (start + end) / 2, 0.0, 0.0))
        elif kind == 1:  # a trembling call
            notes.append((rng.uniform(0.03, 0.15), rng.uniform(0.15, 0.6), start, end, rng.uniform(18, 60), 0.08))
        else:  # a trill of equal chirps
            pause, span = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.07)
            notes += [(pause, span, start, end, 0.0, 0.0)] * int(rng.integers(4, 14))
    rest = float(rng.uniform(0.2, 1.2))
    brightness = float(rng.uniform(0.0, 0.25))
    parts: list[Samples] = []
    total = 0.0
    for _ in range(int(rng.integers(2, 9))):
        detune = float(rng.uniform(0.96, 1.04))
        for pause, span, start, end, rate, depth in notes:
            n = length(span, sample_rate)
            bend = through(n, (0, start), (rng.uniform(0.3, 0.7), (start + end) / 2 * rng.uniform(0.95, 1.1)), (1, end))
            tremble = 1 + depth * np.sin(2 * np.pi * rate * times(n, sample_rate))
            contour = np.minimum(bend * tremble * detune, top).astype(np.float32)
            phase = (2 * np.pi * (cycles(contour, sample_rate) % 1.0)).astype(np.float32)
            tone = np.sin(phase) + brightness * np.sin(2 * phase) * (2 * contour < 0.47 * sample_rate)
            parts.append((tone * fades(n, sample_rate, 0.3 * span, 0.5 * span)).astype(np.float32))
            parts.append(np.zeros(length(pause, sample_rate), dtype=np.float32))
            total += span + pause
        parts.append(np.zeros(length(rest * rng.uniform(0.7, 1.3), sample_rate), dtype=np.float32))
        total += rest
        if total > 6:
            break
    return recorded(rng, np.concatenate(parts[:-1]), sample_rate, room_chance=0.6)


def cat_meowing(rng: np.random.Generator, sample_rate: int) -> Samples:
    """One to four meows: pitch in an arc, the mouth opening and closing, as two formants that glide."""
    pitch = log_uniform(rng, 380, 900)
    parts: list[Samples] = []
    for _ in range(int(rng.integers(1, 5))):
        n = length(float(rng.uniform(0.35, 1.3)), sample_rate)
        peak = float(rng.uniform(0.25, 0.6))
        contour = pitch * through(
            n, (0, rng.uniform(0.75, 0.95)), (peak, rng.uniform(1.05, 1.3)), (1, rng.uniform(0.6, 0.9))
        )
        opening = through(n, (0, 450), (0.25, 800), (0.55, rng.uniform(1000, 1500)), (1, 500))
        colour = through(n, (0, 1500), (0.25, rng.uniform(2200, 2900)), (0.6, 1800), (1, 900))
        meow = sung(
            contour.astype(np.float32), sample_rate, [(opening, 250, 1.0), (colour, 350, 0.7), (4200, 700, 0.25)]
        )
        meow += 0.1 * band(white(rng, n), sample_rate, 1500, 7000) * np.abs(meow)
        parts.append(meow * fades(n, sample_rate, 0.1, 0.35) * np.float32(rng.uniform(0.6, 1)))
        parts.append(np.zeros(length(float(rng.uniform(0.25, 1.3)), sample_rate), dtype=np.float32))
    return recorded(rng, np.concatenate(parts[:-1]), sample_rate)


def dog_barking(rng: np.random.Generator, sample_rate: int) -> Samples:
    """One to seven barks of a dog between large and small: short, harsh, the pitch up and down at once."""
    size = float(rng.random())  # 0 large, 1 small
    pitch = 170 + 550 * size**1.5
    formants = [(500 + 600 * size, 220.0, 1.0), (1250 + 900 * size, 350.0, 0.8), (2600 + 900 * size, 600.0, 0.35)]
    rough = float(rng.uniform(0.3, 1.2))
    n_barks = int(rng.integers(1, 8))
    rest = float(rng.uniform(0.12, 0.7))
    parts: list[Samples] = []
    for _ in range(n_barks):
        n = length(float(rng.uniform(0.09, 0.26) * (1.2 - 0.4 * size)), sample_rate)
        arc = through(n, (0, 0.75), (0.3, rng.uniform(1.1, 1.4)), (1, rng.uniform(0.5, 0.8)))
        jitter = wander(rng, n, sample_rate, 90, 1 - 0.12 * rough, 1 + 0.12 * rough)
        contour = (pitch * rng.uniform(0.93, 1.07) * arc * jitter).astype(np.float32)
        source = sawtooth(contour, sample_rate) * wander(rng, n, sample_rate, 120, 0.3, 1) + rough * 0.35 * white(
            rng, n
        )
        bark = resonate(source, sample_rate, formants)
        envelope = fades(n, sample_rate, 0.012, n / sample_rate * 0.75)
        parts.append(np.tanh(2.5 * peaked(bark)) * envelope * np.float32(rng.uniform(0.5, 1)))
        parts.append(np.zeros(length(rest * float(rng.uniform(0.6, 1.6)), sample_rate), dtype=np.float32))
    return recorded(rng, np.concatenate(parts[:-1]), sample_rate, room_chance=0.6)


def crowd_cheering(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Eight to thirty voices that call long vowels at gliding pitches, over the roar of the many behind them."""
    n = length(float(rng.uniform(2.5, 7)), sample_rate)
    vowels = [  # ah, eh, oo, ee: Peterson and Barney 1952, between men and women
        [(790.0, 130.0, 1.0), (1160.0, 150.0, 0.7), (2650.0, 250.0, 0.25)],
        [(580.0, 120.0, 1.0), (1980.0, 180.0, 0.5), (2680.0, 250.0, 0.3)],
        [(340.0, 100.0, 1.0), (930.0, 140.0, 0.4), (2400.0, 250.0, 0.1)],
        [(300.0, 100.0, 1.0), (2500.0, 220.0, 0.4), (3100.0, 300.0, 0.25)],
    ]
    out = np.zeros(n, dtype=np.float32)
    weights = np.array([0.45, 0.2, 0.25, 0.1])
    for formants, n_voices in zip(vowels, rng.multinomial(int(rng.integers(8, 31)), weights), strict=True):
        choir = np.zeros(n, dtype=np.float32)
        for _ in range(n_voices):
            m = min(n, length(float(rng.uniform(0.5, 2.5)), sample_rate))
            glide = through(
                m, (0, rng.uniform(0.6, 1)), (rng.uniform(0.2, 0.6), rng.uniform(1, 1.4)), (1, rng.uniform(0.6, 1))
            )
            contour = log_uniform(rng, 150, 480) * glide * wander(rng, m, sample_rate, 12, 0.985, 1.015)
            voice = sawtooth(contour.astype(np.float32), sample_rate, float(rng.random()))
            voice *= fades(m, sample_rate, 0.12, 0.3) * np.float32(rng.uniform(0.2, 1))
            add(choir, voice, float(rng.uniform(-0.2, 1)) % 1 * (n - m) / sample_rate, sample_rate)
        if n_voices:
            out += resonate(choir, sample_rate, formants)
    roar = resonate(
        coloured(rng, n, 0.5, sample_rate), sample_rate, [(600, 500, 1.0), (1300, 700, 0.8), (2600, 1200, 0.3)]
    )
    out = peaked(out) + np.float32(rng.uniform(0.15, 0.7)) * peaked(roar) * wander(rng, n, sample_rate, 1.5, 0.5, 1)
    if chance(rng, 0.3):  # somebody whistles
        m = min(n, length(float(rng.uniform(0.3, 0.9)), sample_rate))
        whistle = cycles(through(m, (0, 1900), (0.5, rng.uniform(2300, 3200)), (1, 2000)), sample_rate)
        tone = np.sin(2 * np.pi * whistle).astype(np.float32) * fades(m, sample_rate, 0.05, 0.1)
        add(out, tone, float(rng.uniform(0, (n - m) / sample_rate)), sample_rate, 0.3)
    swell = through(n, (0, rng.uniform(0.1, 0.9)), (rng.uniform(0.2, 0.6), 1), (1, rng.uniform(0.1, 0.6)))
    return recorded(rng, out * swell * fades(n, sample_rate, 0.2, 0.4), sample_rate, room_chance=0.7)
