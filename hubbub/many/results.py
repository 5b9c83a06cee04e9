"""A folder of results: one table a recording, all of them in one, what failed, and a record of what each was made of.

    OUT/events/NAME.tsv   the events of one recording, at its path below the folder that was given
    OUT/events.tsv        all of them, written when the batch is through
    OUT/errors.tsv        what failed and why, written with it
    OUT/record.jsonl      a line a recording: its size and time, and what it was heard with
    OUT/.lock             held while a batch runs

A result is written beside its place and renamed, and then recorded; what is not in the record is made anew. So a batch
may be killed at any moment: the one that takes it up ends with the same bytes as one that nobody disturbed.
"""

import errno
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import hubbub
from hubbub import annotations, files
from hubbub.annotations.columns import COLUMNS
from hubbub.detector import Detector
from hubbub.errors import AnnotationError, ConfigError
from hubbub.many.crew import Heard

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Errors of writing that are not one recording's fault: the batch stops."""
HALF = re.compile(r"\..{1,40}\.[0-9a-f]{12}\.part", re.DOTALL)
"""The name of a file that `files.replacing` was writing when its process was killed."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Stat:
    """What a recording is known by, that it is not read for: bytes, and when it was last written to, in nanoseconds."""

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "Stat | None":
        """None where there is no such file."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


