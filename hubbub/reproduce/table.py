"""The report's tables, ours beside its own, as plain texts: the same on a terminal, on a page and in Markdown."""

from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal, Protocol

from hubbub.metrics import Interval
from hubbub.reproduce.reported import N_LABELS, PARAMETERS, PUBLISHED, REPORTED
from hubbub.reproduce.results import NAMES, Results, Run, SplitName
from hubbub.reproduce.scores import Score, pooled, trivial_scores

NOT_RUN = "not run"
QUICK_LOOK = "A quick look, not the result"
REPORT_SHAPE = (3, 10)
"""Kernel and dilation that the report's table has."""


@dataclass(frozen=True)
class Row:
    """One line: what it is about, then a text for each further column, empty where there is nothing to say."""

    name: str
    cells: tuple[str, ...]
    kind: Literal["", "missing", "trivial"] = ""


@dataclass(frozen=True)
class Table:
    """A table as texts. A heading of two lines holds a line break; `notes` are sentences to stand below."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def holds_words(self, column: int) -> bool:
        """Whether a column, counted from 0 with the name, is to stand at the left as words do, not as figures."""
        if column == 0:
            return True
        said = {row.cells[column - 1] for row in self.rows} - {"", NOT_RUN}
        return bool(said) and not any(text.startswith(("+", "-", *"0123456789")) for text in said)


class Judged(Protocol):
    """Results that know whether they say anything about the networks."""

    @property
    def is_the_result(self) -> bool: ...


def titled(results: Judged, title: str) -> str:
    """`title`, said to be of a quick look where it is no result."""
    return title if results.is_the_result else f"{QUICK_LOOK}: {title}"


def quality_table(results: Results, split: SplitName) -> Table:
    """How well each network detects, frame by frame, beside the report's figures and the systems that do not listen."""
    rows = [_quality_row(results, network, split) for network in results.networks]
    for system, score in trivial_scores(results, split).items():
        f1, interval, error_rate, accuracy = _scored(score)
        cells = (f1, interval, "", error_rate, accuracy, "", "", "", "", "")
        rows.append(Row(system.replace("_", " "), cells, "trivial"))
    published = "; ".join(f"{p.system} F1 {p.f1:.3f}, error rate {p.error_rate:.2f}" for p in PUBLISHED)
    return Table(
        titled(results, f"Quality, split: {NAMES[split]}"),
        (
            "network",
            "\nF1",
            "95 %\ninterval",
            "F1\nreport",
            "error\nrate",
            "accu-\nracy",
            "accuracy\nreport",
            "\nloss",
            "loss\nreport",
            "F1 as\ncoded",
            "ER as\ncoded",
        ),
        tuple(rows),
        (
            "F1 and error rate: micro average over all frames and labels. The interval says how much the choice of "
            "test recordings matters (bootstrap over recordings), not what another seed would give.",
            "As coded: the paper's code calls a frame active from a probability of 0.62 on and drops the last batch.",
            "The report scored a split of its own that it does not describe. Published for TUT-SED Synthetic 2016 on "
            f"its own split: {published}.",
        ),
    )


def cost_table(results: Results, split: SplitName) -> Table:
    """What each network costs to keep, to run and to train, beside the report's figures."""
    rows = tuple(_cost_row(results, network, split) for network in results.networks)
    runs = [run for network in results.networks for run in results.of(network, split)]
    hardware = sorted({f"{run.hardware}, {run.precision}" for run in runs})
    other = [network for network in results.networks for run in results.of(network, split) if _unexpected(results, run)]
    notes = [
        "Parameters are exact; the report rounds its own. File: our detector, front end included; the report's holds "
        "Adam's moments too. Multiply-adds: millions for a second of audio, front end apart.",
        "Training ended by patience, as the report's did, or was cut short by epochs or time. Several seeds: means.",
    ]
    if hardware:
        notes.append(f"Ours ran on {'; '.join(hardware)}.")
    if other:
        names = ", ".join(f"{name} should have {grouped(PARAMETERS[name])}" for name in dict.fromkeys(other))
        notes.insert(0, f"! not the report's number of parameters: {names}.")
    return Table(
        titled(results, "Cost"),
        (
            "network",
            "\nparameters",
            "number\nreport",
            "file\nMB",
            "MB\nreport",
            "mult-adds\nM / s",
            "an hour\nin, s",
            "training\nh:mm:ss",
            "report\nh:mm",
            "epochs\n(best)",
            "ended\nby",
        ),
        rows,
        tuple(notes),
    )


def seeds_table(results: Results, split: SplitName) -> Table | None:
    """Mean and standard deviation over seeds; None where no network was trained with more than one."""
    rows = []
    for network in results.networks:
        runs = results.of(network, split)
        if len(runs) > 1:
            scores = [Score.of(pooled([run], results.labels), results.labels).total for run in runs]
            figures = (
                [score.micro_f1 for score in scores],
                [score.error_rate for score in scores],
                [score.accuracy for score in scores],
                [run.loss for run in runs],
            )
            rows.append(Row(network, (str(len(runs)), *(f"{fmean(x):.3f} ± {stdev(x):.3f}" for x in figures))))
    if not rows:
        return None
    headings = ("network", "seeds", "F1", "error rate", "accuracy", "loss")
    return Table(
        titled(results, "Over seeds"),
        headings,
        tuple(rows),
        ("Mean ± standard deviation over training seeds; in the other tables the counts of all seeds are added up.",),
    )


