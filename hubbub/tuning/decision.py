"""From what a network gives to what a detector says: calibration first, then the rules on calibrated probabilities."""

from collections.abc import Callable
from dataclasses import dataclass

from hubbub.calibration import Calibration
from hubbub.decode import LabelRule
from hubbub.tuning.aim import Aim
from hubbub.tuning.calibrate import KINDS, Kind, calibrate
from hubbub.tuning.reliability import reliability
from hubbub.tuning.rules import BEST_F1, tune
from hubbub.tuning.validation import Validation


@dataclass(frozen=True)
class Decision:
    """How to decide: what to aim at, and one of `KINDS` of calibration."""

    aim: Aim = BEST_F1
    calibration: Kind = KINDS[0]

    def to_dict(self) -> dict[str, str]:
        """As stored in a detector."""
        return {"aim": str(self.aim), "calibration": self.calibration}


@dataclass(frozen=True)
class Decided:
    """What `decide` came to: by label its rule, and its calibration where it has one.

    `errors` are the expected calibration errors before and after, on the recordings that it was fitted on.
    """

    rules: dict[str, LabelRule]
    calibration: dict[str, Calibration]
    errors: tuple[float, float]
    notes: tuple[str, ...]


def decide(validation: Validation, how: Decision, progress: Callable[[int, int], None] | None = None) -> Decided:
    """Calibration and rules from validation recordings, whose probabilities are those of the network as it is."""
    calibration = calibrate(validation, how.calibration)
    heard = validation.calibrated(calibration) if calibration else validation
    tuned = tune(heard, how.aim, progress)
    before, after = (reliability(each.stacked, each.targets).error for each in (validation, heard))
    return Decided(dict(zip(heard.labels, tuned.rules, strict=True)), calibration, (before, after), tuned.notes)
