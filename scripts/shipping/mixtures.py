"""Mixtures to choose and to report on, an hour of recordings without the labels, and what training mixes for itself."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording, read_annotated
from hubbub.datasets.features import content_hash, key_of
from hubbub.mixing import Clip, ClipStore, MixConfig
from hubbub.mixing.write import mix
from hubbub.training.config import TrainConfig
from hubbub.training.fresh import Fresh
from hubbub.training.front_end import OURS
from hubbub.training.reporting import Reporter
from hubbub.training.soundscapes import mix_config
from shipping.extras import changed, synthesised
from shipping.groups import SEED, SPEECH, Sounds

LABELS_OF_A_SCENE = (1, 4)
POLYPHONY = 0.5
"""Labels that sound at once on average: as in a street, not as in TUT-SED Synthetic 2016, whose recipe is denser."""
HOUR = 3600.0
SEEDS = {"choose": 11, "report": 12}
TRAINING = {
    "n_labels": (2, 8),
    "polyphony": 1.0,
    "scene_gain_db": (-18.0, 12.0),
    "jitter_db": 7.0,
    "speeds": (0.8, 0.9, 1.0, 1.1, 1.25),
}
"""Beside what `hubbub train` colours: about as many sounds that are no label as labels, at more levels and speeds."""
STORE_BYTES = 4 * 2**30
WITHOUT = {"n_labels": (1, 3), "polyphony": POLYPHONY, "scene_gain_db": (-12.0, 12.0)}
"""How recordings without any label are mixed with each other: as the mixtures with labels are, at more levels."""


@dataclass(frozen=True)
class Hour:
    """An hour of audio in which none of the labels is to be heard. `seconds_alone`: of distinct recordings, each played
    once as it is; the rest are those recordings mixed with each other. `made_of`: seconds alone by kind and source."""

    recordings: Sequence[AnnotatedRecording]
    seconds_alone: float
    made_of: Mapping[str, float]

    def facts(self) -> dict[str, Any]:
        """Ready for JSON."""
        seconds = sum(each.duration for each in self.recordings)
        return {"hour": {"seconds": seconds, "seconds_alone": self.seconds_alone, "made_of": dict(self.made_of)}}


def fresh(sounds: Sounds, labels: Sequence[str], config: TrainConfig, made: Path) -> Fresh:
    """What training mixes while it runs: all sounds of its group, of which `labels` are asked for, and what is made
    beside them, below the folder `made`."""
    others, backgrounds = sounds.without("train", labels)
    clips = {label: changed(sounds.tried["train"][label], made / "changed", SEED) for label in labels}
    clips |= _together(others | synthesised(made / "synthesised", SEED), sounds.table["together"])
    mixing = mix_config("train", len(clips), config, True).model_copy(
        update=TRAINING | {"sample_rate": OURS.sample_rate}
    )
    store = ClipStore(mixing.sample_rate, mixing.activity, max_bytes=STORE_BYTES)
    return Fresh(
        clips, backgrounds, mixing, tuple(labels), OURS, config.train_minutes, store, config.noisy, config.quiet
    )


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
    """Scenes mixed from the clips of `labels` in `group`; those that are there already are taken."""
    _, backgrounds = sounds.without(group, labels)
    config = mix_config("test", len(labels), TrainConfig(), True).model_copy(
        update={"n_labels": LABELS_OF_A_SCENE, "polyphony": POLYPHONY}
    )
    clips = {label: sounds.tried[group][label] for label in labels}
    return _mixed(clips, backgrounds, config, round(minutes), SEEDS[group], folder / group, root, reporter)


def hour_without(
    sounds: Sounds, group: str, labels: Sequence[str], folder: Path, root: Path, reporter: Reporter
) -> Hour:
    """An hour of recordings of `group` that hold none of `labels`: each as it is, then mixed with each other."""
    others, backgrounds = sounds.without(group, labels)
    alone = [
        AnnotatedRecording(clip.path, f"{clip.label}/{clip.path.name}", audio.info(clip.path).duration, (), "")
        for clip in [*backgrounds, *(clip for clips in others.values() for clip in clips)]
    ]
    made_of: dict[str, float] = {}
    for clip, recording in zip(
        [*backgrounds, *(clip for clips in others.values() for clip in clips)], alone, strict=True
    ):
        kind = f"{clip.label} ({clip.source})"
        made_of[kind] = made_of.get(kind, 0.0) + recording.duration
    seconds = sum(recording.duration for recording in alone)
    config = mix_config("test", len(others), TrainConfig(), True).model_copy(update=WITHOUT)
    under = [*backgrounds, *others.get(SPEECH, ())]
    n_scenes = max(0, -int(-(HOUR - seconds) // config.duration[0]))
    mixed = _mixed(others, under, config, n_scenes, SEEDS[group] + 10, folder / f"{group}-without", root, reporter)
    silent = [AnnotatedRecording(each.path, each.name, each.duration, (), "") for each in mixed]
    return Hour([*alone, *silent], seconds, made_of)


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
