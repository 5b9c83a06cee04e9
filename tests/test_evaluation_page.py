"""The page of an evaluation: what it shows, in which order, and that every control in it works in a real browser."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hubbub import annotations
from hubbub.datasets.annotated import AnnotatedRecording
from hubbub.detector import Detector
from hubbub.evaluation import Answers, listen, oracle, overall, read_answers, read_reference, stacked
from hubbub.events import Event, to_targets, to_targets_on
from hubbub.grid import Grid
from hubbub.metrics import Counts, evaluate
from hubbub.metrics.confusion import Confusion
from hubbub.metrics.recording import Recording
from hubbub.report.comparison import verdicts
from hubbub.report.excerpts import mistakes, view, window, worst_first
from tests.conftest import LABELS, Run

RATE = 22050
NASTY = "<script>alert(1)</script> & \"q\" 'a' 🦉 $x^2$"


def test_verdicts_by_hand() -> None:
    reference = [Event(0, 2, "dog"), Event(5, 6, "dog"), Event(8, 9, "cat")]
    estimated = [Event(1, 3, "dog"), Event(5.6, 7, "dog"), Event(8, 9, "dog")]
    told = [(verdict, event.onset) for verdict, event in verdicts(reference, estimated)]
    assert told == [("right", 1), ("missed", 5), ("false", 5.6), ("missed", 8), ("false", 8)]


def test_confusion_by_hand() -> None:
    reference = [Event(0, 2, "dog"), Event(4, 6, "cat"), Event(8, 9, "owl")]
    estimated = [Event(0, 2.5, "dog"), Event(4.5, 6, "dog"), Event(12, 13, "cat")]
    found = Confusion.of([Recording.of(reference, estimated, 20.0)], ("cat", "dog", "owl"))
    assert found.counts.tolist() == [
        [0, 1, 0, 1],  # the cat was taken for a dog, and no cat was found there
        [0, 1, 0, 0],
        [0, 0, 0, 1],  # nobody heard the owl
        [1, 0, 0, 0],  # a cat where nothing was
    ]


def test_counts_of_a_label_are_its_own() -> None:
    counts = Counts(("a", "b"), (1, 2), (3, 4), (5, 6), 7, 8, 9, 20)
    assert counts.of_label("b") == Counts(("b",), (2,), (4,), (6,), 0, 0, 0, 20)
    assert counts.of_label("b").micro_f1 == counts.f1_by_label[1]


def test_targets_on_edges_are_those_of_the_grid(rng: np.random.Generator) -> None:
    grid = Grid(50, 3)
    times = np.sort(rng.uniform(0, 11, (30, 2)), axis=1)
    events = [Event(float(a), float(b), "ab"[k % 2]) for k, (a, b) in enumerate(times)]
    events += [Event(0.6, 1.2, "a"), Event(3.0, 3.0, "b")]  # on edges, and an instant
    edges = grid.edges_of(200)
    assert (to_targets_on(events, "ab", edges) == to_targets(events, "ab", grid, 200)).all()


def recording(folder: Path, name: str, seconds: float, events: list[Event]) -> AnnotatedRecording:
    path = folder / name
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)
    soundfile.write(path, np.where(np.arange(len(tone)) < len(tone) / 2, tone, tone / 10), RATE)
    return AnnotatedRecording(path, name, seconds, tuple(events), name)


def test_the_worst_recording_comes_first(tmp_path: Path) -> None:
    dog = Event(1, 2, "dog")
    silent, half, wrong = (recording(tmp_path, f"{n}.wav", 4.0, e) for n, e in (("a", []), ("b", [dog]), ("c", [dog])))
    estimated = {"a.wav": [], "b.wav": [Event(1, 1.5, "dog")], "c.wav": [Event(2, 4, "cat")]}
    assert [each.name for each in worst_first([silent, half, wrong], estimated)] == ["c.wav", "b.wav", "a.wav"]


def test_of_a_long_recording_the_worst_minute_is_shown(tmp_path: Path) -> None:
    reference = [Event(10, 11, "dog"), Event(150, 155, "dog"), Event(170.5, 178, "dog")]
    spans = mistakes(reference, [Event(10, 11, "dog"), Event(152, 155, "dog")])
    assert spans == [(150, 152), (170.5, 178)]
    assert window(spans, 200.0, 60.0) == (140.0, 200.0)
    assert window([], 200.0, 60.0) == (0.0, 60.0)
    shown = view(recording(tmp_path, "long.wav", 200.0, reference), "worst", [Event(152, 155, "dog")], None)
    assert len(shown.samples) == 60 * RATE
    assert np.abs(shown.samples).max() == pytest.approx(0.03, abs=1e-3), "from the quiet half"
    assert [(event.onset, event.offset) for event in shown.reference or ()] == [(10, 15), (30.5, 38)]
    assert [(event.onset, event.offset) for event in shown.estimated] == [(12, 15)]


# Where the answers come from


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, bursts: np.ndarray, detector: Detector) -> Path:
    """Three recordings with labels that a detector half agrees with."""
    folder = tmp_path_factory.mktemp("data")
    events = {}
    for number in range(3):
        samples = bursts[number * 5 * RATE : (number + 1) * 5 * RATE]
        soundfile.write(folder / f"{number}.wav", samples, RATE, subtype="FLOAT")
        found = [event for event in detector.detect(samples) if event.duration > 0.1]
        events[f"{number}.wav"] = [Event(e.onset, e.offset, e.label) for e in found[number::3]]
    annotations.write(folder / "events.tsv", events)
    return folder


def test_score_tables_are_worth_what_their_detector_is(
    data: Path, tmp_path: Path, run: Run, detector: Detector
) -> None:
    assert run("detect", data, "-m", detector.path, "--scores", tmp_path / "scores", "-o", tmp_path / "x.tsv").code == 0
    known = read_reference(data)
    heard, read = listen(detector, known), read_answers(tmp_path / "scores", known, 0.4)
    for ours, theirs in zip(stacked(heard, known), stacked(read, known), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)
    ours, theirs = (overall(each, known, 0) for each in (heard, read))
    for name, result in ours.results.items():
        assert result.value == pytest.approx(theirs.results[name].value, abs=1e-9)
    active = stacked(read, known)[0] >= 0.4
    assert sum(e.duration for events in read.events.values() for e in events) == pytest.approx(
        active.sum() * detector.frame_period, rel=1e-2
    )


def test_a_folder_of_label_files_is_read(data: Path, tmp_path: Path) -> None:
    known = read_reference(data)
    for name, events in known.events.items():
        annotations.write(tmp_path / f"{Path(name).stem}.txt", {name: events}, "audacity")
    found = read_answers(tmp_path, known).events
    scores = evaluate(known.events, found, known.durations)
    assert (scores.event.micro_f1, sorted(found)) == (1.0, sorted(known.durations))


def test_no_decision_by_thresholds_beats_the_oracle(data: Path, detector: Detector) -> None:
    known = read_reference(data)
    answers = listen(detector, known)
    best = evaluate(known.events, oracle(answers, known), known.durations, LABELS).frame.micro_f1
    for threshold in np.arange(0.1, 1, 0.1):
        rows = Answers({}, answers.heard)
        found = {name: detector.with_thresholds(float(threshold)).decide(each) for name, each in rows.heard.items()}
        assert evaluate(known.events, found, known.durations, LABELS).frame.micro_f1 <= best + 0.02


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda folder: (folder / "0.wav.tsv").unlink(),
            "has no score table for 0.wav; wanted one for every recording",
        ),
        (lambda folder: (folder / "0.wav.tsv").rename(folder / "9.wav.tsv"), "9.wav.tsv: is about no recording"),
        (lambda folder: (folder / "2.wav.tsv").write_text("onset\toffset\tcow\n0\t5\t1\n"), "2.wav.tsv:1: labels cow"),
    ],
)
def test_folders_of_score_tables_that_do_not_fit(
    data: Path, tmp_path: Path, run: Run, detector: Detector, spoil: Any, told: str
) -> None:
    run("detect", data, "-m", detector.path, "--scores", tmp_path / "scores", "-o", tmp_path / "x.tsv")
    spoil(tmp_path / "scores")
    done = run("evaluate", data, tmp_path / "scores")
    assert done.code == 1
    assert told in done.told[0]
    assert len(done.told) == 1


def test_evaluate_tells_all_of_it(data: Path, tmp_path: Path, run: Run, detector: Detector) -> None:
    done = run("evaluate", data, detector.path)
    assert done.code == 0, done.err
    for word in ("oracle", "always silent", "false alarms per hour", "PSDS 1", "PSDS 2", "average precision"):
        assert word in done.out
    done = run("evaluate", data, data / "events.tsv")
    assert done.code == 0, done.err
    assert "PSDS" not in done.out, "a table of events has no scores"
    assert "oracle" not in done.out


# In a browser


@pytest.fixture(scope="module")
def page_path(data: Path, tmp_path_factory: pytest.TempPathFactory, detector: Detector) -> Path:
    """A page whose labels and names would run as code if they were not shown as text."""
    from hubbub.metrics import evaluate_with_trivial
    from hubbub.report.detector_page import write_evaluation_page

    folder = tmp_path_factory.mktemp("nasty")
    known = read_reference(data)
    recordings = []
    for each in known.annotated():
        name = f"{each.name[0]} {NASTY.replace('/', '∕')}.wav"
        shutil.copy(each.path, folder / name)
        events = tuple(Event(e.onset, e.offset, NASTY if e.label == LABELS[0] else e.label) for e in each.events)
        recordings.append(AnnotatedRecording(folder / name, name, each.duration, events, name))
    estimated = {
        r.name: [
            Event(e.onset, e.offset, NASTY if e.label == LABELS[0] else e.label, 0.5) for e in detector.detect(r.path)
        ]
        for r in recordings
    }
    reference = {r.name: list(r.events) for r in recordings}
    scores = evaluate_with_trivial(reference, estimated, {r.name: r.duration for r in recordings})
    write_evaluation_page(folder / "page.html", NASTY, scores, recordings, Answers(estimated), {NASTY: NASTY})
    return folder / "page.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium: apt install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield opened
        opened.close()


def until(there: Callable[[], bool], seconds: float = 20.0) -> None:
    """The page lets nobody evaluate text, so its own way of waiting is shut."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_every_control_works_in_a_browser(browser: Any, page_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    wrong: list[str] = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else wrong.append(request.url),
    )
    page.goto(page_path.as_uri())
    assert page.locator("h1").inner_text() == NASTY
    assert page.locator("script").count() == 1, "no label became one"
    first = page.locator("article.recording").first
    if not first.locator("details").evaluate("e => e.open"):
        first.locator("summary").click()
    assert first.locator("details").evaluate("e => e.open")

    audio = first.locator("audio")
    assert "–" in page.locator("table.labels tbody tr").first.inner_text(), "an interval by label"
    rows = first.locator("tr[data-verdict]")
    assert {rows.nth(k).get_attribute("data-verdict") for k in range(rows.count())} >= {"right", "false"}
    last = rows.last.locator("button")
    wanted = float(last.get_attribute("data-seconds"))
    last.click()
    until(lambda: not audio.evaluate("a => a.paused"))
    assert wanted - 0.05 <= audio.evaluate("a => a.currentTime") <= wanted + 3
    ends = float(last.get_attribute("data-until"))
    until(lambda: audio.evaluate("a => a.paused"))
    assert audio.evaluate("a => a.currentTime") == pytest.approx(ends, abs=0.5), "it stops after the event"
    assert first.locator(".playhead").is_visible()

    box = first.locator(".track").bounding_box()
    first.locator(".track").click(position={"x": box["width"] / 2, "y": 30})
    until(lambda: not audio.evaluate("a => a.paused"))
    assert audio.evaluate("a => a.currentTime") == pytest.approx(2.5, abs=1.0), "half of five seconds"
    second = page.locator("article.recording").nth(1)
    second.locator(".track").click(position={"x": 20, "y": 30})
    until(lambda: audio.evaluate("a => a.paused"))

    false = first.locator("tr[data-verdict=false]")
    assert false.first.is_visible()
    first.locator("input[value=false]").uncheck()
    assert not false.first.is_visible()
    assert first.locator("tr[data-verdict=right]").first.is_visible()
    first.locator("input[value=false]").check()
    assert false.first.is_visible()
    assert wrong == []
    page.close()


def test_a_phone_shows_all_of_it(browser: Any, page_path: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800}, device_scale_factor=2)
    page.goto(page_path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing but timelines and tables scrolls"
    assert page.locator("article.recording .track").first.is_visible()
    page.close()


def test_the_page_of_a_detection(data: Path, tmp_path: Path, run: Run, detector: Detector, browser: Any) -> None:
    done = run("detect", data, "-m", detector.path, "-o", tmp_path / "x.tsv", "--page", tmp_path / "found.html")
    assert done.code == 0, done.err
    page = browser.new_page()
    page.goto((tmp_path / "found.html").as_uri())
    assert "3 recordings, 0:15" in page.locator(".summary").inner_text()
    assert page.locator("article.recording").count() == 3
    assert page.locator(".verdict").count() == 0, "nobody knows what is right"
    shown = page.locator("article.recording").first.locator("tbody tr").count()
    assert shown == max(len(events) for events in annotations.read(tmp_path / "x.tsv").values())
    page.close()
