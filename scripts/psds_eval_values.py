"""Writes tests/data/psds_eval.json: what psds_eval makes of random cases, for tests to compare with.

    python scripts/psds_eval_values.py

psds_eval 0.5.3 does not run with pandas 3, so it cannot stand beside what the other tests need:
run this in an environment of its own, with `psds_eval==0.5.3 "pandas<3" "numpy<2"`, from the top of the repository.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from psds_eval import PSDSEval

LABELS = ["bird", "dog", "rain"]
THRESHOLDS = [round(0.05 + 0.1 * k, 2) for k in range(10)]
COLUMNS = ["filename", "onset", "offset", "event_label"]
SHARES = [{"dtc": 0.7, "gtc": 0.7, "alpha_ct": 0.0}, {"dtc": 0.1, "gtc": 0.1, "alpha_ct": 0.5}]


def case(seed: int) -> dict[str, dict]:
    """Scores with three digits, events of one label apart, recordings without events."""
    rng = np.random.default_rng(seed)
    recordings = {}
    for index in range(5):
        n_frames, hop = int(rng.integers(40, 80)), 0.125
        events, values = [], np.zeros((n_frames, len(LABELS)))
        for column, label in enumerate(LABELS if index < 4 else []):
            edges = np.sort(rng.choice(np.arange(1, n_frames), 4, replace=False))
            for first, last in edges.reshape(2, 2).tolist():
                events.append([first * hop, last * hop, label])
                values[first:last, column] += 0.4 * rng.random()
        noise = rng.random((n_frames + 4, len(LABELS)))
        values += np.stack([np.convolve(each, np.ones(5) / 5, "valid") for each in noise.T], axis=1)
        recordings[f"{index}.wav"] = {"hop": hop, "events": events, "values": (values / 1.4).round(3).tolist()}
    # The rain is never found: it has no score anywhere.
    for recording in recordings.values() if seed == 2 else ():
        recording["values"] = [[*row[:2], 0.0] for row in recording["values"]]
    return recordings


def decided(recordings: dict[str, dict], threshold: float) -> pd.DataFrame:
    """The events of scores above the threshold."""
    rows = []
    for name, recording in recordings.items():
        for label, scores in zip(LABELS, np.array(recording["values"]).T, strict=True):
            on = np.diff(np.concatenate(([0], scores > threshold, [0])).astype(int))
            edges = zip(np.flatnonzero(on == 1), np.flatnonzero(on == -1), strict=True)
            rows += [(name, first * recording["hop"], last * recording["hop"], label) for first, last in edges]
    return pd.DataFrame(rows, columns=COLUMNS)


def values(recordings: dict[str, dict]) -> dict:
    """PSDS of both scenarios and the macro F1 at one threshold."""
    truth = [(name, *event) for name, each in recordings.items() for event in each["events"]]
    lengths = [(name, len(each["values"]) * each["hop"]) for name, each in recordings.items()]
    found: dict = {"psds": []}
    for shares in SHARES:
        evaluation = PSDSEval(
            shares["dtc"],
            shares["gtc"],
            0.3,
            ground_truth=pd.DataFrame(truth, columns=COLUMNS),
            metadata=pd.DataFrame(lengths, columns=["filename", "duration"]),
        )
        for threshold in THRESHOLDS:
            events = decided(recordings, threshold)
            if len(events):
                evaluation.add_operating_point(events)
        found["psds"].append(float(evaluation.psds(shares["alpha_ct"], alpha_st=1.0, max_efpr=2000.0).value))
    f1, by_label = PSDSEval(
        0.5,
        0.5,
        0.3,
        ground_truth=pd.DataFrame(truth, columns=COLUMNS),
        metadata=pd.DataFrame(lengths, columns=["filename", "duration"]),
    ).compute_macro_f_score(decided(recordings, 0.45))
    found["macro_f1"], found["f1"] = float(f1), {label: float(value) for label, value in by_label.items()}
    found["f1"] = {label: None if np.isnan(value) else value for label, value in found["f1"].items()}
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    cases = [{"recordings": (made := case(seed)), "psds_eval": values(made)} for seed in range(3)]
    versions = {name: version(name) for name in ("psds_eval", "pandas", "numpy")}
    whole = {"versions": versions, "thresholds": THRESHOLDS, "max_efpr": 2000.0, "cases": cases}
    path = Path("tests/data/psds_eval.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")
    for each in cases:
        print(each["psds_eval"])


if __name__ == "__main__":
    main()
