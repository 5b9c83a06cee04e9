"""The report's monophonic system: its networks, one repaired and one of ours, on UrbanSound8K or on a stand-in.

    slices → features, once → sides, by the random split and by each fold → a job for each network → results.json

Every finished job is kept in `runs/`, every begun one in `fits/`: started again with the same settings, a reproduction
does what is not done yet, and no more.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hubbub import audio
from hubbub.datasets.features import FeatureCache, content_hash
from hubbub.datasets.split import SIDES
from hubbub.datasets.urbansound8k import UrbanSound8K, read_urbansound8k
from hubbub.datasets.urbansound8k_protocols import PROTOCOLS, Sides, fold_split, folds_of, random_split
from hubbub.detector import load
from hubbub.errors import ConfigError, DatasetError
from hubbub.files import check_writable, make_folder, write_text
from hubbub.networks import CLIP_NAMES, OUR_CLIP
from hubbub.reproduce.monophonic.job import ClipJob, Slices, do, front_end_of
from hubbub.reproduce.monophonic.results import Answers, ClipResults, ClipRun, ProtocolName, answers_of
from hubbub.reproduce.monophonic.size import FULL, ClipSize, options
from hubbub.reproduce.running import one_thread, train_all, versions
from hubbub.training.config import TrainConfig
from hubbub.training.device import find, machine
from hubbub.training.export_clip import clip_features
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.predict import CLIP_SECONDS
from hubbub.training.reporting import Reporter

TIMINGS = 9
"""Clips of which the time to detect is measured; the median counts."""
SEEDS_KEPT = 10
"""Runs of the seeds below this are looked for among those finished."""
COSTLY = ("mono_baseline", "mono_repaired", "mono_proposed", OUR_CLIP)
"""The networks by the time an epoch takes on a CPU."""

Place = tuple[ProtocolName, int, int]
"""Protocol, fold (0: the random split) and seed."""


class ClipPlan(BaseModel):
    """What is to be run: every network × protocol (× fold) × seed. `folds`: None takes as many as the size says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: ClipSize = FULL
    networks: tuple[str, ...] = CLIP_NAMES
    protocols: tuple[ProtocolName, ...] = ("random", "folds")
    seeds: tuple[int, ...] = (0,)
    device: str = "auto"
    precision: str = "auto"
    jobs: int = Field(1, ge=1)


def reproduce(folder: Path, out: Path, plan: ClipPlan, reporter: Reporter) -> ClipResults:
    """Runs what `plan` asks for and is not in `out` yet; returns all of it, and leaves it in `out`/results.json.

    Raises `DatasetError` or `AudioError`, one line, for whatever is wrong with the data, `ConfigError` for an unknown
    network, a device that is not there, or an `out` that cannot be written.
    """
    unknown = sorted(set(plan.networks) - set(CLIP_NAMES))
    if unknown:
        raise ConfigError(f"network {unknown[0]!r} is none of {', '.join(CLIP_NAMES)}")
    find(plan.device)
    make_folder(out, ConfigError)
    check_writable(out / "results.json", ConfigError)
    data = read_urbansound8k(folder)
    notes = [*data.missing, *data.notes]
    for note in notes:
        reporter.say(f"note: {note}")
    sides = {place: _sides(data, place) for place in _places(plan, data)}
    slices = _slices(data, out, plan, reporter)
    jobs = list(_jobs(plan, sides, slices, out))
    unfinished = [job for job in jobs if not job.result.is_file()]
    train_all(unfinished, do, _said, plan.jobs, COSTLY, reporter)
    _time(unfinished, data, reporter)
    # what an earlier call finished with the same data and size belongs to the same table
    everything = plan.model_copy(
        update={
            "networks": CLIP_NAMES,
            "protocols": tuple(protocol.name for protocol in PROTOCOLS),
            "seeds": tuple(sorted({*plan.seeds, *range(SEEDS_KEPT)})),
            "size": plan.size.model_copy(update={"folds": None}),
        }
    )
    for place in _places(everything, data):
        with suppress(DatasetError):  # too few folds or slices for a protocol that nobody asked for
            sides.setdefault(place, _sides(data, place))
    finished = [job for job in _jobs(everything, sides, slices, out) if job.result.is_file()]
    runs = [ClipRun.model_validate_json(job.result.read_text(encoding="utf-8")) for job in finished]
    results = ClipResults(
        size=plan.size.name,
        is_the_result=plan.size.is_the_result,
        labels=slices.labels,
        folds=tuple(folds_of(data.clips)),
        networks=CLIP_NAMES,
        runs=tuple(runs),
        trivial=_trivial(finished),
        settings=_settings(plan, data),
        data=_facts(data),
        versions=versions(),
        notes=tuple(notes),
        options=options(plan.size),
    )
    results.write(out / "results.json")
    return results


