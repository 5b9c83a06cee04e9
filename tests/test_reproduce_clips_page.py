"""The monophonic tables and page from made-up results: both protocols where they belong, nothing claimed too much."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from hubbub.datasets.urbansound8k_protocols import FOLDS as FOLDS_PROTOCOL
from hubbub.datasets.urbansound8k_protocols import RANDOM
from hubbub.errors import HubbubError
from hubbub.metrics import Counts, interval, paired_difference, unpaired_difference
from hubbub.report.confusion import confusion_figure, percent
from hubbub.reproduce.facts import facts
from hubbub.reproduce.figures import label_figure, network_curves
from hubbub.reproduce.monophonic.comparisons import (
    all_clip_tables,
    comparison_tables,
    differences_table,
    leak_table,
    main_tables,
)
from hubbub.reproduce.monophonic.figures import confusion
from hubbub.reproduce.monophonic.markdown import clip_results_markdown
from hubbub.reproduce.monophonic.page import ByLabel, clip_commands, render_clips, write_clip_page
from hubbub.reproduce.monophonic.reported import DESCRIPTIONS, PARAMETERS, REPORTED
from hubbub.reproduce.monophonic.results import ClipResults, ClipRun, answers_of, counts_of, read_clip_results
from hubbub.reproduce.monophonic.scores import network_score
from hubbub.reproduce.monophonic.summary import clip_summary
from hubbub.reproduce.monophonic.table import (
    cost_table,
    folds_table,
    labels_table,
    quality_table,
    training_table,
)
from hubbub.reproduce.monophonic.terminal import print_clip_results
from hubbub.reproduce.results import EpochRow
from tests.test_report import seen

LABELS = (
    "air_conditioner", "car_horn", "children_playing", "dog_bark", "drilling",
    "engine_idling", "gun_shot", "jackhammer", "siren", "street_music",
)  # fmt: skip
NETWORKS = ("mono_baseline", "mono_proposed", "mono_repaired", "hub_clip")
FOLDS = tuple(range(1, 11))
PARAMETERS_BY_HAND = {
    "mono_baseline": 3_682_826,
    "mono_proposed": 152_099,
    "mono_repaired": 152_099,
    "hub_clip": 61_466,
}
SKILLS = {"mono_baseline": 0.70, "mono_proposed": 0.30, "mono_repaired": 0.69, "hub_clip": 0.80}
RECORDINGS_EACH = 12
"""Of a fold; each has one label and one to nine slices."""


def answers_for(network, fold, seed, skill, labels=LABELS, n_recordings=RECORDINGS_EACH):
    """A system that is right about a share of each recording's slices; the recordings are the same for all."""
    data, rng = np.random.default_rng(fold), np.random.default_rng([fold, seed, *network.encode()])
    rows = []
    for index in range(n_recordings):
        label, hard = int(data.integers(len(labels))), data.uniform(0.8, 1.15)
        for _ in range(data.integers(1, 10)):
            wrong = (label + int(rng.integers(1, 4))) % len(labels)
            rows.append((f"{fold}{index:03d}", label, label if rng.random() < skill * hard else wrong))
    recordings, truth, answered = zip(*rows, strict=True)
    return answers_of(recordings, truth, answered)


