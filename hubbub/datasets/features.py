"""Features computed once: `.npy` files under a key of what went in, read back memory-mapped.

The key says everything that the features depend on, so a cache never has to be told that it is stale: another
configuration or another sound has another key.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import DatasetError
from hubbub.files import replacing

try:
    from joblib import Parallel, delayed
except ImportError:  # it comes with the extra `train`; one process does without
    Parallel = None

Array = NDArray[Any]
Compute = Callable[[], Array]
Progress = Callable[[int, int], None]
Jsonable = str | int | float | bool | None | Sequence[Any] | dict[str, Any]

READ_AT_ONCE = 1 << 20


def key_of(*parts: Jsonable) -> str:
    """A key of configuration and content, 64 hexadecimal digits: SHA-256 of the parts as JSON with sorted keys.

    Raises `TypeError` for a part that JSON cannot hold, `ValueError` for NaN and infinity: they have no one spelling.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read again only where its size or time of change differ from the last call.

    Raises `DatasetError` where it cannot be read.
    """
    try:
        status = path.stat()
        return _content_hash(path.absolute(), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=100_000)
def _content_hash(path: Path, size: int, mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class FeatureCache:
    """Arrays in `folder`, which is made when the first one is written.

    Several processes may share a folder: files are written beside and renamed.
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Where the array of `key` lies, or will."""
        return self.folder / f"{key}.npy"

    def load(self, key: str) -> Array | None:
        """The array of `key`, memory-mapped and read-only; None where there is none or its file is broken.

        Each array holds a file open for as long as it lives: load those you need, not all.
        """
        try:
            array = np.load(self.path(key), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):  # absent, cut short, or not an array: all cured by computing it
            return None
        return array if isinstance(array, np.ndarray) else None

    def get(self, key: str, compute: Compute) -> Array:
        """The array of `key`, memory-mapped and read-only; computed first where there is none.

        Raises `DatasetError` where the folder cannot be written, `ValueError` for an array of objects.
        """
        array = self.load(key)
        if array is None:
            self._write(key, compute())
            array = self.load(key)
        if array is None:
            raise DatasetError(f"{self.path(key)}: written and gone again; is something else clearing the cache?")
        return array

    def fill(self, jobs: Sequence[tuple[str, Compute]], progress: Progress | None = None, n_jobs: int = 1) -> int:
        """Compute what is missing of `jobs`, pairs of a key and what computes it; returns how many were missing.

        `progress(done, total)` is called once before and after each of the missing. With `n_jobs` other than 1 they
        run in joblib's processes (-1: one a core). Arrays already written stay when the run is stopped.
        """
        missing = {key: compute for key, compute in jobs if self.load(key) is None}
        done, total = 0, len(missing)
        if progress is not None:
            progress(done, total)
        if n_jobs == 1 or total < 2:
            finished = (_compute_into(self, key, compute) for key, compute in missing.items())
        elif Parallel is None:
            raise DatasetError(f"{n_jobs} jobs need joblib: pip install 'hubbub[train]', or take one job")
        else:
            parallel = Parallel(n_jobs=n_jobs, return_as="generator")
            finished = parallel(delayed(_compute_into)(self, key, compute) for key, compute in missing.items())
        with warnings.catch_warnings():
            # joblib replaces a worker that has grown, and says so; nothing is lost
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
            for _ in finished:
                done += 1
                if progress is not None:
                    progress(done, total)
        return total

    def _write(self, key: str, array: Array) -> None:
        if array.dtype.hasobject:
            raise ValueError("features are numbers; an array of objects would need pickle")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f"{self.folder}: features cannot be written: {error.strerror or error}") from error
        with replacing(self.path(key), DatasetError) as beside, beside.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def _compute_into(cache: FeatureCache, key: str, compute: Compute) -> str:
    cache._write(key, compute())
    return key
