"""What is said to a person: whole lines, nothing read into them."""

import io
import re
from itertools import count

import pytest
from rich.console import Console

from hubbub.console import Reporter


def reporter(*, terminal: bool = False, width: int = 40) -> tuple[Reporter, io.StringIO]:
    shown = io.StringIO()
    return Reporter(Console(file=shown, force_terminal=terminal, width=width, highlight=False)), shown


def test_paths_and_lines_are_shown_as_they_are() -> None:
    """rich would make an emoji of a line number, and a style of brackets."""
    told, shown = reporter()
    told.error("events.tsv:100: onset is [bold]; wanted a number")
    told.say("a:dog:b [red].wav")
    assert shown.getvalue() == "hubbub: events.tsv:100: onset is [bold]; wanted a number\na:dog:b [red].wav\n"


def test_a_long_line_stays_one_line_in_a_pipe() -> None:
    told, shown = reporter(width=20)
    told.error("word " * 40)
    told.say("word " * 40)
    assert shown.getvalue().count("\n") == 2


def test_everything_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    told = Reporter()
    told.say("said")
    told.error("wrong")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "said\nhubbub: wrong\n"


def test_in_a_pipe_what_lasts_is_one_line_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told, shown = reporter()
    monkeypatch.setattr("hubbub.console.time.perf_counter", count(0, 7).__next__)
    with told.bar("mixing") as tick:
        tick(1, 2, "half")
        assert shown.getvalue() == ""
    assert re.fullmatch(r"mixing: 7(\.0)? s\n", shown.getvalue())


def test_in_a_pipe_what_fails_is_not_said_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told, shown = reporter()
    monkeypatch.setattr("hubbub.console.time.perf_counter", count(0, 7).__next__)
    with pytest.raises(RuntimeError), told.bar("mixing"):
        raise RuntimeError
    assert shown.getvalue() == ""


def test_on_a_terminal_a_bar_shows_how_much_is_done() -> None:
    told, shown = reporter(terminal=True, width=100)
    with told.bar("mixing") as tick:
        tick(3, 4, "scene-002")
    for part in ("mixing", "3/4", "scene-002"):
        assert part in shown.getvalue()