class Results:
    """The folder, held by `with`, which raises `ConfigError` where another batch holds it or it cannot be written."""

    def __init__(self, folder: Path, detector: Detector, digest: str) -> None:
        self.folder = folder
        rules = dict(zip(detector.labels, map(asdict, detector.rules), strict=False))
        self._made_with: Row = {"detector": digest, "rules": rules}
        self._key = sha256(json.dumps(self._made_with, sort_keys=True).encode()).hexdigest()[:16]
        self._makers: dict[str, Row] = {}
        self._rows: dict[str, Row] = {}

    def __enter__(self) -> Self:
        foreign = [name for name in ("events.tsv", "errors.tsv", "events") if (self.folder / name).exists()]
        if foreign and not self._record.exists():
            raise ConfigError(f"{self.folder}: holds {foreign[0]}, and no batch wrote it; choose another folder")
        files.make_folder(self.folder, ConfigError)
        self._held = _held(self.folder / ".lock")
        files.check_writable(self._record, ConfigError)
        for left in [*self.folder.glob(".*.part"), *(self.folder / "events").rglob(".*.part")]:
            if HALF.fullmatch(left.name):
                left.unlink(missing_ok=True)
        self._read_record()
        with _writing(self._record):
            self._journal: IO[bytes] = self._record.open("ab")
            if self._journal.tell():
                self._journal.write(b"\n")  # the last line may be a half one
        if self._key not in self._makers:
            self._write_line({"key": self._key, "hubbub": hubbub.__version__, **self._made_with})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()
        self._held.truncate(0)
        self._held.close()

    def holds(self, name: str, stat: Stat) -> bool:
        """Whether the recording, as it is now, was heard with this detector, and what came of it is there."""
        row = self._rows.get(name)
        if row is None or (row["size"], row["modified"], row["with"]) != (stat.size, stat.modified, self._key):
            return False
        if "error" in row:
            return True
        table = Stat.of(self.table(name))
        return table is not None and table.size == row["bytes"]

    def error(self, name: str) -> str | None:
        """Why there is no result of a recording that the record holds; None where there is one."""
        return self._rows[name].get("error")

    def table(self, name: str) -> Path:
        """Where the events of a recording are."""
        return self.folder / "events" / f"{annotations.below(name)}.tsv"

    def add(self, name: str, stat: Stat | None, heard: Heard) -> str | None:
        """Writes what came of a recording, known by `stat` before it was heard; returns what failed, on one line.

        Raises `ConfigError` where nothing more can be written.
        """
        failed = None if heard.error is None else _on_one_line(heard.error)
        if failed is None:
            try:
                written = self._write_table(name, heard)
            except AnnotationError as error:
                failed = _on_one_line(str(error))
        if failed is not None:
            with _writing(self.folder):
                self._remove(name)
        if stat is None:  # there is no such file: nothing to know it by
            self._rows[name] = {"error": failed}
            return failed
        row: Row = {"name": name, "size": stat.size, "modified": stat.modified, "with": self._key}
        row |= {"bytes": written, "duration": heard.duration} if failed is None else {"error": failed}
        self._write_line(row)
        return failed

    def finish(self, names: Sequence[str]) -> None:
        """Writes the table of all events and that of errors, of the recordings of this batch, and the record in order.

        `names` are sorted, and all of them were added or held. Raises `ConfigError` where they cannot be written.
        """
        with files.replacing(self.folder / "events.tsv", ConfigError) as beside, beside.open("wb") as whole:
            whole.write("\t".join(COLUMNS).encode() + b"\n")
            for name in names:
                if self.error(name) is None:
                    with self.table(name).open("rb") as table:
                        table.readline()
                        whole.writelines(table)
        failed = [(_on_one_line(name), error) for name in names if (error := self.error(name)) is not None]
        lines = ["filename\terror", *("\t".join(each) for each in failed)]
        files.write_text(self.folder / "errors.tsv", "".join(f"{line}\n" for line in lines), ConfigError)
        self._sort_record()

    @property
    def _record(self) -> Path:
        return self.folder / "record.jsonl"

    def _write_table(self, name: str, heard: Heard) -> int:
        """Bytes written. Raises `AnnotationError` where the name is at fault, `ConfigError` where the disk is."""
        text = StringIO()
        annotations.write(text, {name: heard.events})
        try:
            content = text.getvalue().encode()
        except UnicodeEncodeError as error:
            raise AnnotationError(f"cannot be written: {name!r} is no Unicode text; rename it") from error
        path = self.table(name)
        try:
            files.make_folder(path.parent, AnnotationError)
            files.write_text(path, text.getvalue(), AnnotationError)
        except AnnotationError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_PLACE:
                raise ConfigError(str(error)) from error
            raise
        return len(content)

    def _remove(self, name: str) -> None:
        """What an earlier batch found in what is now broken."""
        if name in self._rows and "bytes" in self._rows[name]:
            self.table(name).unlink(missing_ok=True)

    def _read_record(self) -> None:
        if not self._record.exists():
            return
        with _writing(self._record), self._record.open("rb") as file:
            for line in file:
                try:
                    self._take(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    continue  # a half line, where a batch was killed

    def _take(self, row: Row) -> None:
        if "name" in row:
            if not {"size", "modified", "with"} <= set(row) or not {"bytes", "error"} & set(row):
                raise KeyError("a half row")
            self._rows[row["name"]] = row
        else:
            self._makers[row["key"]] = row

    def _write_line(self, row: Row) -> None:
        self._take(row)
        with _writing(self._record):
            self._journal.write(json.dumps(row).encode() + b"\n")
            self._journal.flush()

    def _sort_record(self) -> None:
        """Each line once, in order: what a batch that nobody disturbed leaves."""
        rows = [row for _, row in sorted(self._rows.items()) if "name" in row]
        used = {row["with"] for row in rows} | {self._key}
        makers = [row for key, row in sorted(self._makers.items()) if key in used]
        text = "".join(json.dumps(row) + "\n" for row in [*makers, *rows])
        files.write_text(self._record, text, ConfigError)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from error


def _held(path: Path) -> IO[str]:
    """The lock, held until it is closed; the system lets go of it when the process ends, however it does."""
    with _writing(path):
        file = path.open("a+", encoding="utf-8")
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOTSUP):  # a network folder without locks
            return file
        file.seek(0)
        who = file.read().strip() or "unknown"
        file.close()
        raise ConfigError(
            f"{path.parent}: another batch writes here (process {who}); wait for it, or choose another folder"
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()} on {platform.node()}\n")
    file.flush()
    return file


def _on_one_line(text: str) -> str:
    """As a field of a table: bytes that are no text as such, line ends and tabs as blanks."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())
