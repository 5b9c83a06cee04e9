"""Music composed at random, as MIDI: patterns of drums and percussion, basses, chords, tunes, in any instruments.

Recordings of music that may be trained on are few, and drums are taken for knocks. Nobody is to like these pieces: they
show a network what instruments sound like, alone and together, where `extras.music` has but tones and noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SECONDS = 13.0
STEPS, TICKS = 16, 120
"""Sixteenths of a bar, and ticks of each."""
KITS = (0, 8, 16, 24, 25, 32, 40, 48)
"""Programs of the channel of drums, as Roland's GS numbers its kits."""
DRUM_CHANNEL = 9
DRUMS = range(35, 82)
BASS_DRUMS, SNARES, CLOSED_HAT = (35, 36), (38, 40), 42
INSTRUMENTS = 112
"""Of General MIDI's 128; those behind them are percussion and effects."""
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10))
OCTAVES = {"bass": -1, "chords": 1, "arpeggio": 1, "tune": 2}
LOWEST, HIGHEST = 20, 115

Note = tuple[int, int, int, int, int]
"""(start, length) in ticks, channel, pitch, velocity."""


@dataclass(frozen=True)
class Piece:
    """`programs`: the instrument of each channel, or the kit of drums."""

    beats_a_minute: float
    programs: Mapping[int, int]
    notes: Sequence[Note]


def composed(rng: np.random.Generator, drums_alone: bool = False) -> Piece:
    """A piece of at least `SECONDS`, of drums, of other instruments, or of both; with `drums_alone` of no others."""
    beats_a_minute = float(rng.uniform(60, 180))
    n_bars = int(SECONDS * beats_a_minute / 60 / 4) + 1
    swing = int(rng.choice((0, 0, 0, 20, 40)))
    programs: dict[int, int] = {}
    notes: list[Note] = []
    with_drums = rng.random() < 0.75 or drums_alone
    if with_drums:
        programs[DRUM_CHANNEL] = int(rng.choice(KITS))
        notes += _drums(rng, n_bars)
    if not drums_alone and (not with_drums or rng.random() < 0.7):
        scale, root = SCALES[int(rng.integers(len(SCALES)))], int(rng.integers(36, 60))
        chords = rng.integers(0, len(scale), 4)
        for channel in range(int(rng.integers(1, 5))):
            programs[channel] = int(rng.integers(INSTRUMENTS))
            notes += _part(rng, n_bars, channel, scale, root, chords)
    swung = [(start + (swing if start // TICKS % 2 else 0), *others) for start, *others in notes]
    return Piece(beats_a_minute, programs, swung)


def score(piece: Piece) -> Any:
    """As MIDI, a `mido.MidiFile`."""
    import mido  # noqa: PLC0415 - only who makes the clips needs it

    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(piece.beats_a_minute))])
    track += [mido.Message("program_change", channel=channel, program=each) for channel, each in piece.programs.items()]
    events = []
    for start, length, channel, pitch, velocity in piece.notes:
        events.append((start, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((start + length, mido.Message("note_off", channel=channel, note=pitch)))
    last = 0
    for at, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=at - last))
        last = at
    return mido.MidiFile(ticks_per_beat=4 * TICKS, tracks=[track])


def _drums(rng: np.random.Generator, n_bars: int) -> list[Note]:
    """A few drums, each with a pattern that most bars repeat; often bass drum, snare and hat among them."""
    voices = rng.choice(DRUMS, int(rng.integers(1, 6)), replace=False).tolist()
    if rng.random() < 0.6:
        voices += [BASS_DRUMS[1], SNARES[0], CLOSED_HAT]
    notes = []
    for voice in voices:
        density, loudness = float(rng.uniform(0.08, 0.6)), float(rng.uniform(50, 120))
        pattern = rng.random(STEPS) < (0.08 if voice in SNARES else density)
        if voice in BASS_DRUMS:
            pattern[::8] = True
        if voice in SNARES:
            pattern[[4, 12]] = True
        for bar in range(n_bars):
            played = pattern if rng.random() < 0.8 else rng.random(STEPS) < density
            for step in np.flatnonzero(played):
                start = (bar * STEPS + int(step)) * TICKS
                notes.append((start, TICKS - 10, DRUM_CHANNEL, int(voice), _velocity(rng, loudness, 12)))
    return notes


def _part(
    rng: np.random.Generator, n_bars: int, channel: int, scale: tuple[int, ...], root: int, chords: Any
) -> list[Note]:
    """What one instrument plays: the same rhythm in every bar, the notes of a chord a bar or a tune of its own."""
    kind = str(rng.choice(tuple(OCTAVES)))
    octave, loudness = OCTAVES[kind] + int(rng.integers(-1, 2)), float(rng.uniform(50, 120))
    rhythm = rng.random(STEPS) < rng.uniform(0.1, 0.6)
    rhythm[0] = True
    if kind == "chords" and rng.random() < 0.5:
        rhythm = np.arange(STEPS) % int(rng.choice((8, 16))) == 0
    steps = [int(step) for step in np.flatnonzero(rhythm)]
    held, degree, notes = float(rng.uniform(0.3, 1.5)), 0, []
    for bar in range(n_bars):
        base = int(chords[bar % len(chords)])
        for index, (step, following) in enumerate(zip(steps, [*steps[1:], STEPS], strict=True)):
            degree = int(np.clip(degree + rng.integers(-2, 3), -5, 9))
            played = {
                "bass": [base + int(rng.choice((0, 0, 0, 4)))],
                "chords": [base, base + 2, base + 4],
                "arpeggio": [base + (0, 2, 4, 7)[index % 4]],
                "tune": [degree],
            }[kind]
            length = max(20, int((following - step) * TICKS * held))
            for each in played:
                octaves, note = divmod(each, len(scale))
                pitch = int(np.clip(root + 12 * (octave + octaves) + scale[note], LOWEST, HIGHEST))
                notes.append(((bar * STEPS + step) * TICKS, length, channel, pitch, _velocity(rng, loudness, 8)))
    return notes


def _velocity(rng: np.random.Generator, loudness: float, spread: float) -> int:
    return int(np.clip(loudness + rng.normal(0, spread), 10, 127))
