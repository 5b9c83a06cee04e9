"""The report's polyphonic system: its networks trained and tested on TUT-SED Synthetic 2016, or on a stand-in.

    recordings → features, once → sides, by the split → a job for each network, split and seed → runs → results.json

Every finished job is kept in `runs/`, every begun one in `fits/`: started again with the same settings, a reproduction
does what is not done yet, and no more.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hubbub import audio
from hubbub.datasets.features import FeatureCache, content_hash, key_of
from hubbub.datasets.split import SIDES
from hubbub.datasets.tut2016 import LABELS, Tut2016, read_tut2016
from hubbub.detector import load
from hubbub.errors import ConfigError, DatasetError
from hubbub.files import check_writable, make_folder, write_text
from hubbub.metrics import Counts
from hubbub.networks.report import PAPER_GRID, POLYPHONIC, ReportConfig
from hubbub.reproduce.job import Job, Sounds, do, trivial_counts
from hubbub.reproduce.results import NAMES, Results, Run, SplitName
from hubbub.reproduce.running import one_thread, train_all, versions
from hubbub.reproduce.size import FULL, Size, options
from hubbub.reproduce.splits import GRID, Pieces, split_pieces
from hubbub.training.config import TrainConfig
from hubbub.training.device import find, machine
from hubbub.training.front_end import REPORT_POLYPHONIC, FrontEnd
from hubbub.training.predict import SUBSEQUENCE
from hubbub.training.reporting import Reporter

TIMED_PIECES = 6
"""Sub-sequences that the time to detect is measured on: a minute."""
TIMINGS = 3


class Plan(BaseModel):
    """What is to be run: every network × split × seed; `shapes`: the dilated convolutions to try, the report's one
    unless a grid is asked for. `threads` of each of the `jobs` that run at once, None: torch's choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Size = FULL
    networks: tuple[str, ...] = tuple(POLYPHONIC)
    splits: tuple[SplitName, ...] = ("official",)
    seeds: tuple[int, ...] = (0,)
    grid: tuple[str, ...] = ()
    device: str = "auto"
    precision: str = "auto"
    jobs: int = Field(1, ge=1)


def reproduce(folder: Path, out: Path, plan: Plan, reporter: Reporter) -> Results:
    """Runs what `plan` asks for and is not in `out` yet; returns all of it, and leaves it in `out`/results.json.

    Raises `DatasetError`, `AnnotationError` or `AudioError`, one line, for whatever is wrong with the data,
    `ConfigError` for a network that the report does not have, a device that is not there, or an `out` that cannot be
    written.
    """
    unknown = sorted({*plan.networks, *plan.grid} - set(POLYPHONIC))
    if unknown:
        raise ConfigError(f"network {unknown[0]!r} is none of the report's: {', '.join(POLYPHONIC)}")
    find(plan.device)
    make_folder(out, ConfigError)
    check_writable(out / "results.json", ConfigError)
    data = read_tut2016(folder)
    notes = [*data.missing, *data.notes]
    for note in notes:
        reporter.say(f"note: {note}")
    if not any(recording.events for recording in data.recordings):
        raise DatasetError(f"{data.folder}: no events in any mixture; wanted some to learn from")
    about = _facts(data)
    everything = _everything(plan)
    pieces = {(split, seed): split_pieces(data, split, plan.size, seed) for split in plan.splits for seed in plan.seeds}
    sounds = read_sounds(data, list(pieces.values()), out, plan, reporter)
    jobs = list(_jobs(plan, pieces, sounds, out))
    unfinished = [job for job in jobs if not job.result.is_file()]
    train_all(unfinished, do, _said, plan.jobs, COSTLY, reporter)
    _time(unfinished, sounds, reporter)
    # what an earlier call finished with the same data and size belongs to the same table
    for split, seed in ((split, seed) for split in everything.splits for seed in everything.seeds):
        with suppress(DatasetError):  # too few mixtures for a split that nobody asked for
            pieces.setdefault((split, seed), split_pieces(data, split, plan.size, seed))
    finished = [job for job in _jobs(everything, pieces, sounds, out) if job.result.is_file()]
    runs = [Run.model_validate_json(job.result.read_text(encoding="utf-8")) for job in finished]
    # the sides that the table is about: of the first seed of each split, whose features are there
    heard = {job.split: job.pieces for job in reversed(finished)}
    heard = {split: heard[split] for split in everything.splits if split in heard}
    trivial = {split: trivial_counts(sounds, its_pieces) for split, its_pieces in heard.items()}
    results = Results(
        recipe="tut2016",
        size=plan.size.name,
        is_the_result=plan.size.is_the_result,
        labels=sounds.labels,
        networks=tuple(POLYPHONIC),
        runs=tuple(runs),
        trivial=trivial,
        settings=_settings(plan, heard),
        data=about,
        versions=versions(),
        notes=tuple(notes),
        options=options(plan.size),
    )
    results.write(out / "results.json")
    return results


