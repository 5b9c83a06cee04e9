"""The `.onnx` file: what its metadata promise, and running one block of audio with the state carried along.

For the task `events` the graph takes `audio` (1, n_samples) and the named states and gives `probabilities`
(1, n_frames, n_labels) and the new states. For the task `clip` it takes `audio` (1, n_samples), a short recording,
and gives `probabilities` (1, n_labels), which sum to 1. The front end is inside, so a detector cannot be fed wrong
features.
"""

import copy
import json
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hubbub.calibration import Calibration
from hubbub.decode import LabelRule
from hubbub.device import AUTO, CPU, Heard, Listener, Session, candidates, choose, on_cpu, open_session, second_of_audio
from hubbub.errors import DetectorError
from hubbub.grid import Grid

METADATA_KEY = "hubbub"
SCHEMAS = (1, 2)
"""What is read: 2 has calibrations, which a reader of 1 would pass over; a file without any is written as 1."""
States = dict[str, NDArray[np.float32]]
SUM_TOLERANCE = 1e-3
"""How far the probabilities of a clip may be from a sum of 1: well above the rounding of a softmax."""
CHECKED_SECONDS = 1.0
"""Of audio, by which a device is checked against the CPU."""
MOST_LANES = 3
"""Threads at once: more would wait for the one that reads and resamples, and would want more memory."""


