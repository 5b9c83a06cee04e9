"""Where the events of `hubbub detect` go: a timeline on a terminal, or a table on standard output or in a file."""

import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console

from hubbub import annotations, files
from hubbub.annotations.scores import write_scores
from hubbub.batch import Found
from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import Event
from hubbub.report.terminal import timeline

NAMES = {"tsv": "dcase"}
"""What the command line calls a format, where it has another name."""
ONE_RECORDING = tuple(name for name, each in annotations.FORMATS.items() if not each.several)
"""Formats of one recording a file."""


class Sink:
    """Takes what was found, recording by recording; what was taken is written, even when the run is stopped.

    Raises `ConfigError` for an unknown format and an output that cannot be written.
    """

    def __init__(self, format: str | None, output: Path | None, scores: Path | None, pretty: bool) -> None:
        self.output = output
        self.scores = scores
        self.pretty = pretty
        self.format = self._format(format, output)
        self.table: dict[str, list[Event]] = {}
        self.rankings: dict[str, Mapping[str, float]] = {}
        self.shown: list[Found] = []
        if scores is not None:
            files.make_folder(scores, ConfigError)
        if output is not None:
            files.check_writable(output, ConfigError)  # told before the work

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for found in self.shown:  # now, since a bar was drawn until now
            name = found.recording.name.encode("utf-8", "replace").decode()  # it may hold bytes that are no text
            shown = timeline(
                name, found.events, found.duration, list_events=found.ranking is None, ranking=found.ranking
            )
            Console(highlight=False).print(shown)
        if self.output is not None:
            annotations.write(self.output, self.table, self.format, self.rankings)
        elif not self.pretty:
            annotations.write(sys.stdout, self.table, self.format, self.rankings)
            sys.stdout.flush()

    def add(self, found: Found) -> None:
        """The events of one recording. Raises `AnnotationError` where the format has no place for them."""
        name = found.recording.name
        if self.pretty:
            self.shown.append(found)
        else:
            if self.table and self.format in ONE_RECORDING:
                raise AnnotationError(f"{self.format} holds one recording; wanted no more, or --format tsv")
            self._try(found)
            self.table[name] = list(found.events)
            if found.ranking is not None:
                self.rankings[name] = found.ranking
        if self.scores is not None and found.probabilities is not None:
            probabilities = found.probabilities
            target = self.scores / f"{annotations.below(name)}.tsv"
            files.make_folder(target.parent, ConfigError)
            write_scores(target, probabilities.edges, probabilities.values, probabilities.labels)

    def _try(self, found: Found) -> None:
        """Writes nowhere: a name that no table can hold is to cost its own events, not those of all others."""
        nowhere, name = StringIO(), found.recording.name
        annotations.write(nowhere, {name: found.events}, self.format)
        try:
            nowhere.getvalue().encode()
        except UnicodeEncodeError as error:
            raise AnnotationError(f"cannot be written: {name!r} is no Unicode text; rename it") from error

    @staticmethod
    def _format(given: str | None, output: Path | None) -> str:
        if given is None:
            told = None if output is None else annotations.format_of_name(output)
            return "dcase" if told in (None, "text") else told  # .txt says too little to lose names and scores
        name = NAMES.get(given, given)
        if name not in annotations.FORMATS:
            raise ConfigError(
                f"--format {given}: wanted tsv, {', '.join(sorted(set(annotations.FORMATS) - {'dcase'}))}"
            )
        return name
