"""Scenes as files: audio, their descriptions, and one table of events."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np

from hubbub import annotations, audio
from hubbub.errors import ConfigError
from hubbub.events import Event
from hubbub.files import make_folder, write_text
from hubbub.mixing.clip import Clip
from hubbub.mixing.config import MixConfig
from hubbub.mixing.render import render
from hubbub.mixing.sampling import sample_scene
from hubbub.mixing.store import ClipStore

Progress = Callable[[int, int], None]
"""Told (how many are done, how many there will be)."""


def mix(
    clips: Mapping[str, Sequence[Clip]],
    out: Path,
    config: MixConfig,
    n_scenes: int,
    seed: int,
    *,
    backgrounds: Sequence[Clip] = (),
    root: Path | None = None,
    jobs: int = 1,
    subtype: str = "PCM_16",
    progress: Progress | None = None,
) -> dict[str, list[Event]]:
    """Writes `n_scenes` scenes: out/audio/scene-000.wav, out/scenes/scene-000.json, out/events.tsv. Returns the events.

    Scene i is drawn from (seed, i), so `jobs` changes nothing but the time. Jobs are threads, which share the clips
    they have read, unless `joblib.parallel_config` says otherwise. Clips below `root` are named relative to it
    in the descriptions. Raises `ConfigError` where `out` holds audio already or cannot be written, and as
    `sample_scene` and `render` do.
    """
    width = max(3, len(str(n_scenes - 1)))
    names = [f"scene-{index:0{width}d}" for index in range(n_scenes)]
    _prepare(out)
    run = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    table: dict[str, list[Event]] = {}
    try:
        work = (
            joblib.delayed(_one)(clips, out, name, config, [seed, index], backgrounds, root, subtype)
            for index, name in enumerate(names)
        )
        for done, (name, events) in enumerate(run(work), start=1):
            table[f"{name}.wav"] = events
            if progress is not None:
                progress(done, n_scenes)
    finally:
        _store.cache_clear()
    annotations.write(out / "events.tsv", table, "dcase")
    return table


def _prepare(out: Path) -> None:
    make_folder(out / "audio", ConfigError)
    make_folder(out / "scenes", ConfigError)
    if any((out / "audio").glob("*.wav")):
        raise ConfigError(f"{out / 'audio'}: holds recordings already; remove them or choose another folder")


@functools.lru_cache(maxsize=1)
def _store(config: MixConfig, root: Path | None) -> ClipStore:
    """The clips of this process, shared by its threads and kept from scene to scene."""
    return ClipStore(config.sample_rate, config.activity, root)


def _one(
    clips: Mapping[str, Sequence[Clip]],
    out: Path,
    name: str,
    config: MixConfig,
    seeds: list[int],
    backgrounds: Sequence[Clip],
    root: Path | None,
    subtype: str,
) -> tuple[str, list[Event]]:
    store = _store(config, root)
    scene = sample_scene(clips, config, np.random.default_rng(seeds), backgrounds=backgrounds, store=store)
    samples, events = render(scene, store)
    audio.write(out / "audio" / f"{name}.wav", samples, config.sample_rate, subtype)
    write_text(out / "scenes" / f"{name}.json", scene.to_json(), ConfigError)
    return name, events
