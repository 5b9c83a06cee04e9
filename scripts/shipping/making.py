"""One detector: trained on the first group, decided on the second, written in float and in int8."""

from collections.abc import Sequence
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
from shipping.deciding import Choice, decide, listen
from shipping.scoring import Scored


def make(
    out: Path,
    fitted: Fitted,
    labels: Sequence[str],
    config: TrainConfig,
    mixtures: Sequence[AnnotatedRecording],
    without: Sequence[AnnotatedRecording],
    facts: dict[str, Any],
    reporter: Reporter,
) -> tuple[Detector, Choice]:
    """Writes the detector `out`, its rules chosen on `mixtures` and on recordings `without` its labels."""
    torch.set_num_threads(1)
    export(
        out, fitted.network, OURS, labels, [LabelRule()] * len(labels),
        network_facts={"name": config.network, "parameters": n_parameters(fitted.network)},
        training_facts=facts | {"epochs": fitted.epochs, "best_epoch": fitted.best_epoch, "seed": config.seed},
    )  # fmt: skip
    detector = load(out, threads=1)
    with reporter.bar("choosing thresholds") as tick:
        tick(0, 1)
        choice = decide(
            labels, detector.metadata.grid, mixtures, listen(detector, mixtures), without, listen(detector, without)
        )
    rewrite(out, out, lambda metadata: metadata.decided(choice.rules, {}))
    return load(out, threads=1), choice


def int8_of(path: Path, heard: Sequence[AnnotatedRecording]) -> Detector:
    """Writes `NAME.int8.onnx` beside it, ranges taken from `heard`, with the same rules."""
    target = path.with_suffix(".int8.onnx")
    quantize(path, target, [each.path for each in heard])
    return load(target, threads=1)


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
