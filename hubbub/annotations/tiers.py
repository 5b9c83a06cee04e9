"""Events in tiers, in which none may overlap another: what the programs of linguists, Praat and ELAN, work with."""

from collections.abc import Sequence

from hubbub.annotations.formats import in_order
from hubbub.events import Event


def in_tiers(events: Sequence[Event], digits: int = 6) -> list[tuple[str, list[Event]]]:
    """(label, events that do not overlap, sorted), by label; a label whose events overlap has several tiers.

    Times are rounded to `digits` decimals. Events that have no length then lie in tiers of their own.
    """
    tiers: list[tuple[str, list[Event]]] = []
    for each in in_order(events):
        event = Event(round(each.onset, digits), round(each.offset, digits), each.label, each.score)
        instant = event.duration == 0
        for label, held in tiers:
            last = held[-1]
            after = event.onset > last.onset if instant else event.onset >= last.offset
            if label == event.label and instant == (last.duration == 0) and after:
                held.append(event)
                break
        else:
            tiers.append((event.label, [event]))
    return sorted(tiers, key=lambda tier: tier[0])
