"""Clips → soundscapes to train on, to tune on and to test on, each mixed from clips of its own side."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hubbub.datasets.annotated import AnnotatedRecording, read_annotated
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.features import content_hash, key_of
from hubbub.datasets.split import SIDES, Side, Split, items_of_clips, make_split
from hubbub.errors import DatasetError
from hubbub.mixing import BACKGROUND, Clip, ClipStore, MixConfig, by_label
from hubbub.mixing.builtin.write import write_clips
from hubbub.mixing.write import mix
from hubbub.training.config import TrainConfig
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import FrontEndConfig
from hubbub.training.reporting import Reporter

CLIP_BYTES = 2**30
"""Of clips kept in memory at most while it trains: some three hours of them."""
BACKGROUND_SNR_DB = (6.0, 30.0)
SCENE_GAIN_DB = (-12.0, 6.0)

FEW_LABELS = 4
"""With fewer, a detector could do with "is there any sound": other sounds are mixed in that are none of the labels."""
OTHERS_PER_LABEL = 12
OTHERS_SIDES: tuple[Side, ...] = ("train", "validation", "test", "train", "train")

PURPOSE = {"train": "train on", "validation": "tune on", "test": "test on"}


@dataclass(frozen=True)
class Soundscapes:
    """The recordings of each side, the split of the clips, the licences of the sounds, and what a user should know.

    `fresh`: where the training side is mixed anew for every step; it has no recordings then.
    """

    sides: Mapping[Side, Sequence[AnnotatedRecording]]
    split: Split
    licences: Sequence[str]
    notes: Sequence[str]
    fresh: Fresh | None = None


def soundscapes(
    data: Path, folder: Path, config: TrainConfig, front_end: FrontEndConfig, reporter: Reporter, jobs: int
) -> Soundscapes:
    """Mixes soundscapes of each side from the clips in `data`, below `folder`; takes those that are there already. With
    `config.fresh` those of the training side are left to be mixed while it trains, with features by `front_end`.

    Raises `DatasetError` where a side has no clips of any label, and as `read_clips` and `mix` do.
    """
    clips = read_clips(data)
    split = make_split(items_of_clips(clips, data), config.seed)
    members_of = {side: [c for c in clips if split.sides[relative_name(c.path, data)] == side] for side in SIDES}
    for side, members in members_of.items():
        if not by_label(members)[0]:
            raise DatasetError(f"{data}: no clips for the {side} side; wanted at least three recordings of a label")
    labels = sorted({clip.label for clip in clips} - {BACKGROUND})
    others, notes = _others(labels, folder, config, jobs)
    sides: dict[Side, Sequence[AnnotatedRecording]] = {
        side: ()
        if side == "train" and config.fresh
        else _mixed(side, [*members_of[side], *others[side]], labels, data, folder, config, reporter, jobs)
        for side in SIDES
    }
    licences = sorted({clip.licence for clip in clips if clip.licence})
    if not config.fresh:
        return Soundscapes(sides, split, licences, notes)
    fresh = _fresh([*members_of["train"], *others["train"]], labels, data, config, front_end)
    with reporter.bar("reading the clips to train on") as tick:
        fresh.read(tick)
    return Soundscapes(sides, split, licences, notes, fresh)


def _fresh(
    members: Sequence[Clip], labels: Sequence[str], data: Path, config: TrainConfig, front_end: FrontEndConfig
) -> Fresh:
    clips, backgrounds = by_label(members)
    mixing = mix_config("train", len(clips), config, bool(backgrounds)).model_copy(
        update={"sample_rate": front_end.sample_rate}
    )
    known = tuple(label for label in labels if label in clips)
    store = ClipStore(mixing.sample_rate, mixing.activity, data, max_bytes=CLIP_BYTES)
    heard = (config.noisy, config.quiet, config.gaps)
    return Fresh(clips, backgrounds, mixing, known, front_end, config.train_minutes, store, *heard)


TRAINING_COLOUR: Mapping[str, Any] = {
    "balance_sources": True,
    "low_pass_chance": 0.5,
    "shelf_chance": 0.8,
    "shelf_db": 10.0,
}
"""On the training side events are coloured more, so that the network learns the sound and not its microphone."""


def mix_config(side: Side, n_labels: int, config: TrainConfig, has_background: bool) -> MixConfig:
    """How soundscapes are mixed: as TUT-SED Synthetic 2016, in shorter scenes, at many levels."""
    return MixConfig(
        **(TRAINING_COLOUR if side == "train" else {}),
        duration=(config.scene_seconds, config.scene_seconds),
        n_labels=(min(4, n_labels), min(9, n_labels)),
        snr_db=BACKGROUND_SNR_DB if has_background else None,
        scene_gain_db=SCENE_GAIN_DB,
    )


def _others(
    labels: Sequence[str], folder: Path, config: TrainConfig, jobs: int
) -> tuple[dict[Side, list[Clip]], list[str]]:
    """Built-in sounds to mix in where there are few labels, by side; each clip lies on one side."""
    others: dict[Side, list[Clip]] = {side: [] for side in SIDES}
    if len(labels) >= FEW_LABELS:
        return others, []
    # absolute, since scenes name clips relative to the data, and these lie elsewhere
    built_in = write_clips((folder / "other-sounds").resolve(), OTHERS_PER_LABEL, config.seed, jobs=jobs)
    unknown, backgrounds = by_label(clip for clip in built_in if clip.label not in labels)
    for clips in (*unknown.values(), backgrounds):
        for index, clip in enumerate(clips):
            others[OTHERS_SIDES[index % len(OTHERS_SIDES)]].append(clip)
    names = ", ".join(labels)
    return others, [f"few labels ({names}): built-in sounds were mixed in, so that not every sound is one of them"]


def _mixed(
    side: Side,
    members: Sequence[Clip],
    labels: Sequence[str],
    data: Path,
    folder: Path,
    config: TrainConfig,
    reporter: Reporter,
    jobs: int,
) -> list[AnnotatedRecording]:
    labelled, backgrounds = by_label(members)
    mixing = mix_config(side, len(labelled), config, bool(backgrounds))
    minutes = {"train": config.train_minutes, "validation": config.validation_minutes, "test": config.test_minutes}
    n_scenes = max(1, round(minutes[side] * 60 / config.scene_seconds))
    hashes = sorted((clip.label, content_hash(clip.path)) for clip in members)
    key = key_of(mixing.model_dump(), n_scenes, config.seed, hashes)
    target = folder / "scenes" / f"{side}-{key[:8]}"
    if not (target / "events.tsv").is_file():  # written last
        shutil.rmtree(target, ignore_errors=True)
        with reporter.bar(f"mixing {n_scenes * config.scene_seconds / 60:.0f} min to {PURPOSE[side]}") as tick:
            mix(
                labelled, target, mixing, n_scenes, config.seed * 10 + SIDES.index(side),
                backgrounds=backgrounds, root=data, jobs=jobs, progress=tick,
            )  # fmt: skip
    return [
        replace(recording, events=tuple(event for event in recording.events if event.label in labels))
        for recording in read_annotated(target)
    ]