def some_run(network, fold=0, seed=0, skill=None, **changes):
    """A run on a fold, or by the random split where that is 0: as if of the first two folds, and easier."""
    skill = SKILLS[network] if skill is None else skill
    labels, n = changes.pop("labels", LABELS), changes.pop("n_recordings", RECORDINGS_EACH)
    easier = skill + 0.12 * (fold == 0)
    parts = [answers_for(network, at, seed, easier, labels, n) for at in ((fold,) if fold else (1, 2))]
    answers = {name: rows for part in parts for name, rows in part.items()}
    epochs = 60 + 10 * NETWORKS.index(network) + fold
    rng = np.random.default_rng([fold, seed])
    way = 1 - np.exp(-np.arange(1, epochs + 1) / 9)
    curves = [
        EpochRow(
            epoch=epoch,
            train_loss=2.3 - 2.1 * done * skill,
            validation_loss=2.3 - 1.6 * done * skill + 0.003 * max(0, epoch - 30) + rng.normal(0, 0.02),
            train_accuracy=0.1 + 0.95 * done * skill,
            validation_accuracy=0.1 + 0.8 * done * skill + rng.normal(0, 0.01),
            seconds=9.0,
        )
        for epoch, done in enumerate(way)
    ]
    fields = {
        "network": network,
        "protocol": "folds" if fold else "random",
        "fold": fold,
        "seed": seed,
        "epochs": epochs,
        "best_epoch": epochs - 31,
        "ended": "time" if fold == 3 else "patience",
        "train_seconds": 9.0 * epochs + 5,
        "parameters": PARAMETERS_BY_HAND[network],
        "multiply_adds": {"mono_baseline": 1.32e10, "hub_clip": 8.64e6}.get(network, 7.3e8),
        "file_bytes": 4 * PARAMETERS_BY_HAND[network] + 50_000,
        "detect_milliseconds": {"mono_baseline": 251.0, "hub_clip": 4.24}.get(network, 61.5),
        "loss": round(1.2 - skill + 0.01 * fold + 0.1 * seed, 3),
        "leaked": 0.0 if fold else 0.92,
        "slices": {"train": 90 if fold else 66, "validation": 12, "test": 12},
        "answers": answers,
        "curves": tuple(curves),
        "hardware": "NVIDIA H200",
        "precision": "32-true",
    }
    return ClipRun(**(fields | changes))


def always(label, runs):
    """A system that always answers one label, over the recordings of some runs."""
    return {
        name: tuple(
            (true, label, n) for true, n in sorted({(t, sum(m for u, _, m in rows if u == t)) for t, _, _ in rows})
        )
        for run in runs
        for name, rows in run.answers.items()
    }


def some_results(runs=None, **changes):
    if runs is None:
        runs = [some_run(network) for network in NETWORKS if network != "mono_repaired"]
        runs += [some_run("mono_baseline", fold) for fold in FOLDS]
        runs += [some_run("hub_clip", fold) for fold in FOLDS]
        runs += [some_run("mono_repaired", fold) for fold in (2, 3, 5)]
    trivial = {
        name: {"most_frequent": always(3, there)}
        for name in ("random", "folds")
        if (there := [run for run in runs if run.protocol == name])
    }
    fields = {
        "size": "full",
        "is_the_result": True,
        "labels": LABELS,
        "folds": FOLDS,
        "networks": NETWORKS,
        "runs": tuple(runs),
        "trivial": trivial,
        "settings": {"batch size": "16", "patience": "30 epochs"},
        "data": {"sounds": "a stand-in <of other sounds>"},
        "versions": {"hubbub": "0.1.0", "torch": "2.13.0"},
        "notes": ("The stand-in has 1200 slices.",),
    }
    return ClipResults(**(fields | changes))


@pytest.fixture(scope="module")
def results():
    return some_results()


def row(table, name, occurrence=0):
    """The cells of a row by heading."""
    cells = [found.cells for found in table.rows if found.name == name][occurrence]
    headings = [heading.replace("-\n", "").replace("\n", " ").strip() for heading in table.headings[1:]]
    assert len(cells) == len(headings) == len(set(headings))
    return dict(zip(headings, cells, strict=True))


def accuracy(*runs):
    """Counted by hand over the slices of some runs."""
    rows = [found for run in runs for by_label in run.answers.values() for found in by_label]
    return sum(n for label, answer, n in rows if label == answer) / sum(n for _, _, n in rows)


def counts(*runs):
    found = {}
    for run in runs:
        for name, counted in counts_of(run.answers, LABELS).items():
            found[name] = found.get(name, Counts.zero(LABELS)) + counted
    return {name: found[name] for name in sorted(found)}


def rng():
    return np.random.default_rng(0)


# --- tables


def test_both_protocols_stand_side_by_side_and_beside_the_report(results):
    run, folds = results.of("mono_baseline", "random")[0], results.of("mono_baseline", "folds")
    by_fold = [accuracy(run) for run in folds]
    one, several = interval(counts(run), "micro_f1", rng()), interval(counts(*folds), "micro_f1", rng())
    assert one.low < accuracy(run) < one.high and several.low < accuracy(*folds) < several.high
    table = quality_table(results)
    assert row(table, "mono_baseline") == {
        "random (leaks)": f"{accuracy(run):.3f}",
        "interval random": f"{one.low:.3f}-{one.high:.3f}",
        "loss random": "0.500",
        "folds, mean ± spread": f"{np.mean(by_fold):.3f} ± {np.std(by_fold, ddof=1):.3f}",
        "folds run": "10/10",
        "interval folds": f"{several.low:.3f}-{several.high:.3f}",
        "loss folds": "0.555",
        "gap": f"{accuracy(run) - np.mean(by_fold):+.3f}",
        "report": "0.824",
        "loss report": "0.524",
    }
    assert [found.name for found in table.rows] == [*NETWORKS, "most frequent"]
    assert "random 60/20/20 over slices (leaks) | official folds" in table.title
    text = " ".join(table.notes)
    assert "92 % of the slices tested share a recording with training" in text and "Seeds: 0." in text
    assert "random split 0.981, official folds 0.839" in text


