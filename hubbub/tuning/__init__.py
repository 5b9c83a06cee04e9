"""Decisions made on validation recordings: thresholds for an aim, lengths, and what probabilities mean.

Nothing here may see a test recording; what is chosen on one is an oracle, and shown under that name only.
"""

from hubbub.tuning.aim import Aim
from hubbub.tuning.calibrate import KINDS, calibrate
from hubbub.tuning.curves import ThresholdCurves, threshold_curves
from hubbub.tuning.decision import Decided, Decision, decide
from hubbub.tuning.reliability import Reliability, reliability
from hubbub.tuning.rules import Tuned, best_thresholds, tune
from hubbub.tuning.validation import Validation

__all__ = [
    "KINDS",
    "Aim",
    "Decided",
    "Decision",
    "Reliability",
    "ThresholdCurves",
    "Tuned",
    "Validation",
    "best_thresholds",
    "calibrate",
    "decide",
    "reliability",
    "threshold_curves",
    "tune",
]
