"""The table a training run writes, one row an epoch."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import HubbubError

COLUMNS = ("epoch", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "seconds")


@dataclass(frozen=True)
class TrainingLog:
    """The columns of a training log, each of shape (n_epochs,); a value nobody wrote is NaN."""

    epoch: NDArray[np.float64]
    train_loss: NDArray[np.float64]
    validation_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    validation_accuracy: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @property
    def best(self) -> int | None:
        """The row with the lowest validation loss; None where no row has one."""
        return None if np.isnan(self.validation_loss).all() else int(np.nanargmin(self.validation_loss))


def read_training_log(path: Path) -> TrainingLog:
    """Read a comma-separated training log; further columns are passed over.

    Raises `HubbubError` with the path, and the line where one is at fault, for a file that cannot be read, a missing
    column or text in a number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise HubbubError(f"{path}:1: no column {', '.join(missing)}; wanted {','.join(COLUMNS)}")
            rows = [[_number(row[column], column, path, reader.line_num) for column in COLUMNS] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text table"
        raise HubbubError(f"{path}: cannot be read as a training log: {reason}") from error
    return TrainingLog(*np.array(rows, dtype=np.float64).reshape(len(rows), len(COLUMNS)).T)


def _number(text: str | None, column: str, path: Path, line: int) -> float:
    if text is None or not text.strip():
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise HubbubError(f"{path}:{line}: {column} is {text!r}; wanted a number") from None
