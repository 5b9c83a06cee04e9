"""Mixtures to choose and to report on, recordings without the labels, and what training mixes for itself."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording, read_annotated
from hubbub.datasets.features import content_hash, key_of
from hubbub.events import Event
from hubbub.mixing import Clip, ClipStore, MixConfig
from hubbub.mixing.write import mix
from hubbub.training.config import TrainConfig
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import OURS
from hubbub.training.reporting import Reporter
from hubbub.training.soundscapes import mix_config
from shipping.extras import changed, synthesised
from shipping.groups import SEED, Sounds

LABELS_OF_A_SCENE = (1, 4)
POLYPHONY = 0.5
"""Labels that sound at once on average: as in a street, not as in TUT-SED Synthetic 2016, whose recipe is denser."""
SEEDS = {"choose": 11, "report": 12}
TRAINING = {
    "n_labels": (2, 8),
    "polyphony": 1.0,
    "scene_gain_db": (-18.0, 12.0),
    "jitter_db": 7.0,
    "speeds": (0.8, 0.9, 1.0, 1.1, 1.25),
}
"""Beside what `hubbub train` colours: about as many sounds that are no label as labels, at more levels and speeds."""
STORE_BYTES = 8 * 2**30
WITHOUT = {"n_labels": (1, 3), "polyphony": POLYPHONY, "scene_gain_db": (-12.0, 12.0)}
"""How recordings without any label are mixed with each other: as the mixtures with labels are, at more levels."""


@dataclass(frozen=True)
class Hour:
    """Distinct recordings in which no label is to be heard but those that they are known to hold, their events.
    `made_of`: seconds by kind and source; `under`: labels that lie under others most of the time; `weights`: how much
    each part of it counts, where that is not what it lasts."""

    recordings: Sequence[AnnotatedRecording]
    made_of: Mapping[str, float]
    under: Sequence[str]
    weights: Mapping[str, float] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"hour": {"seconds": sum(self.made_of.values()), "made_of": dict(self.made_of)}}


def fresh(sounds: Sounds, labels: Sequence[str], config: TrainConfig, made: Path) -> Fresh:
    """What training mixes while it runs: all sounds of its group, of which `labels` are asked for, and what is made
    beside them, below the folder `made`."""
    others, backgrounds = sounds.without("train", labels)
    clips = {label: changed(sounds.tried["train"][label], made / "changed", SEED) for label in labels}
    made_up = synthesised(made / "synthesised", SEED)
    for label in [label for label in made_up if label in clips]:
        clips[label] += made_up.pop(label)
    under = [clip for label in sounds.table["under"]["labels"] for clip in (clips | others)[label]]
    backgrounds = [*_as_often(backgrounds, under), *under]
    clips |= _together(others | made_up, sounds.table["together"])
    mixing = mix_config("train", len(clips), config, True).model_copy(
        update=TRAINING | {"sample_rate": OURS.sample_rate}
    )
    store = ClipStore(mixing.sample_rate, mixing.activity, max_bytes=STORE_BYTES)
    heard = (config.noisy, config.quiet, config.gaps)
    return Fresh(clips, backgrounds, mixing, tuple(labels), OURS, config.train_minutes, store, *heard)


def _as_often(few: Sequence[Clip], many: Sequence[Clip]) -> list[Clip]:
    """Few clips, repeated so that they are drawn half as often as many others."""
    return [*few] * max(1, round(len(many) / 2 / max(1, len(few))))


def _together(clips: Mapping[str, list[Clip]], names: Mapping[str, Sequence[str]]) -> dict[str, list[Clip]]:
    """The same clips by fewer names."""
    home = {label: name for name, members in names.items() for label in members}
    joined: dict[str, list[Clip]] = {}
    for label, members in clips.items():
        joined.setdefault(home.get(label, label), []).extend(members)
    return joined


def mixtures(
    sounds: Sounds, group: str, labels: Sequence[str], minutes: float, folder: Path, root: Path, reporter: Reporter
) -> list[AnnotatedRecording]:
    """Scenes mixed from the clips of `labels` in `group`, but those in which another one of them is heard too, which
    nobody labelled; scenes that are there already are taken."""
    backgrounds = sounds.beneath(group, labels)
    config = mix_config("test", len(labels), TrainConfig(), True).model_copy(
        update={"n_labels": LABELS_OF_A_SCENE, "polyphony": POLYPHONY}
    )
    clips = {label: sounds.audit.pure(sounds.tried[group][label], labels) for label in labels}
    return _mixed(clips, backgrounds, config, round(minutes), SEEDS[group], folder / group, root, reporter)


def hour_without(
    sounds: Sounds, group: str, labels: Sequence[str], also: Sequence[str] = (), audited: bool = True
) -> Hour:
    """The recordings of `group` that hold none of `labels`, and those of what lies under them and of the labels `also`,
    each once and as it is: an hour or more. Its events are the labels that are known to be heard, as long as the
    recording is; with `audited` those too that another network hears."""
    others, backgrounds = sounds.without(group, labels)
    labelled = {*sounds.table["under"]["labels"], *also} & {*labels}
    played = {label: sounds.tried[group][label] for label in sorted(labelled)}
    recordings, made_of = [], dict[str, float]()
    for clip in [*backgrounds, *(clip for clips in (others | played).values() for clip in clips)]:
        duration = audio.info(clip.path).duration
        held = {clip.label, *sounds.table["holds"].get(clip.label, ()), *sounds.table["holds"].get(clip.path.stem, ())}
        held |= {*sounds.audit.hears.get(clip.path.stem, ())} if audited else set()
        events = tuple(Event(0.0, duration, label) for label in sorted(held) if label in labels)
        recordings.append(AnnotatedRecording(clip.path, f"{clip.label}/{clip.path.name}", duration, events, ""))
        kind = f"{clip.label} ({clip.source})"
        made_of[kind] = made_of.get(kind, 0.0) + duration
    return Hour(recordings, made_of, sounds.table["under"]["labels"])


def crowd_without(
    sounds: Sounds, group: str, labels: Sequence[str], minutes: float, folder: Path, root: Path, reporter: Reporter
) -> list[AnnotatedRecording]:
    """Sounds of `group` that are none of `labels`, repeated and mixed with each other as densely as labels are."""
    found, _ = sounds.without(group, labels)
    others = {label: pure for label, clips in found.items() if (pure := sounds.audit.pure(clips, labels))}
    backgrounds = sounds.beneath(group, labels)
    config = mix_config("test", len(others), TrainConfig(), True).model_copy(update=WITHOUT)
    place = folder / f"{group}-without"
    mixed = _mixed(others, backgrounds, config, round(minutes), SEEDS[group] + 10, place, root, reporter)
    return [AnnotatedRecording(each.path, each.name, each.duration, (), "") for each in mixed]


def _mixed(
    clips: Mapping[str, Sequence[Clip]],
    backgrounds: Sequence[Clip],
    config: MixConfig,
    n_scenes: int,
    seed: int,
    folder: Path,
    root: Path,
    reporter: Reporter,
) -> list[AnnotatedRecording]:
    everything = [*backgrounds, *(clip for members in clips.values() for clip in members)]
    heard = sorted((clip.label, content_hash(clip.path)) for clip in everything)
    target = folder.with_name(f"{folder.name}-{key_of(config.model_dump(), n_scenes, seed, heard)[:8]}")
    if not (target / "events.tsv").is_file():  # written last
        shutil.rmtree(target, ignore_errors=True)
        with reporter.bar(f"mixing {folder.name}") as tick:
            mix(clips, target, config, n_scenes, seed, backgrounds=backgrounds, root=root, progress=tick)
    return list(read_annotated(target))
