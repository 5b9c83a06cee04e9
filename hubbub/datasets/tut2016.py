"""TUT-SED Synthetic 2016 as it is published: 100 mixtures of 16 sounds, 566 minutes, with an official split.

    audio/TUT-SED-synthetic-2016-mix-7.wav       44.1 kHz, 32 bits, mono; mixtures are numbered from 0 to 99
    meta/TUT-SED-synthetic-2016-annot-7.txt      onset, offset, label; tabs or blanks, no header
    evaluation_setup/{train+validate,validate,test,evaluate}.txt

Whatever is written in this layout is read just the same. The data may not be passed on, so nothing here fetches them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from hubbub import audio
from hubbub.annotations.formats import event, read_lines
from hubbub.datasets.annotated import AnnotatedRecording, within
from hubbub.datasets.archives import Archive, damaged
from hubbub.datasets.checks import Wrong, ranges, stop, told
from hubbub.datasets.mixed_tree import RECIPE
from hubbub.datasets.split import SIDES, Side
from hubbub.errors import AnnotationError, DatasetError
from hubbub.events import Event

NAME = "TUT-SED-synthetic-2016"
N_MIXTURES = 100
REPORT_EVENTS: dict[str, int] = {
    "alarms_and_sirens": 571,
    "baby_crying": 3342,
    "bird_singing": 6079,
    "bus": 456,
    "cat_meowing": 885,
    "crowd_applause": 1400,
    "crowd_cheering": 613,
    "dog_barking": 3145,
    "footsteps": 8302,
    "glass_smash": 693,
    "gun_shot": 1581,
    "horsewalk": 6603,
    "mixer": 547,
    "motorcycle": 824,
    "rain": 511,
    "thunder": 774,
}
"""Events by label, as table 2 of the report counts them in the published data."""
LABELS = tuple(sorted(REPORT_EVENTS))
ARCHIVES = (
    Archive(f"{NAME}.meta.zip", 973618, "e2ae895bdf39f2a359a97bb0bcf76101"),
    Archive(f"{NAME}.audio.1.zip", 1026369647, "ede8b9c6d1b0d1d64bfc5791404f58fb"),
    Archive(f"{NAME}.audio.2.zip", 1018650039, "cde647a377a58fc74e3012139d65c447"),
    Archive(f"{NAME}.audio.3.zip", 1070239392, "5fc2824dcce442f441f4c6a975881789"),
    Archive(f"{NAME}.audio.4.zip", 1040622610, "4ba016d949171ccc8493d3d274009825"),
    Archive(f"{NAME}.audio.5.zip", 264812997, "6a44578dd7738bd4ba044d5d2b9a5448"),
    Archive(f"{NAME}.features.zip", 480894082, "66bc0abc19a276986964a6d4a2d2f6bc"),
)
"""As dcase_util lists them."""
LISTS = "evaluation_setup"
CUSTOMARY_SIDES: dict[Side, range] = {"train": range(40, 100), "validation": range(20, 40), "test": range(20)}
"""Mixtures by side where the lists are not there, as others who load the set without them split it."""
LAYOUT = f"audio/{NAME}-mix-N.wav with meta/{NAME}-annot-N.txt, N from 0 to {N_MIXTURES - 1}"


@dataclass(frozen=True)
class Tut2016:
    """The data set, or what is there of it.

    `recordings` are sorted by the number of the mixture; `sides` hold their names by official side, in the same order.
    `missing` has one sentence for whatever an unfinished download lacks, `notes` sentences on what had to be assumed.
    """

    folder: Path
    recordings: tuple[AnnotatedRecording, ...]
    sides: Mapping[Side, tuple[str, ...]]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def side(self, side: Side) -> list[AnnotatedRecording]:
        """The recordings of an official side, in the order of their numbers."""
        names = set(self.sides[side])
        return [recording for recording in self.recordings if recording.name in names]


def audio_name(number: int) -> str:
    """Where mixture `number` lies below the folder, with forward slashes."""
    return f"audio/{NAME}-mix-{number}.wav"


def annotation_name(number: int) -> str:
    """Where the labels of mixture `number` lie below the folder, with forward slashes."""
    return f"meta/{NAME}-annot-{number}.txt"


def is_tut2016(folder: Path) -> bool:
    """Whether `folder`, or a folder of the set's name in it, has a mixture, an annotation or an archive of the set."""
    return _root(folder) is not None


