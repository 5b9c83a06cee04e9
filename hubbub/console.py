"""What a person at a terminal sees: lines and progress bars, on standard error; no bar in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Tick(Protocol):
    """Told how much is done of how much, and a word on how it goes."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


LONG = 2.0
"""Seconds: what takes longer is worth a line when it is done."""
PERIOD = 300.0
"""Seconds of the past that the time left is estimated from: single steps may take minutes."""


def _no_tick(done: int, total: int, note: str = "") -> None: ...


class Reporter:
    """Says things and shows bars. `console` writes to standard error, so that results alone are on standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console if console is not None else Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """One line; where there is no terminal it is not broken."""
        self.console.print(text, markup=False, emoji=False, soft_wrap=not self.console.is_terminal)

    def error(self, text: str) -> None:
        """One line for what went wrong."""
        self.console.print(
            f"hubbub: {text}",
            style="red" if self.console.is_terminal else "",
            markup=False,
            emoji=False,  # or line 100 in events.tsv:100: becomes one
            soft_wrap=True,
        )

    @contextmanager
    def bar(self, title: str) -> Iterator[Tick]:
        """A bar on a terminal while something runs, and one line when it is done, with the time that it took."""
        started = time.perf_counter()
        if self.console.is_terminal:
            with self._drawn(title) as tick:
                yield tick
        else:
            yield _no_tick
        took = time.perf_counter() - started
        if took > LONG:
            self.say(f"{title}: {took:.0f} s")

    @contextmanager
    def _drawn(self, title: str) -> Iterator[Tick]:
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("·"), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        with Progress(*columns, console=self.console, transient=True, speed_estimate_period=PERIOD) as progress:
            task = progress.add_task(title, total=None, note="")

            def tick(done: int, total: int, note: str = "") -> None:
                progress.update(task, completed=done, total=total, note=note)

            yield tick
