"""The command `tune`: another decision for a detector that is there, from recordings it was not trained on."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from hubbub.cli.options import Device, Verbose, load
from hubbub.console import Reporter
from hubbub.device import AUTO
from hubbub.errors import ConfigError, DetectorError
from hubbub.files import check_writable

Kind = Literal["none", "temperature", "isotonic"]
FalseAlarms = Annotated[
    float | None,
    typer.Option("--false-alarms-per-hour", min=0, help="Decide by a budget: at most so many, for each label."),
]
Precision = Annotated[
    float | None, typer.Option("--precision", help="Decide for at least this share of right events, for each label.")
]
Calibrate = Annotated[str, typer.Option(help="none, temperature or isotonic: what probabilities mean.")]


def tune(
    model: Annotated[Path, typer.Argument(help="The detector: an .onnx file, or the name of one that ships.")],
    reference: Annotated[Path, typer.Argument(help="Annotated recordings to decide on; never those to test on.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The detector to write, an .onnx file.")],
    false_alarms_per_hour: FalseAlarms = None,
    precision: Precision = None,
    calibrate: Calibrate = "none",
    audio: Annotated[Path | None, typer.Option(help="Where the recordings lie, if not beside the table.")] = None,
    device: Device = AUTO,
    verbose: Verbose = False,
) -> None:
    """Other thresholds for a detector: the best F1, or a budget of false alarms, or a precision."""
    from hubbub.evaluation import listen, read_reference
    from hubbub.report.terminal import printable
    from hubbub.training.metadata import rewrite
    from hubbub.tuning import Aim, Decision, Validation, decide
    from hubbub.tuning.rules import SILENT

    decision = Decision(Aim(false_alarms_per_hour, precision), checked(calibrate))
    reporter = Reporter()
    if output.suffix != ".onnx":
        raise ConfigError(f"{output}: a detector's name ends in .onnx; give another name")
    check_writable(output, ConfigError)
    detector = load(model, device, reporter, verbose).uncalibrated()
    known = read_reference(reference, audio)
    with reporter.bar("detecting") as tick:
        heard = listen(detector, known, tick).heard
    events = {name: [event for event in known.events.get(name, ()) if event.label in detector.labels] for name in heard}
    validation = Validation(
        detector.labels,
        detector.metadata.grid,
        {name: probabilities.values for name, probabilities in heard.items() if len(probabilities.values)},
        events,
        known.durations,
    )
    if not validation.probabilities:
        raise DetectorError(f"{reference}: holds no sound to decide on; wanted annotated recordings")
    with reporter.bar("tuning thresholds") as tick:
        decided = decide(validation, decision, tick)
    facts = detector.metadata.training | {
        "decision": decision.to_dict() | {"recordings": len(heard), "hours": round(validation.hours, 3)}
    }
    rewrite(
        detector.path,
        output,
        lambda metadata: metadata.decided(decided.rules, decided.calibration).model_copy(
            # what it reached with other thresholds is no longer true
            update={"training": facts, "scores": {}}
        ),
    )
    table = Table(
        box=box.SIMPLE_HEAD, title=f"decided on {len(heard)} recordings, {validation.hours:.2f} h: {decision.aim}"
    )
    table.add_column("label", no_wrap=True)
    for title in ("thres-\nhold", "\nlow", "median,\nframes", "event,\nseconds", "gap,\nseconds"):
        table.add_column(title, justify="right")
    for label, rule in decided.rules.items():
        lengths = (f"{rule.median}", f"{rule.shortest_event:g}", f"{rule.shortest_gap:g}")
        shown = (f"{rule.threshold:.3f}", f"{rule.low_threshold:.3f}", *lengths)
        table.add_row(printable(label), *(shown if rule != SILENT else ("silent", "", "", "", "")))
    Console().print(table)
    for note in decided.notes:
        reporter.say(f"note: {note}")
    if decided.calibration:
        before, after = decided.errors
        reporter.say(f"calibration error on these recordings {after:.4f}, it was {before:.4f}")
    reporter.say(f"detector: {output}")


def checked(kind: str) -> Kind:
    """Raises `ConfigError` where `kind` is no kind of calibration."""
    from hubbub.tuning import KINDS

    for known in KINDS:
        if kind == known:
            return known
    raise ConfigError(f"--calibrate {kind}: wanted one of {', '.join(KINDS)}")
