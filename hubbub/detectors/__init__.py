"""The detectors that ship: one `.onnx` file each, what it is worth in the card beside it, whose sounds in `NOTICE`."""

from pathlib import Path

from hubbub.errors import DetectorError

FOLDER = Path(__file__).parent
DEFAULT = "small"
"""The one that is taken where none is named."""


def shipped() -> dict[str, Path]:
    """By name: `small` is in `small.onnx`, `tiny.int8` in `tiny.int8.onnx`; sorted."""
    return dict(sorted((path.name.removesuffix(".onnx"), path) for path in FOLDER.glob("*.onnx")))


def path_of(detector: str | Path | None) -> Path:
    """The file of a detector: a path that exists, else one that ships, by its name; the default one for None.

    Raises `DetectorError`, one line, where there is no such file and none of that name ships.
    """
    if detector is not None and Path(detector).exists():
        return Path(detector)
    there = shipped()
    name = DEFAULT if detector is None else str(detector)
    if name not in there:
        raise DetectorError(
            f"{name}: no such file; wanted a detector, the .onnx file that `hubbub train` writes, "
            f"or one that ships: {', '.join(there) or 'none in this installation'}"
        )
    return there[name]
