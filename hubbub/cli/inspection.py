"""The command `inspect`: what is in a data set, and what is wrong with it."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hubbub.console import Reporter
from hubbub.errors import HubbubError
from hubbub.files import check_writable


def inspect(
    data: Annotated[Path, typer.Argument(help="TUT-SED Synthetic 2016, UrbanSound8K, annotated recordings, or clips.")],
    page: Annotated[Path | None, typer.Option(help="Write an HTML page with figures.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON on standard output.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Recordings to read at once.")] = os.cpu_count() or 1,
) -> None:
    """What is in a data set, and what is wrong with it."""
    from hubbub.datasets.inspection import inspect as run

    reporter = Reporter()
    if page is not None:
        from hubbub.report.inspection_page import write_inspection_page  # told before the work where it cannot be

        check_writable(page, HubbubError)
    with reporter.bar("reading recordings") as tick:
        found = run(data, tick, jobs)
    if as_json:
        print(json.dumps(found.to_dict(), indent=1))  # noqa: T201
    else:
        from hubbub.report.inspection_tables import inspection_tables, problem_lines

        console = Console()
        console.print(inspection_tables(found))
        for line in problem_lines(found):
            console.print(line, soft_wrap=True)
    for error in found.problems.get("not readable", ()):
        reporter.error(error)
    if page is not None:
        write_inspection_page(page, found)
        reporter.say(f"page: {page}")
    if found.failed:
        raise typer.Exit(1)