def summary(results: Results, split: SplitName) -> tuple[str, ...]:
    """The few sentences that a reader wants first."""
    scores = {
        network: Score.of(pooled(runs, results.labels), results.labels)
        for network in results.networks
        if (runs := results.of(network, split))
    }
    sentences = []
    if not results.is_the_result:
        sentences.append(f"{QUICK_LOOK}: too little training to say anything about the networks.")
    if not scores:
        return (*sentences, "No network was run yet.")
    n_recordings = len(pooled(results.of(next(iter(scores)), split), results.labels))
    sentences.append(
        f"{len(scores)} of {len(results.networks)} networks were run and tested on {n_recordings} recordings with "
        f"{len(results.labels)} labels; split: {NAMES[split]}."
    )
    best = max(scores, key=lambda network: scores[network].total.micro_f1)
    figures = [f"{best} has the highest F1, {scores[best].total.micro_f1:.3f}"]
    if best in REPORTED:
        figures.append(f"where the report has {REPORTED[best].f1:.3f}")
    trivial = {system: score.total.micro_f1 for system, score in trivial_scores(results, split).items()}
    if trivial:
        top = max(trivial, key=lambda system: trivial[system])
        figures.append(f"and not listening at all gets {trivial[top]:.3f} ({top.replace('_', ' ')})")
    sentences.append(", ".join(figures) + ".")
    both = [network for network in scores if network in REPORTED]
    if len(both) > 1:
        ours = sorted(both, key=lambda network: -scores[network].total.micro_f1)
        theirs = sorted(both, key=lambda network: -REPORTED[network].f1)
        same = "the same in the report" if ours == theirs else f"in the report {' > '.join(theirs)}"
        sentences.append(f"Order by F1: {' > '.join(ours)}; {same}.")
    return tuple(sentences)


def bounds(found: Interval | None) -> str:
    """`0.702 to 0.731`, or nothing where no interval could be had."""
    return "" if found is None else f"{found.low:.3f} to {found.high:.3f}"


def grouped(number: int) -> str:
    """`3 684 368`."""
    return f"{number:,}".replace(",", " ")


def hours(seconds: float) -> str:
    """`h:mm:ss`."""
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def _quality_row(results: Results, network: str, split: SplitName) -> Row:
    reported = REPORTED.get(network)
    report = (
        ("", "", "") if reported is None else (f"{reported.f1:.3f}", f"{reported.accuracy:.3f}", f"{reported.loss:.3f}")
    )
    runs = results.of(network, split)
    if not runs:
        return Row(network, (NOT_RUN, "", report[0], "", "", report[1], "", report[2], "", ""), "missing")
    f1, interval, error_rate, accuracy = _scored(Score.of(pooled(runs, results.labels), results.labels))
    as_coded = Score.of(pooled(runs, results.labels, "as_coded"), results.labels).total
    coded = (f"{as_coded.micro_f1:.3f}", f"{as_coded.error_rate:.2f}") if as_coded.n_slots else ("", "")
    loss = f"{fmean(run.loss for run in runs):.3f}"
    return Row(network, (f1, interval, report[0], error_rate, accuracy, report[1], loss, report[2], *coded))


def _scored(score: Score) -> tuple[str, str, str, str]:
    total = score.total
    return f"{total.micro_f1:.3f}", bounds(score.f1), f"{total.error_rate:.2f}", f"{total.accuracy:.3f}"


def _cost_row(results: Results, network: str, split: SplitName) -> Row:
    reported = REPORTED.get(network)
    report = ("", "", "")
    if reported is not None:
        report = (reported.parameters, f"{reported.file_megabytes:g}", reported.train_time)
    runs = results.of(network, split)
    if not runs:
        known = grouped(PARAMETERS[network]) if network in PARAMETERS and len(results.labels) == N_LABELS else ""
        return Row(network, (known, report[0], "", report[1], "", "", NOT_RUN, report[2], "", ""), "missing")
    first = runs[0]
    parameters = grouped(first.parameters) + (" !" if _unexpected(results, first) else "")
    return Row(
        network,
        (
            parameters,
            report[0],
            f"{first.file_bytes / 1e6:.1f}",
            report[1],
            f"{first.multiply_adds_per_second / 1e6:.0f}",
            f"{fmean(run.detect_seconds_per_hour for run in runs):.1f}",
            hours(fmean(run.train_seconds for run in runs)),
            report[2],
            f"{fmean(run.epochs for run in runs):.0f} ({fmean(run.best_epoch for run in runs):.0f})",
            runs[0].ended if len({run.ended for run in runs}) == 1 else "mixed",
        ),
    )


def _unexpected(results: Results, run: Run) -> bool:
    """Whether a network has other parameters than the report's; other labels or kernels make another network."""
    comparable = len(results.labels) == N_LABELS and (run.kernel, run.dilation) == REPORT_SHAPE
    return comparable and PARAMETERS.get(run.network, run.parameters) != run.parameters
