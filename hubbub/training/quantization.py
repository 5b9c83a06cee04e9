"""From a detector in float to one in int8: a third of the bytes or less, its convolutions computed in whole numbers.

Static quantisation, by onnxruntime: the weights of a convolution are rounded channel by channel, what flows in and out
of it to the range that it has while the detector hears recordings, block after block, as it does for a user. The front
end, the norm of its bands, our networks' stem, their convolutions over time, the states and the head stay in float:
they are small. What a stem rounds goes through all the rest: without that, the logits of two that shipped were half
as far from those in float. Of a head that is rounded all labels together would have no more than 256 probabilities.

Weights get 7 bits, not 8. Processors without instructions for 8-bit sums (VNNI) add pairs of products in 16 bits, which
8-bit weights overflow: measured on one, 7 bits lose less F1. A range leaves out the largest ten-thousandth of what was
heard, which did better than the whole range.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime import quantization

from hubbub import audio
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.detector import load
from hubbub.errors import ConfigError, DetectorError
from hubbub.files import check_writable, replacing
from hubbub.metrics import evaluate
from hubbub.model import METADATA_KEY, Metadata, Model, States
from hubbub.training.compact import compact
from hubbub.training.metadata import rewrite
from hubbub.training.reporting import Reporter

PRECISION = "int8"
"""What `metadata.network["precision"]` says of such a detector."""
PERCENTILE = 99.99
SECONDS = 240.0
"""Of audio that ranges are taken from, spread over the recordings; all that flows meanwhile is kept in memory."""
STEP_SECONDS = 5.0
"""Of audio that the graph hears at once meanwhile: onnxruntime wants all steps alike."""

SHAPING = ("Sigmoid", "Transpose", "Reshape", "Flatten", "Unsqueeze", "Squeeze")
"""What may stand between the last convolution and the probabilities."""


def int8_path(path: Path) -> Path:
    """`my.onnx` → `my.int8.onnx`. Raises `ConfigError` where it cannot be written."""
    target = path.with_suffix(f".{PRECISION}{path.suffix}")
    check_writable(target, ConfigError)
    return target


def quantize(source: Path, target: Path, recordings: Sequence[Path]) -> None:
    """Writes the detector `source` in int8 to `target`; ranges are those heard in `recordings`.

    The metadata stay, but for the scores, which the other file earned, and `network["precision"]`. Raises
    `ConfigError` where the detector labels clips or is in int8 already, or there are no recordings; `AudioError` for a
    recording that cannot be read; `DetectorError` where `target` cannot be written.
    """
    model = Model(source, threads=1)
    meta = model.metadata
    if meta.task == "clip":
        raise ConfigError(f"{source}: it labels whole clips; wanted a detector that finds events")
    if meta.network.get("precision") == PRECISION:
        raise ConfigError(f"{source}: is in {PRECISION} already; wanted the detector that it was made from")
    if not recordings:
        raise ConfigError(f"{source}: no recordings to take ranges from; wanted one at least")
    graph = onnx.load(source)
    for index, node in enumerate(graph.graph.node):
        node.name = f"n{index}"
    with TemporaryDirectory() as folder, _quiet():
        rounded = Path(folder) / "rounded.onnx"
        quantization.quantize_static(
            graph,
            rounded,
            _Steps(model, recordings),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[*_head(graph.graph), *_small(graph.graph)],
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": PERCENTILE},
        )
        graph = onnx.load(rounded)
    compact(graph)
    del graph.metadata_props[:]
    graph.metadata_props.add(key=METADATA_KEY, value=_told(meta).to_json())
    with replacing(target, DetectorError) as beside:
        onnx.save(graph, beside)


def int8_beside(
    path: Path, validation: Sequence[AnnotatedRecording], test: Sequence[AnnotatedRecording], reporter: Reporter
) -> Path:
    """Writes the tested detector `path` in int8 beside it, tests that too, and says what it costs in frame F1.

    Ranges are heard on the validation side. Raises as `quantize`.
    """
    target = int8_path(path)
    with reporter.bar(f"rounding to {PRECISION}") as tick:
        quantize(path, target, [recording.path for recording in validation])
        detector = load(target, device="cpu")
        found = {}
        for index, recording in enumerate(test):
            found[recording.name] = detector.detect(recording.path)
            tick(index + 1, len(test))
    reference = {r.name: [event for event in r.events if event.label in detector.labels] for r in test}
    scores = evaluate(reference, found, {r.name: r.duration for r in test}, detector.labels)
    rewrite(target, target, lambda meta: meta.model_copy(update={"scores": {"test": scores.to_dict()}}))
    before, after = load(path, device="cpu").metadata.scores["test"]["frame"]["micro_f1"], scores.frame.micro_f1
    sizes = [file.stat().st_size / 1e3 for file in (path, target)]
    reporter.say(
        f"{target}: {sizes[1]:.0f} kB, in float {sizes[0]:.0f} kB; frame F1 on test {after:.4f}, in float {before:.4f}"
    )
    return target


def _told(metadata: Metadata) -> Metadata:
    return metadata.model_copy(update={"network": metadata.network | {"precision": PRECISION}, "scores": {}})


def _head(graph: onnx.GraphProto) -> list[str]:
    """The name of the convolution that gives the logits, where it is one."""
    made_by = {name: node for node in graph.node for name in node.output}
    node = made_by["probabilities"]
    while node.op_type != "Conv" and node.input[0] in made_by and node.op_type in SHAPING:
        node = made_by[node.input[0]]
    return [node.name] if node.op_type == "Conv" else []


def _small(graph: onnx.GraphProto) -> list[str]:
    """Of our networks the names of the convolutions that save no room: those over time alone, each channel by itself,
    and those of the stem, over time and bands."""
    kinds = {
        node.name: {attribute.name: attribute for attribute in node.attribute}
        for node in graph.node
        if node.op_type == "Conv"
    }
    of_time = {name for name, kind in kinds.items() if len(kind["kernel_shape"].ints) == 1}
    by_channel = {name for name in of_time if kinds[name]["group"].i > 1}
    return [name for name in kinds if name in by_channel or (by_channel and name not in of_time)]


class _Steps(quantization.CalibrationDataReader):  # type: ignore[misc]
    """What the graph is given, step by step, while it hears the beginning of each recording, one after the other."""

    def __init__(self, model: Model, recordings: Sequence[Path]) -> None:
        self._steps = _steps(model, recordings)

    def get_next(self) -> States | None:
        """The next step's inputs, or None behind the last one."""
        return next(self._steps, None)


def _steps(model: Model, recordings: Sequence[Path]) -> Iterator[States]:
    meta = model.metadata
    unit = meta.block * meta.hop
    step = -(-round(STEP_SECONDS * meta.sample_rate) // unit) * unit
    beginning = -(-round(SECONDS * meta.sample_rate) // len(recordings))
    states, heard, n_steps = model.silent_states(), np.zeros(0, np.float32), 0
    for path in recordings:
        wanted = beginning
        for block in audio.blocks(path, meta.sample_rate):
            heard, wanted = np.concatenate([heard, block[:wanted]]), wanted - len(block)
            if wanted <= 0:
                break
        if path == recordings[-1] and n_steps == 0:  # so little that it makes no step
            heard = np.pad(heard, (0, max(0, step - len(heard))))
        while len(heard) >= step:
            yield {"audio": heard[np.newaxis, :step], **states}
            _, states = model.run(heard[:step], states)
            heard, n_steps = heard[step:], n_steps + 1


@contextmanager
def _quiet() -> Iterator[None]:
    """The remarks of onnxruntime's quantisation are for those who write it."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
