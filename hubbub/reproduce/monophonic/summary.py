"""The few sentences that a reader of the monophonic results wants first."""

from collections.abc import Iterator

from hubbub.datasets.urbansound8k_protocols import FOLDS, RANDOM
from hubbub.metrics import Difference
from hubbub.reproduce.comparisons import signed, span
from hubbub.reproduce.monophonic.reported import NEAR, REPORTED
from hubbub.reproduce.monophonic.results import ClipResults
from hubbub.reproduce.monophonic.scores import (
    Judged,
    folds_run,
    judged_leak,
    judged_on_folds,
    leak_of,
    network_score,
    over_folds,
    trivial_over_folds,
    trivial_systems,
)
from hubbub.reproduce.monophonic.table import with_spread
from hubbub.reproduce.table import QUICK_LOOK, grouped

BASELINE, REPAIRED, OURS = "mono_baseline", "mono_repaired", "hub_clip"


def clip_summary(results: ClipResults) -> tuple[str, ...]:
    """What was run, the best network on the folds, what the leak is worth, and the two questions."""
    sentences = []
    if not results.is_the_result:
        sentences.append(f"{QUICK_LOOK}: too little training to say anything about the networks.")
    if not results.runs:
        return (*sentences, "No network was run yet.")
    return (*sentences, _what(results), *_best(results), *_leak(results), *_ours(results), *_repaired(results))


def _what(results: ClipResults) -> str:
    by_random = [network for network in results.networks if results.of(network, "random")]
    by_folds = [network for network in results.networks if results.of(network, "folds")]
    folds = sorted({run.fold for run in results.runs if run.protocol == "folds"})
    run = len(set(by_random) | set(by_folds))
    some = f" ({len(folds)} of {len(results.folds)} folds)" if folds else ""
    return (
        f"{run} of {len(results.networks)} networks were run on clips of {len(results.labels)} labels: "
        f"{len(by_random)} by the split {RANDOM.title}, {len(by_folds)} by the {FOLDS.title}{some}."
    )


def _best(results: ClipResults) -> Iterator[str]:
    scores = {network: over_folds(results, network) for network in results.networks}
    scores = {network: found for network, found in scores.items() if found.by_fold}
    if scores:
        best = max(scores, key=lambda network: scores[network].mean)
        figures = [f"On the folds {best} has the highest accuracy, {with_spread(scores[best])}"]
        n = len(scores[best].by_fold)
        figures[0] += f" (mean ± spread over {n} folds)" if n > 1 else " (one fold)"
        for system in trivial_systems(results):
            trivial = trivial_over_folds(results, system)
            if trivial.by_fold:
                figures.append(f"and always answering the most frequent label gets {trivial.mean:.3f}")
        yield ", ".join(figures) + "."
        if len({tuple(found.by_fold) for found in scores.values()}) > 1:
            yield "Not all networks were run on the same folds: their means are over different ones."
    by_random = {
        network: score.total.micro_f1
        for network in results.networks
        if (score := network_score(results, network, "random"))
    }
    if BASELINE in by_random:
        theirs = REPORTED[BASELINE].accuracy
        yield f"By the random split {BASELINE} has {by_random[BASELINE]:.3f}, where the report has {theirs:.3f}."


def _leak(results: ClipResults) -> Iterator[str]:
    judged = {network: found for network in results.networks if (found := judged_leak(results, network))}
    if judged:
        network = BASELINE if BASELINE in judged else next(iter(judged))
        found = judged[network]
        part = leak_of(results, "random")
        leak = f": {100 * part:.0f} % of the slices that it tests share a recording with training" if part else ""
        yield (
            f"The random split leaks{leak}. The gap between it and the folds: {network} has {found.first:.3f} by the "
            f"one and {found.second:.3f} by the other, all slices pooled, {signed(found.value)}"
            f"{_between(found.difference)}."
        )


def _ours(results: ClipResults) -> Iterator[str]:
    found = _judged(results, OURS)
    if found is None:
        return
    ours, theirs = (
        next(run.parameters for run in results.runs if run.network == network) for network in (OURS, BASELINE)
    )
    size = f"{100 * ours / theirs:.2g} % of its parameters ({grouped(ours)} of {grouped(theirs)})"
    if found.difference is None or not found.difference.excludes_zero:
        said = "cannot be told from the baseline, neither better nor worse"
    else:
        said = "beats the baseline" if found.value > 0 else "does not beat the baseline: it is worse"
    yield (
        f"Our own network, {OURS}, {said}, with {size}: accuracy {signed(found.value)}{_between(found.difference)}"
        f"{_on(results, OURS)}."
    )


def _repaired(results: ClipResults) -> Iterator[str]:
    found = _judged(results, REPAIRED)
    if found is None:
        return
    answer = "yes" if found.value >= -NEAR else "no"
    sure = ""
    if found.difference is not None:
        settled = found.difference.low >= -NEAR or found.difference.high < -NEAR
        sure = "" if settled else "; the interval does not settle it"
    yield (
        f"Is the repaired network within {100 * NEAR:.0f} points of the baseline? {answer.capitalize()}: accuracy "
        f"{signed(found.value)}{_between(found.difference)}{_on(results, REPAIRED)}{sure}."
    )


def _judged(results: ClipResults, network: str) -> Judged | None:
    return judged_on_folds(results, network, BASELINE) if {network, BASELINE} <= set(results.networks) else None


def _on(results: ClipResults, network: str) -> str:
    return f" on {len(folds_run(results, network, BASELINE))} of {len(results.folds)} folds"


def _between(found: Difference | None) -> str:
    return "" if found is None else f" (95 % interval {span(found)})"