def read_tut2016(folder: Path, wrong: Wrong = stop) -> Tut2016:
    """The recordings with their events and the official sides; `folder` is the set's, or the one that it lies in.

    Mixtures whose audio is not there are `missing`, not an error; where any are, archives that lie in the folder or
    beside it are checked. Events that pass the end of a mixture are cut there, and its `problems` say so. Without
    lists the sides are `CUSTOMARY_SIDES`, and a note says so.

    `wrong` is told of every error below but the first; the default raises it. Raises `DatasetError` where the folder
    holds no mixture, where audio has no annotation, where a list is missing, names what is no mixture or has a mixture
    of another side; `AnnotationError` with path:line for a row that is not onset, offset and one of `LABELS`;
    `AudioError` for a recording that cannot be read or is cut short.
    """
    root = _root(folder)
    if root is None:
        what = "holds nothing of" if folder.is_dir() else "is no folder with"
        raise DatasetError(f"{folder}: {what} TUT-SED Synthetic 2016; wanted {LAYOUT}")
    numbers = {number for number in range(N_MIXTURES) if (root / audio_name(number)).is_file()}
    bare = {number for number in numbers if not (root / annotation_name(number)).is_file()}
    if bare:
        wrong(_unlabelled(root, bare))
    recordings = {}
    for number in sorted(numbers - bare):
        with told(wrong):
            recordings[number] = _recording(root, number, wrong)
    missing = _missing(root, numbers)
    if not numbers:
        wrong(DatasetError(f"{root}: none of the {N_MIXTURES} mixtures is there; unpack the archives, for {LAYOUT}"))
    sides, notes = _sides(root, wrong)
    unlisted = numbers - set().union(*sides.values())
    if unlisted:
        notes.append(f"in none of the lists, and so on no side: mixtures {ranges(unlisted)}")
    return Tut2016(
        root,
        tuple(recordings.values()),
        {side: tuple(audio_name(number) for number in sorted(sides[side] & set(recordings))) for side in SIDES},
        tuple(missing),
        tuple(notes),
    )


def damaged_archives(root: Path) -> list[str]:
    """One sentence for each archive of the set, in the folder or beside it, with the wrong size or checksum."""
    return damaged(ARCHIVES, (root, root.absolute().parent))


def _root(folder: Path) -> Path | None:
    """Where the set lies; archives that are not unpacked yet are better than nothing."""
    numbers = range(N_MIXTURES)
    mixtures = [name(number) for number in numbers for name in (audio_name, annotation_name)]
    for names in (mixtures, [archive.name for archive in ARCHIVES]):
        for root in (folder, folder / NAME):
            if any((root / name).is_file() for name in names):
                return root
    return None


def _unlabelled(root: Path, bare: set[int]) -> DatasetError:
    first = min(bare)
    more = f" (and so for mixtures {ranges(bare)})" if len(bare) > 1 else ""
    return DatasetError(
        f"{root / annotation_name(first)}: is missing, and {audio_name(first)} is there{more}; wanted labels for every "
        f"mixture; unpack {ARCHIVES[0].name} again"
    )


def _missing(root: Path, numbers: set[int]) -> list[str]:
    wanted = set(range(_n_made(root)))
    absent = wanted - numbers
    if not absent:
        return []
    there = f"{len(wanted & numbers)} of {len(wanted)} mixtures are there"
    return [f"{root}: {there}; missing: {ranges(absent)}", *damaged_archives(root)]