def test_cells_that_were_not_run_say_so(results):
    table = quality_table(results)
    proposed, repaired = row(table, "mono_proposed"), row(table, "mono_repaired")
    assert {name: text for name, text in proposed.items() if "folds" in name or name == "gap"} == {
        "folds, mean ± spread": "not run", "folds run": "", "interval folds": "", "loss folds": "", "gap": "",
    }  # fmt: skip
    assert proposed["report"] == "0.263" and proposed["loss report"] == "2.040"
    assert repaired["random (leaks)"] == "not run" and repaired["loss random"] == repaired["gap"] == ""
    assert repaired["folds run"] == "3/10" and "mono_repaired: a mean is over those" in table.notes[0]
    none = some_results([])
    for tables in (all_clip_tables(none), all_clip_tables(some_results([some_run("hub_clip", 4)]))):
        assert all(any("not run" in found.cells for found in table.rows) for table in tables)
    assert all(found.kind == "missing" for found in quality_table(none).rows)


def test_answering_the_most_frequent_label_is_told_by_protocol(results):
    folds = results.of("mono_baseline", "folds")
    share = {run.fold: [0, 0] for run in folds}
    for run in folds:
        for rows in run.answers.values():
            for label, _, n in rows:
                share[run.fold][0] += n * (label == 3)
                share[run.fold][1] += n
    by_fold = [right / n for right, n in share.values()]
    cells = row(quality_table(results), "most frequent")
    assert cells["folds, mean ± spread"] == f"{np.mean(by_fold):.3f} ± {np.std(by_fold, ddof=1):.3f}"
    assert cells["loss folds"] == cells["report"] == "" and cells["folds run"] == "10/10"
    assert cells["random (leaks)"] == f"{sum(share[f][0] for f in (1, 2)) / sum(share[f][1] for f in (1, 2)):.3f}"


def test_costs_and_exact_parameters(results):
    assert row(cost_table(results), "hub_clip") == {
        "parameters": "61 466", "file, MB": "0.30", "mult-adds, M / clip": "8.6", "ms / clip": "4.2",
    }  # fmt: skip
    assert row(cost_table(results), "mono_baseline") == {
        "parameters": "3 682 826", "file, MB": "14.78", "mult-adds, M / clip": "13 200", "ms / clip": "251",
    }  # fmt: skip
    other = some_results([some_run("mono_proposed", parameters=152_100)])
    assert row(cost_table(other), "mono_proposed")["parameters"] == "152 100 !"
    assert "mono_proposed should have 152 099" in cost_table(other).notes[0]
    assert row(cost_table(other), "mono_baseline") == {
        "parameters": "3 682 826", "file, MB": "not run", "mult-adds, M / clip": "", "ms / clip": "",
    }  # fmt: skip
    # With other labels the output layer is another.
    fewer = some_results([some_run("mono_proposed", parameters=151_000, labels=LABELS[:6])], labels=LABELS[:6])
    assert row(cost_table(fewer), "mono_proposed")["parameters"] == "151 000"
    assert row(cost_table(fewer), "mono_baseline")["parameters"] == ""


def test_training_is_told_by_protocol_beside_the_report(results):
    table = training_table(results)
    assert row(table, "mono_baseline") == {
        "split": "random", "runs": "1", "all runs h:mm:ss": "0:09:05", "a run h:mm:ss": "0:09:05",
        "report h:mm": "5:30", "epochs a run (best)": "60 (29)", "epochs report": "159", "ended by": "patience",
    }  # fmt: skip
    # Ten runs of 61 to 70 epochs, nine seconds each and five more.
    assert row(table, "", 0) == {
        "split": "folds", "runs": "10", "all runs h:mm:ss": "1:39:05", "a run h:mm:ss": "0:09:54",
        "report h:mm": "", "epochs a run (best)": "66 (34)", "epochs report": "", "ended by": "patience 9, time 1",
    }  # fmt: skip
    assert row(table, "", 1)["runs"] == row(table, "mono_repaired")["runs"] == "not run"
    assert row(table, "mono_proposed")["epochs report"] == "39"


