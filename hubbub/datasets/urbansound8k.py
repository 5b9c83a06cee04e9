"""UrbanSound8K as it is published: 8732 slices of up to 4 s, one of ten labels each, in ten folds.

    metadata/UrbanSound8K.csv                     slice_file_name,fsID,start,end,salience,fold,classID,class
    audio/fold1/7061-6-0-0.wav … audio/fold10/    [fsID]-[classID]-[occurrenceID]-[sliceID].wav

`fsID` is the Freesound recording that a slice was cut from; all slices of one lie in one fold. Rates, depths and
channels are those of the recordings: 8 to 192 kHz, 4-bit ADPCM to 32-bit float, mono and stereo. A stand-in in this
layout names its own labels in `recipe.json`. The data may not be passed on, so nothing here fetches them.
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubbub.datasets.checks import Wrong, ranges, stop, told
from hubbub.datasets.mixed_tree import RECIPE
from hubbub.datasets.tables import Row, read_rows
from hubbub.errors import DatasetError

NAME = "UrbanSound8K"
REPORT_SLICES: dict[str, int] = {
    "air_conditioner": 1000,
    "car_horn": 429,
    "children_playing": 1000,
    "dog_bark": 1000,
    "drilling": 1000,
    "engine_idling": 1000,
    "gun_shot": 374,
    "jackhammer": 1000,
    "siren": 929,
    "street_music": 1000,
}
"""Slices by label, as table 1 of the report counts them in the published data; in the order of classID, from 0."""
LABELS = tuple(REPORT_SLICES)
N_SLICES = sum(REPORT_SLICES.values())
N_FOLDS = 10
METADATA = f"metadata/{NAME}.csv"
COLUMNS = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
SALIENCES = {1: "foreground", 2: "background"}
KEY = "urbansound8k"
"""What `recipe` says in the recipe of a stand-in for this set."""
LAYOUT = f"{METADATA} with audio/fold1 to audio/fold{N_FOLDS}"
FEW = 5
"""So many files of a kind are told one by one, more of them are counted by fold."""


@dataclass(frozen=True)
class SliceClip:
    """A slice: `name` is its path below the folder, `fold` counts from 1, `recording_id` is the fsID, `start` and `end`
    are seconds in that recording, `salience` is 1 where the sound is in the foreground and 2 where it is not."""

    path: Path
    name: str
    label: str
    fold: int
    recording_id: str
    start: float
    end: float
    salience: int


@dataclass(frozen=True)
class UrbanSound8K:
    """The data set, or what is there of it.

    `clips` are sorted by fold and name; `labels` are all that the set knows, in the order of classID. `missing` has one
    sentence for whatever an unfinished download lacks, `notes` one for each recording in several folds. `stand_in` says
    that it was mixed by `hubbub mix --recipe urbansound8k`, and is not the published set.
    """

    folder: Path
    clips: tuple[SliceClip, ...]
    labels: tuple[str, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stand_in: bool = False


def audio_name(fold: int, file: str) -> str:
    """Where a slice lies below the folder, with forward slashes."""
    return f"audio/fold{fold}/{file}"


def is_urbansound8k(folder: Path) -> bool:
    """Whether `folder`, or a folder of the set's name in it, has the metadata or slices of the set."""
    return _root(folder) is not None


def read_urbansound8k(folder: Path, wrong: Wrong = stop) -> UrbanSound8K:
    """The slices with their labels and folds; `folder` is the set's, or the one that it lies in.

    Slices that have a row but no file are `missing`, not an error. The audio is not opened.

    `wrong` is told of every error below but the first; the default raises it. Raises `DatasetError` where the folder
    holds no such set, where the metadata are missing or no such table; with path:line for a row whose fold, classID,
    class, fsID, times or salience are wrong, that repeats a file, or whose file lies in the folder of another fold; for
    files that no row names; and where no slice is there.
    """
    root = _root(folder)
    if root is None:
        what = "holds nothing of" if folder.is_dir() else "is no folder with"
        raise DatasetError(f"{folder}: {what} {NAME}; wanted {LAYOUT}")
    rows: list[Row] = []
    recipe: Mapping[str, Any] | None = None
    ids = dict(enumerate(LABELS))
    with told(wrong):
        recipe = _recipe(root)
        ids = ids if recipe is None else _own_ids(root, recipe)
    with told(wrong):
        rows = _rows(root)
    folds_of = _files(root)
    clips: dict[str, SliceClip] = {}
    seen: dict[str, Row] = {}
    absent: list[tuple[Row, int]] = []
    for row in rows:
        with told(wrong):
            file = row["slice_file_name"]
            first = seen.setdefault(file, row)
            if first is not row:
                raise DatasetError(f"{row.where}: {file} has a row already, in line {first.line}; drop one of them")
            clip = _clip(root, row, ids)
            found = folds_of.get(file, [])
            if clip.fold in found:
                clips[file] = clip
            elif found:
                raise DatasetError(
                    f"{row.where}: the fold of {file} is {clip.fold}, but it lies in audio/fold{found[0]}; move it back"
                )
            else:
                absent.append((row, clip.fold))
    strays = [
        (fold, file)
        for file, folds in folds_of.items()
        for fold in folds
        if file not in seen or (file in clips and fold != clips[file].fold)
    ]
    for text in _strays(root, strays) if rows else []:
        wrong(DatasetError(text))
    if rows and not clips:
        wrong(DatasetError(f"{root}: none of the slices that {METADATA} names is there; wanted {LAYOUT}"))
    found_clips = sorted(clips.values(), key=lambda clip: (clip.fold, clip.name))
    missing = _missing(root, rows, absent)
    if rows and len(rows) != N_SLICES and recipe is None:
        missing.insert(0, f"{root / METADATA}: {len(rows)} of the {N_SLICES} rows of the published set are there")
    return UrbanSound8K(
        root,
        tuple(found_clips),
        tuple(label for _, label in sorted(ids.items())),
        tuple(missing),
        tuple(across_folds(found_clips)),
        recipe is not None,
    )


