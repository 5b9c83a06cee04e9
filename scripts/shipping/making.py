"""One detector: trained on the first group, decided on the second, written in float and in int8."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.decode import LabelRule
from hubbub.detector import Detector, load
from hubbub.networks.count import n_parameters
from hubbub.training.config import TrainConfig
from hubbub.training.export import export
from hubbub.training.fit import Fitted
from hubbub.training.front_end import OURS
from hubbub.training.metadata import rewrite
from hubbub.training.quantization import quantize
from hubbub.training.reporting import Reporter
from shipping.deciding import BUDGET, Choice, Table, chosen, listen, tried
from shipping.fitting import cut
from shipping.scoring import Scored


@dataclass(frozen=True)
class Made:
    """A trained network with all labels that were tried, and what each rule would give for each of them."""

    fitted: Fitted
    tried: Sequence[str]
    tables: Sequence[Table]

    def choice(self, labels: Sequence[str], budget: float = BUDGET) -> Choice:
        """The best rules of some of the labels."""
        return chosen(labels, [self.tables[list(self.tried).index(label)] for label in labels], budget)


def heard(
    path: Path,
    fitted: Fitted,
    labels: Sequence[str],
    mixtures: Sequence[AnnotatedRecording],
    without: Sequence[AnnotatedRecording],
    reporter: Reporter,
) -> Made:
    """Plays `mixtures`, and recordings `without` the labels, to a trained network, written to `path` meanwhile."""
    torch.set_num_threads(1)
    export(path, fitted.network, OURS, labels, [LabelRule()] * len(labels), network_facts={}, training_facts={})
    return Made(fitted, labels, _tables(load(path, device="cpu", threads=1), mixtures, without, reporter))


def _tables(
    detector: Detector,
    mixtures: Sequence[AnnotatedRecording],
    without: Sequence[AnnotatedRecording],
    reporter: Reporter,
) -> list[Table]:
    with reporter.bar("trying thresholds") as tick:
        tick(0, 1)
        return tried(
            detector.labels,
            detector.metadata.grid,
            mixtures,
            listen(detector, mixtures),
            without,
            listen(detector, without),
        )


def write(path: Path, made: Made, choice: Choice, config: TrainConfig, facts: dict[str, Any]) -> None:
    """Writes the detector for the labels of `choice`, with its rules."""
    labels = list(choice.rules)
    smaller = cut(made.fitted, made.tried, labels)
    export(
        path, smaller.network, OURS, labels, list(choice.rules.values()),
        network_facts={"name": config.network, "parameters": n_parameters(smaller.network)},
        training_facts=facts | {"epochs": smaller.epochs, "best_epoch": smaller.best_epoch, "seed": config.seed},
    )  # fmt: skip


def int8_of(
    path: Path, mixtures: Sequence[AnnotatedRecording], without: Sequence[AnnotatedRecording], reporter: Reporter
) -> Choice:
    """Writes `NAME.int8.onnx` beside it: ranges are taken from `mixtures`, and rules chosen for what it gives itself,
    since rules at the edge of a budget do not bear rounding."""
    target = path.with_suffix(".int8.onnx")
    quantize(path, target, [each.path for each in mixtures])
    detector = load(target, device="cpu", threads=1)
    choice = chosen(detector.labels, _tables(detector, mixtures, without, reporter), BUDGET)
    rewrite(target, target, lambda metadata: metadata.decided(choice.rules, {}))
    return choice


def described(choice: Choice) -> list[str]:
    """A line a label, and one for all."""
    lines = [
        f"{label:18s} F1 {choice.f1[label]:.3f}, {choice.false_alarms[label]:.1f} false alarms/h, at {rule.threshold:g}"
        for label, rule in choice.rules.items()
    ]
    return [*lines, f"all: micro F1 {choice.micro_f1:.3f}, {sum(choice.false_alarms.values()):.1f} false alarms/h"]


def keep_scores(path: Path, scored: Scored) -> None:
    """Writes into the detector what it reached on the third group of sources."""
    scores = {
        "report": {
            "frame": {"micro_f1": scored.frame_f1, "by_label": scored.by_label},
            "best_trivial": scored.best_trivial,
            "false_alarms_per_hour": scored.alarms,
        }
    }
    rewrite(path, path, lambda metadata: metadata.model_copy(update={"scores": scores}))
