"""The command `probe`: what makes a detector fire that should not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hubbub.cli.options import Device, Verbose, load
from hubbub.console import Reporter
from hubbub.device import AUTO

if TYPE_CHECKING:  # it brings scipy, and `detect` has no need of it
    from hubbub.probing import Probe


def probe(
    model: Annotated[Path, typer.Argument(help="The detector: an .onnx file, or the name of one that ships.")],
    sounds: Annotated[
        Path | None, typer.Argument(help="Clips by label, or annotated recordings, that it was not trained on.")
    ] = None,
    device: Device = AUTO,
    verbose: Verbose = False,
) -> None:
    """What makes a detector fire that should not: noises, and sounds of other labels."""
    from hubbub.probing import probe as run
    from hubbub.probing import sounds_in

    reporter = Reporter()
    detector = load(model, device, reporter, verbose)
    recordings = sounds_in(sounds) if sounds is not None else []
    with reporter.bar("playing noises and other sounds to it") as tick:
        probed = run(detector, recordings, tick)
    show_probe(probed, reporter, Console(highlight=False))


def show_probe(probe: Probe, reporter: Reporter, console: Console) -> None:
    """The table, and a line for each warning."""
    from hubbub.report.terminal import printable, probe_table

    console.print(probe_table(probe))
    reporter.say(probe.summary)
    for line in probe.warnings():
        reporter.say(printable(line))
