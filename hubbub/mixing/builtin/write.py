"""A folder of built-in clips, in the layout that every folder of clips has."""

import csv
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np

from hubbub import audio
from hubbub.errors import ConfigError
from hubbub.files import make_folder, write_text
from hubbub.mixing.builtin import SOUNDS, background
from hubbub.mixing.clip import BACKGROUND, Clip
from hubbub.mixing.write import Progress

SOURCE = "built-in"
LICENCE = "Apache-2.0"
BACKGROUND_SECONDS = 10.0


def write_clips(
    folder: Path,
    n_per_label: int,
    seed: int,
    sample_rate: int = 22050,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
) -> list[Clip]:
    """Writes folder/<label>/<label>-000.wav (16 bit), a quarter as many backgrounds, and folder/manifest.csv.

    A clip depends on the seed, its label and its number alone: the same seed gives the same bytes, and more clips leave
    the first ones as they were. Every clip is a recording of its own. Returns the clips. `jobs` processes change
    nothing but the time. Raises `ConfigError` for an unknown label or a folder that cannot be written.
    """
    wanted = list(SOUNDS) if labels is None else list(labels)
    for label in wanted:
        if label not in SOUNDS:
            raise ConfigError(f"{label}: there is no such built-in sound; wanted one of {', '.join(SOUNDS)}")
    counts = dict.fromkeys(wanted, n_per_label) | {BACKGROUND: max(2, n_per_label // 4)}
    for label in counts:
        make_folder(folder / label, ConfigError)
    wanted_clips = [(label, index) for label, count in counts.items() for index in range(count)]
    clips = []
    for clip in joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(_write_clip)(folder, label, index, seed, sample_rate) for label, index in wanted_clips
    ):
        clips.append(clip)
        if progress is not None:
            progress(len(clips), len(wanted_clips))
    write_text(folder / "manifest.csv", _manifest(clips, folder), ConfigError)
    return clips


def _write_clip(folder: Path, label: str, index: int, seed: int, sample_rate: int) -> Clip:
    rng = np.random.default_rng([seed, zlib.crc32(label.encode()), index])
    if label == BACKGROUND:
        samples = background(rng, sample_rate, BACKGROUND_SECONDS)
    else:
        samples = SOUNDS[label](rng, sample_rate)
    stem = f"{label}-{index:03d}"
    path = folder / label / f"{stem}.wav"
    audio.write(path, samples, sample_rate)
    return Clip(path, label, f"{SOURCE}:{seed}:{stem}", SOURCE, LICENCE)


def _manifest(clips: Sequence[Clip], folder: Path) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "label", "recording_id", "source", "licence", "confidence"])
    for clip in clips:
        file = clip.path.relative_to(folder).as_posix()
        writer.writerow([file, clip.label, clip.recording_id, clip.source, clip.licence, clip.confidence])
    return text.getvalue()
