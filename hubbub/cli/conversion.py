"""The command `convert`: between label formats."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubbub.console import Reporter
from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import Event, EventTable, labels_of

if TYPE_CHECKING:
    from hubbub.annotations import Format

NAMED = 3
"""How many labels without a new name are told by name."""


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A label file, or a folder of them.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A file; a folder for several recordings in a format of one.")
    ],
    from_format: Annotated[
        str | None, typer.Option("--from", help="The format of IN, if its lines do not tell it.")
    ] = None,
    to_format: Annotated[str | None, typer.Option("--to", help="The format of OUT, if its suffix does not.")] = None,
    recording: Annotated[
        str | None, typer.Option(help="What the recording is called, where a file IN does not name it.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="New names for labels: a table with tabs, old and new, without header.")
    ] = None,
) -> None:
    """Between label formats."""
    from hubbub import annotations

    reporter = Reporter()
    form = _target_format(target, to_format)
    if from_format is not None and annotations.FORMATS.get(_tsv(from_format)) is None:
        raise ConfigError(f"--from {from_format}: wanted one of {', '.join(annotations.FORMATS)}")
    if recording is not None and source.is_dir():
        raise ConfigError("--recording names one recording, and IN is a folder")
    new_names = {} if labels is None else annotations.read_label_names(labels)
    failed = False

    def wrong(error: AnnotationError) -> None:
        nonlocal failed
        failed = True
        reporter.error(str(error))

    if source.is_dir():
        table = annotations.read_folder(source, format=from_format, wrong=wrong)
    else:
        table = annotations.read(source, format=from_format, recording=recording)
    if labels is not None:
        table = _renamed(table, new_names, labels, reporter)
    as_folder = not form.several and (target.is_dir() or len(table) > 1 or (source.is_dir() and not target.suffix))
    if as_folder and target.is_file():
        raise ConfigError(f"{target}: {form.name} holds one recording a file and there are {len(table)}; name a folder")
    if as_folder:
        written = annotations.write_folder(target, table, form.name, wrong=wrong)
        where = f"{target}: {len(written)} files"
    elif table or not failed:
        annotations.write(target, table, form.name)
        where = str(target)
    else:
        raise typer.Exit(1)
    _tell_losses(table, form, as_folder, reporter)
    n_events = sum(len(events) for events in table.values())
    reporter.say(f"{where}: {form.name}, {len(table)} recordings, {n_events} events")
    if failed:
        raise typer.Exit(1)


def _target_format(target: Path, given: str | None) -> "Format":
    """The format to write. Raises `ConfigError` where it is not known."""
    from hubbub import annotations

    known = ", ".join(annotations.FORMATS)
    name = _tsv(given) if given is not None else annotations.format_of_name(target)
    if name is None:
        raise ConfigError(f"{target}: which format? Give --to with one of {known}")
    if name not in annotations.FORMATS:
        raise ConfigError(f"--to {given}: wanted one of {known}")
    return annotations.FORMATS[name]


def _tsv(name: str) -> str:
    return "dcase" if name == "tsv" else name


def _renamed(
    table: Mapping[str, list[Event]], new_names: Mapping[str, str], labels: Path, reporter: Reporter
) -> dict[str, list[Event]]:
    """The table with new names for labels; those without one stay and are told."""
    from dataclasses import replace

    old = [label for label in labels_of(table) if label not in new_names]
    if old:
        more = f" and {len(old) - NAMED} more" if len(old) > NAMED else ""
        reporter.say(f"note: {labels} has no new name for {', '.join(old[:NAMED])}{more}; left as they are")
    return {
        name: [replace(event, label=new_names.get(event.label, event.label)) for event in events]
        for name, events in table.items()
    }


def _tell_losses(table: EventTable, form: "Format", as_folder: bool, reporter: Reporter) -> None:
    """What the format has no place for, if the table has it."""
    scored = sum(event.score is not None for events in table.values() for event in events)
    silent = sum(not events for events in table.values())
    if scored and not form.scores:
        reporter.say(f"note: {form.name} has no place for scores; {scored} are left out")
    if silent and not form.silent:
        reporter.say(f"note: {form.name} has no place for recordings without events; {silent} are left out")
    if table and not form.names and not as_folder:
        reporter.say(f"note: {form.name} does not name its recording, which is {next(iter(table))}")
