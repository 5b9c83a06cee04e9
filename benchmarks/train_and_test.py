"""What `hubbub train` reaches on recordings it was not trained on, beside the systems that do not listen.

    python benchmarks/train_and_test.py CLIPS OUT [--seeds 0 1 2] [--minutes 120] [--epochs 16]
    python benchmarks/train_and_test.py ANNOTATED OUT --segment 5 --epochs 15

Trains one detector a seed (the seed draws the split, the soundscapes and the weights) into OUT and prints a table in
Markdown with machine and versions; the same lines go to OUT/results.md. A run that was stopped goes on where it was.
"""

import argparse
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from hubbub.console import Reporter
from hubbub.metrics import Scores
from hubbub.report.detector_page import write_detector_page
from hubbub.training.config import TrainConfig
from hubbub.training.run import Trained, train

COLUMNS = ("frame F1", "macro", "accuracy", "ER", "segment F1", "ER", "event F1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--test-minutes", type=float, default=60)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--segment", type=float, default=10)
    parser.add_argument("--network", default="small")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    by_seed: list[Trained] = []
    for seed in arguments.seeds:
        config = TrainConfig.of(
            arguments.network,
            seed=seed,
            epochs=arguments.epochs,
            segment_seconds=arguments.segment,
            train_minutes=arguments.minutes,
            validation_minutes=arguments.minutes / 4,
            test_minutes=arguments.test_minutes,
        )
        started = time.perf_counter()
        trained = train(arguments.data, arguments.out / f"seed-{seed}.onnx", config, Reporter(), os.cpu_count() or 1)
        took = time.perf_counter() - started
        page = trained.detector.path.with_suffix(".html")
        write_detector_page(
            page, trained.detector, trained.scores, trained.test, trained.estimated, trained.log, trained.notes,
            trained.probe,
        )  # fmt: skip
        by_seed.append(trained)
        lines += described(trained, seed, took)
    if len(by_seed) > 1:
        values = [trained.scores["system"].frame.micro_f1 for trained in by_seed]
        lines.append(
            f"Frame F1 over {len(values)} seeds: {statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"
        )
    (arguments.out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def described(trained: Trained, seed: int, took: float) -> list[str]:
    """The tables of one seed."""
    system = trained.scores["system"]
    facts = trained.detector.metadata.training
    lines = [
        f"Seed {seed}: {system.n_recordings} test recordings, {system.duration_s / 60:.1f} minutes, "
        f"{len(trained.detector.labels)} labels; {facts['epochs']} epochs in {facts['seconds']:.0f} s, all in "
        f"{took:.0f} s (less, where a stopped run was taken up).",
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("hubbub", "torch", "lightning", "onnxruntime", "numpy")),
        "",
        "| system | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
        *(row(name, scores) for name, scores in trained.scores.items()),
        "",
        "| label | frame F1 | precision | recall | segment F1 | event F1 | events | test recordings |",
        "|---" * 8 + "|",
    ]
    for label, frame in system.frame.by_label.items():
        n_recordings = sum(any(event.label == label for event in recording.events) for recording in trained.test)
        event = system.event.by_label[label]
        lines.append(
            f"| {label} | {frame['f1']:.2f} | {frame['precision']:.2f} | {frame['recall']:.2f} "
            f"| {system.segment.by_label[label]['f1']:.2f} | {event['f1']:.2f} "
            f"| {event['n_reference']:.0f} | {n_recordings} |"
        )
    return [*lines, "", *(f"- {note}" for note in trained.notes), ""]


def row(name: str, scores: Scores) -> str:
    """One system's line."""
    values = (
        scores.frame.micro_f1, scores.frame.macro_f1, scores.accuracy, scores.frame.error_rate,
        scores.segment.micro_f1, scores.segment.error_rate, scores.event.micro_f1,
    )  # fmt: skip
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |"


if __name__ == "__main__":
    main()
