"""The report's nine networks: three convolution blocks, something that looks over time, and a dense layer.

Prinzivalle 2021 (a Keras study) after Drossos et al. 2020, "Sound event detection with depthwise separable and dilated
convolutions", arXiv 2002.00476. Each is one choice from every row:

    convolutions   plain (baseline, dilated) | depthwise separable (dessed, proposed)
    over time      GRU | dilated convolution, then 1×1 convolution, max pooling or a stride of its own
    output         logits of every frame (polyphonic) | of the clip (monophonic)

Where the report is silent, Keras' defaults hold, as it was written in Keras; the parameter counts are its own.
Features come in as (batch, n_frames, 40), logits go out: the sigmoid or softmax belongs to the loss, or to the export.

Inside, maps are (batch, channels, n_frames, width). All works in `torch.channels_last` too, where the reshapes
below cost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from torch import Tensor, nn

N_FEATURES = 40
N_CHANNELS = 256
N_FRAMES = 1024
"""Frames of one polyphonic sub-sequence, as the report trains on; the networks take any number."""
POOLS = (5, 4, 2)
"""Frequency is pooled to nothing, 40 → 8 → 2 → 1; time is never pooled."""
DROPOUT = 0.25

Reduction = Literal["pointwise", "pool", "stride"]
"""How the 254 wide map behind the dilated convolution becomes about 85 wide: a 1×1 convolution with stride 3, max
pooling by 3 (the report's two), or stride 3 in the dilated convolution itself (the paper's, which Keras could not)."""
Average = Literal["width", "filters"]
"""What the map behind a clip's dilated convolution is averaged over, besides time."""


@dataclass(frozen=True)
class ReportConfig:
    """The dilated convolution: `kernel` × `kernel`, with `dilation` in time. The GRU networks ignore it.

    Raises `ValueError` for an even kernel, which could not keep the number of frames, or a number below 1.
    """

    kernel: int = 3
    dilation: int = 10

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}; wanted an odd whole number, such as 3, 5 or 7")
        if self.dilation < 1:
            raise ValueError(f"dilation is {self.dilation}; wanted 1 or more, such as 1, 10, 50 or 100")


PAPER_GRID = tuple(ReportConfig(kernel, dilation) for kernel in (3, 5, 7) for dilation in (1, 10, 50, 100))
"""The twelve dilated convolutions that the paper compares."""


def batch_norm(n_channels: int) -> nn.BatchNorm2d:
    """Batch norm with Keras' defaults; its momentum of 0.99 is 0.01 here."""
    return nn.BatchNorm2d(n_channels, eps=1e-3, momentum=0.01)


def convolution(n_inputs: int, n_outputs: int, separable: bool) -> nn.Module:
    """A 5 × 5 convolution that keeps the map's size, plain or as Keras' `SeparableConv2D`."""
    if not separable:
        return nn.Conv2d(n_inputs, n_outputs, 5, padding=2)
    depthwise = nn.Conv2d(n_inputs, n_inputs, 5, padding=2, groups=n_inputs, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(n_inputs, n_outputs, 1))