SEEDS_KEPT = 10
"""Runs of the seeds below this are looked for among those finished."""


def _everything(plan: Plan) -> Plan:
    """All that could have been run with the size of `plan`."""
    seeds = tuple(sorted({*plan.seeds, *range(SEEDS_KEPT)}))
    networks = tuple(POLYPHONIC)
    return plan.model_copy(update={"networks": networks, "splits": tuple(NAMES), "seeds": seeds, "grid": networks})


def read_sounds(data: Tut2016, splits: Iterable[Pieces], out: Path, plan: Plan, reporter: Reporter) -> Sounds:
    """The recordings, with the features of those that a split uses in the cache below `out`."""
    used = {piece.recording for pieces in splits for side in SIDES for piece in pieces[side]}
    recordings = {recording.name: recording for recording in data.recordings}
    keys: dict[str, str] = {}
    with reporter.bar("looking at the recordings") as tick:
        for name, recording in recordings.items():
            keys[name] = key_of(REPORT_POLYPHONIC.model_dump(), content_hash(recording.path))
            tick(len(keys), len(recordings))
    cache = FeatureCache(out / "features")
    with reporter.bar("computing features") as tick:
        work = [(keys[name], partial(_features, recordings[name].path)) for name in sorted(used)]
        cache.fill(work, tick, max(plan.jobs, os.cpu_count() or 1))
    there = {event.label for recording in data.recordings for event in recording.events}
    return Sounds(recordings, keys, cache, tuple(label for label in LABELS if label in there))


def _features(path: Path) -> NDArray[np.float32]:
    """librosa's MFCC of the whole recording on the grid, (n_frames, 40)."""
    samples, _ = audio.read(path, REPORT_POLYPHONIC.sample_rate)
    with one_thread():
        features: NDArray[np.float32] = FrontEnd(REPORT_POLYPHONIC).grid_features(samples).numpy()
    return features


