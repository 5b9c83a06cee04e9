"""hubbub's own JSON: `{"recordings": [{"filename": …, "events": [{"onset": …, "offset": …, "label": …}]}]}`.

Times are seconds, to six decimals. An event's `score` is null where nobody gave one, and may be missing. A recording
that was labelled as a whole also has `"label": …, "probabilities": {label: …}`, most probable first, to six decimals;
`read` passes over these and all other keys.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from hubbub.annotations.formats import Lines, Rankings, in_order
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

SHAPE = '{"recordings": [{"filename": …, "events": [{"onset": …, "offset": …, "label": …}]}]}'


def fits(lines: Lines) -> bool:
    """Whether the first line that is not blank opens an object."""
    return next((line for line in lines if line.strip()), "").lstrip().startswith("{")


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """Events by filename, sorted. Raises `AnnotationError` with path:line, or the place in the tree."""
    content = tree(path, lines, SHAPE)
    table: dict[str, list[Event]] = {}
    for index, each in enumerate(_list(path, content, "recordings", "")):
        place = f"recordings[{index}]"
        filename = each.get("filename") if isinstance(each, dict) else None
        if not isinstance(filename, str) or not filename.strip():
            raise AnnotationError(f"{path}: {place}: filename is {filename!r}; wanted the name of a recording")
        if filename in table:
            raise AnnotationError(f"{path}: {place}: {filename!r} is there twice; wanted it once")
        events = enumerate(_list(path, each, "events", f"{place}."))
        table[filename] = sorted(_event(path, f"{place}.events[{at}]", said) for at, said in events)
    return table


def write(file: TextIO, table: EventTable, rankings: Rankings | None = None) -> None:
    """Writes recordings sorted by filename, an event a line; the label and the probabilities of those in `rankings`."""
    recordings = []
    for filename in sorted(table):
        events = ",\n   ".join(_line(each) for each in in_order(table[filename]))
        held = f"[\n   {events}\n  ]" if events else "[]"
        said = _answer((rankings or {}).get(filename, {}))
        recordings.append(f' {{"filename": {json.dumps(filename, ensure_ascii=False)}, {said}"events": {held}}}')
    body = ",\n".join(recordings)
    file.write(f'{{"recordings": [\n{body}\n]}}\n' if body else '{"recordings": []}\n')


def tree(path: Path, lines: Lines, wanted: str) -> Any:
    """What a JSON file holds. Raises `AnnotationError` with path:line where it is none."""
    try:
        return json.loads("\n".join(lines))
    except json.JSONDecodeError as error:
        raise AnnotationError(f"{path}:{error.lineno}: is no JSON: {error.msg}; wanted {wanted}") from error
    except ValueError as error:  # a number of thousands of digits
        raise AnnotationError(f"{path}: is no JSON: {error}; wanted {wanted}") from error
    except RecursionError as error:
        raise AnnotationError(f"{path}: is nested too deeply; wanted {wanted}") from error


def _answer(ranking: Mapping[str, float]) -> str:
    """The members of a recording that was labelled as a whole; nothing for others."""
    if not ranking:
        return ""
    ordered = sorted(ranking.items(), key=lambda pair: -pair[1])
    label = json.dumps(ordered[0][0], ensure_ascii=False)
    rounded = {name: round(probability, 6) for name, probability in ordered}
    return f'"label": {label}, "probabilities": {json.dumps(rounded, ensure_ascii=False, allow_nan=False)},\n  '


def _line(each: Event) -> str:
    said = {"onset": round(each.onset, 6), "offset": round(each.offset, 6), "label": each.label}
    score = None if each.score is None else round(each.score, 6)
    return json.dumps({**said, "score": score}, ensure_ascii=False, allow_nan=False)


def _list(path: Path, holder: Any, key: str, place: str) -> list[Any]:
    held = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(held, list):
        raise AnnotationError(f"{path}: there is no list {place}{key}; wanted {SHAPE}")
    return held


def _event(path: Path, place: str, said: Any) -> Event:
    if not isinstance(said, dict):
        raise AnnotationError(f"{path}: {place} is {said!r}; wanted onset, offset and label")
    for name in ("onset", "offset", "score"):
        value = said.get(name)
        if name == "score" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise AnnotationError(f"{path}: {place}: {name} is {value!r}; wanted a number")
    label = said.get("label")
    if not isinstance(label, str) or not label.strip():
        raise AnnotationError(f"{path}: {place}: label is {label!r}; wanted what sounds")
    try:
        score = said.get("score")
        return Event(float(said["onset"]), float(said["offset"]), label, None if score is None else float(score))
    except (ValueError, OverflowError) as error:
        raise AnnotationError(f"{path}: {place}: {error}; wanted 0 <= onset <= offset") from error
