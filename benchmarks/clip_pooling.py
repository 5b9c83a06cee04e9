"""Why the report's proposed network for clips fails: what its average over the width leaves of what it was given.

    python benchmarks/clip_pooling.py DATA OUT [--fold 1] [--probed 600]

DATA is UrbanSound8K or a stand-in, OUT the folder of `hubbub reproduce urbansound8k DATA -o OUT --size reduced`, whose
networks of one fold are looked at. In front of its dilated block a network has 256 channels a frame: which of them is
active says what sounds. Two experiments:

    shifted   The channels are shifted by n in front of the dilated block, so that each stands where another one was. A
              network that knows its channels is lost; one that only sees how neighbours look answers as before.
    probe     Softmax regression from the train side's clips to their labels: on the 256 channels averaged over time; on
              what the average over time and width leaves of the network's own dilated block, 256 numbers; and on what
              the average over time and filters leaves of the same block, 254 numbers. Accuracy on the test side.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hubbub.console import Reporter
from hubbub.datasets.urbansound8k import read_urbansound8k
from hubbub.networks import build
from hubbub.networks.report import Monophonic
from hubbub.reproduce.monophonic.job import ClipJob
from hubbub.reproduce.monophonic.size import REDUCED
from hubbub.reproduce.monophonic.urbansound8k import ClipPlan, jobs_of
from hubbub.reproduce.running import jobs_on
from hubbub.training.data import Clips
from hubbub.training.export import silence_of
from hubbub.training.fit import machine
from hubbub.training.front_end import REPORT_MONOPHONIC
from hubbub.training.predict import clip_frames

NETWORKS = ("mono_proposed", "mono_repaired")
SHIFTS = (0, 1, 8, 64, 128)
STEPS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fold", type=int, default=1)
    parser.add_argument("--probed", type=int, default=600, help="clips of the train side to fit the probes on")
    arguments = parser.parse_args()
    data = read_urbansound8k(arguments.data)
    size = REDUCED.model_copy(update={"folds": arguments.fold})
    plan = ClipPlan(size=size, networks=NETWORKS, protocols=("folds",), jobs=jobs_on("cpu"))
    jobs = [job for job in jobs_of(data, arguments.out, plan, Reporter()) if job.fold == arguments.fold]
    print(f"{machine()}, torch {torch.__version__}; fold {arguments.fold}")
    for job in jobs:
        network = build(job.config.network, len(job.slices.labels))
        state = torch.load(job.fit_folder / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
        network.load_state_dict({key.removeprefix("network."): value for key, value in state.items()})
        assert isinstance(network, Monophonic)
        network.eval()
        test = channels(job, network, "test", None)
        answers = {n: logits(network, test[0].roll(n, 2)).argmax(1) for n in SHIFTS}
        print(f"\n{job.config.network}: channels shifted by n, accuracy, and how many answers stay as they were")
        for n, given in answers.items():
            stay = (given == answers[0]).float().mean()
            print(f"  {n:4}{(given == test[1]).float().mean():8.3f}{stay:8.3f}")
        train = channels(job, network, "train", arguments.probed)
        print("  probes: accuracy on the train side's clips, on the test side's")
        for name, of in PROBES.items():
            print(f"  {name:34}{probe(of(network, train[0]), train[1], of(network, test[0]), test[1])}", flush=True)


def channels(job: ClipJob, network: Monophonic, side: str, most: int | None) -> tuple[Tensor, Tensor]:
    """What stands in front of the dilated block, (n_clips, n_frames, 256), and the labels, (n_clips,)."""
    clips = job.heard(side)  # type: ignore[arg-type]
    chosen = np.random.default_rng(0).permutation(len(clips))[:most]
    examples = job.slices.examples([clips[index] for index in chosen], REPORT_MONOPHONIC)
    period = REPORT_MONOPHONIC.hop / REPORT_MONOPHONIC.sample_rate
    items = Clips(examples, clip_frames(period), 0, silence_of(REPORT_MONOPHONIC))
    with torch.no_grad():
        found = torch.cat([network.convolutions(items[k][0][None]) for k in range(len(items))])
    return found, torch.tensor([int(example.targets[0].argmax()) for example in examples])


def logits(network: Monophonic, found: Tensor) -> Tensor:
    """(n_clips, n_frames, 256) → (n_clips, n_labels)."""
    with torch.no_grad():
        return torch.cat([network.output(averaged(network, clip[None], network.average)) for clip in found])


def averaged(network: Monophonic, found: Tensor, average: str | None) -> Tensor:
    """The dilated block's map averaged over time, and over its width or its filters."""
    with torch.no_grad():
        maps: Tensor = network.over_time(found)
        return maps.mean((2, 3) if average == "width" else (1, 2))


def of_all(network: Monophonic, found: Tensor, average: str) -> Tensor:
    """`averaged` for many clips."""
    return torch.cat([averaged(network, clip[None], average) for clip in found])


PROBES = {
    "256 channels over time": lambda network, found: found.mean(1),
    "dilated block over time and width": lambda network, found: of_all(network, found, "width"),
    "dilated block over time and filters": lambda network, found: of_all(network, found, "filters"),
}


def probe(train: Tensor, labels: Tensor, test: Tensor, wanted: Tensor) -> str:
    """Softmax regression on standardised inputs, with weight decay: accuracies."""
    torch.manual_seed(0)
    mean, spread = train.mean(0), train.std(0) + 1e-6
    train, test = ((x - mean).div(spread).clone() for x in (train, test))
    layer = nn.Linear(train.shape[1], int(labels.max()) + 1)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.01, weight_decay=1.0)
    for _ in range(STEPS):
        optimizer.zero_grad()
        functional.cross_entropy(layer(train), labels).backward()
        optimizer.step()
    with torch.no_grad():
        right = [(layer(x).argmax(1) == y).float().mean().item() for x, y in ((train, labels), (test, wanted))]
    return f"{right[0]:8.3f}{right[1]:8.3f}"


if __name__ == "__main__":
    main()