def test_f1_by_label_beside_the_reports(results):
    random, folds = (labels_table(results, protocol) for protocol in (RANDOM, FOLDS_PROTOCOL))
    total = sum(counts(*results.of("hub_clip", "folds")).values(), Counts.zero(LABELS))
    assert [row(folds, label)["hub_clip"] for label in LABELS] == [f"{f1:.3f}" for f1 in total.f1_by_label]
    total = sum(counts(*results.of("hub_clip", "random")).values(), Counts.zero(LABELS))
    assert [row(random, label)["hub_clip"] for label in LABELS] == [f"{f1:.3f}" for f1 in total.f1_by_label]
    assert {row(random, label)["mono_repaired"] for label in LABELS} == {"not run"}
    assert row(folds, "siren")["report, mono_baseline"] == row(random, "siren")["report, mono_baseline"] == "0.880"
    assert row(random, "their mean")["report, mono_baseline"] == "0.828"
    assert "leaks" in random.title and "official folds" in folds.title


def test_the_reports_f1_stands_only_beside_its_own_labels():
    some = ("siren", *(f"label_{index}" for index in range(9)))
    table = labels_table(some_results([some_run("hub_clip")], labels=some), RANDOM)
    assert row(table, "siren")["report, mono_baseline"] == "0.880"
    assert row(table, "label_0")["report, mono_baseline"] == row(table, "their mean")["report, mono_baseline"] == ""
    none = labels_table(some_results([some_run("hub_clip")], labels=tuple(f"label_{n}" for n in range(10))), RANDOM)
    assert none.headings == ("label", *(f"\n{network}" for network in NETWORKS))
    assert "report" not in " ".join(none.notes)


def test_a_label_without_slices_is_untested_and_out_of_the_mean():
    answers = {"a": ((0, 0, 3), (0, 1, 1)), "b": ((1, 1, 4),)}
    table = labels_table(some_results([some_run("hub_clip", answers=answers)], trivial={}), RANDOM)
    cells = [row(table, label)["hub_clip"] for label in LABELS]
    assert cells == ["0.857", "0.889", *["untested"] * 8] and row(table, "their mean")["hub_clip"] == "0.873"


def test_differences_are_paired_over_the_folds_of_both(results):
    table = differences_table(results)
    assert [found.name for found in table.rows] == [
        "hub_clip - mono_baseline", "mono_repaired - mono_baseline", "mono_proposed - mono_baseline",
        "mono_repaired - mono_proposed",
    ]  # fmt: skip
    ours, theirs = (results.of(network, "folds") for network in ("hub_clip", "mono_baseline"))
    found = paired_difference(counts(*ours), counts(*theirs), "micro_f1", rng())
    assert found.low > 0
    assert row(table, "hub_clip - mono_baseline") == {
        "accuracy difference": f"{found.value:+.3f} *",
        "95 % interval": f"{found.low:+.3f} to {found.high:+.3f}",
        "share <= 0": f"{found.at_or_below_zero:.3f}",
        "folds": "10 of 10",
        "what it shows": "ours for the baseline",
    }
    same = [run for run in theirs if run.fold in (2, 3, 5)]
    difference = accuracy(*results.of("mono_repaired", "folds")) - accuracy(*same)
    cells = row(table, "mono_repaired - mono_baseline")
    assert (cells["accuracy difference"], cells["folds"]) == (f"{difference:+.3f}  ", "3 of 10")
    assert set(row(table, "mono_proposed - mono_baseline").values()) == {"not run", "", "as the report has it"}
    assert differences_table(some_results([], networks=("hub_clip",))) is None


def test_folds_with_other_recordings_are_not_compared():
    runs = [some_run("hub_clip", 1), some_run("mono_baseline", 1, n_recordings=11)]
    assert row(differences_table(some_results(runs)), "hub_clip - mono_baseline")["accuracy difference"] == "not run"
    # Nor is what the one was tested on and the other was not.
    runs = [some_run("hub_clip", 1), some_run("mono_baseline", 2)]
    assert row(differences_table(some_results(runs)), "hub_clip - mono_baseline")["accuracy difference"] == "not run"


