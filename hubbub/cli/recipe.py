"""`hubbub mix --recipe`: a whole data set, whose every setting the recipe knows."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hubbub.console import Reporter
from hubbub.errors import ConfigError

if TYPE_CHECKING:
    from hubbub.datasets.stand_in import Apart

RECIPES = ("tut2016", "urbansound8k")
APART = ("sources", "recordings")
TAKEN = ("scenes", "seconds", "labels", "snr", "rate")
"""Options of `hubbub mix` that a recipe leaves no room for."""
BUILT_IN_PER_LABEL = 62
"""As many clips a label as the real set was mixed from: 994 of 16."""


def mix_by_recipe(
    recipe: str, clips: Path, out: Path, seed: int, jobs: int, apart: str, context: typer.Context
) -> None:
    """Mixes it, and shows what came out.

    Raises `ConfigError` for an unknown recipe or an option beside it that it sets itself, and as `mix_tut2016` or
    `mix_urbansound8k`.
    """
    from hubbub.mixing.builtin.write import write_clips

    if recipe not in RECIPES:
        raise ConfigError(f"--recipe {recipe}: there is no such recipe; wanted {', '.join(RECIPES)}")
    if apart not in APART:
        raise ConfigError(f"--apart {apart}: wanted {' or '.join(APART)}")
    if recipe != "tut2016" and _is_given(context, "apart"):
        raise ConfigError(f"--recipe {recipe} has folds, not sides; leave --apart out")
    given = [f"--{name}" for name in TAKEN if _is_given(context, name)]
    if given:
        raise ConfigError(f"--recipe {recipe} sets {', '.join(given)} itself; leave that out")
    reporter = Reporter()
    if str(clips) == "built-in":
        clips = out / "clips"
        if not (clips / "manifest.csv").is_file():  # written last
            with reporter.bar("making built-in clips") as tick:
                write_clips(clips, BUILT_IN_PER_LABEL, seed, progress=tick, jobs=jobs)
    if recipe == "tut2016":
        _tut2016(clips, out, seed, jobs, "recordings" if apart == "recordings" else "sources", reporter)
    else:
        _urbansound8k(clips, out, seed, jobs, reporter)


def _tut2016(clips: Path, out: Path, seed: int, jobs: int, apart: "Apart", reporter: Reporter) -> None:
    """With what came out beside what was published."""
    from hubbub.datasets.stand_in import mix_tut2016
    from hubbub.report.terminal import stand_in_table

    with reporter.bar("mixing") as tick:
        stand_in = mix_tut2016(clips, out, seed, jobs, tick, apart=apart)
    for note in stand_in.notes:
        reporter.say(f"note: {note}")
    reporter.console.print(stand_in_table(stand_in))
    at_once = [f"{number}: {part / stand_in.duration:.1%}" for number, part in enumerate(stand_in.seconds_with)]
    reporter.say(f"labels at once: {', '.join(at_once)}; published: at most {stand_in.PUBLISHED_MOST}")
    reporter.say(f"mean polyphony: {stand_in.polyphony:.2f}; published: {stand_in.PUBLISHED_POLYPHONY}")
    reporter.say(
        f"{out}: a stand-in for TUT-SED Synthetic 2016, {stand_in.n_mixtures} mixtures, "
        f"{stand_in.duration / 60:.1f} minutes"
    )


def _urbansound8k(clips: Path, out: Path, seed: int, jobs: int, reporter: Reporter) -> None:
    """With what a random split of it would leak."""
    from hubbub.datasets.stand_in_urbansound8k import mix_urbansound8k
    from hubbub.datasets.urbansound8k import read_urbansound8k
    from hubbub.datasets.urbansound8k_protocols import leaked, random_split
    from hubbub.report.terminal import slices_table

    with reporter.bar("cutting slices") as tick:
        stand_in = mix_urbansound8k(clips, out, seed, jobs, tick)
    for note in stand_in.notes:
        reporter.say(f"note: {note}")
    reporter.console.print(slices_table(stand_in))
    leak = leaked(random_split(read_urbansound8k(out).clips, seed))
    reporter.say(f"split at random, {leak:.0%} of the tested slices are of recordings trained on; split by fold, none")
    reporter.say(
        f"{out}: a stand-in for UrbanSound8K, {stand_in.n_slices} slices of {stand_in.n_recordings} recordings, "
        f"{stand_in.n_folds} folds, {stand_in.duration / 60:.1f} minutes"
    )


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
