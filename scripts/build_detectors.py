"""The detectors that ship, from nothing but a folder of clips: trained, chosen, written, and at the end reported on.

    python scripts/debian_sounds.py DEBIAN
    python scripts/esc50_sounds.py CHECKOUT ESC50
    python scripts/repository_sounds.py REPOSITORIES
    python scripts/build_detectors.py CLIPS OUT --also DEBIAN --also ESC50 --also REPOSITORIES --annotated FOLDER
    python scripts/build_detectors.py CLIPS OUT --also … --report

The first run trains and chooses, the second one looks at the third group.

CLIPS/<label>/<file> with a manifest.csv that names every clip's source, licence and origin; `shipping/groups.toml` says
which source is trained on, chosen on and reported on. DEBIAN, ESC50 and REPOSITORIES are such folders too; FOLDER holds
annotated recordings of speech in the folders that the table names; what is heard in clips beside their labels is in
`shipping/audit.tsv`, by `scripts/audit_sounds.py`. OUT gets small.onnx, small.int8.onnx, tiny.onnx and
tiny.int8.onnx, a card for each, three NOTICEs, and results.json. A run that was stopped goes on where it was; finished
mixtures and trainings in OUT/work are taken as they are.

Nothing here is decided by the third group. How often it was looked at is counted in results.json; that, and what was
changed by hand after a look, is told in the cards.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipping import deciding, fitting, making, mixtures, scoring, trying
from shipping.cards import card, notices
from shipping.groups import Sounds, read_sounds, trained_on

from hubbub.console import Reporter
from hubbub.detector import load
from hubbub.errors import ConfigError
from hubbub.files import make_folder, write_text

MINUTES = {"small": 10500, "tiny": 2400}
"""Of mixtures that each network hears; all labels that were tried are trained on."""
VALIDATE_MINUTES, CHOOSE_MINUTES, REPORT_MINUTES, CROWD_MINUTES = 60.0, 240.0, 240.0, 30.0
"""An hour tells when training is done. Labels of which there are eight recordings want more: which of them an hour's
scenes are made of moves a label's F1 by 0.2 and more."""
N_LABELS = 6
"""How many labels ship: those that do best together, of all that were tried."""
LEAST_F1 = 0.2
"""Frame F1 of each of them where they are chosen: a label that is hardly ever found is none."""


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--also", type=Path, action="append", default=[], help="Another folder of clips.")
    parser.add_argument("--annotated", type=Path, help="Folders of annotated recordings of speech.")
    parser.add_argument("--workers", type=int, default=1, help="Processes that mix while another one trains.")
    parser.add_argument("--report", action="store_true", help="Look at the third group of sources.")
    given = parser.parse_args()
    reporter = Reporter()
    given.out = given.out.resolve()  # scenes name clips relative to CLIPS, or else in full
    work = given.out / "work"
    make_folder(work, ConfigError)
    sounds = read_sounds([given.clips, *given.also], work, given.annotated)
    file = given.out / "results.json"
    before = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    if given.report:
        if "labels" not in before:
            raise SystemExit(f"{given.out}: nothing to report on; build first, without --report")
        results = before | {"looks": before["looks"] + 1}
        results["report"] = report(sounds, given.clips, given.out, results, reporter)
    else:
        results = choose(sounds, given.clips, given.out, given.workers, reporter)
        results["looks"] = before.get("looks", 0)
    write_text(file, json.dumps(results, indent=1), ConfigError)
    if given.report:
        for name in results["report"]["scores"]:
            write_text(given.out / f"{name}.md", card(name, given.out / f"{name}.onnx", results), ConfigError)
    for name, text in notices(sounds, trained_on(sounds)).items():
        write_text(given.out / name, text, ConfigError)


