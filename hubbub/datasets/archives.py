"""The archives that a data set is published as: which of those at hand came over the network damaged."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A published file: its size in bytes and its MD5, 32 hexadecimal digits."""

    name: str
    size: int
    md5: str


def damaged(archives: Sequence[Archive], folders: Iterable[Path]) -> list[str]:
    """One sentence for each archive in one of `folders` that has the wrong size or checksum; others are not missed.

    Checksums are computed only where the size is right, in blocks.
    """
    paths = [(archive, folder / archive.name) for folder in folders for archive in archives]
    faults = [(path, _fault(path, archive)) for archive, path in paths if path.is_file()]
    return [f"{path}: {fault}; fetch it again" for path, fault in faults if fault]


def _fault(path: Path, archive: Archive) -> str:
    try:
        size = path.stat().st_size
        if size != archive.size:
            return f"has {size} bytes; wanted {archive.size}"
        digest = hashlib.md5(usedforsecurity=False)
        with path.open("rb") as file:
            while block := file.read(READ_AT_ONCE):
                digest.update(block)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    found = digest.hexdigest()
    return "" if found == archive.md5 else f"has the MD5 {found}; wanted {archive.md5}"
