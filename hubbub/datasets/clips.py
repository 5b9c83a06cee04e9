"""A folder of clips: `CLIPS/<label>/<file>`, with what `manifest.csv` knows of them."""

import os
from collections.abc import Iterable
from pathlib import Path

from hubbub import audio
from hubbub.datasets.checks import Wrong, stop, told
from hubbub.datasets.tables import Row, read_rows
from hubbub.errors import DatasetError
from hubbub.mixing.clip import BACKGROUND, Clip

CONFIDENCES = ("A", "B", "C")
MANIFEST = "manifest.csv"
LAYOUT = "CLIPS/<label>/<file>, for example CLIPS/dog_barking/01.wav"


def read_clips(folder: Path, wrong: Wrong = stop) -> list[Clip]:
    """The clips below `folder`, sorted by path; those in `background/` have the label "background".

    `manifest.csv` lies in `folder` or beside it; its `file` is relative to the folder that the manifest lies in. The
    columns `file, label, recording_id` are needed, `source, licence, confidence` are read where they are there. A
    clip that no manifest lists is a recording of its own (`<label>/<stem>`), of unknown source and confidence A. Rows
    that point out of `folder` are passed over.

    `wrong` is told of every error but those of the folder itself; the default raises it.

    Raises `DatasetError` where the folder is missing or has no clips, where two clips of a label have one name, where
    a row names a file that is not there, repeats one, or is at odds with the folder, and where the manifest is no
    such table.
    """
    rows: dict[str, Row] = {}
    with told(wrong):
        rows = _manifest(folder)
    seen: dict[tuple[str, str], Path] = {}
    clips = []
    for path in _audio_below(folder):
        relative = path.relative_to(folder)
        row = rows.pop(relative.as_posix(), None)
        with told(wrong):
            if len(relative.parts) < 2:
                raise DatasetError(f"{path}: a clip lies in a folder named after its label; wanted {LAYOUT}")
            label, stem = relative.parts[0], path.stem
            first = seen.setdefault((label, stem), path)
            if first != path:
                raise DatasetError(
                    f"{first} and {path}: two clips with one name; give each clip of {label} its own name"
                )
            clips.append(_clip(path, label, row))
    if rows:
        row = next(iter(rows.values()))
        files = "1 file" if len(rows) == 1 else f"{len(rows)} files"
        wrong(
            DatasetError(
                f"{row.where}: {files} of this table not found below {folder}, the first is {row['file']}; "
                "bring them back or drop their rows"
            )
        )
    return clips


def relative_name(path: Path, folder: Path) -> str:
    """The name of a clip or recording in tables and splits: its path below `folder`, with forward slashes."""
    return path.relative_to(folder).as_posix()


def labels_of(clips: Iterable[Clip]) -> list[str]:
    """The labels that clips have, sorted; background is none."""
    return sorted({clip.label for clip in clips} - {BACKGROUND})


def _audio_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {what}; wanted {LAYOUT}")
    paths = sorted(audio.find(folder))
    if not paths:
        raise DatasetError(f"{folder}: no audio in it; wanted {LAYOUT}")
    return paths


def _manifest(folder: Path) -> dict[str, Row]:
    """The rows about files below `folder`, by their path relative to it."""
    root = Path(os.path.normpath(folder.absolute()))  # not resolve(): a linked folder has its manifest beside the link
    home = next((home for home in (root, root.parent) if (home / MANIFEST).is_file()), None)
    rows: dict[str, Row] = {}
    if home is None:
        return rows
    for row in read_rows(home / MANIFEST, ("file", "label", "recording_id")):
        path = Path(os.path.normpath(home / row["file"]))
        if not path.is_relative_to(root):
            continue
        name = path.relative_to(root).as_posix()
        if name in rows:
            raise DatasetError(
                f"{row.where}: {row['file']} is listed already in line {rows[name].line}; a clip has one row"
            )
        rows[name] = row
    return rows


def _clip(path: Path, label: str, row: Row | None) -> Clip:
    if row is None:
        return Clip(path, label, f"{label}/{path.stem}")
    if row["label"] != label:
        raise DatasetError(
            f"{row.where}: the label is {row['label']} but the clip lies in {label}/; make the two agree"
        )
    confidence = row.get("confidence") or "A"
    if confidence not in CONFIDENCES:
        raise DatasetError(f"{row.where}: confidence is {confidence!r}; wanted one of {', '.join(CONFIDENCES)}")
    return Clip(path, label, row["recording_id"], row.get("source"), row.get("licence"), confidence)
