"""The monophonic tables, ours beside the report's, as plain texts: both protocols in each, and never one for the other.

A network is trained and tested by a random split, as in the report, and by folds. What was not run says so.
"""

from collections.abc import Sequence
from statistics import fmean

from hubbub.datasets.urbansound8k_protocols import FOLDS, PROTOCOLS, RANDOM, Protocol
from hubbub.metrics import Counts, Interval
from hubbub.metrics.bootstrap import N_RESAMPLES
from hubbub.reproduce.monophonic.reported import N_LABELS, PARAMETERS, PUBLISHED, REPORTED
from hubbub.reproduce.monophonic.results import ClipResults, ClipRun
from hubbub.reproduce.monophonic.scores import (
    OverFolds,
    folds_run,
    leak_of,
    loss_of,
    network_score,
    over_folds,
    trivial_over_folds,
    trivial_score,
    trivial_systems,
)
from hubbub.reproduce.scores import Score
from hubbub.reproduce.table import NOT_RUN, Row, Table, grouped, hours, titled

UNTESTED = "untested"
"""A label that no tested slice has: its F1 would be 0 for want of slices."""
FINE = 100
"""Below it a number of millions, or of milliseconds, has a decimal."""


def quality_table(results: ClipResults) -> Table:
    """Accuracy and loss by the random split and by the folds, side by side, beside the report's."""
    rows = [_quality_row(results, network) for network in results.networks]
    for system in trivial_systems(results):
        by_random, by_folds = (trivial_score(results, system, protocol.name) for protocol in PROTOCOLS)
        found = _accuracies(results, by_random, by_folds, trivial_over_folds(results, system))
        cells = (*found[:2], "", *found[2:5], "", found[5], "", "")
        rows.append(Row(system.replace("_", " "), cells, "trivial"))
    return Table(
        titled(results, f"Accuracy: {RANDOM.title} | {FOLDS.title}"),
        (
            "network",
            "random\n(leaks)",
            "interval\nrandom",
            "loss\nrandom",
            "folds, mean\n± spread",
            "folds\nrun",
            "interval\nfolds",
            "loss\nfolds",
            "\ngap",
            "\nreport",
            "loss\nreport",
        ),
        tuple(rows),
        _quality_notes(results),
    )


def cost_table(results: ClipResults) -> Table:
    """What each network costs to keep and to run."""
    rows = []
    for network in results.networks:
        runs = [run for run in results.runs if run.network == network]
        if runs:
            first = runs[0]
            cells = (
                grouped(first.parameters) + (" !" if _unexpected(results, first) else ""),
                f"{first.file_bytes / 1e6:.2f}",
                _figure(first.multiply_adds / 1e6),
                _figure(fmean(run.detect_milliseconds for run in runs)),
            )
            rows.append(Row(network, cells))
        else:
            known = grouped(PARAMETERS[network]) if network in PARAMETERS and len(results.labels) == N_LABELS else ""
            rows.append(Row(network, (known, NOT_RUN, "", ""), "missing"))
    counted = ", ".join(f"{name} {grouped(n)}" for name, n in PARAMETERS.items())
    notes = [
        f"Parameters are exact. As the report describes them the networks have, for {N_LABELS} labels: {counted}.",
        "File: the detector, front end included. Multiply-adds: millions for a clip of four seconds, front end apart. "
        "Milliseconds: to label such a clip, front end included.",
        *_hardware(results),
    ]
    other = dict.fromkeys(run.network for run in results.runs if _unexpected(results, run))
    if other:
        wanted = ", ".join(f"{name} should have {grouped(PARAMETERS[name])}" for name in other)
        notes.insert(0, f"! not the report's number of parameters: {wanted}.")
    headings = ("network", "parameters", "file, MB", "mult-adds, M / clip", "ms / clip")
    return Table(titled(results, "Cost"), headings, tuple(rows), tuple(notes))


