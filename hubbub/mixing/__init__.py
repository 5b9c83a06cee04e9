"""Soundscapes with exact labels: scenes drawn from isolated clips, rendered, and built-in sounds to draw them from."""

from hubbub.mixing.activity import ActivityConfig, active_spans
from hubbub.mixing.clip import BACKGROUND, Clip, by_label
from hubbub.mixing.config import MixConfig
from hubbub.mixing.render import render
from hubbub.mixing.sampling import sample_scene, scenes
from hubbub.mixing.scene import BackgroundPart, Placement, Scene
from hubbub.mixing.store import ClipStore, Facts, Sound

__all__ = [
    "BACKGROUND",
    "ActivityConfig",
    "BackgroundPart",
    "Clip",
    "ClipStore",
    "Facts",
    "MixConfig",
    "Placement",
    "Scene",
    "Sound",
    "active_spans",
    "by_label",
    "render",
    "sample_scene",
    "scenes",
]
