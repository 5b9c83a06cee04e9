"""The command `reproduce`: the report's tables, with today's figures beside the report's."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.console import Console

from hubbub.console import Reporter
from hubbub.errors import ConfigError
from hubbub.files import check_writable, make_folder, write_text

if TYPE_CHECKING:
    from hubbub.reproduce.size import Size

RECIPES = ("tut2016",)
QUICK_MIXTURES = (8, 4, 20)
"""To train on, to validate on, to test on: what the quick size needs of a stand-in."""
MINUTES_EACH = 5.66
BUILT_IN_PER_LABEL = 62
"""As many clips a label as the real set was mixed from: 994 of 16."""

Out = Annotated[Path, typer.Option("--output", "-o", help="A folder for all that it makes; kept, and gone on with.")]
Clips = Annotated[Path | None, typer.Option(help="Without DATA: clips by label to mix a stand-in from.")]
SizeName = Annotated[str, typer.Option("--size", help="quick, reduced (two cores, two hours) or full (a GPU).")]
Splits = Annotated[list[str] | None, typer.Option("--split", help="official, mixture or subsequence; again for more.")]
Networks = Annotated[list[str] | None, typer.Option("--network", help="One of the report's; again for more.")]
Hours = Annotated[float | None, typer.Option(help="Train for this long at most, all networks of a split together.")]
TrainMinutes = Annotated[float | None, typer.Option(min=1, help="Train on so much of the training side.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Networks to train at once, on a CPU.")]


def reproduce(
    recipe: Annotated[str, typer.Argument(help="tut2016, the polyphonic system.")],
    data: Annotated[Path | None, typer.Argument(help="TUT-SED Synthetic 2016; without it a stand-in is mixed.")] = None,
    out: Out = Path("reproduction"),
    clips: Clips = None,
    size: SizeName = "reduced",
    split: Splits = None,
    network: Networks = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 1,
    grid: Annotated[bool, typer.Option("--grid", help="The paper's kernels × dilations too.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    train_minutes: TrainMinutes = None,
    hours: Hours = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps …")] = "auto",
    jobs: Jobs = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables as Markdown too.")] = None,
) -> None:
    """The report's tables, with today's figures beside the report's. Stopped, it goes on where it was."""
    from hubbub.networks.report import POLYPHONIC
    from hubbub.reproduce.markdown import results_markdown
    from hubbub.reproduce.page import write_results_page
    from hubbub.reproduce.results import NAMES, SplitName
    from hubbub.reproduce.terminal import print_results
    from hubbub.reproduce.tut2016 import Plan, jobs_on
    from hubbub.reproduce.tut2016 import reproduce as run

    if recipe not in RECIPES:
        raise ConfigError(f"{recipe!r} is none of {', '.join(RECIPES)}")
    unknown = sorted(set(split or ()) - set(NAMES))
    if unknown:
        raise ConfigError(f"--split {unknown[0]}: wanted {', '.join(get_args(SplitName))}")
    unknown = sorted(set(network or ()) - set(POLYPHONIC))
    if unknown:
        raise ConfigError(f"--network {unknown[0]}: wanted {', '.join(POLYPHONIC)}")
    if jobs is not None and jobs > 1 and device not in ("auto", "cpu"):
        raise ConfigError(f"--jobs {jobs} train on a CPU; leave them out, or --device {device}")
    if data is not None and clips is not None:
        raise ConfigError("--clips mixes a stand-in for the data set; leave it out, or DATA")
    dial = _size(size, epochs, train_minutes, hours)
    networks = tuple(network or POLYPHONIC)
    plan = Plan(
        size=dial,
        networks=networks,
        splits=tuple(split or ("official",)),
        seeds=tuple(range(seed, seed + seeds)),
        grid=tuple(network or ("proposed_strided",)) if grid else (),
        device=device,
        jobs=jobs if jobs is not None else jobs_on(device),
    )
    reporter = Reporter()
    make_folder(out, ConfigError)
    for path in (out / "results.html", markdown):
        if path is not None:
            check_writable(path, ConfigError)
    if data is None:
        data = _stand_in(clips, out, dial, seed, os.cpu_count() or 1, reporter)
    results = run(data, out, plan, reporter)
    print_results(results, Console())
    write_results_page(out / "results.html", results)
    if markdown is not None:
        write_text(markdown, results_markdown(results), ConfigError)
    reporter.say(f"data: {out / 'results.json'}; page: {out / 'results.html'}")


def _size(name: str, epochs: int | None, train_minutes: float | None, hours: float | None) -> "Size":
    from hubbub.reproduce.size import SIZES, Size

    if name not in SIZES:
        raise ConfigError(f"--size {name}: wanted {', '.join(SIZES)}")
    given = {"epochs": epochs, "train_minutes": train_minutes, "hours": hours}
    dials = {key: value for key, value in given.items() if value is not None}
    return Size.model_validate(SIZES[name].model_dump() | dials)


def _stand_in(clips: Path | None, out: Path, size: "Size", seed: int, jobs: int, reporter: Reporter) -> Path:
    """A stand-in for the data set below `out`, from the user's clips or from built-in ones; told as what it is."""
    from hubbub.datasets.stand_in import mix_tut2016
    from hubbub.mixing.builtin.write import write_clips

    if clips is None:
        clips = out / "clips"
        if not (clips / "manifest.csv").is_file():  # written last
            with reporter.bar("making clips of 16 sounds") as tick:
                write_clips(clips, BUILT_IN_PER_LABEL, seed, progress=tick, jobs=jobs)
    quick = size.name == "quick"
    folder = out / ("stand-in-quick" if quick else "stand-in")
    with reporter.bar("mixing a stand-in for the data set") as tick:
        if quick:
            mixed = mix_tut2016(clips, folder, seed, jobs, tick, QUICK_MIXTURES, MINUTES_EACH * sum(QUICK_MIXTURES))
        else:
            mixed = mix_tut2016(clips, folder, seed, jobs, tick)
    for note in mixed.notes:
        reporter.say(f"note: {note}")
    reporter.say(f"note: these are not the report's data but {mixed.n_mixtures} mixtures of other sounds by its recipe")
    return folder
