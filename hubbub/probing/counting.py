"""Whose fault a false event is: counted by the sound that set it off."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hubbub.events import Event, merge, spans_of
from hubbub.probing.result import Fired, Heard, Kind

BACKGROUND = "background"


@dataclass
class Tally:
    """Of what was played under one name: how much, and by label what it set off."""

    seconds: float = 0.0
    n_sounds: int = 0
    n_both: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # sounds in which a label is heard as well
    n_fired: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    event_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, event: Event) -> None:
        """A false event."""
        self.n_events[event.label] += 1
        self.event_seconds[event.label] += event.duration

    def heard(self, kind: Kind, name: str, level_db: float | None = None) -> Heard:
        """The counts."""
        fired = tuple(
            Fired(label, count, self.event_seconds[label], self.n_fired[label], self.n_sounds - self.n_both[label])
            for label, count in sorted(self.n_events.items())
        )
        return Heard(kind, name, self.seconds, fired, self.n_sounds, level_db)


class Tallies:
    """The counts of recordings in which it is known what sounds when.

    A false event overlaps and touches no reference event of its label, as `hubbub.metrics.false_alarms` has it; so
    what is truly part of a mixture is never false. It is put down to the event that it overlaps longest, and to the
    background where it overlaps none.
    """

    def __init__(self) -> None:
        self._of: dict[str, Tally] = defaultdict(Tally)
        self._background = Tally()

    def add(self, reference: Iterable[Event], estimated: Sequence[Event], duration: float) -> None:
        """A recording of `duration` seconds."""
        events = sorted(reference)
        spans = spans_of(events)
        labels = np.array([event.label for event in events], dtype=object)
        whole = merge(Event(event.onset, event.offset, "any") for event in events)
        self._background.seconds += max(0.0, duration - sum(event.duration for event in whole))
        together = []  # by event: the labels that sound during it
        for event in events:
            at_once = (spans[:, 0] < event.offset) & (spans[:, 1] > event.onset)
            together.append(set(labels[at_once]) | {event.label})
            tally = self._of[event.label]
            tally.n_sounds += 1
            tally.seconds += event.duration
            for label in together[-1]:
                tally.n_both[label] += 1
        fired = set()
        for found in estimated:
            if ((labels == found.label) & (spans[:, 0] <= found.offset) & (spans[:, 1] >= found.onset)).any():
                continue
            overlaps = np.minimum(spans[:, 1], found.offset) - np.maximum(spans[:, 0], found.onset)
            if not (overlaps > 0).any():
                self._background.add(found)
                continue
            index = int(np.argmax(overlaps))
            self._of[labels[index]].add(found)
            if found.label not in together[index]:
                fired.add((index, found.label))
        for index, label in fired:
            self._of[labels[index]].n_fired[label] += 1

    def heard(self, kind: Kind) -> list[Heard]:
        """The counts of the labels as `kind`, and those of the background."""
        found = [tally.heard(kind, name) for name, tally in sorted(self._of.items())]
        if self._background.seconds or self._background.n_events:
            found.append(self._background.heard("background", BACKGROUND))
        return found
