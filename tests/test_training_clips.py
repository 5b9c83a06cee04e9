"""Training on whole clips: what an item is, the categorical loss, a network that learns, the file that it becomes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from hubbub import load
from hubbub.detector import ClipDetector
from hubbub.networks import CLIP_NAMES, HubClip, HubConfig, build, labels_clips
from hubbub.networks.count import n_parameters
from hubbub.reproduce.monophonic.reported import PARAMETERS
from hubbub.training.config import TrainConfig
from hubbub.training.data import Augment, Clips, Example
from hubbub.training.export import silence_of
from hubbub.training.export_clip import clip_features, clip_samples, export_clip
from hubbub.training.fit import fit
from hubbub.training.front_end import OURS, REPORT_MONOPHONIC, FrontEnd
from hubbub.training.module import TrainingModule
from hubbub.training.predict import clip_frames, predict_clips

N_BANDS = 8
SILENCE = np.full(N_BANDS, -3, np.float32)
PERIOD = 0.2  # a clip of 4 s has 21 frames
SMALL = HubConfig(n_features=N_BANDS, stem=(8, 8, 8), width=16, dilations=(1, 2), max_ahead=3, dropout=0.1)


def examples(n: int, seed: int) -> list[Example]:
    """Noise of many lengths in which one of three bands, somewhere, tells the label."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(n):
        label, n_frames = index % 3, int(rng.integers(4, 21))
        features = rng.normal(-2, 0.3, size=(n_frames, N_BANDS)).astype(np.float32)
        start = int(rng.integers(0, n_frames - 3))
        features[start : start + 4, 2 * label + 1] += 3
        made.append(Example(f"{index}", features, np.eye(3, dtype=bool)[[label]]))
    return made


def small() -> HubClip:
    torch.manual_seed(0)
    return HubClip(3, SMALL)


def test_ours_is_small_and_the_reports_are_as_large_as_in_the_report() -> None:
    assert n_parameters(build("hub_clip", 10)) <= 150_000
    assert 20 * n_parameters(build("hub_clip", 10)) < PARAMETERS["mono_baseline"]
    for name, expected in {"mono_baseline": 3_682_826, "mono_proposed": 152_099}.items():
        assert n_parameters(build(name, 10)) == PARAMETERS[name] == expected
    assert all(labels_clips(name) for name in CLIP_NAMES) and not labels_clips("small")


def test_an_item_is_the_clip_and_silence_behind_it() -> None:
    (example,) = examples(1, 0)
    n_frames = len(example.features)
    features, targets, mask = (x.numpy() for x in Clips([example], 21, 5, SILENCE)[0])
    assert features.shape == (26, N_BANDS) and mask.shape == (21,)
    np.testing.assert_array_equal(features[:n_frames], example.features)
    np.testing.assert_array_equal(features[n_frames:], np.tile(SILENCE, (26 - n_frames, 1)))
    np.testing.assert_array_equal(mask, [1] * n_frames + [0] * (21 - n_frames))
    np.testing.assert_array_equal(targets, [1, 0, 0])
    features, _, mask = (x.numpy() for x in Clips([example], 3, 1, SILENCE)[0])  # a clip that is too long is cut
    np.testing.assert_array_equal(features[:3], example.features[:3])
    np.testing.assert_array_equal(features[3], SILENCE)
    assert mask.all()


def test_in_training_a_part_is_drawn_and_what_is_behind_it_stays_silent() -> None:
    clips = Clips(examples(6, 1), 21, 5, SILENCE, Augment(), seed=3, least_part=0.5)
    lengths = set()
    for number, example in enumerate(clips.examples):
        features, _, mask = (x.numpy() for x in clips[(1, number)])
        again = clips[(1, number)][0].numpy()
        np.testing.assert_array_equal(features, again)
        n_frames = int(mask.sum())
        assert len(example.features) / 2 - 1 <= n_frames <= len(example.features)
        lengths.add(n_frames / len(example.features))
        np.testing.assert_array_equal(features[n_frames:], np.tile(SILENCE, (26 - n_frames, 1)))
        assert not np.array_equal(features, clips[(2, number)][0].numpy())
    assert len(lengths) > 3


