"""What a clip was taken for, counted over runs; `hubbub.report.confusion` draws it."""

import numpy as np
from numpy.typing import NDArray

from hubbub.reproduce.monophonic.results import ClipRun


def confusion(runs: list[ClipRun], n_labels: int) -> NDArray[np.int64]:
    """How often slices of a label (row) were taken for another (column), over all runs: (n_labels, n_labels)."""
    counts = np.zeros((n_labels, n_labels), dtype=np.int64)
    for run in runs:
        for rows in run.answers.values():
            for label, answer, n in rows:
                counts[label, answer] += n
    return counts
