"""What an epoch of training the report's polyphonic networks costs, three ways side by side.

    python benchmarks/report_training.py [--paper CHECKOUT] [--rounds 3] [--pieces 2] [--batch 2] [--threads 1]
                                         [--device cpu] [NETWORK ...]

- hubbub: `hubbub.training.fit`, as `hubbub train` and `hubbub reproduce` call it;
- plain: the report's description in plain PyTorch with a plain loop, below; its parameter count and logits are checked;
- paper: with `--paper`, the code of Drossos et al. 2020 (github.com/dr-costas/dnd-sed, whose licence is
  non-commercial) from a checkout of yours, its own loop over an epoch included; it has four networks.

An epoch is forward, binary cross-entropy, backward and an Adam step over `--pieces` sub-sequences of 1024 frames × 40
random features. Each way runs in a process of its own, one at a time: after an epoch to warm up, an epoch each in every
round. hubbub's validation and checkpoints between two epochs are not counted. Ratios above 1: hubbub is faster.
"""

import argparse
import functools
import importlib
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from train_step import device_name, processor, wait

from hubbub.networks.report import N_FEATURES, N_FRAMES, POLYPHONIC
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.fit import Status, fit
from hubbub.training.module import TrainingModule

N_LABELS = 16
PAPER = {
    "baseline": ("CRNN", "baseline"),
    "dilated_strided": ("BaselineDilated", "baseline_dilated"),
    "dessed": ("DESSED", "dessed"),
    "proposed_strided": ("DESSEDDilated", "dessed_dilated"),
}
"""Our name → the class in the paper's `models` and its part of the settings file."""
SETTINGS = "settings/synthetic_2016_k_33_d_10_1.yaml"
DIFFERENCES = """The paper's code is not the same network everywhere:
- a GRU is a Python loop over the frames, with the classifier inside it (baseline, dessed);
- a separable convolution has LeakyReLU and batch norm between its halves, biases in both, and in the first block the
  5×5 convolution makes 256 channels of one, so that the 1×1 convolution is 256 → 256 on all 40 bands (dessed,
  proposed_strided);
- dropout drops whole channels, and there is none behind the dilated convolution; batch norm has PyTorch's defaults;
- its loop keeps an epoch's logits and targets for the scores (not computed here); no clipping of gradients, as in its
  settings; our batch size instead of its 16.
Channels (256), kernels, pooling (5, 4, 2), dilation 10, stride (1, 3) and the rate of dropout are the same."""


