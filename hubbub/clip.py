"""One answer for a whole recording: the mean of what a clip detector says of its consecutive windows.

A clip detector's graph hears some seconds at once. A longer recording is cut into windows of that length, the last one
shorter, and the windows' probabilities are averaged, each weighted by its length: a second counts as much as any other,
so a last window that is very short counts by what it holds. In memory there is a window and the block it is cut from.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from hubbub.model import Model
from hubbub.stream import checked


def label_blocks(model: Model, blocks: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.float32], int]:
    """(probabilities, n_samples) of a recording that comes in blocks of mono samples, shapes (n_samples,).

    The probabilities have the shape (1, n_labels), or (0, n_labels) where there are no samples at all.

    Raises `AudioError` for samples that are not finite, not float or not one-dimensional, `DetectorError` where the
    graph does not give probabilities.
    """
    length = model.metadata.clip
    assert length is not None, "the model is one of clips"
    total, n_samples = np.zeros(len(model.metadata.labels)), 0
    for window in windows(blocks, length):
        total += len(window) * model.run_clip(window).astype(np.float64)
        n_samples += len(window)
    mean = total[np.newaxis] / n_samples if n_samples else total[np.newaxis][:0]
    return mean.astype(np.float32), n_samples


def windows(blocks: Iterable[NDArray[np.float32]], length: int) -> Iterator[NDArray[np.float32]]:
    """The same samples in windows of `length` samples; the last one holds what is left, and none is empty."""
    waiting: list[NDArray[np.float32]] = []  # less than a window
    n_waiting = n_before = 0
    for block in blocks:
        samples = checked(block, n_before)
        n_before += len(samples)
        while n_waiting + len(samples) >= length:
            missing = length - n_waiting
            yield np.concatenate([*waiting, samples[:missing]])
            samples, waiting, n_waiting = samples[missing:], [], 0
        if len(samples):
            waiting.append(samples.copy())  # the block need not stay
            n_waiting += len(samples)
    if waiting:
        yield np.concatenate(waiting)
