"""What people look at, checked as text and by its parts; how it looks is for eyes."""

import base64
import html.parser
import importlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console
from rich.text import Text

from hubbub.errors import HubbubError
from hubbub.events import Event
from hubbub.metrics import Scores, evaluate_with_trivial
from hubbub.report.comparison import compare, uncovered
from hubbub.report.drawing import curve_path, draw
from hubbub.report.figures import (
    FALSE,
    FOUND,
    picture_data_uri,
    spectrogram_figure,
    timeline_figure,
    to_inline_svg,
    to_png_data_uri,
    to_svg,
    training_curves,
)
from hubbub.report.page import Page, RecordingView, write_page
from hubbub.report.sound import LARGEST, sound_data_uri
from hubbub.report.spectrogram import spectrogram
from hubbub.report.tables import headlines, label_rows, score_rows
from hubbub.report.terminal import half_columns, label_table, score_table, strips, timeline
from hubbub.report.timeaxis import clock, tick_texts, ticks
from hubbub.report.training_log import read_training_log

RATE = 8000
LOG = """epoch,train_loss,validation_loss,train_accuracy,validation_accuracy,seconds
0,0.70,0.60,0.80,0.82,3.1
1,0.50,0.40,0.85,0.90,3.0
2,0.40,0.45,0.90,0.89,3.0
"""
REFERENCE = [Event(1, 3, "dog"), Event(4, 5, "rain")]
ESTIMATED = [Event(2, 4, "dog", 0.9), Event(6, 7, "bell", 0.5)]
NASTY = ['<script>alert("x")</script>', "a\"b'c&d", "größe 🎉 日本", "</style></title>-->", "{{ 7 * 7 }}"]


@dataclass(frozen=True)
class Table:
    """The shape of what a detector's `probabilities` returns."""

    values: np.ndarray
    edges: np.ndarray
    labels: tuple[str, ...]


def tone(seconds: float, frequency: float = 1000, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def shown(renderable: object, width: int = 80, encoding: str = "utf-8") -> list[str]:
    binary = io.BytesIO()
    file = io.TextIOWrapper(binary, encoding=encoding)
    Console(file=file, width=width, color_system=None).print(renderable)
    file.flush()
    return binary.getvalue().decode(encoding).splitlines()


@pytest.fixture(scope="module")
def scores() -> dict[str, Scores]:
    systems = evaluate_with_trivial(
        {"a": REFERENCE}, {"a": ESTIMATED}, {"a": 10.0}, prior_reference={"a": REFERENCE}, prior_durations={"a": 10.0}
    )
    return {"ours" if name == "system" else name: score for name, score in systems.items()}


# --- time axis


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [(0, 0, "0:00"), (59.96, 1, "1:00.0"), (83.5, 1, "1:23.5"), (3599.999, 2, "1:00:00.00"), (36000, 0, "10:00:00")],
)
def test_clock(seconds: float, decimals: int, text: str) -> None:
    assert clock(seconds, decimals) == text


def test_ticks_stand_on_whole_steps() -> None:
    assert ticks(0, 42.3, at_most=5) == [0, 10, 20, 30, 40]
    assert ticks(600, 1200, at_most=5) == [600, 720, 840, 960, 1080, 1200]
    assert tick_texts(ticks(0, 1, at_most=5)) == ["0:00.0", "0:00.2", "0:00.4", "0:00.6", "0:00.8", "0:01.0"]
    assert len(ticks(0, 400_000, at_most=5)) <= 6


# --- terminal


def test_bars_stand_where_the_events_are() -> None:
    # Three letters, a space and two sides leave 25 columns of 0.4 s: 1.2 s to 3.4 s are columns 3 to 8.5.
    lines = shown(timeline("street.wav", [Event(1.2, 3.4, "dog"), Event(9.9, 10, "owl")], 10.0, width=31))
    assert lines[0] == "street.wav  0:10.0  2 events"
    assert lines[1] == "dog │   ━━━━━╸" + " " * 16 + "│"
    assert lines[2] == "owl │" + " " * 24 + "╺│"
    assert lines[3].index("└") == lines[3].rindex("└") == 4
    assert len(lines[3]) == len(lines[1]) == 31
    assert lines[4].split() == ["0:00", "0:05", "0:10"]


