"""Bring small public sets of annotated recordings into the layout that hubbub reads.

    python scripts/convert_annotations.py FORMAT AUDIO_DIR LABELS OUT [--label NAME] [--merge-gap SECONDS] ...

writes OUT/audio/ (copies, or links), OUT/events.tsv and OUT/recordings.csv, whose files are relative to OUT/audio/.
FORMAT is one of

- birdsongrec: the Annotation.xml of Koumura and Okanoya's Bengalese finches (doi 10.6084/m9.figshare.3470165). A Note's
  Position counts samples from its Sequence's Position. Labels: note_<x>, or all one with --label song;
- rttm: speaker turns, `SPEAKER file channel onset duration <NA> <NA> name ...`. Label: speech, or --own-labels;
- segments: the `.segments` files of pyAudioAnalysis, `start end label`, one beside each recording's stem.

LABELS is a file or a folder of them. Recordings that LABELS do not name, and names without a recording, are left out
and told.
"""

import argparse
import csv
import os
import shutil
import statistics
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hubbub import annotations, audio
from hubbub.datasets.tables import some
from hubbub.errors import AnnotationError, DatasetError, HubbubError
from hubbub.events import Event, clip, merge
from hubbub.files import replacing

Found = Iterator[tuple[str, Event | None]]
"""The stem of a recording that the labels name, and an event in it if that could be read."""
RateOf = Callable[[str], int | None]
"""The sample rate of a recording by its stem, None where there is no such recording."""


def read_birdsongrec(path: Path, rate_of: RateOf) -> Found:
    """Notes. Positions and lengths count samples of the recording, so nothing is known of one that is not here."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise AnnotationError(f"{path}: no XML that can be read: {error}") from error
    for number, sequence in enumerate(root.iter("Sequence"), start=1):
        where = f"{path}: sequence {number}"
        stem = Path(_text(sequence, "WaveFileName", where)).stem
        start, rate = _samples(sequence, "Position", where), rate_of(stem)
        if rate is None:
            yield stem, None
            continue
        for note in sequence.iter("Note"):
            onset = start + _samples(note, "Position", where)
            offset = onset + _samples(note, "Length", where)
            yield stem, _event(onset / rate, offset / rate, f"note_{_text(note, 'Label', where)}", where)


def read_rttm(path: Path, rate_of: RateOf) -> Found:
    """Turns; the label is the speaker's name."""
    for where, line in _lines(path):
        fields = line.split()
        if fields[0] != "SPEAKER":
            continue
        if len(fields) < 8:
            raise AnnotationError(f"{where}: {len(fields)} fields; wanted SPEAKER file 1 onset duration <NA> <NA> name")
        onset, duration = _number(fields[3], where), _number(fields[4], where)
        yield fields[1], _event(onset, onset + duration, fields[7], where)


def read_segments(path: Path, rate_of: RateOf) -> Found:
    """Segments of the recording that has the file's stem."""
    for where, line in _lines(path):
        fields = line.split("," if "," in line else None, maxsplit=2)
        if len(fields) < 3:
            raise AnnotationError(f"{where}: {len(fields)} fields; wanted start, end and label")
        yield path.stem, _event(_number(fields[0], where), _number(fields[1], where), fields[2].strip(), where)


