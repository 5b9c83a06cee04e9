"""The report's networks computed another way: the same layers and weights, the same result, a fraction of the time.

The dilated block turns 256 values a frame into 256 × 254, 4 GB for a batch of 16 sub-sequences; a CPU spends its time
carrying such maps to memory and back. Two facts make that unnecessary:

- Batch norm needs two numbers a channel of the whole map, its mean and variance. With these known, everything from the
  dilated convolution to the logits of a frame needs a few frames of the sequence only, so it is computed for
  `ROWS` frames at a time, in the processor's cache, and once more in the backward pass instead of being kept
  (Chen et al. 2016, "Training deep nets with sublinear memory cost", arXiv 1604.06174).
- The report's 1×1 convolution has no activation behind it: it and the dense layer are one linear map. Multiplying the
  two weights once costs a thousandth of applying the first one to every frame; and of the dilated map it reads every
  third column only, the others count for the mean and variance alone.

Results differ from the plain layers by float32 rounding; the random numbers of dropout are others, of the same kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from hubbub.networks.report import Dilation, Monophonic, Polyphonic, ReducedDilation

ROWS = 16
"""Frames (of all the batch together) that are computed at a time: 4 MB of float32 for 254 columns of 256 channels."""
STEP = 3
"""The report's stride and pool: a third of the columns are left."""


