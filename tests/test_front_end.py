"""The front end against librosa, against a slow transform, and against itself when it is cut into blocks."""

import warnings
from pathlib import Path

import librosa
import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch.nn import functional

from hubbub.errors import ConfigError
from hubbub.training.front_end import (
    CHUNK,
    OURS,
    REPORT_MONOPHONIC,
    REPORT_POLYPHONIC,
    FrontEnd,
    FrontEndConfig,
    clip_db,
    librosa_features,
)
from hubbub.training.power_spectrum import PowerSpectrum

SAMPLE_RATE = 22050
Samples = NDArray[np.float64]


def log_mel(config: FrontEndConfig) -> FrontEndConfig:
    return FrontEndConfig(**{**config.model_dump(), "kind": "log_mel", "n_mfcc": None})


REPORT = {
    "poly mfcc": REPORT_POLYPHONIC,
    "poly log-mel": log_mel(REPORT_POLYPHONIC),
    "mono mfcc": REPORT_MONOPHONIC,
    "mono log-mel": log_mel(REPORT_MONOPHONIC),
}


def sounds() -> dict[str, Samples]:
    """Full-scale ±1 and shorter than a second, hard ones among them: 80 dB lie between loud and quiet."""
    rng = np.random.default_rng(5)
    time = np.arange(int(0.7 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.uniform(-1, 1, len(time))
    click = np.zeros(len(time))
    click[7000] = 1.0
    sine = {hz: np.sin(2 * np.pi * hz * time) for hz in (21.7, 440, 1441.8, 5003.3, 11010)}
    return {
        "noise": noise,
        "tones": 0.5 * sine[440] + 0.4 * sine[5003.3],
        "low tone": sine[21.7],
        "tone": sine[1441.8],
        "tone beside the last band": sine[11010],
        "sweep": np.sin(2 * np.pi * (20 * time + 7000 * time**2)),
        "silence": np.zeros(len(time)),
        "silence and a click": click,
        "loud, then near silence": noise * np.where(time < 0.3, 1.0, 1e-5),
        "near silence, then loud": noise * np.where(time < 0.3, 3e-5, 1.0),
        "quiet": noise * 1e-5,
        "fading": noise * 10 ** (-8 * time),
        "constant": 0.9 + 1e-4 * noise,
        "shorter than a window": noise[: int(0.05 * SAMPLE_RATE)],
        "as 16 bits": np.round(0.3 * sine[440] * 32768) / 32768,
    }


SOUNDS = sounds()


def of_librosa(config: FrontEndConfig, audio: NDArray[np.floating]) -> NDArray[np.floating]:
    settings = {"y": audio, "sr": config.sample_rate, "n_fft": config.n_fft, "hop_length": config.hop}
    settings |= {"n_mels": config.n_mels, "dtype": audio.dtype.type}
    if config.n_mfcc is None:
        return librosa.power_to_db(librosa.feature.melspectrogram(**settings)).T
    return librosa.feature.mfcc(**settings, n_mfcc=config.n_mfcc).T


def difference(a: torch.Tensor, b: torch.Tensor | NDArray[np.floating]) -> float:
    assert a.shape == b.shape
    return float((a - torch.as_tensor(b)).abs().max())


@pytest.mark.filterwarnings("ignore:n_fft=:UserWarning")  # librosa's remark on sounds shorter than a window
@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", REPORT)
def test_agrees_with_librosa(name: str, sound: str) -> None:
    front_end, audio = FrontEnd(REPORT[name]), SOUNDS[sound]
    single = audio.astype(np.float32)
    features = librosa_features(front_end, single)
    assert features.dtype == torch.float32
    assert difference(features, of_librosa(REPORT[name], single)) < 5e-4, "ten times better than is asked for"
    assert difference(librosa_features(front_end.double(), audio), of_librosa(REPORT[name], audio)) < 1e-9


@pytest.mark.filterwarnings("ignore:n_fft=:UserWarning")
@pytest.mark.parametrize("n_samples", [0, 1, 219, 220, 221, 440, 1023, 1024, 2048, 22050 * 4])
@pytest.mark.parametrize("config", [REPORT_POLYPHONIC, REPORT_MONOPHONIC], ids=["poly", "mono"])
def test_any_length_has_the_frames_of_librosa(config: FrontEndConfig, n_samples: int) -> None:
    audio = np.random.default_rng(1).uniform(-1, 1, n_samples)
    features = librosa_features(FrontEnd(config).double(), audio)
    assert features.shape == (1 + n_samples // config.hop, 40)
    if n_samples:
        assert difference(features, of_librosa(config, audio)) < 1e-9


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", REPORT)
def test_what_is_exported_agrees_with_what_trains(name: str, sound: str) -> None:
    front_end = FrontEnd(REPORT[name])
    audio = torch.from_numpy(SOUNDS[sound].astype(np.float32))
    half = front_end.config.n_fft // 2
    features = front_end(functional.pad(audio, (half, half))[None])[0]
    # A band 80 dB below a pure tone is what the last digits of float32 leave of it; a cosine transform averages bands.
    tolerance = 1e-2 if front_end.config.n_mfcc is None else 5e-3
    assert difference(features, librosa_features(front_end, audio)) < tolerance


@pytest.mark.parametrize("n_fft", [2, 3, 7, 16, 101, 105, 440, 441, 1024])
def test_power_spectrum_is_the_dft(n_fft: int) -> None:
    hop = max(1, n_fft // 3)
    spectrum = PowerSpectrum(n_fft, hop, torch.float64)
    audio = np.random.default_rng(2).normal(size=n_fft + 4 * hop + hop - 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = np.stack([audio[t * hop : t * hop + n_fft] * window for t in range(5)])
    expected = np.abs(np.fft.fft(frames)) ** 2
    power = spectrum(torch.from_numpy(np.stack([audio, 2 * audio])))
    assert set(spectrum.bins) == set(range(n_fft // 2 + 1))
    assert difference(power[0], expected[:, spectrum.bins]) < 1e-10 * n_fft
    assert difference(power[1], 4 * expected[:, spectrum.bins]) < 1e-10 * n_fft


@pytest.mark.parametrize("config", [OURS, REPORT_POLYPHONIC, REPORT_MONOPHONIC, *REPORT.values()])
@pytest.mark.parametrize("n_samples", [1, 440, 441, 442, 9000])
def test_frame_t_is_centred_on_its_own_samples(config: FrontEndConfig, n_samples: int) -> None:
    audio = np.random.default_rng(3).uniform(-1, 1, n_samples)
    hop, n_fft = config.hop, config.n_fft
    n_frames = -(-n_samples // hop)
    surrounded = np.concatenate((np.zeros(n_fft), audio, np.zeros(n_fft + hop)))
    middles = (np.arange(n_frames) + 0.5) * hop
    starts = n_fft + np.floor(middles - n_fft / 2).astype(int)  # whole samples: up to half a sample early
    power = np.abs(np.fft.rfft([surrounded[s : s + n_fft] * np.hanning(n_fft + 1)[:-1] for s in starts])) ** 2
    mel = librosa.filters.mel(sr=22050, n_fft=n_fft, n_mels=config.n_mels, fmin=config.f_min, dtype=np.float64)
    if config is OURS:
        expected = np.log(power @ mel.T + 1e-6)
    else:
        expected = librosa.power_to_db(power @ mel.T)
        if config.n_mfcc is not None:
            expected = librosa.feature.mfcc(S=expected.T, n_mfcc=40).T
    assert difference(FrontEnd(config).double().grid_features(audio), expected) < 1e-9


def test_a_click_is_loudest_in_its_own_frame_and_alike_on_both_sides() -> None:
    audio = np.zeros(10 * 441)
    audio[4 * 441 + 220] = 1.0
    loudness = FrontEnd(OURS).double().grid_features(audio).mean(1)
    assert loudness.argmax() == 4
    # The window can start on whole samples only: half a sample from the middle at most.
    assert abs(float(loudness[3] - loudness[5])) < 0.05 * abs(float(loudness[4] - loudness[3]))


@pytest.mark.parametrize("config", [OURS, log_mel(REPORT_POLYPHONIC)], ids=["ours", "top_db over the recording"])
def test_a_recording_of_many_chunks_is_one(config: FrontEndConfig) -> None:
    n_frames = 2 * CHUNK + 3
    audio = np.random.default_rng(4).uniform(-1, 1, n_frames * config.hop - 5) * np.linspace(
        1, 1e-5, n_frames * config.hop - 5
    )
    front_end = FrontEnd(config)
    after = front_end.right_context + 5
    whole = front_end(functional.pad(torch.from_numpy(audio).float(), (front_end.left_context, after))[None])[0]
    assert difference(whole, front_end.grid_features(audio)) < 1e-3


def test_an_empty_recording_has_no_frames() -> None:
    assert FrontEnd(OURS).grid_features(np.zeros(0)).shape == (0, 64)
    assert FrontEnd(REPORT_POLYPHONIC).grid_features(np.zeros(0)).shape == (0, 40)


STREAMED = [
    OURS,
    FrontEndConfig(kind="log_mel", sample_rate=16000, n_fft=64, hop=63, n_mels=4),
    FrontEndConfig(kind="log_mel", sample_rate=16000, n_fft=65, hop=64, n_mels=4),
    FrontEndConfig(kind="mfcc", sample_rate=16000, n_fft=400, hop=37, n_mels=8, n_mfcc=5),
    FrontEndConfig(kind="log_mel", sample_rate=22050, n_fft=2048, hop=512, n_mels=64),
]


@pytest.mark.parametrize("config", STREAMED)
def test_random_blocks_give_the_grid_late_by_the_look_ahead(config: FrontEndConfig) -> None:
    rng = np.random.default_rng(6)
    front_end = FrontEnd(config)
    n_frames, late = 40, front_end.look_ahead
    audio = torch.from_numpy(rng.uniform(-1, 1, n_frames * config.hop - config.hop // 2).astype(np.float32))
    waiting = functional.pad(audio, (0, config.hop // 2 + late * config.hop))[None]
    state = torch.zeros(1, front_end.state_length)
    given = []
    while waiting.shape[1]:
        n_blocks = int(rng.integers(1, 8))
        block, waiting = waiting[:, : n_blocks * config.hop], waiting[:, n_blocks * config.hop :]
        features, state = front_end.step(block, state)
        assert features.shape[1] == block.shape[1] // config.hop
        assert state.shape == (1, front_end.state_length)
        given.append(features[0])
    streamed = torch.cat(given)
    assert difference(streamed[late:], front_end.grid_features(audio)) < 1e-3


def test_ours_is_twenty_milliseconds_one_frame_late() -> None:
    front_end = FrontEnd(OURS)
    assert OURS.hop / OURS.sample_rate == 0.02
    assert (front_end.left_context, front_end.right_context, front_end.look_ahead) == (292, 291, 1)
    assert front_end.state_length == 292 + 441


def test_top_db_cuts_each_row_of_a_batch_below_its_own_maximum() -> None:
    bands = torch.tensor([[[0.0, -90.0], [-50.0, -80.0]], [[-20.0, -110.0], [-99.0, -101.0]]])
    cut = torch.tensor([[[0.0, -80.0], [-50.0, -80.0]], [[-20.0, -100.0], [-99.0, -100.0]]])
    assert torch.equal(clip_db(bands, 80.0), cut)
    assert torch.equal(clip_db(bands, None), bands)
    front_end = FrontEnd(log_mel(REPORT_POLYPHONIC))
    noise = torch.from_numpy(SOUNDS["loud, then near silence"]).float()
    features = front_end(torch.stack((noise, 0.1 * noise)))
    torch.testing.assert_close(features.amax((1, 2)) - features.amin((1, 2)), torch.full((2,), 80.0))


def test_autocast_does_not_halve_the_digits() -> None:
    front_end, audio = FrontEnd(OURS), torch.from_numpy(SOUNDS["noise"]).float()[None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = front_end(audio)
    assert torch.equal(features, front_end(audio))


def test_nothing_of_it_is_saved_or_trained() -> None:
    front_end = FrontEnd(REPORT_POLYPHONIC)
    assert front_end.state_dict() == {}
    assert list(front_end.parameters()) == []


@pytest.mark.parametrize("config", [OURS, REPORT_POLYPHONIC, REPORT_MONOPHONIC], ids=["ours", "poly", "mono"])
def test_the_constants_that_a_graph_computes_are_the_stored_ones(config: FrontEndConfig, tmp_path: Path) -> None:
    class Constants(torch.nn.Module):
        def __init__(self, stored: bool) -> None:
            super().__init__()
            self.front_end = FrontEnd(config, stored)

        def forward(self, nothing: torch.Tensor) -> tuple[torch.Tensor, ...]:
            weights = [values for values in self.front_end._constants() if values is not None]
            return tuple(values + nothing for values in (*weights, *self.front_end.power.constants().values()))

    path, nothing = tmp_path / "constants.onnx", torch.zeros(1)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(Constants(stored=False), (nothing,), str(path), input_names=["nothing"], dynamo=False)
    assert path.stat().st_size < 30_000
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    stored = Constants(stored=True)(nothing)
    for found, wanted in zip(session.run(None, {"nothing": nothing.numpy()}), stored, strict=True):
        assert difference(wanted, found) <= 2e-7 * float(wanted.abs().max())


def test_a_step_of_any_length_traces_into_plain_products() -> None:
    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.front_end = FrontEnd(OURS)

        def forward(self, block: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.front_end.step(block, state)

    step = Step().eval()
    state = torch.rand(1, step.front_end.state_length)
    n_samples = torch.export.Dim("n_blocks", min=2, max=4096) * OURS.hop
    program = torch.export.export(step, (torch.zeros(1, 4 * 441), state), dynamic_shapes=({1: n_samples}, None))
    operators = " ".join(str(node.target) for node in program.graph.nodes)
    assert operators.count("aten.matmul") == 3
    for refused in ("fft", "unfold", "index", "conv", "autocast"):
        assert refused not in operators
    for n_frames in (2, 3, 37):
        block = torch.rand(1, n_frames * 441)
        torch.testing.assert_close(program.module()(block, state), step(block, state))


def test_an_exported_step_gives_single_frames_bit_for_bit_as_it_gives_many(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """In int8 the last bit of a feature may be a whole step of what follows."""

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.front_end = FrontEnd(OURS, stored=False)

        def forward(self, block: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.front_end.step(block, state)

    step, path = Step().eval(), tmp_path / "step.onnx"
    state = torch.zeros(1, step.front_end.state_length)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            step, (torch.zeros(1, 3 * OURS.hop), state), str(path), input_names=["block", "state"], dynamo=False,
            dynamic_axes={"block": {1: "n_samples"}},
        )  # fmt: skip
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    audio = rng.uniform(-1, 1, (1, 84 * OURS.hop)).astype(np.float32)
    given = {}
    for n_frames in (1, 2, 7, 84):
        heard, pieces = state.numpy(), []
        for block in np.split(audio, 84 // n_frames, axis=1):
            features, heard = session.run(None, {"block": block, "state": heard})
            pieces.append(features)
        given[n_frames] = np.concatenate(pieces, axis=1)
    assert given[84].std() > 0.1
    for features in given.values():
        np.testing.assert_array_equal(features, given[84])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_mfcc": None}, "n_mfcc belongs to kind 'mfcc'"),
        ({"kind": "log_mel"}, "n_mfcc belongs to kind 'mfcc'"),
        ({"n_mfcc": 41}, "n_mfcc is 41; wanted at most n_mels, 40"),
        ({"hop": 440}, "hop is 440; wanted less than n_fft, 440"),
        ({"f_min": 12000.0}, "mel bands from 12000 to 11025 Hz"),
        ({"f_max": 11026.0}, "mel bands from 0 to 11026 Hz"),
        ({"scale": "ln"}, "top_db needs scale 'db'"),
        ({"log_floor": 0.0}, "greater than 0"),
        ({"window": "hann"}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FrontEndConfig(**{**REPORT_POLYPHONIC.model_dump(), **change})


def test_mel_bands_without_a_frequency_are_refused() -> None:
    config = FrontEndConfig(kind="log_mel", sample_rate=22050, n_fft=440, hop=220, n_mels=200)
    with pytest.raises(ConfigError, match="200 mel bands are too narrow for n_fft 440"):
        FrontEnd(config)
