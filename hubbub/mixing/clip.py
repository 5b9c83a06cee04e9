"""An isolated clip: one sound, cut out, with what is known of where it came from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """One file that holds one label. Clips of one `recording_id` were cut from one recording and stay together.

    `source` is the collection that the recording came from, `confidence` how sure its label is: A (the name says
    exactly this), B (plausible), C (a stand-in, never tested on).
    """

    path: Path
    label: str
    recording_id: str
    source: str | None = None
    licence: str | None = None
    confidence: str = "A"


BACKGROUND = "background"
"""The label of clips that are none: sounds to mix under the others."""


def by_label(clips: Iterable[Clip]) -> tuple[dict[str, list[Clip]], list[Clip]]:
    """Clips by label, labels sorted, and apart from them the backgrounds."""
    grouped: dict[str, list[Clip]] = {}
    backgrounds = []
    for clip in clips:
        if clip.label == BACKGROUND:
            backgrounds.append(clip)
        else:
            grouped.setdefault(clip.label, []).append(clip)
    return dict(sorted(grouped.items())), backgrounds
