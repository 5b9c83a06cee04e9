"""The report's networks in chunks: the same numbers as layer by layer, with the same gradients and statistics."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hubbub.networks import Hub, HubClip
from hubbub.networks import chunked as module
from hubbub.networks.chunked import chunked
from hubbub.networks.report import MONOPHONIC, POLYPHONIC, ReportConfig

ALL = {**POLYPHONIC, **MONOPHONIC}
DILATED = [name for name in ALL if name not in ("baseline", "dessed", "mono_baseline")]


def network(name: str, config: ReportConfig | None = None, *, dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    built = ALL[name](5, config or ReportConfig())
    for layer in built.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
        if isinstance(layer, nn.BatchNorm2d):  # off their first values, and some of them negative
            nn.init.normal_(layer.weight, 0.5)
            nn.init.normal_(layer.bias, 0.5)
    return built


def features(n_frames: int = 90, batch: int = 2) -> Tensor:
    return torch.randn(batch, n_frames, 40, generator=torch.Generator().manual_seed(1))


def gradients(compute: object, built: nn.Module, x: Tensor) -> dict[str, Tensor]:
    logits = compute(x)  # type: ignore[operator]
    targets = (torch.rand(logits.shape, generator=torch.Generator().manual_seed(2)) < 0.3).to(logits.dtype)
    built.zero_grad()
    functional.binary_cross_entropy_with_logits(logits, targets).backward()
    return {name: parameter.grad.clone() for name, parameter in built.named_parameters()}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", DILATED)
def test_training_gives_the_same_gradients_and_statistics(name: str) -> None:
    plain, other = network(name), network(name)
    x = features()
    # in float64: in float32 a sum near 0 that falls on the other side of a ReLU would be a difference, on some machines
    plain, other, x = plain.double(), other.double(), x.double()
    expected, found = gradients(plain, plain, x), gradients(chunked(other), other, x)
    assert expected.keys() == found.keys()
    for parameter, gradient in expected.items():
        tolerance = 1e-9 * max(float(gradient.abs().max()), 1e-6)
        assert torch.allclose(found[parameter], gradient, rtol=0, atol=tolerance), parameter
    for (key, value), (_, ours) in zip(plain.named_buffers(), other.named_buffers(), strict=True):
        assert torch.allclose(value.float(), ours.float(), rtol=1e-5, atol=1e-6), key


@pytest.mark.parametrize("config", [ReportConfig(5, 7), ReportConfig(7, 1)])
def test_other_kernels_and_dilations(config: ReportConfig) -> None:
    for name in ("proposed_conv", "proposed_strided", "mono_proposed", "mono_repaired"):
        plain = network(name, config)
        x = features(40)
        assert torch.allclose(chunked(plain)(x), plain(x), atol=1e-4)


@pytest.mark.parametrize("name", DILATED)
def test_evaluation_gives_the_same_logits(name: str) -> None:
    built = network(name)
    built(features(200))  # some statistics
    built.eval()
    with torch.inference_mode():
        x = features(75, 3)
        assert torch.allclose(chunked(built)(x), built(x), atol=1e-5)


def test_what_has_no_dilated_block_is_left_alone() -> None:
    for built in (network("baseline"), network("dessed"), network("mono_baseline"), Hub(5), HubClip(5)):
        assert chunked(built) is built


def test_dropout_drops_a_quarter_and_keeps_the_mean() -> None:
    kept = module._kept(torch.Size((1000, 1001)), 0.25)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert float(kept.mean()) == pytest.approx(0.75, abs=0.002)
    assert float(kept[:, 7::8].mean()) == pytest.approx(0.75, abs=0.005)  # the highest byte of each word too
    torch.manual_seed(3)
    again = module._kept(torch.Size((8, 8)), 0.25)
    torch.manual_seed(3)
    assert torch.equal(again, module._kept(torch.Size((8, 8)), 0.25))


def test_dropout_is_at_work_in_training_and_the_backward_pass_sees_what_was_dropped() -> None:
    """A loss that is linear in the dense layer's weights: with the same places dropped, its gradient times the weights
    is the loss itself."""
    built = network("proposed_pool", dropout=0.25)
    compute = chunked(built)
    torch.manual_seed(0)
    loss = compute(features()).square().sum()
    loss.backward()
    linear = built.output.weight.grad  # type: ignore[union-attr]
    bias = built.output.bias.grad  # type: ignore[union-attr]
    product = (linear * built.output.weight).sum() + (bias * built.output.bias).sum()  # type: ignore[union-attr,operator]
    assert product.item() == pytest.approx(2 * loss.item(), rel=1e-4)
    torch.manual_seed(1)
    assert not torch.equal(compute(features()), compute(features()))
