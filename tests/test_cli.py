"""The commands as a user calls them: what they write, what they say in one line, and their exit codes."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from hubbub import audio, batch
from hubbub.cli import main
from hubbub.detectors import shipped
from hubbub.errors import DetectorError
from tests.conftest import Ran, Run

RATE = 22050
HEADER = "filename\tonset\toffset\tevent_label\tscore\n"
ROWS = "filename\tonset\toffset\tevent_label\n"


@pytest.fixture
def place(tmp_path: Path, bursts: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with two recordings."""
    monkeypatch.chdir(tmp_path)
    audio.write("a.wav", bursts[: 2 * RATE], RATE)
    audio.write("b.wav", bursts[2 * RATE : 3 * RATE], RATE)
    return tmp_path


@pytest.fixture
def model(detector_path: Path) -> tuple[str, Path]:
    return "--model", detector_path


def make_bad(name: str) -> None:
    path = Path(name)
    match path.stem:
        case "empty":
            path.touch()
        case "cut":
            path.write_bytes(Path("a.wav").read_bytes()[:22094])
        case "text":
            path.write_text("no sound, only words\n")
        case "silent":
            soundfile.write(path, np.zeros(0), RATE)
        case "nan":
            samples = np.zeros(RATE, np.float32)
            samples[RATE // 2] = np.nan
            soundfile.write(path, samples, RATE, subtype="FLOAT")
        case "folder":
            path.mkdir()


BAD = {
    "missing.wav": "missing.wav: does not exist; wanted a recording",
    "empty.wav": "empty.wav: is empty (0 bytes); fetch it again",
    "cut.wav": "cut.wav: is cut short: its header promises 2.000 s, 0.500 s are there; fetch it again, or save what is "
    "there: ffmpeg -i cut.wav cut.converted.wav",
    "text.wav": "text.wav: holds text, not audio; wanted a recording "
    "(.wav, .flac, .ogg, .oga, .opus, .mp3, .aif, .aiff, .aifc, .au, .caf, .rf64, .w64)",
    "silent.wav": "silent.wav: holds no samples: it is only a header, or cut short right behind one",
    "nan.wav": "nan.wav: the sample at 0.500000 s is no finite number; wanted samples from -1 to 1",
    "folder": "folder: a folder without audio; wanted files that end in .wav .flac .ogg .oga .opus .mp3 …",
}

# hubbub detect


def test_detect_in_a_pipe_writes_the_table_and_nothing_else(place: Path, run: Run, model: tuple[str, Path]) -> None:
    done = run("detect", "a.wav", "b.wav", *model)
    assert done.code == 0
    assert done.told == []
    assert done.out.startswith(HEADER)
    rows = list(csv.DictReader(io.StringIO(done.out), delimiter="\t"))
    assert {row["filename"] for row in rows} == {"a.wav", "b.wav"}
    assert rows == sorted(rows, key=lambda row: (row["filename"], float(row["onset"]), row["event_label"]))
    for row in rows:
        assert 0 <= float(row["onset"]) < float(row["offset"]) <= 2.0
        assert row["event_label"] in ("bell", "dog", "rain")
        assert all(len(row[time].partition(".")[2]) == 6 for time in ("onset", "offset"))
        assert 0 < float(row["score"]) < 1


def test_names_are_relative_to_the_folder(place: Path, run: Run, model: tuple[str, Path]) -> None:
    (place / "in" / "deep").mkdir(parents=True)
    shutil.copy("a.wav", "in/deep/a.wav")
    done = run("detect", "in", *model)
    assert done.code == 0
    assert {row["filename"] for row in csv.DictReader(io.StringIO(done.out), delimiter="\t")} == {"deep/a.wav"}


def test_a_terminal_is_shown_a_timeline(
    place: Path, run: Run, model: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = run("detect", "a.wav", *model)
    assert done.code == 0
    assert "a.wav" in done.out and "bell" in done.out and "━" in done.out
    assert "filename" not in done.out
    table = run("detect", "a.wav", *model, "--format", "tsv")
    assert table.out.startswith(HEADER), "a format that is asked for is written to a terminal too"


@pytest.mark.parametrize(("name", "message"), BAD.items())
def test_a_bad_recording_is_one_line(place: Path, run: Run, model: tuple[str, Path], name: str, message: str) -> None:
    make_bad(name)
    done = run("detect", name, *model)
    assert done == Ran(1, HEADER, f"hubbub: {message}\n")


def test_five_milliseconds_are_a_recording(place: Path, run: Run, model: tuple[str, Path]) -> None:
    soundfile.write("short.wav", np.full(110, 0.1), RATE)
    done = run("detect", "short.wav", *model)
    assert done.code == 0
    rows = list(csv.DictReader(io.StringIO(done.out), delimiter="\t"))
    assert {row["filename"] for row in rows} == {"short.wav"}
    assert all(float(row["offset"] or 0) <= 0.005 for row in rows)


@pytest.mark.parametrize("jobs", [1, 3])
def test_bad_files_in_a_batch_cost_their_own_events_only(
    place: Path, run: Run, model: tuple[str, Path], jobs: int
) -> None:
    alone = run("detect", "a.wav", "b.wav", *model)
    for name in BAD:
        make_bad(name)
    done = run("detect", "a.wav", *BAD, "b.wav", *model, "--jobs", jobs)
    assert done.code == 1
    assert done.out == alone.out != HEADER
    assert sorted(done.told) == sorted(BAD.values())


def test_a_name_that_no_table_holds_costs_its_own_events_only(place: Path, run: Run, model: tuple[str, Path]) -> None:
    alone = run("detect", "a.wav", *model)
    for name in ("tab\tbed.wav", "bad\udcff.wav"):
        shutil.copy("b.wav", name)
    done = run("detect", ".", "--jobs", 1, *model)
    assert done.code == 1
    assert [row for row in done.out.splitlines() if not row.startswith("b.wav")] == alone.out.splitlines()
    assert done.told == [
        "cannot be written: 'bad\\udcff.wav' is no Unicode text; rename it",
        "cannot be written: the filename 'tab\\tbed.wav' holds '\\t'; rename it",
    ]


def test_output_goes_to_a_file(place: Path, run: Run, model: tuple[str, Path]) -> None:
    table = run("detect", "a.wav", *model).out
    done = run("detect", "a.wav", *model, "-o", "found.tsv")
    assert (done.code, done.out) == (0, "")
    assert Path("found.tsv").read_text() == table
    assert run("detect", "a.wav", *model, "-o", "found.json").code == 0
    (recording,) = json.loads(Path("found.json").read_text())["recordings"]
    assert len(recording["events"]) == len(table.splitlines()) - 1


def test_thresholds_are_taken(place: Path, run: Run, model: tuple[str, Path]) -> None:
    def labels(*thresholds: str) -> set[str]:
        done = run("detect", "a.wav", *model, *(f"--threshold={each}" for each in thresholds))
        assert done.code == 0
        return {row["event_label"] for row in csv.DictReader(io.StringIO(done.out), delimiter="\t")}

    assert labels("0.5") == {"bell", "dog", "rain"}
    assert labels("1") == {""}
    assert labels("bell=1", "dog=1") == {"rain"}


# A call that was wrong is told with exit code 2, an input that failed with 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "xml"],
            "--format xml: wanted tsv, audacity, audioset, birdnet, csv, elan, jams, json, kaleidoscope, raven, rttm, "
            "sonicvisualiser, text, textgrid",
        ),
        (["--threshold", "high"], "--threshold high: 'high' is no number; wanted X or LABEL=X"),
        (["--threshold", "dog=low"], "--threshold dog=low: 'low' is no number; wanted X or LABEL=X"),
        (["--threshold", "1.5"], "threshold 1.5 and low threshold 1.2: wanted 0 <= low <= threshold <= 1"),
        (["--threshold", "nan"], "threshold nan and low threshold nan: wanted 0 <= low <= threshold <= 1"),
        (["--threshold", "owl=0.5"], "threshold for 'owl': this detector knows bell, dog, rain"),
        (
            ["--threshold", "0.5", "--threshold", "dog=0.5"],
            "--threshold X and --threshold LABEL=X exclude each other; give one kind",
        ),
        (["--format", "text", "b.wav"], "--format text holds one recording a file, and there are 2; take tsv"),
        (["--scores", "a.wav/scores"], "a.wav/scores: cannot be made: Not a directory; choose another folder"),
        (["-o", "none/a.tsv"], "none/a.tsv: cannot be written: there is no folder none"),
        (
            ["-o", "folder", "--scores", "scores"],
            "--scores does not go with a folder of results; give -o a file, as in -o folder.tsv",
        ),
        (["--retry"], "--engine, --address and --retry go with a folder of results; give one: -o FOLDER/"),
    ],
)
def test_a_wrong_call_of_detect_is_one_line(
    place: Path, run: Run, model: tuple[str, Path], arguments: list[str], message: str
) -> None:
    Path("folder").mkdir()
    assert run("detect", "a.wav", *model, *arguments) == Ran(2, "", f"hubbub: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing command"),
        (["hear"], "No such command 'hear'"),
        (["detect"], "Missing argument"),
        (["detect", "a.wav", "--loud"], "No such option: --loud"),
        (["detect", "a.wav", "--jobs", "0"], "Invalid value for '--jobs'"),
        (["train", "clips"], "Missing option '--output'"),
        (["train", "clips", "-o", "x.onnx", "--epochs", "many"], "Invalid value for '--epochs'"),
    ],
)
def test_a_call_that_cannot_be_read_is_told(place: Path, run: Run, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert message in done.err or (not arguments and "Usage: hubbub" in done.out)
    assert done.told == []


def test_a_file_that_is_no_detector_is_one_line(place: Path, run: Run) -> None:
    identity = onnx.helper.make_node("Identity", ["audio"], ["same"])
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("audio", "same")]
    graph = onnx.helper.make_graph([identity], "bare", ends[:1], ends[1:])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, ir_version=9, opset_imports=[opset]), "bare.onnx")
    Path("text.onnx").write_text("no graph")
    wanted = "wanted a detector that `hubbub train` wrote"
    for name, reason in {
        "missing.onnx": "no such file; wanted a detector, the .onnx file that `hubbub train` writes, "
        f"or one that ships: {', '.join(shipped())}",
        "text.onnx": f"is no ONNX file that onnxruntime can open; {wanted}",
        "bare.onnx": f"an ONNX file without the metadata key 'hubbub'; {wanted}",
    }.items():
        for call in (["detect", "a.wav", "--model", name], ["evaluate", "a.tsv", name]):
            Path("a.tsv").write_text(ROWS + "a.wav\t0\t1\tdog\n")
            assert run(*call) == Ran(1, "", f"hubbub: {name}: {reason}\n")