def test_timeline_marks_stand_under_their_time() -> None:
    lines = shown(timeline("a", [Event(6.0, 6.9, "dog")], 20.0), width=80)
    assert all(len(line) <= 80 for line in lines)
    # 74 columns of 20 / 74 s after label and side: 6 s is column 22.2, 6.9 s is column 25.53.
    assert lines[1][5:] == " " * 22 + "━━━━" + " " * 48 + "│"
    # 4 s is column 14.8, 6 s as the bar's first.
    assert lines[2][5:][14] == lines[2][5:][22] == "┴"
    assert lines[3].index("0:06") == 5 + 22 - 2
    assert lines[3].split() == ["0:00", "0:02", "0:04", "0:06", "0:08", "0:10", "0:12", "0:14", "0:16", "0:18", "0:20"]


def test_half_columns_by_hand() -> None:
    active = half_columns([Event(0.0, 0.5, "a"), Event(2.5, 3.0, "a")], span=4.0, columns=4)
    np.testing.assert_array_equal(active, [[True, False], [False, False], [False, True], [False, False]])


def test_long_recordings_are_cut_into_strips() -> None:
    assert strips(600) == [(0, 600, 600)]
    assert strips(1500) == [(0, 600, 600), (600, 1200, 600), (1200, 1500, 600)]
    assert len(strips(36_000)) == 10
    assert max(len(strips(hours * 3600)) for hours in (1, 2, 3, 7, 24, 100, 1000)) <= 12
    lines = shown(timeline("hour", [Event(10, 70, "dog"), Event(1300, 1400, "owl")], 1500))
    assert sum("dog" in line for line in lines) == sum("owl" in line for line in lines) == 1
    assert sum("10:00 to 20:00: no events" in line for line in lines) == 1


@pytest.mark.parametrize(
    "event",
    [Event(0, 0, "dog"), Event(10, 10, "dog"), Event(14.8, 14.8, "dog"), Event(600, 600, "dog"), Event(20, 20, "dog")],
)
def test_instants_are_seen(event: Event) -> None:
    duration = 700.0 if event.onset == 600 else 10.0
    bars = "".join(line for line in shown(timeline("a", [event], duration)) if line.startswith("dog"))
    assert len(re.findall("[━╸╺]", bars)) == 1


def test_no_events_and_no_duration() -> None:
    assert shown(timeline("a.wav", [], 3.0)) == ["a.wav  0:03.0  no events"]
    assert len(shown(timeline("a.wav", [Event(0, 0, "x")], 0.0))) == 4


def test_events_are_listed_on_request() -> None:
    lines = shown(timeline("a", ESTIMATED, 10, list_events=True))
    assert lines[-1].split() == ["6.000", "7.000", "bell", "0.50"]


def test_names_cannot_move_the_cursor_or_be_markup() -> None:
    text = "\n".join(
        shown(timeline("\x1b[2J[red]a\n.wav", [Event(0, 1, "\x1b[31m[bold]dog\r")], 2.0, list_events=True))
    )
    assert "\x1b" not in text and "\r" not in text
    assert "[red]a" in text and "[bold]dog" in text


def test_wide_and_long_labels_keep_the_sides_straight() -> None:
    events = [Event(0, 1, "日本語"), Event(0, 1, "x" * 50), Event(0, 1, "🎉")]
    lines = [Text(line) for line in shown(timeline("a", events, 2.0, width=60))]
    assert {line.cell_len for line in lines[1:4]} == {60}
    assert any("x" * 19 + "…" in line.plain for line in lines)


def test_an_ascii_terminal_gets_ascii() -> None:
    lines = shown(timeline("a", [Event(0, 1, "dog")], 2.0, width=40), encoding="ascii")
    assert lines[1] == "dog |" + "#" * 17 + " " * 17 + "|"


def test_colours_stay_with_their_labels() -> None:
    def colours(events: list[Event]) -> dict[str, str]:
        console = Console(width=80)
        rows = list(timeline("a", events, 2.0).__rich_console__(console, console.options))
        return {row.plain.split()[0]: str(row.style) for row in rows if "│" in row.plain}

    both = colours([Event(0, 1, "dog"), Event(0, 1, "rain")])
    assert colours([Event(1, 2, "rain")])["rain"] == both["rain"]


