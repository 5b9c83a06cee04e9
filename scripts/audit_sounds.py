"""What another network hears in the clips: sounds that nobody labelled, and labels that are hardly to be heard.

    pip install ai-edge-litert
    python scripts/audit_sounds.py YAMNET CLASSES CLIPS [CLIPS …]

Collections name one sound a clip. But there are voices behind barks and birds behind rain, and a network that is
to stay silent there is taught, and judged, wrongly. YAMNet (Google, Apache-2.0) learned from other
recordings, so its errors are not ours. YAMNET is its model for TensorFlow Lite, with 0.975 s of samples as input;
CLASSES the table of its 521 classes that comes with it; CLIPS are the folders that `build_detectors.py` is given.

Writes `shipping/audit.tsv`, a row for each clip about which there is something to say: what it `hears` beside the
clip's own label, of what sounds nearly everywhere; and the own label if it `misses` that. No answer of ours enters.
"""

import argparse
import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shipping.groups import AUDIT, read_table

from hubbub import audio
from hubbub.console import Reporter
from hubbub.datasets.clips import read_clips
from hubbub.datasets.tables import read_rows

RATE, WINDOW, HOP = 16000, 15600, 7800
PEAK = 0.5
LONGEST = 120.0
"""Seconds of a recording that are listened to."""
CLEARLY, HARDLY = 0.5, 0.1
"""Above the one in any window a sound is heard, below the other one in all of them it is missed."""
COLUMNS = ("clip", "hears", "misses")
EVERYWHERE = ("bird_singing", "speech")
"""What is sought in every clip: what lies under other sounds so often that it is in recordings of them. Music too, but
what this network calls so is often a buzz or a hum."""
CLASSES = {
    "bird_singing": ("Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "dog_barking": ("Dog", "Bark"),
    "door_knock": ("Knock", "Tap", "Door"),
    "glass_smash": ("Shatter", "Glass", "Breaking"),
    "gun_shot": ("Gunshot, gunfire",),
    "music": ("Music", "Musical instrument"),
    "pouring_water": ("Pour", "Liquid", "Fill (with liquid)", "Trickle, dribble"),
    "speech": (
        "Speech", "Conversation", "Narration, monologue", "Child speech, kid speaking", "Speech synthesizer",
    ),
    "thunder": ("Thunder", "Thunderstorm"),
}  # fmt: skip
"""The network's names for the labels that were tried."""
TRUSTED = ("music", "speech")
"""Labels whose own clips are taken at their word: they are whole collections of nothing else."""


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("yamnet", type=Path)
    parser.add_argument("classes", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    given = parser.parse_args()
    names = [row["display_name"] for row in read_rows(given.classes, ("display_name",))]
    columns = {label: [names.index(name) for name in of] for label, of in CLASSES.items()}
    untried = sorted(set(read_table()["labels"]) - set(CLASSES))
    if untried:
        parser.error(f"{', '.join(untried)}: tried, but what another network calls it is not known here")
    network = Yamnet(given.yamnet)
    clips = [clip for folder in given.clips for clip in read_clips(folder)]
    rows = []
    with Reporter().bar("listening") as tick:
        for done, clip in enumerate(clips, 1):
            heard = network.scores(clip.path)
            hears, misses = judged({label: float(heard[ix].max()) for label, ix in columns.items()}, clip.label)
            if hears or misses:
                rows.append((clip.path.stem, ",".join(hears), ",".join(misses)))
            tick(done, len(clips))
    with AUDIT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([COLUMNS, *sorted(set(rows))])


def judged(scores: Mapping[str, float], label: str) -> tuple[list[str], list[str]]:
    """By the best scores of each label: what is heard beside a clip's own `label`, and that one if it is missed. Beside
    speech nothing is sought: that it is all there is, meetings and voices of programs tell."""
    hears = [each for each in EVERYWHERE if each != label != "speech" and scores[each] > CLEARLY]
    misses = [label] if label not in TRUSTED and scores.get(label, 1.0) < HARDLY else []
    return hears, misses


class Yamnet:
    """The network of 521 classes, for windows of 0.975 s. Raises `ValueError` for a file that is no model."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - only who makes the table anew needs it

        self._network = Interpreter(str(path), num_threads=1)
        self._network.allocate_tensors()
        (entry,), first = self._network.get_input_details(), self._network.get_output_details()[0]
        self._samples, self._scores, self._shape = entry["index"], first["index"], entry["shape"]

    def scores(self, path: Path) -> NDArray[np.float32]:
        """The best score of each class, (n_classes,), in windows that overlap by half. Levels are made alike.
        Raises `AudioError` as `audio.read` does."""
        duration = audio.info(path).duration
        samples, _ = audio.read(path, RATE, duration=min(duration, LONGEST))
        samples = samples / max(1e-6, float(np.abs(samples).max())) * PEAK
        samples = np.pad(samples, (0, max(0, WINDOW - len(samples)))).astype(np.float32)
        windows = [samples[start : start + WINDOW] for start in range(0, len(samples) - WINDOW + 1, HOP)]
        return np.max([self._of(window) for window in windows], axis=0)

    def _of(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        self._network.set_tensor(self._samples, window.reshape(self._shape))
        self._network.invoke()
        found: NDArray[np.float32] = self._network.get_tensor(self._scores)[0].copy()
        return found


if __name__ == "__main__":
    main()
