"""What a threshold-free metric sees: scores of every frame of a recording, with labels and edges, checked.

A table of events holds one threshold's decisions and cannot stand in for it. Scores are taken as they are given:
filter them (a median filter, say) before; hysteresis, shortest events and shortest gaps act on decided events and
enter operating-point figures only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hubbub.errors import AnnotationError, ConfigError
from hubbub.events import EventTable
from hubbub.grid import TIME_TOLERANCE
from hubbub.metrics.recording import Recording, recordings


class FrameScores(Protocol):
    """Scores of one recording: `values` (n_frames, n_labels) on `edges` (n_frames + 1,) in seconds."""

    @property
    def values(self) -> NDArray[np.floating[Any]]: ...
    @property
    def edges(self) -> NDArray[np.float64]: ...
    @property
    def labels(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one recording, one row a frame and one column a label; the higher, the likelier the label sounds.

    `values` has shape (n_frames, n_labels), `edges` (n_frames + 1,), in seconds. Raises `ConfigError` for shapes that
    do not agree, numbers that are not finite, edges that do not rise or a label given twice.
    """

    values: NDArray[np.floating[Any]]
    edges: NDArray[np.float64]
    labels: Sequence[str]

    def __post_init__(self) -> None:
        _check("a score table", self)


def checked(
    what: str, reference: EventTable, scores: Mapping[str, FrameScores], durations: Mapping[str, float]
) -> tuple[tuple[str, ...], list[str], list[Recording]]:
    """(labels, names, recordings) of score tables that fit the reference and the durations (seconds), sorted by name.

    The labels are the tables', in their order. Raises `ConfigError` where a recording has events in place of scores,
    labels differ, a table is malformed, begins after 0 s or does not end where the recording does (to within two of
    its frames), and `AnnotationError` for a recording without scores, an unknown one, or a reference label that the
    tables lack.
    """
    for name in sorted(scores):
        if isinstance(scores[name], Sequence) or not hasattr(scores[name], "values"):
            raise ConfigError(
                f"{what} wants scores of every frame, and {name} holds events decided at one threshold: give score "
                "tables, such as hubbub detect --scores writes"
            )
    missing = sorted(durations.keys() - scores.keys())
    if missing:
        raise AnnotationError(f"{missing[0]}: {what} wants scores of every recording, and this one has none; add them")
    unknown = sorted(scores.keys() - durations.keys())
    if unknown:
        raise AnnotationError(
            f"{unknown[0]}: scored, but neither the reference nor the durations name this recording; "
            "add it there or leave it out"
        )
    names = sorted(durations)
    labels = tuple(scores[names[0]].labels) if names else ()
    found = recordings(reference, {}, durations, labels)
    for name in names:
        table = scores[name]
        _check(name, table)
        if tuple(table.labels) != labels:
            raise ConfigError(
                f"{name}: score columns are {', '.join(table.labels)}; those of {names[0]} are {', '.join(labels)}"
            )
        longest = float(np.diff(table.edges).max())
        if table.edges[0] > TIME_TOLERANCE or abs(table.edges[-1] - durations[name]) > 2 * longest + TIME_TOLERANCE:
            raise ConfigError(
                f"{name}: scores cover {table.edges[0]:g} to {table.edges[-1]:g} s of a recording of "
                f"{durations[name]:g} s; wanted all of it, to within two frames"
            )
    return labels, names, found


def _check(name: str, table: FrameScores) -> None:
    values, edges, labels = table.values, table.edges, table.labels
    if values.ndim != 2 or not values.size or values.shape != (len(edges) - 1, len(labels)):
        raise ConfigError(
            f"{name}: scores {values.shape} on {len(edges)} edges for {len(labels)} labels; wanted "
            "(n_frames, n_labels) on n_frames + 1 edges"
        )
    if not (np.isfinite(values).all() and np.isfinite(edges).all()):
        raise ConfigError(f"{name}: some scores or edges are no finite numbers")
    if len(set(labels)) < len(labels):
        raise ConfigError(f"{name}: a label occurs twice among {', '.join(labels)}")
    if edges[0] < 0 or np.diff(edges).min() <= TIME_TOLERANCE:
        raise ConfigError(f"{name}: edges do not rise from 0 s or later by more than a microsecond each")
