"""What a detector file says of itself, written anew; the graph stays as it is."""

from collections.abc import Callable
from pathlib import Path

import onnx

from hubbub.errors import DetectorError
from hubbub.files import replacing
from hubbub.model import METADATA_KEY, Metadata


def rewrite(source: Path, target: Path, change: Callable[[Metadata], Metadata]) -> None:
    """Writes the detector `source` to `target`, which may be the same, with changed metadata; beside, then renamed.

    Raises `DetectorError` where it cannot be written.
    """
    model = onnx.load(source)
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = change(Metadata.model_validate_json(entry.value)).to_json()
    with replacing(target, DetectorError) as beside:
        onnx.save(model, beside)
