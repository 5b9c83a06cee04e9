"""Hub, our own network: a thin stem that pools frequency before it widens, then a residual stack over time.

Everything runs forwards in time: a layer that looks d frames ahead gives its answer d frames late, and keeps the frames
it still needs in a state. So training, a whole file and a live stream run through the same arithmetic.

    features (batch, n_frames, n_features)
      → stem: 3 convolutions over time × frequency, 64 → 32 → 16 → 8 bands, 1 → 32 → 64 → 64 maps
      → 1×1 to `width` channels (batch, width, n_frames)
      → residual blocks: dilated depthwise convolution over time, then pointwise; dilations 1, 2, 4, …
      → events: 1×1 to logits (batch, n_frames, n_labels), `look_ahead` frames late
        clips: mean and maximum over the clip, dense to logits (batch, n_labels)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNEL = 3  # in time, everywhere


@dataclass(frozen=True)
class HubConfig:
    """`max_ahead`: frames that the residual stack may look ahead; blocks past that budget look only back. `causal`: no
    layer looks ahead, the stem neither; what remains is the front end's half window. `identity`: before training a
    block hands on what it is given. `band_bias`: the stem knows which band it is at. `gate`: the stem's maps are
    weighed in each frame by what all its bands hold."""

    n_features: int = 64
    stem: tuple[int, ...] = (32, 64, 64)
    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1, 2)
    max_ahead: int = 34
    dropout: float = 0.1
    causal: bool = False
    identity: bool = True
    band_bias: bool = False
    gate: bool = False


SIZES: Mapping[str, HubConfig] = {
    "tiny": HubConfig(stem=(16, 32, 32), width=64),
    "small": HubConfig(),
    "base": HubConfig(stem=(48, 96, 96), width=256, dilations=(1, 2, 4, 8, 16, 32, 1, 2, 4, 8)),
}
"""The size dial: about 0.05, 0.2 and 0.9 million parameters with 16 labels."""


class BandBias(nn.Module):
    """A bias for each map and band. A convolution is the same at every band, but a sound is not: a map of the band's
    place beside the input (CoordConv, Liu et al. 2018, arXiv 1807.03247) comes to such a bias."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, bands))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, n_frames, bands) → the same shape."""
        return x + self.bias


class Gate(nn.Module):
    """Squeeze and excitation (Hu et al. 2018, arXiv 1709.01507) in each frame for itself, so that it streams: the mean
    over the bands of a frame says how much each of its maps counts."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        between = max(4, channels // 4)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, between, 1), nn.ReLU(), nn.Conv2d(between, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, n_frames, bands) → the same shape."""
        weights: Tensor = self.layers(x.mean(3, keepdim=True))
        return x * weights


