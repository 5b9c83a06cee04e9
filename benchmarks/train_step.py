"""What a training step of the report's networks costs: float32, channels_last, bf16 autocast, and both.

    python benchmarks/train_step.py [--batch 2] [--frames 1024] [--threads 2] [--steps 2] [--device cpu] [NETWORK ...]

A step is forward, binary cross-entropy and backward on random features; each figure is the fastest of `--steps` after
one to warm up. Ratios above 1 are faster than float32 in the default layout.
"""

import argparse
import platform
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from hubbub.networks.report import N_FEATURES, N_FRAMES, POLYPHONIC

VARIANTS = {"float32": (False, False), "channels_last": (True, False), "bf16": (False, True), "both": (True, True)}


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    print(f"machine     {processor()}, {arguments.threads} threads, device {device_name(device)}")
    print(f"versions    Python {platform.python_version()}, torch {torch.__version__}")
    print(f"step        forward + backward, batch {arguments.batch} × {arguments.frames} frames × {N_FEATURES}")
    print(f"{'network':18}" + "".join(f"{name:>22}" for name in VARIANTS))
    for name in arguments.networks or ["baseline", "dilated", "dessed", "proposed_pool"]:
        row = f"{name:18}"
        reference = 0.0
        for channels_last, bf16 in VARIANTS.values():
            seconds = step_time(name, arguments, device, channels_last=channels_last, bf16=bf16)
            reference = reference or seconds
            row += f"{seconds:>12.2f} s ×{reference / seconds:<7.2f}"
        print(row, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", choices=[[], *POLYPHONIC])
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--frames", type=int, default=N_FRAMES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def step_time(
    name: str, arguments: argparse.Namespace, device: torch.device, *, channels_last: bool, bf16: bool
) -> float:
    """Seconds of the fastest step."""
    torch.manual_seed(0)
    network = POLYPHONIC[name]().to(device)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    features = torch.randn(arguments.batch, arguments.frames, N_FEATURES, device=device)
    targets = (torch.rand(arguments.batch, arguments.frames, 16, device=device) < 0.1).float()
    times = []
    for _ in range(arguments.steps + 1):
        wait(device)
        start = time.perf_counter()
        step(network, features, targets, bf16)
        wait(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def step(network: nn.Module, features: torch.Tensor, targets: torch.Tensor, bf16: bool) -> None:
    network.zero_grad(set_to_none=True)
    with torch.autocast(features.device.type, dtype=torch.bfloat16, enabled=bf16):
        logits = network(features)
    functional.binary_cross_entropy_with_logits(logits.float(), targets).backward()


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{names[0] if names else platform.processor() or platform.machine()} ({capability})"


if __name__ == "__main__":
    main()
