"""Built-in sounds of machines: bus, motorcycle, mixer, and those made to be heard, alarms and sirens."""

import numpy as np
from numpy.typing import NDArray

from hubbub.mixing.builtin.pieces import (
    Samples,
    add,
    band,
    chance,
    coloured,
    convolved,
    cycles,
    decay,
    fades,
    length,
    log_uniform,
    partials,
    peaked,
    pulses,
    recorded,
    resonate,
    sawtooth,
    through,
    times,
    wander,
    white,
)


def motorcycle(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A motorcycle idling, revving or passing: uneven firing pulses of 20 to 180 Hz through an exhaust."""
    n = length(float(rng.uniform(2.5, 7)), sample_rate)
    idle = log_uniform(rng, 18, 45)
    kind = int(rng.integers(3))
    if kind == 0:  # idling, a twist of the throttle now and then
        contour = idle * wander(rng, n, sample_rate, 0.8, 1.0, 1.5)
    elif kind == 1:  # revving
        contour = idle * np.maximum(
            1.0, wander(rng, n, sample_rate, float(rng.uniform(0.7, 2)), 0.5, float(rng.uniform(3, 5)))
        )
    else:  # passing: gears up, pitch drops as it leaves
        gears = sawtooth(np.full(n, rng.uniform(0.3, 0.7), dtype=np.float32), sample_rate, float(rng.random()))
        contour = (
            idle
            * rng.uniform(2, 3.5)
            * (1 + 0.2 * gears)
            * through(n, (0, 1.06), (0.45, 1.05), (0.55, 0.95), (1, 0.94))
        )
    jitter = wander(rng, n, sample_rate, 25, 0.96, 1.04)
    contour = (contour * jitter).astype(np.float32)
    heights = (1.0, float(rng.uniform(0.45, 1)))  # the two cylinders differ
    exhaust = [
        (float(rng.uniform(80, 160)), 70.0, 1.0),
        (float(rng.uniform(220, 420)), 120.0, 0.7),
        (float(rng.uniform(600, 1100)), 300.0, 0.35),
        (float(rng.uniform(1600, 2800)), 900.0, 0.15),
    ]
    fired = pulses(contour, sample_rate, heights)
    burst = white(rng, length(0.02, sample_rate))
    burst *= decay(len(burst), sample_rate, 0.02)
    burst[0] += 3
    body = resonate(convolved(fired, burst)[:n], sample_rate, exhaust)
    body = np.tanh(float(rng.uniform(1.5, 5)) * peaked(body))
    body = band(body, sample_rate, None, log_uniform(rng, 1200, 5000), order=1)
    chain = band(white(rng, n), sample_rate, 1500, 6000) * (0.3 + np.abs(body)) * np.float32(rng.uniform(0.01, 0.08))
    out = (body + chain) * (contour / contour.max()) ** np.float32(0.4)
    if kind == 2:
        out *= through(n, (0, 0.08), (0.5, 1), (1, 0.08))
    return recorded(rng, out * fades(n, sample_rate, 0.15, 0.3), sample_rate, room_chance=0.2)


def bus(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A diesel bus idling, arriving or pulling off: a deep rattle, gears that hum, often brakes that hiss or squeal."""
    n = length(float(rng.uniform(3, 7.5)), sample_rate)
    firing = float(rng.uniform(22, 38))  # six cylinders at 450 to 750 rpm
    start, end = ((1.0, 1.0), (2.2, 1.0), (1.0, 2.4))[int(rng.integers(3))]
    contour = (
        firing
        * through(n, (0, start), (rng.uniform(0.4, 0.8), end), (1, end))
        * wander(rng, n, sample_rate, 6, 0.98, 1.02)
    )
    contour = contour.astype(np.float32)
    fired = pulses(contour, sample_rate, tuple(rng.uniform(0.7, 1, 6)))
    block = [
        (float(rng.uniform(50, 90)), 40.0, 1.0),
        (float(rng.uniform(110, 190)), 60.0, 0.7),
        (float(rng.uniform(280, 480)), 150.0, 0.3),
        (float(rng.uniform(900, 1500)), 500.0, 0.1),
    ]
    engine = peaked(resonate(fired, sample_rate, block))
    rattle = band(white(rng, n), sample_rate, 600, 3000) * np.maximum(0, engine) * np.float32(rng.uniform(0.05, 0.35))
    rumble = peaked(coloured(rng, n, 2.0, sample_rate)) * np.float32(rng.uniform(0.1, 0.4))
    gears = np.sin(2 * np.pi * cycles(contour * np.float32(rng.uniform(9, 16)), sample_rate)).astype(np.float32)
    out = engine + rattle + rumble + gears * np.float32(rng.uniform(0, 0.12))
    if chance(rng, 0.6):  # air let out of the brakes
        m = length(float(rng.uniform(0.25, 1.1)), sample_rate)
        hiss = band(white(rng, m), sample_rate, float(rng.uniform(1200, 2500)), 9000, order=1)
        hiss *= fades(m, sample_rate, 0.01, 0.1) * decay(m, sample_rate, m / sample_rate * 2)
        add(
            out,
            peaked(hiss),
            float(rng.uniform(0, max(0.0, (n - m) / sample_rate))),
            sample_rate,
            float(rng.uniform(0.2, 0.8)),
        )
    if chance(rng, 0.25):  # brakes that squeal
        m = length(float(rng.uniform(0.4, 1.2)), sample_rate)
        squeal = float(rng.uniform(1800, 3200)) * through(m, (0, 1.03), (0.7, 1), (1, 0.96))
        tone = np.sin(2 * np.pi * cycles(squeal, sample_rate)).astype(np.float32) * wander(
            rng, m, sample_rate, 30, 0.4, 1
        )
        add(out, tone * fades(m, sample_rate, 0.1, 0.15), float(rng.uniform(0, n / sample_rate / 2)), sample_rate, 0.3)
    level = through(n, (0, rng.uniform(0.3, 1)), (rng.uniform(0.3, 0.7), 1), (1, rng.uniform(0.3, 1)))
    return recorded(rng, out * level * fades(n, sample_rate, 0.2, 0.4), sample_rate, room_chance=0.3)


def mixer(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A kitchen mixer: a motor's whine that spins up, labours and is let go, brushes that hiss, blades that beat."""
    n = length(float(rng.uniform(2.5, 7)), sample_rate)
    speed = float(rng.uniform(140, 330))  # turns a second
    up, down = float(rng.uniform(0.03, 0.12)), float(rng.uniform(0.85, 0.97))
    spin = through(n, (0, 0.35), (up, 1), (rng.uniform(0.3, 0.6), rng.uniform(0.85, 1.1)), (down, 1), (1, 0.4))
    contour = (speed * spin * wander(rng, n, sample_rate, 7, 0.97, 1.03)).astype(np.float32)
    slots = int(rng.integers(5, 12))
    phase = (2 * np.pi * (cycles(contour, sample_rate) % 1.0)).astype(np.float32)
    out = 0.5 * sawtooth(contour, sample_rate)
    for order, gain in ((2, 0.5), (slots, rng.uniform(0.2, 0.9)), (2 * slots, rng.uniform(0.1, 0.4))):
        out += np.where(order * contour < 0.47 * sample_rate, np.float32(gain), np.float32(0)) * np.sin(order * phase)
    out = (
        resonate(
            out,
            sample_rate,
            [(float(rng.uniform(400, 900)), 400.0, 1.0), (float(rng.uniform(1500, 3500)), 1200.0, 1.0)],
        )
        + 0.2 * out
    )
    brushes = band(white(rng, n), sample_rate, float(rng.uniform(900, 2000)), float(rng.uniform(5000, 9500)))
    beat = 1 + np.float32(rng.uniform(0.1, 0.6)) * np.sin(2 * np.pi * rng.uniform(4, 18) * times(n, sample_rate))
    load = wander(rng, n, sample_rate, 2, 0.6, 1)
    out = (peaked(out) + np.float32(rng.uniform(0.1, 0.6)) * peaked(brushes)) * beat * load
    return recorded(rng, out * fades(n, sample_rate, 0.08, 0.2), sample_rate, room_chance=0.7)


def alarms_and_sirens(rng: np.random.Generator, sample_rate: int) -> Samples:
    """A siren that wails, yelps or changes between two tones, an alarm that beeps, or a bell that rings."""
    n = length(float(rng.uniform(2, 7)), sample_rate)
    kind = str(rng.choice(["wail", "yelp", "two tones", "beeps", "bell"], p=[0.3, 0.2, 0.2, 0.2, 0.1]))
    if kind == "bell":
        out = _bell(rng, n, sample_rate)
    elif kind == "beeps":
        out = _beeps(rng, n, sample_rate)
    else:
        out = _siren(rng, n, sample_rate, kind)
    out = band(out, sample_rate, None, log_uniform(rng, 3500, 9000), order=1)
    return recorded(rng, out * fades(n, sample_rate, 0.03, 0.06), sample_rate, room_chance=0.6)


def _siren(rng: np.random.Generator, n: int, sample_rate: int, kind: str) -> Samples:
    time = times(n, sample_rate)
    contour: NDArray[np.floating]
    if kind == "wail":
        turn = (time / np.float32(rng.uniform(2.5, 6)) + np.float32(rng.random())) % 1
        rise = np.where(turn < 0.6, turn / 0.6, (1 - turn) / 0.4)
        contour = rng.uniform(500, 700) * 2 ** (rng.uniform(0.8, 1.3) * rise)
    elif kind == "yelp":
        contour = rng.uniform(550, 750) * 2 ** (
            rng.uniform(0.7, 1.2) * ((time / np.float32(rng.uniform(0.2, 0.45))) % 1)
        )
    else:  # about a fourth apart
        high = (time / np.float32(rng.uniform(0.4, 0.8))) % 2 < 1
        contour = rng.uniform(450, 700) * np.where(high, rng.uniform(1.2, 1.45), 1.0)
    lower = float(rng.uniform(0.93, 1))  # it drives past
    contour = contour * through(n, (0, 1), (0.45, 1), (0.6, lower), (1, lower))
    level = through(n, (0, rng.uniform(0.2, 1)), (rng.uniform(0.3, 0.7), 1), (1, rng.uniform(0.2, 1)))
    return _driven(contour.astype(np.float32), sample_rate, float(rng.uniform(1, 5))) * level


def _beeps(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    period, beeps = float(rng.uniform(0.1, 0.5)), int(rng.integers(1, 6))
    slot = (times(n, sample_rate) / np.float32(period)) % (beeps + int(rng.integers(0, 3)))
    gate = band(((slot < beeps) & (slot % 1 < 0.55)).astype(np.float32), sample_rate, None, 150, order=1)
    pitch = np.full(n, log_uniform(rng, 900, 3500), dtype=np.float32)
    return _driven(pitch, sample_rate, float(rng.uniform(0.6, 2.5))) * gate


def _driven(contour: Samples, sample_rate: int, drive: float) -> Samples:
    """A sine along the contour, driven into its limits: odd harmonics."""
    phase = (2 * np.pi * (cycles(contour, sample_rate) % 1.0)).astype(np.float32)
    return np.asarray(np.tanh(np.float32(drive) * np.sin(phase)), dtype=np.float32)


def _bell(rng: np.random.Generator, n: int, sample_rate: int) -> Samples:
    """An electric bell: a clapper ten to twenty-five times a second on a shell with modes out of tune."""
    shell = log_uniform(rng, 700, 2200) * np.array([1.0, 1.51, 2.32, 3.1, 4.07]) * rng.uniform(0.97, 1.03, 5)
    ring = partials(length(0.5, sample_rate), sample_rate, shell, rng.uniform(0.3, 1, 5), rng.uniform(0.2, 0.7, 5))
    ring[: length(0.004, sample_rate)] += 0.5 * white(rng, length(0.004, sample_rate))
    clapper = pulses(np.float32(rng.uniform(10, 25)) * wander(rng, n, sample_rate, 5, 0.97, 1.03), sample_rate)
    return convolved(clapper, ring)[:n]
