"""ELAN's `.eaf`: annotations with times on tiers; a file is about one recording, named by its linked media.

The label is the text of an annotation; those without text are no events, and annotations that refer to others and have
no times of their own are passed over, as are the names of tiers. Every label is written to a tier of its own, and to
further ones where its events overlap. Times are whole milliseconds; scores are not written.
"""

from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import Lines, number, on_one_line, span, the_only_recording
from hubbub.annotations.tiers import in_tiers
from hubbub.annotations.xml_file import Element, escaped, parse, required, root_is
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

ROOT = "ANNOTATION_DOCUMENT"
MILLISECONDS = "milliseconds"


def fits(lines: Lines) -> bool:
    """Whether the first element is ELAN's."""
    return root_is(lines, ROOT)


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted. Raises `AnnotationError` with path:line."""
    root = parse(path, lines)
    for header in root.all("HEADER"):
        unit = header.attributes.get("TIME_UNITS", MILLISECONDS)
        if unit != MILLISECONDS:
            raise AnnotationError(f"{path}:{header.line}: times are in {unit}; wanted {MILLISECONDS}")
    slots = {required(path, slot, "TIME_SLOT_ID"): slot for slot in root.all("TIME_SLOT")}
    events = []
    for annotation in root.all("ALIGNABLE_ANNOTATION"):
        label = " ".join(value.text for value in annotation.all("ANNOTATION_VALUE")).replace("\n", " ")
        onset, offset = (_time(path, slots, annotation, end) for end in ("TIME_SLOT_REF1", "TIME_SLOT_REF2"))
        if label.strip():
            events.append(span(path, annotation.line, onset, offset, label))
    return {_media(root) or recording: sorted(events)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a document of format 3.0. Raises `AnnotationError` for two recordings, or names that XML cannot hold."""
    name = next(iter(table), "")
    tiers = in_tiers(the_only_recording(table, "elan"), digits=3)
    relative = f' RELATIVE_MEDIA_URL="./{escaped("filename", name)}"' if name else ""
    media = f'  <MEDIA_DESCRIPTOR MEDIA_URL="" MIME_TYPE="audio/x-wav"{relative}/>\n' if name else ""
    slots: list[str] = []
    body: list[str] = []
    used: set[str] = set()
    for label, events in tiers:
        tier, further = label, 1
        while tier in used:  # a tier's name is its key
            further += 1
            tier = f"{label} {further}"
        used.add(tier)
        body.append(f' <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="{escaped("label", tier)}">')
        for each in events:
            index = len(slots) // 2 + 1
            first, last = f"ts{2 * index - 1}", f"ts{2 * index}"
            for slot, seconds in ((first, each.onset), (last, each.offset)):
                slots.append(f'  <TIME_SLOT TIME_SLOT_ID="{slot}" TIME_VALUE="{round(seconds * 1000)}"/>')
            value = escaped("label", on_one_line("label", label))
            body.append(
                f'  <ANNOTATION>\n   <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{index}" TIME_SLOT_REF1="{first}" '
                f'TIME_SLOT_REF2="{last}">\n    <ANNOTATION_VALUE>{value}</ANNOTATION_VALUE>\n'
                "   </ALIGNABLE_ANNOTATION>\n  </ANNOTATION>"
            )
        body.append(" </TIER>")
    order = "\n".join([" <TIME_ORDER>", *slots, " </TIME_ORDER>"]) if slots else " <TIME_ORDER/>"
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{ROOT} AUTHOR="" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">\n'
        f' <HEADER MEDIA_FILE="" TIME_UNITS="{MILLISECONDS}">\n{media} </HEADER>\n'
        + "\n".join([order, *body])
        + '\n <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>\n'
        f"</{ROOT}>\n"
    )


def _time(path: Path, slots: dict[str, Element], annotation: Element, end: str) -> float:
    """Seconds. Raises `AnnotationError` for a time slot that is not there or that nobody aligned."""
    reference = required(path, annotation, end)
    slot = slots.get(reference)
    if slot is None:
        raise AnnotationError(f"{path}:{annotation.line}: there is no time slot {reference}; wanted it in TIME_ORDER")
    if "TIME_VALUE" not in slot.attributes:
        raise AnnotationError(f"{path}:{slot.line}: time slot {reference} has no time; align it in ELAN")
    return number(path, slot.line, "TIME_VALUE", slot.attributes["TIME_VALUE"]) / 1000


def _media(root: Element) -> str:
    """The linked recording: relative to the file where that is known, else the name of the file alone."""
    for media in root.all("MEDIA_DESCRIPTOR"):
        relative = media.attributes.get("RELATIVE_MEDIA_URL", "").replace("\\", "/").removeprefix("file:")
        if relative and not relative.startswith(("/", "../")) and ":" not in relative:
            return relative.removeprefix("./")
        return (relative or media.attributes.get("MEDIA_URL", "").replace("\\", "/")).rpartition("/")[2]
    return ""
