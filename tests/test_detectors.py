"""The detectors that ship: they are in the package, are found by name, and keep what their cards promise."""

import fnmatch
import importlib
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import hubbub
from hubbub import audio
from hubbub.decode import LabelRule, decode, median_filter
from hubbub.detectors import DEFAULT, FOLDER, path_of, shipped
from hubbub.errors import DetectorError
from hubbub.grid import Grid
from hubbub.mixing.builtin import SOUNDS
from tests.conftest import Run

ROOT = Path(__file__).parents[1]
NAMES = ["small", "small.int8", "tiny", "tiny.int8"]
NOTICES = ("NOTICE", "NOTICE.repositories", "NOTICE.given-away")
SCRIPTS = ROOT / "scripts" / "shipping"


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Steps, which those that ship do not know, a pause, and glass that breaks, as the package synthesises them."""
    rng = np.random.default_rng(0)
    pause = np.zeros(2 * 22050, np.float32)
    steps = [0.3 * SOUNDS["footsteps"](rng, 22050) for _ in range(3)]
    glass = [0.3 * SOUNDS["glass_smash"](rng, 22050) for _ in range(3)]
    samples = np.concatenate([pause, *steps, pause, *glass, pause])
    audio.write(tmp_path / "street.wav", samples.astype(np.float32), 22050)
    return tmp_path / "street.wav"


def test_four_ship_and_each_is_what_its_name_says() -> None:
    assert sorted(shipped()) == NAMES
    for name in NAMES:
        detector = hubbub.load(name)
        assert detector.path == FOLDER / f"{name}.onnx"
        assert len(detector.labels) >= 6
        assert detector.labels == hubbub.load().labels
        facts = detector.metadata.network
        assert (facts["name"], facts.get("precision", "float")) == (
            name.split(".")[0],
            "int8" if name.endswith(".int8") else "float",
        )
        assert detector.metadata.scores["report"]["frame"]["micro_f1"] > 0
    assert shipped()["tiny.int8"].stat().st_size < 150_000


def test_without_a_name_it_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert hubbub.load().path == FOLDER / "small.onnx"
    assert DEFAULT == "small"
    monkeypatch.chdir(tmp_path)
    shutil.copy(FOLDER / "tiny.onnx", "small")
    assert hubbub.load().path == FOLDER / "small.onnx"  # nobody asked for the file


def test_a_path_that_exists_goes_before_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_of("tiny") == FOLDER / "tiny.onnx"
    shutil.copy(FOLDER / "small.onnx", "tiny")
    assert path_of("tiny") == Path("tiny")
    assert hubbub.load("tiny").metadata.network["name"] == "small"


def test_an_unknown_name_is_one_line_with_those_that_ship() -> None:
    with pytest.raises(DetectorError) as error:
        hubbub.load("huge")
    assert str(error.value) == (
        "huge: no such file; wanted a detector, the .onnx file that `hubbub train` writes, "
        "or one that ships: small, small.int8, tiny, tiny.int8"
    )


def test_detect_needs_no_model(street: Path, run: Run) -> None:
    done = run("detect", street)
    assert done.code == 0
    header, *rows = done.out.splitlines()
    assert header == "filename\tonset\toffset\tevent_label\tscore"
    events = [row.split("\t") for row in rows]
    assert "glass_smash" in {label for _, _, _, label, _ in events}
    assert all(name == "street.wav" and 1.5 < float(onset) < float(offset) for name, onset, offset, _, _ in events)
    assert run("detect", street, "--model", "small").out == done.out
    for name in ("small.int8", "tiny", "tiny.int8"):
        assert run("detect", street, "-m", name).code == 0


def test_other_commands_take_the_names(street: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "events.tsv").write_text("filename\tonset\toffset\tevent_label\nstreet.wav\t1\t5\tfootsteps\n")
    done = run("evaluate", tmp_path / "events.tsv", "tiny", "--json")
    assert done.code == 0
    assert '"footsteps"' in done.out
    done = run("tune", "tiny", tmp_path / "events.tsv", "-o", tmp_path / "mine.onnx")
    assert done.code == 0
    assert hubbub.load(tmp_path / "mine.onnx").labels == hubbub.load("tiny").labels


def test_detecting_with_the_default_imports_no_learning(street: Path) -> None:
    code = (
        "import sys, hubbub\n"
        "events = hubbub.load().detect(sys.argv[1])\n"
        "print(len(events) > 0, [name for name in ('torch', 'lightning', 'onnx', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(street)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "True []\n", done.stderr


def test_rules_are_tried_as_they_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the build counts, thousands of rules at a time, is what `decode` finds."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    trying = importlib.import_module("shipping.trying")
    grid, rng = Grid(22050, 441), np.random.default_rng(0)
    n_events = 0
    for _ in range(100):
        smooth = np.convolve(rng.standard_normal(1000), np.ones(int(rng.integers(1, 40))), "same")
        values = (smooth - smooth.min()) / np.ptp(smooth)
        shape, threshold = trying.SHAPES[rng.integers(len(trying.SHAPES))], float(rng.uniform(0.2, 0.9))
        rule = replace(shape, threshold=threshold, low_threshold=threshold * float(rng.choice(trying.LOW_RATIOS)))
        filtered = median_filter(np.pad(values, rule.median // 2), rule.median)
        events = decode(values[:, None], ["a"], [rule], grid, grid.seconds(len(values)))
        frames = [[round(event.onset / grid.period), round(event.offset / grid.period)] for event in events]
        assert trying._spans(filtered, rule, grid).tolist() == frames
        n_events += len(events)
    assert n_events > 100


def test_recordings_of_what_ships_are_no_false_alarms_but_of_what_lies_under(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without dogs and music holds no dog, but the music that is around most of the time."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, trying = (importlib.import_module(f"shipping.{name}") for name in ("deciding", "trying"))
    rules = [deciding.SILENT, replace(trying.SHAPES[0], threshold=0.5)]

    def table(**alarms: float) -> object:
        by_part = {f"{kind}/source": np.array([0.0, n]) for kind, n in alarms.items()}
        heard = np.array([0.0, 80.0])
        return trying.Table(rules, heard, heard, by_part, by_part, 100, dict.fromkeys(by_part, 0.5))

    tables = [table(cats=1, dogs=0, music=4), table(cats=0, dogs=9, music=0)]
    apart = deciding.chosen(["dogs", "music"], tables, 6.0, under=["music"])
    assert apart.false_alarms == {"dogs": 5.0, "music": 0.0}  # in an hour of cats and music
    assert apart.f1 == {"dogs": pytest.approx(160 / 180), "music": pytest.approx(160 / 180)}
    strict = deciding.chosen(["dogs", "music"], tables, 6.0, under=["dogs", "music"])
    assert strict.f1["music"] == 0, "nine in the recordings of dogs are too many where those count"


def test_rules_are_counted_on_sources_that_they_were_not_chosen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule is calm among dogs, the other among cats: each has its alarms where it was not chosen."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, trying = (importlib.import_module(f"shipping.{name}") for name in ("deciding", "trying"))
    rules = [deciding.SILENT, *(replace(trying.SHAPES[0], threshold=each, low_threshold=each) for each in (0.3, 0.4))]
    alarms = {"cats/a": np.array([0.0, 6.0, 0.0]), "dogs/b": np.array([0.0, 0.0, 6.0])}
    heard = np.array([0.0, 90.0, 80.0])
    table = trying.Table(rules, heard, heard, alarms, alarms, 100, {"cats/a": 0.5, "dogs/b": 0.5})
    evenly = dict.fromkeys(alarms, 1.0)
    found = deciding.carried_over(["shots"], [table], 3.0, [], evenly)
    assert found == {"f1": pytest.approx((180 / 190 + 160 / 180) / 2), "here": 0.0, "elsewhere": pytest.approx(12.0)}
    everything = deciding.chosen(["shots"], [table], 6.0, under=[])
    assert everything.false_alarms == {"shots": 6.0}, "in all of them neither is free"
    assert deciding.budget_for(["shots"], [table], [], evenly) == deciding.ALLOWED[0], "no budget is calm elsewhere"
    assert deciding.budget_for(["shots"], [table], [], evenly, calm=12.0) == deciding.ALLOWED[-1]


def test_the_best_rules_of_all_that_keep_to_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As found by trying every pair of rules."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, trying = (importlib.import_module(f"shipping.{name}") for name in ("deciding", "trying"))
    rng = np.random.default_rng(0)
    for _ in range(40):
        tables = []
        for _ in range(2):
            right, on = (np.append(0.0, rng.integers(0, 90, 8)) for _ in range(2))
            alarms = {"cats/a": np.append(0.0, rng.integers(0, 80, 8) / 10)}
            tables.append(trying.Table([], right, right + on, alarms, alarms, 100, {"cats/a": 1.0}))
        budget = float(rng.integers(1, 9))
        best = deciding._best(tables, ["cats/a"], budget)
        pairs = [
            [first, second]
            for first in range(9)
            for second in range(9)
            if tables[0].alarms["cats/a"][first] + tables[1].alarms["cats/a"][second] <= budget + 1e-9
        ]
        assert best in pairs
        reached = deciding._micro_f1(tables, best)
        assert reached == pytest.approx(max(deciding._micro_f1(tables, pair) for pair in pairs))


def test_of_rules_that_are_worth_the_same_silence_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, trying = (importlib.import_module(f"shipping.{name}") for name in ("deciding", "trying"))
    nothing, alarms = np.zeros(3), {"cats/a": np.array([0.0, 2.0, 0.0])}  # what finds nothing and raises nothing
    table = trying.Table([], nothing, nothing, alarms, alarms, 100, {"cats/a": 1.0})
    assert deciding._best([table], ["cats/a"], 4.0) == [0]


def test_hours_count_as_they_are_made_up_where_is_reported_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, trying = (importlib.import_module(f"shipping.{name}") for name in ("deciding", "trying"))
    here = {"music/a": 2.0, "music/b": 1.0, "cats/esc50-2": 1.0, "cats/game": 4.0}
    wanted = {"music/d": 1.0, "dogs/esc50-3": 0.5, "owls/esc50-3": 0.5}
    weights = deciding.weights_of(here, wanted, under=["music"])
    assert weights == {"music/a": 4 / 3, "music/b": 4 / 3, "cats/esc50-2": 4.0, "cats/game": 0.0}
    rules = [deciding.SILENT, replace(trying.SHAPES[0], threshold=0.5)]
    alarms = {part: np.array([0.0, count]) for part, count in zip(here, (0, 0, 1, 2), strict=True)}
    found = np.array([0.0, 80.0])
    table = trying.Table(rules, found, found, alarms, alarms, 100, here)
    carried = deciding.carried_over(["shots"], [table], 16.0, [], weights)
    assert carried["elsewhere"] == pytest.approx(4 / 8), "one among cats, which count four times, in eight hours"


def test_a_label_that_is_hardly_found_does_not_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together with the others it would do best."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding, making, trying = (
        importlib.import_module(f"shipping.{name}") for name in ("deciding", "making", "trying")
    )
    rules = [deciding.SILENT, replace(trying.SHAPES[0], threshold=0.5)]
    nothing = {part: np.zeros(2) for part in ("rain/a", "wind/b")}

    def table(right: float, on: float, n_true: int) -> object:
        found = [np.array([0.0, each]) for each in (right, on)]
        return trying.Table(rules, *found, nothing, nothing, n_true, dict.fromkeys(nothing, 1.0))

    tables = [table(90, 90, 100), table(1, 1, 10), table(20, 40, 60)]
    made = making.Made(None, [], ["dogs", "owls", "cats"], tables, [], dict.fromkeys(nothing, 1.0))
    assert made.best_labels(2, 0.0) == ["dogs", "owls"]
    assert made.best_labels(2, 0.2) == ["dogs", "cats"]
    assert made.best_labels(3, 0.2) == ["dogs", "owls", "cats"], "where there are no others"


def test_thresholds_move_as_far_as_answers_do_near_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    deciding = importlib.import_module("shipping.deciding")
    logits = np.linspace(-6, 6, 1201)[:, None]

    def heard(values: np.ndarray) -> dict[str, np.ndarray]:
        return {"a": 1 / (1 + np.exp(-np.hstack([values, values])))}

    after = logits - 0.2 * (logits > 1)  # what is sure is less so
    rule = LabelRule(threshold=float(1 / (1 + np.exp(-2.0))), low_threshold=0.3, median=5)
    found = deciding.moved({"a": rule, "b": deciding.SILENT}, ["a", "b"], heard(logits), heard(after))
    assert found["b"] == deciding.SILENT
    assert np.log(found["a"].threshold / (1 - found["a"].threshold)) == pytest.approx(1.8)
    assert np.log(found["a"].low_threshold / (1 - found["a"].low_threshold)) == pytest.approx(np.log(3 / 7) - 0.2)
    assert found["a"].median == 5


def test_alarms_to_be_expected_are_those_of_laxer_thresholds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    trying = importlib.import_module("shipping.trying")
    falling = np.exp(-trying.TAIL * trying.STEP * np.arange(12))[:, None]
    assert trying.expected_of(falling) == pytest.approx(falling), "what falls as it is taken to is told as it is"
    lucky = falling.copy()
    lucky[6:] = 0  # from some threshold on there happens to be none
    assert trying.expected_of(lucky)[6] == pytest.approx(falling[6] * 6 / 7)
    assert trying.expected_of(lucky)[11] == pytest.approx(falling[11] * 6 / 12)


def test_who_is_heard_in_another_group_is_not_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever collection it came by: a voice that is known already tells nothing."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    groups = importlib.import_module("shipping.groups")
    table = tmp_path / "groups.toml"
    table.write_text(
        """
        [licences]
        CC0 = [true, "itemised"]
        [left_out]
        [left_out_of_training]
        [sources]
        game = "train"
        field = "report"
        [labels.dog_barking]
        train = []
        choose = []
        report = []
        [others]
        [holds]
        [speech]
        """,
        "utf-8",
    )
    known = groups.read_table(table)
    monkeypatch.setattr(groups, "read_table", lambda: known)
    lines = ["label,file,source,recording_id,licence,author"]
    for name, source, author in (
        ("a", "game", "Rover"),
        ("b", "game", "rex"),
        ("c", "field", "REX"),
        ("d", "game", ""),
    ):
        path = tmp_path / "clips" / "dog_barking" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.write(path, np.full(8000, 0.1, np.float32), 8000)
        lines.append(f"dog_barking,dog_barking/{name}.wav,{source},{name},CC0,{author}")
    (tmp_path / "clips" / "manifest.csv").write_text("\n".join(lines) + "\n", "utf-8")
    sounds = groups.read_sounds([tmp_path / "clips"], tmp_path / "made")
    named = {group: [clip.path.stem for clip in sounds.tried[group]["dog_barking"]] for group in groups.GROUPS}
    assert named == {"train": ["a", "d"], "choose": [], "report": ["c"]}


# What is installed


def patterns() -> list[str]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[str] = table["tool"]["setuptools"]["package-data"]["hubbub.detectors"]
    return found


def test_what_ships_is_package_data() -> None:
    there = {entry.name for entry in resources.files("hubbub.detectors").iterdir()} - {"__init__.py", "__pycache__"}
    assert there == {*NOTICES, *(f"{name}{end}" for name in NAMES for end in (".onnx", ".md"))}
    assert [name for name in there if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns())] == []


def test_a_wheel_holds_them(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    shutil.copytree(ROOT / "hubbub", copy / "hubbub", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    code = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {f"hubbub/detectors/{name}.onnx" for name in NAMES} | {
        f"hubbub/detectors/{name}" for name in NOTICES
    } <= held


# What is told


def test_every_card_tells_what_it_must() -> None:
    table = tomllib.loads((SCRIPTS / "groups.toml").read_text("utf-8"))
    for name in NAMES:
        card = (FOLDER / f"{name}.md").read_text("utf-8")
        detector = hubbub.load(name)
        for label in (*table["labels"], *table["first_run"]):
            assert f"| {label} |" in card or f"- {label}: " in card
        f1 = detector.metadata.scores["report"]["frame"]["micro_f1"]
        assert f"**{f1:.3f}**" in card
        for heading in ("What it is worth", "What it is bad at", "Labels that were tried", "Training sounds"):
            assert f"## {heading}" in card


def test_only_what_may_be_trained_on_was() -> None:
    table = tomllib.loads((SCRIPTS / "groups.toml").read_text("utf-8"))
    notice = "".join((FOLDER / name).read_text("utf-8") for name in NOTICES)
    for name in NAMES:
        licences = hubbub.load(name).metadata.training["licences"]
        assert len(licences) > 5
        assert [licence for licence in licences if not table["licences"][licence][0]] == []
        assert [licence for licence in licences if f"  {licence}\n" not in notice] == []
    for source in table["left_out_of_training"]:
        assert f"\n{source}: " not in notice
    for label, entry in (table["labels"] | table["others"]).items():
        named = [source for group in ("train", "choose", "report") for source in entry[group]]
        assert len(named) == len(set(named)), label