def test_the_gap_is_judged_apart(results):
    table = leak_table(results)
    random, folds = results.of("hub_clip", "random"), results.of("hub_clip", "folds")
    found = unpaired_difference(counts(*random), counts(*folds), "micro_f1", rng())
    assert row(table, "hub_clip") == {
        "random (leaks)": f"{accuracy(*random):.3f}",
        "folds, pooled": f"{accuracy(*folds):.3f}",
        "gap": f"{found.value:+.3f} *",
        "95 % interval": f"{found.low:+.3f} to {found.high:+.3f}",
        "share <= 0": f"{found.at_or_below_zero:.3f}",
        "folds": "10 of 10",
    }
    assert row(table, "mono_proposed") | {"folds, pooled": ""} == dict.fromkeys(row(table, "hub_clip"), "")
    assert row(table, "mono_repaired")["random (leaks)"] == row(table, "mono_proposed")["folds, pooled"] == "not run"
    assert row(table, "published")["gap"] == "+0.141  "
    assert "Trained on 66 slices by the random split, on 90 by the folds: so a gap is not" in table.notes[-1]
    fewer = [some_run("hub_clip"), some_run("hub_clip", 1, slices={"train": 50})]
    assert "may be for want of them" in leak_table(some_results(fewer)).notes[-1]


def test_accuracy_by_fold(results):
    table = folds_table(results)
    assert [found.name for found in table.rows] == [*(f"fold {fold}" for fold in FOLDS), "mean ± spread"]
    for run in results.of("hub_clip", "folds"):
        assert row(table, f"fold {run.fold}")["hub_clip"] == f"{accuracy(run):.3f}"
    column = [row(table, f"fold {fold}")["mono_repaired"] for fold in FOLDS]
    assert [fold for fold, cell in zip(FOLDS, column, strict=True) if cell != "not run"] == [2, 3, 5]
    assert {found.cells[1] for found in table.rows} == {"not run"}
    one = folds_table(some_results([some_run("hub_clip", 7)]))
    assert re.fullmatch(r"0\.\d{3}", row(one, "mean ± spread")["hub_clip"])  # one fold has no spread


def test_seeds_of_a_fold_are_added_up():
    runs = [some_run("hub_clip", fold, seed) for fold in (1, 2) for seed in (0, 1, 2)]
    results = some_results([*runs, some_run("hub_clip", 0, 1)])
    by_fold = [accuracy(*runs[:3]), accuracy(*runs[3:])]
    cells = row(quality_table(results), "hub_clip")
    assert cells["folds, mean ± spread"] == f"{np.mean(by_fold):.3f} ± {np.std(by_fold, ddof=1):.3f}"
    assert (cells["folds run"], cells["loss folds"]) == ("2/10", f"{np.mean([r.loss for r in runs]):.3f}")
    assert row(folds_table(results), "fold 1")["hub_clip"] == f"{by_fold[0]:.3f}"
    assert any("Seeds: 0, 1, 2; their slices are added up." in note for note in quality_table(results).notes)
    assert row(training_table(results), "", 3)["runs"] == "6"
    # A fold with more seeds than another weighs no more.
    uneven = some_results([*runs[:3], runs[3]])
    loss = np.mean([np.mean([run.loss for run in runs[:3]]), runs[3].loss])
    assert row(quality_table(uneven), "hub_clip")["loss folds"] == f"{loss:.3f}"


# --- sentences


def test_a_summary_answers_the_questions(results):
    said = clip_summary(results)
    text = " ".join(said)
    assert said[0].startswith("4 of 4 networks were run on clips of 10 labels: 3 by the split random 60/20/20")
    assert "3 by the official folds (10 of 10 folds)" in said[0]
    means = [accuracy(run) for run in results.of("hub_clip", "folds")]
    assert f"On the folds hub_clip has the highest accuracy, {np.mean(means):.3f} ± " in said[1]
    assert "Not all networks were run on the same folds" in said[2]
    assert "By the random split mono_baseline has 0.833, where the report has 0.824." in said
    assert "The random split leaks: 92 % of the slices" in text and "mono_baseline has 0.833 by the one" in text
    assert "hub_clip, beats the baseline, with 1.7 % of its parameters (61 466 of 3 682 826)" in text
    assert said[-1].startswith("Is the repaired network within 3 points of the baseline? Yes: accuracy -0.006")
    assert said[-1].endswith("on 3 of 10 folds; the interval does not settle it.")
    assert clip_summary(some_results([])) == ("No network was run yet.",)


