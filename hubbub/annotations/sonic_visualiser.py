"""Sonic Visualiser's annotation layers (`.svl`, XML): regions, boxes, notes and time instants of one recording.

Frames count samples at the layer's rate. A file may hold several layers; curves and others without events are passed
over. Boxes that nobody labelled are events all the same, labelled `event`. Written is one layer of regions at 44 100
samples per second, so times are off by up to 11 µs, and it belongs to recordings of that rate. Scores are not written.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from hubbub.annotations.formats import Lines, in_order, number, on_one_line, span, the_only_recording, with_labels
from hubbub.annotations.xml_file import Element, escaped, parse, required, root_is
from hubbub.errors import AnnotationError
from hubbub.events import Event, EventTable

RATE = 44100
WITH_DURATION = ("region", "box", "note", "flexinote")


def fits(lines: Lines) -> bool:
    """Whether the first element is Sonic Visualiser's."""
    return root_is(lines, "sv")


def read(path: Path, lines: Lines, recording: str) -> dict[str, list[Event]]:
    """The events of the one recording, sorted. Raises `AnnotationError` with path:line."""
    root = parse(path, lines)
    datasets = {dataset.attributes.get("id", ""): dataset for dataset in root.all("dataset")}
    layers = [model for model in root.all("model") if _has_events(model)]
    if not layers:
        raise AnnotationError(f"{path}: has no layer with events; wanted regions, boxes, notes or time instants")
    points = [(model, point) for model in layers for point in _points(path, model, datasets)]
    labels = with_labels(path, [(point.line, point.attributes.get("label", "")) for _, point in points])
    events = []
    for (model, point), label in zip(points, labels, strict=True):
        rate = number(path, model.line, "sampleRate", required(path, model, "sampleRate"))
        if rate <= 0:
            raise AnnotationError(f"{path}:{model.line}: sampleRate is {rate:g}; wanted more than 0")
        onset = number(path, point.line, "frame", required(path, point, "frame"))
        length = number(path, point.line, "duration", point.attributes.get("duration", "0"))
        events.append(span(path, point.line, onset / rate, (onset + length) / rate, label))
    return {recording: sorted(events)}


def write(file: TextIO, table: EventTable) -> None:
    """Writes a layer of regions, each label at a height of its own. Raises `AnnotationError` for two recordings, or
    labels that XML cannot hold."""
    events = in_order(the_only_recording(table, "sonicvisualiser"))
    labels = sorted({each.label for each in events})
    frames = [(round(each.onset * RATE), round(each.offset * RATE)) for each in events]
    start, end = min((first for first, _ in frames), default=0), max((last for _, last in frames), default=0)
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sonic-visualiser>\n<sv>\n  <data>\n'
        f'    <model id="1" name="" sampleRate="{RATE}" start="{start}" end="{end}" type="sparse" dimensions="3" '
        'resolution="1" notifyOnAdd="true" dataset="0" subtype="region" valueQuantization="0" minimum="0" '
        f'maximum="{max(len(labels), 1)}" units="" />\n    <dataset id="0" dimensions="3">\n'
    )
    for each, (first, last) in zip(events, frames, strict=True):
        label = escaped("label", on_one_line("label", each.label))
        value = labels.index(each.label)
        file.write(f'      <point frame="{first}" value="{value}" duration="{last - first}" label="{label}" />\n')
    file.write(
        '    </dataset>\n  </data>\n  <display>\n    <layer id="2" type="regions" name="Regions" model="1"  '
        'verticalScale="0" plotStyle="0" colourName="White" colour="#ffffff" darkBackground="true" />\n'
        "  </display>\n</sv>\n"
    )


def _has_events(model: Element) -> bool:
    instants = model.attributes.get("dimensions") == "1" and model.attributes.get("type") == "sparse"
    return instants or model.attributes.get("subtype") in WITH_DURATION


def _points(path: Path, model: Element, datasets: dict[str, Element]) -> Iterator[Element]:
    reference = required(path, model, "dataset")
    if reference not in datasets:
        raise AnnotationError(f"{path}:{model.line}: there is no dataset {reference}; wanted the layer's points")
    return datasets[reference].all("point")
