"""The beginning of a folder that a recipe fills: it is claimed with a key, so that a run goes on only with its own."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from hubbub import __version__
from hubbub.errors import ConfigError
from hubbub.files import make_folder, write_text

RECIPE = "recipe.json"


def begin_tree(out: Path, folders: Sequence[str], recipe: Mapping[str, object], readme: str) -> None:
    """Makes `folders` below `out`, and writes `recipe.json` and `README.txt`, which say what is there.

    What a killed run left half-written is removed. Raises `ConfigError` where `out` holds folders of these names that
    were not made with the `key` of this recipe, or cannot be written.
    """
    path = out / RECIPE
    if path.is_file():
        try:
            found = json.loads(path.read_text("utf-8")).get("key")
        except (OSError, ValueError, AttributeError):
            found = None
        if found != recipe["key"]:
            raise ConfigError(f"{out}: holds a stand-in of other clips, seed or settings; choose another folder")
    elif any((out / folder).exists() for folder in folders):
        raise ConfigError(f"{out}: holds {', '.join(folders)} that were not mixed here; choose another folder")
    for folder in folders:
        make_folder(out / folder, ConfigError)
        for left in (out / folder).rglob(".*.part"):
            left.unlink()
    write_text(out / "README.txt", readme, ConfigError)
    write_text(path, json.dumps(recipe, indent=1) + "\n", ConfigError)


def versions() -> dict[str, str]:
    """Of what the samples depend on."""
    return {"hubbub": __version__} | {name: version(name) for name in ("numpy", "scipy", "soxr", "soundfile")}