def training_table(results: ClipResults) -> Table:
    """How long each network was trained, by protocol, beside the report's."""
    rows = []
    for network in results.networks:
        for protocol in PROTOCOLS:
            name = network if protocol is PROTOCOLS[0] else ""
            reported = REPORTED.get(network) if protocol is RANDOM else None
            report = ("", "") if reported is None else (reported.train_time, str(reported.epochs))
            runs = results.of(network, protocol.name)
            if runs:
                seconds = [run.train_seconds for run in runs]
                epochs = f"{fmean(run.epochs for run in runs):.0f} ({fmean(run.best_epoch for run in runs):.0f})"
                cells = (str(len(runs)), hours(sum(seconds)), hours(fmean(seconds)), report[0], epochs, report[1])
                rows.append(Row(name, (protocol.name, *cells, _ended(runs))))
            else:
                cells = (NOT_RUN, "", "", report[0], "", report[1])
                rows.append(Row(name, (protocol.name, *cells, ""), "missing"))
    headings = (
        "network",
        "\nsplit",
        "\nruns",
        "all runs\nh:mm:ss",
        "a run\nh:mm:ss",
        "report\nh:mm",
        "epochs a run\n(best)",
        "epochs\nreport",
        "\nended by",
    )
    notes = (
        "Epochs: the mean over runs; the best is the one whose weights are kept. Training ended by patience, as the "
        "report's did, or was cut short by epochs or time.",
        *_hardware(results),
    )
    return Table(titled(results, "Training"), headings, tuple(rows), notes)


def labels_table(results: ClipResults, protocol: Protocol) -> Table:
    """F1 by label for every network by one protocol; the report's beside it where it has such a label."""
    scores = [network_score(results, network, protocol.name) for network in results.networks]
    baseline = next((name for name, reported in REPORTED.items() if reported.f1), "")
    theirs = (REPORTED[baseline].f1 or {}) if baseline in results.networks else {}
    shown = any(label in theirs for label in results.labels)
    rows = []
    for index, label in enumerate(results.labels):
        cells = [NOT_RUN if score is None else _f1_of(score.total, index) for score in scores]
        rows.append(Row(label, (*cells, *([f"{theirs[label]:.3f}" if label in theirs else ""] if shown else []))))
    means = [NOT_RUN if score is None else _mean_f1(score.total) for score in scores]
    whole = [f"{fmean(theirs[label] for label in results.labels):.3f}"] if set(results.labels) <= set(theirs) else [""]
    rows.append(Row("their mean", (*means, *(whole if shown else [])), "trivial"))
    headings = (
        "label",
        *(f"\n{network}" for network in results.networks),
        *([f"report,\n{baseline}"] if shown else []),
    )
    notes = ("All slices of all runs. The report's figures are by a random split.",) if shown else ("All slices.",)
    return Table(titled(results, f"F1 by label: {protocol.title}"), headings, tuple(rows), notes)


def folds_table(results: ClipResults) -> Table:
    """Accuracy by test fold."""
    networks = [over_folds(results, network) for network in results.networks]
    rows = []
    for fold in results.folds:
        cells = [f"{found.by_fold[fold]:.3f}" if fold in found.by_fold else NOT_RUN for found in networks]
        rows.append(Row(f"fold {fold}", tuple(cells), "missing" if set(cells) == {NOT_RUN} else ""))
    rows.append(Row("mean ± spread", tuple(with_spread(found) or NOT_RUN for found in networks), "trivial"))
    notes = (f"{FOLDS.title.capitalize()}: {FOLDS.explained}. Several seeds of a fold are added up.",)
    return Table(titled(results, "Accuracy by test fold"), ("tested on", *results.networks), tuple(rows), notes)


def with_spread(found: OverFolds) -> str:
    """`0.702 ± 0.051`; without the spread for one fold, nothing for none."""
    if not found.by_fold:
        return ""
    return f"{found.mean:.3f}" + ("" if found.spread is None else f" ± {found.spread:.3f}")


