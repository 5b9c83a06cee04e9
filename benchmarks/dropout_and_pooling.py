"""What dropout in front of max pooling does: the validation loss of trained networks with that dropout off, and on.

    python benchmarks/dropout_and_pooling.py DATA OUT [--every 6]

DATA is TUT-SED Synthetic 2016 or a stand-in, OUT the folder of a `hubbub reproduce tut2016 DATA -o OUT --size reduced`
whose networks are looked at. Dropout scales what it leaves by 4/3, which keeps a mean, but not the largest of three:
with max pooling behind it, training and use differ.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from hubbub.console import Reporter
from hubbub.datasets.tut2016 import read_tut2016
from hubbub.networks.report import POLYPHONIC, Polyphonic, ReducedDilation
from hubbub.reproduce.size import REDUCED
from hubbub.reproduce.splits import split_pieces
from hubbub.reproduce.tut2016 import Plan, read_sounds

NETWORKS = ("dilated", "proposed_conv", "proposed_pool", "dilated_strided", "proposed_strided")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--every", type=int, default=6, help="look at every n-th sub-sequence of the validation side")
    arguments = parser.parse_args()
    data = read_tut2016(arguments.data)
    pieces = split_pieces(data, "official", REDUCED, 0)
    sounds = read_sounds(data, [pieces], arguments.out, Plan(size=REDUCED), Reporter())
    examples = [
        (torch.tensor(example.features)[None], torch.tensor(example.targets)[None].float())
        for example in sounds.examples(pieces["validation"][:: arguments.every])
    ]
    print(f"{'network':20}{'dropout off':>14}{'dropout on':>14}   validation loss, {len(examples)} sub-sequences")
    for name in NETWORKS:
        for checkpoint in sorted(arguments.out.glob(f"fits/{name}-official-*/best.ckpt")):
            network = POLYPHONIC[name](len(sounds.labels))
            state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
            network.load_state_dict({key.removeprefix("network."): value for key, value in state.items()})
            print(f"{name:20}{loss(network, examples, False):14.3f}{loss(network, examples, True):14.3f}", flush=True)


def loss(network: nn.Module, examples: list[tuple[Tensor, Tensor]], dropout: bool) -> float:
    """Mean binary cross-entropy; `dropout`: whether the one behind the dilated convolution is at work."""
    network.eval()
    assert isinstance(network, Polyphonic) and isinstance(network.over_time, ReducedDilation)
    for layer in network.over_time.dilation.modules():
        if isinstance(layer, nn.Dropout):
            layer.train(dropout)
    torch.manual_seed(0)
    with torch.inference_mode():
        losses = [functional.binary_cross_entropy_with_logits(network(x), targets).item() for x, targets in examples]
    return sum(losses) / len(losses)


if __name__ == "__main__":
    main()
