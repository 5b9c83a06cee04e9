"""Three groups of sources: one to train on, one to choose labels and thresholds on, one to report on.

The table `groups.toml` says which source is in which group for which label, and which licences may be trained on.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubbub import annotations, audio
from hubbub.datasets.clips import MANIFEST, read_clips
from hubbub.datasets.split import UNTESTED_CONFIDENCE
from hubbub.datasets.tables import read_rows
from hubbub.errors import DatasetError
from hubbub.events import Event, merge
from hubbub.files import make_folder
from hubbub.mixing import BACKGROUND, Clip
from hubbub.mixing.builtin.write import SOURCE as BUILT_IN
from hubbub.mixing.builtin.write import write_clips

TABLE = Path(__file__).with_name("groups.toml")
AUDIT = Path(__file__).with_name("audit.tsv")
GROUPS = ("train", "choose", "report")
PART = re.compile(r"(?<=esc50)-\d$")
"""Of a collection that is shared out among several sources."""
SPEECH, SILENCE = "speech", "silence"
LEAST_SPEECH, MOST_SPEECH = 0.5, 12.0
"""Seconds of a turn: shorter ones are left out, longer ones cut."""
BUILT_IN_PER_LABEL = 16
SEED = 1

ByLabel = dict[str, list[Clip]]


@dataclass(frozen=True)
class Sounds:
    """Clips by group and label: of the labels that were `tried`, and `others`, of which `background` is one."""

    tried: Mapping[str, ByLabel]
    others: Mapping[str, ByLabel]
    places: Mapping[Path, str]
    """Where a clip comes from: a repository or an address."""
    authors: Mapping[Path, str]
    """Who recorded it, where the manifest says so."""
    table: Mapping[str, Any]
    audit: "Audit"

    @property
    def labels(self) -> list[str]:
        """What was tried."""
        return sorted(self.table["labels"])

    def sources(self, label: str) -> dict[str, list[str]]:
        """Whose clips of a label that was tried are in which group, built-in ones left out."""
        return {
            group: sorted({clip.source or "" for clip in self.tried[group][label]} - {BUILT_IN}) for group in GROUPS
        }

    def without(self, group: str, labels: Sequence[str]) -> tuple[ByLabel, list[Clip]]:
        """Of a group the clips in which none of `labels` is to be heard, by label, and apart from them backgrounds."""
        silent = {label: clips for label, clips in self.tried[group].items() if label not in labels}
        silent |= self.others[group]
        backgrounds = silent.pop(BACKGROUND, [])
        return {label: clips for label, clips in sorted(silent.items()) if clips}, backgrounds

    def beneath(self, group: str, labels: Sequence[str]) -> list[Clip]:
        """What mixtures lie on: recordings of backgrounds, or steady sounds where the group has none, in which none of
        `labels` is heard."""
        others, backgrounds = self.without(group, labels)
        steady = [clip for kind in self.table["steady"]["kinds"] for clip in others.get(kind, ())]
        return self.audit.pure(backgrounds or steady, labels)


@dataclass(frozen=True)
class Audit:
    """By the stem of a clip's file, what another network hears in it beside its label, and whether it misses that."""

    hears: Mapping[str, Sequence[str]]
    misses: Mapping[str, Sequence[str]]

    def pure(self, clips: Iterable[Clip], labels: Iterable[str]) -> list[Clip]:
        """Those in which none of `labels` is heard beside a clip's own."""
        return [clip for clip in clips if not {*self.hears.get(clip.path.stem, ())} & {*labels}]


def read_audit(path: Path = AUDIT) -> Audit:
    """What `audit_sounds.py` wrote. Raises `DatasetError` as `read_rows` does."""
    columns = ("hears", "misses")
    rows = read_rows(path, ("clip", *columns), "\t")
    return Audit(*({row["clip"]: told.split(",") for row in rows if (told := row.get(column))} for column in columns))


