"""What a terminal shows of an inspected data set: rich tables of 80 columns, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hubbub.datasets.inspection import Inspection
from hubbub.datasets.statistics import Histogram, Polyphony
from hubbub.report.terminal import LONGEST_LABEL, colour, printable, shorten
from hubbub.report.timeaxis import clock

MOST_PROBLEMS = 10
"""Of one kind on a terminal; more of them fill the screen, and are in the JSON and on the page."""
BAR = 30
"""Columns of the longest bar."""
CHANNELS = {1: "mono", 2: "stereo"}


def inspection_tables(inspection: Inspection) -> Group:
    """What is in the data set."""
    return Group(*_parts(inspection))


def problem_lines(inspection: Inspection) -> list[Text]:
    """What is wrong with it, a line each; but not what cannot be read, which is an error and stands elsewhere."""
    lines = []
    for kind, texts in inspection.problems.items():
        if kind == "not readable":
            continue
        lines += [Text(), Text(f"{kind} ({len(texts)})", style="bold yellow")]
        lines += [Text(f"  {printable(text)}") for text in texts[:MOST_PROBLEMS]]
        if len(texts) > MOST_PROBLEMS:
            lines.append(Text(f"  and {len(texts) - MOST_PROBLEMS} more; --json and --page have them all", style="dim"))
    return lines


def summary(inspection: Inspection) -> str:
    """One sentence: how much there is of what."""
    n_labels = sum(fact.n_events > 0 for fact in inspection.labels)
    events = "" if inspection.counted == "clips" else f", with {inspection.n_events} events"
    return (
        f"{inspection.n_recordings} {'clips' if inspection.counted == 'clips' else 'recordings'}, "
        f"{length(inspection.seconds)}{events} of {n_labels} label{'s' * (n_labels != 1)}"
    )


def sound_facts(inspection: Inspection) -> dict[str, str]:
    """Sampling rates, kinds of sample and channels, with the number of recordings where there are several."""
    rates = {f"{rate / 1000:g} kHz": number for rate, number in inspection.sample_rates.items()}
    channels = {CHANNELS.get(n, f"{n} channels"): number for n, number in inspection.channels.items()}
    named = {"sampling rate": rates, "samples": depths(inspection), "channels": channels}
    return {name: _listed(values) for name, values in named.items() if values}


def depths(inspection: Inspection) -> dict[str, int]:
    """Recordings by kind of sample, in words: `16 bit`, `32 bit float`, or the name of the codec."""
    words = {
        "PCM_U8": "8 bit", "PCM_S8": "8 bit", "FLOAT": "32 bit float", "DOUBLE": "64 bit float",
        "MS_ADPCM": "4 bit MS ADPCM", "IMA_ADPCM": "4 bit IMA ADPCM",
    }  # fmt: skip
    found: dict[str, int] = {}
    for subtype, number in inspection.subtypes.items():
        name = words.get(subtype) or (f"{subtype[4:]} bit" if subtype.startswith("PCM_") else subtype)
        found[name] = found.get(name, 0) + number
    return found


def bin_texts(lengths: Histogram) -> list[str]:
    """How the bins are written: `0.35 to 0.5 s`; those that begin at 0 have round edges: `1.25 to 1.5 s`."""
    form = "g" if lengths.edges[:1] == (0.0,) else ".2g"
    return [f"{low:{form}} to {high:{form}} s" for low, high in zip(lengths.edges, lengths.edges[1:], strict=False)]


def doubling(numbers: Mapping[int, int]) -> dict[str, int]:
    """How often 1, 2, 3 to 4, 5 to 8, … occur, up to the largest: `{"1": …, "2": …, "3-4": …}`."""
    found: dict[str, int] = {}
    first, last = 1, 1
    while numbers and first <= max(numbers):
        name = str(first) if first == last else f"{first}-{last}"
        found[name] = sum(n for number, n in numbers.items() if first <= number <= last)
        first, last = last + 1, 2 * last
    return found


def length(seconds: float) -> str:
    """A length as a reader takes it in: in hours, minutes or seconds."""
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 60:.1f} minutes" if seconds >= 120 else f"{seconds:.1f} seconds"


def _parts(inspection: Inspection) -> Iterator[RenderableType]:
    yield Text(f"{inspection.kind}: {printable(inspection.folder)}", style="bold", no_wrap=True, overflow="ellipsis")
    yield Text(summary(inspection))
    yield Text(", ".join(f"{name} {value}" for name, value in sound_facts(inspection).items()), style="dim")
    yield Text()
    yield _labels(inspection)
    yield Text()
    if inspection.polyphony is not None:
        yield from _polyphony(inspection.polyphony)
        yield Text()
    if inspection.lengths.counts:
        yield Text(f"Lengths of the {inspection.counted}", style="bold")
        yield _bars(bin_texts(inspection.lengths), inspection.lengths.counts)
        yield Text()
    yield Text("Split: ", style="bold").append(inspection.split, style="not bold")
    if inspection.sides:
        yield _sides(inspection)
    if inspection.folds:
        yield _folds(inspection)
        yield Text()
        yield Text("Recordings by the number of clips they gave", style="bold")
        numbers = doubling(inspection.clips_of_recordings)
        yield _bars(list(numbers), list(numbers.values()))
    for note in inspection.notes:
        yield Text(f"note: {printable(note)}", style="dim")


def _labels(inspection: Inspection) -> Table:
    published = [inspection.publication] if inspection.publication else []
    sides = {"train": "train", "validation": "valid.", "test": "test"}
    table = _table(
        "label", inspection.counted, *published, "\nsounds", "% of\nrec.",
        "median\ns", "longest\ns", *(sides[side.side] for side in inspection.sides)
    )  # fmt: skip
    for fact in inspection.labels:
        counts = [str(fact.n_events), *([str(fact.published)] if published else [])]
        table.add_row(
            Text(shorten(printable(fact.label), LONGEST_LABEL), style=colour(fact.label)),
            *counts,
            clock(fact.seconds),
            f"{100 * fact.share:.0f}",
            f"{fact.lengths.median:.2f}",
            f"{fact.lengths.longest:.2f}",
            *(str(number) for number in fact.n_by_side.values()),
            style="" if fact.n_events else "dim",
        )
    if published:
        total = sum(fact.published or 0 for fact in inspection.labels)
        table.add_section()
        table.add_row(Text("all", style="bold"), str(inspection.n_events), str(total))
    return table


def _polyphony(found: Polyphony) -> Iterator[RenderableType]:
    yield Text("Labels at once", style="bold").append(
        f": {found.mean:.2f} on average, at most {found.maximum}", style="not bold"
    )
    yield _bars([str(number) for number in range(len(found.shares))], found.shares, "{:.1%}")


def _sides(inspection: Inspection) -> Table:
    table = _table("side", "recordings", "minutes", inspection.counted)
    for side in inspection.sides:
        table.add_row(side.side, str(side.n_recordings), f"{side.seconds / 60:.1f}", str(side.n_events))
    return table


def _folds(inspection: Inspection) -> Table:
    table = _table("fold", inspection.counted, "recordings", "minutes", "fewest of a label", "most")
    for fold in inspection.folds:
        numbers = [fold.n_by_label.get(fact.label, 0) for fact in inspection.labels if fact.n_events]
        table.add_row(
            str(fold.fold), str(fold.n_clips), str(fold.n_recordings), f"{fold.seconds / 60:.1f}",
            str(min(numbers)), str(max(numbers))
        )  # fmt: skip
    return table


def _bars(names: Sequence[str], values: Sequence[float], text: str = "{}") -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    most = max(values) or 1
    for name, value in zip(names, values, strict=True):
        bar = Text("━" * max(int(value > 0), round(BAR * value / most)), style="cyan")
        table.add_row(f"  {name}", bar.append(f" {text.format(value)}", style="default"))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", overflow="ellipsis", no_wrap=True)
    return table


def _listed(values: Mapping[str, int]) -> str:
    return ", ".join(f"{value} ({number})" if len(values) > 1 else value for value, number in values.items())
