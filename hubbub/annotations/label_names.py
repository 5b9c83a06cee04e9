"""New names for labels: `old<TAB>new` without header, as AudioSet's `mid_to_display_name.tsv`."""

from pathlib import Path

from hubbub.annotations.columns import rows
from hubbub.annotations.formats import read_lines
from hubbub.errors import AnnotationError


def read_label_names(path: str | Path) -> dict[str, str]:
    """New names by old. Raises `AnnotationError` with path:line for another number of columns, an empty name, or two
    new names for one label."""
    path = Path(path)
    names: dict[str, str] = {}
    for line, row in rows(path, read_lines(path), "\t"):
        if len(row) != 2 or not all(name.strip() for name in row):
            raise AnnotationError(
                f"{path}:{line}: has {len(row)} columns, or an empty one; wanted 2: old and new label"
            )
        old, new = row
        if names.setdefault(old, new) != new:
            raise AnnotationError(f"{path}:{line}: {old!r} has two new names; wanted one")
    return names
