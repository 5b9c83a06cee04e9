"""The page on our own network shows what its benchmark measured: no figure is written by hand."""

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from hubbub.networks import SIZES, build
from hubbub.networks.count import multiply_adds_per_second, n_parameters
from hubbub.training.config import TrainConfig
from hubbub.training.front_end import OURS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "network.md").read_text("utf-8")


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recipe", ROOT / "benchmarks" / "recipe.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_runs(page: str, recipe: ModuleType) -> None:
    scores = re.compile(r"\| [\w ]+ \| .+ \| \d+ \| \d \| 0\.\d+.*")
    made = recipe.table(recipe.read(ROOT / "docs" / "network" / "recipe.jsonl")).splitlines()
    for other in ("recipe-again", "recipe-sizes", "recipe-begin"):
        lines = recipe.table(recipe.read(ROOT / "docs" / "network" / f"{other}.jsonl")).splitlines()
        made += [line for line in lines if scores.match(line)]
    assert len(made) > 62
    assert [line for line in made if line not in page.splitlines()] == []
    assert [line for line in page.splitlines() if scores.match(line) and line not in made] == []


def test_the_tables_beside_the_report_are_those_of_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    networks = importlib.import_module("networks")
    folder = ROOT / "docs" / "comparison"
    made = networks.tables(networks.networks_show.read_runs(folder / "runs"), folder / "costs.json")
    assert (folder / "tables.md").read_text("utf-8") == made
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8").replace("`paper`, at its 20 ms", "paper")
    rows = [line.replace("*", "") for line in page.splitlines() if line.startswith("|")]
    assert len(rows) > 55
    known = made.replace("*", "").splitlines()
    assert [row for row in rows if row not in known] == []


def test_the_sizes_are_what_they_cost(page: str) -> None:
    for name in SIZES:
        network = build(name, 16)
        work = multiply_adds_per_second(network, OURS.sample_rate / OURS.hop, OURS.n_features, 500)
        row = f"| `{name}` | {n_parameters(network):,} | {work / 1e6:.1f} million | {network.look_ahead} frames"
        assert row.replace(",", " ") in page


def test_what_the_page_says_was_kept_is_the_default(page: str) -> None:
    kept = page[page.index("## What was kept") :]
    config = TrainConfig()
    for name in ("edge_weight", "augment", "dropout", "optimizer", "loss", "mixup", "average", "warm_up"):
        assert f"`{name}={getattr(config, name)!r}`" in kept
