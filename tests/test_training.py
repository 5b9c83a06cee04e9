"""Segments, augmentation, a run that is killed and goes on, and thresholds tuned on validation."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from hubbub.decode import LabelRule, decode
from hubbub.errors import ConfigError
from hubbub.events import Event, to_targets
from hubbub.grid import Grid
from hubbub.networks import Hub, HubConfig
from hubbub.training import fit as fitting
from hubbub.training.config import TrainConfig
from hubbub.training.data import Augment, EpochSampler, Example, Segments
from hubbub.training.fit import LOG_COLUMNS, Fitted, History, Status, fit
from hubbub.training.module import TrainingModule
from hubbub.tuning import Validation, tune
from hubbub.tuning.rules import best_thresholds

N_BANDS = 8
SILENCE = np.full(N_BANDS, -3.0, np.float32)
CONFIG = TrainConfig(
    epochs=4, batch_size=4, segment_seconds=0.5, least_batches=1, threads=1, device="cpu", edge_weight=0.0
)


def examples(n: int, seed: int, n_frames: int = 120) -> list[Example]:
    """Noise in which a loud band tells the label."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(n):
        targets = np.repeat(rng.uniform(size=(n_frames // 20, 2)) > 0.5, 20, axis=0)
        features = rng.normal(-2, 0.3, size=(n_frames, N_BANDS)).astype(np.float32)
        features[:, [1, 6]] += 2 * targets
        made.append(Example(f"{index}", features, targets))
    return made


def network() -> Hub:
    torch.manual_seed(0)
    return Hub(2, HubConfig(n_features=N_BANDS, stem=(4, 4, 4), width=8, dilations=(1, 2), max_ahead=3, dropout=0.2))


def run(folder: Path, stop_after: int | None = None) -> Fitted:
    """Trains in `folder`; with `stop_after`, the process dies without a farewell after so many batches."""

    def die(status: Status) -> None:
        if stop_after is not None and status.batches == stop_after:
            os._exit(9)

    return fit(network(), examples(4, 1), examples(2, 2), SILENCE, CONFIG, 0.02, folder, die)


def test_a_segment_is_cut_and_padded_with_silence() -> None:
    (example,) = examples(1, 0, n_frames=60)
    segments = Segments([example], length=25, context=3, look_ahead=2, silence=SILENCE)
    assert len(segments) == 3
    features, targets, mask = (tensor.numpy() for tensor in segments[0])
    assert features.shape == (30, N_BANDS)
    np.testing.assert_array_equal(features[:3], np.tile(SILENCE, (3, 1)))
    np.testing.assert_array_equal(features[3:], example.features[:27])
    np.testing.assert_array_equal(targets, example.targets[:25])
    assert mask.all()
    features, targets, mask = (tensor.numpy() for tensor in segments[2])
    np.testing.assert_array_equal(features[:13], example.features[47:60])
    np.testing.assert_array_equal(features[13:], np.tile(SILENCE, (17, 1)))
    np.testing.assert_array_equal(mask, [1] * 10 + [0] * 15)
    assert not targets[10:].any()


def test_an_epoch_is_drawn_from_its_number_alone() -> None:
    segments = Segments(examples(3, 0), 25, 3, 2, SILENCE, Augment(), seed=7, jitter=True)
    first = [segments[(2, number)][0].numpy() for number in range(len(segments))]
    again = [segments[(2, number)][0].numpy() for number in reversed(range(len(segments)))][::-1]
    other = [segments[(3, number)][0].numpy() for number in range(len(segments))]
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    sampler = EpochSampler(10, seed=7)
    sampler.set_epoch(4)
    order = list(sampler)
    assert sorted(order) == [(4, number) for number in range(10)]
    assert order == list(sampler) != [(4, number) for number in range(10)]


def test_augmentation_keeps_the_floor_and_moves_the_level() -> None:
    features = np.zeros((5, N_BANDS), np.float32)
    changed = Augment(gain_db=6, colour_db=0, shifted_bands=0, masked_bands=0)(
        features, SILENCE, np.random.default_rng(0)
    )
    gain_db = changed / (np.log(10) / 10)
    assert np.ptp(gain_db) < 1e-5
    assert 0 < abs(gain_db[0, 0]) <= 6
    masked = Augment(masked_bands=N_BANDS)(features, SILENCE, np.random.default_rng(3))
    assert ((masked == SILENCE).all(axis=0)).any()
    assert (Augment()(features - 100, SILENCE, np.random.default_rng(0)) >= SILENCE).all()


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    unbroken = run(tmp_path / "unbroken")
    n_batches = 6  # an epoch: 4 recordings of 120 frames in segments of 25, four at a time... five, and a rest
    code = f"import tests.test_training as t; from pathlib import Path; t.run(Path({str(tmp_path / 'killed')!r}), 15)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, timeout=120)
    assert done.returncode == 9, done.stderr.decode()
    log = (tmp_path / "killed" / "log.csv").read_text().splitlines()
    assert 2 <= len(log) < 1 + CONFIG.epochs, "it was to be killed inside a later epoch"
    assert n_batches * (len(log) - 1) < 15 + n_batches
    resumed = run(tmp_path / "killed")
    assert (resumed.epochs, resumed.best_epoch) == (unbroken.epochs, unbroken.best_epoch) == (4, resumed.best_epoch)
    assert resumed.validation_loss == unbroken.validation_loss
    for (name, a), (_, b) in zip(
        unbroken.network.state_dict().items(), resumed.network.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name

    def rows(folder: str) -> list[list[str]]:
        lines = (tmp_path / folder / "log.csv").read_text().splitlines()
        return [line.split(",")[:-1] for line in lines]  # all but the seconds

    assert rows("killed") == rows("unbroken")
    assert rows("killed")[0] == list(LOG_COLUMNS[:-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_does_not_look_finished(tmp_path: Path, number: signal.Signals) -> None:
    def stop(status: Status) -> None:
        if status.batches == 7:
            signal.raise_signal(number)

    # a program started in the background ignores Ctrl-C, and this may be one
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(network(), examples(4, 1), examples(2, 2), SILENCE, CONFIG, 0.02, tmp_path, stop)
    finally:
        signal.signal(signal.SIGINT, before)  # lightning lets nothing stop it while it stops
    assert not (tmp_path / "finished.json").exists()


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = run(tmp_path)
    again = fit(network(), [], [], SILENCE, CONFIG, 0.02, tmp_path)
    assert again.validation_loss == first.validation_loss
    assert all(torch.equal(a, b) for a, b in zip(first.network.parameters(), again.network.parameters(), strict=True))


def test_training_learns(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"epochs": 12, "learning_rate": 0.01, "augment": None})
    fitted = fit(network(), examples(8, 1), examples(2, 2), SILENCE, config, 0.02, tmp_path)
    guess = np.log(2)  # the loss of saying 0.5 to everything
    assert fitted.validation_loss < 0.55 * guess


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        config = CONFIG.model_copy(update={"device": "tpu"})
    else:
        config = CONFIG.model_copy(update={"device": "cuda"})
    with pytest.raises(ConfigError, match=r"^device '(cuda|tpu)': .*; use --device cpu or auto$"):
        fit(network(), examples(1, 1), examples(1, 2), SILENCE, config, 0.02, tmp_path)


def micro_f1(found: np.ndarray, targets: np.ndarray) -> float:
    return 2 * (found & targets).sum() / (found.sum() + targets.sum())


def test_one_label_gets_the_threshold_with_the_best_f1(rng: np.random.Generator) -> None:
    targets = rng.uniform(size=(4000, 1)) < 0.2
    probabilities = np.clip(0.35 * targets + rng.normal(0.3, 0.12, size=(4000, 1)), 0, 1)
    (best,) = best_thresholds(probabilities, targets)
    tried = [micro_f1(probabilities >= t, targets) for t in np.round(np.arange(0.05, 0.96, 0.025), 3)]
    assert micro_f1(probabilities >= best, targets) == pytest.approx(max(tried))
    assert 0.4 < best < 0.55


def test_a_label_that_is_not_recognised_is_left_off_rather_than_on(rng: np.random.Generator) -> None:
    targets = rng.uniform(size=(4000, 2)) < 0.2
    probabilities = np.clip(0.35 * targets + rng.normal(0.3, 0.12, size=(4000, 2)), 0, 1)
    probabilities[:, 1] = np.clip(rng.normal(0.2, 0.03, size=4000), 0, 1)  # knows no more than that it is rare
    known, unknown = best_thresholds(probabilities, targets)
    assert 0.4 < known < 0.55
    assert (probabilities[:, 1] >= unknown).mean() < 0.05
    both = micro_f1(probabilities >= np.array([known, unknown]), targets)
    assert both > micro_f1(probabilities >= known, targets) - 1e-9


def test_rules_are_tuned_label_by_label(rng: np.random.Generator) -> None:
    grid = Grid(50, 1)
    n_frames, labels = 3000, ["steady", "flickering", "absent"]
    events = [Event(t, t + 2.0, label) for t in range(2, 56, 6) for label in labels[:2]]
    targets = to_targets(events, labels, grid, n_frames)
    probabilities = np.where(targets, 0.8, 0.1).astype(np.float32)
    flicker = rng.uniform(size=n_frames) < 0.15
    probabilities[flicker, 1] = 0.9 - probabilities[flicker, 1]
    rules = tune(Validation(labels, grid, {"a": probabilities}, {"a": events}, {"a": 60.0})).rules
    assert rules[0].median == 1, "what is steady needs no filter"
    assert rules[1].median > 1 or rules[1].shortest_gap > 0
    assert rules[2] == LabelRule()
    found = decode(probabilities, labels, rules, grid, 60.0)
    steady = [(e.onset, e.offset) for e in found if e.label == "steady"]
    assert steady == [(e.onset, e.offset) for e in events if e.label == "steady"]
    assert abs(len([e for e in found if e.label == "flickering"]) - 9) <= 1


def test_a_shift_moves_every_band_alike() -> None:
    features = np.tile(np.arange(N_BANDS, dtype=np.float32), (4, 1))
    shifts = set()
    for seed in range(40):
        augment = Augment(gain_db=0, colour_db=0, shifted_bands=2, masked_bands=0)
        row = augment(features, SILENCE, np.random.default_rng(seed))[0]
        moved = int(np.argmax(row == 4) - 4)
        inside = slice(max(0, moved), min(N_BANDS, N_BANDS + moved))
        np.testing.assert_array_equal(row[inside], features[0, inside.start - moved : inside.stop - moved])
        assert (np.delete(row, np.arange(N_BANDS)[inside]) == SILENCE[0]).all()
        shifts.add(moved)
    assert shifts == {-2, -1, 0, 1, 2}


def opposite(made: list[Example]) -> list[Example]:
    """The same sounds with the other labels: what is learnt makes it worse."""
    return [Example(example.name, example.features, ~example.targets) for example in made]


def test_an_epoch_can_be_a_part_that_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = EpochSampler(10, seed=7, most=4)
    drawn = []
    for epoch in range(30):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert len(order) == len(sampler) == len(set(order)) == 4, "one twice"
        assert order == list(sampler)
        drawn.append(tuple(order))
    assert {number for order in drawn for _, number in order} == set(range(10))
    assert len({tuple(number for _, number in order) for order in drawn}) > 25
    assert len(EpochSampler(10, seed=7, most=40)) == len(list(EpochSampler(10, seed=7, most=40))) == 10

    asked: list[tuple[int, int]] = []
    get = Segments.__getitem__

    def noted(segments: Segments, key: int | tuple[int, int]) -> tuple[torch.Tensor, ...]:
        asked.extend([key] if isinstance(key, tuple) else [])
        return get(segments, key)

    monkeypatch.setattr(Segments, "__getitem__", noted)
    config = CONFIG.model_copy(update={"epochs": 3, "epoch_minutes": 3.2 / 60})  # six segments of half a second
    fit(network(), examples(4, 1), examples(2, 2), SILENCE, config, 0.02, tmp_path)
    by_epoch = [[number for epoch, number in asked if epoch == wanted] for wanted in range(3)]
    assert [len(set(numbers)) for numbers in by_epoch] == [len(numbers) for numbers in by_epoch] == [6, 6, 6]
    assert len({frozenset(numbers) for numbers in by_epoch}) == 3


ENDS = {"time": {"hours": 1.5}, "patience": {"patience": 1, "learning_rate": 0.03}, "epochs": {"epochs": 2}}


@pytest.mark.parametrize("why", ENDS)
def test_why_a_run_ended_is_known_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """Also where it was killed between its last epoch and the note that it is finished."""
    begun = []
    begin, write = History.on_train_epoch_start, fitting.write_text

    def an_hour_ago(history: History, trainer: object, module: object) -> None:
        begun.append(trainer.current_epoch)  # type: ignore[attr-defined]
        begin(history, trainer, module)  # type: ignore[arg-type]
        history._started -= 3600

    def kill(path: Path, *others: object) -> None:
        if path.name == "finished.json":
            raise KeyboardInterrupt
        write(path, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(History, "on_train_epoch_start", an_hour_ago)
    config = CONFIG.model_copy(update=ENDS[why])
    held_out = opposite(examples(2, 2)) if why == "patience" else examples(2, 2)
    monkeypatch.setattr(fitting, "write_text", kill)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), examples(4, 1), held_out, SILENCE, config, 0.02, tmp_path)
    monkeypatch.setattr(fitting, "write_text", write)
    fitted = fit(network(), examples(4, 1), held_out, SILENCE, config, 0.02, tmp_path)
    assert (fitted.ended, fitted.epochs, begun) == (why, 2, [0, 1])
    assert fitted.seconds > 7200
    if why == "patience":
        assert fitted.best_epoch == 1
    again = fit(network(), [], [], SILENCE, config, 0.02, tmp_path)
    assert (again.ended, again.epochs) == (why, 2)


def test_padding_counts_neither_in_the_loss_nor_in_the_accuracy() -> None:
    module = TrainingModule(torch.nn.Identity(), CONFIG)
    logits = torch.tensor([[[2.0, -1.0], [0.5, 0.0], [9.0, -9.0]]])
    targets = torch.tensor([[[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]])
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    loss = module._loss(module.network, (logits, targets, mask), module.train_totals)
    right = torch.sigmoid(torch.tensor([2.0, -1.0, -0.5, 0.0]))  # the probability of what is the case
    assert loss.item() == pytest.approx(-right.log().mean().item())
    assert module.train_totals.means() == pytest.approx((loss.item(), 2 / 4))


def test_frames_near_an_edge_count_more_in_training_of_ours_and_only_there() -> None:
    assert TrainConfig().edge_weight == 2 and TrainConfig.of("baseline").edge_weight == 0
    module = TrainingModule(torch.nn.Identity(), CONFIG.model_copy(update={"edge_weight": 2.0}))
    targets = torch.zeros(1, 40, 1)
    targets[0, 20:] = 1  # frames 15 to 25 are near
    batch = torch.zeros(1, 40, 1), targets, torch.ones(1, 40)
    flat = float(np.log(2))
    assert module._loss(module.network, batch, module.train_totals).item() == pytest.approx(flat * (29 + 11 * 3) / 40)
    module.eval()
    assert module._loss(module.network, batch, module.validation_totals).item() == pytest.approx(flat)


def test_fresh_soundscapes_are_not_augmented_unless_told() -> None:
    assert TrainConfig().augmentation(fresh=True) is None
    assert TrainConfig().augmentation(fresh=False) == Augment()
    assert TrainConfig(augment=Augment(gain_db=1)).augmentation(fresh=True) == Augment(gain_db=1)
    assert TrainConfig(augment=None).augmentation(fresh=False) is None
    assert TrainConfig.of("dessed", augment=Augment()).augmentation(fresh=False) is None


def test_a_finished_run_goes_on_where_it_is_given_more_epochs(tmp_path: Path) -> None:
    """It ends as if it had been given them at once; but not where the learning rate depends on how many there are."""

    def trained(folder: Path, epochs: int, schedule: str = "constant") -> Fitted:
        config = CONFIG.model_copy(update={"epochs": epochs, "schedule": schedule})
        return fit(network(), examples(4, 1), examples(2, 2), SILENCE, config, 0.02, tmp_path / folder)

    at_once, first, more = trained("a", 4), trained("b", 2), trained("b", 4)
    assert (first.epochs, more.epochs) == (2, 4)
    assert more.validation_loss == at_once.validation_loss
    for ours, theirs in zip(more.network.parameters(), at_once.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert trained("b", 3).epochs == 4
    trained("c", 2, "cosine")
    assert trained("c", 4, "cosine").epochs == 2


def test_a_teacher_counts_beside_the_targets(tmp_path: Path) -> None:
    """It sees more context than the one it teaches: each of the two is given what it asks for."""
    torch.manual_seed(0)
    wider = HubConfig(n_features=N_BANDS, stem=(4, 4, 4), width=8, dilations=(1, 4, 8), max_ahead=9)
    taught, teacher = network(), Hub(2, wider)
    assert teacher.context > taught.context and teacher.look_ahead > taught.look_ahead
    module = TrainingModule(taught, CONFIG.model_copy(update={"teaching": 0.25}), teacher)
    assert module.around == (teacher.context, teacher.look_ahead)
    assert {name.split(".")[0] for name in module.state_dict()} == {"network"}, "it is not trained along"
    features = torch.randn(3, teacher.context + 30 + teacher.look_ahead, N_BANDS)
    targets, mask = (torch.rand(3, 30, 2) > 0.5).float(), torch.ones(3, 30)
    before, after = teacher.context - taught.context, teacher.look_ahead - taught.look_ahead
    taught.eval()
    with torch.no_grad():
        found = module._loss(taught, (features, targets, mask), module.train_totals)
        logits, answers = taught(features[:, before:-after]), teacher(features).sigmoid()
    by_targets = functional.binary_cross_entropy_with_logits(logits, targets)
    by_teacher = functional.binary_cross_entropy_with_logits(logits, answers)
    torch.testing.assert_close(found, 0.75 * by_targets + 0.25 * by_teacher)
    fitted = fit(taught, examples(2, 0), examples(1, 1), SILENCE, CONFIG, 0.02, tmp_path / "run", teacher=teacher)
    assert fitted.network is taught
