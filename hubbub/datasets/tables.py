"""The small comma- or tab-separated tables beside a data set, read with the line that is at fault."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubbub.errors import DatasetError


@dataclass(frozen=True)
class Row:
    """One row of a table: `line` counts from 1 and includes the header; a cell that is empty is missing."""

    path: Path
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """`path:line`, for messages."""
        return f"{self.path}:{self.line}"

    def __getitem__(self, column: str) -> str:
        """The cell of a wanted column. Raises `DatasetError` where it is empty."""
        if column not in self.cells:
            raise DatasetError(f"{self.where}: {column} is empty; every row needs {column}")
        return self.cells[column]

    def get(self, column: str) -> str | None:
        """The cell of a column, None where it is empty or the table has no such column."""
        return self.cells.get(column)


def read_rows(path: Path, columns: Sequence[str], delimiter: str = ",") -> list[Row]:
    """The rows below the header, which must name at least `columns`; blank lines are passed over.

    Raises `DatasetError` with `path:line` for a missing column, a row longer than the header, or text that is not
    UTF-8.
    """
    rows = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            header = [name.strip() for name in next(reader, [])]
            for column in columns:
                if column not in header:
                    found = ", ".join(header) or "nothing"
                    raise DatasetError(f"{path}:1: no column {column}; wanted {', '.join(columns)}, found {found}")
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                if len(values) > len(header):
                    raise DatasetError(
                        f"{path}:{reader.line_num}: {len(values)} columns where the header has {len(header)}; "
                        "put cells that hold the separator in quotes"
                    )
                cells = {name: value.strip() for name, value in zip(header, values, strict=False) if value.strip()}
                rows.append(Row(path, reader.line_num, cells))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read as a UTF-8 table: {error}") from error
    return rows


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few of many names, for a message of one line."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
