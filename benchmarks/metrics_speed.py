"""How long scoring takes, beside sed_eval, on the same random events and with the same numbers as a result.

    python benchmarks/metrics_speed.py [--recordings 20] [--minutes 5] [--events 200] [--runs 3]

Both score segments (1 s) and events (0.2 s / 20 %), and the ratio compares these two alone. `evaluate` adds frames
(10 ms), intersections and false alarms, which sed_eval is not asked for; its time stands beside. Reading files is timed
for neither. Runs alternate and their median counts, as the machine may be busy.
"""

import argparse
import importlib.util
import platform
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hubbub.events import Event, EventTable, merge
from hubbub.metrics import Counts, Result, evaluate, event, segment
from hubbub.metrics.recording import recordings

LABELS = [f"label {index:02}" for index in range(16)]


def import_sed_eval() -> Any:
    """Its dcase_util imports pkg_resources, which setuptools has dropped, and needs none of it here."""
    stand_in = importlib.util.find_spec("pkg_resources") is None
    if stand_in:
        sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sed_eval
    if stand_in:
        del sys.modules["pkg_resources"]
    return sed_eval


def random_events(rng: np.random.Generator, n_events: int, duration: float) -> list[Event]:
    onsets, lengths = rng.uniform(0, duration - 5, n_events).round(6), rng.uniform(0.2, 5, n_events)
    return merge(
        Event(float(onset), round(float(onset + length), 6), str(label))
        for onset, length, label in zip(onsets, lengths, rng.choice(LABELS, n_events), strict=True)
    )


def heard(rng: np.random.Generator, events: list[Event], duration: float) -> list[Event]:
    """The events as a fair detector would report them: a little off, some missed, some under another name."""
    found = []
    for each in events:
        onset = round(float(np.clip(each.onset + rng.normal(0, 0.1), 0, duration - 0.1)), 6)
        offset = round(float(np.clip(each.offset + rng.normal(0, 0.2), onset + 0.01, duration)), 6)
        if rng.random() < 0.8:
            found.append(Event(onset, offset, each.label if rng.random() < 0.8 else str(rng.choice(LABELS))))
    return merge(found)


def score_with_sed_eval(
    sed_eval: Any, reference: EventTable, estimated: EventTable, durations: dict[str, float]
) -> tuple[float, float, float, float]:
    segments = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=LABELS, time_resolution=1.0)
    events = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=LABELS, t_collar=0.2, percentage_of_length=0.2, event_matching_type="optimal"
    )
    for name, duration in durations.items():
        ours, theirs = (
            [{"filename": name, "onset": e.onset, "offset": e.offset, "event_label": e.label} for e in table[name]]
            for table in (reference, estimated)
        )
        segments.evaluate(ours, theirs, evaluated_length_seconds=duration)
        events.evaluate(ours, theirs)
    return (
        segments.overall_f_measure()["f_measure"],
        segments.overall_error_rate()["error_rate"],
        events.overall_f_measure()["f_measure"],
        events.overall_error_rate()["error_rate"],
    )


def score_with_hubbub(
    reference: EventTable, estimated: EventTable, durations: dict[str, float]
) -> tuple[float, float, float, float]:
    by_segment = by_event = Counts.zero(LABELS)
    for recording in recordings(reference, estimated, durations, LABELS):
        by_segment += segment.counts(recording, LABELS)
        by_event += event.counts(recording, LABELS)
    of_segments, of_events = Result.of(by_segment), Result.of(by_event)
    return (of_segments.micro_f1, of_segments.error_rate, of_events.micro_f1, of_events.error_rate)


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5.0, help="of each recording")
    parser.add_argument("--events", type=int, default=200, help="in each recording, before overlaps are merged")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    sed_eval = import_sed_eval()
    rng = np.random.default_rng(options.seed)
    durations = {f"{index:03}.wav": 60 * options.minutes for index in range(options.recordings)}
    reference = {name: random_events(rng, options.events, duration) for name, duration in durations.items()}
    estimated = {name: heard(rng, events, durations[name]) for name, events in reference.items()}

    ours, everything, theirs = [], [], []
    for _ in range(options.runs):  # side by side, so that a busy machine is as unfair to one as to the other
        ours.append(seconds(lambda: score_with_hubbub(reference, estimated, durations)))
        everything.append(seconds(lambda: evaluate(reference, estimated, durations, LABELS)))
        theirs.append(seconds(lambda: score_with_sed_eval(sed_eval, reference, estimated, durations)))
    difference = np.abs(
        np.subtract(
            score_with_hubbub(reference, estimated, durations),
            score_with_sed_eval(sed_eval, reference, estimated, durations),
        )
    ).max()

    n_events = sum(map(len, reference.values())) + sum(map(len, estimated.values()))
    print(
        f"{options.recordings} recordings of {options.minutes:g} min, {len(LABELS)} labels, {n_events} events in both "
        f"tables, median of {options.runs} runs, seed {options.seed}"
    )
    print(f"hubbub    {statistics.median(ours):8.3f} s   segment and event scores")
    print(f"          {statistics.median(everything):8.3f} s   all that evaluate() gives")
    print(f"sed_eval  {statistics.median(theirs):8.3f} s   segment and event scores")
    of_ours = statistics.median(theirs) / statistics.median(ours)
    print(f"ratio     {of_ours:8.1f}     of segment and event scores; of all that evaluate() gives it would be")
    print(f"          {statistics.median(theirs) / statistics.median(everything):8.1f}")
    print(f"largest difference of segment and event F1 and error rate: {difference:.1e}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("hubbub", "sed_eval", "numpy", "scipy"))
    print(f"{processor()}, {platform.system()}, Python {platform.python_version()}, {packages}")


if __name__ == "__main__":
    main()