def _jobs(plan: Plan, pieces: dict[tuple[SplitName, int], Pieces], sounds: Sounds, out: Path) -> Iterator[Job]:
    size = plan.size
    for split, seed in ((split, seed) for split in plan.splits for seed in plan.seeds if (split, seed) in pieces):
        its_pieces = pieces[split, seed]
        its_data = sounds.key(its_pieces)
        wanted = [(network, ReportConfig()) for network in plan.networks]
        wanted += [(network, shape) for network in plan.grid for shape in PAPER_GRID]
        for network, shape in dict.fromkeys(wanted):
            config = TrainConfig.of(
                network,
                seed=seed,
                epochs=size.epochs,
                patience=size.patience,
                batch_size=size.batch_size,
                learning_rate=size.learning_rate,
                epoch_minutes=size.epoch_minutes,
                hours=None if size.hours is None else size.hours / len(wanted) * plan.jobs,
                device=plan.device if plan.jobs == 1 else "cpu",
                precision=plan.precision,
                threads=None if plan.jobs == 1 else max(1, (os.cpu_count() or 1) // plan.jobs),
                augment=None,
            )
            yield Job(config, shape, size.batch_norm_momentum, split, its_pieces, its_data, sounds, out, size.hours)


COSTLY = (
    "dilated", "dilated_strided", "proposed_pool", "baseline", "proposed_conv", "proposed_strided", "dessed",
)  # fmt: skip
"""The networks by the time an epoch takes on a CPU."""


def _said(run: Run) -> str:
    n_labels = len(next(iter(run.counts["intended"].values())).true_positives)
    total = Counts.zero(("",) * n_labels)
    for counts in run.counts["intended"].values():
        total += counts.counts(total.labels)
    best = min(row.validation_loss for row in run.curves)
    return (
        f"{run.key}: F1 {total.micro_f1:.3f}, error rate {total.error_rate:.2f}, loss {run.loss:.4f} "
        f"(validation {best:.4f} after {run.best_epoch} of {run.epochs} epochs, {run.train_seconds / 60:.0f} min)"
    )


def _time(jobs: Sequence[Job], sounds: Sounds, reporter: Reporter) -> None:
    """Measures how long the exported files take to detect an hour, one by one, and writes the finished runs."""
    name = sorted(sounds.recordings)[0]
    samples, rate = audio.read(sounds.recordings[name].path, REPORT_POLYPHONIC.sample_rate)
    samples = np.resize(samples, TIMED_PIECES * SUBSEQUENCE * REPORT_POLYPHONIC.hop)
    with reporter.bar("timing detection") as tick:
        for index, job in enumerate(jobs):
            detector = load(job.detector, device="cpu")
            seconds = []
            for _ in range(TIMINGS):
                started = time.perf_counter()
                detector.detect(samples)
                seconds.append(time.perf_counter() - started)
            an_hour = float(np.median(seconds)) * 3600 * rate / len(samples)
            run = do(job).model_copy(update={"detect_seconds_per_hour": round(an_hour, 2)})
            make_folder(job.result.parent, ConfigError)
            write_text(job.result, run.model_dump_json(indent=1) + "\n", ConfigError)
            tick(index + 1, len(jobs))


def _settings(plan: Plan, pieces: dict[SplitName, Pieces]) -> dict[str, str]:
    size = plan.size
    settings = {
        "batch size": str(size.batch_size),
        "learning rate": f"{size.learning_rate:g}, Adam",
        "batch norm": f"a step moves its running statistics by {size.batch_norm_momentum:g}",
        "at most": f"{size.epochs} epochs, or until {size.patience} bring nothing",
        "an epoch": "all of the training side"
        if size.epoch_minutes is None
        else f"{size.epoch_minutes:g} minutes drawn from the training side",
        "at once": f"{plan.jobs} networks",
        "machine": machine(),
    }
    for split, sides in pieces.items():
        minutes = {side: sum(p.last - p.first for p in sides[side]) * GRID.period / 60 for side in SIDES}
        heard = len({piece.recording for piece in sides["test"]})
        settings[f"{split} split"] = (
            f"{NAMES[split]}; {minutes['train']:.0f} min to train on, {minutes['validation']:.0f} to validate on, "
            f"{minutes['test']:.0f} to test on, from {heard} mixtures"
        )
    return settings


def _facts(data: Tut2016) -> dict[str, str]:
    """What the data are; a stand-in says so itself."""
    minutes = sum(recording.duration for recording in data.recordings) / 60
    n_events = sum(len(recording.events) for recording in data.recordings)
    facts = {"data": "TUT-SED Synthetic 2016", "mixtures": f"{len(data.recordings)}, {minutes:.0f} minutes"}
    recipe = data.folder / "recipe.json"
    if recipe.is_file():
        told = json.loads(recipe.read_text(encoding="utf-8"))
        clips = sum(sum(label["clips"].values()) for label in told["labels"].values())
        facts["data"] = f"{told['what']}, seed {told['seed']}, mixed from {clips} clips of {len(told['labels'])} labels"
    return facts | {"events": str(n_events)}
