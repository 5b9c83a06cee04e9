"""What becomes of an error in a data set: a loader stops at the first one, an inspection notes it and goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hubbub.errors import HubbubError

Wrong = Callable[[HubbubError], None]
"""Told of every error. One that returns lets the reading go on without what the error is about."""


def stop(error: HubbubError) -> None:
    """Raises the error: what a loader does with the first one."""
    raise error


@contextmanager
def told(wrong: Wrong) -> Iterator[None]:
    """Tells `wrong` of an error raised inside; what follows it inside is then left out."""
    try:
        yield
    except HubbubError as error:
        wrong(error)


def ranges(numbers: set[int]) -> str:
    """Whole numbers as a reader likes them: `0-3, 7, 9-10`."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
