"""One detector: trained on the first group, decided on the second, written in float and in int8."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
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
from shipping.deciding import Choice, budget_for, carried_over, chosen, judged, listen, moved
from shipping.fitting import cut
from shipping.mixtures import Hour
from shipping.scoring import Scored
from shipping.trying import Table, tried


@dataclass(frozen=True)
class Made:
    """A trained network, the labels of its outputs, and what each rule would give for those that are `wanted`.
    `under`: labels that lie under others most of the time; `weights`: how much each part of the hour counts."""

    fitted: Fitted
    heads: Sequence[str]
    wanted: Sequence[str]
    tables: Sequence[Table]
    under: Sequence[str]
    weights: Mapping[str, float]

    def budget(self, labels: Sequence[str]) -> float:
        """False alarms an hour to be expected with which some of the labels are calm elsewhere."""
        return budget_for(labels, self._of(labels), self.under, self.weights)

    def choice(self, labels: Sequence[str]) -> Choice:
        """The best rules of some of the labels."""
        return chosen(labels, self._of(labels), self.budget(labels), self.under)

    def best_labels(self, count: int, least: float) -> list[str]:
        """Those `count` labels that have the best frame F1 together, of all in which each has the `least` F1 or more;
        of all, where there are none such."""
        choices = [self.choice([*labels]) for labels in combinations(self.wanted, count)]
        fit = [choice for choice in choices if min(choice.f1.values()) >= least]
        return list(max(fit or choices, key=lambda choice: choice.micro_f1).rules)

    def carried_over(self, labels: Sequence[str], budget: float) -> dict[str, float]:
        """How rules for a budget do on sources that they were not chosen on."""
        return carried_over(labels, self._of(labels), budget, self.under, self.weights)

    def _of(self, labels: Sequence[str]) -> list[Table]:
        return [self.tables[list(self.wanted).index(label)] for label in labels]


def heard(
    path: Path,
    fitted: Fitted,
    heads: Sequence[str],
    wanted: Sequence[str],
    mixtures: Sequence[AnnotatedRecording],
    hour: Hour,
    reporter: Reporter,
) -> Made:
    """Plays `mixtures`, and the `hour` for false alarms, to a trained network, written to `path` meanwhile."""
    torch.set_num_threads(1)
    export(path, fitted.network, OURS, heads, [LabelRule()] * len(heads), network_facts={}, training_facts={})
    tables = _tables(load(path, device="cpu", threads=1), wanted, mixtures, hour, reporter)
    return Made(fitted, heads, wanted, tables, hour.under, hour.weights)


def _tables(
    detector: Detector,
    wanted: Sequence[str],
    mixtures: Sequence[AnnotatedRecording],
    hour: Hour,
    reporter: Reporter,
    rules: Mapping[str, LabelRule] | None = None,
) -> list[Table]:
    with reporter.bar("trying thresholds") as tick:
        tick(0, 1)
        heard_mixtures, heard_hour = listen(detector, mixtures), listen(detector, hour.recordings)
        grid, heads = detector.metadata.grid, list(detector.labels)
        return tried(wanted, heads, grid, mixtures, heard_mixtures, hour.recordings, heard_hour, rules)


def write(path: Path, made: Made, choice: Choice, config: TrainConfig, facts: dict[str, Any]) -> None:
    """Writes the detector for the labels of `choice`, with its rules."""
    labels = list(choice.rules)
    smaller = cut(made.fitted, made.heads, labels)
    export(
        path, smaller.network, OURS, labels, list(choice.rules.values()),
        network_facts={"name": config.network, "parameters": n_parameters(smaller.network)},
        training_facts=facts | {"epochs": smaller.epochs, "best_epoch": smaller.best_epoch, "seed": config.seed},
    )  # fmt: skip


def int8_of(
    path: Path, rules: Mapping[str, LabelRule], mixtures: Sequence[AnnotatedRecording], hour: Hour, reporter: Reporter
) -> Choice:
    """Writes `NAME.int8.onnx` beside it, and what it does under its rules, which are those of float `moved` as far as
    rounding moves answers: they were not chosen for what happens to lie just below them, so they bear that. Ranges, and
    how far answers move, are taken from `mixtures`."""
    target = path.with_suffix(".int8.onnx")
    quantize(path, target, [each.path for each in mixtures])
    labels = load(path, device="cpu", threads=1).labels
    with reporter.bar("moving thresholds") as tick:
        tick(0, 1)
        floats, rounded = (listen(load(each, device="cpu", threads=1), mixtures) for each in (path, target))
        in_int8 = moved(rules, labels, floats, rounded)
    rewrite(target, target, lambda metadata: metadata.decided(in_int8, {}))
    tables = _tables(load(target, device="cpu", threads=1), labels, mixtures, hour, reporter, in_int8)
    return judged(labels, tables, [in_int8[label] for label in labels], hour.under)


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
