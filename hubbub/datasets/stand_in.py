"""A stand-in for TUT-SED Synthetic 2016, mixed from any folder of clips by the recipe of the real set, in its layout.

Published of the real set: 100 mixtures, 566 minutes, 44.1 kHz, mono, 32 bit; 4 to 9 of 16 labels a mixture; excerpts of
3 to 15 s and silences of random length; no background; other clips for each side; labels from energy; and how often
and how long each label sounds in all. Mixtures 0 to 19 are tested on, 20 to 39 validated on, the others trained on.

Chosen here, since it was not published:

- Silences: so long that each label, drawn into its share of the mixtures, sounds for its published seconds.
- Labels from energy: `ACTIVITY`, one setting for all labels. Of a dozen tried on free clips it came closest to the
  published 36 326 events in all, and in the mean of the labels' ratios it was among the best: at -20 dB or with gaps of
  50 ms left open, thunder, rain and birds come in too many pieces, at -25 dB or below steps and barks in too few.
- Clips: free clips are shorter than an excerpt, so those of sounds that last (`HELD`) are repeated without a pause
  until it is filled; steps, hoofs and shots are repeated with pauses, as `MixConfig` does. Applause is not held: its
  published events last 2.3 s, no longer than such clips.
- Levels and filters: those of `MixConfig`, with which a mixture peaks near 0 dB at most; so samples are 32-bit
  integers, which every reader of WAV files knows, and not floats.

What remains is in the clips: where one sounds with pauses, or is short, its label has more events than in the real set.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import joblib
import numpy as np

from hubbub import annotations, audio
from hubbub.datasets.clips import read_clips, relative_name
from hubbub.datasets.features import content_hash, key_of
from hubbub.datasets.mixed_tree import begin_tree, versions
from hubbub.datasets.split import Side, Split, items_of_clips, make_split
from hubbub.datasets.split_file import write_split
from hubbub.datasets.tut2016 import LABELS, LISTS, REPORT_EVENTS, annotation_name, audio_name
from hubbub.datasets.tut2016 import N_MIXTURES as N_ALL
from hubbub.errors import ConfigError, DatasetError
from hubbub.events import Event
from hubbub.files import write_text
from hubbub.mixing import ActivityConfig, Clip, ClipStore, MixConfig, by_label, render, sample_scene

Progress = Callable[[int, int], None]
Apart = Literal["sources", "recordings"]

PUBLISHED_SECONDS: Mapping[str, float] = {
    "alarms_and_sirens": 4405,
    "baby_crying": 2007,
    "bird_singing": 2298,
    "bus": 3464,
    "cat_meowing": 941,
    "crowd_applause": 3278,
    "crowd_cheering": 4825,
    "dog_barking": 716,
    "footsteps": 1173,
    "glass_smash": 621,
    "gun_shot": 534,
    "horsewalk": 1614,
    "mixer": 4020,
    "motorcycle": 3691,
    "rain": 3975,
    "thunder": 3007,
}
"""For how long each label sounds in the real set."""
PUBLISHED_MINUTES = 566.0
SAMPLE_RATE = 44100
SUBTYPE = "PCM_32"
BYTES_PER_SAMPLE = 4
FEWEST_LABELS, MOST_LABELS = 4, 9
N_MIXTURES = (60, 20, 20)
ORDER: tuple[Side, ...] = ("test", "validation", "train")
"""In which mixtures are numbered."""
UNEVEN = 0.12
"""How much shorter or longer than their mean mixtures are, at most."""

HELD = ("alarms_and_sirens", "bus", "crowd_cheering", "mixer", "motorcycle", "rain")
ACTIVITY = ActivityConfig(threshold_db=-22.0, certain_db=-15.0, shortest_gap=0.1, shortest_event=0.06)
CONFIG = MixConfig(
    sample_rate=SAMPLE_RATE,
    n_labels=(FEWEST_LABELS, MOST_LABELS),
    duty_of=tuple(
        (label, seconds / (PUBLISHED_MINUTES * 60 * (FEWEST_LABELS + MOST_LABELS) / 2 / len(LABELS)))
        for label, seconds in PUBLISHED_SECONDS.items()
    ),
    hold=HELD,
    activity=ACTIVITY,
)

FOLDERS = ("audio", "meta", LISTS, "scenes")
README = """STAND-IN for TUT-SED Synthetic 2016: this is not that data set.

hubbub mixed it from other clips, by the recipe of the real one as far as that was published, in the layout of the real
one (audio/, meta/, evaluation_setup/). Scores on it are not comparable with scores on the real set.

