"""What several commands understand of their options."""

from pathlib import Path
from typing import Annotated

import typer

from hubbub.console import Reporter
from hubbub.detector import Detector, opened
from hubbub.errors import ConfigError

Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, rocm, coreml, directml, openvino.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say first where it computes.")]


def load(model: Path | None, device: str, reporter: Reporter, verbose: bool = False, at_once: int = 1) -> Detector:
    """The detector, for `at_once` recordings; says where it computes if `verbose`, and in any case why not where it was
    asked to.

    Raises `DetectorError` as `hubbub.load` does.
    """
    detector = opened(model, device, None if at_once == 1 else 1)
    if verbose:
        many = f", {at_once} at once" if at_once > 1 else ""
        reporter.say(f"{detector.path.name}{many}: on {detector.device}")
    if detector.device.note is not None:
        reporter.say(f"note: {detector.device.note}")
    return detector


def thresholds(given: list[str]) -> float | dict[str, float]:
    """One threshold for all labels, or those of some, from X or LABEL=X. Raises `ConfigError` for anything else."""
    by_label: dict[str, float] = {}
    everywhere: float | None = None
    for text in given:
        label, equals, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError as error:
            raise ConfigError(f"--threshold {text}: {value!r} is no number; wanted X or LABEL=X") from error
        if equals:
            by_label[label] = number
        else:
            everywhere = number
    if everywhere is not None and by_label:
        raise ConfigError("--threshold X and --threshold LABEL=X exclude each other; give one kind")
    return everywhere if everywhere is not None else by_label
