"""The command `reproduce`: the report's tables, with today's figures beside the report's."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hubbub.console import Reporter
from hubbub.errors import ConfigError
from hubbub.files import check_writable, make_folder, write_text

if TYPE_CHECKING:
    from hubbub.reproduce.size import Size

RECIPES = ("tut2016", "urbansound8k")
QUICK_MIXTURES = (8, 4, 20)
"""To train on, to validate on, to test on: what the quick size needs of a stand-in."""
MINUTES_EACH = 5.66
BUILT_IN_PER_LABEL = 62
"""As many clips a label as the real set was mixed from: 994 of 16."""
BUILT_IN_RECORDINGS = 20
"""Clips a label for a stand-in of slices: two for each fold."""

Out = Annotated[Path, typer.Option("--output", "-o", help="A folder for all that it makes; kept, and gone on with.")]
Clips = Annotated[Path | None, typer.Option(help="Without DATA: clips by label to mix a stand-in from.")]
SizeName = Annotated[str, typer.Option("--size", help="quick, reduced (two cores, two hours) or full (a GPU).")]
Splits = Annotated[
    list[str] | None,
    typer.Option("--split", help="official, mixture, subsequence; or random, folds. May be given again."),
]
Networks = Annotated[list[str] | None, typer.Option("--network", help="One of the recipe's; again for more.")]
Hours = Annotated[float | None, typer.Option(help="Train for this long at most, all networks together.")]
TrainMinutes = Annotated[float | None, typer.Option(min=1, help="tut2016: train on so much of the training side.")]
Folds = Annotated[int | None, typer.Option(min=1, help="urbansound8k: test on so many of the folds.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Networks to train at once, on a CPU.")]
Dials = dict[str, int | float | None]


def reproduce(
    recipe: Annotated[str, typer.Argument(help="tut2016, the polyphonic system, or urbansound8k, the monophonic one.")],
    data: Annotated[Path | None, typer.Argument(help="The data set; without it a stand-in is mixed.")] = None,
    out: Out = Path("reproduction"),
    clips: Clips = None,
    size: SizeName = "reduced",
    split: Splits = None,
    network: Networks = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 1,
    grid: Annotated[bool, typer.Option("--grid", help="tut2016: the paper's kernels × dilations too.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    train_minutes: TrainMinutes = None,
    folds: Folds = None,
    hours: Hours = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, rocm, mps, xpu.")] = "auto",
    jobs: Jobs = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables as Markdown too.")] = None,
) -> None:
    """The report's tables, with today's figures beside the report's. Stopped, it goes on where it was."""
    from hubbub.reproduce.running import jobs_on
    from hubbub.training.device import find

    if recipe not in RECIPES:
        raise ConfigError(f"{recipe!r} is none of {', '.join(RECIPES)}")
    if jobs is not None and jobs > 1 and device not in ("auto", "cpu"):
        raise ConfigError(f"--jobs {jobs} train on a CPU; leave them out, or --device {device}")
    if data is not None and clips is not None:
        raise ConfigError("--clips mixes a stand-in for the data set; leave it out, or DATA")
    foreign = {"--folds": folds} if recipe == "tut2016" else {"--grid": grid or None, "--train-minutes": train_minutes}
    for option, value in foreign.items():
        if value is not None:
            raise ConfigError(f"{option} means nothing to {recipe}; leave it out")
    find(device)  # told before any mixing where it is not there
    chosen = Chosen(
        data, out, clips, size, tuple(split or ()), tuple(network or ()), tuple(range(seed, seed + seeds)), grid,
        {"epochs": epochs, "train_minutes": train_minutes, "folds": folds, "hours": hours},
        device, jobs if jobs is not None else jobs_on(device), markdown,
    )  # fmt: skip
    (_tut2016 if recipe == "tut2016" else _urbansound8k)(chosen)


@dataclass(frozen=True)
class Chosen:
    """What was asked for. `dials` that are None are as the size says; no splits or networks: the usual ones."""

    data: Path | None
    out: Path
    clips: Path | None
    size: str
    splits: tuple[str, ...]
    networks: tuple[str, ...]
    seeds: tuple[int, ...]
    grid: bool
    dials: Dials
    device: str
    jobs: int
    markdown: Path | None

    def check(self, splits: Sequence[str], networks: Sequence[str], sizes: Sequence[str]) -> None:
        """Raises `ConfigError` where a recipe does not have what was asked for, or what it makes cannot be written."""
        for option, given, known in (
            ("--split", self.splits, splits), ("--network", self.networks, networks), ("--size", (self.size,), sizes),
        ):  # fmt: skip
            unknown = sorted(set(given) - set(known))
            if unknown:
                raise ConfigError(f"{option} {unknown[0]}: wanted {', '.join(known)}")
        make_folder(self.out, ConfigError)
        for path in (self.out / "results.html", self.markdown):
            if path is not None:
                check_writable(path, ConfigError)

    @property
    def dialled(self) -> Dials:
        """The dials that were given."""
        return {name: value for name, value in self.dials.items() if value is not None}