recipe.json        settings, seed, versions, and the clips of each label with their sources and licences
split.tsv          the side of each clip
scenes/            what lies where in each mixture: hubbub renders it again from the clips
"""


@dataclass(frozen=True)
class StandIn:
    """What was mixed: `duration` in seconds, over all mixtures; by label its `events` and the `seconds` for which it
    sounds; `polyphony`, how many labels sound at once on average; `seconds_with`, for how many seconds no label, 1, 2,
    … labels sound at once; `notes`, sentences for the user."""

    folder: Path
    n_mixtures: int
    duration: float
    events: Mapping[str, int]
    seconds: Mapping[str, float]
    polyphony: float
    seconds_with: tuple[float, ...]
    notes: tuple[str, ...]

    LABELS: ClassVar[tuple[str, ...]] = LABELS
    PUBLISHED_POLYPHONY: ClassVar[float] = 1.19
    PUBLISHED_MOST: ClassVar[int] = 5
    """How many labels sound at once in the real set: on average, and at most."""

    def published(self, label: str) -> tuple[float, float]:
        """The real set's events and seconds of `label`, scaled to the duration of this one."""
        part = self.duration / (PUBLISHED_MINUTES * 60)
        return REPORT_EVENTS[label] * part, PUBLISHED_SECONDS[label] * part


def mix_tut2016(
    clips_folder: Path,
    out: Path,
    seed: int = 0,
    jobs: int = 2,
    progress: Progress | None = None,
    n_mixtures: tuple[int, int, int] = N_MIXTURES,
    minutes: float = PUBLISHED_MINUTES,
    apart: Apart = "sources",
) -> StandIn:
    """Mixes the stand-in below `out` from the clips of the 16 labels in `clips_folder`; mixtures there already stay.

    `n_mixtures` are those to train, validate and test on, `minutes` their length in all. The clips are split by
    `make_split`, `apart` saying what no two sides share where a label has enough of them: `sources`, which is
    hubbub's rule, or `recordings` only, as in the real set, all clips of which come from one library. The same
    clips, seed and dials give the same bytes, whatever `jobs` (threads).

    Raises `DatasetError` where a side has clips of fewer than 4 of the labels, and as `read_clips`; `ConfigError` where
    `out` holds something else, cannot be written or has too little space; `AudioError` where a clip cannot be read.
    """
    clips = [clip for clip in read_clips(clips_folder) if clip.label in LABELS]
    labels = sorted({clip.label for clip in clips})
    if len(labels) < FEWEST_LABELS:
        raise DatasetError(
            f"{clips_folder}: clips of {len(labels)} of the labels of TUT-SED Synthetic 2016 ({_listed(labels)}); "
            f"wanted at least {FEWEST_LABELS} of {', '.join(LABELS)}"
        )
    if min(n_mixtures) < 1 or sum(n_mixtures) > N_ALL or not 0 < minutes < np.inf:
        raise ConfigError(f"{n_mixtures} mixtures of {minutes:g} minutes; wanted one or more a side, {N_ALL} in all")
    items = items_of_clips(clips, clips_folder)
    if apart == "recordings":
        items = [replace(item, source=None) for item in items]
    split = make_split(items, seed)
    members = {
        side: by_label(c for c in clips if split.sides[relative_name(c.path, clips_folder)] == side)[0]
        for side in ORDER
    }
    for side, its_clips in members.items():
        if len(its_clips) < FEWEST_LABELS:
            raise DatasetError(
                f"{clips_folder}: the {side} side has clips of {len(its_clips)} labels ({_listed(its_clips)}); "
                f"wanted at least {FEWEST_LABELS}; add recordings"
            )
    counts = dict(zip(("train", "validation", "test"), n_mixtures, strict=True))
    sides = [side for side in ORDER for _ in range(counts[side])]
    durations = _durations(len(sides), minutes, seed)
    _begin(out, clips, clips_folder, split, n_mixtures, minutes)
    missing = [index for index in range(len(sides)) if not (out / audio_name(index)).is_file()]
    _check_space(out, sum(durations[index] for index in missing))

    stores = {side: ClipStore(SAMPLE_RATE, ACTIVITY, clips_folder) for side in ORDER}
    work = (
        joblib.delayed(_one)(out, index, members[sides[index]], durations[index], seed, stores[sides[index]])
        for index in missing
    )
    done = len(sides) - len(missing)
    for _ in joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(work):
        done += 1
        if progress is not None:
            progress(done, len(sides))
    tables = [_events(out, index) for index in range(len(sides))]
    _write_lists(out, sides, tables)
    return _summary(out, tables, sum(durations), _notes(labels, members, split))


def _durations(n: int, minutes: float, seed: int) -> list[float]:
    """Seconds of each mixture, `minutes` in all but for rounding."""
    drawn = np.random.default_rng([seed, n]).uniform(1 - UNEVEN, 1 + UNEVEN, n)
    return [round(float(one), 3) for one in drawn / drawn.sum() * minutes * 60]


def _one(
    out: Path, index: int, clips: Mapping[str, Sequence[Clip]], duration: float, seed: int, store: ClipStore
) -> None:
    """Writes one mixture, its audio last: where that is, the others are."""
    most = min(MOST_LABELS, len(clips))
    config = CONFIG.model_copy(update={"duration": (duration, duration), "n_labels": (FEWEST_LABELS, most)})
    scene = sample_scene(clips, config, np.random.default_rng([seed, index]), store=store)
    samples, events = render(scene, store)
    write_text(out / scene_name(index), scene.to_json(), DatasetError)
    annotations.write(out / annotation_name(index), {audio_name(index): events}, "text")
    audio.write(out / audio_name(index), samples, SAMPLE_RATE, SUBTYPE)