def across_folds(clips: Iterable[SliceClip]) -> list[str]:
    """A sentence for each recording with slices in several folds; the published set has none."""
    folds: dict[str, set[int]] = defaultdict(set)
    for clip in clips:
        folds[clip.recording_id].add(clip.fold)
    return [
        f"fsID {recording}: its slices lie in folds {ranges(found)}; a recording belongs to one fold"
        for recording, found in folds.items()
        if len(found) > 1
    ]


def _root(folder: Path) -> Path | None:
    for root in (folder, folder / NAME):
        if (root / METADATA).is_file():
            return root
        for fold in range(1, N_FOLDS + 1):  # an archive half unpacked: the audio comes first
            if any((root / "audio" / f"fold{fold}").glob("*-*-*-*.wav")):
                return root
    return None


def _recipe(root: Path) -> Mapping[str, Any] | None:
    """The recipe of a stand-in for this set. Raises `DatasetError` where it cannot be read."""
    path = root / RECIPE
    if not path.is_file():
        return None
    try:
        recipe = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as JSON: {error}; mix the stand-in again") from error
    return recipe if isinstance(recipe, dict) and recipe.get("recipe") == KEY else None


def _own_ids(root: Path, recipe: Mapping[str, Any]) -> dict[int, str]:
    """The labels of a stand-in by classID."""
    try:
        return {int(facts["class_id"]): str(label) for label, facts in recipe["labels"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{root / RECIPE}: names no class_id for each of its labels; mix it again") from error


def _rows(root: Path) -> list[Row]:
    if not (root / METADATA).is_file():
        raise DatasetError(f"{root / METADATA}: is missing; wanted {LAYOUT}; unpack the archive again")
    return read_rows(root / METADATA, COLUMNS)


def _files(root: Path) -> dict[str, list[int]]:
    """The folds in whose folders a file lies, by its name."""
    folds_of: dict[str, list[int]] = defaultdict(list)
    for fold in range(1, N_FOLDS + 1):
        for path in sorted((root / "audio" / f"fold{fold}").glob("*.wav")):
            if not path.name.startswith("."):  # what a Mac leaves beside
                folds_of[path.name].append(fold)
    return folds_of


def _clip(root: Path, row: Row, ids: Mapping[int, str]) -> SliceClip:
    file, recording = row["slice_file_name"], row["fsID"]
    if Path(file).name != file or "\\" in file:
        raise DatasetError(
            f"{row.where}: {file} is no name of a file; wanted [fsID]-[classID]-[occurrence]-[slice].wav"
        )
    fold = _whole(row, "fold", range(1, N_FOLDS + 1))
    class_id = _whole(row, "classID", ids)
    if row["class"] != ids[class_id]:
        raise DatasetError(f"{row.where}: classID {class_id} is {ids[class_id]}, but class says {row['class']}")
    named = re.fullmatch(r"([^-]+)-(\d+)-\d+-\d+\.wav", file)
    if named is not None and (named[1], int(named[2])) != (recording, class_id):
        raise DatasetError(
            f"{row.where}: fsID is {recording} and classID {class_id}, but {file} says {named[1]} and {named[2]}"
        )
    start, end = _seconds(row, "start"), _seconds(row, "end")
    if end < start:
        raise DatasetError(f"{row.where}: start {start:g} s lies after end {end:g} s; wanted 0 <= start <= end")
    name = audio_name(fold, file)
    salience = _whole(row, "salience", SALIENCES)
    return SliceClip(root / name, name, ids[class_id], fold, recording, start, end, salience)


def _whole(row: Row, column: str, known: Iterable[int]) -> int:
    numbers = set(known)
    text = row[column]
    if re.fullmatch(r"-?[0-9]{1,9}", text) is None or int(text) not in numbers:
        raise DatasetError(f"{row.where}: {column} is {text!r}; wanted one of {ranges(numbers)}")
    return int(text)


def _seconds(row: Row, column: str) -> float:
    text = row[column]
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise DatasetError(f"{row.where}: {column} is {text!r}; wanted seconds, 0 or more")
    return seconds


def _strays(root: Path, strays: Sequence[tuple[int, str]]) -> list[str]:
    """What is said of files that no row names, or names in another fold."""
    unnamed = f"no row of {METADATA} names it there; remove it, or bring its row back"
    if len(strays) <= FEW:
        return [f"{root / audio_name(fold, file)}: {unnamed}" for fold, file in sorted(strays)]
    files: dict[int, list[str]] = defaultdict(list)
    for fold, file in sorted(strays):
        files[fold].append(file)
    return [
        f"{root}/audio/fold{fold}: {len(its)} of its files have no row in {METADATA}, the first is {its[0]}"
        for fold, its in files.items()
    ]


def _missing(root: Path, rows: Sequence[Row], absent: Sequence[tuple[Row, int]]) -> list[str]:
    """What is said of rows without a file."""
    if len(absent) <= FEW:
        return [f"{row.where}: {audio_name(fold, row['slice_file_name'])} is missing" for row, fold in absent]
    named = Counter(row.get("fold") for row in rows)
    return [
        f"{root}/audio/fold{fold}: {number} of its {named[str(fold)]} slices are missing"
        for fold, number in sorted(Counter(fold for _, fold in absent).items())
    ]