class Metadata(BaseModel):
    """Everything about a detector that is not arithmetic. `hop` and `clip` are in samples, other lengths in frames.

    `block`: the graph takes whole multiples of this many frames. `settle`: how many silent frames it takes until the
    state, zeros at first, is what silence leaves. `clip`: the most samples that the graph takes at once, for the task
    `clip` only; that task has no states, no look-ahead and no decision rules. `calibration`: of those labels whose
    probabilities are not what the graph gives.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_version: Literal[1, 2] = Field(1, alias="schema")
    task: Literal["events", "clip"] = "events"
    labels: tuple[str, ...] = Field(min_length=1)
    sample_rate: int = Field(gt=0)
    hop: int = Field(gt=0)
    clip: int | None = Field(None, gt=0)
    look_ahead: int = Field(ge=0)
    block: int = Field(1, gt=0)
    settle: int = Field(0, ge=0)
    states: dict[str, tuple[int, ...]]
    decode: dict[str, LabelRule]
    calibration: dict[str, Calibration] = {}
    front_end: dict[str, Any] = {}
    network: dict[str, Any] = {}
    training: dict[str, Any] = {}
    scores: dict[str, Any] = {}

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(labels)) < len(labels) or not all(label.strip() for label in labels):
            raise ValueError("wanted each label once, and none empty")
        return labels

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        if self.task == "events":
            if self.clip is not None:
                raise ValueError(f"clip is {self.clip} and the task 'events'; wanted a clip for the task 'clip' only")
        elif self.clip is None:
            raise ValueError("the task is 'clip' and clip is missing; wanted the most samples that the graph takes")
        elif self.states or self.decode or self.calibration or (self.look_ahead, self.block, self.settle) != (0, 1, 0):
            raise ValueError(
                "the task is 'clip'; wanted look_ahead 0, block 1, settle 0, and neither states nor decision rules "
                "nor calibration"
            )
        if self.calibration and self.schema_version == 1:
            raise ValueError("schema 1 has no calibration; wanted schema 2")
        unknown = sorted(set(self.calibration) - set(self.labels))
        if unknown:
            raise ValueError(f"a calibration for {unknown[0]!r}; wanted one of the labels")
        return self

    @property
    def grid(self) -> Grid:
        """The frames that the probabilities stand on; for the task `clip`, those of the front end."""
        return Grid(self.sample_rate, self.hop)

    @property
    def rules(self) -> list[LabelRule]:
        """The decision rules in the order of the labels; none for the task `clip`."""
        return [self.decode[label] for label in self.labels] if self.task == "events" else []

    def to_json(self) -> str:
        """The JSON that stands in the file."""
        unused = {name for name, value in (("clip", self.clip), ("calibration", self.calibration)) if not value}
        return self.model_dump_json(by_alias=True, exclude=unused)

    def decided(self, rules: dict[str, LabelRule], calibration: dict[str, Calibration]) -> Self:
        """The same detector with other decision rules, and with these calibrations in the place of its own."""
        changed = {label: each for label, each in calibration.items() if each.changes}
        fields = {"decode": rules, "calibration": changed, "schema_version": 2 if changed else 1}
        return self.model_validate({**dict(self), **fields})


class Model:
    """A detector file, opened on a `device` of `hubbub.device.DEVICES`; `Model.device` is the one that was taken.

    Raises `DetectorError`, one line, for whatever is wrong with the file, or where the device is not there.
    """

    def __init__(self, path: str | Path, device: str = CPU, threads: int | None = None) -> None:
        self.path = Path(path)
        _check_there(self.path)
        tried = candidates(device)
        self._session = _open(self.path, 1)
        self.metadata = _read_metadata(self.path, self._session)
        self.lanes = 1
        """How many threads may hear a recording at once, a stretch each; the steps of ours are too small to share."""
        if self.metadata.task == "events" and self.metadata.block == 1:
            self.lanes = min(MOST_LANES, _n_cores() if threads is None else threads)
        elif threads != 1:
            self._session = _open(self.path, threads)
        self._silence: States | None = None
        self._forgets: bool | None = None
        self.device = on_cpu(threads)
        if tried:
            by_name = device != AUTO
            self._session, self.device = choose(self.path, tried, by_name, threads, self._session, self._listener)
            self.lanes = self.lanes if self.device.name == CPU else 1
        # DirectML lets nobody run the same session twice at once
        self._turn: AbstractContextManager[object] = Lock() if self.device.name == "directml" else nullcontext()

    def run(self, audio: NDArray[np.float32], states: States) -> tuple[NDArray[np.float32], States]:
        """One step: `audio` (n_samples,), a multiple of block * hop → probabilities (n_frames, n_labels), states.

        Raises `DetectorError` where the graph does not do what its metadata promise.
        """
        meta = self.metadata
        outputs = self._run(["probabilities", *_outputs(states)], {"audio": audio[np.newaxis], **states})
        wanted = (1, len(audio) // meta.hop, len(meta.labels))
        if outputs[0].shape != wanted:
            raise DetectorError(
                f"{self.path}: the graph gives probabilities of shape {outputs[0].shape} for {len(audio)} samples; "
                f"wanted {wanted} at a hop of {meta.hop}; train the detector again"
            )
        return self._calibrated(outputs[0][0]), dict(zip(states, outputs[1:], strict=True))

    def run_clip(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """For the task `clip`: `audio` (n_samples,), 1 to `clip` samples → probabilities (n_labels,), their sum is 1.

        Raises `DetectorError` where the graph gives another shape, or what are no probabilities.
        """
        meta = self.metadata
        assert meta.clip is not None and 1 <= len(audio) <= meta.clip
        (found,) = self._run(["probabilities"], {"audio": audio[np.newaxis]})
        wanted = (1, len(meta.labels))
        if found.shape != wanted:
            raise DetectorError(
                f"{self.path}: the graph gives probabilities of shape {found.shape} for {len(audio)} samples; "
                f"wanted {wanted}; train the detector again"
            )
        if not (found.min() >= 0 and abs(found.sum() - 1) <= SUM_TOLERANCE):  # neither is true of NaN
            raise DetectorError(
                f"{self.path}: the graph gives probabilities from {found.min():g} to {found.max():g} with the sum "
                f"{found.sum():g} for {len(audio)} samples; wanted 0 to 1 with the sum 1; train the detector again"
            )
        probabilities: NDArray[np.float32] = found[0]
        return probabilities

    def silent_states(self) -> States:
        """The states that endless silence before the first sample leaves."""
        if self._silence is None:
            meta = self.metadata
            states: States = {name: np.zeros(shape, np.float32) for name, shape in meta.states.items()}
            blocks = -(-meta.settle // meta.block)
            if blocks:
                _, states = self.run(np.zeros(blocks * meta.block * meta.hop, np.float32), states)
            self._silence = states
        return dict(self._silence)

    def _listener(self, session: Session) -> Listener:
        """What hears `CHECKED_SECONDS` of audio by a session: from silence, in two blocks with the state carried, or as
        a clip."""
        meta, other = self.metadata, copy.copy(self)
        other._session, other._silence, other._turn = session, None, nullcontext()
        n_samples = round(CHECKED_SECONDS * meta.sample_rate)
        if meta.clip is not None:
            clip = second_of_audio(meta.sample_rate, min(n_samples, meta.clip))
            return lambda: (other.run_clip(clip), [])
        step = meta.block * meta.hop
        n_steps = max(2, -(-n_samples // step))
        samples, cut = second_of_audio(meta.sample_rate, n_steps * step), n_steps // 3 * step or step

        def hear() -> Heard:
            first, states = other.run(samples[:cut], other.silent_states())
            second, states = other.run(samples[cut:], states)
            return np.concatenate([first, second]), list(states.values())

        return hear

    @property
    def forgets(self) -> bool:
        """Whether `settle` frames make the state, to the last bit, whatever was before them: it is tried out."""
        if self._forgets is None:
            meta, silent = self.metadata, self.silent_states()
            n_samples = -(-max(1, meta.settle) // meta.block) * meta.block * meta.hop
            audio = (1e-3 * np.sin(np.arange(n_samples) ** 1.1)).astype(np.float32)
            other = {name: state + np.float32(100.0) for name, state in silent.items()}
            ends = [self.run(audio, states)[1] for states in (silent, other)]
            self._forgets = all(np.array_equal(ends[0][name], ends[1][name]) for name in silent)
        return self._forgets

    def _calibrated(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        for index, label in enumerate(self.metadata.labels):
            if label in self.metadata.calibration:
                probabilities[:, index] = self.metadata.calibration[label].apply(probabilities[:, index])
        return probabilities

    def _run(self, names: list[str], inputs: States) -> list[NDArray[np.float32]]:
        try:
            with self._turn:
                outputs: list[NDArray[np.float32]] = self._session.run(names, inputs)
        except Exception as error:  # onnxruntime's exceptions share no base class but this
            reason = str(error).strip().splitlines()[0]
            raise DetectorError(f"{self.path}: does not run ({reason}); train the detector again") from error
        return outputs


def _outputs(states: States) -> list[str]:
    return [f"{name}_out" for name in states]


def _n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_there(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise DetectorError(f"{path}: {what}; wanted a detector, the .onnx file that `hubbub train` writes")


def _open(path: Path, threads: int | None) -> Session:
    try:
        return open_session(path, on_cpu(threads).provider, threads)
    except Exception as error:  # onnxruntime's exceptions share no base class but this
        raise DetectorError(
            f"{path}: is no ONNX file that onnxruntime can open; wanted a detector that `hubbub train` wrote"
        ) from error


def _read_metadata(path: Path, session: Session) -> Metadata:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise DetectorError(
            f"{path}: an ONNX file without the metadata key {METADATA_KEY!r}; "
            "wanted a detector that `hubbub train` wrote"
        )
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise DetectorError(f"{path}: its metadata are not JSON ({error}); train the detector again") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema not in SCHEMAS:
        raise DetectorError(
            f"{path}: metadata schema {schema!r}; this version of hubbub reads {' and '.join(map(str, SCHEMAS))}; "
            "upgrade hubbub or train the detector again"
        )
    try:
        metadata = Metadata.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"metadata field {where!r}: {first['msg']}"
        if not where:  # fields that do not fit each other
            what = f"metadata: {first['msg'].removeprefix('Value error, ')}"
        raise DetectorError(f"{path}: {what}; train the detector again") from error
    _check_graph(path, session, metadata)
    return metadata


def _check_graph(path: Path, session: Session, metadata: Metadata) -> None:
    missing_rules = [label for label in metadata.labels if label not in metadata.decode]
    if missing_rules and metadata.task == "events":
        raise DetectorError(f"{path}: no decision rule for label {missing_rules[0]!r}; train the detector again")
    inputs = {node.name for node in session.get_inputs()}
    outputs = {node.name: node.shape for node in session.get_outputs()}
    wanted_outputs = {"probabilities", *(f"{name}_out" for name in metadata.states)}
    if inputs != {"audio", *metadata.states} or set(outputs) != wanted_outputs:
        raise DetectorError(f"{path}: the graph's inputs and outputs are not those its metadata name; train it again")
    shape = outputs["probabilities"]
    before = ["1", "n_frames"] if metadata.task == "events" else ["1"]
    if len(shape) != len(before) + 1 or shape[-1] != len(metadata.labels):
        raise DetectorError(
            f"{path}: the graph gives probabilities of shape {shape}; "
            f"wanted {', '.join(before)}, {len(metadata.labels)} labels; train the detector again"
        )
