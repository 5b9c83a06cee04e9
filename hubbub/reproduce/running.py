"""Many trainings from one call: several at once, one bar for all of them, each kept as soon as it is done."""

import os
import platform
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import joblib
import torch

from hubbub.training.config import TrainConfig
from hubbub.training.device import CPU, find
from hubbub.training.reporting import Reporter, Tick

LOOK_EVERY = 1.0
"""Seconds between two looks at how far the jobs are."""
MOST_JOBS = 7


class Kept(ABC):
    """A job whose files are named after it below `folder`: what was begun and what was done is found again."""

    config: TrainConfig
    folder: Path

    @property
    @abstractmethod
    def name(self) -> str:
        """What its files are called: it holds the `identity` of all that the result depends on."""

    @property
    def fit_folder(self) -> Path:
        """Where training leaves its checkpoints and curves."""
        return self.folder / "fits" / self.name

    @property
    def detector(self) -> Path:
        """The exported network."""
        return self.fit_folder / f"{self.config.network}.onnx"

    @property
    def result(self) -> Path:
        """The finished run."""
        return self.folder / "runs" / f"{self.name}-{self.config.epochs}.json"

    @property
    def untimed(self) -> Path:
        """The run before the time to detect is measured."""
        return self.fit_folder / f"run-{self.config.epochs}.json"


def while_waited_for(main: int | None) -> Callable[[object], None]:
    """What `fit` is to call after each batch: raises `KeyboardInterrupt` where `main`, the process that waits for this
    one, is gone, or another call would begin the same job beside it."""

    def look(_: object) -> None:
        if main not in (None, os.getpid(), os.getppid()):
            raise KeyboardInterrupt

    return look


@contextmanager
def one_thread() -> Iterator[None]:
    """torch computes on one thread: where there is a process a core, more would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


AnyJob = TypeVar("AnyJob", bound=Kept)
AnyRun = TypeVar("AnyRun")


def jobs_on(device: str) -> int:
    """How many networks to train at once: one a core on a CPU, one after the other on anything else.

    Raises `ConfigError` for a device that is not there.
    """
    return min(os.cpu_count() or 1, MOST_JOBS) if find(device).name == CPU else 1


def train_all(
    jobs: Sequence[AnyJob],
    do: Callable[[AnyJob, int], AnyRun],
    said: Callable[[AnyRun], str],
    n_jobs: int,
    costly: Sequence[str],
    reporter: Reporter,
) -> None:
    """Does the jobs, `n_jobs` at once: a process each with a share of the cores, which is faster than all cores for
    one, and loses nothing on a machine that does other work too.

    `costly`: networks by the time an epoch takes; the long ones begin, so that no core waits at the end. `do` is told
    of this process, so that it stops when nobody waits for it any more.
    """
    if not jobs:
        return
    reporter.say(f"training on {find(jobs[0].config.device)}")
    ordered = sorted(jobs, key=lambda job: costly.index(job.config.network))
    with (
        reporter.bar(f"training {len(ordered)} networks") as tick,
        _watched(ordered, tick),
        warnings.catch_warnings(),
    ):
        # joblib replaces a worker that has grown, and says so; nothing is lost
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
        parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs")
        for run in parallel(joblib.delayed(do)(job, os.getpid()) for job in ordered):
            reporter.say(said(run))


def versions() -> dict[str, str]:
    """Of Python and the packages that the figures depend on."""
    names = ("hubbub", "torch", "lightning", "onnxruntime", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


@contextmanager
def _watched(jobs: Sequence[Kept], tick: Tick) -> Iterator[None]:
    """Tells `tick` how many epochs of all have been done, from the curves that the jobs write."""
    stop = threading.Event()
    total = sum(job.config.epochs for job in jobs)

    def look() -> None:
        while not stop.wait(LOOK_EVERY):
            tick(sum(_epochs(job) for job in jobs), total, "epochs")

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _epochs(job: Kept) -> int:
    try:
        return max(0, (job.fit_folder / "log.csv").read_text(encoding="utf-8").count("\n") - 1)
    except OSError:
        return 0
