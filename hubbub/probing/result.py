"""What a probe found: which labels fire on sounds that are none of theirs, and what of that is worth a warning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["noise", "background", "label", "built-in"]
"""Of what was played: a noise; a recording where nothing is annotated; sounds of a label; built-in ones of a label."""
STEADY: tuple[Kind, ...] = ("noise", "background")

MOST_PER_MINUTE = 2.0
"""Noises last: a fan, a hum or wind goes on for hours, and twice a minute is already a hundred false alarms an hour.
Once in the minute that is played may be chance, or the noise setting in."""
MOST_OF_TIME = 0.1
"""One event without an end is no better than many short ones."""
MOST_OF_SOUNDS = 0.1
"""Where two sounds come equally often, a label that fires on a tenth of the other's is right nine times in ten at best.
It is the lower end of a 95 % interval that is held against it: of five sounds two are worth a warning, one is not."""
FEWEST_FIRED = 2
"""One sound alone may be a clip with a wrong label."""
MOST_NAMED = 3
MOST_WARNINGS = 10

NOISE_HELP = (
    "what helps against noise: recordings of it in background/ (or annotated recordings of it without events), or "
    "stricter thresholds: hubbub tune MODEL.onnx RECORDINGS -o calm.onnx --false-alarms-per-hour 1"
)
SOUND_HELP = (
    "what helps against other sounds: more clips of both, from other sources; clips of what is no label in background/ "
    "or in a folder of its own; or stricter thresholds: hubbub tune MODEL.onnx RECORDINGS -o calm.onnx --precision 0.9"
)


@dataclass(frozen=True)
class Fired:
    """False events of one label: how many, how many seconds of them, and in how many of `n_sounds` sounds.

    Sounds in which the label is truly to be heard as well are not among those.
    """

    label: str
    n_events: int
    seconds: float
    n_fired: int = 0
    n_sounds: int = 0


@dataclass(frozen=True)
class Heard:
    """What was played for `seconds`: `n_sounds` sounds of the label `name`, or a noise at a level, in dB."""

    kind: Kind
    name: str
    seconds: float
    fired: tuple[Fired, ...] = ()
    n_sounds: int = 0
    level_db: float | None = None


@dataclass(frozen=True)
class Finding:
    """One label that fires on one sound; of a noise, at the level where it does so most."""

    heard: Heard
    fired: Fired

    @property
    def label(self) -> str:
        """Which fires."""
        return self.fired.label

    @property
    def per_minute(self) -> float:
        """Events per minute of the sound."""
        return 60 * self.fired.n_events / self.heard.seconds if self.heard.seconds else 0.0

    @property
    def of_time(self) -> float:
        """The share of the time for which they last, 1 at most."""
        return min(1.0, self.fired.seconds / self.heard.seconds) if self.heard.seconds else 0.0

    @property
    def excess(self) -> float:
        """How far it is beyond what is tolerated, as a factor: from 1 on it is worth a warning."""
        if self.heard.kind in STEADY:
            often = self.per_minute / MOST_PER_MINUTE if self.fired.n_events > 1 else 0.0
            return max(often, self.of_time / MOST_OF_TIME)
        n_fired = self.fired.n_fired
        return lowest_share(n_fired, self.fired.n_sounds) / MOST_OF_SOUNDS if n_fired >= FEWEST_FIRED else 0.0

    @property
    def worth_a_warning(self) -> bool:
        """Whether a user should be told."""
        return self.excess >= 1

    @property
    def sound(self) -> str:
        """What was played, as text."""
        heard = self.heard
        if heard.kind == "built-in":
            return f"{heard.name} (built-in)"
        return heard.name if heard.level_db is None else f"{heard.name}, {heard.level_db:g} dB"

    @property
    def often(self) -> str:
        """How often it fires, as text."""
        if self.heard.kind not in STEADY:
            return f"{self.fired.n_fired} of {self.fired.n_sounds} sounds"
        per_minute = round(self.per_minute) if self.per_minute >= 10 else round(self.per_minute, 1)
        return f"{per_minute:g} a minute, {100 * self.of_time:.0f} % of the time"

    def __str__(self) -> str:
        heard = self.heard
        if heard.kind not in STEADY:
            built_in = "built-in " if heard.kind == "built-in" else ""
            return f"{self.fired.n_fired} of {self.fired.n_sounds} {built_in}sounds of {heard.name}"
        often = f"{self.per_minute:.0f} times a minute"
        if self.of_time / MOST_OF_TIME > self.per_minute / MOST_PER_MINUTE:
            often = f"{100 * self.of_time:.0f} % of the time"
        return f"{heard.name} ({often}{'' if heard.level_db is None else f' at {heard.level_db:g} dB'})"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        if self.heard.kind not in STEADY:
            counts = {"fired": self.fired.n_fired, "sounds": self.fired.n_sounds}
            return {"kind": self.heard.kind, "on": self.heard.name, **counts}
        rates = {"per_minute": round(self.per_minute, 2), "share_of_time": round(self.of_time, 3)}
        return {"kind": self.heard.kind, "on": self.heard.name, "level_db": self.heard.level_db, **rates}


@dataclass(frozen=True)
class Probe:
    """Everything that was played to a detector, and what it took it for."""

    heard: tuple[Heard, ...]

    @property
    def findings(self) -> list[Finding]:
        """Every label that fires on a sound that is none of its own, the worst first."""
        worst: dict[tuple[Kind, str, str], Finding] = {}
        for heard in self.heard:
            for fired in heard.fired:
                found = Finding(heard, fired)
                key = (heard.kind, heard.name, fired.label)
                if key not in worst or (found.excess, found.per_minute) > (worst[key].excess, worst[key].per_minute):
                    worst[key] = found
        return sorted(worst.values(), key=lambda each: (-each.excess, -each.fired.n_events, each.sound, each.label))

    @property
    def by_label(self) -> dict[str, list[Finding]]:
        """What is worth a warning, by the label that fires, the worst first."""
        found: dict[str, list[Finding]] = {}
        for each in self.findings:
            if each.worth_a_warning:
                found.setdefault(each.label, []).append(each)
        return found

    @property
    def per_hour(self) -> dict[Kind, tuple[float, float]]:
        """By kind of sound: (false events per hour, hours of it)."""
        rates: dict[Kind, tuple[float, float]] = {}
        for kind in dict.fromkeys(heard.kind for heard in self.heard):
            members = [heard for heard in self.heard if heard.kind == kind]
            hours = sum(heard.seconds for heard in members) / 3600
            count = sum(fired.n_events for heard in members for fired in heard.fired)
            rates[kind] = (count / hours if hours else 0.0, hours)
        return rates

    @property
    def summary(self) -> str:
        """False events per hour of each kind of sound, as one sentence without its full stop."""
        names = {"noise": "noise", "background": "background", "label": "sounds of labels", "built-in": "built-in ones"}
        rates = [
            f"{rate:.0f} on {60 * hours:.0f} min of {names[kind]}" for kind, (rate, hours) in self.per_hour.items()
        ]
        return f"false events per hour: {', '.join(rates)}"

    @property
    def advice(self) -> list[str]:
        """What helps against what is worth a warning, a line for noises and one for sounds."""
        kinds = {found.heard.kind for each in self.by_label.values() for found in each}
        helps = [(NOISE_HELP, kinds & set(STEADY)), (SOUND_HELP, kinds - set(STEADY))]
        return [advice for advice, concerns in helps if concerns]

    def warnings(self, most: int = MOST_WARNINGS) -> list[str]:
        """A line for each label that fires where it should not, the worst first and `most` of them, and what helps.

        Empty where all is well.
        """
        by_label = self.by_label
        lines = [f"{label} fires on {_named(found)}" for label, found in by_label.items()]
        if len(lines) > most:
            lines[most:] = [f"{len(lines) - most} more labels fire on what is none of theirs"]
        return [*(f"warning: {line}" for line in lines), *self.advice]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, for a detector's metadata: how often, and of what is worth a warning the numbers."""
        return {
            "false_events_per_hour": {kind: round(rate, 2) for kind, (rate, _) in self.per_hour.items()},
            "minutes": {kind: round(60 * hours, 2) for kind, (_, hours) in self.per_hour.items()},
            "fires_on": {label: [each.to_dict() for each in found] for label, found in self.by_label.items()},
        }


def lowest_share(n: int, of: int, z: float = 1.96) -> float:
    """The lower end of the 95 % interval of a share, after Wilson 1927, "Probable inference, the law of succession, and
    statistical inference"; 0 of nothing."""
    if not of:
        return 0.0
    share = n / of
    spread = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return max(0.0, (share + z**2 / (2 * of) - spread) / (1 + z**2 / of))


def _named(found: Sequence[Finding]) -> str:
    named = [str(each) for each in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        named.append(f"{len(found) - MOST_NAMED} more")
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