@pytest.mark.parametrize(
    ("skill", "ours", "repaired", "settled"),
    [
        (0.30, "hub_clip, does not beat the baseline: it is worse", "No", True),
        (0.71, "hub_clip, cannot be told from the baseline, neither better nor worse", "Yes", False),
        (0.86, "hub_clip, beats the baseline", "Yes", True),
    ],
)
def test_a_summary_claims_no_more_than_there_is(skill, ours, repaired, settled):
    runs = [some_run("mono_baseline", fold) for fold in (1, 2, 3)]
    runs += [some_run(network, fold, skill=skill) for fold in (1, 2, 3) for network in ("hub_clip", "mono_repaired")]
    said = clip_summary(some_results(runs))
    assert ours in said[-2]
    assert f"baseline? {repaired}: " in said[-1] and ("does not settle" in said[-1]) == (not settled)


def test_what_was_not_run_is_not_judged():
    said = " ".join(clip_summary(some_results([some_run("hub_clip"), some_run("mono_repaired", 1)])))
    assert "baseline" not in said and "leaks:" not in said and "(one fold)" in said


def test_folds_that_leak_are_told():
    assert (
        quality_table(some_results([some_run("hub_clip", 1, leaked=0.034)]))
        .notes[1]
        .startswith("! the folds leak: 3.4")
    )
    assert not any("!" in note for note in quality_table(some_results()).notes)


def test_a_quick_look_is_called_one_everywhere(results):
    quick = some_results(is_the_result=False, size="quick")
    tables = all_clip_tables(quick)
    assert len(tables) == 8
    assert all(table.title.startswith("A quick look, not the result: ") for table in tables)
    assert (
        clip_summary(quick)[0].startswith("A quick look, not the result") and "not the result" in facts(quick)["size"]
    )
    assert not any(
        "quick look" in text for text in (*(t.title for t in all_clip_tables(results)), *clip_summary(results))
    )


def test_the_call_that_repeats_it(results):
    assert clip_commands(results) == ["hubbub reproduce urbansound8k DATA --size full"]
    own = some_results(options=("--size", "reduced", "--fold", "1"))
    assert clip_commands(own) == ["hubbub reproduce urbansound8k DATA --size reduced --fold 1"]
    assert clip_commands(some_results([])) == []


def test_one_recording_has_no_interval():
    runs = [some_run(network, fold, n_recordings=1) for network in ("mono_baseline", "hub_clip") for fold in (1,)]
    random = [run.model_copy(update={"protocol": "random", "fold": 0}) for run in runs]
    alone = some_results([*runs, *random])
    cells = row(quality_table(alone), "hub_clip")
    assert cells["interval folds"] == cells["interval random"] == "" and cells["gap"] == "+0.000"
    cells = row(differences_table(alone), "hub_clip - mono_baseline")
    assert cells["95 % interval"] == cells["share <= 0"] == "" and cells["folds"] == "1 of 10"
    assert float(cells["accuracy difference"]) == pytest.approx(accuracy(runs[1]) - accuracy(runs[0]), abs=0.0006)
    assert "interval" not in " ".join(clip_summary(alone)) and "0." in render_clips(alone)


# --- terminal and Markdown


def printed(results, width=None, encoding="utf-8", terminal=False):
    binary = io.BytesIO()
    file = io.TextIOWrapper(binary, encoding=encoding)
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    print_clip_results(results, console)
    file.flush()
    return binary.getvalue().decode(encoding).splitlines()


def test_a_pipe_gets_whole_lines(results):
    every = some_results([some_run(network, fold, skill=0.3) for network in NETWORKS for fold in (0, *FOLDS)])
    for lines in (printed(results), printed(every, width=80), printed(every, width=300)):
        assert max(map(len, lines)) <= 100 and not any("…" in line for line in lines)
        for network in NETWORKS:
            assert sum(line.startswith(f"{network} ") for line in lines) >= 4, network
    assert any(re.match(r"mono_baseline +0\.\d{3} .* 10/10 .* 0\.824 +0\.524$", line) for line in printed(results))
    assert any(re.match(r"mono_repaired not run .* 3/10 ", line) for line in printed(results))
    assert max(map(len, printed(results, width=80, terminal=True))) <= 80
    assert any("+-" in line for line in printed(results, encoding="ascii"))


