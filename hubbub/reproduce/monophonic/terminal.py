"""The monophonic tables on a terminal, in a hundred columns, and in a pipe."""

from rich.console import Console

from hubbub.reproduce.monophonic.comparisons import all_clip_tables
from hubbub.reproduce.monophonic.results import ClipResults
from hubbub.reproduce.monophonic.summary import clip_summary
from hubbub.reproduce.terminal import print_tables


def print_clip_results(results: ClipResults, console: Console) -> None:
    """Summary and all tables on a console; in a pipe they are a hundred columns wide whatever the console assumes."""
    print_tables(clip_summary(results), all_clip_tables(results), console)
