"""The report's own monophonic figures, as data: Prinzivalle 2021, on UrbanSound8K, split 60/20/20 at random."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ReportedClip:
    """What the report says of a network on its test side; `train_time` and `f1` where it gives them."""

    accuracy: float
    loss: float
    epochs: int
    train_time: str = ""
    f1: Mapping[str, float] | None = None


REPORTED: Mapping[str, ReportedClip] = {
    "mono_baseline": ReportedClip(
        0.824,
        0.524,
        159,
        "5:30",
        {
            "air_conditioner": 0.921,
            "car_horn": 0.857,
            "children_playing": 0.706,
            "dog_bark": 0.759,
            "drilling": 0.788,
            "engine_idling": 0.905,
            "gun_shot": 0.813,
            "jackhammer": 0.866,
            "siren": 0.880,
            "street_music": 0.780,
        },
    ),
    "mono_proposed": ReportedClip(0.263, 2.04, 39),
}

PARAMETERS: Mapping[str, int] = {"mono_baseline": 3_682_826, "mono_proposed": 152_099}
"""Trainable parameters for `N_LABELS` labels, counted in Keras from the report's description."""
N_LABELS = 10

DESCRIPTIONS: Mapping[str, str] = {
    "mono_baseline": "plain convolutions, then the last state of a GRU",
    "mono_proposed": "depthwise separable convolutions, dilated block, average over time and width",
    "mono_repaired": "the proposed network, repaired: its average keeps the width, not the filters",
    "hub_clip": "ours: the body of the network for events, pooled over the clip",
}

PUBLISHED = (("random split", 0.9806), ("official folds", 0.8394))
"""Accuracy of one and the same network by both protocols, as the literature has it: how much the random split leaks."""

QUESTIONS = (
    ("hub_clip", "mono_baseline", "ours for the baseline"),
    ("mono_repaired", "mono_baseline", "is it repaired?"),
    ("mono_proposed", "mono_baseline", "as the report has it"),
    ("mono_repaired", "mono_proposed", "what the repair is worth"),
)
"""Pairs of networks, and what their difference answers."""
NEAR = 0.03
"""Of accuracy: so close to the baseline the repaired network has to come."""