def _n_made(root: Path) -> int:
    """How many mixtures there are to be: of a stand-in as many as its recipe says."""
    try:
        recipe = json.loads((root / RECIPE).read_text("utf-8"))
        made = sum(int(number) for number in recipe["mixtures"].values()) if recipe["recipe"] == "tut2016" else 0
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        made = 0  # the published set has no recipe
    return made or N_MIXTURES


def _recording(root: Path, number: int, wrong: Wrong) -> AnnotatedRecording:
    path = root / audio_name(number)
    duration = audio.info(path).duration
    annotation = root / annotation_name(number)
    events = []
    for line, text in enumerate(read_lines(annotation), start=1):
        if text.strip():
            with told(wrong):
                events.append(_event(annotation, line, text))
    kept, problems = within(sorted(events), duration)
    return AnnotatedRecording(path, audio_name(number), duration, kept, path.stem, problems=problems)


def _event(path: Path, line: int, text: str) -> Event:
    fields = [field.strip() for field in (text.rstrip().split("\t") if "\t" in text else text.split())]
    if len(fields) != 3:
        raise AnnotationError(f"{path}:{line}: has {len(fields)} columns; wanted 3: onset offset label")
    if fields[2] not in LABELS and fields[0] in LABELS:
        raise AnnotationError(f"{path}:{line}: the label {fields[0]!r} comes first; wanted onset offset label")
    found = event(path, line, *fields)
    if found.label not in LABELS:
        near = get_close_matches(found.label, LABELS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(LABELS)}"
        raise AnnotationError(
            f"{path}:{line}: label {found.label!r} is none of the {len(LABELS)} of TUT-SED Synthetic 2016; {hint}"
        )
    return found


def _sides(root: Path, wrong: Wrong) -> tuple[dict[Side, set[int]], list[str]]:
    """Mixtures by side, and notes."""
    home = root / LISTS
    if not home.is_dir():
        spoken = ", ".join(f"{side} {numbers[0]}-{numbers[-1]}" for side, numbers in CUSTOMARY_SIDES.items())
        note = f"{home} is not there; split as others do who have no lists: {spoken}"
        return {side: set(numbers) for side, numbers in CUSTOMARY_SIDES.items()}, [note]
    test_list = home / ("test.txt" if (home / "test.txt").is_file() else "evaluate.txt")
    known = _list(home / "train+validate.txt", wrong)
    validation, test = _list(home / "validate.txt", wrong), _list(test_list, wrong)
    for number in sorted(test & (known | validation)):
        other = "validate.txt" if number in validation else "train+validate.txt"
        wrong(
            DatasetError(
                f"{test_list}: lists {audio_name(number)}, which {home / other} lists too; a mixture lies on one side; "
                "take it out of one of the lists"
            )
        )
    return {"train": known - validation, "validation": validation, "test": test}, []


def _list(path: Path, wrong: Wrong) -> set[int]:
    """The mixtures that a list names in the first column, which other columns may follow."""
    numbers: set[int] = set()
    if not path.is_file():
        wrong(DatasetError(f"{path}: is missing; unpack {ARCHIVES[0].name} again, or remove {path.parent} as a whole"))
        return numbers
    with told(wrong):
        for line, text in enumerate(read_lines(path), start=1):
            name = text.split()[0] if text.strip() else ""
            matched = re.fullmatch(rf"(?:.*[/\\])?{NAME}-(?:mix|annot)-(\d+)(?:\.\w+)?", name)
            if matched is not None and int(matched[1]) < N_MIXTURES:
                numbers.add(int(matched[1]))
            elif name:
                wrong(
                    DatasetError(
                        f"{path}:{line}: {name} is no mixture; wanted {audio_name(0)} to {audio_name(N_MIXTURES - 1)}"
                    )
                )
    return numbers
