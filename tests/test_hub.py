"""Our own network: its size, what it sees, and that a stream and a whole run through the same arithmetic."""

import numpy as np
import pytest
import torch
from torch import nn

from hubbub.grid import receptive_field
from hubbub.networks import SIZES, Hub, HubConfig, build
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.networks.hub import Depthwise
from hubbub.training.front_end import OURS

SMALL = HubConfig(n_features=16, stem=(2, 3, 4), width=6, dilations=(1, 2, 4, 4), max_ahead=7, dropout=0.0)


def small() -> Hub:
    torch.manual_seed(1)
    network = Hub(3, SMALL).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.bias, 0.1, 1)  # so that no ReLU blocks the view
    return network


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"), [("tiny", 0.06e6, 5e6), ("small", 0.25e6, 20e6), ("base", 1e6, 60e6)]
)
def test_each_is_as_small_as_it_was_meant_to_be(name: str, parameters: float, multiply_adds: float) -> None:
    network = build(name, 16)
    assert parameters / 2 < n_parameters(network) < parameters
    frame_rate = OURS.sample_rate / OURS.hop
    assert multiply_adds_per_second(network, frame_rate, OURS.n_features, n_frames=500) < multiply_adds


@pytest.mark.parametrize("name", SIZES)
def test_the_causal_variant_sees_nothing_ahead(name: str) -> None:
    network = build(name, 3, causal=True, dropout=0.0).double().eval()
    assert isinstance(network, Hub) and network.look_ahead == 0
    ahead = build(name, 3)
    assert isinstance(ahead, Hub) and network.context == ahead.context + ahead.look_ahead
    features = torch.randn(1, network.context + 20, 64, dtype=torch.float64)
    changed = features.clone()
    changed[:, network.context + 11 :] += 1
    with torch.inference_mode():
        same = (network(features) - network(changed)).abs().amax((0, 2)) == 0
    assert same[:11].all() and not same[11]


def test_its_receptive_field_is_that_of_its_kernels() -> None:
    network = Hub(16)
    n_stem, dilations = len(network.config.stem), network.config.dilations
    seen = receptive_field([3] * (n_stem + len(dilations)), [1] * n_stem + list(dilations))
    assert network.context + 1 + network.look_ahead == seen
    assert network.look_ahead == n_stem + 34


def test_only_blocks_within_the_budget_look_ahead() -> None:
    delays = [block.delay for block in small().blocks]
    assert delays == [1, 2, 4, 0]


def test_a_frame_sees_its_context_and_nothing_more() -> None:
    network = small().double()
    n_frames = 5
    features = torch.randn(1, network.context + n_frames + network.look_ahead, 16, dtype=torch.float64)
    features.requires_grad_()
    logits = network(features)
    assert logits.shape == (1, n_frames, 3)
    middle = 2
    (gradient,) = torch.autograd.grad(logits[0, middle].sum(), features)
    seen = np.flatnonzero(gradient[0].abs().sum(1).numpy())
    assert seen[0] == middle, "the oldest frame it sees"
    assert seen[-1] == middle + network.context + network.look_ahead, "the newest one"


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_any_length_give_what_the_whole_gives(seed: int) -> None:
    network = small().double()
    rng = np.random.default_rng(seed)
    features = torch.randn(2, 90, 16, dtype=torch.float64)
    states = [torch.zeros(2, *shape[1:], dtype=torch.float64) for shape in network.state_shapes().values()]
    with torch.inference_mode():
        whole, _ = network.step(features, states)
        pieces, start = [], 0
        while start < 90:
            end = start + int(rng.integers(1, 20))
            piece, states = network.step(features[:, start:end], states)
            pieces.append(piece)
            start = end
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, rtol=0, atol=1e-12)


def test_the_shifted_products_are_a_depthwise_convolution() -> None:
    ours = Depthwise(4, 4, 3, dilation=5, groups=4, bias=False)
    torchs = nn.Conv1d(4, 4, 3, dilation=5, groups=4, bias=False)
    torchs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 30)
    torch.testing.assert_close(ours(x), torchs(x))