# hubbub evaluate


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            ROWS + "a.wav\t0\t1\tdog\na.wav\t2\t1\tdog\n",
            ":3: onset 2 s lies after offset 1 s; wanted 0 <= onset <= offset",
        ),
        (ROWS + "a.wav\t-1\t1\tdog\n", ":2: onset -1 s is negative; wanted 0 <= onset <= offset"),
        (ROWS + "a.wav\tsoon\t1\tdog\n", ":2: onset is 'soon'; wanted a number"),
        (
            "filename\tonset\tevent_label\na.wav\t0\tdog\n",
            ":1: column offset is missing; wanted a header: filename onset offset event_label",
        ),
        (ROWS + "a.wav\t0\t1\n", ":2: has 3 columns; wanted 4: filename onset offset event_label"),
    ],
)
def test_a_label_row_that_is_wrong_is_told_with_its_line(place: Path, run: Run, content: str, message: str) -> None:
    Path("good.tsv").write_text(ROWS + "a.wav\t0\t1\tdog\n")
    Path("bad.tsv").write_text(content)
    for call in (["bad.tsv", "good.tsv"], ["good.tsv", "bad.tsv"]):
        assert run("evaluate", *call) == Ran(1, "", f"hubbub: bad.tsv{message}\n")


def test_evaluate_says_what_is_missing(place: Path, run: Run) -> None:
    Path("a.tsv").write_text(ROWS + "a.wav\t0\t1\tdog\n")
    Path("other.tsv").write_text(ROWS + "elsewhere.wav\t0\t1\tdog\n")
    assert run("evaluate", "none.tsv", "a.tsv").told == [
        "none.tsv: cannot be read: No such file or directory; wanted a label file"
    ]
    done = run("evaluate", "other.tsv", "a.tsv")
    assert done.code == 2
    assert done.told == [
        "other.tsv: how long is elsewhere.wav? There is no such audio beside the table; "
        "give --audio FOLDER, or --durations FILE with the columns filename and duration"
    ]
    done = run("evaluate", "a.tsv", "a.tsv", "--page", "page.html")
    assert (done.code, done.told) == (0, [])
    assert "a.tsv against a.tsv" in Path("page.html").read_text()


