"""How long PSDS takes, beside sed_scores_eval, on the same random scores and with the same numbers as a result.

    python benchmarks/psds_speed.py [--recordings 20] [--seconds 10] [--hop 0.016] [--median 7] [--runs 3]

Both compute PSDS 1 and PSDS 2 over all thresholds, one process each. Their time grows with the square of a recording's
frames, and so does their memory: choose longer recordings with care, or leave theirs out with --alone.
"""

import argparse
import platform
import statistics
from importlib.metadata import version
from typing import Any

import numpy as np
from metrics_speed import LABELS, import_sed_eval, processor, random_events, seconds
from scipy.ndimage import median_filter

from hubbub.events import Event
from hubbub.metrics import PSDS1, PSDS2, PsdsSettings, ScoreTable, psds


def import_sed_scores_eval() -> Any:
    """With sed_eval's stand-in, and copies of the read-only arrays of pandas 3, which its compiled part refuses."""
    import_sed_eval()
    import sed_scores_eval
    from sed_scores_eval.base_modules import statistics as theirs

    compiled = theirs.onset_offset_curves
    theirs.onset_offset_curves = lambda scores, times, points=None: compiled(
        np.array(scores), np.array(times), None if points is None else np.array(points)
    )
    return sed_scores_eval


def scored(rng: np.random.Generator, events: list[Event], duration: float, hop: float, width: int) -> ScoreTable:
    """Median-filtered scores of a fair detector: noise, higher where an event is."""
    edges = np.arange(round(duration / hop) + 1) * hop
    logits = rng.normal(-3, 1.5, (len(edges) - 1, len(LABELS)))
    for event in events:
        inside = (edges[1:] > event.onset) & (edges[:-1] < event.offset)
        logits[inside, LABELS.index(event.label)] += rng.normal(4, 1.5)
    return ScoreTable(median_filter(1 / (1 + np.exp(-logits)), size=(width, 1)), edges, LABELS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each recording")
    parser.add_argument("--hop", type=float, default=0.016, help="seconds")
    parser.add_argument("--median", type=int, default=7, help="frames")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="leave sed_scores_eval out")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    durations = {
        f"{index:04}.wav": options.hop * round(options.seconds / options.hop) for index in range(options.recordings)
    }
    n_events = max(1, round(options.seconds * 0.4))
    reference = {name: random_events(rng, n_events, duration) for name, duration in durations.items()}
    # Every label at least once: sed_scores_eval refuses a label without reference events.
    reference["0000.wav"] = [Event(0.5, 1.5, label) for label in LABELS]
    scores = {
        name: scored(rng, reference[name], duration, options.hop, options.median)
        for name, duration in durations.items()
    }

    def hubbub(settings: PsdsSettings) -> float:
        return psds(reference, scores, durations, settings).value

    ours: dict[str, list[float]] = {"PSDS 1": [], "PSDS 2": []}
    theirs: dict[str, list[float]] = {"PSDS 1": [], "PSDS 2": []}
    differences = []
    if not options.alone:
        package = import_sed_scores_eval()
        from sed_scores_eval.base_modules.scores import create_score_dataframe

        tables = {name: create_score_dataframe(t.values, t.edges, LABELS) for name, t in scores.items()}
        truth = {name: [(e.onset, e.offset, e.label) for e in events] for name, events in reference.items()}

        def sed_scores_eval(settings: PsdsSettings) -> float:
            return package.intersection_based.psds(
                tables,
                truth,
                durations,
                dtc_threshold=settings.dtc,
                gtc_threshold=settings.gtc,
                cttc_threshold=settings.cttc,
                alpha_ct=settings.alpha_ct,
                alpha_st=settings.alpha_st,
                max_efpr=settings.max_efpr,
            )[0]

    for _ in range(options.runs):  # side by side, so that a busy machine is as unfair to one as to the other
        for name, settings in (("PSDS 1", PSDS1), ("PSDS 2", PSDS2)):
            ours[name].append(seconds(lambda settings=settings: hubbub(settings)))
            if not options.alone:
                theirs[name].append(seconds(lambda settings=settings: sed_scores_eval(settings)))
                differences.append(abs(hubbub(settings) - sed_scores_eval(settings)) if _ == 0 else 0.0)

    n_frames = len(scores["0000.wav"].values)
    print(
        f"{options.recordings} recordings of {options.seconds:g} s, {n_frames} frames each, {len(LABELS)} labels, "
        f"{sum(map(len, reference.values()))} events, median of {options.runs} runs, seed {options.seed}"
    )
    for name in ours:
        line = f"{name}   hubbub {statistics.median(ours[name]):8.3f} s"
        if not options.alone:
            ratio = statistics.median(theirs[name]) / statistics.median(ours[name])
            line += f"   sed_scores_eval {statistics.median(theirs[name]):8.3f} s   ratio {ratio:6.1f}"
        print(line)
    if not options.alone:
        print(f"largest difference of the two: {max(differences):.1e}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("hubbub", "numpy", "scipy"))
    packages += "" if options.alone else f", sed_scores_eval {version('sed_scores_eval')}"
    print(f"{processor()}, {platform.system()}, Python {platform.python_version()}, {packages}")


if __name__ == "__main__":
    main()
