"""Files appear whole or not at all: they are written beside their place and renamed.

A run that is killed leaves what was there before, never half a file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from hubbub.errors import HubbubError


@contextmanager
def replacing(path: Path, error: type[HubbubError]) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all went well; else nothing is left of it.

    Where `path` is a link, what it points to is replaced. A pipe or a device is itself the path to write to, as a file
    must not take its place. Raises `error` as `check_writable` does, and for an `OSError` while it is written.
    """
    check_writable(path, error)
    target = _behind_link(path)
    beside = target.with_name(f".{target.name[:40]}.{uuid4().hex[:12]}.part")
    if _in_place(path, target):
        beside = target = path
    try:
        yield beside
        if beside != target:
            beside.replace(target)
    except OSError as reason:
        raise error(f"{path}: cannot be written: {reason.strerror or reason}") from reason
    finally:
        if beside != target:
            beside.unlink(missing_ok=True)


def write_text(path: Path, text: str, error: type[HubbubError]) -> None:
    """Writes a file of UTF-8 text, its line ends as they are. Raises `error` as `replacing` does."""
    with replacing(path, error) as beside:
        beside.write_text(text, encoding="utf-8", newline="")


def check_writable(path: Path, error: type[HubbubError]) -> None:
    """Raises `error` where a file at `path` is known not to be writable, so that it is told before the work."""
    try:
        target = _behind_link(path)
        if path.is_dir():
            reason = "it is a folder; wanted the name of a file"
        elif _in_place(path, target):
            reason = "" if os.access(path, os.W_OK) else "no permission to write to it"
        elif not target.parent.is_dir():
            reason = f"there is no folder {target.parent}"
        else:
            reason = "" if os.access(target.parent, os.W_OK) else f"no permission to write in {target.parent}"
    except OSError as found:  # a name too long, a folder that may not be looked into
        reason = found.strerror or str(found)
    if reason:
        raise error(f"{path}: cannot be written: {reason}")


def make_folder(path: Path, error: type[HubbubError]) -> None:
    """Makes a folder and those above it. Raises `error` where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise error(f"{path}: cannot be made: {reason.strerror or reason}; choose another folder") from reason


def _behind_link(path: Path) -> Path:
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _in_place(path: Path, target: Path) -> bool:
    """Whether `path` is a pipe or a device, perhaps by a link to an open file, such as standard output's name."""
    return path.exists() and not target.is_file()