def test_mixed_scenes_are_evaluated(place: Path, run: Run, clips: Path, detector_path: Path) -> None:
    done = run("mix", clips, "mixed", "--scenes", 2, "--seconds", 4, "--labels", 2, 3, "--rate", 8000, "--jobs", 1)
    assert done.code == 0
    assert "mixed: 2 scenes, 0.1 minutes, " in done.err
    same = run("evaluate", "mixed", "mixed/events.tsv", "--json")
    assert same.code == 0
    scores = json.loads(same.out)
    assert scores["system"]["frame"]["micro_f1"] == 1.0
    assert scores["always_silent"]["frame"]["micro_f1"] == 0.0
    heard = run("evaluate", "mixed", detector_path)
    assert heard.code == 0
    assert "always on" in heard.out
    again = run("mix", clips, "mixed", "--scenes", 2)
    assert again == Ran(2, "", "hubbub: mixed/audio: holds recordings already; remove them or choose another folder\n")


# hubbub mix and hubbub train


def test_a_range_that_runs_backwards_is_one_line(place: Path, run: Run, clips: Path) -> None:
    for arguments, message in {
        ("--labels", "9", "4"): "n_labels: the range begins at 9 and ends at 4; wanted the smaller one first",
        ("--snr", "30", "3"): "snr_db: the range begins at 30 and ends at 3; wanted the smaller one first",
        ("--rate", "0"): "sample_rate: Input should be greater than or equal to 4000",
    }.items():
        assert run("mix", clips, "mixed", *arguments) == Ran(2, "", f"hubbub: {message}\n")
    assert not Path("mixed").exists()


