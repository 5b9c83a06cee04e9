"""The example in `examples/browser`, in a real browser: the same file, the same samples, the same events.

It needs Chromium, and onnxruntime-web, which `npm pack` brings once into pytest's cache.
"""

import json
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import hubbub
from hubbub import Detector
from hubbub.calibration import Calibration
from hubbub.decode import LabelRule
from hubbub.detectors import path_of
from hubbub.training.metadata import rewrite
from tests.conftest import LABELS

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "browser"
NEEDED = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
SECONDS = 60.0
"""A browser starts, loads 14 MB and hears a recording, on any machine."""


def version() -> str:
    found = re.search(r'ORT_VERSION = "([\d.]+)"', (EXAMPLE / "page.js").read_text("utf-8"))
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def ort(request: pytest.FixtureRequest) -> Path:
    """The folder `dist` of onnxruntime-web, as much of it as the page needs."""
    folder: Path = request.config.cache.mkdir(f"onnxruntime-web-{version()}")  # type: ignore[union-attr]
    if all((folder / name).is_file() for name in NEEDED):
        return folder
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("onnxruntime-web is not here and there is no npm to bring it: apt install npm")
    name = f"onnxruntime-web@{version()}"
    done = subprocess.run([npm, "pack", name], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot bring {name}: {' '.join(done.stderr.split())[:300]}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        for each in NEEDED:
            held = packed.extractfile(f"package/dist/{each}")
            assert held is not None
            (folder / each).write_bytes(held.read())
    archive.unlink()
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


@dataclass(frozen=True)
class Site:
    """A folder that is served: the example, onnxruntime-web, and what a test puts beside them."""

    folder: Path
    url: str

    def page(self, **asked: str) -> str:
        return f"{self.url}/browser/index.html?{'&'.join(f'{name}={value}' for name, value in asked.items())}"


@pytest.fixture
def site(tmp_path: Path, ort: Path) -> Iterator[Site]:
    (tmp_path / "browser").symlink_to(EXAMPLE)
    (tmp_path / "ort").symlink_to(ort)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium: apt install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page in which nothing may go wrong that the test does not ask for."""
    opened = chromium.new_page(viewport={"width": 1100, "height": 1000})
    opened.set_default_timeout(1000 * SECONDS)
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    yield opened
    opened.close()
    assert thrown == []


def wait(page: Any, state: str) -> str:
    """Waits for a state of the page, and gives what it says then."""
    page.wait_for_function(f"['wrong', '{state}'].includes(document.documentElement.dataset.state)")
    said: str = page.inner_text("#status")
    assert page.evaluate("document.documentElement.dataset.state") == state, said
    return said


def same(heard: Any, detector: Detector, recording: Path, atol: float = 1e-3) -> int:
    """That the page heard what hubbub hears; gives the number of events."""
    events, probabilities = detector.detect(recording), detector.probabilities(recording)
    found = np.array(heard["frames"]).T
    assert found == pytest.approx(probabilities.values, abs=atol)
    assert [(each["label"], each["onset"], each["offset"]) for each in heard["events"]] == [
        (event.label, event.onset, event.offset) for event in events
    ]
    assert [each["score"] for each in heard["events"]] == pytest.approx([event.score for event in events], abs=atol)
    return len(events)


@pytest.mark.parametrize("name", ["small", "tiny"])
def test_a_shipped_detector_hears_the_same(site: Site, page: Any, bursts: np.ndarray, name: str) -> None:
    soundfile.write(site.folder / "a.wav", bursts[: 7 * 22050 + 100], 22050)
    shutil.copy(path_of(name), site.folder / f"{name}.onnx")
    page.goto(site.page(ort="/ort/", model=f"/{name}.onnx", audio="/a.wav"))
    assert re.fullmatch(r"0:07\.0 of audio heard in .* times faster than real time\.", wait(page, "done"))
    same(page.evaluate("window.heard"), hubbub.load(name), site.folder / "a.wav")


def test_in_int8_it_hears_nearly_the_same(site: Site, page: Any, bursts: np.ndarray) -> None:
    """Where a number lies between two steps of 8 bits, the two engines may take different ones."""
    soundfile.write(site.folder / "a.wav", bursts[: 7 * 22050 + 100], 22050)
    shutil.copy(path_of("tiny.int8"), site.folder / "tiny.int8.onnx")
    page.goto(site.page(ort="/ort/", model="/tiny.int8.onnx", audio="/a.wav"))
    wait(page, "done")
    found = np.array(page.evaluate("window.heard")["frames"]).T
    wanted = hubbub.load("tiny.int8").probabilities(site.folder / "a.wav").values
    assert found == pytest.approx(wanted, abs=0.05)
    assert np.abs(found - wanted).mean() < 2e-3 < np.abs(found[::-1] - wanted).mean()


def test_rules_and_calibration_are_those_of_the_file(
    site: Site, page: Any, bursts: np.ndarray, detector: Detector
) -> None:
    """Two channels, as many events as there are, with every step of the decision and of a calibration."""
    rules = {
        "bell": LabelRule(0.5, 0.3, 9, 0.1, 0.0),
        "dog": LabelRule(0.5, 0.3, 1, 0.0, 0.08),  # of its gaps, some are a frame shorter
        "rain": LabelRule(0.4, 0.4, 25, 0.5, 0.5),
    }
    calibration = {
        "bell": Calibration(temperature=1.7),
        "rain": Calibration(temperature=0.8, knots=((0.0, 0.05), (0.4, 0.3), (1.0, 0.9))),
    }
    path = site.folder / "mine.onnx"
    in_sevens = {"block": 7}  # frames that the graph takes at once
    rewrite(detector.path, path, lambda meta: meta.decided(rules, calibration).model_copy(update=in_sevens))
    soundfile.write(site.folder / "a b.wav", np.stack([bursts, 0.5 * bursts], axis=1), 22050, "FLOAT")
    page.goto(site.page(ort="/ort/", model="/mine.onnx", audio="/a%20b.wav"))
    wait(page, "done")
    n_events = same(page.evaluate("window.heard"), hubbub.load(path), site.folder / "a b.wav")
    assert n_events > 20
    assert page.inner_text("#title") == "a b.wav"
    assert page.inner_text("#count") == f"{n_events} events"
    assert page.locator("#events tr").count() == n_events
    first = hubbub.load(path).detect(site.folder / "a b.wav")[0]
    row = page.locator("#events tr").first.inner_text().split("\t")
    assert row[2:] == [first.label, f"{first.score:.2f}"]
    with page.expect_download() as saved:
        page.click("#save")
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert (lines[0], len(lines)) == ("onset\toffset\tevent_label\tscore", 1 + n_events)
    assert lines[1].startswith(f"{first.onset:.6f}\t{first.offset:.6f}\t{first.label}\t")


def test_another_rate_is_resampled(site: Site, page: Any, bursts: np.ndarray, detector: Detector) -> None:
    """The browser's filter is not ours: nearly the same probabilities, in as many frames."""
    soundfile.write(site.folder / "a.wav", np.repeat(bursts, 2)[: 9 * 44100], 44100, "FLOAT")
    shutil.copy(detector.path, site.folder / "d.onnx")
    page.goto(site.page(ort="/ort/", model="/d.onnx", audio="/a.wav"))
    wait(page, "done")
    wanted = detector.probabilities(site.folder / "a.wav").values
    found = np.array(page.evaluate("window.heard")["frames"]).T
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).mean() < 0.02 < np.abs(found[::-1] - wanted).mean()


