"""A batch: what is not in the folder of results yet is heard, and written as it comes."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import hubbub
from hubbub.batch import Recording
from hubbub.console import Reporter
from hubbub.detector import Detector
from hubbub.many import child, engines
from hubbub.many.crew import Heard, Order
from hubbub.many.results import Results, Stat


@dataclass(frozen=True)
class Work:
    """How a batch is done: on which engine, at which address, how many recordings at once, whether what failed before
    is tried again, on which device, and at which thresholds (as in `Order`)."""

    engine: str = "joblib"
    address: str | None = None
    jobs: int = 1
    retry: bool = False
    device: str = "cpu"
    thresholds: float | tuple[tuple[str, float], ...] | None = None
    module: str = "hubbub.many.child"


@dataclass(frozen=True)
class Summary:
    """How many recordings were heard now and were there before, how many of either failed, and the seconds of audio
    that were heard in so many seconds."""

    done: int
    before: int
    failed: int
    failed_before: int
    seconds: float
    took: float

    def __str__(self) -> str:
        heard = f"{self.done} recording{'' if self.done == 1 else 's'} done"
        if self.before:
            heard += f", {self.before} before"
        failed = self.failed + self.failed_before
        if failed:
            heard += f", {failed} failed" + (f", {self.failed_before} of them before" if self.failed_before else "")
        if not self.seconds:
            return heard
        speed = f"{self.seconds / self.took:.0f} times faster than real time"
        return f"{heard}; {_hours(self.seconds)} of audio in {self.took:.1f} s, {speed}"


def run(detector: Detector, chosen: Sequence[Recording], out: Path, work: Work, reporter: Reporter) -> Summary:
    """Hears the recordings, sorted by name, whose results are not in `out`; writes the tables when all are through.

    `detector` has the thresholds of `work`. Raises `ConfigError` where `out` cannot be used or an engine is not there,
    `HubbubError` where a cluster fails; what was finished is kept then, as after a kill.
    """
    engines.check(work.engine, work.address)
    digest = child.digest(detector.path)
    path = str(detector.path if work.engine == "joblib" else detector.path.resolve())
    order = Order(digest=digest, detector=path, thresholds=work.thresholds, device=work.device,
                  version=hubbub.__version__, module=work.module)  # fmt: skip
    started, seconds = time.perf_counter(), 0.0
    done = failed = 0
    with Results(out, detector, digest) as results:
        stats = {recording.name: Stat.of(recording.path) for recording in chosen}
        todo: dict[str, str] = {}
        tables: dict[Path, str] = {}
        failed_before = 0
        for recording in chosen:
            name, stat = recording.name, stats[recording.name]
            first = tables.setdefault(results.table(name), name)
            if first != name:
                failed += 1
                wrong = f"{recording.path}: its table would lie where that of {first} does; hear it into another folder"
                reporter.error(results.add(name, None, Heard(error=wrong)) or wrong)
            elif stat is None or not results.holds(name, stat) or (work.retry and results.error(name) is not None):
                todo[name] = str(recording.path)
            elif results.error(name) is not None:
                failed_before += 1
        before = len(chosen) - len(todo) - failed - failed_before
        with reporter.bar("detecting") as tick:
            waiting = _Waiting({name: stat.size if (stat := stats[name]) else 0 for name in todo})

            def show() -> None:
                words = f"MB, {done} of {len(todo)} recordings" + (f", {failed} failed" if failed else "")
                tick(round(waiting.done / 1e6), round(waiting.total / 1e6), words)

            def progress(name: str, part: float) -> None:
                waiting.part(name, part)
                show()

            with closing(engines.hear(order, todo, work.engine, work.address, work.jobs, progress)) as coming:
                for name, heard in coming:
                    error = results.add(name, stats[name], heard)
                    if error is not None:
                        failed += 1
                        reporter.error(error)
                    else:
                        done += 1
                        seconds += heard.duration
                    waiting.part(name, 1.0)
                    show()
        results.finish([recording.name for recording in chosen])
    return Summary(done, before, failed, failed_before, seconds, time.perf_counter() - started)


class _Waiting:
    """How many bytes of recordings there are to hear, and how many were heard; a time is estimated from it that
    needs no look into any."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self._parts: dict[str, float] = {}
        self._lock = Lock()
        self.total = sum(sizes.values())
        self.done = 0.0

    def part(self, name: str, part: float) -> None:
        """So much of a recording is heard, from 0 to 1."""
        with self._lock:
            self.done += self._sizes[name] * (part - self._parts.get(name, 0.0))
            self._parts[name] = part


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.1f} s"
