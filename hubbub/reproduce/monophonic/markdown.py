"""The monophonic tables as Markdown, so that a page of documentation is made from the data and never by hand."""

from hubbub.reproduce.facts import facts
from hubbub.reproduce.markdown import tables_markdown
from hubbub.reproduce.monophonic.comparisons import all_clip_tables
from hubbub.reproduce.monophonic.results import ClipResults
from hubbub.reproduce.monophonic.summary import clip_summary


def clip_results_markdown(results: ClipResults) -> str:
    """Summary, every table with its notes, and how it was made; ends in a line break."""
    return tables_markdown(clip_summary(results), all_clip_tables(results), results.notes, facts(results))
