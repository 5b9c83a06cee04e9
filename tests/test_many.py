"""Many recordings into a folder: the same events as one by one, whatever is killed, broken or changed in between."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from hubbub import audio, batch
from hubbub.console import Reporter, Tick
from hubbub.detector import Detector
from hubbub.errors import ConfigError
from hubbub.many import child, crew
from hubbub.many.crew import Heard
from hubbub.many.results import Results, Stat
from hubbub.many.run import Summary, Work
from hubbub.many.run import run as run_batch
from tests.conftest import Run

RATE = 22050
ROOT = Path(__file__).parents[1]
CRASHING = "tests.crashing_child"


@pytest.fixture
def folder(tmp_path: Path, bursts: np.ndarray) -> Path:
    """Three recordings, and one that is none."""
    place = tmp_path / "recordings"
    for index, name in enumerate(("street.wav", "below/park.flac", "below/deep/yard.ogg")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / name, bursts[index * RATE : (index + 3) * RATE], RATE)
    (place / "broken.wav").write_text("no audio")
    return place


def heard(detector: Detector, folder: Path, out: Path, **work: object) -> Summary:
    """A batch, in one child unless told otherwise."""
    chosen, errors = batch.recordings([folder])
    assert errors == []
    return run_batch(detector, chosen, out, Work(**work), Reporter())  # type: ignore[arg-type]


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.done, summary.before, summary.failed, summary.failed_before


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What is there afterwards


def test_a_folder_of_results_has_the_events_of_one_table(folder: Path, run: Run, detector_path: Path) -> None:
    table, out = folder.parent / "all.tsv", folder.parent / "out"
    one = run("detect", folder, "-m", detector_path, "-o", table)
    done = run("detect", folder, "-m", detector_path, "-o", out, "-j", 2)
    assert (one.code, done.code, done.out) == (1, 1, "")
    assert done.told == one.told  # what is wrong with broken.wav, and nothing else
    assert (out / "events.tsv").read_bytes() == table.read_bytes()
    header, *rows = table.read_text().splitlines()
    for name in ("street.wav", "below/park.flac", "below/deep/yard.ogg"):
        own = [row for row in rows if row.split("\t")[0] == name]
        assert (out / "events" / f"{name}.tsv").read_text().splitlines() == [header, *own]
    assert len(rows) > 10
    assert (out / "errors.tsv").read_text() == f"filename\terror\nbroken.wav\t{one.told[0]}\n"
    assert sorted(tree(out)) == [
        ".lock",
        "errors.tsv",
        "events.tsv",
        *(f"events/{name}.tsv" for name in ("below/deep/yard.ogg", "below/park.flac", "street.wav")),
        "record.jsonl",
    ]
    assert "3 recordings done, 1 failed; 9.0 s of audio in " in done.err
    assert done.err.splitlines()[-2:] == [f"failed: {out / 'errors.tsv'}", f"events: {out / 'events.tsv'}"]


@pytest.mark.parametrize(
    ("output", "folder"),
    [("new", True), ("is-a-folder.tsv", True), ("new.d/", True), ("new.tsv", False), ("is-a-file", False), ("", False)],
)
def test_what_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, folder: bool) -> None:
    from hubbub.cli.many import is_folder

    monkeypatch.chdir(tmp_path)
    Path("is-a-folder.tsv").mkdir()
    Path("is-a-file").touch()
    assert is_folder(output, None, "joblib", None, False) == folder
    assert not is_folder(None, None, "joblib", None, False)
    assert not is_folder("/dev/stdout", None, "joblib", None, False)


def test_one_file_is_heard_without_what_many_need(tmp_path: Path, detector_path: Path, bursts: np.ndarray) -> None:
    """Starting takes longer than listening to a clip."""
    audio.write(tmp_path / "a.wav", bursts[:RATE], RATE)
    names = ("joblib", "scipy", "multiprocessing.pool", "hubbub.many", "dask", "distributed", "ray")
    code = (
        "import sys, hubbub.cli\n"
        "try: hubbub.cli.main()\n"
        "except SystemExit as end: code = end.code\n"
        f"print(code, [name for name in {names} if name in sys.modules], file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "detect", tmp_path / "a.wav", "-m", detector_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stderr.splitlines()[-1] == "0 []"


# What is skipped, and what is not


def test_what_is_done_is_skipped_and_what_changed_is_not(
    folder: Path, detector: Detector, bursts: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / "out"
    assert counts(heard(detector, folder, out)) == (3, 0, 1, 0)
    first = tree(out)

    def no_child(*_: object) -> None:
        raise AssertionError("a child was started")

    with monkeypatch.context() as patched:
        patched.setattr(crew._Child, "__init__", no_child)
        assert counts(heard(detector, folder, out)) == (0, 3, 0, 1)
    assert tree(out) == first

    soundfile.write(folder / "street.wav", bursts[5 * RATE : 9 * RATE], RATE)
    (folder / "new.wav").write_bytes((folder / "street.wav").read_bytes())
    (folder / "below/park.flac").unlink()
    assert counts(heard(detector, folder, out)) == (2, 1, 0, 1)
    assert counts(heard(detector, folder, out, retry=True)) == (0, 3, 1, 0)
    names = {line.split("\t")[0] for line in (out / "events.tsv").read_text().splitlines()}
    assert names == {"filename", "street.wav", "new.wav", "below/deep/yard.ogg"}

    other = detector.with_thresholds({"dog": 0.9})
    assert counts(heard(other, folder, out, thresholds=(("dog", 0.9),))) == (3, 0, 1, 0)
    again = heard(detector, folder, out)
    assert counts(again) == (3, 0, 1, 0)
    (out / "events/street.wav.tsv").unlink()
    assert counts(heard(detector, folder, out)) == (1, 2, 0, 1)


def test_a_recording_that_broke_has_no_events_any_more(folder: Path, detector: Detector) -> None:
    out = folder.parent / "out"
    heard(detector, folder, out)
    (folder / "street.wav").write_bytes(b"RIFF")
    assert counts(heard(detector, folder, out)) == (0, 2, 1, 1)
    assert not (out / "events/street.wav.tsv").exists()
    assert "street.wav" not in (out / "events.tsv").read_text()
    assert [line.split("\t")[0] for line in (out / "errors.tsv").read_text().splitlines()[1:]] == [
        "broken.wav",
        "street.wav",
    ]


def test_half_a_record_is_no_record(folder: Path, detector: Detector) -> None:
    """A batch that was killed may leave half a line, and half a file beside its place."""
    out = folder.parent / "out"
    heard(detector, folder, out)
    whole = tree(out)
    lines = whole["record.jsonl"].splitlines(keepends=True)
    street = next(index for index, line in enumerate(lines) if b"street" in line)
    (out / "record.jsonl").write_bytes(b"".join([*lines[:street], lines[street][:40]]))
    (out / "events/.street.wav.tsv.0123456789ab.part").write_text("filename\ton")
    (out / "events/.hidden.part").write_text("of somebody else")
    assert counts(heard(detector, folder, out)) == (1, 2, 0, 1)
    assert (out / "events/.hidden.part").exists()
    (out / "events/.hidden.part").unlink()
    assert tree(out) == whole


# What goes wrong


def test_a_decoder_that_crashes_costs_its_own_recording_only(
    folder: Path, detector: Detector, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a crashes.wav", "c crashes.wav", "exits.wav", "surprises.wav", "prints.wav"):
        (folder / name).write_bytes((folder / "street.wav").read_bytes())
    out = folder.parent / "out"
    assert counts(heard(detector, folder, out, jobs=2, module=CRASHING)) == (4, 0, 5, 0)
    said = capsys.readouterr()
    crashed = "the decoder crashed (signal 11); leave it out, or convert it first"
    errors = [
        ("a crashes.wav", f"{folder}/a crashes.wav: {crashed}"),
        (
            "broken.wav",
            f"{folder}/broken.wav: holds text, not audio; wanted a recording ({', '.join(audio.EXTENSIONS)})",
        ),
        ("c crashes.wav", f"{folder}/c crashes.wav: {crashed}"),
        ("exits.wav", f"{folder}/exits.wav: {crashed.replace('signal 11', 'exit code 3')}"),
        ("surprises.wav", f"{folder}/surprises.wav: unexpected RuntimeError: nobody thought of this"),
    ]
    assert (out / "errors.tsv").read_text().splitlines()[1:] == ["\t".join(each) for each in errors]
    assert said.out == ""
    told = [line for line in said.err.splitlines() if not line.startswith("detecting: ")]  # how long it took
    assert sorted(told) == sorted(f"hubbub: {error}" for _, error in errors)
    street = (out / "events/street.wav.tsv").read_text()
    assert (out / "events/prints.wav.tsv").read_text() == street.replace("street", "prints")
    assert counts(heard(detector, folder, out, retry=True)) == (4, 4, 1, 0)  # by a decoder that does not crash


def test_a_decoder_that_hangs_is_ended(folder: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "STALLED", 2.0)
    (folder / "hangs.wav").write_bytes((folder / "street.wav").read_bytes())
    out = folder.parent / "out"
    assert counts(heard(detector, folder, out, module=CRASHING)) == (3, 0, 2, 0)
    assert "hangs.wav: the decoder hangs: nothing came of it for 2 s" in (out / "errors.tsv").read_text()


def test_a_child_that_cannot_listen_stops_the_batch_in_one_line(folder: Path, detector: Detector) -> None:
    out = folder.parent / "out"
    with pytest.raises(ConfigError) as error:
        heard(detector, folder, out, module="tests.there_is_no_such_child")
    assert str(error.value).startswith("the process to listen in does not start: ")
    assert str(error.value).endswith("No module named tests.there_is_no_such_child")
    order = {"detector": str(detector.path), "digest": "0", "thresholds": None, "device": "cpu", "version": "0.1.0"}
    with pytest.raises(ConfigError, match="is not the same file here as where the batch was started"):
        child.opened(order)
    order |= {"digest": child.digest(detector.path), "version": "0.0.1"}
    with pytest.raises(ConfigError, match=r"^hubbub 0\.1\.0 here, 0\.0\.1 where the batch was started"):
        child.opened(order)


def test_two_batches_do_not_write_into_one_folder(tmp_path: Path, detector: Detector) -> None:
    with Results(tmp_path / "out", detector, "digest"):
        assert (tmp_path / "out/.lock").read_text().startswith(f"{os.getpid()} on ")
        with pytest.raises(ConfigError) as error, Results(tmp_path / "out", detector, "digest"):
            pass
        assert str(error.value).startswith(f"{tmp_path / 'out'}: another batch writes here (process {os.getpid()} on ")
        assert str(error.value).endswith("); wait for it, or choose another folder")
    (tmp_path / "out/.lock").write_text("1 on a machine that was switched off\n")
    with Results(tmp_path / "out", detector, "digest"):
        pass


def test_a_folder_with_tables_of_somebody_else_is_left_alone(tmp_path: Path, detector: Detector) -> None:
    (tmp_path / "events.tsv").write_text("labelled by hand")
    with (
        pytest.raises(ConfigError, match=r"holds events\.tsv, and no batch wrote it; choose another folder"),
        Results(tmp_path, detector, "digest"),
    ):
        pass
    assert tree(tmp_path) == {"events.tsv": b"labelled by hand"}


def test_a_full_disk_stops_the_batch_and_a_bad_name_does_not(
    tmp_path: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Stat(1, 2)
    with Results(tmp_path / "out", detector, "digest") as held:
        assert held.add("tab\tbed.wav", stat, Heard()) == (
            "cannot be written: the filename 'tab\\tbed.wav' holds '\\t'; rename it"
        )
        assert held.add("bad\udcff.wav", stat, Heard()) == (
            "cannot be written: 'bad\\udcff.wav' is no Unicode text; rename it"
        )
        long = "x" * 252 + ".wav"
        assert "File name too long" in (held.add(long, stat, Heard()) or "")
        held.finish(sorted(["tab\tbed.wav", "bad\udcff.wav", long]))

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(ConfigError, match="No space left on device"):
            held.add("good.wav", stat, Heard())
    table = (tmp_path / "out/errors.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in table] == ["filename", "bad\\udcff.wav", "tab bed.wav", long]


def test_where_nothing_can_be_written_the_children_end(
    folder: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ConfigError("no space left")

    (folder / "hangs.wav").write_bytes((folder / "street.wav").read_bytes())
    monkeypatch.setattr(Results, "add", full)
    before = psutil.Process().children()
    with pytest.raises(ConfigError, match="no space left"):
        heard(detector, folder, folder.parent / "out", jobs=2, module=CRASHING)
    left = [one for one in psutil.Process().children() if one not in before]
    assert psutil.wait_procs(left, timeout=10)[1] == []  # not before somebody has waited for them


def test_no_recording_takes_the_table_of_another(
    folder: Path, detector: Detector, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    chosen = [
        batch.Recording(folder / "street.wav", "../a.wav"),
        batch.Recording(folder / "below/park.flac", "__/a.wav"),
    ]
    assert counts(run_batch(detector, chosen, out, Work(), Reporter())) == (1, 0, 1, 0)
    told = f"{folder}/below/park.flac: its table would lie where that of ../a.wav does; hear it into another folder"
    assert f"hubbub: {told}\n" in capsys.readouterr().err
    assert (out / "errors.tsv").read_text() == f"filename\terror\n__/a.wav\t{told}\n"
    assert (out / "events/__/a.wav.tsv").read_text() == (out / "events.tsv").read_text()
    assert counts(run_batch(detector, chosen, out, Work(), Reporter())) == (0, 1, 1, 0)


def test_a_bar_tells_how_much_of_all_bytes_is_heard(folder: Path, detector: Detector, bursts: np.ndarray) -> None:
    ticks: list[tuple[int, int, str]] = []

    class Watched(Reporter):
        @contextmanager
        def bar(self, title: str) -> Iterator[Tick]:
            def tick(done: int, total: int, note: str = "") -> None:
                ticks.append((done, total, note))

            yield tick

    soundfile.write(folder / "street.wav", np.tile(bursts, 10), RATE)  # 8.8 MB, 200 s: seven blocks
    chosen, _ = batch.recordings([folder])
    run_batch(detector, chosen, folder.parent / "out", Work(module=CRASHING), Watched())
    assert [done for done, _, _ in ticks] == sorted(done for done, _, _ in ticks)
    assert {total for _, total, _ in ticks} == {9}
    assert len({done for done, _, _ in ticks}) >= 7
    assert ticks[-1] == (9, 9, "MB, 3 of 4 recordings, 1 failed")


def test_other_formats_are_made_of_the_table(folder: Path, run: Run, detector_path: Path) -> None:
    out = folder.parent / "out"
    done = run("detect", folder, "-m", detector_path, "-o", out, "--format", "raven")
    assert (done.code, done.told) == (
        2,
        [
            "--format raven: a folder of results is tsv; convert it later: "
            f"hubbub convert {out / 'events.tsv'} converted/ --to raven"
        ],
    )


# Killed


def make_recordings(folder: Path, bursts: np.ndarray, n: int) -> Path:
    """Recordings of 10 to 60 s in several formats and folders, and one broken: a second has less than `n` of them."""
    rng = np.random.default_rng(n)
    for index in range(n - 1):
        path = folder / f"{index % 5}" / f"{index:03d}{('.wav', '.flac', '.ogg', '.mp3')[index % 4]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        start, length = rng.integers(0, 10 * RATE), int(rng.integers(10 * RATE, 60 * RATE))
        soundfile.write(path, np.tile(bursts, 4)[start : start + length], RATE)
    (folder / "broken.flac").write_bytes(b"fLaC and no more")
    return folder


def killed_and_taken_up(place: Path, model: Path, bursts: np.ndarray, n_files: int, n_kills: int) -> None:
    """A batch that is killed at random moments, again and again, ends with the bytes of an undisturbed one, and never
    hears a recording again that it had recorded."""
    folder, out, whole = make_recordings(place / "recordings", bursts, n_files), place / "out", place / "whole"

    def batch_into(target: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hubbub", "detect", folder, "-m", model, "-o", target, "-j", "2"]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def recorded() -> dict[str, int]:
        """When the result of each recording was written, of those that the record holds."""
        lines = (out / "record.jsonl").read_bytes().splitlines() if (out / "record.jsonl").exists() else []
        found: dict[str, int] = {}
        for line in lines:
            try:
                name = json.loads(line)["name"]
            except (ValueError, KeyError):
                continue
            table = out / "events" / f"{name}.tsv"
            found[name] = table.stat().st_mtime_ns if table.exists() else 0
        return found

    random_moments, killed = random.Random(n_files), 0
    first_written: dict[str, int] = {}
    for _ in range(n_kills):
        so_far = len(recorded())
        process = batch_into(out)
        more = random_moments.uniform(0, 1.3 * n_files / n_kills)
        while len(recorded()) < so_far + more and process.poll() is None:
            time.sleep(0.005)
        time.sleep(random_moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        assert "Traceback" not in said
        killed += process.returncode == -signal.SIGKILL
        first_written = {**recorded(), **first_written}
    assert killed > 0.7 * n_kills
    assert first_written
    for target in (out, whole):
        process = batch_into(target)
        said = process.communicate(timeout=600)[1]
        assert process.returncode == 1, said  # there is one broken recording
    assert tree(out) == tree(whole)
    last = recorded()
    assert len(last) == n_files
    assert {name: last[name] for name in first_written} == first_written


def test_a_batch_killed_and_taken_up_ends_as_one_undisturbed(
    tmp_path: Path, detector_path: Path, bursts: np.ndarray
) -> None:
    killed_and_taken_up(tmp_path, detector_path, bursts, n_files=12, n_kills=3)


def test_a_batch_that_is_stopped_leaves_no_process(tmp_path: Path, detector_path: Path, bursts: np.ndarray) -> None:
    folder, out = tmp_path / "recordings", tmp_path / "out"
    folder.mkdir()
    soundfile.write(folder / "00.wav", bursts, RATE)
    soundfile.write(folder / "01.wav", np.tile(bursts, 60), RATE)
    for index in range(2, 100):  # more than any machine hears before it is told to stop
        os.link(folder / "01.wav", folder / f"{index:02d}.wav")
    command = [sys.executable, "-m", "hubbub", "detect", folder, "-m", detector_path, "-o", out, "-j", "2"]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (out / "events/00.wav.tsv").exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.05)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (130, "hubbub: stopped; what was finished is kept\n")
    assert children
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert '"00.wav"' in (out / "record.jsonl").read_text()


# Broken


def mutated(folder: Path, bursts: np.ndarray, n: int) -> Path:
    """`n` recordings with bytes changed or cut off, in folders of a hundred."""
    rng = np.random.default_rng(0)
    wholes = {}
    folder.mkdir(parents=True)
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        soundfile.write(folder / f"whole{suffix}", bursts[: RATE // 2], RATE)
        wholes[suffix] = (folder / f"whole{suffix}").read_bytes()
    for number in range(n):
        suffix = list(wholes)[number % len(wholes)]
        content = bytearray(wholes[suffix])
        if number % 3 == 0:
            del content[int(rng.integers(0, len(content))) :]
        for place in rng.integers(0, max(1, min(len(content), 4096)), size=int(rng.integers(0, 12))):
            if content:
                content[place] = int(rng.integers(0, 256))
        path = folder / f"{number // 100:03d}" / f"{number:05d}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


def mutated_ones_are_heard_or_told(place: Path, model: Path, bursts: np.ndarray, n: int) -> None:
    """Of every broken recording there are events or one line, and the batch goes to its end."""
    folder, out = mutated(place / "recordings", bursts, n), place / "out"
    command = [sys.executable, "-m", "hubbub", "detect", folder, "-m", model, "-o", out, "-j", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=3600)
    said = done.stderr.decode(errors="strict").splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    told = [line.removeprefix("hubbub: ") for line in said if line.startswith("hubbub: ")]
    _, *errors = (out / "errors.tsv").read_text().splitlines()
    assert sorted(told) == sorted(line.split("\t")[1] for line in errors)
    assert all(told_of.startswith(f"{folder}/") for told_of in told)
    assert [line for line in said if "Traceback" in line] == []
    assert len(said) - len(told) <= 4  # a bar's line, the summary, the tables
    failed = {line.split("\t")[0] for line in errors}
    names = {line.split("\t")[0] for line in (out / "events.tsv").read_text().splitlines()[1:]}
    assert not failed & names
    assert len(failed) + len(names) == n + 4
    assert len(failed) > n / 10


def test_mutated_recordings_are_heard_or_told(tmp_path: Path, detector_path: Path, bursts: np.ndarray) -> None:
    mutated_ones_are_heard_or_told(tmp_path, detector_path, bursts, 200)


# Clusters


@pytest.fixture
def dask_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The scheduler of two dask workers, a process each."""
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def ray_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A ray cluster of two cores on this machine."""
    ray = pytest.importorskip("ray", reason="ray is not installed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    yield ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False).address_info["address"]
    ray.shutdown()


def clustered(folder: Path, detector: Detector, engine: str, address: str) -> None:
    """On the workers of a cluster a recording gives what it gives here, crashes of its decoder included."""
    for name in ("a crashes.wav", "b.wav", "c.wav", "d.wav"):
        (folder / name).write_bytes((folder / "street.wav").read_bytes())
    here, there = folder.parent / "here", folder.parent / "there"
    heard(detector, folder, here, module=CRASHING)
    summary = heard(detector, folder, there, engine=engine, address=address, module=CRASHING)
    assert counts(summary) == (6, 0, 2, 0)
    assert tree(there) == tree(here)
    assert counts(heard(detector, folder, there, engine=engine, address=address)) == (0, 6, 0, 2)


def test_dask_workers_find_the_same(folder: Path, detector: Detector, dask_address: str) -> None:
    clustered(folder, detector, "dask", dask_address)
    from distributed import Client

    def children(dask_worker: object) -> int:
        return len([one for one in psutil.Process().children() if one.is_running() and one.status() != "zombie"])

    with Client(dask_address) as client:
        assert client.run(children) == dict.fromkeys(client.run(children), 0)


def test_ray_workers_find_the_same(folder: Path, detector: Detector, ray_address: str) -> None:
    clustered(folder, detector, "ray", ray_address)


def test_a_cluster_that_is_not_there_is_one_line(
    folder: Path, run: Run, detector_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / "out"
    arguments = ("detect", folder, "-m", detector_path, "-o", out)
    assert run(*arguments, "--engine", "slurm").told == ["--engine slurm: wanted one of joblib, dask, ray"]
    done = run(*arguments, "--address", "tcp://127.0.0.1:1")
    assert (done.code, done.told) == (2, ["--address is that of a cluster; add --engine dask or --engine ray"])
    assert not out.exists()
    for engine, module in (("dask", "distributed"), ("ray", "ray")):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, module, None)
            done = run(*arguments, "--engine", engine)
        assert (done.code, done.told) == (
            2,
            [f'--engine {engine}: {module} is not installed; run: pip install "hubbub[{engine}]"'],
        )
    pytest.importorskip("ray", reason="ray is not installed")
    done = run(*arguments, "--engine", "ray", "--address", "127.0.0.1:1")
    assert (done.code, done.told) == (
        1,
        [
            "--engine ray: ConnectionRefusedError: [Errno 111] Connection refused; "
            "what was finished is kept, run it again to go on"
        ],
    )
    assert sorted(tree(out)) == [".lock", "record.jsonl"]  # whoever goes on here may take another engine