def test_what_lies_behind_a_clip_does_not_change_its_logits_but_for_the_silence_it_looks_into() -> None:
    network = small().eval()
    (example,) = examples(1, 2)
    after, n_frames = network.look_ahead, len(example.features)
    heard = [
        torch.from_numpy(np.concatenate([example.features, np.tile(SILENCE, (n, 1))]))[None] for n in (after, after + 9)
    ]
    with torch.inference_mode():
        alone = network(heard[0])
        mask = torch.cat([torch.ones(1, n_frames), torch.zeros(1, 9)], 1)
        assert torch.allclose(network(heard[1], mask), alone, atol=1e-6)
        assert not torch.allclose(network(heard[1]), alone, atol=1e-5)


def test_the_loss_and_the_accuracy_are_categorical() -> None:
    config = TrainConfig.of("hub_clip", batch_size=3)
    module = TrainingModule(small().eval(), config)
    clips = Clips(examples(3, 4), 21, module.network.look_ahead, SILENCE)  # type: ignore[arg-type]
    features, targets, mask = (torch.stack(parts) for parts in zip(*(clips[k] for k in range(3)), strict=True))
    loss = module._loss(module.network, (features, targets, mask), module.validation_totals)
    logits = module.network(features, mask)
    expected = functional.cross_entropy(logits, torch.tensor([0, 1, 2]))
    assert loss.item() == pytest.approx(expected.item())
    accuracy = float((logits.argmax(1) == torch.tensor([0, 1, 2])).float().mean())
    assert module.validation_totals.means() == pytest.approx((expected.item(), accuracy))


def test_training_learns(tmp_path: Path) -> None:
    config = TrainConfig(network="hub_clip", epochs=4, least_batches=20, threads=1, device="cpu", augment=None)
    fitted = fit(small(), examples(48, 1), examples(24, 2), SILENCE, config, PERIOD, tmp_path)
    unheard = examples(30, 3)
    probabilities = predict_clips(fitted.network, [e.features for e in unheard], SILENCE, clip_frames(PERIOD))
    assert probabilities.shape == (30, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    right = probabilities.argmax(1) == [e.targets[0].argmax() for e in unheard]
    assert right.mean() > 0.8


def test_frames_of_a_clip() -> None:
    for config, n_frames in ((REPORT_MONOPHONIC, 174), (OURS, 203)):
        assert clip_frames(config.hop / config.sample_rate) == n_frames
        samples = np.zeros(clip_samples(config) + 5000, np.float32)
        assert clip_features(FrontEnd(config), samples).shape == (n_frames, config.n_features)
        assert clip_features(FrontEnd(config), samples[:1]).shape == (1, config.n_features)


@pytest.mark.parametrize("name", ["mono_repaired", "hub_clip"])
def test_an_exported_file_gives_what_torch_gives(name: str, tmp_path: Path) -> None:
    config = OURS if name == "hub_clip" else REPORT_MONOPHONIC
    torch.manual_seed(0)
    network = build(name, 3).eval()
    facts = {"name": name}
    exported = export_clip(tmp_path / "clip.onnx", network, config, "abc", network_facts=facts, training_facts={})
    assert exported.largest_difference < 1e-5
    detector = load(exported.path)
    assert isinstance(detector, ClipDetector)
    assert detector.metadata.task == "clip" and detector.metadata.clip == clip_samples(config)
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal(20_000)).astype(np.float32)
    features = clip_features(FrontEnd(config), samples)
    silence, n_frames = silence_of(config), clip_frames(config.hop / config.sample_rate)
    expected = predict_clips(network, [features], silence, n_frames)
    np.testing.assert_allclose(detector.probabilities(samples).values, expected, atol=1e-5)
