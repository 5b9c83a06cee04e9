"""A folder of annotated recordings: audio with the onsets and offsets of what sounds in it.

The labels lie in one table (`events.tsv`, `labels.tsv` or any one `.tsv` or `.csv` with the columns `filename onset
offset event_label`), whose filenames are relative to the folder or to `audio/` below it; or in a file of the same
stem beside each recording, or in `labels/` or `annotations/` below the folder. `recordings.csv` (`file,
recording_id`, and `source` where known) says which recordings belong together.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hubbub import annotations, audio
from hubbub.datasets.checks import Wrong, stop, told
from hubbub.datasets.clips import LAYOUT as CLIPS_LAYOUT
from hubbub.datasets.clips import MANIFEST, relative_name
from hubbub.datasets.tables import Row, read_rows, some
from hubbub.errors import AnnotationError, DatasetError
from hubbub.events import Event
from hubbub.grid import TIME_TOLERANCE

AUDIO = "audio"
RECORDINGS = "recordings.csv"
TABLES = ("events.tsv", "labels.tsv")
TABLE_COLUMNS = {"filename", "onset"}
LABEL_FOLDERS = ("labels", "annotations")
LABEL_SUFFIXES = (
    *(".txt", ".tsv", ".json", ".ann", ".lab", ".segments", ".TextGrid", ".eaf", ".svl", ".jams", ".rttm"),
    *(".labels.txt", ".selections.txt", ".Table.1.selections.txt", ".BirdNET.selection.table.txt"),
)
"""What a label file has for the suffix of its recording."""
LAYOUT = "recordings with a table events.tsv (filename onset offset event_label) or a label file of the same name each"


@dataclass(frozen=True)
class AnnotatedRecording:
    """One recording and what sounds in it; `name` is its path below the folder, with forward slashes, `duration` in
    seconds, `problems` sentences on what had to be put right."""

    path: Path
    name: str
    duration: float
    events: tuple[Event, ...]
    recording_id: str
    source: str | None = None
    problems: tuple[str, ...] = ()


def read_annotated(folder: Path, wrong: Wrong = stop) -> list[AnnotatedRecording]:
    """The recordings below `folder` with their events, sorted by name.

    Events that pass the end are cut there, and the recording's `problems` say so. A recording that `recordings.csv`
    does not list is a recording of its own.

    `wrong` is told of every error but those of the folder itself; the default raises it. Raises `DatasetError` where
    the folder is missing or has no audio, where recordings have no labels, where labels or `recordings.csv` name a
    recording that is not there; `AnnotationError` or `AudioError` for a file that cannot be read.
    """
    paths = _audio_below(folder)
    by_name = {relative_name(path, folder): path for path in paths}
    table = find_table(folder)
    events = _from_files(folder, by_name, wrong) if table is None else _from_table(table, by_name, wrong)
    rows: dict[str, Row] = {}
    with told(wrong):
        rows = _recordings(folder, by_name)
    recordings = []
    for name, path in sorted(by_name.items()):
        if name in events:
            with told(wrong):
                recordings.append(_recording(path, name, events[name], rows.get(name)))
    return recordings


def kind_of(folder: Path) -> Literal["clips", "annotated"]:
    """Which of the two layouts a folder has.

    Annotated: a table of events in it, or a label file for most of its recordings (for any, where recordings lie in
    the folder itself or in `audio/`). Clips: a manifest, or folders named after labels. Raises `DatasetError` where
    it is neither.
    """
    paths = _audio_below(folder)
    if find_table(folder) is not None:
        return "annotated"
    if (folder / MANIFEST).is_file():
        return "clips"
    loose = [path for path in paths if path.relative_to(folder).parts[0] in (AUDIO, path.name)]
    labelled = [path for path in paths if _label_files(folder, path)]
    if set(loose) & set(labelled) or 2 * len(labelled) > len(paths):
        return "annotated"
    if loose:
        raise DatasetError(f"{folder}: {loose[0].name} has no labels; wanted {LAYOUT}, or clips as {CLIPS_LAYOUT}")
    return "clips"


def find_table(folder: Path) -> Path | None:
    """The table of events in `folder`, if there is one. Raises `DatasetError` where it could be either of two."""
    candidates = sorted(path for path in folder.glob("*.[tc]sv") if _is_table(path))
    for name in TABLES:
        if folder / name in candidates:
            return folder / name
    if len(candidates) > 1:
        raise DatasetError(f"{candidates[0]} and {candidates[1]}: two tables of events; name the right one events.tsv")
    return candidates[0] if candidates else None


def _is_table(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return {name.strip() for name in header.replace(",", "\t").split("\t")} >= TABLE_COLUMNS


def _audio_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {what}; wanted {LAYOUT}, or clips as {CLIPS_LAYOUT}")
    paths = audio.find(folder)
    if not paths:
        raise DatasetError(f"{folder}: no audio in it; wanted {LAYOUT}, or clips as {CLIPS_LAYOUT}")
    return sorted(paths)


def _from_table(table: Path, by_name: Mapping[str, Path], wrong: Wrong) -> dict[str, list[Event]]:
    events: dict[str, list[Event]] = defaultdict(list)
    with told(wrong):  # a table that cannot be read says of no recording what sounds in it
        for filename, its_events in annotations.read(table).items():
            name = _named(filename, by_name)
            if name is not None:
                events[name].extend(its_events)
                continue
            wrong(
                DatasetError(
                    f"{table}: {filename} is not among the {len(by_name)} recordings; filenames are relative to "
                    f"{table.parent} or to {table.parent / AUDIO}"
                )
            )
        remedy = f"give each a row in {table.name}, empty but for its filename"
        _all_labelled(table.parent, set(events), by_name, remedy)
    return dict(events)


def _from_files(folder: Path, by_name: Mapping[str, Path], wrong: Wrong) -> dict[str, list[Event]]:
    events: dict[str, list[Event]] = {}
    owner: dict[Path, Path] = {}
    for name, path in by_name.items():
        with told(wrong):
            file = _only_label_file(folder, path, name)
            if file is None:
                continue
            other = owner.setdefault(file, path)
            if other != path:
                raise DatasetError(f"{other} and {path}: two recordings with one name share the labels {file}")
            events[name] = _own_events(file, path)
    labelled = {name for name, path in by_name.items() if _label_files(folder, path)}
    with told(wrong):
        _all_labelled(folder, labelled, by_name, "an empty label file says that nothing sounds")
    return events


def _only_label_file(folder: Path, path: Path, name: str) -> Path | None:
    files = _label_files(folder, path)
    if len(files) > 1:
        raise DatasetError(f"{files[0]} and {files[1]}: two label files for {name}; keep one")
    return files[0] if files else None


def _own_events(label_file: Path, path: Path) -> list[Event]:
    """The events of a label file that is about one recording, under whatever name it knows it."""
    table = annotations.read(label_file)
    if len(table) > 1:
        mine = [name for name in table if Path(name).name in (path.name, path.stem)]
        if len(mine) != 1:
            raise AnnotationError(f"{label_file}: names {len(table)} recordings; wanted the labels of {path.name} only")
        return list(table[mine[0]])
    return [event for events in table.values() for event in events]


def _label_files(folder: Path, path: Path) -> list[Path]:
    relative = path.relative_to(folder)
    below = relative.relative_to(AUDIO) if relative.parts[0] == AUDIO and len(relative.parts) > 1 else relative
    places = [path, *(folder / name / below for name in LABEL_FOLDERS)]
    files = [place.with_name(place.stem + suffix) for place in places for suffix in LABEL_SUFFIXES]
    return [file for file in files if file.is_file()]


def _all_labelled(folder: Path, labelled: set[str], by_name: Mapping[str, Path], remedy: str) -> None:
    bare = sorted(set(by_name) - labelled)
    if bare:
        have = "recording has" if len(bare) == 1 else "recordings have"
        raise DatasetError(f"{folder}: {len(bare)} of {len(by_name)} {have} no labels: {some(bare)}; {remedy}")


def _named(filename: str, by_name: Mapping[str, Path]) -> str | None:
    plain = Path(filename).as_posix()  # drops a leading ./
    return next((name for name in (plain, f"{AUDIO}/{plain}") if name in by_name), None)


def _recordings(folder: Path, by_name: Mapping[str, Path]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    if not (folder / RECORDINGS).is_file():
        return rows
    for row in read_rows(folder / RECORDINGS, ("file", "recording_id")):
        name = _named(row["file"], by_name)
        if name is None:
            raise DatasetError(f"{row.where}: {row['file']} is not among the {len(by_name)} recordings")
        if name in rows:
            raise DatasetError(f"{row.where}: {row['file']} is listed already in line {rows[name].line}")
        rows[name] = row
    return rows


def _recording(path: Path, name: str, events: Sequence[Event], row: Row | None) -> AnnotatedRecording:
    duration = audio.info(path).duration
    kept, problems = within(sorted(events), duration)
    recording_id = row["recording_id"] if row else Path(name).with_suffix("").as_posix()
    return AnnotatedRecording(path, name, duration, kept, recording_id, row.get("source") if row else None, problems)


def within(events: Sequence[Event], duration: float) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Events cut at the end of a recording of `duration` seconds, and a sentence for each that was cut."""
    kept, problems = [], []
    for event in events:
        if event.offset <= duration + TIME_TOLERANCE:
            kept.append(event)
        elif event.onset < duration:
            kept.append(replace(event, offset=duration))
            problems.append(f"{event.label} ends at {event.offset:.3f} s, past the end at {duration:.3f} s; cut there")
        else:
            problems.append(f"{event.label} begins at {event.onset:.3f} s, past the end at {duration:.3f} s; left out")
    return tuple(kept), tuple(problems)