def read_table(path: Path = TABLE) -> dict[str, Any]:
    """The table. Raises `DatasetError` where a source is in two groups for one label."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    for label, entry in (table["labels"] | table["others"]).items():
        named = [source for group in GROUPS for source in entry[group]]
        twice = sorted({source for source in named if named.count(source) > 1})
        if twice:
            raise DatasetError(f"{path}: {label}: {twice[0]} is in two groups; wanted each source in one")
    return table


def read_sounds(folders: Sequence[Path], made: Path, annotated: Path | None = None) -> Sounds:
    """The clips in `folders` by group, with built-in ones where the table asks for them, and speech cut out of the
    recordings in folders of `annotated` that the table names; what is made is written below `made`.

    Raises `DatasetError` for a licence that the table does not know.
    """
    table, audit = read_table(), read_audit()
    group_of = {
        (label, source): group
        for label, entry in (table["labels"] | table["others"]).items()
        for group in GROUPS
        for source in entry[group]
    }
    sorted_clips: dict[str, dict[str, ByLabel]] = {
        kind: {group: defaultdict(list) for group in GROUPS} for kind in ("labels", "others")
    }
    places: dict[Path, str] = {}
    authors: dict[Path, str] = {}
    everything: list[Clip] = []
    for folder in folders:
        home = folder if (folder / MANIFEST).is_file() else folder.parent
        rows = read_rows(home / MANIFEST, ("file", "label", "recording_id", "source", "licence"))
        places |= {(home / row["file"]).resolve(): row.get("source_url_or_repo") or "" for row in rows}
        authors |= {(home / row["file"]).resolve(): row["author"] for row in rows if row.get("author")}
        everything += read_clips(folder)
    for name, entry in table[SPEECH].items() if annotated is not None else ():
        spoken = _speech(annotated / name, entry["labels"], made / SPEECH, entry["licence"])
        places |= {clip.path.resolve(): entry["place"] for clip in spoken}
        everything += spoken
    placed = [
        (clip, group)
        for clip in everything
        if (group := group_of.get((clip.label, clip.source or ""), table["sources"].get(clip.source))) is not None
        and clip.confidence != UNTESTED_CONFIDENCE
        and clip.path.stem not in table["left_out"]
    ]
    # who recorded what is chosen or reported on is not trained on, in whatever collection
    apart = {authors.get(clip.path.resolve(), "").lower() for clip, group in placed if group != "train"} - {""}
    for clip, group in placed:
        if group == "train":
            if clip.licence not in table["licences"]:
                raise DatasetError(f"{clip.path}: no word on the licence {clip.licence!r} in {TABLE.name}")
            unfit = clip.source in table["left_out_of_training"] or clip.path.stem in table["holds"]
            unfit |= not audit.pure([clip], table["labels"]) or clip.label in audit.misses.get(clip.path.stem, ())
            if unfit or not table["licences"][clip.licence][0] or authors.get(clip.path.resolve(), "").lower() in apart:
                continue
        sorted_clips["labels" if clip.label in table["labels"] else "others"][group][clip.label].append(clip)
    for kind in sorted_clips:
        wanted = [label for label, entry in table[kind].items() if entry.get("built_in")]
        for clip in write_clips(made / "built-in" / kind, BUILT_IN_PER_LABEL, SEED, labels=wanted):
            if clip.label != BACKGROUND:
                sorted_clips[kind]["train"][clip.label].append(clip)
    _check_apart(sorted_clips)
    return Sounds(sorted_clips["labels"], sorted_clips["others"], places, authors, table, audit)


def _check_apart(sorted_clips: Mapping[str, Mapping[str, ByLabel]]) -> None:
    """Raises `DatasetError` where one recording is in two groups, under whatever label."""
    seen: dict[str, str] = {}
    for kind in sorted_clips.values():
        for group, by_label in kind.items():
            for clip in (clip for clips in by_label.values() for clip in clips):
                if seen.setdefault(clip.recording_id, group) != group:
                    raise DatasetError(f"{clip.path}: its recording is also in the group {seen[clip.recording_id]}")


def _speech(folder: Path, labels: str, made: Path, licence: str) -> list[Clip]:
    """What is said in the recordings below `folder`, a clip a turn, written below `made`; `labels` are their files."""
    named: dict[str, list[Event]] = {}
    for file in sorted(folder.glob(labels)):
        named |= {Path(name).stem: list(events) for name, events in annotations.read(file).items()}
    found = []
    for path in sorted(audio.find(folder)):
        said = [Event(each.onset, each.offset, SPEECH) for each in named[path.stem] if each.label != SILENCE]
        for index, turn in enumerate(merge(said)):
            if turn.duration < LEAST_SPEECH:
                continue
            target = made / f"{folder.name}__{path.stem}-{index}.wav"
            if not target.is_file():
                make_folder(made, DatasetError)
                samples, rate = audio.read(path, start=turn.onset, duration=min(turn.duration, MOST_SPEECH))
                audio.write(target, samples, rate)
            found.append(Clip(target, SPEECH, f"{folder.name}:{path.stem}", folder.name, licence))
    if not found:
        raise DatasetError(f"{folder}: nothing is said in its recordings; wanted turns in {labels}")
    return found


def trained_on(sounds: Sounds) -> list[Clip]:
    """Every clip of the group to train on, the built-in ones left out, by label and name."""
    everything = [clip for kind in (sounds.tried, sounds.others) for clips in kind["train"].values() for clip in clips]
    return sorted((clip for clip in everything if clip.source != BUILT_IN), key=lambda clip: (clip.label, clip.path))


__all__ = [
    "AUDIT", "GROUPS", "PART", "SPEECH", "Audit", "Sounds", "read_audit", "read_sounds", "read_table", "trained_on",
]  # fmt: skip