def _quality_row(results: ClipResults, network: str) -> Row:
    reported = REPORTED.get(network)
    report = ("", "") if reported is None else (f"{reported.accuracy:.3f}", f"{reported.loss:.3f}")
    by_random, by_folds = (network_score(results, network, protocol.name) for protocol in PROTOCOLS)
    found = _accuracies(results, by_random, by_folds, over_folds(results, network))
    random, between, folds, n_folds, over, gap = found
    losses = [f"{loss_of(runs):.3f}" if (runs := results.of(network, protocol.name)) else "" for protocol in PROTOCOLS]
    cells = (random or NOT_RUN, between, losses[0], folds or NOT_RUN, n_folds, over, losses[1], gap, *report)
    return Row(network, cells, "" if by_random or by_folds else "missing")


def _accuracies(
    results: ClipResults, by_random: Score | None, by_folds: Score | None, over: OverFolds
) -> tuple[str, str, str, str, str, str]:
    """Random and its interval, the folds' mean, how many folds, their interval, and the gap; nothing where not run."""
    random, between = (f"{by_random.total.micro_f1:.3f}", _bounds(by_random.f1)) if by_random else ("", "")
    n_folds = f"{len(over.by_fold)}/{len(results.folds)}" if by_folds else ""
    gap = f"{by_random.total.micro_f1 - over.mean:+.3f}" if by_random and over.by_fold else ""
    return random, between, with_spread(over), n_folds, _bounds(by_folds.f1) if by_folds else "", gap


def _quality_notes(results: ClipResults) -> tuple[str, ...]:
    leak = leak_of(results, "random")
    known = "" if leak is None else f"; {100 * leak:.0f} % of the slices tested share a recording with training"
    published = ", ".join(f"{name} {value:.3f}" for name, value in PUBLISHED)
    seeds = sorted({run.seed for run in results.runs})
    notes = [
        f"Random split: {RANDOM.explained}{known}. It says little about recordings never heard.",
        f"Folds: {FOLDS.explained}. The mean is over the folds that were run, the spread their standard deviation. "
        "Gap: random less the mean of the folds.",
        f"Interval: 95 %, bootstrap over recordings, {grouped(N_RESAMPLES)} resamples, the slices of all folds pooled. "
        "It says how much the choice of recordings matters, not what another seed would give. "
        + (f"Seeds: {', '.join(map(str, seeds))}" + ("; their slices are added up." if len(seeds) > 1 else ".")),
        f"Published for one and the same network: {published}. The report's figures are by a random split.",
    ]
    kept_apart = leak_of(results, "folds")
    if kept_apart:
        notes.insert(0, f"! the folds leak: {100 * kept_apart:.1f} % of the slices tested share a recording.")
    missing = [network for network in results.networks if 0 < len(folds_run(results, network)) < len(results.folds)]
    if missing:
        notes.insert(0, f"Not all folds were run of {', '.join(missing)}: a mean is over those that were, see by fold.")
    return tuple(notes)


def _bounds(found: Interval | None) -> str:
    # Narrower than in words: both protocols are to stand in a hundred columns.
    return "" if found is None else f"{found.low:.3f}-{found.high:.3f}"


def _f1_of(total: Counts, index: int) -> str:
    return f"{total.f1_by_label[index]:.3f}" if total.n_reference[index] else UNTESTED


def _mean_f1(total: Counts) -> str:
    tested = [f1 for f1, n in zip(total.f1_by_label, total.n_reference, strict=True) if n]
    return f"{fmean(tested):.3f}" if tested else UNTESTED


def _figure(value: float) -> str:
    return grouped(round(value)) if value >= FINE else f"{value:.1f}"


def _ended(runs: Sequence[ClipRun]) -> str:
    """`patience`, or `patience 8, time 2`."""
    reasons = [run.ended for run in runs]
    if len(set(reasons)) == 1:
        return reasons[0]
    return ", ".join(f"{reason} {reasons.count(reason)}" for reason in dict.fromkeys(reasons))


def _hardware(results: ClipResults) -> list[str]:
    found = sorted({f"{run.hardware}, {run.precision}" for run in results.runs})
    return [f"Ours ran on {'; '.join(found)}."] if found else []


def _unexpected(results: ClipResults, run: ClipRun) -> bool:
    """Whether a network has other parameters than the report's; other labels make another output layer."""
    return len(results.labels) == N_LABELS and PARAMETERS.get(run.network, run.parameters) != run.parameters
