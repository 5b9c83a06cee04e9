"""Folders of label files: many files read as one table, and a table written as a file for each recording."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from hubbub import files
from hubbub.annotations.formats import Format, Rankings
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

Read = Callable[[Path, str], dict[str, list[Event]]]
"""Reads a label file; the second argument names the recording where the file does not."""
Wrong = Callable[[AnnotationError], None]


def stop(error: AnnotationError) -> None:
    """Raises what went wrong."""
    raise error


def label_files(folder: Path, suffixes: Iterable[str]) -> Iterator[Path]:
    """The files below a folder that end like label files, sorted; hidden ones are none. Raises `AnnotationError`."""
    if not folder.is_dir():
        raise AnnotationError(f"{folder}: is no folder; wanted one with label files")
    endings = tuple(suffixes)
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.lower().endswith(endings) and not hidden and path.is_file():
            yield path


def read_files(
    folder: Path, paths: Iterable[Path], read: Read, stem: Callable[[Path], str], known: Iterable[str], wrong: Wrong
) -> dict[str, list[Event]]:
    """Events by recording. A file that does not name its recording is about that of `known` which has its path but
    for the suffix, or else about one called by its own path without suffix."""
    by_stem = {PurePosixPath(name).with_suffix("").as_posix(): name for name in known}
    table: dict[str, list[Event]] = {}
    owner: dict[str, Path] = {}
    for path in paths:
        called = (path.relative_to(folder).parent / stem(path)).as_posix()
        try:
            found = read(path, by_stem.get(called, called))
            twice = next((name for name in found if name in owner), None)
            if twice is not None:
                raise AnnotationError(f"{path}: is about {twice}, as {owner[twice]} is; wanted one file for each")
        except AnnotationError as error:
            wrong(error)
            continue
        table |= found
        owner |= dict.fromkeys(found, path)
    return table


def write_files(
    folder: Path,
    table: EventTable,
    form: Format,
    write: Callable[[Path, EventTable, Rankings | None], None],
    rankings: Rankings | None,
    wrong: Wrong,
) -> list[Path]:
    """A file for each recording, at its name below `folder` with the format's suffix for its own; returns the paths."""
    owner: dict[Path, str] = {}
    for name in sorted(table):
        path = folder / f"{_without_suffix(below(name))}{form.suffixes[0]}"
        try:
            if path in owner:
                raise AnnotationError(f"{path}: is the place of {owner[path]} and of {name}; rename one of them")
            files.make_folder(path.parent, AnnotationError)
            write(path, {name: table[name]}, rankings)
            owner[path] = name
        except AnnotationError as error:
            wrong(error)
    return list(owner)


def below(name: str) -> str:
    """A recording's name as a path that stays below a folder: of an absolute one, or one that leads upwards."""
    parts = PurePosixPath(name.replace("\0", "_")).parts
    return "/".join("__" if part == ".." else part for part in parts if part != "/") or "_"


def _without_suffix(name: str) -> str:
    """`a.wav` is `a`; what follows the point of `2024.05.01 forest` is no suffix."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix[1:].isalnum() and len(path.suffix) <= 5 else name
