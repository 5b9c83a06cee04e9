"""Soundscapes mixed anew for every step: what an item holds, that a killed run hears the same, losses, the average."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hubbub import audio
from hubbub.errors import AudioError
from hubbub.events import to_targets
from hubbub.grid import Grid
from hubbub.mixing import ActivityConfig, Clip, ClipStore, MixConfig, Placement, Scene, render
from hubbub.networks import Hub, HubConfig
from hubbub.training.config import TrainConfig
from hubbub.training.data import Example
from hubbub.training.export import silence_of
from hubbub.training.fit import Fitted, Status, fit
from hubbub.training.fresh import Fresh, FreshSegments
from hubbub.training.front_end import FrontEnd, FrontEndConfig
from hubbub.training.losses import edge_weights, frame_losses

RATE = 8000
FRONT_END = FrontEndConfig(
    kind="log_mel", sample_rate=RATE, n_fft=256, hop=160, n_mels=16, f_min=40.0, scale="ln", log_floor=1e-6
)
GRID = Grid(RATE, 160)
MIXING = MixConfig(
    sample_rate=RATE, duration=(20.0, 20.0), n_labels=(1, 2), excerpt=(0.5, 2.0), polyphony=0.6, low_pass_chance=0.0,
    shelf_chance=0.0, activity=ActivityConfig(shortest_gap=0.02),
)  # fmt: skip
CONFIG = TrainConfig(
    epochs=3, batch_size=2, segment_seconds=1.0, least_batches=1, threads=1, device="cpu", workers=1, average=0.9,
    optimizer="adamw", warm_up=0.2, mixup=0.5, edge_weight=1.0, loss="asymmetric",
)  # fmt: skip


def fresh(folder: Path, minutes: float = 0.1) -> Fresh:
    """A low and a high tone, two recordings each, a second long."""
    clips: dict[str, list[Clip]] = {}
    for label, hertz in (("low", 300.0), ("high", 2500.0)):
        for number in range(2):
            path = folder / "clips" / label / f"{number}.wav"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                time = np.arange(RATE) / RATE
                audio.write(path, (0.3 * np.sin(2 * np.pi * (hertz + 40 * number) * time)).astype(np.float32), RATE)
            clips.setdefault(label, []).append(Clip(path, label, f"{label}{number}"))
    store = ClipStore(RATE, MIXING.activity, folder / "clips")
    return Fresh(clips, (), MIXING, ("high", "low"), FRONT_END, minutes, store)


def segments(folder: Path, context: int = 20) -> FreshSegments:
    return FreshSegments(fresh(folder), 100, context, 5, silence_of(FRONT_END), seed=3)


def test_an_item_is_drawn_from_its_epoch_and_number_alone(tmp_path: Path) -> None:
    first, second = segments(tmp_path), segments(tmp_path)
    assert len(first) == 3, "0.1 minutes in segments of two seconds"
    items = [first[2, number] for number in range(3)]
    again = [second[2, number] for number in reversed(range(3))][::-1]
    for one, other in zip(items, again, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not torch.equal(items[0][0], first[3, 0][0]), "another epoch, another mixture"


def test_targets_lie_where_the_sound_is(tmp_path: Path) -> None:
    made = segments(tmp_path)
    bands = {"low": slice(0, 8), "high": slice(10, 16)}
    heard = dict.fromkeys(bands, 0)
    for number in range(30):
        features, targets, mask = (tensor.numpy() for tensor in made[0, number])
        assert features.shape == (125, 16) and targets.shape == (100, 2) and mask.shape == (100,) and mask.all()
        loud = {label: features[20:120, band].max(1) > -8 for label, band in bands.items()}
        for column, label in enumerate(made.fresh.labels):
            on = targets[:, column] > 0
            heard[label] += int(on.sum())
            inside = on & np.roll(on, 1) & np.roll(on, -1)
            outside = ~(on | np.roll(on, 1) | np.roll(on, -1))
            assert loud[label][inside].all(), f"{label}, item {number}: silent where it is to sound"
            assert not loud[label][outside].any(), f"{label}, item {number}: sounds where it is to be silent"
    assert min(heard.values()) > 100


def test_noise_lies_under_events_and_stands_alone_where_it_is_quiet(tmp_path: Path) -> None:
    made = segments(tmp_path)
    clean = [made[0, number] for number in range(12)]
    made.fresh = replace(made.fresh, quiet=1.0)
    quiet = [made[0, number] for number in range(12)]
    assert all(not targets.any() for _, targets, _ in quiet) and any(targets.any() for _, targets, _ in clean)
    levels = [float(features.max()) for features, _, _ in quiet]
    assert min(levels) > -13.8 and max(levels) > -4, "no item is silent, some are loud"
    made.fresh = replace(made.fresh, quiet=0.0, noisy=1.0)
    noisy = [made[0, number] for number in range(12)]
    for (before, targets, _), (after, same, _) in zip(clean, noisy, strict=True):
        assert torch.equal(targets, same)
        assert float(after.mean()) > float(before.mean())
        assert float(after.max()) < float(before.max()) + 2, "it does not drown what sounds"


def test_nothing_sounds_in_a_gap_and_the_rest_stays(tmp_path: Path) -> None:
    made = segments(tmp_path)
    clean = [made[0, number] for number in range(12)]
    made.fresh = replace(made.fresh, gaps=1.0)
    n_emptied = n_kept = 0
    for (before, sounded, _), number in zip(clean, range(12), strict=True):
        features, targets, mask = made[0, number]
        silent = (features - torch.from_numpy(silence_of(FRONT_END))).abs().amax(1)[20:120] < 1e-4
        assert mask.all() and not targets[silent].any(), "a frame that is empty holds no event"
        same = (features == before).all(1)[20:120]
        assert torch.equal(targets[same], sounded[same])
        n_emptied += int((sounded.any(1) & silent).sum())
        n_kept += int((targets.any(1) & same).sum())
    assert n_emptied > 20 and n_kept > 100


def test_a_background_with_a_label_is_an_event_and_no_noise_drowns_it(tmp_path: Path) -> None:
    given = fresh(tmp_path)
    under = replace(given, clips={"low": given.clips["low"]}, backgrounds=given.clips["high"], noisy=0.0, quiet=1.0,
                    mixing=MIXING.model_copy(update={"snr_db": (6.0, 10.0)}))  # fmt: skip
    made = FreshSegments(under, 100, 20, 5, silence_of(FRONT_END), seed=3)
    for number in range(12):
        features, targets, _ = made[0, number]
        on = targets[:, 0] > 0
        assert on.any()
        assert not targets[:, 1].any(), "no clip sounds in a quiet item"
        high, low = (features[20:120, bands].mean(1)[on] for bands in (slice(10, 16), slice(0, 8)))
        assert (high - low).median() > 1, "the tone is what is heard, not noise"
    silent = replace(under, labels=("low",))
    assert not FreshSegments(silent, 100, 20, 5, silence_of(FRONT_END), seed=3)[0, 0][1].any()


def test_some_items_begin_before_their_scene_does(tmp_path: Path) -> None:
    made = segments(tmp_path, context=400)  # of a thousand frames
    silent = [float(made[0, number][0][:20].max()) < -13 for number in range(30)]
    assert 3 < sum(silent) < 30


def test_a_clip_that_cannot_be_read_is_told_before_the_work(tmp_path: Path) -> None:
    made = fresh(tmp_path)
    told: list[tuple[int, int]] = []
    made.read(lambda done, of: told.append((done, of)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    (tmp_path / "clips" / "low" / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"1\.wav"):
        fresh(tmp_path).read()


def test_another_clip_is_another_key(tmp_path: Path) -> None:
    before = fresh(tmp_path).key
    assert fresh(tmp_path).key == before != fresh(tmp_path, minutes=0.2).key
    (tmp_path / "clips" / "low" / "1.wav").write_bytes((tmp_path / "clips" / "low" / "0.wav").read_bytes())
    assert fresh(tmp_path).key != before


def test_the_same_clips_drawn_by_other_names_are_another_key(tmp_path: Path) -> None:
    given = fresh(tmp_path)
    joined = replace(given, clips={"both": [clip for members in given.clips.values() for clip in members]})
    assert joined.key != given.key


def run(folder: Path, sounds: Path, stop_after: int | None = None) -> Fitted:
    """Trains in `folder`; with `stop_after`, the process dies without a farewell after so many batches."""

    def die(status: Status) -> None:
        if stop_after is not None and status.batches == stop_after:
            os._exit(9)

    torch.manual_seed(0)
    network = Hub(2, HubConfig(n_features=16, stem=(4, 4, 4), width=8, dilations=(1, 2), max_ahead=3, dropout=0.2))
    made = fresh(sounds)
    held_out = FreshSegments(made, 100, 0, 0, silence_of(FRONT_END), seed=9)
    validation = [Example("v", held_out[0, 0][0].numpy(), held_out[0, 0][1].numpy() > 0)]
    return fit(network, made, validation, silence_of(FRONT_END), CONFIG, GRID.period, folder, die)


def test_a_killed_run_hears_what_it_would_have_heard(tmp_path: Path) -> None:
    unbroken = run(tmp_path / "unbroken", tmp_path)
    code = (
        "import tests.test_fresh as t; from pathlib import Path; "
        f"t.run(Path({str(tmp_path / 'killed')!r}), Path({str(tmp_path)!r}), 7)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, timeout=120)
    assert done.returncode == 9, done.stderr.decode()
    assert len((tmp_path / "killed" / "log.csv").read_text().splitlines()) == 3, "it was to be killed in the last epoch"
    resumed = run(tmp_path / "killed", tmp_path)
    assert resumed.epochs == unbroken.epochs == 3 and resumed.best_epoch == unbroken.best_epoch
    for (name, a), (_, b) in zip(
        unbroken.network.state_dict().items(), resumed.network.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name


def test_what_is_kept_is_the_average(tmp_path: Path) -> None:
    fitted = run(tmp_path / "run", tmp_path)
    state = torch.load(tmp_path / "run" / "best.ckpt", weights_only=True)["state_dict"]
    name = "head.weight"
    kept = fitted.network.state_dict()[name]
    assert torch.equal(kept, state[f"average.module.{name}"])
    assert not torch.equal(kept, state[f"network.{name}"])


def test_losses_by_hand() -> None:
    logits = torch.tensor([[[0.0, 2.0], [-1.0, 0.5]]])
    targets = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    p = 1 / (1 + np.exp(-logits.numpy()))
    t = targets.numpy()
    cross_entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    wrong = t * (1 - p) + (1 - t) * p
    for kind, weights in (
        ("bce", np.ones_like(p)),
        ("focal", wrong**2),
        ("asymmetric", np.where(t > 0, 1, wrong**2)),
    ):
        found = frame_losses(logits, targets, kind)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.numpy(), cross_entropy * weights, rtol=1e-5)


def test_frames_near_an_edge_count_more() -> None:
    targets = torch.zeros(1, 12, 2)
    targets[0, 4:9, 1] = 1  # begins at 4, has ended at 9
    weights = edge_weights(targets, 2.0, 1)
    assert weights[0, :, 0].tolist() == [1] * 12
    assert weights[0, :, 1].tolist() == [1, 1, 1, 3, 3, 3, 1, 1, 3, 3, 3, 1]


def test_an_excerpt_is_the_scene_from_there_on(tmp_path: Path) -> None:
    fresh(tmp_path)
    store = ClipStore(RATE, MIXING.activity, tmp_path / "clips")
    inside = Placement(file="low/0.wav", label="low", start=0.0, length=1.0, onset=5.0, level_db=-20)
    cut = Placement(file="high/0.wav", label="high", start=0.0, length=1.0, onset=7.5, level_db=-20)
    scene = Scene(sample_rate=RATE, duration=10.0, placements=(inside, cut), activity=MIXING.activity)
    whole, events = render(scene, store)
    part, found = render(scene.excerpt(4.5, 3.5), store)
    np.testing.assert_allclose(part[: 3 * RATE - 10], whole[int(4.5 * RATE) : int(7.5 * RATE) - 10], atol=1e-6)
    shifted = [(round(e.onset - 4.5, 3), round(min(e.offset - 4.5, 3.5), 3), e.label) for e in events]
    assert [(round(e.onset, 3), round(e.offset, 3), e.label) for e in found] == shifted
    before, _ = render(scene.excerpt(-1.0, 2.0), store)
    assert len(before) == 2 * RATE and not before.any()
    later, found = render(scene.excerpt(8.0, 1.0), store)  # half a second of the tone is left
    assert [(e.onset, round(e.offset, 3)) for e in found] == [(0.0, 0.5)] and later[: RATE // 2].any()


def test_a_clip_played_faster_is_shorter_and_higher(tmp_path: Path) -> None:
    fresh(tmp_path)
    store = ClipStore(RATE, MIXING.activity, tmp_path / "clips")
    sound, fast = store.sound("low/0.wav"), store.sound("low/0.wav", 1.25)
    assert len(fast.samples) == pytest.approx(len(sound.samples) / 1.25, abs=2)
    assert (sound.facts.half_power_hz, fast.facts.half_power_hz) == (
        pytest.approx(300, abs=3),
        pytest.approx(375, abs=3),
    )
    placed = Placement(file="low/0.wav", label="low", start=0.0, length=0.8, onset=1.0, level_db=-20, speed=1.25)
    _, events = render(Scene(sample_rate=RATE, duration=4.0, placements=(placed,), activity=MIXING.activity), store)
    assert [(e.onset, round(e.offset, 2)) for e in events] == [(1.0, 1.8)]
    config = MIXING.model_copy(update={"speeds": (0.8, 1.0, 1.25), "n_labels": (2, 2)})
    made = fresh(tmp_path)
    from hubbub.mixing import sample_scene

    drawn = sample_scene(made.clips, config, np.random.default_rng(1), store=made.store).placements
    assert {placement.speed for placement in drawn} == {0.8, 1.0, 1.25}


def test_the_front_end_of_an_item_is_that_of_a_recording(tmp_path: Path) -> None:
    """An excerpt that holds all that sounds is what the whole recording gives, frame by frame."""
    made = fresh(tmp_path)
    placed = Placement(file="low/0.wav", label="low", start=0.0, length=1.0, onset=1.0, level_db=-20)
    scene = Scene(sample_rate=RATE, duration=4.0, placements=(placed,), activity=MIXING.activity)
    samples, events = render(scene, made.store)
    front_end = FrontEnd(FRONT_END)
    whole = front_end.grid_features(samples).numpy()
    first, n_frames = 30, 120
    n_samples = (n_frames - 1) * GRID.hop + FRONT_END.n_fft
    begin = GRID.seconds(first) - front_end.left_context / RATE
    part, _ = render(scene.excerpt(begin, n_samples / RATE), made.store)
    features = front_end(torch.from_numpy(part)[None])[0].numpy()
    np.testing.assert_allclose(features, whole[first : first + n_frames], atol=2e-3)
    assert to_targets(events, ("low",), GRID, len(whole))[50:100].all()
