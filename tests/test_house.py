"""The repository checks its own promises: imports run one way, listening stays light, what is there is told."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer

import hubbub
from hubbub import audio
from hubbub.cli import app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hubbub"
MODULES = {path.relative_to(PACKAGE): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}

# From the ground up: a room imports rooms above it, and of third parties those that stand beside it.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "grid": {"numpy"},
    "events": {"numpy"},
    "audio": {"numpy", "soundfile", "soxr"},
    "annotations": {"numpy"},
    "decode": {"numpy"},
    "calibration": {"numpy"},
    "device": {"numpy", "onnxruntime"},
    "model": {"numpy", "pydantic"},
    "stream": {"numpy"},
    "lanes": {"numpy"},
    "clip": {"numpy"},
    "detectors": set(),
    "detector": {"numpy"},
    "__init__": set(),
    "batch": set(),
    "metrics": {"numpy", "scipy"},
    "tuning": {"numpy", "scipy"},
    "mixing": {"numpy", "scipy", "pydantic", "joblib"},
    "datasets": {"numpy", "joblib"},
    "evaluation": {"numpy"},
    "probing": {"numpy"},
    "report": {"numpy", "rich", "soundfile", "soxr", "matplotlib", "jinja2", "markupsafe"},
    "detection": {"rich"},
    "console": {"rich"},
    "many": {"joblib", "distributed", "ray"},
    "live": {"numpy", "rich", "soxr", "sounddevice", "paho"},
    # Listening ends here, learning begins.
    "networks": {"torch"},
    "training": {"numpy", "pydantic", "torch", "lightning", "onnx", "onnxruntime", "joblib"},
    "reproduce": {"numpy", "pydantic", "joblib", "torch", "rich", "jinja2", "markupsafe", "matplotlib"},
    "cli": {"pydantic", "typer", "rich"},
    "__main__": set(),
}
PARTS = {"_riff": "audio"}
"""Modules that are part of another room."""
HEAVY = ("torch", "lightning", "librosa", "matplotlib", "jinja2", "onnx", "pandas", "sklearn", "sounddevice", "paho")
"""What listening does without."""
LONGEST = 350
"""Lines of a file."""


def room_of(dotted: str) -> str:
    """`hubbub.report.page` is in the room `report`; `hubbub` itself is `__init__`."""
    name = [*dotted.split("."), "__init__"][1]
    return PARTS.get(name, name)


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, "imports name the whole way"
            if node.module == "hubbub":  # from hubbub import audio, but also: from hubbub import load
                for alias in node.names:
                    is_room = PARTS.get(alias.name, alias.name) in ROOMS
                    yield f"hubbub.{alias.name}" if is_room else "hubbub"
            else:
                yield node.module


IMPORTS = [
    (path, room_of(".".join(["hubbub", *path.with_suffix("").parts])), name)
    for path, tree in MODULES.items()
    for name in imported(tree)
]


def test_every_module_is_in_a_room() -> None:
    assert {room for _, room, _ in IMPORTS} <= set(ROOMS)
    there = {path.parts[0].removesuffix(".py") for path in MODULES}
    assert there - set(PARTS) == set(ROOMS)


def test_a_room_imports_only_rooms_above_it() -> None:
    order = list(ROOMS)
    upwards = [
        f"{path} imports {name}"
        for path, room, name in IMPORTS
        if name.split(".")[0] == "hubbub" and room_of(name) != room and order.index(room_of(name)) > order.index(room)
    ]
    assert upwards == []
    assert sum(name.startswith("hubbub.") for _, _, name in IMPORTS) > 200, "the imports were not seen"


def test_a_room_imports_only_its_own_third_parties() -> None:
    foreign = {
        (str(path), name)
        for path, room, name in IMPORTS
        if (top := name.split(".")[0]) != "hubbub" and top not in sys.stdlib_module_names and top not in ROOMS[room]
    }
    assert foreign == set()


def test_the_base_install_names_what_listening_imports() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listening = set().union(*(ROOMS[room] for room in list(ROOMS)[: list(ROOMS).index("networks")]))
    base = set(re.findall(r'"([a-z]+)[><=]', text[text.index("\ndependencies") : text.index("[project.optional")]))
    extras = {"matplotlib", "jinja2", "markupsafe", "distributed", "ray", "sounddevice", "paho"}
    assert listening - extras <= base
    assert not base & set(HEAVY)


def test_listening_never_imports_learning(tmp_path: Path, detector_path: Path, bursts: np.ndarray) -> None:
    audio.write(tmp_path / "a.wav", bursts[:22050], 22050)
    code = (
        "import sys, hubbub, hubbub.cli, hubbub.batch, hubbub.detection, hubbub.evaluation\n"
        "from hubbub.live import capture, excerpts, microphone, mqtt, output, terminal\n"
        "try: hubbub.cli.main()\n"
        "except SystemExit as end: code = end.code\n"
        f"print(code, [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "detect", str(tmp_path / "a.wav"), "--model", str(detector_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("filename\tonset\toffset\tevent_label\tscore\na.wav\t")
    assert done.stderr.splitlines()[-1] == "0 []"


# What is public is explained


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public modules, classes, functions and methods without a docstring. The methods of a protocol are explained where
    they are, and the docstring of a torch module says what goes into `forward` and what comes out."""
    if ast.get_docstring(tree) is None:
        yield "the module"
    inside = [("", node) for node in tree.body]
    for prefix, node in inside:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None and node.name != "forward":
                yield prefix + node.name
            if isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases):
                inside += [(f"{node.name}.", child) for child in node.body]


