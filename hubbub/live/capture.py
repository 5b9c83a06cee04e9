"""Audio is taken in a thread of its own, so that none is lost while a detector is at work.

What is not fetched yet waits in a queue of a few seconds. When it is full, a source that can wait is made to wait. One
that cannot, as time does not, loses what is in the queue: all of it at once, since a detector that is behind is only
helped by work that it need not do, and what is told is then about now again.
"""

import time
from collections import deque
from threading import Condition, Thread
from threading import Event as Flag
from types import TracebackType
from typing import Self

from hubbub.live.sources import Block, Item, Lost, Source

LONGEST = 4.0
"""Seconds of audio that wait at most."""
LAST_WORDS = 1.0
"""Seconds that a source has to end."""


class Capture:
    """Runs a source; a context manager. `live`: it cannot wait, and each block is stamped with its time of arrival.

    `longest`: seconds that wait at most.
    """

    def __init__(self, source: Source, live: bool, longest: float = LONGEST) -> None:
        self._source = source
        self._live = live
        self._longest = longest
        self._items: deque[tuple[Item, float]] = deque()
        self._waiting = 0.0  # seconds of audio in the queue
        self._ended = False
        self._error: BaseException | None = None
        self._changed = Condition()
        self._stop = Flag()
        self._thread = Thread(target=self._run, name="hubbub capture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(LAST_WORDS)  # one that waits for a pipe is left to itself

    def fetch(self, timeout: float) -> list[tuple[Item, float]] | None:
        """All that waits, each item with the time (as `time.time` has it) when it came; at most `timeout` seconds are
        waited for something. None when the source has ended; raises what it raised, when all else was fetched."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended, timeout)
            items = list(self._items)
            self._items.clear()
            self._waiting = 0.0
            self._changed.notify_all()
            if items or not self._ended:
                return items
        if self._error is not None:
            raise self._error
        return None

    def _run(self) -> None:
        try:
            for item in self._source.items(self._stop):
                self._put(item)
                if self._stop.is_set():
                    break
        except BaseException as error:  # raised where it is fetched
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, item: Item) -> None:
        seconds = item.seconds if isinstance(item, Block) else 0.0
        with self._changed:
            if not self._live:
                self._changed.wait_for(lambda: not self._items or self._waiting < self._longest or self._stop.is_set())
            elif self._waiting + seconds > self._longest and self._items:
                lost = sum(each.seconds for each, _ in self._items)
                self._items.clear()
                self._items.append((Lost(lost, overload=True), time.time()))
                self._waiting = 0.0
            self._items.append((item, time.time()))
            self._waiting += seconds
            self._changed.notify_all()
