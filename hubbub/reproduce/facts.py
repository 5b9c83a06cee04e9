"""What a reader needs to trust or repeat the numbers: recipe, data, seeds, hardware, versions, and the command."""

import shlex
from collections.abc import Iterable

from hubbub.reproduce.results import Results
from hubbub.reproduce.scores import SPLITS


def facts(results: Results) -> dict[str, str]:
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
            options = results.options or ("--size", results.size)
            words = ["hubbub", "reproduce", results.recipe, "DATA", *options, "--split", split]
            calls.append(shlex.join(words + ["--grid"] * (grid and not calls)))
    return calls


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)