def test_what_is_public_has_a_docstring() -> None:
    assert [f"{path}: {name}" for path, tree in MODULES.items() for name in undocumented(tree)] == []


def test_what_the_package_offers_is_there() -> None:
    assert len(set(hubbub.__all__)) == len(hubbub.__all__) > 5
    for name in hubbub.__all__:
        assert getattr(hubbub, name).__doc__, name


# The README


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_the_readme_says_what_every_file_is_for(readme: str) -> None:
    names = {path.name if path.suffix else f"{path.name}/" for path in PACKAGE.iterdir() if not_cached(path)}
    assert {"grid.py", "report/"} <= names
    named = set(re.findall(r"`(?:hubbub/)?(\w+(?:\.py|/))`", readme))
    assert sorted(names - named - {"__init__.py", "py.typed"}) == []
    paths = re.findall(r"`((?:hubbub|benchmarks|scripts|docs|tests)/[\w/.]*)`", readme)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readme_names_every_command(readme: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert set(commands) >= {"detect", "train", "evaluate", "mix", "demo"}
    assert [name for name in commands if not re.search(rf"hubbub {name}\b", readme)] == []


def calls(text: str) -> Iterator[list[str]]:
    """The arguments of every call of hubbub in the shell blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            words.whitespace_split = True
            call: list[str] = []
            for word in [*words, ";"]:
                if set(word) <= set("|&;<>()"):
                    if call and Path(call[0]).name == "hubbub":
                        yield call[1:]
                    call = ["", "to a file"] if set(word) & set("<>") else []
                else:
                    call.append(word)


def parse(arguments: list[str]) -> None:
    """Raises a usage error where `hubbub` would not take these arguments; runs nothing."""
    name, *rest = [argument for argument in arguments if argument != "--debug"]
    typer.main.get_command(app).commands[name].make_context(name, rest)  # type: ignore[attr-defined]


def test_every_call_in_the_readme_parses(readme: str) -> None:
    found = list(calls(readme))
    assert len(found) >= 4
    for call in found:
        parse(call)


def test_calls_are_found_and_wrong_ones_are_told() -> None:
    lines = ["make demo # hubbub none", "hubbub mix a b \\", " --seed 3 | tee x && bin/hubbub detect 'a b.wav' > out"]
    assert list(calls("\n".join(["```sh", *lines, "```"]))) == [["mix", "a", "b", "--seed", "3"], ["detect", "a b.wav"]]
    for wrong in (["detect"], ["detect", "a.wav", "--loud"], ["mix", "a", "b", "--seed", "x"]):
        with pytest.raises(Exception, match=r"(?i)missing|no such option|valid integer"):
            parse(wrong)


# Files


def not_cached(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix != ".pyc"


def texts() -> Iterator[tuple[Path, str]]:
    """Every file of the project that a person wrote."""
    folders = ("hubbub", "tests", "scripts", "benchmarks", "docs", "examples", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and not_cached(path)]
    files += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".txt") or path.name == "Makefile"]
    files = [path for path in files if path.suffix != ".onnx"]
    yield from ((path.relative_to(ROOT), path.read_text("utf-8", "replace")) for path in files)


def test_no_file_of_the_package_needs_much_scrolling() -> None:
    lengths = {path: text.count("\n") for path, text in texts() if path.parts[0] == "hubbub"}
    assert len(lengths) > 50
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def unsafe(tree: ast.Module) -> Iterator[str]:
    """What could run code that a file brings along: pickle in its several forms, eval and exec."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            if given.get("allow_pickle", "False") != "False" or given.get("weights_only", "True") != "True":
                yield ast.unparse(node)
            if called == "torch.load" and "weights_only" not in given:
                yield ast.unparse(node)
            if called in ("eval", "exec", "joblib.load", "joblib.dump"):
                yield ast.unparse(node)
    yield from {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal"} & {
        name.split(".")[0] for name in imported(tree)
    }


def test_nothing_is_unpickled() -> None:
    assert [f"{path}: {what}" for path, tree in MODULES.items() for what in unsafe(tree)] == []
    for bad in ("import pickle", "np.load(f, allow_pickle=True)", "torch.load(f)", "f(weights_only=False)", "eval(s)"):
        assert list(unsafe(ast.parse(bad))), bad


def test_no_machine_is_named() -> None:
    elsewhere = re.compile(r"(?<![\w.~>}])/(?:home|root|work|mnt|media|srv|tmp|Users)/|\b[A-Z]:\\\\|\.\./shared")
    assert elsewhere.search(" /" + "home/someone/a.wav")
    found = [f"{path}: {match[0]}" for path, text in texts() for match in elsewhere.finditer(text)]
    assert found == []