def test_markdown_tables_are_whole(results):
    text = clip_results_markdown(results)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == len(all_clip_tables(results)) == 8
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block}) == 1 and set(block[1]) <= set("| -:")
    assert "a stand-in \\<of other sounds>" in text and text.endswith("\n")
    assert "| mono_proposed - mono_baseline | not run |" in text
    assert "\n\nThe stand-in has 1200 slices.\n\n- recipe: urbansound8k\n" in text
    assert "\n- Interval: 95 %, bootstrap over recordings" in text
    # The order of the recordings in the file is nobody's business.
    turned = [run.model_copy(update={"answers": dict(reversed(run.answers.items()))}) for run in results.runs]
    assert clip_results_markdown(results.model_copy(update={"runs": tuple(turned)})) == text


def test_results_are_read_as_they_were_written(tmp_path, results):
    results.write(tmp_path / "results.json")
    assert clip_results_markdown(read_clip_results(tmp_path / "results.json")) == clip_results_markdown(results)


# --- figures and page


def test_a_confusion_matrix_is_counted_and_drawn_by_row():
    answers = {"a": ((0, 0, 3), (0, 2, 1)), "b": ((2, 0, 5), (0, 0, 1)), "c": ((2, 2, 995),)}
    runs = [some_run("hub_clip", 1, answers=answers), some_run("hub_clip", 2, answers={"d": ((0, 2, 3),)})]
    counted = confusion(runs, 3)
    np.testing.assert_array_equal(counted, [[4, 0, 4], [0, 0, 0], [5, 0, 995]])
    axes = confusion_figure(counted, ("a_b", "$5 bill$", "c"), "title").axes[0]
    written = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    ink = written[0, 0][1]
    # (answer, truth); white where it is dark blue.
    assert written == {(0, 0): ("50", ink), (2, 0): ("50", ink), (0, 2): ("<1", ink), (2, 2): (">99", "white")}
    faces = axes.collections[0].get_facecolors()
    np.testing.assert_allclose(faces[:, 3], [0.5, 0.5, 0.005, 0.995])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a b", r"\$5 bill\$", "c"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first label on top
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("taken for", "is")


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0, "0"), (0.0049, "<1"), (0.005, "<1"), (0.874, "87"), (0.994, "99"), (0.996, ">99"), (1.0, "100")],
)
def test_percent(part, text):
    assert percent(part) == text


def test_accuracy_by_label_leaves_out_what_was_not_tested():
    results = some_results([some_run("hub_clip", answers={"a": ((0, 0, 3), (0, 1, 1)), "b": ((1, 1, 4),)})], trivial={})
    drawn = [ByLabel("hub_clip", network_score(results, "hub_clip", "random"))]
    axes = label_figure(drawn, {}, "title", "recall_by_label").axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xdata()[-2:], [0.75, 1.0])
    assert np.isnan(axes.lines[0].get_xdata()[:-2]).all()
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names[-2:] == ["air conditioner", "car horn"] and axes.get_title(loc="left") == "title"


def test_curves_are_the_runs_own(results):
    run = results.of("hub_clip", "folds")[0]
    axes = network_curves(run, "loss", "fold 1: ").axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["training"].get_ydata()) == [row.train_loss for row in run.curves]
    assert list(lines["validation"].get_ydata()) == [row.validation_loss for row in run.curves]
    assert axes.get_title(loc="left") == "fold 1: loss by epoch"


@pytest.fixture(scope="module")
def page(tmp_path_factory, results):
    path = tmp_path_factory.mktemp("page") / "results.html"
    write_clip_page(path, results)
    return path


