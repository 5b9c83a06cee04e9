"""Built-in sounds: a synthesis model for each label of TUT-SED Synthetic 2016, to try everything without data."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hubbub.mixing.builtin.engines import alarms_and_sirens, bus, mixer, motorcycle
from hubbub.mixing.builtin.impacts import crowd_applause, footsteps, glass_smash, gun_shot, horsewalk
from hubbub.mixing.builtin.textures import background, rain, thunder
from hubbub.mixing.builtin.voices import baby_crying, bird_singing, cat_meowing, crowd_cheering, dog_barking

__all__ = ["SOUNDS", "background"]

SOUNDS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float32]]] = {
    "alarms_and_sirens": alarms_and_sirens,
    "baby_crying": baby_crying,
    "bird_singing": bird_singing,
    "bus": bus,
    "cat_meowing": cat_meowing,
    "crowd_applause": crowd_applause,
    "crowd_cheering": crowd_cheering,
    "dog_barking": dog_barking,
    "footsteps": footsteps,
    "glass_smash": glass_smash,
    "gun_shot": gun_shot,
    "horsewalk": horsewalk,
    "mixer": mixer,
    "motorcycle": motorcycle,
    "rain": rain,
    "thunder": thunder,
}
"""By label: (generator, sample rate) -> one isolated clip, float32, shape (n_samples,), peak at most 1."""
