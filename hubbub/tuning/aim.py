"""What a decision is to achieve."""

import math
from dataclasses import dataclass

from hubbub.errors import ConfigError


@dataclass(frozen=True)
class Tally:
    """Of one label over all recordings: reference events found, false alarms, events that are right, all events."""

    n_found: int
    n_false: int
    n_right: int
    n_estimated: int


@dataclass(frozen=True)
class Aim:
    """The best F1 where nothing is given; else for each label by itself at most so many false alarms an hour, or at
    least this precision of its events, and of all decisions that keep to it the one that finds the most events.

    Raises `ConfigError` where both are given, a budget is negative, or a precision lies outside (0, 1].
    """

    false_alarms_per_hour: float | None = None
    precision: float | None = None

    def __post_init__(self) -> None:
        if self.false_alarms_per_hour is not None and self.precision is not None:
            raise ConfigError("a budget of false alarms and a precision exclude each other; give one of them")
        if self.false_alarms_per_hour is not None and not 0 <= self.false_alarms_per_hour < math.inf:
            raise ConfigError(f"{self.false_alarms_per_hour:g} false alarms per hour; wanted 0 or more")
        if self.precision is not None and not 0 < self.precision <= 1:
            raise ConfigError(f"a precision of {self.precision:g}; wanted a share above 0, and at most 1")

    @property
    def limited(self) -> bool:
        """Whether there is something to keep to."""
        return self.false_alarms_per_hour is not None or self.precision is not None

    def allows(self, tally: Tally, hours: float) -> bool:
        """Whether a label may do so in so many hours of audio."""
        if self.false_alarms_per_hour is not None:
            return tally.n_false <= self.false_alarms_per_hour * hours
        return self.precision is None or tally.n_right >= self.precision * tally.n_estimated

    def __str__(self) -> str:
        if self.false_alarms_per_hour is not None:
            return f"at most {self.false_alarms_per_hour:g} false alarms per hour and label"
        return "best F1" if self.precision is None else f"a precision of {self.precision:g} or more for each label"