def test_score_table_marks_the_best_that_does_not_listen(scores: dict[str, Scores]) -> None:
    lines = shown(score_table(scores))
    rows = {line.split("  ")[0].strip(): line for line in lines}
    assert all(len(line) <= 80 for line in lines)
    # The labels sound 2 + 1 of 10 s × 3. Dog found 2 to 3: TP 1, FP 1 + 1, FN 1 + 1, so F1 = 2 / (2 + 2 + 2).
    assert scores["ours"].frame.micro_f1 == pytest.approx(1 / 3)
    # Dog always on: TP 2, FP 8, FN 1, so 4 / 13; that is the prior, and the best constant answer.
    assert "0.308*" in rows["prior"]
    assert "*" not in rows["always on"].split("0.00/")[0].split()[2]
    # Silence: 27 of 30 cells right; so is ours: 26 of 30, and no better.
    assert "0.900*" in rows["always silent"] and "0.867!" in rows["ours"]
    backwards = dict(reversed(scores.items()))
    assert [row.system for row in score_rows(backwards)] == ["ours", "always silent", "always on", "prior"]


def test_a_score_of_nothing_is_no_best(scores: dict[str, Scores]) -> None:
    event_cells = [row.cells[-1] for row in score_rows(scores)]
    assert [cell.text for cell in event_cells] == ["0.000"] * 4
    assert not any(cell.best_trivial for cell in event_cells)
    assert event_cells[0].beaten


def test_headlines(scores: dict[str, Scores]) -> None:
    frame = headlines(scores)[0]
    assert (frame.title, round(frame.value, 3), frame.trivial_system) == ("frame F1", 0.333, "prior")
    assert frame.trivial_value == pytest.approx(4 / 13)
    assert headlines({"ours": scores["ours"]})[0].trivial_value is None
    assert headlines({}) == []


def test_label_table_has_every_label(scores: dict[str, Scores]) -> None:
    text = "\n".join(shown(label_table(scores["ours"])))
    assert {"bell", "dog", "rain"} <= set(text.split())
    assert [row.absent for row in label_rows(scores["ours"])] == ["not in the reference", "", "never estimated"]


# --- comparison


def test_uncovered_parts() -> None:
    events = [Event(0, 4, "a"), Event(6, 8, "a"), Event(9, 10, "a")]
    others = [Event(1, 2, "a"), Event(3, 7, "a"), Event(8.5, 11, "a")]
    assert uncovered(events, others) == ((0, 1), (2, 3), (7, 8))
    assert uncovered(events, []) == ((0, 4), (6, 8), (9, 10))
    assert uncovered([], others) == ()


def test_uncovered_agrees_with_samples() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        sets = []
        for _ in range(2):
            onsets = rng.integers(0, 90, 8)
            sets.append(
                [Event(float(a), float(a + d), "x") for a, d in zip(onsets, rng.integers(1, 10, 8), strict=True)]
            )
        at = np.arange(100) + 0.5
        inside = [np.any([(at > e.onset) & (at < e.offset) for e in events], axis=0) for events in sets]
        ours = np.zeros(100, dtype=bool)
        for onset, offset in uncovered(*sets):
            ours |= (at > onset) & (at < offset)
        np.testing.assert_array_equal(ours, inside[0] & ~inside[1])


def test_rows_are_the_labels_that_matter() -> None:
    edges = np.arange(11.0)
    values = np.zeros((10, 3))
    values[4, 1] = 0.3
    table = Table(values, edges, ("silence", "near", "dog"))
    rows = compare(REFERENCE, ESTIMATED, table)
    assert [row.label for row in rows] == ["bell", "dog", "near", "rain"]
    dog = rows[1]
    assert (dog.missed, dog.false) == (((1, 2),), ((3, 4),))
    assert dog.curve is not None and rows[0].curve is None
    assert compare(None, ESTIMATED)[1].false == ()
    with pytest.raises(HubbubError, match=r"shape \(10, 3\).*want \(9, 3\)"):
        compare(None, [], Table(values, edges[:-1], table.labels))


# --- spectrogram