def main() -> None:
    arguments = parse()
    ways = ["hubbub", "plain", *(["paper"] if arguments.paper else [])]
    device = torch.device(arguments.device)
    print(f"{processor()}, {arguments.threads} threads, device {device_name(device)}; {platform.platform()}")
    print(
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("hubbub", "torch", "lightning"))
    )
    print(
        f"An epoch: {arguments.pieces} sub-sequences of {N_FRAMES} × {N_FEATURES} in batches of {arguments.batch}; "
        f"medians of {arguments.rounds} rounds: seconds (CPU seconds), ratios to hubbub by time (by CPU time)\n"
    )
    print("| network | parameters | " + " | ".join(ways) + " |", end="")
    print("".join(f" {way} / hubbub |" for way in ways[1:]), f"peak MB: {', '.join(ways)} |")
    print("|---" * (3 + 2 * len(ways) - 1) + "|", flush=True)
    notes: list[str] = []
    for name in arguments.networks or POLYPHONIC:
        chosen = [way for way in ways if way != "paper" or name in PAPER]
        measured, more = measure(name, chosen, arguments)
        print(row(measured, ways, name), flush=True)
        notes += [note for note in more if note not in notes]
    print("\n" + "\n".join([*notes, *([DIFFERENCES] if arguments.paper else [])]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", choices=[[], *POLYPHONIC])
    parser.add_argument("--paper", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pieces", type=int, default=2)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    if arguments.paper and not (arguments.paper / SETTINGS).is_file():
        parser.error(f"{arguments.paper} has no {SETTINGS}; wanted a checkout of github.com/dr-costas/dnd-sed")
    return arguments


# Here: one process a way, told when to run an epoch.


@dataclass
class Measured:
    """One way of one network: `wall` and `cpu` seconds of every round, the largest resident memory so far."""

    parameters: int
    wall: list[float]
    cpu: list[float]
    peak_mb: float | None = None


def measure(name: str, ways: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Measured], list[str]]:
    """Every way of a network by turns: what came out, and what has to be said about it."""
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload(["hubbub.training.fit"])
    measured: dict[str, Measured] = {}
    notes: list[str] = []
    workers = {}
    for way in ways:
        here, there = context.Pipe()
        worker = context.Process(target=work, args=(way, name, arguments, there))
        worker.start()
        there.close()
        parameters, more = receive(here, way, name)
        workers[way] = worker, here
        measured[way] = Measured(parameters, [], [])
        notes += more
    for number in range(arguments.rounds + 1):
        for way, (_, connection) in workers.items():
            connection.send("go")
            wall, cpu, measured[way].peak_mb = receive(connection, way, name)
            if number:  # the first one warms up
                measured[way].wall.append(wall)
                measured[way].cpu.append(cpu)
            receive(connection, way, name)  # it is ready, nothing of it runs any more
    for worker, connection in workers.values():
        connection.send("enough")
        worker.join()
    return measured, notes


def receive(connection: Connection, way: str, name: str) -> Any:
    try:
        return connection.recv()
    except EOFError:
        raise SystemExit(f"{name}: the process of {way} ended early") from None


def row(measured: dict[str, Measured], ways: list[str], name: str) -> str:
    """One network's line of the table."""
    ours = measured["hubbub"]
    counts = dict.fromkeys(f"{one.parameters:,}".replace(",", " ") for one in measured.values())
    cells = [name, " / ".join(counts)]
    middle = statistics.median
    for way in ways:
        one = measured.get(way)
        cells.append("–" if one is None else f"{middle(one.wall):.2f} ({middle(one.cpu):.2f})")
    for way in ways[1:]:
        one = measured.get(way)
        ratios = one and (middle(one.wall) / middle(ours.wall), middle(one.cpu) / middle(ours.cpu))
        cells.append("–" if not ratios else f"**{ratios[0]:.2f}** ({ratios[1]:.2f})")
    peaks = [measured[way].peak_mb if way in measured else None for way in ways]
    cells.append(", ".join("–" if peak is None else f"{peak:.0f}" for peak in peaks))
    return "| " + " | ".join(cells) + " |"


# There: an epoch whenever told.


class Gate:
    """Holds a process until its turn, and takes the time of its epoch."""

    def __init__(self, connection: Connection, device: str) -> None:
        self.connection = connection
        self.device = torch.device(device)
        self.wall = self.cpu = 0.0

    def ready(self, *message: Any) -> None:
        """Says `message`, and waits; ends the process where no more is wanted."""
        self.connection.send(message)
        if self.connection.recv() != "go":
            raise SystemExit
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """An epoch is done."""
        wait(self.device)
        self.connection.send((time.perf_counter() - self.wall, time.process_time() - self.cpu, peak_mb()))


def peak_mb() -> float | None:
    """The largest resident memory of this process so far; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def work(way: str, name: str, arguments: argparse.Namespace, connection: Connection) -> None:
    """The process of one way: epochs until told that it is enough."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    features = rng.standard_normal((arguments.pieces, N_FRAMES, N_FEATURES), np.float32)
    targets = rng.uniform(size=(arguments.pieces, N_FRAMES, N_LABELS)) < 0.1
    gate = Gate(connection, arguments.device)
    if way == "hubbub":
        by_hubbub(name, features, targets, arguments, gate)
        return
    data = TensorDataset(torch.from_numpy(features), torch.from_numpy(targets).float())
    loader = DataLoader(data, arguments.batch, shuffle=True)
    epoch, message = (plain if way == "plain" else paper)(name, loader, arguments)
    while True:
        gate.ready(*message)
        epoch()
        gate.stop()


def by_hubbub(name: str, features: np.ndarray, targets: np.ndarray, arguments: argparse.Namespace, gate: Gate) -> None:
    """Lightning runs the epochs; its hook before an epoch is where it waits for its turn."""
    network = POLYPHONIC[name](N_LABELS)
    n_epochs = arguments.rounds + 2  # the last one is never let through
    config = TrainConfig.of(
        name, epochs=n_epochs, batch_size=arguments.batch, threads=arguments.threads, device=arguments.device
    )
    message = (n_parameters(network), [])
    begin = TrainingModule.on_train_epoch_start

    def on_train_epoch_start(module: TrainingModule) -> None:
        precision = str(module.trainer.precision)
        said = [] if precision == "32-true" else [f"- hubbub trains in {precision} here, the others in float32."]
        gate.ready(message[0], said)
        begin(module)

    def progress(status: Status) -> None:
        if status.batches % (status.total // n_epochs) == 0:
            gate.stop()

    TrainingModule.on_train_epoch_start = on_train_epoch_start  # type: ignore[method-assign]
    examples = [Example(str(i), *pair) for i, pair in enumerate(zip(features, targets, strict=True))]
    with tempfile.TemporaryDirectory() as folder:
        silence = np.zeros(N_FEATURES, np.float32)
        try:
            fit(network, examples, examples[:1], silence, config, 0.01, Path(folder), progress)
        except KeyboardInterrupt:  # what `fit` makes of a `SystemExit`
            return


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


# The report's networks, as one would write them from its text.


class Plain(nn.Module):
    """(batch, n_frames, 40) → logits (batch, n_frames, 16)."""

    def __init__(self, separable: bool, temporal: str) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for channels, pool in ((1, 5), (256, 4), (256, 2)):
            if separable:
                blocks.append(nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False))
                blocks.append(nn.Conv2d(channels, 256, 1))
            else:
                blocks.append(nn.Conv2d(channels, 256, 5, padding=2))
            blocks += [nn.ReLU(), nn.BatchNorm2d(256, 1e-3, 0.01), nn.MaxPool2d((1, pool)), nn.Dropout(0.25)]
        self.convolutions = nn.Sequential(*blocks)
        self.temporal = temporal
        if temporal == "gru":
            self.gru = nn.GRU(256, 256, batch_first=True)
        else:
            stride = (1, 3) if temporal == "stride" else 1
            layers = [nn.Conv2d(1, 256, 3, stride, (10, 0), (10, 1)), nn.ReLU(), nn.BatchNorm2d(256, 1e-3, 0.01)]
            layers.append(nn.Dropout(0.25))
            if temporal == "pointwise":
                layers.append(nn.Conv2d(256, 256, 1, (1, 3)))
            elif temporal == "pool":
                layers.append(nn.MaxPool2d((1, 3)))
            self.dilated = nn.Sequential(*layers)
        self.width = {"gru": 1, "pointwise": 85, "pool": 84, "stride": 85}[temporal]
        self.output = nn.Linear(self.width * 256, N_LABELS)

    def forward(self, features: Tensor) -> Tensor:
        maps = self.convolutions(features.unsqueeze(1)).squeeze(3).transpose(1, 2)  # (batch, n_frames, 256)
        if self.temporal == "gru":
            maps = self.gru(maps)[0]
        else:
            maps = self.dilated(maps.unsqueeze(1)).permute(0, 2, 1, 3).flatten(2)
        logits: Tensor = self.output(maps)
        return logits


PLAIN: dict[str, Callable[[], Plain]] = {
    "baseline": lambda: Plain(False, "gru"),
    "dilated": lambda: Plain(False, "pointwise"),
    "dessed": lambda: Plain(True, "gru"),
    "proposed_conv": lambda: Plain(True, "pointwise"),
    "proposed_pool": lambda: Plain(True, "pool"),
    "dilated_strided": lambda: Plain(False, "stride"),
    "proposed_strided": lambda: Plain(True, "stride"),
}


def plain(
    name: str, loader: DataLoader[Any], arguments: argparse.Namespace
) -> tuple[Callable[[], None], tuple[Any, ...]]:
    check(name)
    network = PLAIN[name]().to(arguments.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7)
    loss_of = nn.BCEWithLogitsLoss()

    def epoch() -> None:
        network.train()
        total = 0.0
        for features, targets in loader:
            optimizer.zero_grad()
            loss = loss_of(network(features.to(arguments.device)), targets.to(arguments.device))
            loss.backward()
            optimizer.step()
            total += loss.item()

    return epoch, (n_parameters(network), [])


def check(name: str) -> None:
    """Ends the program unless the plain network is hubbub's: as many parameters, equal logits from equal weights."""
    network, ours = PLAIN[name]().eval(), POLYPHONIC[name](N_LABELS).eval()
    if n_parameters(network) != n_parameters(ours):
        raise SystemExit(f"{name}: {n_parameters(network)} parameters, wanted {n_parameters(ours)}")
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():  # batch norm's variances among them
                value.uniform_(0.01, 0.03) if value.ndim == 1 else value.normal_(std=0.05)
        copied = dict(zip(ours.state_dict(), network.state_dict().values(), strict=True))
        weight = copied["output.weight"].unflatten(1, (256, network.width))  # ours counts the columns first
        copied["output.weight"] = weight.transpose(1, 2).flatten(1)
        ours.load_state_dict(copied)
        features = torch.randn(1, 48, N_FEATURES)
        logits, wanted = network(features), ours(features)
    if not torch.allclose(logits, wanted, rtol=1e-3, atol=1e-3 * float(wanted.std())):
        raise SystemExit(f"{name}: logits differ by up to {float((logits - wanted).abs().max()):.2g}")


# The paper's code, from the checkout.


def paper(
    name: str, loader: DataLoader[Any], arguments: argparse.Namespace
) -> tuple[Callable[[], None], tuple[Any, ...]]:
    import yaml

    sys.path.insert(0, str(arguments.paper.resolve()))
    models = importlib.import_module("models")
    run_epoch = importlib.import_module("experiments._processes")._sed_epoch
    settings = yaml.safe_load((arguments.paper / SETTINGS).read_text(encoding="utf-8"))
    class_name, part = PAPER[name]
    notes: list[str] = []
    try:
        network = getattr(models, class_name)(**settings[part])
    except TypeError:
        # as published, this class leaves out two arguments of its convolutions
        module = importlib.import_module(f"models.{part}")
        blocks = functools.partial(module.DepthWiseSeparableDNN, inner_kernel_size=1, inner_padding=0)
        module.DepthWiseSeparableDNN = blocks
        network = getattr(models, class_name)(**settings[part])
        notes.append(f"- The paper's {class_name} does not start as published; here with 1×1 as in its dessed_dilated.")
    network.to(arguments.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=float(settings["optimizer"]["lr"]))

    def epoch() -> None:
        run_epoch(
            model=network.train(),
            data_loader=loader,
            objective=nn.BCEWithLogitsLoss(),
            optimizer=optimizer,
            device=arguments.device,
            grad_norm=settings["training"]["grad_norm"],
        )

    return epoch, (n_parameters(network), notes)


if __name__ == "__main__":
    main()