def jobs_of(data: UrbanSound8K, out: Path, plan: ClipPlan, reporter: Reporter) -> list[ClipJob]:
    """The jobs that `plan` asks for, done or not, with the features of the slices in the cache below `out`."""
    sides = {place: _sides(data, place) for place in _places(plan, data)}
    return list(_jobs(plan, sides, _slices(data, out, plan, reporter), out))


def _places(plan: ClipPlan, data: UrbanSound8K) -> list[Place]:
    """Where each of the networks is trained and tested."""
    found: list[Place] = []
    for seed in plan.seeds:
        if "random" in plan.protocols:
            found.append(("random", 0, seed))
        if "folds" in plan.protocols:
            found += [("folds", fold, seed) for fold in folds_of(data.clips)[: plan.size.folds]]
    return found


def _sides(data: UrbanSound8K, place: Place) -> Sides:
    protocol, fold, seed = place
    return random_split(data.clips, seed) if protocol == "random" else fold_split(data.clips, fold)


def _slices(data: UrbanSound8K, out: Path, plan: ClipPlan, reporter: Reporter) -> Slices:
    """The slices, with the features that the networks need in the cache below `out`."""
    hashes: dict[str, str] = {}
    with reporter.bar("looking at the slices") as tick:
        for clip in data.clips:
            hashes[clip.name] = content_hash(clip.path)
            tick(len(hashes), len(data.clips))
    there = {clip.label for clip in data.clips}
    slices = Slices(tuple(label for label in data.labels if label in there), hashes, FeatureCache(out / "features"))
    front_ends = dict.fromkeys(front_end_of(network) for network in plan.networks)
    work = [
        (slices.feature_key(clip.name, front_end), partial(_features, clip.path, front_end))
        for front_end in front_ends
        for clip in data.clips
    ]
    with reporter.bar("computing features") as tick:
        slices.cache.fill(work, tick, max(plan.jobs, os.cpu_count() or 1))
    return slices


def _features(path: Path, config: FrontEndConfig) -> NDArray[np.float32]:
    samples, _ = audio.read(path, config.sample_rate)
    with one_thread():
        return clip_features(FrontEnd(config), samples)


