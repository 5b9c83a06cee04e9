"""The report's tables and page from made-up results: every number where it belongs, nothing claimed too much."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from hubbub.errors import HubbubError
from hubbub.metrics import Counts, interval, paired_difference
from hubbub.networks.count import n_parameters
from hubbub.networks.report import POLYPHONIC
from hubbub.reproduce.comparisons import all_tables, differences_table, grid_table, splits_table
from hubbub.reproduce.facts import commands, facts
from hubbub.reproduce.figures import Drawn, compared_curves, cost_figure, label_figure, network_curves
from hubbub.reproduce.markdown import results_markdown
from hubbub.reproduce.page import render, write_results_page
from hubbub.reproduce.reported import DESCRIPTIONS, N_LABELS, PARAMETERS, REPORTED
from hubbub.reproduce.results import EpochRow, FrameCounts, Results, Run, read_results
from hubbub.reproduce.scores import Score, main_split, pooled, trivial_scores
from hubbub.reproduce.table import cost_table, quality_table, seeds_table, summary
from hubbub.reproduce.terminal import print_results
from tests.test_report import seen

LABELS = (
    "alarms_and_sirens", "baby_crying", "bird_singing", "bus", "cat_meowing", "crowd_applause", "crowd_cheering",
    "dog_barking", "footsteps", "glass_smash", "gun_shot", "horsewalk", "mixer", "motorcycle", "rain", "thunder",
)  # fmt: skip
NETWORKS = ("baseline", "dilated", "dessed", "proposed_conv", "proposed_pool", "dilated_strided", "proposed_strided")
PARAMETERS_BY_HAND = (3_684_368, 3_702_544, 545_321, 563_497, 493_609, 3_636_752, 497_705)
SKILLS = (0.70, 0.73, 0.62, 0.15, 0.61, 0.72, 0.63)
COSTS = (3.3e9, 4.1e9, 9.2e7, 7.25e8, 1.66e8, 3.6e9, 1.7e8)


def frame_counts(rng, skill, activity, n_frames):
    """Counts of a system that finds a share `skill` of the active frames, and as many false ones as it misses."""
    n_reference = np.round(activity * n_frames).astype(int)
    hits = rng.binomial(n_reference, skill * np.linspace(0.75, 1.1, len(LABELS)).clip(0, 1))
    false = rng.binomial(n_reference, 0.7 * (1 - skill))
    missed = int((n_reference - hits).sum())
    substituted = min(missed, int(false.sum())) // 3
    return FrameCounts(
        true_positives=tuple(map(int, hits)),
        false_positives=tuple(map(int, false)),
        false_negatives=tuple(map(int, n_reference - hits)),
        substitutions=substituted,
        deletions=missed - substituted,
        insertions=int(false.sum()) - substituted,
        n_frames=n_frames,
    )


def some_run(network, split="official", seed=0, kernel=3, dilation=10, skill=None, n_recordings=20, parameters=None):
    index = NETWORKS.index(network)
    skill = SKILLS[index] if skill is None else skill
    skill += 0.06 * (split == "subsequence") + 0.01 * seed
    rng = np.random.default_rng([index, seed, kernel, dilation, len(split)])
    difficulty = np.random.default_rng(1)  # the same recordings for every network
    first = {"official": 80, "mixture": 40, "subsequence": 0}[split]
    counts = {}
    for recording in range(first, first + n_recordings):
        activity = difficulty.uniform(0, 0.2, len(LABELS)) * (difficulty.random(len(LABELS)) < 0.5)
        hard = difficulty.uniform(0.7, 1.0)
        counts[f"mixture_{recording:02d}.wav"] = frame_counts(rng, skill * hard, activity, 30_000)
    epochs = 40 + 13 * index + seed
    curves = []
    for epoch in range(epochs):
        way = 1 - np.exp(-(epoch + 1) / 9)
        noise = rng.normal(0, 0.003, 4)
        curves.append(
            EpochRow(
                epoch=epoch,
                train_loss=0.30 - 0.24 * way * skill + noise[0],
                validation_loss=0.30 - 0.22 * way * skill + 0.0006 * max(0, epoch - 30) + noise[1],
                train_accuracy=0.92 + 0.06 * way * skill + noise[2] / 3,
                validation_accuracy=0.92 + 0.055 * way * skill + noise[3] / 3,
                seconds=60.0,
            )
        )
    return Run(
        network=network,
        kernel=kernel,
        dilation=dilation,
        split=split,
        seed=seed,
        epochs=epochs,
        best_epoch=epochs - 20,
        ended="time" if network == "dilated" else "patience",
        train_seconds=60.0 * epochs + 7,
        parameters=PARAMETERS_BY_HAND[index] if parameters is None else parameters,
        multiply_adds_per_second=COSTS[index],
        file_bytes=PARAMETERS_BY_HAND[index] * 4 + 80_000,
        detect_seconds_per_hour=COSTS[index] / 2e7,
        loss=curves[-20].validation_loss,
        counts={"intended": counts, "as_coded": {name: counts[name] for name in sorted(counts)[:-1]}},
        curves=tuple(curves),
        hardware="NVIDIA H200",
        precision="bf16-mixed",
    )


def trivial(run):
    """The systems that do not listen, on the recordings of a run."""
    systems = {"always_silent": {}, "always_on": {}, "prior": {}}
    for name, found in run.counts["intended"].items():
        n_reference = np.array(found.true_positives) + np.array(found.false_negatives)
        for system, on in (("always_silent", range(0)), ("always_on", range(16)), ("prior", range(3))):
            chosen = np.isin(np.arange(16), on)
            hits, missed = n_reference * chosen, n_reference * ~chosen
            false = (found.n_frames - n_reference) * chosen
            systems[system][name] = FrameCounts(
                true_positives=tuple(map(int, hits)),
                false_positives=tuple(map(int, false)),
                false_negatives=tuple(map(int, missed)),
                substitutions=0,
                deletions=int(missed.sum()),
                insertions=int(false.sum()),
                n_frames=found.n_frames,
            )
    return systems


def some_results(runs=None, **changes):
    if runs is None:
        runs = [some_run(network) for network in NETWORKS[:-1]]
        runs += [some_run("baseline", seed=1), some_run("baseline", seed=2)]
        runs += [some_run("baseline", "subsequence"), some_run("proposed_pool", "subsequence")]
        runs += [some_run("proposed_pool", kernel=5, dilation=50, skill=0.66)]
    fields = {
        "recipe": "tut2016",
        "size": "full",
        "is_the_result": True,
        "labels": LABELS,
        "networks": NETWORKS,
        "runs": tuple(runs),
        "trivial": {"official": trivial(runs[0])} if runs else {},
        "settings": {"batch size": "16", "patience": "30 epochs", "front end": "40 MFCC, 440/220 at 22 050 Hz"},
        "data": {"sounds": "a stand-in mixed from free sounds <by the same recipe>", "minutes": "340 / 113 / 113"},
        "versions": {"hubbub": "0.1.0", "torch": "2.13.0"},
        "notes": ("The stand-in has 994 clips.",),
    }
    return Results(**(fields | changes))


@pytest.fixture(scope="module")
def results():
    return some_results()


def row(table, name, occurrence=0):
    """The cells of a row by heading; headings may stand twice."""
    cells = [found.cells for found in table.rows if found.name == name][occurrence]
    headings = [heading.replace("-\n", "").replace("\n", " ").strip() for heading in table.headings[1:]]
    return list(zip(headings, cells, strict=True))


def total(run, convention="intended"):
    return sum((c.counts(LABELS) for c in run.counts[convention].values()), Counts.zero(LABELS))


# --- what others have


def test_parameters_are_those_of_the_networks():
    counted = {name: n_parameters(build(N_LABELS)) for name, build in POLYPHONIC.items()}
    assert counted == PARAMETERS
    assert tuple(counted.values()) == PARAMETERS_BY_HAND
    assert list(DESCRIPTIONS) == list(PARAMETERS) == list(NETWORKS)


def test_the_report_prints_the_parameters_that_its_networks_have():
    for network, reported in REPORTED.items():
        assert float(reported.parameters.removesuffix("M")) == pytest.approx(PARAMETERS[network] / 1e6, abs=0.07)
        # Float32 weights with Adam's two moments: "KB" were MB.
        assert reported.file_megabytes == pytest.approx(3 * 4 * PARAMETERS[network] / 1e6, rel=0.13)
    by_f1 = sorted(REPORTED, key=lambda network: -REPORTED[network].f1)
    assert by_f1 == ["dilated", "baseline", "dessed", "proposed_pool", "proposed_conv"]


# --- tables


def test_quality_is_that_of_the_counts_beside_the_report(results):
    table = quality_table(results, "official")
    run = results.of("dilated")[0]
    wanted, coded = total(run), total(run, "as_coded")
    counts = {name: c.counts(LABELS) for name, c in run.counts["intended"].items()}
    found = interval(counts, "micro_f1", np.random.default_rng(0))
    assert found.low < wanted.micro_f1 < found.high
    assert row(table, "dilated") == [
        ("F1", f"{wanted.micro_f1:.3f}"),
        ("95 % interval", f"{found.low:.3f} to {found.high:.3f}"),
        ("F1 report", "0.730"),
        ("error rate", f"{wanted.error_rate:.2f}"),
        ("accuracy", f"{wanted.accuracy:.3f}"),
        ("accuracy report", "0.966"),
        ("loss", f"{run.loss:.3f}"),
        ("loss report", "0.115"),
        ("F1 as coded", f"{coded.micro_f1:.3f}"),
        ("ER as coded", f"{coded.error_rate:.2f}"),
    ]
    assert [found.name for found in table.rows] == [*NETWORKS, "always silent", "always on", "prior"]
    assert dict(row(table, "proposed_strided")) == dict.fromkeys(dict(row(table, "dilated")), "") | {"F1": "not run"}
    assert [dict(row(table, "always silent"))[name] for name in ("F1", "error rate")] == ["0.000", "1.00"]
    assert "F1 0.664, error rate 0.48" in table.notes[-1]


def test_seeds_are_added_up_and_told_apart(results):
    runs = results.of("baseline")
    assert [run.seed for run in runs] == [0, 1, 2]
    pooled_f1 = sum((total(run) for run in runs), Counts.zero(LABELS)).micro_f1
    assert dict(row(quality_table(results, "official"), "baseline"))["F1"] == f"{pooled_f1:.3f}"
    f1 = [total(run).micro_f1 for run in runs]
    assert dict(row(seeds_table(results, "official"), "baseline")) | {"error rate": "", "accuracy": "", "loss": ""} == {
        "seeds": "3",
        "F1": f"{np.mean(f1):.3f} ± {np.std(f1, ddof=1):.3f}",
        "error rate": "",
        "accuracy": "",
        "loss": "",
    }
    assert seeds_table(some_results([some_run("baseline")]), "official") is None


def test_costs_and_exact_parameters(results):
    table = cost_table(results, "official")
    assert [found.cells[0] for found in table.rows] == [
        "3 684 368", "3 702 544", "545 321", "563 497", "493 609", "3 636 752", "497 705",
    ]  # fmt: skip
    assert row(table, "proposed_pool") == [
        ("parameters", "493 609"),
        ("number report", "0.5M"),
        ("file MB", "2.1"),
        ("MB report", "6"),
        ("mult-adds M / s", "166"),
        ("an hour in, s", "8.3"),
        ("training h:mm:ss", "1:32:07"),
        ("report h:mm", "3:26"),
        ("epochs (best)", "92 (72)"),
        ("ended by", "patience"),
    ]
    assert dict(row(table, "dilated"))["ended by"] == "time"
    assert dict(row(table, "proposed_strided"))["training h:mm:ss"] == "not run"
    assert not any("!" in text for found in table.rows for text in found.cells)


def test_other_parameters_than_the_report_are_told():
    other = some_results([some_run("dessed", parameters=545_322)])
    table = cost_table(other, "official")
    assert dict(row(table, "dessed"))["parameters"] == "545 322 !"
    assert "dessed should have 545 321" in table.notes[0]
    # With other labels the dense layer is another.
    fewer = other.model_copy(update={"labels": LABELS[:3]})
    assert dict(row(cost_table(fewer, "official"), "dessed"))["parameters"] == "545 322"
    assert dict(row(cost_table(fewer, "mixture"), "dessed"))["parameters"] == ""


def test_differences_are_paired_and_signed(results):
    table = differences_table(results, "official")
    runs = [results.of(network)[0] for network in ("proposed_conv", "proposed_pool")]
    counts = [{name: c.counts(LABELS) for name, c in run.counts["intended"].items()} for run in runs]
    found = paired_difference(*counts, "micro_f1", np.random.default_rng(0))
    assert found.high < -0.1
    assert row(table, "proposed_conv - proposed_pool") == [
        ("F1 difference", f"{found.value:+.3f} *"),
        ("95 % interval", f"{found.low:+.3f} to {found.high:+.3f}"),
        ("share <= 0", "1.000"),
        ("report", "-0.504"),
        ("what it shows", "the 1×1 convolution"),
    ]
    assert [r.name for r in table.rows] == [
        "dilated - baseline", "dessed - baseline", "proposed_conv - baseline", "proposed_pool - baseline",
        "dilated_strided - baseline", "proposed_conv - dilated", "proposed_conv - proposed_pool",
    ]  # fmt: skip


def test_what_does_not_differ_is_not_marked():
    run = some_run("baseline")
    same = some_results([run, run.model_copy(update={"network": "dilated"})])
    cells = dict(row(differences_table(same, "official"), "dilated - baseline"))
    assert (cells["F1 difference"], cells["95 % interval"]) == ("+0.000  ", "+0.000 to +0.000")
    # Other test recordings cannot be paired: no such row.
    apart = some_results([run, some_run("dilated", n_recordings=19)])
    assert differences_table(apart, "official") is None
    assert differences_table(some_results([run]), "official") is None


def test_splits_side_by_side_name_the_leak(results):
    table = splits_table(results)
    first, second = row(table, "baseline"), row(table, "")
    assert first[0] == ("split", "official") and dict(first)["F1 report"] == "0.716"
    assert second[0] == ("split", "subsequence, leaks")
    difference = float(dict(second)["against the first"].rstrip("* "))
    assert difference == pytest.approx(float(dict(second)["F1"]) - float(dict(first)["F1"]), abs=0.0011)
    assert difference > 0 and dict(second)["compared"] == "apart"
    assert any("leaks, one mixture lies on both sides" in note for note in table.notes)
    official = some_run("dilated")
    mixture = some_run("dilated").model_copy(update={"split": "mixture"})
    assert dict(row(splits_table(some_results([official, mixture])), ""))["compared"] == "paired"
    assert splits_table(some_results([official])) is None


def test_the_main_tables_are_about_the_best_split_there_is():
    assert main_split(some_results([some_run("dilated", "subsequence"), some_run("dilated", "mixture")])) == "mixture"
    leaking = some_results([some_run("dilated", "subsequence")], trivial={})
    assert main_split(leaking) == "subsequence"
    assert "leaks" in all_tables(leaking)[0].title and "leaks" in summary(leaking, "subsequence")[0]


def test_the_grid_has_every_cell(results):
    table = grid_table(results, "official")
    assert [r.name for r in table.rows] == [f"proposed_pool {k}×{k}" for k in (3, 5, 7)]
    cells = [cell for r in table.rows for cell in r.cells]
    assert len(cells) == 12 and cells.count("not run") == 10
    run = next(run for run in results.runs if run.kernel == 5)
    assert dict(row(table, "proposed_pool 5×5"))["dilation 50"].startswith(f"{total(run).micro_f1:.3f} (0.")
    assert dict(row(table, "proposed_pool 3×3"))["dilation 10"] != "not run"
    assert grid_table(some_results([some_run("dilated")]), "official") is None


def test_a_summary_says_the_order_and_what_the_report_has(results):
    text = " ".join(summary(results, "official"))
    assert "6 of 7 networks were run and tested on 20 recordings with 16 labels" in text
    assert "dilated has the highest F1" in text and "the report has 0.730" in text and "(always on)" in text
    assert "dilated > baseline > dessed > proposed_pool > proposed_conv; the same in the report" in text
    upside_down = some_results([some_run("proposed_conv", skill=0.9), some_run("dessed")])
    assert "proposed_conv > dessed; in the report dessed > proposed_conv." in summary(upside_down, "official")[-1]
    assert summary(some_results([]), "official") == ("No network was run yet.",)


def test_a_quick_look_is_called_one_everywhere(results):
    quick = some_results(is_the_result=False, size="quick")
    tables = all_tables(quick)
    assert len(tables) == 6
    assert all(table.title.startswith("A quick look, not the result: ") for table in tables)
    assert summary(quick, "official")[0].startswith("A quick look, not the result")
    assert "not the result" in facts(quick)["size"]
    assert not any("quick look" in text for text in (*(t.title for t in all_tables(results)), *facts(results).values()))


def test_the_calls_that_repeat_it(results):
    first = ["hubbub reproduce tut2016 DATA --size full --split official --grid"]
    assert commands(results) == [*first, "hubbub reproduce tut2016 DATA --size full --split subsequence"]
    seeds = some_results([some_run("dilated")], options=("--size", "reduced", "--seeds", "2"))
    assert commands(seeds) == ["hubbub reproduce tut2016 DATA --size reduced --seeds 2 --split official"]
    assert commands(some_results([])) == []


def test_one_recording_has_no_interval():
    alone = some_results([some_run("baseline", n_recordings=1), some_run("dilated", n_recordings=1)])
    assert dict(row(quality_table(alone, "official"), "baseline"))["95 % interval"] == ""
    assert differences_table(alone, "official") is None
    assert "0." in render(alone)


# --- terminal and Markdown


def printed(results, width=None, encoding="utf-8", terminal=False):
    binary = io.BytesIO()
    file = io.TextIOWrapper(binary, encoding=encoding)
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    print_results(results, console)
    file.flush()
    return binary.getvalue().decode(encoding).splitlines()


def test_a_pipe_gets_whole_lines(results):
    every = [some_run(network, split, kernel=kernel) for network in NETWORKS for split, kernel in (
        ("official", 3), ("subsequence", 3), ("official", 7)
    )]  # fmt: skip
    for lines in (
        printed(some_results(every)),
        printed(some_results(every), width=80),
        printed(some_results(every), 300),
    ):
        assert max(map(len, lines)) <= 100
        assert not any("…" in line for line in lines)
        for network in NETWORKS:
            assert sum(line.startswith(f"{network} ") for line in lines) >= 3, network
        assert any(re.match(r"proposed_strided - dilated_strided +[+-]0\.\d{3}.*stride\)$", line) for line in lines)
    assert max(map(len, printed(results, width=80, terminal=True))) <= 80


def test_an_ascii_terminal_gets_ascii(results):
    assert any("3x3" in line for line in printed(results, encoding="ascii"))
    assert any("+-" in line for line in printed(results, encoding="ascii"))


def test_markdown_tables_are_whole(results):
    text = results_markdown(results)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == len(all_tables(results)) == 6
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block}) == 1
        assert set(block[1]) <= set("| -:")
    assert "| baseline | 0." in text and "| mult-adds M / s |" in text and "| accuracy |" in text
    assert "mixed from free sounds \\<by the same recipe>" in text and text.endswith("\n")
    assert text == results_markdown(some_results())


# --- figures and page


def test_curves_are_the_runs_own(results):
    run = results.of("dilated")[0]
    axes = network_curves(run, "loss").axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["training"].get_ydata()) == [r.train_loss for r in run.curves]
    assert list(lines["validation"].get_ydata()) == [r.validation_loss for r in run.curves]
    kept = next(line for label, line in lines.items() if label.startswith("kept: epoch 33"))
    assert (list(kept.get_xdata()), list(kept.get_ydata())) == ([33], [run.curves[33].validation_loss])
    both = compared_curves([run, results.of("dessed")[0]], "accuracy").axes[0]
    assert [line.get_label() for line in both.lines] == ["dilated", "dessed"]
    assert list(both.lines[0].get_ydata()) == [r.validation_accuracy for r in run.curves]


def test_points_stand_at_cost_and_f1_and_names_apart(results):
    networks = [Drawn(run, Score.of(pooled([run], LABELS), LABELS)) for run in results.runs[:6]]
    axes = cost_figure(networks).axes[0]
    points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"}
    assert points == {(d.run.multiply_adds_per_second, d.score.total.micro_f1) for d in networks}
    assert [text.get_text() for text in axes.texts] == [d.name for d in networks]


@pytest.mark.parametrize("skill", [0.02, 0.5, 0.98])
def test_names_of_points_on_one_spot_stand_apart(skill):
    run = some_run("dilated", skill=skill)
    runs = [run.model_copy(update={"network": network}) for network in NETWORKS]
    axes = cost_figure([Drawn(run, Score.of(pooled([run], LABELS), LABELS)) for run in runs]).axes[0]
    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert len(heights) == 7 and min(np.diff(heights)) > 0.06 * axes.get_ylim()[1]
    assert heights[0] > 0 and heights[-1] <= axes.get_ylim()[1]


def test_labels_are_sorted_by_how_well_they_are_detected(results):
    networks = [Drawn(run, Score.of(pooled([run], LABELS), LABELS)) for run in results.runs[:3]]
    axes = label_figure(networks, trivial_scores(results, "official")).axes[0]
    f1 = np.array([d.score.total.f1_by_label for d in networks])
    names = [text.get_text().replace(" ", "_") for text in axes.get_yticklabels()]
    assert names == [LABELS[index] for index in np.argsort(f1.mean(0))] != list(LABELS)
    for line, values in zip(axes.lines, f1, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [values[LABELS.index(name)] for name in names])


@pytest.fixture(scope="module")
def page(tmp_path_factory, results):
    path = tmp_path_factory.mktemp("page") / "results.html"
    write_results_page(path, results)
    return path


def test_a_page_shows_every_table_figure_and_fact(page, results):
    found, text = seen(page), page.read_text("utf-8")
    assert len(found.all("table")) == len(all_tables(results)) == 6
    for table in all_tables(results):
        assert table.title in found.texts
        assert all(cell in found.texts for r in table.rows for cell in r.cells if cell)
    assert len(found.all("div", "bar-row network")) == 7 and len(found.all("div", "bar-row trivial")) == 3
    assert len(found.all("details")) == 2 + 6  # together, the proposed ones, and each that was run
    assert len(found.all("svg")) == 2 + 2 * 8
    assert all(value in found.texts for value in facts(results).values())
    assert "hubbub reproduce tut2016 DATA --size full --split official --grid" in text
    assert "quick look" not in text


def test_a_page_fetches_nothing_and_runs_nothing(page):
    found, text = seen(page), page.read_text("utf-8")
    assert "http://" not in text and "https://" not in text and "@import" not in text
    assert not re.search(r"url\((?!#)", text) and not found.all("script") and not found.all("link")
    assert [a for _, a in found.tags for key in ("src", "href") if not str(a.get(key, "#")).startswith("#")] == []
    policy = next(str(meta["content"]) for meta in found.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'") and "script" not in policy


def test_words_on_a_page_are_words(tmp_path):
    bad = '<script>alert("x")</script>'
    labels = (bad, *LABELS[1:])
    runs = [some_run("baseline")]
    results = some_results(
        runs, recipe=bad, notes=(bad,), data={bad: bad}, labels=labels, settings={bad: "{{ 7 * 7 }}"}
    )
    write_results_page(tmp_path / "page.html", results)
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "<script" not in text and "{{ 7 * 7 }}" in text
    assert bad in seen(tmp_path / "page.html").texts


def test_the_smallest_and_the_quick_page(tmp_path):
    write_results_page(tmp_path / "none.html", some_results([]))
    assert "No network was run yet." in seen(tmp_path / "none.html").texts
    quick = some_results([some_run("baseline", n_recordings=2)], is_the_result=False)
    write_results_page(tmp_path / "quick.html", quick)
    found = seen(tmp_path / "quick.html")
    assert found.all("p", "quick") and "A quick look, not the result: frame F1" in found.texts
    with pytest.raises(HubbubError, match="cannot be written"):
        write_results_page(tmp_path / "no" / "page.html", quick)


def test_results_are_read_as_they_were_written(tmp_path, results):
    results.write(tmp_path / "results.json")
    assert results_markdown(read_results(tmp_path / "results.json")) == results_markdown(results)
