"""Child processes that read and listen, a recording each at a time; one that dies costs its recording and is replaced.

A damaged recording can crash a decoder, which is C; no `except` holds that. So decoding runs in children, and who
waits for them stays alive: on this machine a thread a child, on a cluster the worker that joblib feeds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from tempfile import TemporaryFile
from threading import Event as Flag
from threading import Lock, Timer
from typing import Any

from hubbub.errors import ConfigError
from hubbub.events import Event

STARTING = 300.0
"""Seconds in which a child starts on any machine."""
STALLED = 600.0
"""Seconds in which a child listens to half a minute of audio on any machine; from then on it counts as hanging."""
Part = Callable[[float], None]
"""Told which part of a recording is done, from 0 to 1."""


@dataclass(frozen=True)
class Order:
    """What a crew listens with: the path of the detector, its digest, thresholds as the command line has them (a number
    for all labels, pairs of label and number, or none), the device, the version of hubbub that wants it so. `module` is
    what the children run."""

    detector: str
    digest: str
    thresholds: float | tuple[tuple[str, float], ...] | None
    device: str
    version: str
    module: str = "hubbub.many.child"


@dataclass(frozen=True)
class Heard:
    """What came of one recording: its events and duration in seconds, or the line that says why there is nothing."""

    events: tuple[Event, ...] = ()
    duration: float = 0.0
    error: str | None = None


class _Died(Exception):
    """The child is gone; says how."""


class Crew:
    """Hears recordings, as many at once as threads call it; each call has a child process for itself."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._lock = Lock()
        self._closed = Flag()

    def hear(self, path: str, part: Part | None = None) -> Heard:
        """The events of a recording. What is wrong with it, a crash or a hang included, is in what is returned.

        Raises `ConfigError` where no child can be started that has the detector.
        """
        child = self._take()
        try:
            heard = child.hear(path, part)
        except _Died as end:
            self._forget(child)
            return Heard(error=f"{path}: {end}")
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(child)
                return heard
        self._forget(child)
        return heard

    def close(self) -> None:
        """Ends all children, also those that listen; `hear` is not to be called again."""
        with self._lock:
            self._closed.set()
            idle, self._idle = self._idle, []
            busy = self._all - set(idle)
        for child in busy:
            child.kill()  # whoever waits for it lets it go
        for child in idle:
            self._forget(child)

    def _take(self) -> "_Child":
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                break
            if child.lives():
                return child
            self._forget(child)  # it died with nothing to do
        if self._closed.is_set():
            raise ConfigError("the batch was stopped")
        child = _Child(self._order)
        with self._lock:
            self._all.add(child)
            if self._closed.is_set():
                child.kill()
        try:
            child.wait_until_ready()
        except ConfigError:
            self._forget(child)
            raise
        return child

    def _forget(self, child: "_Child") -> None:
        with self._lock:
            self._all.discard(child)
        child.end()


class _Child:
    """One child process."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._said = TemporaryFile()  # noqa: SIM115  what it says until it is ready, when it falls silent
        self._stalled = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", order.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the modules that are here
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise ConfigError(f"no process can be started to listen in: {error.strerror or error}") from error

    def wait_until_ready(self) -> None:
        """Returns when it has the detector. Raises `ConfigError` where it cannot have it."""
        try:
            self._say(asdict(self._order))
            answer = self._answer(STARTING)
        except _Died as end:
            self._said.seek(0)
            last = self._said.read().decode("utf-8", "replace").strip().rpartition("\n")[2] or str(end)
            raise ConfigError(f"the process to listen in does not start: {last}") from end
        finally:
            self._said.close()
        if "refused" in answer:
            raise ConfigError(answer["refused"])

    def hear(self, path: str, part: Part | None) -> Heard:
        """Raises `_Died`."""
        self._say(path)
        while "events" not in (answer := self._answer(STALLED)):
            if part is not None and answer["of"]:
                part(min(1.0, answer["seconds"] / answer["of"]))
        events = tuple(Event(*fields) for fields in answer["events"])
        return Heard(events, answer["duration"], answer["error"])

    def lives(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kills it; another thread may be waiting for its answer."""
        self._process.kill()

    def end(self) -> None:
        """Kills it and lets go of it; nobody is waiting for it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # of what was not sent any more
                pipe.close()

    def _say(self, what: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise _Died(self._how_it_ended()) from error

    def _answer(self, within: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        watchdog = Timer(within, self._stop_stalled)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line.endswith("\n"):
            raise _Died(self._how_it_ended())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _stop_stalled(self) -> None:
        self._stalled = True
        self._process.kill()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # it has closed its end and lives on
            self._process.kill()
            code = self._process.wait()
        if self._stalled:
            return f"the decoder hangs: nothing came of it for {STALLED:g} s; leave it out, or convert it first"
        if code == -9:
            return (
                "the decoder was killed (signal 9), most likely for want of memory; free some, or split the recording"
            )
        what = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"the decoder crashed ({what}); leave it out, or convert it first"
