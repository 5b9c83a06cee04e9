"""A child of a crew with a reader that crashes, hangs or prints, by the name of the recording; it always tells how far
it is."""

import ctypes
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hubbub import audio
from hubbub.many import child

read = audio.blocks


def blocks(path: str | Path, sample_rate: int) -> Iterator[np.ndarray]:
    """The blocks of `read`, but for recordings whose names say something else."""
    name = Path(path).name
    if "crashes" in name:
        ctypes.string_at(0)  # as C does that follows a pointer which a damaged file has set
    if "hangs" in name:
        time.sleep(600)
    if "exits" in name:
        os._exit(3)
    if "surprises" in name:
        raise RuntimeError("nobody thought\nof this")
    if "prints" in name:
        os.write(1, b"[decoder] a note on standard output\n")
        os.write(2, b"[decoder] a warning on standard error\n")
    return read(path, sample_rate)


if __name__ == "__main__":
    child.LARGE = 0
    audio.blocks = blocks  # type: ignore[assignment]
    child.main()