def test_a_tone_stands_at_its_frequency_and_time() -> None:
    samples = np.concatenate([np.zeros(RATE, np.float32), tone(1.0, 1000), np.zeros(2 * RATE, np.float32)])
    picture = spectrogram(samples, RATE, n_columns=400)
    assert picture.decibels.shape == (96, 400)
    band, column = np.unravel_index(picture.decibels.argmax(), picture.decibels.shape)
    assert abs(picture.frequencies[band] - 1000) < 25
    loud = np.flatnonzero(picture.decibels[band] > -20)
    assert abs(loud[0] - 100) <= 3 and abs(loud[-1] - 199) <= 3
    assert 100 <= column < 200
    assert abs(picture.height_of(1000) - (band + 0.5) / 96) < 0.01


def test_a_click_in_a_long_recording_is_seen() -> None:
    samples = np.zeros(RATE * 60, np.float32)
    samples[round(RATE * 45.06)] = 1  # somewhere in column 150, of 0.3 s
    samples[RATE * 30 : RATE * 31 : 100] = 1
    bright = spectrogram(samples, RATE, n_columns=200).brightness.max(axis=0)
    assert np.flatnonzero(bright[110:]).tolist() == [40]
    assert bright[150] > 0.6
    # As loud as a click alone is, however little of its column it fills: never a mean over the column.
    alone = np.zeros(RATE, np.float32)
    alone[RATE // 2] = 1
    alone[:800:100] = 1
    np.testing.assert_allclose(bright[150], spectrogram(alone, RATE, 200).brightness[:, 100].max(), atol=0.1)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(5), np.zeros(RATE), np.full(RATE, np.nan)])
def test_silence_is_black(samples: np.ndarray) -> None:
    assert np.all(spectrogram(samples, RATE, n_columns=50).brightness[:, :] <= 1)
    assert np.isfinite(spectrogram(samples, RATE, n_columns=50).decibels).all()


# --- figures


def test_timeline_figure_has_a_bar_an_event() -> None:
    table = Table(np.full((100, 2), 0.5), np.linspace(0, 10, 101), ("dog", "bell"))
    figure = timeline_figure(tone(10), RATE, REFERENCE, ESTIMATED, table)
    above, below = figure.axes
    assert len(above.images) == 1
    assert [text.get_text() for text in below.get_yticklabels()] == ["bell", "dog", "rain"]
    spans = [
        (round(path.vertices[:, 0].min(), 6), round(path.vertices[:, 0].max(), 6), collection.get_hatch())
        for collection in below.collections
        for path in collection.get_paths()
    ]
    assert sorted(span[:2] for span in spans) == [(1, 2), (1, 3), (2, 4), (3, 4), (4, 5), (4, 5), (6, 7), (6, 7)]
    assert sorted(span[:2] for span in spans if span[2]) == [(3, 4), (6, 7)]
    curves = [line for line in below.lines if len(line.get_xdata()) == 100]
    assert len(curves) == 2


def test_timeline_figure_without_reference_or_events() -> None:
    figure = timeline_figure(tone(10), RATE, None, ESTIMATED)
    assert sum(len(collection.get_paths()) for collection in figure.axes[1].collections) == 2
    assert not figure.legends
    assert len(timeline_figure(tone(1), RATE, [], []).axes) == 2


def test_a_label_is_no_mathematics() -> None:
    figure = timeline_figure(tone(1), RATE, None, [Event(0, 1, "$\\frac{$ & <b>")])
    assert "&lt;b" in to_svg(figure)