def test_files_are_chosen_and_what_is_wrong_is_told(
    site: Site, page: Any, bursts: np.ndarray, detector: Detector, ort: Path
) -> None:
    """By the buttons, with onnxruntime-web from its usual place, which is answered here."""
    usual = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{version()}/dist/"
    page.route(
        f"{usual}*",
        lambda route: route.fulfill(
            path=ort / Path(route.request.url).name,
            content_type="application/wasm" if route.request.url.endswith(".wasm") else "text/javascript",
            headers={"Access-Control-Allow-Origin": "*"},
        ),
    )
    page.goto(site.page(model="/none.onnx"))
    assert wait(page, "wrong") == "/none.onnx: cannot be loaded (404)"
    assert page.locator("#choose").is_disabled()
    no_onnx, no_metadata = "this is no ONNX file of hubbub's", "this file holds no metadata of hubbub's; wanted a "
    for name, held, told in (
        ("no.onnx", b"\xffnot an ONNX file", no_onnx),
        ("empty.onnx", b"", no_metadata),
        ("cut.onnx", detector.path.read_bytes()[:-9], no_onnx),
        ("half.onnx", detector.path.read_bytes()[:20_000], no_onnx),
    ):
        (site.folder / name).write_bytes(held)
        page.evaluate("document.documentElement.dataset.state = 'asked'")
        page.set_input_files("#model-file", site.folder / name)
        assert wait(page, "wrong").startswith(told), name
    page.set_input_files("#model-file", detector.path)
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    assert page.inner_text("#detector") == f"{detector.path.name}: hears {', '.join(LABELS)}, at 22050 Hz."
    (site.folder / "a.wav").write_bytes(b"no sound")
    page.set_input_files("#audio-file", site.folder / "a.wav")
    page.wait_for_function("document.documentElement.dataset.state === 'wrong'")
    assert page.inner_text("#status").startswith("this browser cannot decode that file; wanted a recording")
    soundfile.write(site.folder / "a.wav", bursts, 22050)
    page.set_input_files("#audio-file", site.folder / "a.wav")
    page.wait_for_function("document.documentElement.dataset.state === 'done'")
    assert page.inner_text("#count") == f"{len(detector.detect(site.folder / 'a.wav'))} events"
    bounds = page.locator("#timeline").bounding_box()
    page.mouse.move(bounds["x"] + bounds["width"] / 2, bounds["y"] + 30)
    assert re.fullmatch(r"0:0\d\.\d\d\s+(bell|dog|rain) [01]\.\d\d", page.inner_text("#under"))


def test_a_detector_of_clips_or_of_another_schema_is_refused(site: Site, page: Any, detector: Detector) -> None:
    import onnx

    graph = onnx.load(detector.path)
    said = json.loads(graph.metadata_props[0].value)
    for change, told in (
        ({"task": "clip"}, "this detector labels whole clips"),
        ({"schema": 3}, "metadata schema 3; wanted 1 or 2"),
    ):
        (name,) = change
        graph.metadata_props[0].value = json.dumps(said | change)
        onnx.save(graph, site.folder / f"{name}.onnx")
        page.goto(site.page(ort="/ort/", model=f"/{name}.onnx"))
        assert wait(page, "wrong").startswith(told)


def test_the_microphone_is_heard_until_it_is_stopped(site: Site, page: Any, detector: Detector) -> None:
    """Chromium's own test sound: a beep a second."""
    shutil.copy(detector.path, site.folder / "d.onnx")
    page.goto(site.page(ort="/ort/", model="/d.onnx"))
    wait(page, "ready")
    page.click("#listen")
    page.wait_for_function("document.getElementById('listen').textContent === 'Stop'")
    page.wait_for_function("document.querySelectorAll('#events tr').length > 0")
    page.click("#listen")
    assert wait(page, "done") == "Stopped."
    page.wait_for_function("document.getElementById('listen').textContent === 'Microphone'")
    assert page.locator("#events tr.open").count() == 0