class StemLayer(nn.Module):
    """3×3 convolution over time and frequency that halves the `bands`; depthwise separable except the first.

    State: the last two frames, (batch, channels_in, 2, bands). Looks one frame ahead, or where causal only back.
    """

    def __init__(self, channels_in: int, channels_out: int, bands: int, config: HubConfig) -> None:
        super().__init__()
        self.channels_in = channels_in
        self.delay = 0 if config.causal else 1
        spatial_out = channels_out if channels_in == 1 else channels_in
        layers: list[nn.Module] = [
            nn.Conv2d(channels_in, spatial_out, KERNEL, (1, 2), padding=(0, 1), groups=channels_in, bias=False)
        ]
        if channels_in > 1:
            layers += [nn.BatchNorm2d(spatial_out), nn.ReLU(), nn.Conv2d(spatial_out, channels_out, 1, bias=False)]
        layers.append(nn.BatchNorm2d(channels_out))
        if config.band_bias:
            layers.append(BandBias(channels_out, (bands + 1) // 2))
        layers.append(nn.ReLU())
        if config.gate:
            layers.append(Gate(channels_out))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels_in, n_frames, bands) → (batch, channels_out, n_frames, bands / 2), `delay` frames late."""
        x = torch.cat([state, x], dim=2)
        return self.layers(x), x[:, :, -(KERNEL - 1) :]


class Depthwise(nn.Conv1d):
    """A dilated depthwise convolution over time as three shifted products: the same sum, and faster."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, n_frames + 2 * dilation) → (batch, channels, n_frames)."""
        (dilation,) = self.dilation
        after = [(KERNEL - 1 - k) * dilation for k in range(KERNEL)]
        terms = [x[:, :, k * dilation : -after[k] or None] * self.weight[:, :, k] for k in range(KERNEL)]
        return terms[0] + terms[1] + terms[2]


class ResidualBlock(nn.Module):
    """x + pointwise(relu(depthwise(x))), the depthwise convolution dilated over time.

    State: the last 2 * dilation frames, (batch, width, 2 * dilation). Looks `dilation` frames ahead, or only back.
    """

    def __init__(self, width: int, dilation: int, ahead: bool, dropout: float) -> None:
        super().__init__()
        self.delay = dilation if ahead else 0
        self.memory = (KERNEL - 1) * dilation
        self.depthwise = Depthwise(width, width, KERNEL, dilation=dilation, groups=width, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.pointwise = nn.Conv1d(width, width, 1, bias=False)
        self.norm_out = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout1d(dropout)  # whole channels: neighbouring frames tell what one frame hides

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, width, n_frames) → the same shape, `delay` frames late."""
        x = torch.cat([state, x], dim=2)
        y = self.norm_out(self.pointwise(functional.relu(self.norm(self.depthwise(x)))))
        shortcut = x[:, :, self.memory - self.delay : -self.delay or None]
        return functional.relu(shortcut + self.dropout(y)), x[:, :, -self.memory :]


class Body(nn.Module):
    """All but the head: features → `width` maps of each frame.

    `look_ahead`: how many frames late they are; `context`: frames back that one of them sees.
    """

    def __init__(self, config: HubConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = nn.BatchNorm1d(config.n_features, affine=False)  # the mean and spread of each band, learned
        channels, bands = (1, *config.stem), config.n_features
        self.stem = nn.ModuleList()
        for channels_in, channels_out in pairwise(channels):
            self.stem.append(StemLayer(channels_in, channels_out, bands, config))
            bands = (bands + 1) // 2
        self.widen = nn.Sequential(
            nn.Conv1d(config.stem[-1] * bands, config.width, 1, bias=False), nn.BatchNorm1d(config.width), nn.ReLU()
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(config.width, dilation, ahead, config.dropout)
            for dilation, ahead in _looks_ahead(config.dilations, 0 if config.causal else config.max_ahead)
        )
        if config.identity:  # learns sooner: Goyal et al. 2017, arXiv 1706.02677; docs/network.md
            for block in self.blocks:
                nn.init.zeros_(block.norm_out.weight)  # type: ignore[union-attr, arg-type]
        self.look_ahead = sum(int(layer.delay) for layer in self.layers())
        memory = (KERNEL - 1) * (len(config.stem) + sum(config.dilations))
        self.context = memory - self.look_ahead

    def layers(self) -> Iterator[StemLayer | ResidualBlock]:
        """The layers that keep a state, in the order of the states."""
        yield from self.stem  # type: ignore[misc]
        yield from self.blocks  # type: ignore[misc]

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of each state for a batch of one."""
        shapes: dict[str, tuple[int, ...]] = {}
        bands = self.config.n_features
        for index, layer in enumerate(self.stem):
            assert isinstance(layer, StemLayer)
            shapes[f"stem_{index}"] = (1, layer.channels_in, KERNEL - 1, bands)
            bands = (bands + 1) // 2
        for index, block in enumerate(self.blocks):
            assert isinstance(block, ResidualBlock)
            shapes[f"block_{index}"] = (1, self.config.width, block.memory)
        return shapes

    def empty_states(self, features: Tensor) -> list[Tensor]:
        """Zeros, for a batch as large as that of `features`."""
        return [features.new_zeros(len(features), *shape[1:]) for shape in self.state_shapes().values()]

    def maps(self, features: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """(batch, n_frames, n_features) and the states → maps (batch, width, n_frames), late, and new states."""
        x = self.norm(features.transpose(1, 2)).transpose(1, 2).unsqueeze(1)
        new_states = []
        remaining = iter(states)
        for layer in self.stem:
            x, state = layer(x, next(remaining))
            new_states.append(state)
        # (batch, maps, n_frames, bands) → (batch, maps * bands, n_frames)
        x = self.widen(x.permute(0, 1, 3, 2).flatten(1, 2))
        for block in self.blocks:
            x, state = block(x, next(remaining))
            new_states.append(state)
        return x, new_states


class Hub(Body):
    """The network for events: logits of each frame."""

    def __init__(self, n_labels: int, config: HubConfig | None = None) -> None:
        config = config if config is not None else HubConfig()
        super().__init__(config)
        self.head = nn.Conv1d(config.width, n_labels, 1)

    def step(self, features: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """(batch, n_frames, n_features) and the states → logits (batch, n_frames, n_labels), late, and new states."""
        maps, new_states = self.maps(features, states)
        return self.head(maps).transpose(1, 2), new_states

    def forward(self, features: Tensor) -> Tensor:
        """Training's form: features with context → logits of the frames in between.

        (batch, context + n_frames + look_ahead, n_features) → (batch, n_frames, n_labels)
        """
        logits, _ = self.step(features, self.empty_states(features))
        return logits[:, self.context + self.look_ahead :]


CLIP = HubConfig(stem=(16, 32, 64), width=96, identity=False)
"""For clips: with 64 features and ten labels fewer than 0.15 million parameters. As docs/clips.md measured it: the
wider stem and the identities of the networks for events were not tried on clips."""


class HubClip(Body):
    """The network for clips: one label for all frames, from the mean and the maximum of each map over the clip."""

    def __init__(self, n_labels: int, config: HubConfig | None = None) -> None:
        config = config if config is not None else CLIP
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.width, n_labels)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features with what follows the clip, and 1 where a frame belongs to it → logits of the clip.

        (batch, n_frames + look_ahead, n_features) and (batch, n_frames) → (batch, n_labels); without a mask all
        n_frames count.
        """
        maps, _ = self.maps(features, self.empty_states(features))
        maps = maps[:, :, self.look_ahead :]  # (batch, width, n_frames), none below 0 behind the last ReLU
        if mask is None:
            mean = maps.mean(2)
        else:
            maps = maps * mask[:, None]
            mean = maps.sum(2) / mask.sum(1, keepdim=True).clamp(min=1)
        logits: Tensor = self.head(self.dropout(torch.cat([mean, maps.amax(2)], 1)))
        return logits


def _looks_ahead(dilations: Sequence[int], budget: int) -> Iterator[tuple[int, bool]]:
    """Each dilation with whether its block may look ahead, as long as the budget of frames lasts."""
    for dilation in dilations:
        ahead = dilation <= budget
        budget -= dilation if ahead else 0
        yield dilation, ahead