def test_training_curves_mark_the_best_epoch(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    figure = training_curves(path)
    loss, accuracy = figure.axes
    for axes, best in ((loss, 0.40), (accuracy, 0.90)):
        train, validation, _, dot = axes.lines
        assert len(train.get_xdata()) == len(validation.get_xdata()) == 3
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (1, best)
    assert read_training_log(path).best == 1
    assert len(training_curves(read_training_log(path)).axes) == 2


def test_svg_and_png(tmp_path: Path) -> None:
    figure = spectrogram_figure(tone(2), RATE)
    assert to_svg(figure) == to_svg(figure)
    assert base64.b64decode(to_png_data_uri(figure).split(",")[1]).startswith(b"\x89PNG")
    assert base64.b64decode(picture_data_uri(spectrogram(tone(1), RATE)).split(",")[1]).startswith(b"\x89PNG")
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    inline = to_inline_svg(training_curves(path))
    assert inline.startswith("<svg ") and "http" not in inline and "xlink" not in inline and "currentColor" in inline
    assert FOUND in inline and FALSE in inline


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch,train_loss\n", r"log\.csv:1: no column validation_loss, train_accuracy, "),
        (LOG + "3,much,0.1,0.1,0.1,3\n", r"log\.csv:5: train_loss is 'much'; wanted a number"),
        ("", r"log\.csv:1: no column epoch"),
        (None, r"log\.csv: cannot be read as a training log: No such file"),
    ],
)
def test_bad_training_logs(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "log.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(HubbubError, match=message):
        read_training_log(path)


def test_an_empty_training_log_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG.splitlines()[0] + "\n")
    assert read_training_log(path).best is None
    assert to_inline_svg(training_curves(path))


# --- page