def test_a_page_shows_every_table_figure_and_fact(page, results):
    found, text = seen(page), page.read_text("utf-8")
    assert len(found.all("table")) == len(main_tables(results)) + len(comparison_tables(results)) == 8
    for table in all_clip_tables(results):
        assert table.title in found.texts
        assert all(cell in found.texts for r in table.rows for cell in r.cells if cell)
    assert all(sentence in found.texts for sentence in clip_summary(results))
    assert len(found.all("div", "network")) == 4 and len(found.all("div", "trivial")) == 1
    assert len(found.all("div", "pair folds")) == len(found.all("div", "pair random")) == 5
    # Matrices of each network, curves of all together by either protocol, and of each by itself.
    assert len(found.all("details")) == 4 + 2 + 4
    n_matrices, n_curves = 2 + 1 + 1 + 2, 2 * 2 + 2 * (2 + 1 + 1 + 2)
    assert len(found.all("svg")) == 2 + n_matrices + n_curves
    for title in ("mono_baseline, 10 folds, %", "mono_repaired, 3 folds, %", "hub_clip, random split (leaks), %"):
        assert title in found.texts
    assert {"random split: accuracy by epoch", "fold 1: loss by epoch", "fold 2: loss by epoch"} <= set(found.texts)
    assert "All networks, random split (leaks)" in found.texts and "All networks, tested on fold 1" in found.texts
    assert "Training (the report's figures 9 and 10)" in found.texts
    assert all(value in found.texts for value in facts(results).values())
    assert "hubbub reproduce urbansound8k DATA --size full" in text and "quick look" not in text


def test_the_chart_on_top_has_the_numbers_of_the_table(page, results):
    text = page.read_text("utf-8")
    chart = text[text.index('<div class="network">') : text.index("What is hard")]
    table = leak_table(results)
    values = re.findall(r'class="value">([^<]*)<', chart)
    assert values[:2] == [row(table, "mono_baseline")["random (leaks)"], row(table, "mono_baseline")["folds, pooled"]]
    assert values[3] == values[4] == "not run"
    assert re.findall(r'class="limit" style="left:([\d.]+)%', chart) == ["82.4", "26.3"]  # the report's


def test_a_page_fetches_nothing_and_runs_nothing(page):
    found, text = seen(page), page.read_text("utf-8")
    assert "http://" not in text and "https://" not in text and "@import" not in text
    assert not re.search(r"url\((?!#)", text) and not found.all("script") and not found.all("link")
    assert [a for _, a in found.tags for key in ("src", "href") if not str(a.get(key, "#")).startswith("#")] == []
    policy = next(str(meta["content"]) for meta in found.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'") and "script" not in policy


def test_words_on_a_page_are_words(tmp_path):
    bad, odd = '<script>alert("x")</script>', "a $5 <b>bell</b> | `x`$ & {{ 7 * 7 }}"
    labels = (bad, odd, *LABELS[2:])
    runs = [some_run("hub_clip", fold, labels=labels) for fold in (0, 1)]
    results = some_results(runs, labels=labels, notes=(bad,), data={bad: bad}, networks=("hub_clip", odd))
    write_clip_page(tmp_path / "page.html", results)
    text, found = (tmp_path / "page.html").read_text("utf-8"), seen(tmp_path / "page.html")
    assert "<script" not in text and "<b>" not in text and "{{ 7 * 7 }}" in text
    assert {bad, odd} <= set(found.texts)
    assert odd in found.texts[found.texts.index("taken for") - 12 :]  # as words in a figure too
    markdown = clip_results_markdown(results)
    blocks = [block.splitlines() for block in markdown.split("\n\n") if block.startswith("|")]
    assert all(len({line.replace("\\|", "").count("|") for line in block}) == 1 for block in blocks)
    assert max(map(len, printed(results))) <= 100


def test_the_smallest_and_the_quick_page(tmp_path):
    write_clip_page(tmp_path / "none.html", some_results([]))
    assert "No network was run yet." in seen(tmp_path / "none.html").texts
    quick = some_results([some_run("hub_clip", 1, n_recordings=2)], is_the_result=False)
    write_clip_page(tmp_path / "quick.html", quick)
    found = seen(tmp_path / "quick.html")
    assert found.all("p", "quick") and "A quick look, not the result: accuracy" in found.texts
    assert found.texts.count("hub_clip, 1 fold, %") == 1
    with pytest.raises(HubbubError, match="cannot be written"):
        write_clip_page(tmp_path / "no" / "page.html", quick)


def test_what_the_report_has_is_known_of_known_networks():
    assert set(REPORTED) == set(PARAMETERS) <= set(DESCRIPTIONS) and list(DESCRIPTIONS) == list(NETWORKS)
    assert REPORTED["mono_baseline"].f1.keys() == set(LABELS)
