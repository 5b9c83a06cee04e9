"""Files that are no detector, or do not keep their promises: one line says which file, what is wrong and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import hubbub
from hubbub.decode import LabelRule
from hubbub.detector import Detector
from hubbub.detectors import shipped
from hubbub.errors import DetectorError
from hubbub.grid import Grid
from hubbub.model import METADATA_KEY, Model

Edit = Callable[[dict[str, Any]], object]
NOT_ONE = "is no ONNX file that onnxruntime can open; wanted a detector that `hubbub train` wrote"
AGAIN = "; train the detector again"
# what pydantic and the rules say
EACH_ONCE = "wanted each label once, and none empty"
NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
RANGE = "threshold 0.4: wanted 0 <= low <= threshold <= 1"
ODD = "wanted an odd number, 1 for none"


def rewritten(detector_path: Path, target: Path, metadata: str | None) -> Path:
    """The detector with other metadata, or none."""
    model = onnx.load(detector_path)
    del model.metadata_props[:]
    if metadata is not None:
        model.metadata_props.add(key=METADATA_KEY, value=metadata)
    onnx.save(model, target)
    return target


def content(detector_path: Path) -> dict[str, Any]:
    (entry,) = onnx.load(detector_path).metadata_props
    said: dict[str, Any] = json.loads(entry.value)
    return said


def message(path: Path, *, device: str = "cpu") -> str:
    """What is said of a file that cannot be loaded: one line, which begins with the path."""
    with pytest.raises(DetectorError) as error:
        hubbub.load(path, device=device)
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


# No detector at all


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    wanted = "wanted a detector, the .onnx file that `hubbub train` writes"
    assert message(tmp_path / "none.onnx") == f"no such file; {wanted}, or one that ships: {', '.join(shipped())}"
    assert message(tmp_path) == f"is a folder; {wanted}"


@pytest.mark.parametrize("held", [b"", b"\0", b"not an ONNX file\n", b"RIFF\0\0\0\0WAVE", bytes(range(256)) * 40])
def test_bytes_that_are_no_onnx(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(held)
    assert message(path) == NOT_ONE


def test_a_file_cut_short_anywhere(tmp_path: Path, detector_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    held = detector_path.read_bytes()
    rng = np.random.default_rng(0)
    no_metadata = f"an ONNX file without the metadata key 'hubbub'; {NOT_ONE.split('; ')[1]}"
    for n_bytes in [1, 5, *rng.integers(6, len(held), 12).tolist(), len(held) - 1000, len(held) - 1]:
        path.write_bytes(held[:n_bytes])
        assert message(path) in (NOT_ONE, no_metadata)


def test_an_unknown_device_and_one_that_is_not_there(detector_path: Path) -> None:
    with pytest.raises(DetectorError) as error:
        hubbub.load(detector_path, device="tpu")
    assert str(error.value) == "device 'tpu' is none of auto, cpu, cuda, rocm, coreml, directml, openvino"
    with pytest.raises(DetectorError) as error:
        hubbub.load(detector_path, device="directml")  # exists on Windows only
    assert (
        str(error.value) == "device 'directml': this build of onnxruntime lacks DmlExecutionProvider; use --device cpu"
    )


# Metadata


def test_an_onnx_file_of_someone_else(tmp_path: Path, detector_path: Path) -> None:
    said = message(rewritten(detector_path, tmp_path / "other.onnx", None))
    assert said == "an ONNX file without the metadata key 'hubbub'; wanted a detector that `hubbub train` wrote"


def test_metadata_that_are_not_json(tmp_path: Path, detector_path: Path) -> None:
    said = message(rewritten(detector_path, tmp_path / "a.onnx", "labels: bell"))
    assert said == "its metadata are not JSON (Expecting value: line 1 column 1 (char 0)); train the detector again"


@pytest.mark.parametrize(
    ("metadata", "schema"),
    [("[]", "None"), ("3", "None"), ("{}", "None"), ('{"schema": 3}', "3"), ('{"schema": "1"}', "'1'")],
)
def test_an_unknown_schema(tmp_path: Path, detector_path: Path, metadata: str, schema: str) -> None:
    said = message(rewritten(detector_path, tmp_path / "a.onnx", metadata))
    assert said == (
        f"metadata schema {schema}; this version of hubbub reads 1 and 2; upgrade hubbub or train the detector again"
    )


@pytest.mark.parametrize(
    ("edit", "field", "problem"),
    [
        *[(lambda m, name=name: m.pop(name), name, "Field required") for name in ("labels", "hop", "decode", "states")],
        (lambda m: m.update(labels=[]), "labels", "Tuple should have at least 1 item after validation, not 0"),
        (lambda m: m.update(labels=["bell", "dog", "dog"]), "labels", "Value error, " + EACH_ONCE),
        (lambda m: m.update(labels=["bell", "dog", ""]), "labels", "Value error, " + EACH_ONCE),
        (lambda m: m.update(task="tags"), "task", "Input should be 'events' or 'clip'"),
        (lambda m: m.update(sample_rate=0), "sample_rate", "Input should be greater than 0"),
        (lambda m: m.update(hop=-441), "hop", "Input should be greater than 0"),
        (lambda m: m.update(look_ahead="soon"), "look_ahead", NO_INTEGER),
        (lambda m: m.update(states={"audio_state": ["x"]}), "states.audio_state.0", NO_INTEGER),
        (lambda m: m["decode"]["dog"].update(threshold=2), "decode.dog", "Value error, threshold 2 and low " + RANGE),
        (lambda m: m["decode"]["dog"].update(median=2), "decode.dog", "Value error, median of 2 frames: " + ODD),
    ],
)
def test_a_metadata_field_that_is_missing_or_wrong(
    tmp_path: Path, detector_path: Path, edit: Edit, field: str, problem: str
) -> None:
    metadata = content(detector_path)
    edit(metadata)
    said = message(rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata)))
    assert said == f"metadata field {field!r}: {problem}{AGAIN}"


def test_a_label_without_a_rule(tmp_path: Path, detector_path: Path) -> None:
    metadata = content(detector_path)
    del metadata["decode"]["dog"]
    said = message(rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata)))
    assert said == "no decision rule for label 'dog'" + AGAIN


# The graph


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m["states"].pop("stem_0"),
        lambda m: m["states"].update(another=[1, 2]),
        lambda m: m["states"].update(memory=m["states"].pop("audio_state")),
    ],
)
def test_states_that_the_graph_does_not_know(tmp_path: Path, detector_path: Path, edit: Edit) -> None:
    metadata = content(detector_path)
    edit(metadata)
    said = message(rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata)))
    assert said == "the graph's inputs and outputs are not those its metadata name; train it again"


def test_an_input_of_another_name(tmp_path: Path, detector_path: Path) -> None:
    model = onnx.load(detector_path)
    for node in model.graph.node:
        node.input[:] = ["sound" if name == "audio" else name for name in node.input]
    (audio,) = (each for each in model.graph.input if each.name == "audio")
    audio.name = "sound"
    onnx.save(model, tmp_path / "a.onnx")
    said = message(tmp_path / "a.onnx")
    assert said == "the graph's inputs and outputs are not those its metadata name; train it again"


def test_another_number_of_labels_than_probabilities(tmp_path: Path, detector_path: Path) -> None:
    metadata = content(detector_path)
    metadata["labels"] = ["bell", "dog"]
    said = message(rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata)))
    assert said == "the graph gives probabilities of shape [1, 'n_frames', 3]; wanted 1, n_frames, 2 labels" + AGAIN


def test_a_graph_that_is_not_what_it_says(tmp_path: Path, detector_path: Path) -> None:
    """An ONNX file with the right names, whose probabilities are one number."""
    audio = onnx.helper.make_tensor_value_info("audio", onnx.TensorProto.FLOAT, [1, "n_samples"])
    out = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [])
    node = onnx.helper.make_node("ReduceMean", ["audio"], ["probabilities"], keepdims=0)
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "mean", [audio], [out]), opset_imports=opset, ir_version=8
    )
    metadata = content(detector_path)
    metadata["states"] = {}
    model.metadata_props.add(key=METADATA_KEY, value=json.dumps(metadata))
    onnx.save(model, tmp_path / "a.onnx")
    said = message(tmp_path / "a.onnx")
    assert said == "the graph gives probabilities of shape []; wanted 1, n_frames, 3 labels" + AGAIN


def test_a_state_of_another_shape_is_told_when_it_is_used(tmp_path: Path, detector_path: Path) -> None:
    metadata = content(detector_path)
    metadata["states"]["audio_state"] = [1, 100]
    path = rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata))
    with pytest.raises(DetectorError) as error:
        hubbub.load(path).detect(np.zeros(22050, np.float32))
    text = str(error.value)
    assert text.startswith(f"{path}: does not run (")
    assert "audio_state" in text
    assert text.endswith("); train the detector again")
    assert "\n" not in text


def test_a_hop_that_is_not_the_graphs_is_told_when_it_is_used(tmp_path: Path, detector_path: Path) -> None:
    metadata = content(detector_path)
    metadata["hop"], metadata["settle"] = 882, 0
    path = rewritten(detector_path, tmp_path / "a.onnx", json.dumps(metadata))
    with pytest.raises(DetectorError) as error:
        hubbub.load(path).detect(np.zeros(8820, np.float32))
    assert str(error.value).startswith(f"{path}: the graph gives probabilities of shape (1, ")
    assert "for 8820 samples; wanted (1, 10, 3) at a hop of 882" in str(error.value)


# What a good file says


def test_a_detector_knows_what_its_file_says(detector: Detector, detector_path: Path) -> None:
    metadata = Model(detector_path).metadata
    assert detector.path == detector_path
    assert detector.labels == metadata.labels == ("bell", "dog", "rain")
    assert (detector.sample_rate, metadata.hop) == (22050, 441)
    assert detector.frame_period == 0.02
    assert metadata.grid == Grid(22050, 441)
    assert detector.look_ahead == metadata.look_ahead > 0
    assert detector.latency == pytest.approx((detector.look_ahead + 1) * 0.02)
    assert metadata.rules == [LabelRule(0.5, 0.4, 3, 0.04, 0.06)] * 3


def test_metadata_come_back_from_their_json(detector_path: Path) -> None:
    metadata = Model(detector_path).metadata
    assert metadata == type(metadata).model_validate_json(metadata.to_json())
    assert json.loads(metadata.to_json())["schema"] == 1
    rules = {"dog": LabelRule(0.2, 0.1), "rain": LabelRule(0.3, 0.3), "bell": LabelRule(0.1, 0.1)}
    assert metadata.model_copy(update={"decode": rules}).rules == [rules[label] for label in ("bell", "dog", "rain")]


def test_the_states_of_silence_do_not_change_in_more_silence(detector_path: Path) -> None:
    model = Model(detector_path)
    states = model.silent_states()
    _, later = model.run(np.zeros(50 * 441, np.float32), states)
    assert {name: state.shape for name, state in states.items()} == dict(model.metadata.states)
    for name, state in states.items():
        np.testing.assert_allclose(later[name], state, rtol=0, atol=1e-5, err_msg=name)
    assert any(state.any() for state in states.values())
