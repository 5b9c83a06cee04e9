"""A recording heard in stretches, several at once: bit for bit what one stream hears in the same blocks.

A network of convolutions sees a bounded stretch of the past. Whoever begins a stretch hears the last run of the graph
before it first, whose samples and length are the stream's; then its state is the stream's, and so is all that follows.
What that costs is one run in ten or so; what it brings is that no core waits.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from hubbub.model import Model
from hubbub.stream import ProbabilityStream

BLOCKS = 2
"""Blocks in a stretch: of longer ones less is heard twice, and more wait in memory for their turn."""


def hear(model: Model, blocks: Iterable[NDArray[np.float32]]) -> Iterator[tuple[NDArray[np.float32], int]]:
    """What a `ProbabilityStream` gives for each block, and last what its `close` gives, with the samples of each.

    Bit for bit, in order, `model.lanes` stretches at a time. Raises as a stream does.
    """
    if model.lanes > 1 and model.forgets:
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


def _at_once(model: Model, blocks: Iterable[NDArray[np.float32]]) -> Iterator[tuple[NDArray[np.float32], int]]:
    with ExitStack() as stack:
        lanes = deque(ThreadPoolExecutor(1) for _ in range(model.lanes))  # what one is told, it does in turn
        for lane in lanes:
            stack.callback(lane.shutdown, cancel_futures=True)
        most = BLOCKS * (model.lanes + 1)
        at_work: deque[tuple[Future[NDArray[np.float32]], int]] = deque()
        stream = ProbabilityStream(model)
        before, n_before, n_here = np.zeros(0, np.float32), 0, 0
        for block in blocks:
            if n_here >= BLOCKS and (end := stream.end_of(before, n_before)) is not None:
                stream, n_here = ProbabilityStream(model), 0
                lanes.rotate(-1)
                at_work.append((lanes[0].submit(_taken_up, stream, *end, n_before, block), len(block)))
            else:
                at_work.append((lanes[0].submit(stream.push, block), len(block)))
            before, n_before, n_here = block, n_before + len(block), n_here + 1
            while len(at_work) >= most:
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
