"""`hubbub detect -o FOLDER`: many recordings into a folder of results."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from hubbub import batch
from hubbub.cli.options import load
from hubbub.console import Reporter
from hubbub.errors import ConfigError


def is_folder(output: str | None, without: str | None, engine: str, address: str | None, retry: bool) -> bool:
    """Whether `-o` means a folder of results: it is a folder, ends in a slash, or is nothing yet and has no suffix.

    Raises `ConfigError` for options that go with the other kind only; `without` is one that a folder does without.
    """
    path = Path(output or "-")
    found = bool(output) and (
        path.is_dir() or str(output).endswith(("/", os.sep)) or not (path.exists() or path.suffix)
    )
    if found and without is not None:
        raise ConfigError(f"{without} does not go with a folder of results; give -o a file, as in -o {path}.tsv")
    if not found and (engine != "joblib" or address is not None or retry):
        raise ConfigError("--engine, --address and --retry go with a folder of results; give one: -o FOLDER/")
    return found


def detect_into_folder(
    paths: Sequence[Path],
    out: Path,
    model: Path | None,
    thresholds: float | dict[str, float] | None,
    device: str,
    verbose: bool,
    format: str | None,
    jobs: int | None,
    engine: str,
    address: str | None,
    retry: bool,
) -> None:
    """Hears what is not there yet, says what failed and how much was done; exits with 1 where something failed.

    Raises `ConfigError` for a format other than tsv, and as `run` does.
    """
    from hubbub.many.run import Work, run

    if format not in (None, "tsv"):
        raise ConfigError(
            f"--format {format}: a folder of results is tsv; convert it later: "
            f"hubbub convert {out / 'events.tsv'} converted/ --to {format}"
        )
    reporter = Reporter()
    jobs = _cores() if jobs is None else jobs
    detector = load(model, device, reporter, verbose, jobs)
    if thresholds is not None:
        detector = detector.with_thresholds(thresholds)
    pairs = tuple(sorted(thresholds.items())) if isinstance(thresholds, dict) else thresholds
    chosen, errors = batch.recordings(paths)
    for error in errors:
        reporter.error(error)
    here = detector.device.name if engine == "joblib" else device  # a cluster's machines have devices of their own
    work = Work(engine, address, jobs, retry, here, pairs)
    summary = run(detector, chosen, out, work, reporter)
    failed = summary.failed + summary.failed_before
    reporter.say(str(summary))
    if failed:
        retried = "; --retry tries again what failed before" if summary.failed_before else ""
        reporter.say(f"failed: {out / 'errors.tsv'}{retried}")
    reporter.say(f"events: {out / 'events.tsv'}")
    if errors or failed:
        raise typer.Exit(1)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
