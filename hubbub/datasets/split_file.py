"""A split as a file, so that a run can be repeated, and the check that it still holds for the data it is used on.

The file is a table `file<TAB>side`, sorted by file. Above its header stand lines with `#`: the seed, the labels that
are recording-disjoint only, and the notes, one a line.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from hubbub.datasets.split import SIDES, UNTESTED_CONFIDENCE, Item, Side, Split
from hubbub.datasets.tables import some
from hubbub.errors import DatasetError
from hubbub.files import replacing
from hubbub.mixing.clip import BACKGROUND

SEED = "# seed: "
RECORDING_DISJOINT = "# recording-disjoint only: "
NOTE = "# note: "
HEADER = ["file", "side"]


def write_split(path: Path, split: Split) -> None:
    """Write `split`; raises `DatasetError` where the file cannot be written."""
    with replacing(path, DatasetError) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{SEED}{split.seed}\n")
        for label in split.recording_disjoint:
            file.write(f"{RECORDING_DISJOINT}{label}\n")
        for note in split.notes:
            file.write(f"{NOTE}{note}\n")
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(sorted(split.sides.items()))


def read_split(path: Path) -> Split:
    """The split of a file that `write_split` wrote, or that was written by hand (the `#` lines may be missing).

    Raises `DatasetError` with `path:line` for whatever is not such a table.
    """
    seed, disjoint, notes = 0, [], []
    sides: dict[str, Side] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = file.readlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read as a split: {error}") from error
    above = 0
    while above < len(lines) and lines[above].startswith("#"):
        line = lines[above].rstrip("\r\n")
        above += 1
        if line.startswith(SEED):
            seed = _seed(f"{path}:{above}", line.removeprefix(SEED))
        elif line.startswith(RECORDING_DISJOINT):
            disjoint.append(line.removeprefix(RECORDING_DISJOINT))
        elif line.startswith(NOTE):
            notes.append(line.removeprefix(NOTE))
    rows = csv.reader(lines[above:], delimiter="\t")
    if next(rows, None) != HEADER:
        raise DatasetError(f"{path}:{above + 1}: no header; wanted file and side, with a tab between")
    for row in rows:
        where = f"{path}:{above + rows.line_num}"
        if not row:
            continue
        if len(row) != 2 or row[1] not in SIDES:
            raise DatasetError(f"{where}: found {' '.join(row)!r}; wanted a file, a tab and one of {', '.join(SIDES)}")
        if row[0] in sides:
            raise DatasetError(f"{where}: {row[0]} has a side already; a file is named once")
        sides[row[0]] = SIDES[SIDES.index(row[1])]
    return Split(sides, seed, tuple(disjoint), tuple(notes))


def check_split(split: Split, items: Sequence[Item]) -> None:
    """Raises `DatasetError` where `split` does not hold for `items`: an item without a side, a side for what is not
    there, an empty side, a recording on two sides, confidence C on the test side, or a source on two sides of a label
    that is not listed as recording-disjoint only.
    """
    ids = {item.id for item in items}
    missing, unknown = sorted(ids - set(split.sides)), sorted(set(split.sides) - ids)
    if missing:
        raise DatasetError(f"the split gives no side to {some(missing)}; make a new split")
    if unknown:
        raise DatasetError(f"the split names {some(unknown)}, not in the data set; make a new split")
    for side in SIDES:
        if not split.ids(side):
            raise DatasetError(
                f"the split has nothing to {_PURPOSE[side]}; it takes three recordings or more of a label"
            )
    recordings: dict[str, list[Item]] = defaultdict(list)
    sources: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.confidence == UNTESTED_CONFIDENCE and split.sides[item.id] == "test":
            raise DatasetError(f"the split tests on {item.id}, whose label has confidence C; make a new split")
        recordings[item.recording_id].append(item)
        for label in item.labels:
            if item.source is not None and label != BACKGROUND and label not in split.recording_disjoint:
                sources[label, item.source].append(item)
    for recording, its_items in recordings.items():
        _on_one_side(split, its_items, f"recording {recording}", "make a new split")
    for (label, source), its_items in sources.items():
        remedy = f"make a new split, or add the line '{RECORDING_DISJOINT}{label}'"
        _on_one_side(split, its_items, f"source {source} of label {label}", remedy)


_PURPOSE: dict[Side, str] = {"train": "train on", "validation": "validate on", "test": "test on"}


def _on_one_side(split: Split, items: Sequence[Item], what: str, remedy: str) -> None:
    first = items[0]
    for item in items:
        if split.sides[item.id] != split.sides[first.id]:
            a, b = (f"{one.id} ({split.sides[one.id]})" for one in (first, item))
            raise DatasetError(f"the split has {what} on two sides: {a}, {b}; {remedy}")


def _seed(where: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DatasetError(f"{where}: the seed is {text!r}; wanted a whole number") from None
