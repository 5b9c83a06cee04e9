"""The command `evaluate`: scores, beside those of systems that do not listen."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hubbub.cli.options import Device, Verbose, load
from hubbub.console import Reporter
from hubbub.device import AUTO
from hubbub.errors import ConfigError, HubbubError
from hubbub.files import check_writable


def evaluate(
    reference: Annotated[Path, typer.Argument(help="A table of events, or a folder of annotated recordings.")],
    what: Annotated[
        Path,
        typer.Argument(
            help="A table of events, a folder of label files or score tables, or a detector: .onnx, or one that ships."
        ),
    ],
    audio: Annotated[Path | None, typer.Option(help="Where the recordings lie, if not beside the table.")] = None,
    durations: Annotated[Path | None, typer.Option(help="A table: filename, duration (seconds).")] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="For score tables: where an event begins.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="All scores as JSON on standard output.")] = False,
    page: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    device: Device = AUTO,
    verbose: Verbose = False,
) -> None:
    """Scores, beside those of systems that do not listen."""
    from hubbub.detector import ClipDetector
    from hubbub.detectors import shipped
    from hubbub.evaluation import N_RESAMPLES, listen, oracle, overall, read_answers, read_reference
    from hubbub.events import labels_of
    from hubbub.metrics import evaluate as score
    from hubbub.metrics import evaluate_with_trivial

    reporter = Reporter()
    if page is not None:
        check_writable(page, ConfigError)
    known = read_reference(reference, audio, durations)
    is_detector = what.suffix == ".onnx" or (not what.exists() and str(what) in shipped())
    detector = load(what, device, reporter, verbose) if is_detector else None
    if detector is not None:
        with reporter.bar("detecting") as tick:
            answers = listen(detector, known, tick)
    else:
        answers = read_answers(what, known, threshold)
    spoken = detector.labels if detector is not None else answers.labels
    labels = sorted({*spoken, *labels_of(known.events), *labels_of(answers.events)})
    scores = dict(evaluate_with_trivial(known.events, answers.events, known.durations, labels))
    if answers.heard and not isinstance(detector, ClipDetector):
        scores["oracle"] = score(known.events, oracle(answers, known), known.durations, labels)
    curves = None
    if "oracle" in scores:
        try:
            with reporter.bar("drawing recordings anew") as tick:
                curves = overall(answers, known, N_RESAMPLES if as_json or page is not None else 0, tick)
        except HubbubError as error:  # the other figures stand all the same
            reporter.error(str(error))
    if as_json:
        said = {name: each.to_dict() for name, each in scores.items()}
        if curves is not None:
            said["system"]["over_all_thresholds"] = curves.to_dict()
        print(json.dumps(said, indent=1))  # noqa: T201
    else:
        console = Console(highlight=False)
        show_scores(scores, console)
        alarms = scores["system"].false_alarms
        console.print(
            f"false alarms per hour: {alarms.per_hour:.1f} (beyond collars {alarms.beyond_collars_per_hour:.1f})"
        )
        for name, result in curves.results.items() if curves is not None else ():
            said_of = curves.intervals.get(name) if curves is not None else None
            between = "" if said_of is None else f" (95 %: {said_of.low:.3f} to {said_of.high:.3f})"
            console.print(f"{name}: {result.value:.3f}{between}, over all thresholds")
    if page is not None:
        from hubbub.report.detector_page import facts, write_evaluation_page

        write_evaluation_page(
            page,
            f"Detector {what.name}" if detector is not None else f"{what.name} against {reference.name}",
            scores,
            known.annotated(),
            answers,
            facts(detector) if detector is not None else {},
            sample_rate=detector.sample_rate if detector is not None else None,
            curves=curves,
        )
        reporter.say(f"page: {page}")


def show_scores(scores: Mapping[str, Any], console: Console) -> None:
    """The tables of systems and of labels."""
    from hubbub.report.terminal import label_table, score_table

    console.print(score_table(scores))
    console.print(label_table(scores["system"]))