class Convolutions(nn.Module):
    """The three blocks in front of every network: (batch, n_frames, 40) → (batch, n_frames, 256)."""

    def __init__(self, separable: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_inputs, pool in zip((1, N_CHANNELS, N_CHANNELS), POOLS, strict=True):
            layers += [convolution(n_inputs, N_CHANNELS, separable), nn.ReLU(inplace=True), batch_norm(N_CHANNELS)]
            layers += [nn.MaxPool2d((1, pool)), nn.Dropout(DROPOUT)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        if features.ndim != 3 or features.shape[2] != N_FEATURES:
            raise ValueError(f"features are {tuple(features.shape)}; wanted (batch, n_frames, {N_FEATURES})")
        maps: Tensor = self.layers(features.unsqueeze(1))  # (batch, 256, n_frames, 1)
        return maps.squeeze(3).transpose(1, 2)


class Recurrence(nn.Module):
    """A GRU over time: (batch, n_frames, 256) → (batch, n_frames, 256). Its two biases are Keras' `reset_after`."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(N_CHANNELS, N_CHANNELS, batch_first=True)

    def forward(self, sequence: Tensor) -> Tensor:
        states: Tensor = self.gru(sequence)[0]
        return states


class Dilation(nn.Module):
    """The dilated block: time × 256 becomes an image with one channel, (batch, n_frames, 256) → (batch, 256, n_frames,
    width); time is padded so that n_frames stays, the width is not."""

    def __init__(self, config: ReportConfig, stride: int = 1) -> None:
        super().__init__()
        padding = config.dilation * (config.kernel - 1) // 2
        self.layers = nn.Sequential(
            nn.Conv2d(1, N_CHANNELS, config.kernel, (1, stride), (padding, 0), (config.dilation, 1)),
            nn.ReLU(inplace=True),
            batch_norm(N_CHANNELS),
            nn.Dropout(DROPOUT),
        )
        self.width = (N_CHANNELS - config.kernel) // stride + 1

    def forward(self, sequence: Tensor) -> Tensor:
        maps: Tensor = self.layers(sequence.unsqueeze(1))
        return maps


class ReducedDilation(nn.Module):
    """The dilated block brought down to a third of its width: (batch, n_frames, 256) → (batch, n_frames, size)."""

    def __init__(self, config: ReportConfig, reduction: Reduction) -> None:
        super().__init__()
        self.dilation = Dilation(config, stride=3 if reduction == "stride" else 1)
        self.reduce: nn.Module = nn.Identity()
        width = self.dilation.width
        if reduction == "pointwise":
            self.reduce = nn.Conv2d(N_CHANNELS, N_CHANNELS, 1, stride=(1, 3))
            width = -(-width // 3)  # 85 for the report's kernel
        elif reduction == "pool":
            self.reduce = nn.MaxPool2d((1, 3))
            width = width // 3  # 84
        self.size = width * N_CHANNELS

    def forward(self, sequence: Tensor) -> Tensor:
        maps: Tensor = self.reduce(self.dilation(sequence))
        return maps.permute(0, 2, 3, 1).flatten(2)


class Polyphonic(nn.Module):
    """Logits of every frame: (batch, n_frames, 40) → (batch, n_frames, n_labels). `reduction` None is the GRU."""

    def __init__(
        self, n_labels: int = 16, config: ReportConfig = ReportConfig(), *, separable: bool, reduction: Reduction | None
    ) -> None:
        super().__init__()
        self.convolutions = Convolutions(separable)
        over_time = Recurrence() if reduction is None else ReducedDilation(config, reduction)
        self.over_time = over_time
        self.output = nn.Linear(over_time.size if isinstance(over_time, ReducedDilation) else N_CHANNELS, n_labels)
        initialise(self)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.output(self.over_time(self.convolutions(features)))
        return logits


class Monophonic(nn.Module):
    """Logits of a clip: (batch, n_frames, 40) → (batch, n_labels).

    Behind the convolutions stands a GRU, whose last state counts (`average` None), or the dilated block, whose map
    (batch, 256 filters, n_frames, width) is averaged over time and one axis more: over its width, as the report has it,
    or over its filters.
    """

    def __init__(
        self, n_labels: int = 10, config: ReportConfig = ReportConfig(), *, separable: bool, average: Average | None
    ) -> None:
        super().__init__()
        self.convolutions = Convolutions(separable)
        self.average = average
        dilation = Dilation(config)
        self.over_time = Recurrence() if average is None else dilation
        self.output = nn.Linear(dilation.width if average == "filters" else N_CHANNELS, n_labels)
        initialise(self)

    def forward(self, features: Tensor) -> Tensor:
        over_time = self.over_time(self.convolutions(features))
        if self.average is None:
            clip = over_time[:, -1]
        else:
            clip = over_time.mean((2, 3) if self.average == "width" else (1, 2))
        logits: Tensor = self.output(clip)
        return logits


def initialise(network: nn.Module) -> None:
    """Keras' defaults: Glorot uniform weights, orthogonal recurrent weights, zero biases.

    Keras counts the fans of a depthwise kernel the other way round, and of a GRU's three gates together, as PyTorch
    does here; Glorot's limit sqrt(6 / (fan_in + fan_out)) is the same.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.GRU):
            for name, parameter in module.named_parameters():
                if "bias" in name:
                    nn.init.zeros_(parameter)
                elif "weight_hh" in name:
                    nn.init.orthogonal_(parameter)
                else:
                    nn.init.xavier_uniform_(parameter)


class Builder(Protocol):
    """Makes one of the networks, freshly initialised from torch's generator."""

    def __call__(self, n_labels: int = ..., config: ReportConfig = ...) -> nn.Module: ...


POLYPHONIC: Mapping[str, Builder] = {
    "baseline": partial(Polyphonic, separable=False, reduction=None),
    "dilated": partial(Polyphonic, separable=False, reduction="pointwise"),
    "dessed": partial(Polyphonic, separable=True, reduction=None),
    "proposed_conv": partial(Polyphonic, separable=True, reduction="pointwise"),
    "proposed_pool": partial(Polyphonic, separable=True, reduction="pool"),
    "dilated_strided": partial(Polyphonic, separable=False, reduction="stride"),
    "proposed_strided": partial(Polyphonic, separable=True, reduction="stride"),
}

MONOPHONIC: Mapping[str, Builder] = {
    "mono_baseline": partial(Monophonic, separable=False, average=None),
    "mono_proposed": partial(Monophonic, separable=True, average="width"),
    "mono_repaired": partial(Monophonic, separable=True, average="filters"),
}
"""The report's two networks for clips, and its second one repaired: see docs/clips.md for what was wrong with it."""
