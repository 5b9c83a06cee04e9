"""Our own network: its size, what it sees, and that a stream and a whole run through the same arithmetic."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hubbub.grid import receptive_field
from hubbub.networks import SIZES, Hub, HubConfig, build
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.networks.hub import BandBias, Depthwise, Gate, ResidualBlock
from hubbub.training.front_end import OURS

SMALL = HubConfig(
    n_features=16, stem=(2, 3, 4), width=6, dilations=(1, 2, 4, 4), max_ahead=7, dropout=0.0, identity=False
)
CONFIGS = {
    "plain": SMALL,
    "every part": replace(SMALL, band_bias=True, gate=True),
    "odd bands": replace(SMALL, n_features=13, band_bias=True),
}


def small(config: HubConfig = SMALL) -> Hub:
    torch.manual_seed(1)
    network = Hub(3, config).eval()
    for module in network.modules():
        if isinstance(module, BandBias):
            nn.init.uniform_(module.bias, 0.1, 1)
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
    network = Hub(3, replace(SIZES[name], causal=True, dropout=0.0, identity=False)).double().eval()
    assert network.look_ahead == 0
    ahead = build(name, 3)
    assert isinstance(ahead, Hub) and network.context == ahead.context + ahead.look_ahead
    features = torch.randn(1, network.context + 20, 64, dtype=torch.float64)
    changed = features.clone()
    changed[:, network.context + 11 :] += 1
    with torch.inference_mode():
        same = (network(features) - network(changed)).abs().amax((0, 2)) == 0
    assert same[:11].all() and not same[11]


def test_untrained_blocks_hand_on_what_they_are_given_and_learn_from_the_first_step() -> None:
    torch.manual_seed(0)
    network = Hub(3, replace(SMALL, identity=True)).eval()
    x = torch.rand(2, SMALL.width, 20)  # behind a ReLU
    for block, plain in zip(network.blocks, Hub(3, SMALL).eval().blocks, strict=True):
        assert isinstance(block, ResidualBlock) and isinstance(plain, ResidualBlock)
        state = torch.rand(2, SMALL.width, block.memory)
        late = torch.cat([state, x], 2)[:, :, block.memory - block.delay :][:, :, :20]
        assert torch.equal(block(x, state)[0], late)
        assert not torch.equal(plain(x, state)[0], late)
    network.train()(torch.randn(2, network.context + 30 + network.look_ahead, 16)).square().sum().backward()
    for block in network.blocks:
        assert isinstance(block, ResidualBlock) and block.norm_out.weight.grad is not None
        assert block.norm_out.weight.grad.abs().min() > 0


def test_its_receptive_field_is_that_of_its_kernels() -> None:
    network = Hub(16)
    n_stem, dilations = len(network.config.stem), network.config.dilations
    seen = receptive_field([3] * (n_stem + len(dilations)), [1] * n_stem + list(dilations))
    assert network.context + 1 + network.look_ahead == seen
    assert network.look_ahead == n_stem + 34


def test_only_blocks_within_the_budget_look_ahead() -> None:
    delays = [block.delay for block in small().blocks]
    assert delays == [1, 2, 4, 0]


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_frame_sees_its_context_and_nothing_more(config: HubConfig) -> None:
    network = small(config).double()
    n_frames, n_bands = 5, config.n_features
    features = torch.randn(1, network.context + n_frames + network.look_ahead, n_bands, dtype=torch.float64)
    features.requires_grad_()
    logits = network(features)
    assert logits.shape == (1, n_frames, 3)
    middle = 2
    (gradient,) = torch.autograd.grad(logits[0, middle].sum(), features)
    seen = np.flatnonzero(gradient[0].abs().sum(1).numpy())
    assert seen[0] == middle, "the oldest frame it sees"
    assert seen[-1] == middle + network.context + network.look_ahead, "the newest one"


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_any_length_give_what_the_whole_gives(seed: int, config: HubConfig) -> None:
    network = small(config).double()
    rng = np.random.default_rng(seed)
    features = torch.randn(2, 90, config.n_features, dtype=torch.float64)
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


def test_a_bias_of_bands_tells_a_tone_from_the_same_tone_higher() -> None:
    """Two bands in the middle, eight apart, which is one band behind the stem: all its layers do to both the same."""
    features = torch.zeros(2, 40, 64)
    features[0, :, 24], features[1, :, 32] = 1, 1

    def behind_the_stem(network: Hub) -> torch.Tensor:
        x = features.unsqueeze(1)
        for layer, state in zip(network.stem, network.empty_states(features), strict=False):
            x, _ = layer(x, state)
        return x

    config = replace(SMALL, n_features=64)
    low, high = behind_the_stem(small(config))
    torch.testing.assert_close(low[..., 2:5], high[..., 3:6])
    assert low[..., 2:5].std() > 0
    low, high = behind_the_stem(small(replace(config, band_bias=True)))
    assert (low[..., 2:5] - high[..., 3:6]).abs().max() > 0.01


def test_a_gate_weighs_maps_by_their_own_frame() -> None:
    torch.manual_seed(0)
    gate, x = Gate(8), torch.rand(1, 8, 5, 4)
    weights = gate(x) / x
    torch.testing.assert_close(weights, weights[..., :1].expand_as(weights), msg="one weight for all bands")
    other = x.clone()
    other[:, :, 3] += 1
    changed = (gate(other) / other - weights).abs().amax((0, 1, 3)) > 1e-6
    assert changed.tolist() == [False, False, False, True, False]
