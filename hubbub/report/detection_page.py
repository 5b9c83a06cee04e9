"""The page of what `hubbub detect` found: the recordings with the most events, as pictures and as sound."""

from pathlib import Path

from hubbub.batch import Found
from hubbub.detector import Detector
from hubbub.report.detector_page import facts
from hubbub.report.drawing import count
from hubbub.report.excerpts import heard_view
from hubbub.report.page import Page, write_page
from hubbub.report.timeaxis import clock

MOST = 8
"""Recordings of a page: more would make it too large to open."""


class Chosen:
    """Of all that was found, what a page has room for: the recordings with the most events, the first ones where they
    are equal. It holds no more than that, however many recordings there are."""

    def __init__(self) -> None:
        self.n_recordings = 0
        self.n_events = 0
        self.seconds = 0.0
        self.found: list[Found] = []

    def add(self, found: Found) -> None:
        """Takes what was found in one recording."""
        self.n_recordings += 1
        self.n_events += len(found.events)
        self.seconds += found.duration
        self.found = sorted([*self.found, found], key=lambda each: -len(each.events))[:MOST]


def write_detection_page(path: Path, detector: Detector, chosen: Chosen) -> None:
    """Writes one HTML file; of a long recording it shows the minute in which most was found.

    Raises `HubbubError` where it cannot be written, `AudioError` where a recording cannot be read again.
    """
    views = [
        heard_view(each.recording.path, each.recording.name, each.duration, each.events, each.probabilities)
        for each in chosen.found
    ]
    summary = f"{count(chosen.n_events, 'event')} in {count(chosen.n_recordings, 'recording')}, {clock(chosen.seconds)}"
    if len(views) < chosen.n_recordings:
        summary += f"; shown are the {len(views)} with the most events"
    title = f"Found in {chosen.found[0].recording.name}" if chosen.n_recordings == 1 else "What was found"
    write_page(path, Page(title, summary + ".", recordings=views, facts=facts(detector)))