def _jobs(plan: ClipPlan, sides: Mapping[Place, Sides], slices: Slices, out: Path) -> Iterator[ClipJob]:
    size = plan.size
    # as many minutes as the sampler takes for so many clips
    minutes = None if size.epoch_clips is None else size.epoch_clips * CLIP_SECONDS / 60
    places = _within(plan, sides)
    for (protocol, fold, seed), its_sides in places.items():
        its_data = slices.key(its_sides)
        for network in plan.networks:
            ours = network == OUR_CLIP
            config = TrainConfig.of(
                network,
                seed=seed,
                epochs=size.our_epochs if ours else size.epochs,
                patience=size.patience,
                batch_size=OUR_BATCH if ours else size.batch_size,
                learning_rate=None if ours else size.learning_rate,
                epoch_minutes=minutes,
                hours=None if size.hours is None else size.hours / len(plan.networks) / len(places) * plan.jobs,
                device=plan.device if plan.jobs == 1 else "cpu",
                precision=plan.precision,
                threads=None if plan.jobs == 1 else max(1, (os.cpu_count() or 1) // plan.jobs),
            )
            momentum, validated = size.batch_norm_momentum, size.validation_clips
            yield ClipJob(config, momentum, protocol, fold, its_sides, its_data, slices, out, validated, size.hours)


OUR_BATCH = 16
"""Of our own network, at every size."""


def _within(plan: ClipPlan, sides: Mapping[Place, Sides]) -> dict[Place, Sides]:
    """Those of `sides` that the plan is about."""
    return {place: found for place, found in sides.items() if place[0] in plan.protocols and place[2] in plan.seeds}


def _said(run: ClipRun) -> str:
    rows = [row for answers in run.answers.values() for row in answers]
    accuracy = sum(n for label, answer, n in rows if label == answer) / max(1, sum(n for _, _, n in rows))
    best = min(row.validation_loss for row in run.curves)
    return (
        f"{run.key}: accuracy {accuracy:.3f}, loss {run.loss:.3f} (validation {best:.3f} after {run.best_epoch} of "
        f"{run.epochs} epochs, {run.train_seconds / 60:.0f} min)"
    )


def _time(jobs: Sequence[ClipJob], data: UrbanSound8K, reporter: Reporter) -> None:
    """Measures how long the files take for a clip of four seconds, one by one, and writes the finished runs."""
    if not jobs:
        return
    sounds = np.concatenate([audio.read(clip.path, 22050)[0] for clip in data.clips[:4]])
    with reporter.bar("timing detection") as tick:
        for index, job in enumerate(jobs):
            detector = load(job.detector, device="cpu")
            clip = np.resize(sounds, 4 * detector.sample_rate)
            seconds = []
            for _ in range(TIMINGS):
                started = time.perf_counter()
                detector.detect(clip)
                seconds.append(time.perf_counter() - started)
            run = do(job).model_copy(update={"detect_milliseconds": round(1000 * float(np.median(seconds)), 2)})
            make_folder(job.result.parent, ConfigError)
            write_text(job.result, run.model_dump_json(indent=1) + "\n", ConfigError)
            tick(index + 1, len(jobs))


def _trivial(jobs: Sequence[ClipJob]) -> dict[ProtocolName, dict[str, Answers]]:
    """What always answering the label that is most frequent in training reaches, by protocol."""
    found: dict[ProtocolName, dict[str, Answers]] = {}
    seen = set()
    for job in jobs:
        if (job.protocol, job.fold) in seen:
            continue  # of the first seed
        seen.add((job.protocol, job.fold))
        index = job.slices.labels.index
        frequent = Counter(clip.label for clip in job.sides["train"]).most_common(1)[0][0]
        tested = job.sides["test"]
        labels = [index(clip.label) for clip in tested]
        answers = answers_of([clip.recording_id for clip in tested], labels, [index(frequent)] * len(tested))
        of_protocol = found.setdefault(job.protocol, {"most_frequent": {}})
        of_protocol["most_frequent"] = {**of_protocol["most_frequent"], **answers}
    return found


def _settings(plan: ClipPlan, data: UrbanSound8K) -> dict[str, str]:
    size = plan.size
    settings = {
        "batch size": f"{size.batch_size}, ours {OUR_BATCH}",
        "learning rate": f"{size.learning_rate:g}, Adam; ours 0.003 along a half cosine, with augmentation",
        "batch norm": f"a step moves its running statistics by {size.batch_norm_momentum:g}; ours by 0.1",
        "at most": f"{size.epochs} epochs, ours {size.our_epochs}, or until {size.patience} bring nothing",
        "an epoch": "all of the training side"
        if size.epoch_clips is None
        else f"{size.epoch_clips} slices drawn from the training side",
        "validated on": "all of the validation side"
        if size.validation_clips is None
        else f"{size.validation_clips} slices of the validation side",
        "at once": f"{plan.jobs} networks",
        "machine": machine(),
    }
    for place in _places(plan, data):
        sides = _sides(data, place)
        name = "random split" if place[0] == "random" else f"fold {place[1]}"
        if place[2] == plan.seeds[0]:
            numbers = ", ".join(f"{len(sides[side])} for {side}" for side in SIDES)
            settings[name] = f"{numbers}"
    return settings


def _facts(data: UrbanSound8K) -> dict[str, str]:
    """What the data are; a stand-in says so itself."""
    recordings = len({clip.recording_id for clip in data.clips})
    facts = {"data": "UrbanSound8K"}
    if data.stand_in:
        told = json.loads((data.folder / "recipe.json").read_text(encoding="utf-8"))
        facts["data"] = f"{told['what']}, seed {told['seed']}"
    return facts | {"slices": f"{len(data.clips)}, cut from {recordings} recordings"}