def choose(sounds: Sounds, clips: Path, out: Path, workers: int, reporter: Reporter) -> dict[str, Any]:
    """Trains the networks on every label that was tried, and writes the files with those that ship."""
    work, tried = out / "work", sounds.labels
    validation = mixtures.mixtures(sounds, "choose", tried, VALIDATE_MINUTES, work, clips, reporter)
    mixed = mixtures.mixtures(sounds, "choose", tried, CHOOSE_MINUTES, work, clips, reporter)
    results: dict[str, Any] = {
        "tried": tried,
        "first_run": sounds.table["first_run"],
        "minutes": MINUTES,
        "groups": {label: sounds.sources(label) for label in tried},
        "built_in": [label for label in tried if sounds.table["labels"][label].get("built_in")],
        "choose": {"minutes": CHOOSE_MINUTES, "calm": deciding.CALM},
        "trained_on": {label: len([c for c in trained_on(sounds) if c.label == label]) for label in tried},
        "detectors": {},
    }
    everything = made_up_as_reported(sounds, mixtures.hour_without(sounds, "choose", tried, also=tried), tried)
    for name, minutes in MINUTES.items():
        config = fitting.recipe(name, minutes, workers)
        fresh = mixtures.fresh(sounds, tried, config, work)
        fitted = fitting.train(fresh, config, validation, work / "fits", reporter)
        path = work / f"{name}-tried.onnx"
        if "labels" not in results:
            made = making.heard(path, fitted, tried, tried, mixed, everything, reporter)
            results["labels"] = made.best_labels(N_LABELS, LEAST_F1)
            results["tried_f1"] = made.choice(tried).f1
        labels = results["labels"]
        chosen_on = mixtures.mixtures(sounds, "choose", labels, CHOOSE_MINUTES, work, clips, reporter)
        made = making.heard(path, fitted, tried, labels, chosen_on, everything, reporter)
        facts = {
            "data": "clips, see NOTICE",
            "fresh": True,
            "minutes": {"train": minutes, "choose": CHOOSE_MINUTES},
            "licences": sorted({clip.licence for clip in trained_on(sounds) if clip.licence}),
            "config": json.loads(config.model_dump_json(exclude={"threads", "workers"})),
        }
        path, choice = out / f"{name}.onnx", made.choice(labels)
        making.write(path, made, choice, config, facts)
        for line in making.described(choice):
            reporter.say(line)
        carried = {budget: made.carried_over(labels, budget) for budget in deciding.ALLOWED[2::4]}
        for budget, each in carried.items():
            reporter.say(
                f"with {budget:g} false alarms/h to be expected, sources left out: F1 {each['f1']:.3f}, "
                f"{each['here']:.1f} false alarms/h there and {each['elsewhere']:.1f} in those left out"
            )
        rounded = making.int8_of(path, choice.rules, chosen_on, everything, reporter)
        reporter.say(
            f"{name} in int8: micro F1 {rounded.micro_f1:.3f} where chosen, {sum(rounded.false_alarms.values()):.1f} "
            f"false alarms/h; in float {choice.micro_f1:.3f}, {sum(choice.false_alarms.values()):.1f}"
        )
        results["detectors"][name] = {
            "f1": choice.f1,
            "micro_f1": choice.micro_f1,
            "alarms": choice.false_alarms,
            "budget": made.budget(labels),
            "int8": {"f1": rounded.f1, "micro_f1": rounded.micro_f1, "alarms": rounded.false_alarms},
            "carried_over": carried,
            "epochs": fitted.epochs,
            "seconds": fitted.seconds,
            "hardware": fitted.hardware,
        }
    return results


def made_up_as_reported(sounds: Sounds, hour: mixtures.Hour, tried: Sequence[str]) -> mixtures.Hour:
    """The same hour, in which music, speech and each collection of other sounds count as much as in the one that is
    reported on, of which no more than that is looked at."""
    wanted = mixtures.hour_without(sounds, "report", tried)
    here, there = trying.hours_of(hour.recordings), trying.hours_of(wanted.recordings)
    return replace(hour, weights=deciding.weights_of(here, there, hour.under))


def report(sounds: Sounds, clips: Path, out: Path, results: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Scores of the four files on the third group of sources."""
    work, labels = out / "work", results["labels"]
    known = mixtures.mixtures(sounds, "choose", results["tried"], CHOOSE_MINUTES, work, clips, reporter)
    mixed = mixtures.mixtures(sounds, "report", labels, REPORT_MINUTES, work, clips, reporter)
    hour = mixtures.hour_without(sounds, "report", labels)
    unaudited = mixtures.hour_without(sounds, "report", labels, audited=False).recordings
    crowd = mixtures.crowd_without(sounds, "report", labels, CROWD_MINUTES, work, clips, reporter)
    found: dict[str, Any] = {"minutes": REPORT_MINUTES, "crowd_minutes": CROWD_MINUTES, **hour.facts()}
    found["scores"] = {}
    for name in (f"{network}{kind}" for network in MINUTES for kind in ("", ".int8")):
        path = out / f"{name}.onnx"
        with reporter.bar(f"reporting on {name}") as tick:
            tick(0, 1)
            scored = scoring.score(load(path, device="cpu", threads=1), mixed, hour.recordings, unaudited, crowd, known)
        found["scores"][name] = scored.to_dict() | {"bytes": path.stat().st_size}
        lost = found["scores"][name.removesuffix(".int8")]["frame_f1"] - scored.frame_f1
        making.keep_scores(path, scored)
        reporter.say(
            f"{name}: frame F1 {scored.frame_f1:.3f}, best that does not listen {scored.best_trivial:.3f}, "
            f"{scored.alarms:.1f} false alarms per hour, {scored.alarms_in_crowd:.1f} in the crowd, "
            f"{path.stat().st_size / 1e3:.0f} kB"
            + (f"; int8 costs {100 * lost:.2f} points of frame F1" if name.endswith("int8") else "")
        )
    return found


if __name__ == "__main__":
    main()
