"""The report's networks against the facts: parameter counts, costs, Keras' defaults, shapes and reach in time."""

import math

import pytest
import torch
from torch import nn

from hubbub.networks.count import multiply_adds, multiply_adds_per_second, n_parameters
from hubbub.networks.report import MONOPHONIC, PAPER_GRID, POLYPHONIC, ReducedDilation, Reduction, ReportConfig

ALL = {**POLYPHONIC, **MONOPHONIC}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("baseline", 3_684_368),
        ("dilated", 3_702_544),
        ("dilated_strided", 3_636_752),
        ("proposed_strided", 497_705),
        ("dessed", 545_321),
        ("proposed_conv", 563_497),
        ("proposed_pool", 493_609),
        ("mono_baseline", 3_682_826),
        ("mono_proposed", 152_099),
    ],
)
def test_parameter_counts_are_those_of_keras(name: str, expected: int) -> None:
    assert n_parameters(ALL[name]()) == expected


def test_these_are_all_nine_and_one_repaired() -> None:
    assert len(set(ALL) - {"mono_repaired"}) == 9 == len(ALL) - 1


def test_frozen_parameters_are_not_counted() -> None:
    layer = nn.Linear(3, 2)
    layer.bias.requires_grad_(False)
    assert n_parameters(layer) == 6


@pytest.mark.parametrize(("name", "millions"), [("proposed_conv", 725), ("proposed_pool", 166)])
def test_multiply_adds_are_those_the_mission_states(name: str, millions: int) -> None:
    cost = multiply_adds_per_second(POLYPHONIC[name](), frame_rate=22050 / 220, n_frames=4)
    assert round(cost / 1e6) == millions


def test_multiply_adds_of_every_kind_of_layer() -> None:
    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grouped = nn.Conv1d(4, 8, 3, padding=1, groups=2)
            self.gru = nn.GRU(8, 5, batch_first=True)
            self.dense = nn.Linear(5, 2)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.dense(self.gru(self.grouped(features.mT).mT)[0])

    network = Layers().train()
    assert multiply_adds(network, n_frames=7, n_features=4) == 7 * (8 * 2 * 3 + 3 * 5 * (8 + 5) + 5 * 2)
    assert network.training, "left as it was"
    assert not network.dense._forward_hooks


@pytest.mark.parametrize("name", POLYPHONIC)
def test_polyphonic_networks_give_logits_of_every_frame(name: str) -> None:
    logits = POLYPHONIC[name](n_labels=3)(torch.randn(2, 3, 40))
    assert logits.shape == (2, 3, 3)


@pytest.mark.parametrize("name", MONOPHONIC)
def test_monophonic_networks_give_logits_of_the_clip(name: str) -> None:
    assert MONOPHONIC[name](n_labels=3)(torch.randn(2, 3, 40)).shape == (2, 3)


@pytest.mark.parametrize("config", PAPER_GRID)
@pytest.mark.parametrize("reduction", ["pointwise", "pool", "stride"])
def test_the_whole_grid_of_the_paper_keeps_the_frames(reduction: Reduction, config: ReportConfig) -> None:
    reduced = ReducedDilation(config, reduction)
    assert reduced(torch.randn(1, 3, 256)).shape == (1, 3, reduced.size)


def test_the_grid_of_the_paper_is_kernels_by_dilations() -> None:
    assert {(c.kernel, c.dilation) for c in PAPER_GRID} == {(k, d) for k in (3, 5, 7) for d in (1, 10, 50, 100)}


@pytest.mark.parametrize(("config", "reach"), [(ReportConfig(), 6 + 10), (ReportConfig(5, 4), 6 + 8)])
@pytest.mark.parametrize("name", ["proposed_conv", "proposed_pool", "proposed_strided"])
def test_reach_in_time_is_that_of_the_convolutions(name: str, config: ReportConfig, reach: int) -> None:
    network = POLYPHONIC[name](2, config).eval()
    features = torch.randn(1, 2 * reach + 5, 40, requires_grad=True)
    middle = reach + 2
    network(features)[0, middle].sum().backward()
    assert features.grad is not None
    touched = features.grad[0].abs().sum(1).nonzero().flatten()
    assert (touched.min().item(), touched.max().item()) == (middle - reach, middle + reach)


