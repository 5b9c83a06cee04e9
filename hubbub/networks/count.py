"""What a network costs: its trainable parameters, and the multiply-adds of one pass."""

import torch
from torch import Tensor, nn


def n_parameters(module: nn.Module) -> int:
    """Trainable parameters: batch norm's scale and shift count, its running statistics do not."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def multiply_adds(network: nn.Module, n_frames: int, n_features: int = 40) -> int:
    """Multiply-adds of one pass over features of shape (1, n_frames, n_features), seen by running it once.

    Convolutions, linear layers and GRUs count, biases, normalisation, activations and pooling do not. Products with
    padding count, as they are made. The network runs on the device it is on and is left as it was.
    """
    total = 0

    def count(module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal total
        if isinstance(module, nn.GRU):
            assert isinstance(output, tuple)
            # A weight is used once a frame.
            weights = sum(parameter.numel() for parameter in module.parameters() if parameter.ndim == 2)
            total += weights * output[0].shape[0 if not module.batch_first else 1]
        else:
            assert isinstance(output, Tensor)
            weight = module.weight
            assert isinstance(weight, Tensor)
            total += output.numel() * weight[0].numel()

    counted = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.GRU)
    hooks = [module.register_forward_hook(count) for module in network.modules() if isinstance(module, counted)]
    was_training = network.training
    device = next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, n_frames, n_features, device=device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return total


def multiply_adds_per_second(network: nn.Module, frame_rate: float, n_features: int = 40, n_frames: int = 64) -> float:
    """Multiply-adds per second of audio at `frame_rate` frames per second, averaged over `n_frames`."""
    return multiply_adds(network, n_frames, n_features) / n_frames * frame_rate
