"""Many trainings from one call: several at once, one bar for all of them, each kept as soon as it is done."""

import os
import platform
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, TypeVar

import joblib
import torch

from hubbub.training.config import TrainConfig
from hubbub.training.reporting import Reporter, Tick

LOOK_EVERY = 1.0
"""Seconds between two looks at how far the jobs are."""
MOST_JOBS = 7


class Training(Protocol):
    """What is to be trained: its settings, and the folder where `fit` leaves the curves."""

    @property
    def config(self) -> TrainConfig: ...

    @property
    def fit_folder(self) -> Path: ...


AnyJob = TypeVar("AnyJob", bound=Training)
AnyRun = TypeVar("AnyRun")


def jobs_on(device: str) -> int:
    """How many networks to train at once: one a core on a CPU, one after the other on anything else."""
    elsewhere = device not in ("auto", "cpu") or (device == "auto" and torch.accelerator.is_available())
    return 1 if elsewhere else min(os.cpu_count() or 1, MOST_JOBS)


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
def _watched(jobs: Sequence[Training], tick: Tick) -> Iterator[None]:
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


def _epochs(job: Training) -> int:
    try:
        return max(0, (job.fit_folder / "log.csv").read_text(encoding="utf-8").count("\n") - 1)
    except OSError:
        return 0