READERS: dict[str, tuple[Callable[[Path, RateOf], Found], str, str | None]] = {
    "birdsongrec": (read_birdsongrec, "*.xml", None),
    "rttm": (read_rttm, "*.rttm", "speech"),
    "segments": (read_segments, "*.segments", None),
}
"""The reader of each format, its files in a folder, and the label for all where the format's own are not the
sound's.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        convert(options)
    except HubbubError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def convert(options: argparse.Namespace) -> None:
    """Read, choose and write; raises `HubbubError` for whatever cannot be."""
    read, pattern, default_label = READERS[options.format]
    recordings = _recordings(options.audio_dir)

    def rate_of(stem: str) -> int | None:
        return audio.info(recordings[stem]).sample_rate if stem in recordings else None

    found: dict[str, list[Event]] = defaultdict(list)
    for path in _label_files(options.labels, pattern):
        for stem, event in read(path, rate_of):
            found[stem].extend([] if event is None else [event])
    absent, unlabelled = sorted(set(found) - set(recordings)), sorted(set(recordings) - set(found))
    stems = sorted(set(found) & set(recordings))
    if not stems:
        raise DatasetError(f"{options.labels}: names none of the {len(recordings)} recordings in {options.audio_dir}")

    label = options.label or (None if options.own_labels else default_label)
    table: dict[str, list[Event]] = {}
    durations = []
    n_past = 0
    for stem in stems:
        name = recordings[stem].name
        durations.append(audio.info(recordings[stem]).duration)
        events = [event for event in found[stem] if event.label not in options.drop]
        if label is not None:
            events = [replace(event, label=label) for event in events]
        if label is not None or options.merge_gap is not None:
            events = merge(events, options.merge_gap or 0.0)
        n_past += sum(event.offset > durations[-1] for event in events)
        table[name] = clip(events, 0.0, durations[-1])
        _place(recordings[stem], options.out / "audio" / name, options.link)
    annotations.write(options.out / "events.tsv", table, "dcase")
    with (
        replacing(options.out / "recordings.csv", DatasetError) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "recording_id", "source"])
        writer.writerows([name, Path(name).stem, options.source] for name in table)
    _tell(table, durations)
    _tell_left_out(n_past, absent, unlabelled)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Bring annotated recordings into the layout that hubbub reads.")
    parser.add_argument("format", choices=sorted(READERS))
    parser.add_argument("audio_dir", type=Path, metavar="AUDIO_DIR")
    parser.add_argument("labels", type=Path, metavar="LABELS", help="a label file, or a folder of them")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--label", metavar="NAME", help="one label for all events; overlapping ones are joined")
    parser.add_argument("--own-labels", action="store_true", help="rttm: the speakers' names, in place of speech")
    parser.add_argument(
        "--drop", action="append", default=[], metavar="LABEL", help="leave out this label (more than once)"
    )
    parser.add_argument("--merge-gap", type=float, metavar="SECONDS", help="join events of a label this close together")
    parser.add_argument("--source", default="", help="where the recordings come from, for recordings.csv")
    parser.add_argument("--link", action="store_true", help="link to the recordings in place of copying them")
    return parser


def _recordings(folder: Path) -> dict[str, Path]:
    by_stem: dict[str, Path] = {}
    for path in audio.find(folder):
        first = by_stem.setdefault(path.stem, path)
        if first != path:
            raise DatasetError(f"{first} and {path}: two recordings with one name; labels could mean either")
    if not by_stem:
        raise DatasetError(f"{folder}: no audio in it")
    return by_stem


def _label_files(labels: Path, pattern: str) -> list[Path]:
    if labels.is_file():
        return [labels]
    paths = sorted(labels.glob(pattern))
    if not paths:
        raise DatasetError(f"{labels}: no label file; wanted {pattern}, or a folder of them")
    return paths


def _place(recording: Path, target: Path, link: bool) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            part.symlink_to(recording.resolve())
        else:
            shutil.copyfile(recording, part)
        part.replace(target)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _tell(table: dict[str, list[Event]], durations: Sequence[float]) -> None:
    events = [event for its_events in table.values() for event in its_events]
    print(f"{len(table)} recordings, {sum(durations):.1f} s, {len(events)} events")
    print(f"recordings: {_spread(durations)}")
    for label, count in sorted(Counter(event.label for event in events).items()):
        its_durations = [event.duration for event in events if event.label == label]
        print(f"{label}: {count} events, {sum(its_durations):.1f} s, {_spread(its_durations)}")


def _tell_left_out(n_past: int, absent: Sequence[str], unlabelled: Sequence[str]) -> None:
    if n_past:
        print(f"{n_past} events pass the end of their recording: cut there, or left out", file=sys.stderr)
    if absent:
        print(f"left out, {len(absent)} in the labels without a recording: {some(absent)}", file=sys.stderr)
    if unlabelled:
        print(f"left out, {len(unlabelled)} recordings without labels: {some(unlabelled)}", file=sys.stderr)


def _spread(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.3f} to {max(seconds):.3f} s, median {statistics.median(seconds):.3f} s"


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """`path:line` and text of the lines that are not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def _event(onset: float, offset: float, label: str, where: str) -> Event:
    try:
        return Event(onset, offset, label)
    except ValueError as error:
        raise AnnotationError(f"{where}: {error}") from None


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise AnnotationError(f"{where}: {text!r} is no number; wanted seconds") from None


def _text(parent: ElementTree.Element, tag: str, where: str) -> str:
    text = parent.findtext(tag)
    if not text:
        raise AnnotationError(f"{where}: no {tag} in its {parent.tag}")
    return text.strip()


def _samples(parent: ElementTree.Element, tag: str, where: str) -> int:
    text = _text(parent, tag, where)
    try:
        return int(text)
    except ValueError:
        raise AnnotationError(f"{where}: {tag} is {text!r}; wanted whole samples") from None


if __name__ == "__main__":
    sys.exit(main())
