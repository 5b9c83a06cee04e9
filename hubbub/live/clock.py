"""Which time of day a second of a stream was."""

import math
from datetime import UTC, datetime

WINDOW = 60.0
"""Seconds in which the sound card's clock and the day's may be taken as one."""


class Clock:
    """Seconds of a stream ↔ time of day.

    Audio arrives late by what varies, never early: so of the blocks of the last minute or two the one that came soonest
    tells. The two clocks drift apart by seconds a day, and the day's may be set: a minute or two later it is followed.
    """

    def __init__(self) -> None:
        self._began = -math.inf
        self._best = self._best_before = math.inf  # the least that time of day was ahead of the stream

    def heard(self, seconds: float, at: float) -> None:
        """The sound up to `seconds` of the stream had arrived at the time `at`, as `time.time` has it."""
        if abs(at - self._began) > WINDOW:
            self._best_before = math.inf if math.isinf(self._began) else self._best
            self._best, self._began = math.inf, at
        self._best = min(self._best, at - seconds)

    def time(self, seconds: float) -> datetime | None:
        """When `seconds` of the stream were, in local time; None where nothing was heard yet."""
        start = min(self._best, self._best_before)
        return None if math.isinf(start) else datetime.fromtimestamp(start + seconds, UTC).astimezone()
