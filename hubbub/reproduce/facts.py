"""What a reader needs to trust or repeat the numbers: recipe, data, seeds, hardware, versions, and the command."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hubbub.reproduce.results import Results
from hubbub.reproduce.scores import SPLITS


class Traced(Protocol):
    """A run that says what it was made with."""

    @property
    def seed(self) -> int: ...
    @property
    def hardware(self) -> str: ...
    @property
    def precision(self) -> str: ...


class Traceable(Protocol):
    """What the results of every recipe hold."""

    @property
    def recipe(self) -> str: ...
    @property
    def size(self) -> str: ...
    @property
    def is_the_result(self) -> bool: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def runs(self) -> Sequence[Traced]: ...
    @property
    def data(self) -> Mapping[str, str]: ...
    @property
    def settings(self) -> Mapping[str, str]: ...
    @property
    def versions(self) -> Mapping[str, str]: ...
    @property
    def options(self) -> tuple[str, ...]: ...


def facts(results: Traceable) -> dict[str, str]:
    """Name → value: what was run, on what, with what."""
    runs = results.runs
    found = {
        "recipe": results.recipe,
        "size": results.size if results.is_the_result else f"{results.size}: a quick look, not the result",
        **results.data,
        "labels": ", ".join(results.labels),
        "seeds": _listed(str(seed) for seed in sorted({run.seed for run in runs})),
        "hardware": _listed(sorted({run.hardware for run in runs})),
        "precision": _listed(sorted({run.precision for run in runs})),
        **results.settings,
        "versions": _listed(f"{name} {version}" for name, version in results.versions.items()),
    }
    return {name: value for name, value in found.items() if value}


def commands(results: Results) -> list[str]:
    """The calls that made the runs, one a split; the user's own folder stands where DATA does."""
    grid = any((run.kernel, run.dilation) != (3, 10) for run in results.runs)
    calls: list[str] = []
    for split in SPLITS:
        if any(run.split == split for run in results.runs):
            calls.append(call(results, "--split", split, *["--grid"] * (grid and not calls)))
    return calls


def call(results: Traceable, *more: str) -> str:
    """The command with the options that it was called with, and `more` of them."""
    options = results.options or ("--size", results.size)
    return shlex.join(["hubbub", "reproduce", results.recipe, "DATA", *options, *more])


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)