def _tut2016(chosen: Chosen) -> None:
    from hubbub.networks.report import POLYPHONIC
    from hubbub.reproduce.markdown import results_markdown
    from hubbub.reproduce.page import write_results_page
    from hubbub.reproduce.results import NAMES
    from hubbub.reproduce.size import SIZES, Size
    from hubbub.reproduce.terminal import print_results
    from hubbub.reproduce.tut2016 import Plan
    from hubbub.reproduce.tut2016 import reproduce as run

    chosen.check(tuple(NAMES), tuple(POLYPHONIC), tuple(SIZES))
    size = Size.model_validate(SIZES[chosen.size].model_dump() | chosen.dialled)
    plan = Plan.model_validate(
        {
            "size": size,
            "networks": chosen.networks or tuple(POLYPHONIC),
            "splits": chosen.splits or ("official",),
            "seeds": chosen.seeds,
            "grid": (chosen.networks or ("proposed_strided",)) if chosen.grid else (),
            "device": chosen.device,
            "jobs": chosen.jobs,
        }
    )
    reporter = Reporter()
    data = chosen.data if chosen.data is not None else _mixtures(chosen, size, reporter)
    results = run(data, chosen.out, plan, reporter)
    print_results(results, Console())
    write_results_page(chosen.out / "results.html", results)
    if chosen.markdown is not None:
        write_text(chosen.markdown, results_markdown(results), ConfigError)
    reporter.say(f"data: {chosen.out / 'results.json'}; page: {chosen.out / 'results.html'}")


def _urbansound8k(chosen: Chosen) -> None:
    from hubbub.networks import CLIP_NAMES
    from hubbub.reproduce.monophonic.markdown import clip_results_markdown
    from hubbub.reproduce.monophonic.page import write_clip_page
    from hubbub.reproduce.monophonic.size import SIZES, ClipSize
    from hubbub.reproduce.monophonic.terminal import print_clip_results
    from hubbub.reproduce.monophonic.urbansound8k import ClipPlan
    from hubbub.reproduce.monophonic.urbansound8k import reproduce as run

    chosen.check(("random", "folds"), CLIP_NAMES, tuple(SIZES))
    size = ClipSize.model_validate(SIZES[chosen.size].model_dump() | chosen.dialled)
    plan = ClipPlan.model_validate(
        {
            "size": size,
            "networks": chosen.networks or CLIP_NAMES,
            "protocols": chosen.splits or ("random", "folds"),
            "seeds": chosen.seeds,
            "device": chosen.device,
            "jobs": chosen.jobs,
        }
    )
    reporter = Reporter()
    data = chosen.data if chosen.data is not None else _slices(chosen, reporter)
    results = run(data, chosen.out, plan, reporter)
    print_clip_results(results, Console())
    write_clip_page(chosen.out / "results.html", results)
    if chosen.markdown is not None:
        write_text(chosen.markdown, clip_results_markdown(results), ConfigError)
    reporter.say(f"data: {chosen.out / 'results.json'}; page: {chosen.out / 'results.html'}")


def _clips(chosen: Chosen, per_label: int, jobs: int, reporter: Reporter) -> Path:
    """The user's clips, or built-in ones below the folder of results."""
    from hubbub.mixing.builtin.write import write_clips

    if chosen.clips is not None:
        return chosen.clips
    clips = chosen.out / "clips"
    if not (clips / "manifest.csv").is_file():  # written last
        with reporter.bar("making clips of 16 sounds") as tick:
            write_clips(clips, per_label, chosen.seeds[0], progress=tick, jobs=jobs)
    return clips


def _mixtures(chosen: Chosen, size: "Size", reporter: Reporter) -> Path:
    """A stand-in for TUT-SED Synthetic 2016 below the folder of results; told as what it is."""
    from hubbub.datasets.stand_in import mix_tut2016

    jobs, seed = os.cpu_count() or 1, chosen.seeds[0]
    clips = _clips(chosen, BUILT_IN_PER_LABEL, jobs, reporter)
    quick = size.name == "quick"
    folder = chosen.out / ("stand-in-quick" if quick else "stand-in")
    with reporter.bar("mixing a stand-in for the data set") as tick:
        if quick:
            mixed = mix_tut2016(clips, folder, seed, jobs, tick, QUICK_MIXTURES, MINUTES_EACH * sum(QUICK_MIXTURES))
        else:
            mixed = mix_tut2016(clips, folder, seed, jobs, tick)
    for note in mixed.notes:
        reporter.say(f"note: {note}")
    reporter.say(f"note: these are not the report's data but {mixed.n_mixtures} mixtures of other sounds by its recipe")
    return folder


def _slices(chosen: Chosen, reporter: Reporter) -> Path:
    """A stand-in for UrbanSound8K below the folder of results; told as what it is."""
    from hubbub.datasets.stand_in_urbansound8k import mix_urbansound8k

    jobs, seed = os.cpu_count() or 1, chosen.seeds[0]
    clips = _clips(chosen, BUILT_IN_RECORDINGS, jobs, reporter)
    folder = chosen.out / "stand-in"
    with reporter.bar("cutting a stand-in for the data set") as tick:
        cut = mix_urbansound8k(clips, folder, seed, jobs, tick)
    for note in cut.notes:
        reporter.say(f"note: {note}")
    reporter.say(
        f"note: these are not the report's data but {cut.n_slices} slices of {cut.n_recordings} other recordings"
    )
    return folder
