"""JAMS, as scaper writes it for soundscapes: JSON with `annotations`, each of a namespace and with observations.

An event lasts from an observation's `time` for its `duration`; scaper's `event_time` and `event_duration` are places in
a source file. Its background is no event. Of other namespaces those observations count whose values are labels, such
as those of `tag_open` and `segment_open`; an observation's `confidence` is the score. The recording is the file's
title, or the soundscape that scaper wrote. Written is `tag_open`; the duration of the recording, which nobody told, is
where its last event ends.
"""

import json
from pathlib import Path
from typing import Any, TextIO

from hubbub.annotations.formats import Lines, in_order, on_one_line, the_only_recording
from hubbub.annotations.json_file import tree
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

SHAPE = '{"annotations": [{"namespace": …, "data": [{"time": …, "duration": …, "value": …}]}], "file_metadata": …}'
BACKGROUND = "background"
VERSION = "0.3.4"


def fits(lines: Lines) -> bool:
    """Whether this is an object with annotations, and not hubbub's own JSON."""
    try:
        content = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "annotations" in content and "recordings" not in content


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted. Raises `AnnotationError` with path:line, or the place in the tree."""
    content = tree(path, lines, SHAPE)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list):
        raise AnnotationError(f"{path}: there is no list annotations; wanted {SHAPE}")
    events: list[Event] = []
    for index, annotation in enumerate(annotations):
        place = f"annotations[{index}]"
        data = annotation.get("data") if isinstance(annotation, dict) else None
        if not isinstance(data, list):
            raise AnnotationError(f"{path}: there is no list {place}.data; wanted {SHAPE}")
        for at, said in enumerate(data):
            event = _event(path, f"{place}.data[{at}]", said)
            events += [event] if event is not None else []
    return {_title(content, annotations) or recording: sorted(events)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes one annotation, an observation a line. Raises `AnnotationError` for two recordings."""
    events = in_order(the_only_recording(table, "jams"))
    title = on_one_line("filename", next(iter(table))) if table else ""
    length = max((each.offset for each in events), default=0.0)
    rows = ",\n".join(f"  {_line(each)}" for each in events)
    metadata = {"title": title, "artist": "", "release": "", "duration": round(length, 6)}
    held = json.dumps({**metadata, "identifiers": {}, "jams_version": VERSION}, ensure_ascii=False)
    file.write(
        f'{{"file_metadata": {held},\n "annotations": [{{"namespace": "tag_open", "time": 0, "duration": null, '
        f'"sandbox": {{}}, "annotation_metadata": {{}}, "data": [\n{rows}\n ]}}],\n "sandbox": {{}}}}\n'
    )


def _line(each: Event) -> str:
    onset, offset = round(each.onset, 6), round(each.offset, 6)
    score = None if each.score is None else round(each.score, 6)
    said = {"time": onset, "duration": round(offset - onset, 6), "value": each.label, "confidence": score}
    return json.dumps(said, ensure_ascii=False, allow_nan=False)


def _event(path: Path, place: str, said: Any) -> Event | None:
    """The event of an observation, None where it is none: a background, or a value that is no label."""
    value = said.get("value") if isinstance(said, dict) else None
    label = value.get("label") if isinstance(value, dict) else value
    if not isinstance(said, dict):
        raise AnnotationError(f"{path}: {place} is {said!r}; wanted time, duration and value")
    if isinstance(value, dict) and (value.get("role") == BACKGROUND or "label" not in value):
        return None
    if not isinstance(label, str):
        return None
    for name in ("time", "duration", "confidence"):
        number = said.get(name)
        if name == "confidence" and number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise AnnotationError(f"{path}: {place}: {name} is {number!r}; wanted a number")
    try:
        onset, score = float(said["time"]), said.get("confidence")
        offset = round(onset + float(said["duration"]), 9)
        return Event(round(onset, 9), offset, label, None if score is None else float(score))
    except (ValueError, OverflowError) as error:
        raise AnnotationError(f"{path}: {place}: {error}; wanted 0 <= onset <= offset") from error


def _title(content: dict[str, Any], annotations: list[Any]) -> str:
    """The name of the recording, empty where nobody gave it."""
    metadata = content.get("file_metadata")
    title = metadata.get("title") if isinstance(metadata, dict) else None
    if isinstance(title, str) and title.strip():
        return title
    for annotation in annotations:
        sandbox = annotation.get("sandbox")
        scaper = sandbox.get("scaper") if isinstance(sandbox, dict) else None
        sound = scaper.get("soundscape_audio_path") if isinstance(scaper, dict) else None
        if isinstance(sound, str) and sound.strip():
            return sound.replace("\\", "/").rpartition("/")[2]
    return ""