def chunked(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """What computes `network` in chunks, on a CPU; the network itself where that brings nothing.

    Takes features (batch, n_frames, 40) and gives logits, (batch, n_frames, n_labels) or of clips (batch, n_labels),
    trains the network's own parameters and follows its `train()` and `eval()`.
    """
    if isinstance(network, Polyphonic) and isinstance(network.over_time, ReducedDilation):
        return _Frames(network, network.over_time)
    if isinstance(network, Monophonic) and isinstance(network.over_time, Dilation):
        return _Clip(network, network.over_time)
    return network


class _Chunked(ABC):
    """The forward pass; what it multiplies with is read from the network each time."""

    def __init__(self, network: Polyphonic | Monophonic, dilation: Dilation) -> None:
        self.network = network
        convolution, _, norm, dropout = dilation.layers
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert isinstance(dropout, nn.Dropout)
        self.convolution, self.norm, self.dropout = convolution, norm, dropout
        self.size, self.dilation = convolution.kernel_size[0], convolution.dilation[0]

    def __call__(self, features: Tensor) -> Tensor:
        if features.device.type != "cpu":  # a GPU has the memory, and nothing to gain from small pieces
            logits: Tensor = self.network(features)
            return logits
        sequence = self.network.convolutions(features)
        with torch.autocast("cpu", enabled=False):
            padding = int(self.convolution.padding[0])
            wide = sequence if sequence.dtype == torch.float64 else sequence.float()  # under autocast it is narrow
            return self._over_time(functional.pad(wide, (0, 0, padding, padding)))

    @abstractmethod
    def _over_time(self, padded: Tensor) -> Tensor:
        """The sequence (batch, n_frames, 256), padded in time, → logits."""

    def _kernel(self) -> Tensor:
        """Weight and bias of the dilated convolution, (256, size² + 1)."""
        assert self.convolution.bias is not None
        return torch.cat([self.convolution.weight.flatten(1), self.convolution.bias[:, None]], 1)

    def _dropped(self) -> float:
        return self.dropout.p if self.dropout.training else 0.0

    def _scale_and_shift(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """What batch norm multiplies with and adds, (256,) each."""
        scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
        return scale, self.norm.bias - mean * scale

    def _known(self) -> tuple[Tensor, Tensor]:
        """Batch norm's running mean and variance."""
        assert self.norm.running_mean is not None and self.norm.running_var is not None
        return self.norm.running_mean, self.norm.running_var

    def _remember(self, mean: Tensor, variance: Tensor, n: Tensor) -> None:
        """Moves the running statistics, as `BatchNorm2d` does."""
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
        momentum = norm.momentum if norm.momentum is not None else 0.1
        with torch.no_grad():
            norm.running_mean.lerp_(mean, momentum)
            norm.running_var.lerp_(variance * (n / (n - 1)), momentum)
            norm.num_batches_tracked += 1


class _Frames(_Chunked):
    """Logits of every frame."""

    def __init__(self, network: Polyphonic, block: ReducedDilation) -> None:
        super().__init__(network, block.dilation)
        self.reduce = block.reduce
        self.pooled = isinstance(block.reduce, nn.MaxPool2d)

    def _over_time(self, padded: Tensor) -> Tensor:
        kernel, size, dilation = self._kernel(), self.size, self.dilation
        around = (size - 1) * dilation
        if self.norm.training:
            stride = self.convolution.stride[1]
            mean, variance, n = _Moments.apply(padded, kernel, size, dilation, stride)  # type: ignore[no-untyped-call]
            self._remember(mean, variance, n)
        else:
            mean, variance = self._known()
        scale, shift = self._scale_and_shift(mean, variance)
        weight, bias = self._dense()
        dropped, rows = self._dropped(), max(1, ROWS // len(padded))

        def tail(piece: Tensor, *parameters: Tensor) -> Tensor:
            return _tail(piece, size, dilation, 1 if self.pooled else STEP, self.pooled, dropped, *parameters)

        logits_of = []
        for first in range(0, padded.shape[1] - around, rows):
            arguments = (padded[:, first : first + rows + around], kernel, scale, shift, weight, bias)
            keeps = torch.is_grad_enabled()
            logits_of.append(checkpoint(tail, *arguments, use_reentrant=False) if keeps else tail(*arguments))
        return torch.cat(logits_of, 1)

    def _dense(self) -> tuple[Tensor, Tensor]:
        """Weight (n_labels, width * 256) and bias of the dense layer, the 1×1 convolution included."""
        output, reduce = self.network.output, self.reduce
        if not isinstance(reduce, nn.Conv2d):
            return output.weight, output.bias
        assert reduce.bias is not None
        by_column = output.weight.view(output.out_features, -1, reduce.out_channels)  # (n_labels, width, 256)
        weight = (by_column @ reduce.weight.flatten(1)).flatten(1)
        return weight, output.bias + by_column.sum(1) @ reduce.bias


class _Clip(_Chunked):
    """Logits of a clip. Batch norm is linear and dropout a product, so that the mean of their output over time needs
    sums over time only: of what the convolution gives where it is not dropped, and of how often it is not."""

    def _over_time(self, padded: Tensor) -> Tensor:
        dropped = self._dropped()
        arguments = (padded, self._kernel(), self.size, self.dilation, dropped)
        sums, kept, mean, variance, n = _Sums.apply(*arguments)  # type: ignore[no-untyped-call]
        if self.norm.training:
            self._remember(mean, variance, n)
        else:
            mean, variance = self._known()
        scale, shift = self._scale_and_shift(mean, variance)
        n_frames = padded.shape[1] - (self.size - 1) * self.dilation
        maps = (sums * scale + kept * shift) / (n_frames * (1 - dropped))  # (batch, width, 256), averaged over time
        assert isinstance(self.network, Monophonic)
        logits: Tensor = self.network.output(maps.mean(1 if self.network.average == "width" else 2))
        return logits


def _tail(
    piece: Tensor, size: int, dilation: int, step: int, pooled: bool, dropped: float, *parameters: Tensor
) -> Tensor:
    """Some frames of the padded sequence → their logits, (batch, rows, n_labels)."""
    kernel, scale, shift, weight, bias = parameters
    maps = functional.relu(_patches(piece, size, dilation, step) @ kernel.t())  # (batch, rows, width, 256)
    if dropped:
        maps = torch.addcmul(shift / (1 - dropped), maps, scale / (1 - dropped))
        maps = maps * _kept(maps.shape, dropped)
    else:
        maps = torch.addcmul(shift, maps, scale)
    if pooled:
        width = maps.shape[2] // STEP
        maps = maps[:, :, : width * STEP].reshape(*maps.shape[:2], width, STEP, -1).amax(3)
    return functional.linear(maps.flatten(2), weight, bias)


def _patches(piece: Tensor, size: int, dilation: int, step: int) -> Tensor:
    """(batch, rows + (size - 1) * dilation, 256) → (batch, rows, width, size² + 1): what each place of the dilated
    convolution multiplies, and a 1 for its bias."""
    rows = piece.shape[1] - (size - 1) * dilation
    last = piece.shape[2] - size + 1
    shifted = [
        piece[:, i * dilation : i * dilation + rows, j : j + last : step] for i in range(size) for j in range(size)
    ]
    return torch.stack([*shifted, torch.ones_like(shifted[0])], -1)


def _kept(shape: torch.Size, dropped: float, generator: torch.Generator | None = None) -> Tensor:
    """1 where a value is kept and 0 where it is dropped, from random bytes: much cheaper than random floats, and a
    quarter of them is below 64 exactly."""
    n = shape.numel()
    words = torch.empty(-(-n // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    values = words.view(torch.uint8)[:n].view(shape).float()
    return values.sub_(round(256 * dropped) - 1).clamp_(0, 1)


class _Moments(torch.autograd.Function):
    """Mean and variance of each channel of relu(dilated convolution), over batch, frames and columns."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, kernel: Tensor, size: int, dilation: int, step: int) -> tuple[Tensor, ...]:
        """Padded sequence (batch, padded frames, 256), kernel (256, size² + 1) → mean (256,), variance (256,), how
        many values each is over."""
        total = torch.zeros(len(kernel), dtype=torch.float64)
        squares = torch.zeros_like(total)
        n = 0
        for piece in _pieces(padded, size, dilation):
            values = _patches(piece, size, dilation, step).flatten(0, 2) @ kernel.t()
            values.relu_()
            total += values.sum(0)
            squares += values.square_().sum(0)
            n += len(values)
        mean = total / n
        variance = (squares / n - mean.square()).clamp(min=0)
        ctx.save_for_backward(padded, kernel, mean)
        ctx.shape, ctx.n = (size, dilation, step), n
        return mean.to(padded.dtype), variance.to(padded.dtype), torch.tensor(float(n))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Computes the maps once more, piece by piece."""
        padded, kernel, mean = ctx.saved_tensors
        size, dilation, step = ctx.shape
        by_mean, by_variance, _ = gradients
        slope = 2 * by_variance / ctx.n
        offset = by_mean / ctx.n - slope * mean.to(slope.dtype)
        to_padded, to_kernel = torch.zeros_like(padded), torch.zeros_like(kernel.t())
        first = 0
        for piece in _pieces(padded, size, dilation):
            patches = _patches(piece, size, dilation, step)
            flat = patches.flatten(0, 2)
            values = (flat @ kernel.t()).relu_()
            change = torch.ops.aten.threshold_backward(torch.addcmul(offset, values, slope), values, 0)
            to_kernel.addmm_(flat.t(), change)  # this way round it is seven times faster
            first += _scatter(to_padded, (change @ kernel).view(patches.shape), first, size, dilation, step)
        return to_padded, to_kernel.t(), None, None, None


class _Sums(torch.autograd.Function):
    """Of relu(dilated convolution): its sum over time where dropout keeps it, and the moments that `_Moments` gives."""

    @staticmethod
    def forward(
        ctx: Any, padded: Tensor, kernel: Tensor, size: int, dilation: int, dropped: float
    ) -> tuple[Tensor, ...]:
        """→ sums (batch, width, 256), how many frames are kept (batch, width, 256), mean (256,), variance (256,), how
        many values these two are over."""
        batch, width = len(padded), padded.shape[2] - size + 1
        sums, kept = padded.new_zeros(2, batch, width, len(kernel))
        total, squares = torch.zeros(2, len(kernel), dtype=torch.float64)
        seed = int(torch.randint(2**62, (1,)))
        generator = torch.Generator().manual_seed(seed)
        n = 0
        for piece in _pieces(padded, size, dilation):
            values = (_patches(piece, size, dilation, 1) @ kernel.t()).relu_()
            n += values[..., 0].numel()
            total += values.sum((0, 1)).sum(0)
            squares += values.square().sum((0, 1)).sum(0)
            if dropped:
                keeps = _kept(values.shape, dropped, generator)
                sums += values.mul_(keeps).sum(1)
                kept += keeps.sum(1)
            else:
                sums += values.sum(1)
                kept += values.shape[1]
        mean = total / n
        variance = (squares / n - mean.square()).clamp(min=0)
        ctx.save_for_backward(padded, kernel, mean)
        ctx.settings = size, dilation, dropped, seed, n
        ctx.mark_non_differentiable(kept)
        return sums, kept, mean.to(padded.dtype), variance.to(padded.dtype), torch.tensor(float(n))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Computes the maps once more, piece by piece, and drops the same of them."""
        padded, kernel, mean = ctx.saved_tensors
        size, dilation, dropped, seed, n = ctx.settings
        by_sums, _, by_mean, by_variance, _ = gradients
        generator = torch.Generator().manual_seed(seed)
        slope = 2 * by_variance / n
        offset = by_mean / n - slope * mean.to(slope.dtype)
        to_padded, to_kernel = torch.zeros_like(padded), torch.zeros_like(kernel.t())
        first = 0
        for piece in _pieces(padded, size, dilation):
            patches = _patches(piece, size, dilation, 1)
            values = (patches @ kernel.t()).relu_()
            change = torch.addcmul(offset, values, slope)
            if dropped:
                change.addcmul_(_kept(values.shape, dropped, generator), by_sums.unsqueeze(1))
            else:
                change += by_sums.unsqueeze(1)
            change = torch.ops.aten.threshold_backward(change, values, 0).flatten(0, 2)
            to_kernel.addmm_(patches.flatten(0, 2).t(), change)
            first += _scatter(to_padded, (change @ kernel).view(patches.shape), first, size, dilation, 1)
        return to_padded, to_kernel.t(), None, None, None


def _scatter(to_padded: Tensor, to_patches: Tensor, first: int, size: int, dilation: int, step: int) -> int:
    """Adds the gradients of the patches of some frames, from `first` on, where they were taken; how many frames."""
    rows, last = to_patches.shape[1], to_padded.shape[2] - size + 1
    for k in range(size * size):
        row, column = first + (k // size) * dilation, k % size
        to_padded[:, row : row + rows, column : column + last : step] += to_patches[..., k]
    return rows


def _pieces(padded: Tensor, size: int, dilation: int) -> Iterator[Tensor]:
    """The padded sequence, as overlapping pieces of `ROWS` frames and what they need around them."""
    around = (size - 1) * dilation
    n_frames = padded.shape[1] - around
    rows = max(1, ROWS // len(padded))
    for first in range(0, n_frames, rows):
        yield padded[:, first : min(first + rows, n_frames) + around]