@dataclass
class Seen(html.parser.HTMLParser):
    """What a browser would make of a page."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, of_class: str = "") -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and set(of_class.split()) <= set((a.get("class") or "").split())]


def seen(path: Path) -> Seen:
    page = Seen()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def nasty_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "log.csv").write_text(LOG)
    events = [Event(index, index + 1, label, 0.5) for index, label in enumerate(NASTY)]
    systems = evaluate_with_trivial({NASTY[0]: events}, {NASTY[0]: events}, {NASTY[0]: 6.0})
    view = RecordingView(NASTY[0] + ".wav", tone(6), RATE, events, events)
    plain = RecordingView("b.wav", tone(2), RATE, ESTIMATED[:1])
    page = Page(
        title=NASTY[0],
        summary=NASTY[3],
        scores={NASTY[4]: systems["system"], "always_on": systems["always_on"]},
        training_log=folder / "log.csv",
        recordings=[view, plain],
        facts={NASTY[1]: NASTY[3]},
        notes=[NASTY[0]],
    )
    write_page(folder / "page.html", page)
    assert {path.name for path in folder.iterdir()} == {"log.csv", "page.html"}
    yield folder / "page.html"


def test_whatever_has_a_name_is_text(nasty_page: Path) -> None:
    page = seen(nasty_page)
    text = nasty_page.read_text(encoding="utf-8")
    assert 'alert("x")' not in text and "<script>alert" not in text
    assert len(page.all("script")) == len(page.all("style")) - 1 == 1  # matplotlib's drawing has a style of its own
    for name in NASTY:
        assert page.texts.count(name) >= 2, name
        assert any((bar["title"] or "").startswith(name + ": ") for bar in page.all("i", "bar estimated"))
    assert NASTY[0] + ".wav" in page.texts


def test_a_page_fetches_nothing(nasty_page: Path) -> None:
    text = nasty_page.read_text(encoding="utf-8")
    assert "http://" not in text and "https://" not in text
    page = seen(nasty_page)
    addresses = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert addresses and all(str(address).startswith(("data:", "#")) for address in addresses)
    assert not page.all("link")
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert any("default-src 'none'" in str(meta.get("content")) for meta in page.all("meta"))


def test_a_page_has_its_parts(nasty_page: Path) -> None:
    page = seen(nasty_page)
    assert len(page.all("article")) == len(page.all("audio")) == len(page.all("img", "picture")) == 2
    assert len(page.all("i", "bar reference")) == len(NASTY)
    assert len(page.all("i", "bar estimated")) == len(NASTY) + 1
    assert not page.all("i", "bar missed") and not page.all("i", "bar false")
    assert len(page.all("button")) == len(NASTY) + 1
    assert len(page.all("td", "best")) == 6  # always on, the only system beside: whatever it has that is not nothing
    second = next(bar for bar in page.all("i", "bar estimated") if str(bar["title"]).startswith(NASTY[1]))
    assert second["style"] == "left:16.667%;width:16.666%"


def test_missed_and_false_parts_of_a_drawing() -> None:
    drawing = draw("a", tone(10), RATE, ESTIMATED, REFERENCE, None)
    bell, dog, rain = drawing.rows
    assert [(bar.left, bar.width) for bar in dog.missed] == [(10, 10)]
    assert [(bar.left, bar.width) for bar in dog.false] == [(30, 10)]
    assert [(bar.left, bar.width) for bar in bell.false] == [(60, 10)]
    assert [(bar.left, bar.width) for bar in rain.missed] == [(40, 10)]
    assert dog.estimated[0].title == "dog: 0:02.00 to 0:04.00, score 0.90"
    assert ("0:05", 50) in drawing.marks


def test_curves_are_thinned_but_keep_their_peaks() -> None:
    values = np.zeros(50_000)
    values[31_234] = 1
    path = curve_path(values, np.arange(50_001) / 100, 500.0)
    points = [tuple(map(float, point.split())) for point in path[1:].split("L")]
    assert len(points) == 5
    assert min(points, key=lambda point: point[1]) == (pytest.approx(100 * 31_234 / 50_000, abs=0.1), 0)
    assert curve_path(np.array([0.0, 1.0]), np.array([0.0, 1, 2]), 2.0) == "M25 100L75 0"


def test_sound_is_carried_where_it_fits() -> None:
    uri = sound_data_uri(tone(1) * 4, RATE)
    assert uri is not None
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    assert (len(samples), rate) == (RATE, RATE)
    np.testing.assert_allclose(samples, tone(1) * 2, atol=1e-3)
    assert sound_data_uri(tone(60.1), RATE) is None
    assert sound_data_uri(np.zeros(0), RATE) is None
    noise = np.random.default_rng(0).uniform(-1, 1, 40 * 48_000).astype(np.float32)
    smaller = sound_data_uri(noise, 48_000)
    assert smaller is not None and len(smaller) < 1.4 * LARGEST
    assert soundfile.info(io.BytesIO(base64.b64decode(smaller.split(",")[1]))).samplerate == 22_050
    assert sound_data_uri(np.tile(noise, 2)[: 59 * 48_000], 48_000) is None


def test_the_smallest_page(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", Page("t", "s", recordings=[RecordingView("silent", np.zeros(0), RATE, [])]))
    page = seen(tmp_path / "page.html")
    assert "No event was found in this recording." in page.texts
    assert not page.all("audio") and not page.all("table")


def test_a_page_of_systems_that_do_not_listen(tmp_path: Path, scores: dict[str, Scores]) -> None:
    write_page(tmp_path / "page.html", Page("t", "s", {"always_on": scores["always_on"]}))
    page = seen(tmp_path / "page.html")
    assert "always on" in page.texts and not page.all("div", "tile")
    assert not any("Over" in text for text in page.texts)
    write_page(tmp_path / "page.html", Page("t", "s", scores))
    assert any("Over 1 recording, 0:10." in text for text in seen(tmp_path / "page.html").texts)


def test_a_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    view = RecordingView("bad\udcff.wav", tone(1), RATE, [])
    write_page(tmp_path / "page.html", Page("t", "s", recordings=[view]))
    assert "bad?.wav" in seen(tmp_path / "page.html").texts


@pytest.mark.parametrize("where", ["no/such/page.html", "folder"])
def test_an_unwritable_page_is_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        HubbubError, match=rf"{where}: cannot be written: (there is no folder|it is a folder)"
    ) as caught:
        write_page(tmp_path / where, Page("t", "s"))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


# --- imports


@pytest.mark.parametrize(
    ("module", "missing", "message"),
    [
        ("figures", "matplotlib", 'figures need matplotlib: pip install "hubbub[report]"'),
        ("page", "matplotlib", 'figures need matplotlib: pip install "hubbub[report]"'),
        ("page", "jinja2", 'pages need jinja2: pip install "hubbub[report]"'),
    ],
)
def test_what_is_missing_is_named(module: str, missing: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hubbub.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(HubbubError) as caught:
        importlib.import_module(f"hubbub.report.{module}")
    assert str(caught.value) == message


def test_the_terminal_draws_nothing_and_pyplot_stays_out() -> None:
    code = """
import sys
import hubbub.report.terminal
print([name for name in ("matplotlib", "jinja2", "torch", "scipy") if name in sys.modules])
import hubbub.report.page
print([name for name in ("matplotlib", "matplotlib.pyplot", "torch") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['matplotlib']"]