def scene_name(number: int) -> str:
    """Where the description of mixture `number` lies below the folder, with forward slashes."""
    return f"scenes/{Path(audio_name(number)).stem}.json"


def _events(out: Path, index: int) -> list[Event]:
    (events,) = annotations.read(out / annotation_name(index), format="text").values()
    return events


def _begin(
    out: Path,
    clips: Sequence[Clip],
    clips_folder: Path,
    split: Split,
    n_mixtures: tuple[int, int, int],
    minutes: float,
) -> None:
    """Makes the folders and says what they are; raises `ConfigError` where they hold another tree."""
    contents = sorted((relative_name(clip.path, clips_folder), content_hash(clip.path)) for clip in clips)
    key = key_of(
        CONFIG.model_dump(mode="json"), split.seed, n_mixtures, float(minutes), contents, sorted(split.sides.items())
    )
    begin_tree(out, FOLDERS, _recipe(key, clips, clips_folder, split, n_mixtures, minutes), README)
    write_split(out / "split.tsv", split)


def _recipe(
    key: str,
    clips: Sequence[Clip],
    clips_folder: Path,
    split: Split,
    n_mixtures: tuple[int, int, int],
    minutes: float,
) -> dict[str, object]:
    by_name: dict[str, dict[str, object]] = {}
    for label, members in by_label(clips)[0].items():
        sides = Counter(split.sides[relative_name(clip.path, clips_folder)] for clip in members)
        by_name[label] = {
            "clips": {side: sides[side] for side in ORDER},
            "recordings": len({clip.recording_id for clip in members}),
            "sources": dict(Counter(clip.source or "unknown" for clip in members)),
            "licences": dict(Counter(clip.licence or "unknown" for clip in members)),
        }
    return {
        "what": "a stand-in for TUT-SED Synthetic 2016, not that data set",
        "recipe": "tut2016",
        "key": key,
        "seed": split.seed,
        "mixtures": dict(zip(("train", "validation", "test"), n_mixtures, strict=True)),
        "minutes": minutes,
        "config": CONFIG.model_dump(mode="json"),
        "labels": by_name,
        "versions": versions(),
    }


def _check_space(out: Path, seconds: float) -> None:
    needed = seconds * SAMPLE_RATE * BYTES_PER_SAMPLE * 1.02
    free = shutil.disk_usage(out).free
    if needed > free:
        raise ConfigError(f"{out}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB free; make room for it")


def _write_lists(out: Path, sides: Sequence[Side], tables: Sequence[Sequence[Event]]) -> None:
    """The lists in `evaluation_setup/`: what to test on by name alone, the others with their events."""
    lists: dict[str, tuple[Side, ...]] = {
        "train+validate": ("train", "validation"),
        "validate": ("validation",),
        "evaluate": ("test",),
    }
    for name, wanted in lists.items():
        rows = [
            f"{audio_name(index)}\tsynthetic\t{event.onset:.6f}\t{event.offset:.6f}\t{event.label}\tm\n"
            for index, side in enumerate(sides)
            if side in wanted
            for event in tables[index]
        ]
        write_text(out / LISTS / f"{name}.txt", "".join(rows), DatasetError)
    tested = [f"{audio_name(index)}\n" for index, side in enumerate(sides) if side == "test"]
    write_text(out / LISTS / "test.txt", "".join(tested), DatasetError)


def _summary(out: Path, tables: Sequence[Sequence[Event]], duration: float, notes: Iterable[str]) -> StandIn:
    events: Counter[str] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    seconds_with: dict[int, float] = defaultdict(float)
    for table in tables:
        steps: dict[float, int] = defaultdict(int)
        for event in table:
            events[event.label] += 1
            seconds[event.label] += event.offset - event.onset
            steps[event.onset] += 1
            steps[event.offset] -= 1
        sounding, last = 0, 0.0
        for time, step in sorted(steps.items()):
            seconds_with[sounding] += time - last
            sounding, last = sounding + step, time
    seconds_with[0] = duration - sum(some for number, some in seconds_with.items() if number)
    return StandIn(
        out,
        len(tables),
        duration,
        dict(sorted(events.items())),
        dict(sorted(seconds.items())),
        sum(seconds.values()) / duration,
        tuple(seconds_with[number] for number in range(max(seconds_with) + 1)),
        tuple(notes),
    )


def _notes(labels: Sequence[str], members: Mapping[Side, Mapping[str, Sequence[Clip]]], split: Split) -> Iterable[str]:
    if absent := [label for label in LABELS if label not in labels]:
        yield f"no clips of {_listed(absent)}: these labels do not sound"
    for side, its_clips in members.items():
        if lacking := [label for label in labels if label not in its_clips]:
            yield f"no clips on the {side} side of {_listed(lacking)}"
    yield from split.notes


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels)) or "none"
