"""A stand-in for UrbanSound8K from any folder of clips: several slices of each recording, in folds, in its layout.

Its purpose is the protocol, not the ten labels: slices of one recording are alike but not equal, as in the real set, so
that a random split leaks here just as there. Labels are those of the folder; one that the real set has under another
name is called as there (`OTHER_NAMES`).

As in the real set, a recording that is long enough is cut into slices of 4 s with a hop of 2 s, folds hold whole
recordings, slices keep the rate of their recording, most are 16 bit and some 24, and some are stereo.

Chosen here:

- A clip too short for three such slices gives three of 60 to 90 % of its length, of 4 s at most, cut at random places;
  stretches 20 dB below the mean of the clip are passed over. A recording gives ten slices to a label at most.
- A part of one background recording lies under all slices of a recording, at another place and level under each. It is
  of the same fold; noise takes its place where the folder has too few backgrounds. It makes a sound foreground
  (salience 1, at 15 to 30 dB) or background (salience 2, at 0 to 10 dB). Each slice has a gain of its own, too.
- Folds are by recording and not by source, as those of the real set are: two of them may hold recordings of one
  collection.
- A label needs as many recordings as there are folds. Where fewer than two labels have ten, there are fewer folds.
- Clips of confidence C are left out, as every fold is tested on once.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray

from hubbub import audio
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.features import content_hash, key_of
from hubbub.datasets.folds import (
    FEWEST_LABELS,
    OTHER_NAMES,
    Recording,
    choose_labels,
    deal,
    deal_backgrounds,
    recording_ids,
    recordings_of,
)
from hubbub.datasets.mixed_tree import begin_tree, versions
from hubbub.datasets.slices import BACKGROUND_SNR_DB, FOREGROUND_SNR_DB, SETTINGS, Samples, noise, under, windows
from hubbub.datasets.split import UNTESTED_CONFIDENCE
from hubbub.datasets.urbansound8k import COLUMNS, KEY, LABELS, METADATA, N_FOLDS, SliceClip, audio_name
from hubbub.datasets.urbansound8k_protocols import FEWEST_FOLDS
from hubbub.errors import ConfigError, DatasetError
from hubbub.files import write_text
from hubbub.mixing.clip import BACKGROUND, Clip

Progress = Callable[[int, int], None]

MOST_SLICES = 10
"""Of one label from one recording."""
IN_24_BITS, IN_STEREO, IN_BACKGROUND = 0.2, 0.25, 0.3
"""The parts of the recordings that have 24 bits and two channels, and of the clips whose sound has salience 2."""
NOISE_SECONDS = 30
README = """STAND-IN for UrbanSound8K: this is not that data set.

hubbub cut it from other clips, in the layout of the real one (metadata/UrbanSound8K.csv, audio/foldN/). Its labels are
those of the clips, so scores on it are not comparable with scores on the real set. Folds are disjoint by recording, but
not by source. start and end are seconds in the clip that a slice was cut from.

