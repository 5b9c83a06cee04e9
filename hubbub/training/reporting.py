"""What a run needs of whoever shows it; `hubbub.console.Reporter` is one."""

from contextlib import AbstractContextManager
from typing import Protocol


class Tick(Protocol):
    """Told how much is done of how much, and a word on how it goes."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


class Reporter(Protocol):
    """Where a run says what it does."""

    def say(self, text: str) -> None:
        """One line."""

    def bar(self, title: str) -> AbstractContextManager[Tick]:
        """A bar for the time that the context lasts."""
