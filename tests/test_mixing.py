"""Scenes: exact labels, the same bytes twice, the asked level and SNR, the recipe's counts and lengths."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import butter, sosfreqz

from hubbub import annotations, audio
from hubbub.errors import AudioError, ConfigError, DatasetError
from hubbub.events import Event, merge
from hubbub.mixing import (
    ActivityConfig,
    BackgroundPart,
    Clip,
    ClipStore,
    MixConfig,
    Placement,
    Scene,
    active_spans,
    by_label,
    render,
    sample_scene,
    sampling,
    scenes,
)
from hubbub.mixing.filters import high_pass, high_shelf, low_pass
from hubbub.mixing.write import mix

RATE = 16000
FRAME = ActivityConfig().frame
LABELS = [f"label_{letter}" for letter in "abcdefghij"]


def tone(seconds: float, hertz: float = 1000.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


@pytest.fixture
def burst(tmp_path: Path) -> Path:
    """A tone from 0.5 s to 1.3 s in 2 s of silence."""
    audio.write(tmp_path / "burst.wav", np.concatenate((silence(0.5), tone(0.8), silence(0.7))), RATE)
    return tmp_path / "burst.wav"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Ten labels of four clips, 2 to 20 s of tones that come and go, two backgrounds, two clips of a step."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for label in LABELS:
        (folder / label).mkdir()
        for index, seconds in enumerate((2.0, 5.0, 9.0, 20.0)):
            gate = np.repeat(rng.random(round(seconds)) < 0.8, RATE)
            gate[:RATE] = True
            path = folder / label / f"{index}.wav"
            audio.write(path, tone(seconds, float(rng.uniform(200, 3000))) * gate, RATE)
            made.append(Clip(path, label, f"{label}/{index}"))
    for name in ("steps", "background"):
        (folder / name).mkdir()
    for index in range(2):
        path = folder / "steps" / f"{index}.wav"
        audio.write(path, np.concatenate((tone(0.1, 300), silence(0.2))), RATE)
        made.append(Clip(path, "footsteps", "one walker"))
        path = folder / "background" / f"{index}.wav"
        audio.write(path, rng.normal(0, 0.1, 4 * RATE).astype(np.float32), RATE)
        made.append(Clip(path, "background", f"background/{index}"))
    return made


def config(**changes: object) -> MixConfig:
    return MixConfig.model_validate({"sample_rate": RATE, "duration": (60, 60), **changes})


def scene_of(*placements: Placement, **changes: object) -> Scene:
    return Scene.model_validate(
        {"sample_rate": RATE, "duration": 10.0, "placements": placements, "activity": ActivityConfig(), **changes}
    )


# Activity


def test_a_burst_sounds_from_its_first_to_its_last_frame() -> None:
    for start, seconds in ((0.5, 0.8), (0.513, 0.777), (0.0, 0.3)):
        x = np.concatenate((silence(start), tone(seconds), silence(0.5)))
        (span,) = active_spans(x, RATE, ActivityConfig())
        assert start - FRAME <= span[0] / RATE <= start
        assert start + seconds <= span[1] / RATE <= start + seconds + FRAME


def test_gaps_and_short_runs() -> None:
    def spans(*parts: np.ndarray) -> list[list[float]]:
        return (active_spans(np.concatenate(parts), RATE, ActivityConfig()) / RATE).tolist()

    assert spans(tone(0.5), silence(0.18), tone(0.5)) == [[0, 1.18]]
    assert spans(tone(0.5), silence(0.2), tone(0.5)) == [[0, 0.5], [0.7, 1.2]]
    assert spans(tone(0.5), silence(0.5), tone(0.04, amplitude=0.02)) == [[0, 0.5]]  # a weak click
    assert spans(tone(0.5), silence(0.5), tone(0.04, amplitude=0.2)) == [[0, 0.5], [1.0, 1.04]]  # a hoof
    assert spans(tone(0.5), tone(0.5, amplitude=0.5 * 10 ** (-31 / 20))) == [[0, 0.5]]
    assert spans(silence(1.0)) == [] and spans(np.zeros(0, dtype=np.float32)) == []


def test_a_noise_floor_does_not_sound_but_a_steady_sound_does() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.5 / np.sqrt(2) * 10 ** (-30 / 20), 2 * RATE).astype(np.float32)
    x = noise + np.concatenate((silence(0.6), tone(0.8), silence(0.6)))
    assert (active_spans(x, RATE, ActivityConfig()) / RATE).tolist() == [[0.6, 1.4]]
    assert active_spans(noise, RATE, ActivityConfig()).tolist() == [[0, len(noise)]]


# Rendering


def test_labels_are_exact_where_a_clip_is_placed(burst: Path) -> None:
    placement = Placement(file=str(burst), label="beep", start=0.2, length=1.5, onset=3.0, level_db=-20)
    samples, events = render(scene_of(placement))
    assert len(samples) == 10 * RATE and samples.dtype == np.float32
    (event,) = events
    assert event.label == "beep"
    assert abs(event.onset - 3.3) <= FRAME and abs(event.offset - 4.1) <= FRAME
    sounding = np.flatnonzero(samples) / RATE
    assert sounding[0] == pytest.approx(3.3, abs=0.001) and sounding[-1] == pytest.approx(4.1, abs=0.001)
    inside = samples[round(event.onset * RATE) : round(event.offset * RATE)]
    assert 20 * np.log10(np.sqrt(np.mean(inside**2))) == pytest.approx(-20, abs=0.01)


def test_filters_change_the_colour_and_neither_level_nor_labels(burst: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * RATE).astype(np.float32)
    audio.write(burst.with_name("noise.wav"), noise, RATE)
    plain = Placement(file="noise.wav", label="hiss", start=0, length=4, onset=1, level_db=-20)
    dull = plain.model_copy(update={"low_pass_hz": 3000.0, "shelf_hz": 1000.0, "shelf_db": 3.0})
    store = ClipStore(RATE, root=burst.parent)
    (x, events), (y, dull_events) = (render(scene_of(each), store) for each in (plain, dull))
    assert events == dull_events == [Event(1.0, 5.0, "hiss")]
    assert np.sqrt(np.mean(x**2)) == pytest.approx(np.sqrt(np.mean(y**2)), rel=1e-3)
    power = np.abs(np.fft.rfft(y)) ** 2 / np.abs(np.fft.rfft(x)).mean() ** 2
    hertz = np.fft.rfftfreq(len(y), 1 / RATE)
    assert power[hertz > 6000].mean() < 1e-3 * power[hertz < 500].mean()


def test_events_of_one_label_are_merged_and_cut_at_the_end(burst: Path) -> None:
    at = [0.0, 0.5, 1.45, 8.9]  # the tone sounds 0.5 s later for 0.8 s; it would end at 10.2
    placements = [Placement(file=str(burst), label="b", start=0, length=2, onset=t, level_db=-20) for t in at]
    samples, events = render(scene_of(*placements))
    assert [(round(e.onset, 2), round(e.offset, 2)) for e in events] == [(0.5, 2.75), (9.4, 10.0)]
    assert len(samples) == 10 * RATE


def test_steps_of_a_chain_are_events_of_their_own_unless_the_gap_is_short(burst: Path) -> None:
    for gap, wanted in ((0.25, 3), (0.15, 1)):
        placements = [
            Placement(file=str(burst), label="b", start=0.5, length=0.8, onset=k * (0.8 + gap), level_db=-20)
            for k in range(3)
        ]
        assert len(render(scene_of(*placements))[1]) == wanted


@pytest.mark.parametrize("snr_db", [0.0, 7.5, 20.0])
def test_the_measured_snr_is_the_one_asked_for(clips: list[Clip], snr_db: float) -> None:
    grouped, backgrounds = by_label(clips)
    store = ClipStore(RATE)
    settings = config(snr_db=(snr_db, snr_db), level_db=-50)  # no scene is scaled down
    scene = sample_scene(grouped, settings, np.random.default_rng(0), backgrounds=backgrounds, store=store)
    both, events = render(scene, store)
    foreground, same_events = render(scene.model_copy(update={"background": ()}), store)
    assert events == same_events
    active = np.zeros(len(both), dtype=bool)
    for event in events:
        active[round(event.onset * RATE) : round(event.offset * RATE)] = True
    background = both - foreground
    measured = 10 * np.log10(np.mean(foreground[active] ** 2) / np.mean(background.astype(np.float64) ** 2))
    assert measured == pytest.approx(snr_db, abs=0.1)
    loudness = np.sqrt(np.mean(background.reshape(-1, RATE // 4) ** 2, axis=1))
    assert loudness.min() > 0.8 * loudness.max(), "the background has a hole or a bump at a seam"


def test_no_sample_is_larger_than_one(burst: Path) -> None:
    placement = Placement(file=str(burst), label="b", start=0, length=2, onset=1, level_db=6)
    scaled, _ = render(scene_of(placement))
    quiet, _ = render(scene_of(placement, gain_db=-20.0))
    assert 0.99 < np.abs(scaled).max() <= 1
    np.testing.assert_allclose(scaled, quiet * np.abs(scaled).max() / np.abs(quiet).max(), atol=1e-6)
    assert np.abs(quiet).max() == pytest.approx(10 ** ((6 + 3.01 - 20) / 20), rel=1e-3)


def test_a_description_renders_to_the_same_bytes_also_after_json(clips: list[Clip]) -> None:
    grouped, backgrounds = by_label(clips)
    scene = sample_scene(grouped, config(snr_db=(5, 15)), np.random.default_rng(3), backgrounds=backgrounds)
    again = Scene.from_json(scene.to_json())
    assert again == scene
    (x, events), (y, other_events) = render(scene), render(again)
    assert x.tobytes() == y.tobytes() and events == other_events
    assert np.abs(x).max() > 0.01 and len(events) > 4


def test_a_store_that_forgets_gives_the_same_bytes(clips: list[Clip]) -> None:
    grouped, _ = by_label(clips)
    scene = sample_scene(grouped, config(), np.random.default_rng(4))
    small, large = ClipStore(RATE, max_bytes=1), ClipStore(RATE)
    assert render(scene, small)[0].tobytes() == render(scene, large)[0].tobytes()
    assert len(small._sounds) == 1 < len(large._sounds)


def test_what_was_known_of_a_clip_stays_known_where_memory_is_short(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.wav" for k in range(2)]
    for path in paths:
        audio.write(path, tone(0.5), RATE)
    store = ClipStore(RATE, max_bytes=1)
    known = [store.facts(path.as_posix(), speed) for path in paths for speed in (1.0, 0.8)]
    paths[0].unlink()
    assert [store.facts(path.as_posix(), speed) for path in paths for speed in (1.0, 0.8)] == known
    assert [facts.n_samples for facts in known] == [RATE // 2, RATE // 2 * 5 // 4] * 2
    with pytest.raises(AudioError):
        store.sound(paths[0].as_posix())


# Sampling


def test_scenes_follow_the_recipe(clips: list[Clip]) -> None:
    grouped, _ = by_label(clips)
    settings = config(duration=(50, 70), n_labels=(4, 9))
    store = ClipStore(RATE)
    counts, polyphony = set(), []
    for scene in scenes(grouped, settings, 30, seed=1, store=store):
        assert 50 <= scene.duration <= 70
        counts.add(len(scene.labels))
        sounding = 0.0
        for placement in scene.placements:
            total = len(store.sound(placement.file).samples) / RATE
            assert placement.onset + placement.length <= scene.duration + 1e-6
            assert placement.start + placement.length <= total + 2e-6
            whole = abs(placement.length - total) < 1e-5
            cut = placement.onset + placement.length > scene.duration - 1e-3
            assert placement.length <= 15 and (placement.length >= 3 or whole or cut)
            assert abs(placement.level_db - settings.level_db) <= settings.jitter_db + 5
        for label in scene.labels:
            spans = sorted((p.onset, p.onset + p.length) for p in scene.placements if p.label == label)
            if label != "footsteps":
                assert all(a[1] <= b[0] + 1e-5 for a, b in pairwise(spans)), "a track overlaps itself"
        sounding = sum(event.duration for event in render(scene, store)[1])
        polyphony.append(sounding / scene.duration)
    assert min(counts) >= 4 and max(counts) <= 9 and len(counts) >= 4
    assert 1.2 < np.mean(polyphony) < 2.0


def test_every_label_drawn_sounds_also_in_short_scenes(clips: list[Clip]) -> None:
    grouped, _ = by_label(clips)
    store = ClipStore(RATE)
    for scene in scenes(grouped, config(duration=(2, 4), n_labels=(4, 4)), 10, seed=2, store=store):
        samples, events = render(scene, store)
        assert len(scene.labels) == 4
        assert {event.label for event in events} <= set(scene.labels) and events
        assert len(samples) == round(scene.duration * RATE)


def test_steps_are_chained_from_one_recording(clips: list[Clip]) -> None:
    steps = {"footsteps": [clip for clip in clips if clip.label == "footsteps"]}
    settings = config(n_labels=(1, 1), duration=(20, 20))
    store = ClipStore(RATE)
    for scene in scenes(steps, settings, 5, seed=0, store=store):
        onsets = np.array([placement.onset for placement in scene.placements])
        assert len(onsets) >= 4
        assert len({placement.file for placement in scene.placements}) == 2
        assert (np.diff(onsets) > 0.15).all()
        _, events = render(scene, store)
        # Steps closer than 0.2 s are one event.
        wanted = merge([Event(t, t + 0.1, "footsteps") for t in onsets], 0.2 - 1e-4)
        assert len(events) == pytest.approx(len(wanted), abs=1)


def test_scenes_depend_on_their_seed_and_number_alone(clips: list[Clip]) -> None:
    grouped, _ = by_label(clips)
    reversed_labels = dict(reversed(grouped.items()))
    three = list(scenes(grouped, config(), 3, seed=5))
    assert list(scenes(reversed_labels, config(), 2, seed=5)) == three[:2]
    assert three[0] != three[1] != next(scenes(grouped, config(), 1, seed=6))


def test_an_excerpt_of_a_long_clip_holds_sound(tmp_path: Path) -> None:
    audio.write(tmp_path / "rare.wav", np.concatenate((silence(25), tone(0.5), silence(25))), RATE)
    rare = {"rare": [Clip(tmp_path / "rare.wav", "rare", "rare")]}
    store = ClipStore(RATE)
    for scene in scenes(rare, config(n_labels=(1, 1), duration=(30, 30)), 20, seed=0, store=store):
        assert render(scene, store)[1]


# Files


def test_mix_writes_the_same_files_with_any_number_of_jobs(clips: list[Clip], tmp_path: Path) -> None:
    grouped, backgrounds = by_label(clips)
    root = clips[0].path.parent.parent
    settings = config(duration=(5, 5), snr_db=(10, 10))
    seen: list[tuple[int, int]] = []

    def run(name: str, jobs: int, progress: Callable[[int, int], None] | None = None) -> dict[str, bytes]:
        out = tmp_path / name
        table = mix(grouped, out, settings, 3, 9, backgrounds=backgrounds, root=root, jobs=jobs, progress=progress)
        assert annotations.read(out / "events.tsv", format="dcase").keys() == table.keys()
        return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}

    alone, together = run("one", 1, lambda *n: seen.append(n)), run("two", 2)
    assert alone == together
    assert len({alone[f"audio/scene-00{k}.wav"] for k in range(3)}) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert list(alone) == [
        *(f"audio/scene-00{k}.wav" for k in range(3)),
        "events.tsv",
        *(f"scenes/scene-00{k}.json" for k in range(3)),
    ]
    scene = Scene.from_json(alone["scenes/scene-001.json"].decode())
    assert scene.placements[0].file.split("/")[0] in {*LABELS, "steps"}
    samples, _ = render(scene, ClipStore(RATE, root=root))
    written, _ = audio.read(tmp_path / "one" / "audio" / "scene-001.wav")
    np.testing.assert_allclose(written, samples, atol=1 / 32768)
    with pytest.raises(
        ConfigError, match=r"one/audio: holds recordings already; remove them or choose another folder$"
    ):
        mix(grouped, tmp_path / "one", settings, 1, 0, backgrounds=backgrounds)


# What is refused


def test_too_few_labels(clips: list[Clip]) -> None:
    some = {"label_a": [clips[0]], "label_b": []}
    with pytest.raises(DatasetError) as caught:
        sample_scene(some, config(), np.random.default_rng(0))
    assert str(caught.value) == "clips of 1 labels (label_a) for scenes of at least 4; add clips or lower n_labels"


def test_missing_unreadable_and_silent_clips(tmp_path: Path) -> None:
    text, silent = tmp_path / "text.wav", tmp_path / "silent.wav"
    text.write_text("no audio at all")
    audio.write(silent, silence(4), RATE)
    settings = config(n_labels=(1, 1))

    def message(path: Path) -> str:
        with pytest.raises((AudioError, DatasetError)) as caught:
            sample_scene({"a": [Clip(path, "a", "a")]}, settings, np.random.default_rng(0))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert message(tmp_path / "gone.wav") == f"{tmp_path / 'gone.wav'}: does not exist; wanted a recording"
    assert message(text).startswith(f"{text}: holds text, not audio")
    assert message(silent) == f"{silent}: silent, like all other clips of a that were drawn; remove the silent ones"


def test_a_background_that_is_not_there(clips: list[Clip]) -> None:
    grouped, _ = by_label(clips)
    with pytest.raises(
        DatasetError, match=r"^snr_db asks for a background but there are no background clips; add some"
    ):
        sample_scene(grouped, config(snr_db=(5, 5)), np.random.default_rng(0))


def test_scenes_that_do_not_fit(burst: Path) -> None:
    past = Placement(file=str(burst), label="b", start=2.5, length=1, onset=0, level_db=-20)
    with pytest.raises(
        ConfigError, match=r"burst.wav: the excerpt from 2.5 s to be placed at 0 s lies past the end of"
    ):
        render(scene_of(past))
    too_high = past.model_copy(update={"start": 0.0, "low_pass_hz": 9000.0})
    with pytest.raises(ConfigError, match=r"burst.wav: a filter at 9000 Hz; wanted less than half of 16000 Hz"):
        render(scene_of(too_high))
    with pytest.raises(ConfigError, match=r"^the clip store was made for another sample rate"):
        render(scene_of(past), ClipStore(RATE + 1))
    with pytest.raises(
        ConfigError, match=r"^this is no scene: duration: Field required; wanted JSON that hubbub mix wrote"
    ):
        Scene.from_json('{"sample_rate": 16000, "placements": []}')
    with pytest.raises(ConfigError, match=r"^this is no scene: the text: Invalid JSON"):
        Scene.from_json("{")


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_labels": (9, 4)},
        {"excerpt": (15, 3)},
        {"n_labels": (0, 4)},
        {"polyphony": 0},
        {"jitter": 3},
        {"snr_db": (9, 3)},
    ],
)
def test_impossible_configs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MixConfig.model_validate(wrong)


def test_a_scene_with_nothing_but_background(burst: Path) -> None:
    part = BackgroundPart(file=str(burst), start=0.5, length=0.8, onset=0, fade=0)
    samples, events = render(scene_of(background=(part,), snr_db=10.0))
    assert events == [] and 0 < np.abs(samples).max() < 0.1


# Filters


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_butterworth_in_closed_form_is_scipys(order: int) -> None:
    hertz = np.linspace(10, 7900, 200)
    for ours, kind in ((low_pass, "lowpass"), (high_pass, "highpass")):
        got = sosfreqz(ours(2500, RATE, order), hertz, fs=RATE)[1]
        want = sosfreqz(butter(order, 2500, kind, fs=RATE, output="sos"), hertz, fs=RATE)[1]
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_a_shelf_lifts_what_lies_above() -> None:
    gains = 20 * np.log10(np.abs(sosfreqz(high_shelf(2000, 4, RATE), [1, 2000, 7999], fs=RATE)[1]))
    np.testing.assert_allclose(gains, [0, 2, 4], atol=1e-3)


def test_a_large_source_does_not_drown_a_small_one() -> None:
    def clip(source: str, recording: int, number: int) -> Clip:
        return Clip(Path(f"{source}-{recording}-{number}.wav"), "rain", f"{source}-{recording}", source)

    large = [clip("large", recording, 0) for recording in range(16)]
    small = [clip("small", 0, number) for number in range(5)]
    weights = sampling._weights([*large, *small])
    assert weights.sum() == pytest.approx(1)
    assert weights[:16].sum() / weights[16:].sum() == pytest.approx(4), "as the roots of 16 recordings and 1"
    assert len(set(np.round(weights[16:], 12))) == 1