recipe.json        settings, seed, versions; labels with their class_id, sources and licences; the clips of each fsID
"""


@dataclass(frozen=True)
class SliceStandIn:
    """What was cut: `duration` in seconds, over all slices; by label its `slices` and `recordings`; `notes`, sentences
    for the user."""

    folder: Path
    n_slices: int
    n_recordings: int
    n_folds: int
    duration: float
    slices: Mapping[str, int]
    recordings: Mapping[str, int]
    notes: tuple[str, ...]


def mix_urbansound8k(
    clips_folder: Path,
    out: Path,
    seed: int = 0,
    jobs: int = 2,
    progress: Progress | None = None,
    folds: int = N_FOLDS,
) -> SliceStandIn:
    """Cuts the stand-in below `out` from the clips in `clips_folder`, in `folds` folds; slices there already stay.

    The same clips, seed and folds give the same bytes, whatever `jobs` (threads). `progress(done, total)` counts
    recordings.

    Raises `DatasetError` where fewer than two labels have three recordings, and as `read_clips`; `ConfigError` where
    `out` holds something else or cannot be written; `AudioError` where a clip cannot be read.
    """
    if not FEWEST_FOLDS <= folds <= N_FOLDS:
        raise ConfigError(f"{folds} folds; wanted {FEWEST_FOLDS} to {N_FOLDS}")
    clips = read_clips(clips_folder)
    certain = [clip for clip in clips if clip.confidence != UNTESTED_CONFIDENCE]
    labels, n_folds = choose_labels(certain, folds, clips_folder)
    recordings = recordings_of(certain, labels)
    backgrounds = [clip for clip in certain if clip.label == BACKGROUND]
    deal(recordings, n_folds, seed)
    deal_backgrounds(recordings, backgrounds, n_folds, seed)
    ids = _class_ids(labels)
    begin_tree(
        out,
        (*(f"audio/fold{fold}" for fold in range(1, n_folds + 1)), Path(METADATA).parent.name),
        _recipe(recordings, backgrounds, ids, n_folds, seed, clips_folder),
        README,
    )
    rows: list[SliceClip] = []
    work = (joblib.delayed(_cut)(out, recording, ids, seed) for recording in recordings)
    for done, found in enumerate(joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(work), start=1):
        rows += found
        if progress is not None:
            progress(done, len(recordings))
    _write_metadata(out, rows, ids)
    return SliceStandIn(
        out,
        len(rows),
        len(recordings),
        n_folds,
        sum(row.end - row.start for row in rows),
        {label: sum(row.label == label for row in rows) for label in ids},
        {label: sum(label in recording.clips for recording in recordings) for label in ids},
        tuple(_notes(clips, labels, recordings, n_folds, folds)),
    )


def _class_ids(labels: Sequence[str]) -> dict[str, int]:
    """Labels of the real set keep its numbers, the others follow; in the order of their numbers."""
    known = {label: LABELS.index(label) for label in LABELS if label in labels}
    own = {label: len(LABELS) + place for place, label in enumerate(sorted(set(labels) - set(LABELS)))}
    return known | own


def _recipe(
    recordings: Sequence[Recording],
    backgrounds: Sequence[Clip],
    ids: Mapping[str, int],
    n_folds: int,
    seed: int,
    clips_folder: Path,
) -> dict[str, object]:
    by_label: dict[str, list[Clip]] = {label: [] for label in ids}
    for recording in recordings:
        for label, clips in recording.clips.items():
            by_label[label] += clips
    settings = SETTINGS | {"in_24_bits": IN_24_BITS, "in_stereo": IN_STEREO, "in_background": IN_BACKGROUND}
    settings |= {"most_slices": MOST_SLICES, "other_names": dict(OTHER_NAMES)}
    contents = sorted(
        (relative_name(clip.path, clips_folder), content_hash(clip.path), clip.recording_id)
        for clips in (*by_label.values(), backgrounds)
        for clip in clips
    )
    used = {recording.background.path: recording.background for recording in recordings if recording.background}
    return {
        "what": "a stand-in for UrbanSound8K, not that data set",
        "recipe": KEY,
        "key": key_of(KEY, settings, seed, n_folds, contents),
        "seed": seed,
        "folds": n_folds,
        "config": settings,
        "labels": {label: {"class_id": ids[label]} | _facts(clips) for label, clips in by_label.items()},
        "backgrounds": _facts(used.values()),
        "recordings": {
            recording.number: {
                "recording_id": recording.id,
                "fold": recording.fold,
                "clips": {
                    label: [relative_name(clip.path, clips_folder) for clip in clips]
                    for label, clips in sorted(recording.clips.items())
                },
                "background": recording.background and relative_name(recording.background.path, clips_folder),
            }
            for recording in recordings
        },
        "versions": versions(),
    }


def _facts(clips: Iterable[Clip]) -> dict[str, object]:
    clips = list(clips)
    return {
        "clips": len(clips),
        "recordings": len({clip.recording_id for clip in clips}),
        "sources": dict(Counter(clip.source or "unknown" for clip in clips)),
        "licences": dict(Counter(clip.licence or "unknown" for clip in clips)),
    }


def _cut(out: Path, recording: Recording, ids: Mapping[str, int], seed: int) -> list[SliceClip]:
    """Writes the slices of a recording that are not there yet, and says what all of them are."""
    rng = np.random.default_rng([seed, 2, recording.number])
    subtype = "PCM_24" if rng.random() < IN_24_BITS else "PCM_16"
    stereo = bool(rng.random() < IN_STEREO)
    rows = []
    for label, clips in sorted(recording.clips.items()):
        found: list[tuple[SliceClip, Samples, int]] = []
        for occurrence, clip in enumerate(clips):
            samples, rate = audio.read(clip.path)
            salience = 2 if rng.random() < IN_BACKGROUND else 1
            for index, (first, end) in enumerate(windows(samples, rate, rng)):
                file = f"{recording.number}-{ids[label]}-{occurrence}-{index}.wav"
                name = audio_name(recording.fold, file)
                times = first / rate, end / rate
                row = SliceClip(out / name, name, label, recording.fold, str(recording.number), *times, salience)
                found.append((row, samples[first:end], rate))
        chosen = np.sort(rng.permutation(len(found))[:MOST_SLICES])  # of all clips, not the first
        _render(recording, ids[label], [found[index] for index in chosen], subtype, stereo, seed)
        rows += [found[index][0] for index in chosen]
    return rows


def _render(
    recording: Recording,
    class_id: int,
    slices: Sequence[tuple[SliceClip, Samples, int]],
    subtype: str,
    stereo: bool,
    seed: int,
) -> None:
    backgrounds: dict[int, Samples] = {}
    for place, (row, sound, rate) in enumerate(slices):
        if row.path.is_file():
            continue
        if rate not in backgrounds:
            backgrounds[rate] = _background(recording, rate, seed)
        # Of its own, so that a slice is the same whichever others are there already.
        rng = np.random.default_rng([seed, 3, recording.number, class_id, place])
        snr_db = FOREGROUND_SNR_DB if row.salience == 1 else BACKGROUND_SNR_DB
        audio.write(row.path, under(sound, backgrounds[rate], snr_db, stereo, rng), rate, subtype)


def _background(recording: Recording, rate: int, seed: int) -> NDArray[np.float32]:
    if recording.background is None:
        return noise(NOISE_SECONDS * rate, np.random.default_rng([seed, 4, recording.number]))
    return audio.read(recording.background.path, rate)[0]


def _write_metadata(out: Path, rows: Iterable[SliceClip], ids: Mapping[str, int]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.path.name):
        times = f"{row.start:.6f}", f"{row.end:.6f}"
        writer.writerow([row.path.name, row.recording_id, *times, row.salience, row.fold, ids[row.label], row.label])
    write_text(out / METADATA, text.getvalue(), DatasetError)


def _notes(
    clips: Iterable[Clip], labels: Sequence[str], recordings: Sequence[Recording], n_folds: int, folds: int
) -> Iterable[str]:
    clips = list(clips)
    if n_folds < folds:
        yield f"{n_folds} folds and not {folds}: fewer than {FEWEST_LABELS} labels have {n_folds + 1} recordings"
    certain = [clip for clip in clips if clip.confidence != UNTESTED_CONFIDENCE]
    counts = dict.fromkeys(recording_ids(clips), 0)
    counts |= {label: len(its) for label, its in recording_ids(certain).items()}
    few = [f"{label} ({number})" for label, number in sorted(counts.items()) if label not in labels]
    if few:
        yield f"left out, as they have fewer than {n_folds} recordings: {', '.join(few)}"
    if doubtful := len(clips) - len(certain):
        yield f"left out, as every fold is tested on: {doubtful} clip{'s' * (doubtful > 1)} of confidence C"
    for label in labels:
        absent = set(range(1, n_folds + 1)) - {one.fold for one in recordings if label in one.clips}
        if absent:
            yield f"{label} is not in folds {', '.join(map(str, sorted(absent)))}"
    if any(recording.background is None for recording in recordings):
        yield "too few backgrounds for the folds; noise lies under slices instead"
    yield "folds are by recording, as those of the real set, and not by source"
