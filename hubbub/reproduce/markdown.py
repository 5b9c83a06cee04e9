"""The tables as Markdown, so that a page of documentation is made from the data and never by hand."""

from collections.abc import Iterable, Mapping

from hubbub.reproduce.comparisons import all_tables
from hubbub.reproduce.facts import facts
from hubbub.reproduce.results import Results
from hubbub.reproduce.scores import main_split
from hubbub.reproduce.table import Table, summary

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\|*<[]`"})


def results_markdown(results: Results) -> str:
    """Summary, every table with its notes, and how it was made; ends in a line break."""
    sentences = summary(results, main_split(results))
    return tables_markdown(sentences, all_tables(results), results.notes, facts(results))


def tables_markdown(
    sentences: Iterable[str], tables: Iterable[Table], notes: Iterable[str], made_with: Mapping[str, str]
) -> str:
    """Sentences, every table with its notes, then `notes` and `made_with` on how it was made; ends in a line break."""
    parts = [_escaped(sentence) for sentence in sentences]
    for table in tables:
        parts += [f"### {_escaped(table.title)}", _drawn(table)]
        parts.append("\n".join(f"- {_escaped(note)}" for note in table.notes))
    parts.append("### How this was made")
    parts += [_escaped(note) for note in notes]
    parts.append("\n".join(f"- {_escaped(name)}: {_escaped(value)}" for name, value in made_with.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _drawn(table: Table) -> str:
    headings = [_escaped(heading.strip().replace("-\n", "").replace("\n", " ")) for heading in table.headings]
    rules = ["---" if table.holds_words(column) else "---:" for column in range(len(headings))]
    rows = [[row.name, *row.cells] for row in table.rows]
    lines = [headings, rules, *([_escaped(text.strip()) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Text that stays what it is between two bars, on one line."""
    return " ".join(text.translate(SPECIAL).split())