def test_a_gru_hears_the_past_and_the_convolutions_reach_only() -> None:
    features = torch.randn(1, 30, 40, requires_grad=True)
    POLYPHONIC["dessed"](2).eval()(features)[0, 12].sum().backward()
    assert features.grad is not None
    touched = features.grad[0].abs().sum(1).nonzero().flatten()
    assert (touched.min().item(), touched.max().item()) == (0, 12 + 6)


def test_mono_baseline_takes_the_last_state() -> None:
    network = MONOPHONIC["mono_baseline"](4).eval()
    features = torch.randn(1, 6, 40)
    states = network.over_time(network.convolutions(features))
    assert torch.equal(network(features), network.output(states[:, 5]))


def test_mono_proposed_averages_all_maps() -> None:
    network = MONOPHONIC["mono_proposed"](4).eval()
    features = torch.randn(1, 6, 40)
    maps = network.over_time(network.convolutions(features))
    assert maps.shape == (1, 256, 6, 254)
    torch.testing.assert_close(network(features), network.output(maps.flatten(2).mean(2)))


@pytest.mark.parametrize("name", ["baseline", "proposed_conv"])
def test_weights_start_as_keras_starts_them(name: str) -> None:
    network = POLYPHONIC[name]()
    for module in network.modules():
        for part, parameter in module.named_parameters(recurse=False):
            if isinstance(module, nn.BatchNorm2d):
                assert torch.all(parameter == (1.0 if part == "weight" else 0.0))
            elif part.startswith("bias"):
                assert torch.all(parameter == 0)
            elif part.startswith("weight_hh"):
                torch.testing.assert_close(parameter.mT @ parameter, torch.eye(256), atol=1e-5, rtol=0)
            else:
                # Glorot uniform, with the fans of Keras: kernel area × channels in and out, of depthwise kernels too.
                area = parameter[0, 0].numel()
                fans = area * (parameter.shape[0] + parameter.shape[1])
                limit = math.sqrt(6 / fans)
                assert 0.8 * limit < parameter.abs().max().item() <= limit, part
                if parameter.numel() > 1000:
                    assert parameter.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize("name", ALL)
def test_batch_norm_and_dropout_are_those_of_the_report(name: str) -> None:
    network = ALL[name]()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    dropouts = [m.p for m in network.modules() if isinstance(m, nn.Dropout)]
    has_gru = any(isinstance(m, nn.GRU) for m in network.modules())
    assert {(m.eps, m.momentum) for m in norms} == {(1e-3, 0.01)}
    assert len(norms) == (3 if has_gru else 4)
    assert dropouts == [0.25] * len(norms)


def test_depthwise_convolutions_are_those_of_keras() -> None:
    blocks = [m for m in POLYPHONIC["dessed"]().modules() if isinstance(m, nn.Sequential) and len(m) == 2]
    assert len(blocks) == 3
    for depthwise, pointwise in blocks:  # nothing between the two
        assert depthwise.groups == depthwise.in_channels == depthwise.out_channels
        assert depthwise.bias is None
        assert pointwise.kernel_size == (1, 1)
        assert pointwise.bias is not None


@pytest.mark.parametrize("name", ["baseline", "proposed_conv", "proposed_pool"])
def test_channels_last_gives_the_same(name: str) -> None:
    network = POLYPHONIC[name](3).eval()
    features = torch.randn(2, 6, 40)
    expected = network(features)
    actual = network.to(memory_format=torch.channels_last)(features)
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_learns(name: str) -> None:
    network = ALL[name](3)
    network(torch.randn(2, 4, 40)).square().sum().backward()
    idle = [
        part for part, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert idle == []


@pytest.mark.parametrize("shape", [(2, 10, 64), (10, 40)])
def test_other_features_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"features are .*; wanted \(batch, n_frames, 40\)"):
        POLYPHONIC["dessed"]()(torch.zeros(shape))


@pytest.mark.parametrize(("kernel", "dilation"), [(4, 10), (0, 10), (3, 0)])
def test_impossible_dilations_are_refused(kernel: int, dilation: int) -> None:
    with pytest.raises(ValueError, match="wanted"):
        ReportConfig(kernel, dilation)
