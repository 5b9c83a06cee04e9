"""The report's own figures, as data, and those that others published: what ours are set beside.

Prinzivalle 2021, table 4, on TUT-SED Synthetic 2016 with a split of its own. Where that table says KB for the size of a
file it means MB: 3.7 million float32 weights with Adam's two moments are 44 MB.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """A row of the report's table 4; `train_time` in h:mm, `parameters` as printed, the file with Adam's moments."""

    accuracy: float
    loss: float
    train_time: str
    f1: float
    parameters: str
    file_megabytes: float


@dataclass(frozen=True)
class Published:
    """Frame-wise scores on TUT-SED Synthetic 2016's own split."""

    system: str
    f1: float
    error_rate: float


REPORTED: Mapping[str, Reported] = {
    "baseline": Reported(0.962, 0.1356, "0:32", 0.71566, "3.7M", 43),
    "dilated": Reported(0.966, 0.115, "7:30", 0.7299, "3.7M", 43),
    "dessed": Reported(0.9532, 0.1524, "0:59", 0.6332, "0.5M", 6.5),
    "proposed_conv": Reported(0.9287, 0.241, "3:14", 0.1245, "0.5M", 6),
    "proposed_pool": Reported(0.9523, 0.148, "3:26", 0.6281, "0.5M", 6),
}

PARAMETERS: Mapping[str, int] = {
    "baseline": 3_684_368,
    "dilated": 3_702_544,
    "dessed": 545_321,
    "proposed_conv": 563_497,
    "proposed_pool": 493_609,
    "dilated_strided": 3_636_752,
    "proposed_strided": 497_705,
}
"""Trainable parameters for `N_LABELS` labels and the report's kernel, counted in Keras from its description."""
N_LABELS = 16

DESCRIPTIONS: Mapping[str, str] = {
    "baseline": "plain convolutions, then a GRU",
    "dilated": "plain convolutions, dilated block, 1×1 convolution with stride 3",
    "dessed": "depthwise separable convolutions, then a GRU",
    "proposed_conv": "depthwise separable convolutions, dilated block, 1×1 convolution with stride 3",
    "proposed_pool": "depthwise separable convolutions, dilated block, max pooling by 3",
    "dilated_strided": "plain convolutions, dilated block with the stride inside, as the paper has it",
    "proposed_strided": "depthwise separable convolutions, dilated block with the stride inside, as the paper has it",
}

PUBLISHED = (Published("CRNN", 0.664, 0.48), Published("capsule network", 0.688, 0.45))
