"""A recording heard in stretches, several at once: bit for bit what one stream hears in the same blocks.

A network of convolutions sees a bounded stretch of the past. Whoever begins a stretch hears the last run of the graph
before it first, whose samples and length are the stream's; then its state is the stream's, and so is all that follows.
What that costs is one run in ten to twenty-five; what it brings is that no core waits.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from hubbub.model import Model
from hubbub.stream import ProbabilityStream

AHEAD = 6
"""Blocks in memory that were not heard yet. More would be more memory; fewer, and a lane waits for another."""

Heard = tuple[NDArray[np.float32], int]
"""Probabilities, shape (n_frames, n_labels), and the samples of the block that they came with."""


def hear(model: Model, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Heard]:
    """What a `ProbabilityStream` gives for each block, in order, and last what its `close` gives, with 0 samples.

    `model.lanes` stretches at a time. Raises as a stream does.
    """
    if model.lanes > 1:
        yield from _at_once(model, blocks)
        return
    stream = ProbabilityStream(model)
    for block in blocks:
        yield stream.push(block), len(block)
    yield stream.close(), 0


def cut(samples: NDArray[np.float32], length: int) -> Iterator[NDArray[np.float32]]:
    """The samples in blocks of `length`; the last one may be shorter."""
    for start in range(0, len(samples), length):
        yield samples[start : start + length]


def _at_once(model: Model, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Heard]:
    longest = max(1, (AHEAD - 2) // (model.lanes - 1))  # blocks in a stretch: so many that all lanes have some
    at_work: deque[tuple[Future[NDArray[np.float32]], int]] = deque()
    with ExitStack() as stack:
        lanes = deque(ThreadPoolExecutor(1) for _ in range(model.lanes))  # a lane does in turn what it is told
        for lane in lanes:
            stack.callback(lane.shutdown, cancel_futures=True)
        stream, n_stretches = ProbabilityStream(model), 1
        before, n_before, n_here = np.zeros(0, np.float32), 0, 0
        for block in blocks:
            full = n_here == min(n_stretches, longest)  # short ones first, for short recordings
            if full and model.forgets and (end := stream.end_of(before, n_before)) is not None:
                stream, n_stretches, n_here = ProbabilityStream(model), n_stretches + 1, 0
                lanes.rotate(-1)
                found = lanes[0].submit(_taken_up, stream, *end, n_before, block)
            else:
                found = lanes[0].submit(stream.push, block)
                n_here -= full  # it goes on, and ends where it can
            at_work.append((found, len(block)))
            before, n_before, n_here = block, n_before + len(block), n_here + 1
            while len(unheard := [each for each, _ in at_work if not each.done()]) >= AHEAD:
                wait(unheard, return_when=FIRST_COMPLETED)
            while at_work and at_work[0][0].done():
                found, n_samples = at_work.popleft()
                yield found.result(), n_samples
        at_work.append((lanes[0].submit(stream.close), 0))
        for found, n_samples in at_work:
            yield found.result(), n_samples


def _taken_up(
    stream: ProbabilityStream,
    run: NDArray[np.float32],
    waiting: NDArray[np.float32],
    n_before: int,
    block: NDArray[np.float32],
) -> NDArray[np.float32]:
    stream.take_up(run, waiting, n_before)
    return stream.push(block)