@pytest.fixture
def twice(place: Path, clips: Path) -> str:
    """Two clips with one name; and nothing left that a run could go on with."""
    shutil.copytree(clips / "rain", "clips/rain")
    Path("clips/rain/more").mkdir()
    shutil.copy("clips/rain/rain-001.wav", "clips/rain/more/rain-001.wav")
    return (
        "clips/rain/more/rain-001.wav and clips/rain/rain-001.wav: two clips with one name; "
        "give each clip of rain its own name"
    )


@pytest.mark.parametrize("call", [["mix", "clips", "out"], ["train", "clips", "-o", "out.onnx"]])
def test_two_clips_with_one_name_are_told(run: Run, twice: str, call: list[str]) -> None:
    done = run(*call)
    assert (done.code, done.out, done.told) == (1, "", [twice])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none", "-o", "x.onnx"], 1, "none: no such folder; wanted recordings with a table events.tsv"),
        (["empty", "-o", "x.onnx"], 1, "empty: no audio in it; wanted recordings with a table events.tsv"),
        (["few", "-o", "x.onnx"], 1, "few: no clips for the test side; wanted at least three recordings of a label"),
        (["clips", "-o", "x.onnx", "--network", "deep"], 2, "network 'deep' is none of tiny, small, base, "),
        (["clips", "-o", "x"], 2, "x: a detector's name ends in .onnx; give another name"),
        (
            ["clips", "-o", "folder.onnx"],
            2,
            "folder.onnx: cannot be written: it is a folder; wanted the name of a file",
        ),
        (["clips", "-o", "a.wav/x.onnx"], 2, "a.wav/x.train: cannot be made: Not a directory; choose another folder"),
    ],
)
def test_training_that_cannot_begin_is_one_line_before_the_work(
    place: Path, run: Run, clips: Path, arguments: list[str], code: int, message: str
) -> None:
    Path("clips").symlink_to(clips)
    Path("empty").mkdir()
    Path("folder.onnx").mkdir()
    for clip in sorted((clips / "rain").iterdir())[:2]:
        Path("few/rain").mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, "few/rain")
    done = run("train", *arguments, "--minutes", 1, "--test-minutes", 1, "--epochs", 1, "--no-page", "--jobs", 1)
    assert (done.code, done.out) == (code, "")
    (told,) = done.told
    assert told.startswith(message)
    assert not list(place.rglob("scenes"))


