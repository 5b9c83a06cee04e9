"""What was counted in each recording by itself: for intervals over recordings, and to find the worst of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hubbub.metrics import event, frame, segment
from hubbub.metrics.counts import Counts
from hubbub.metrics.recording import Recording
from hubbub.metrics.settings import Settings


@dataclass(frozen=True)
class Each:
    """Counts by the name of the recording, as `bootstrap.interval` takes them."""

    frame: Mapping[str, Counts]
    segment: Mapping[str, Counts]
    event: Mapping[str, Counts]

    @classmethod
    def of(cls, recordings: Mapping[str, Recording], labels: Sequence[str], settings: Settings) -> "Each":
        """Of checked recordings by name, as `hubbub.metrics.recording.recordings` gives them."""
        collars = settings.onset_collar, settings.offset_collar, settings.offset_collar_ratio
        return cls(
            {name: frame.counts(each, labels, settings.frame_grid) for name, each in recordings.items()},
            {name: segment.counts(each, labels, settings.segment_grid) for name, each in recordings.items()},
            {name: event.counts(each, labels, *collars) for name, each in recordings.items()},
        )
