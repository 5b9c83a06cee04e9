"""RTTM, the turns of speaker diarisation: `SPEAKER file channel onset duration <NA> <NA> name confidence <NA>`.

A file is about any number of recordings. The label is the name; `SPKR-INFO` and the other types of lines are passed
over, as are comments after `;;`. Blanks part the fields, so names and labels cannot hold any.
"""

from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import Lines, first_line, in_order, number, on_one_line, span
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

TURN = "SPEAKER"
OTHERS = (
    "SPKR-INFO",
    "SEGMENT",
    "NOSCORE",
    "NO_RT_METADATA",
    "LEXEME",
    "NON-LEX",
    "NON-SPEECH",
    "FILLER",
    "EDIT",
    "SU",
)
WANTED = "SPEAKER file channel onset duration <NA> <NA> label <NA> <NA>"
NOTHING = "<NA>"


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank begins with a type of RTTM, or is one of its comments."""
    first = first_line(lines).split()
    return bool(first) and (first[0].startswith(";;") or (first[0] in (TURN, *OTHERS) and len(first) > 4))


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by recording, in the order of the file, sorted within. Raises `AnnotationError` with path:line."""
    table: dict[str, list[Event]] = {}
    for line, text in enumerate(lines, start=1):
        fields = text.split(";;")[0].split()
        if not fields or fields[0] in OTHERS:
            continue
        if fields[0] != TURN or not 8 <= len(fields) <= 10:
            raise AnnotationError(f"{path}:{line}: {len(fields)} fields from {fields[0]!r} on; wanted {WANTED}")
        onset, duration = number(path, line, "onset", fields[3]), number(path, line, "duration", fields[4])
        confidence = fields[8] if len(fields) > 8 else NOTHING
        score = None if confidence == NOTHING else number(path, line, "confidence", confidence)
        table.setdefault(fields[1], []).append(span(path, line, onset, onset + duration, fields[7], score))
    return {name: sorted(events) for name, events in table.items()}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a line an event, the score as its confidence. Raises `AnnotationError` for a name or label with blanks."""
    for name in sorted(table):
        for each in in_order(table[name]):
            onset, offset = round(each.onset, 6), round(each.offset, 6)
            score = NOTHING if each.score is None else f"{each.score:.6f}"
            label = _one_word("label", each.label)
            file.write(
                f"{TURN} {_one_word('filename', name)} 1 {onset:.6f} {offset - onset:.6f} "
                f"{NOTHING} {NOTHING} {label} {score} {NOTHING}\n"
            )


def _one_word(what: str, text: str) -> str:
    if text.split() != [text] or ";;" in text:
        return on_one_line(what, text, "".join({character for character in text if character.isspace()}) + ";")
    return text