# What is not foreseen


def test_ctrl_c_is_one_line(place: Path, run: Run, model: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found = batch.detect

    def stopped(*arguments: object, **options: object) -> object:
        yield next(iter(found(*arguments, **options)))
        raise KeyboardInterrupt

    alone = run("detect", "a.wav", *model)
    monkeypatch.setattr(batch, "detect", stopped)
    done = run("detect", "a.wav", "b.wav", *model)
    assert done.code == 130
    assert done.told == ["stopped; what was finished is kept"]
    assert done.out == alone.out


def test_an_extra_that_is_missing_is_named(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hubbub.training.run", raising=False)
    monkeypatch.setitem(sys.modules, "lightning", None)
    done = run("train", ".", "-o", "x.onnx")
    assert done == Ran(1, "", 'hubbub: lightning is not installed; run: pip install "hubbub[train]"\n')


def test_an_error_of_our_own_is_one_line(
    place: Path, run: Run, model: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise IndexError("out of\nall bounds")

    monkeypatch.setattr(batch, "recordings", broken)
    done = run("detect", "a.wav", *model)
    assert done == Ran(
        1, "", "hubbub: unexpected IndexError: out of all bounds; run again with --debug and report it\n"
    )


@pytest.mark.parametrize("arguments", [["--debug", "detect", "a.wav"], ["detect", "a.wav", "--debug"]])
def test_debug_raises_what_happened(place: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["hubbub", *arguments, "--model", "none.onnx"])
    with pytest.raises(DetectorError, match="no such file"):
        main()


# As a program


def program(*arguments: object) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_program_says_what_the_function_says(place: Path, run: Run, model: tuple[str, Path]) -> None:
    called = run("detect", "a.wav", "missing.wav", *model)
    done = program("detect", "a.wav", "missing.wav", *model)
    assert (done.code, done.out, done.told) == (called.code, called.out, called.told)
    assert done.code == 1
    shown = program("detect", "a.wav", "--model", "none.onnx", "--debug")
    assert shown.code == 1
    assert "Traceback" in shown.err and "hubbub.errors.DetectorError: none.onnx: no such file" in shown.err


def test_a_reader_that_goes_away_is_no_traceback(place: Path, model: tuple[str, Path]) -> None:
    command = [sys.executable, "-m", "hubbub", "detect", "a.wav", *map(str, model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert "Traceback" not in said and "Error" not in said
