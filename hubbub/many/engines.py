"""Recordings handed out by joblib: to the cores of this machine, or to the workers of a dask or ray cluster, whose
clients are imported only where one is asked for.

Wherever it runs, a recording is heard by a child of a `Crew`. On this machine joblib's threads wait for the children; a
worker of a cluster has a crew of its own, which lives as long as the batch.
"""

import logging
import os
import socket
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from threading import Lock
from typing import Any

from joblib import Parallel, delayed, parallel_config, register_parallel_backend

from hubbub.errors import ConfigError, HubbubError
from hubbub.many.crew import Crew, Heard, Order

ENGINES = ("joblib", "dask", "ray")
"""What joblib runs on: the cores of this machine, or a cluster."""

Progress = Callable[[str, float], None]
"""Told the name of a recording and which part of it is done; from several threads."""

_crews: dict[Order, Crew] = {}  # of a worker
_crews_lock = Lock()


def check(engine: str, address: str | None) -> None:
    """Raises `ConfigError` for an unknown engine, and for an address without a cluster."""
    if engine not in ENGINES:
        raise ConfigError(f"--engine {engine}: wanted one of {', '.join(ENGINES)}")
    if engine == "joblib" and address is not None:
        raise ConfigError("--address is that of a cluster; add --engine dask or --engine ray")


def hear(
    order: Order, paths: Mapping[str, str], engine: str, address: str | None, jobs: int, progress: Progress
) -> Generator[tuple[str, Heard], None, None]:
    """What came of each of `paths`, by name, as it comes: `jobs` at a time here, as many as it has cores on a cluster.

    `progress` is told of recordings that are heard here. Raises `ConfigError` for an engine that is not installed, and
    `HubbubError` where a cluster cannot be reached or fails, or no child can be started.
    """
    if engine == "joblib":
        yield from _here(order, paths, jobs, progress)
        return
    try:
        with (_dask if engine == "dask" else _ray)(order, address, jobs):
            tasks = (delayed(_on_a_worker)(order, name, str(Path(path).absolute())) for name, path in paths.items())
            yield from _unordered(tasks, -1)
    except (HubbubError, GeneratorExit):
        raise
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'--engine {engine}: {error.name} is not installed; run: pip install "hubbub[{engine}]"'
        ) from error
    except Exception as error:
        what = shorten(f"{type(error).__name__}: {error}", 200, placeholder=" …")  # ray's go on for a page
        raise HubbubError(f"--engine {engine}: {what}; what was finished is kept, run it again to go on") from error


def _here(order: Order, paths: Mapping[str, str], jobs: int, progress: Progress) -> Iterator[tuple[str, Heard]]:
    crew = Crew(order)

    def one(name: str, path: str) -> tuple[str, Heard]:
        return name, crew.hear(path, lambda part: progress(name, part))

    try:
        with parallel_config(backend="threading"):
            yield from _unordered((delayed(one)(name, path) for name, path in paths.items()), jobs)
    finally:
        crew.close()


def _unordered(tasks: Iterable[Any], jobs: int) -> Iterator[tuple[str, Heard]]:
    coming = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(tasks)
    try:
        for each in coming:  # noqa: UP028  `yield from` would close it, where its warning is heard
            yield each
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that not everything was done is known where it was stopped
            coming.close()


def _on_a_worker(order: Order, name: str, path: str) -> tuple[str, Heard]:
    with _crews_lock:
        crew = _crews.setdefault(order, Crew(order))
    return name, crew.hear(path)


def _dismiss(order: Order) -> None:
    """Ends the crew of this worker; the worker itself may live on."""
    with _crews_lock:
        crew = _crews.pop(order, None)
    if crew is not None:
        crew.close()


@contextmanager
def _dask(order: Order, address: str | None, jobs: int) -> Iterator[None]:
    """joblib runs on the dask cluster at `address`, or on one of `jobs` processes on this machine."""
    import distributed  # noqa: PLC0415

    logging.getLogger("distributed").setLevel(logging.ERROR)
    here = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(address, **({} if address else here)) as client, parallel_config(backend="dask"):
        try:
            yield
        finally:
            with suppress(Exception):  # a cluster that is gone has no crews
                client.run(_dismiss, order)


@contextmanager
def _ray(order: Order, address: str | None, jobs: int) -> Iterator[None]:
    """joblib runs on the ray cluster at `address` or in RAY_ADDRESS, or on one of `jobs` processes on this machine."""
    import ray  # noqa: PLC0415
    from ray.util.joblib.ray_backend import RayBackend  # noqa: PLC0415

    class Streaming(RayBackend):  # type: ignore[misc]
        """Hands out results as they come. joblib denies that to pools of multiprocessing, whose class ray's takes."""

        supports_return_generator = True

    given = address if address is not None else os.environ.get("RAY_ADDRESS")
    there_is_one = ray.is_initialized()
    if not there_is_one:
        _check_reached(given)
        here: dict[str, Any] = {"num_cpus": jobs, "include_dashboard": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(given, log_to_driver=False, logging_level=logging.ERROR, **({} if given else here))
    logging.getLogger("ray").setLevel(logging.ERROR)
    register_parallel_backend("ray", Streaming)
    try:
        with parallel_config(backend="ray"):
            yield
    finally:
        if not there_is_one:
            ray.shutdown()


def _check_reached(address: str | None) -> None:
    """Raises `OSError` where nobody listens at HOST:PORT; ray would tell so after minutes, with warnings."""
    host, _, port = (address or "").rpartition("//")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()
