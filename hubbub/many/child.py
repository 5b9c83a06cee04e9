"""The process that reads and listens for a `Crew`: a decoder that crashes takes it along, and nothing else.

It speaks lines of JSON: first what to listen with (the fields of an `Order`), answered by `{"ready": true}` or by
`{"refused": WHY}`; then a path a line, answered by `{"seconds": DONE, "of": ALL}` now and then and at last by
`{"duration": SECONDS, "events": [[onset, offset, label, score], …], "error": WHY or null}`. It ends with its input.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import hubbub
from hubbub import audio, batch
from hubbub.detector import Detector, load
from hubbub.errors import AudioError, ConfigError, HubbubError

LARGE = 16 * 2**20
"""Bytes: a recording from here on tells how far it is; the length of a smaller one is not worth a look at it."""


def digest(path: Path) -> str:
    """What a detector file is known by, whatever it is called: the SHA-256 of its bytes, in hexadecimal.

    Raises `ConfigError` where it cannot be read.
    """
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}; wanted a detector") from error


def opened(order: Mapping[str, Any]) -> Detector:
    """The detector that was ordered. Raises `HubbubError` where it is not here, or not the same."""
    path = Path(order["detector"])
    detector = load(path, device=order["device"], threads=1)
    if digest(path) != order["digest"]:
        raise ConfigError(f"{path}: is not the same file here as where the batch was started; copy it again")
    if order["version"] != hubbub.__version__:
        raise ConfigError(
            f"hubbub {hubbub.__version__} here, {order['version']} where the batch was started; install the same"
        )
    thresholds = order["thresholds"]
    if thresholds is None:
        return detector
    return detector.with_thresholds(dict(thresholds) if isinstance(thresholds, list) else thresholds)


def heard(detector: Detector, path: Path, say: Callable[[Any], None]) -> dict[str, Any]:
    """The answer for one recording; `say` is told how far it is. Whatever goes wrong with it is in the answer."""
    done, length = 0.0, _length(path)

    def progress(seconds: float) -> None:
        nonlocal done
        done += seconds
        say({"seconds": done, "of": length})

    try:
        (found,) = batch.detect(detector, [batch.Recording(path, path.name)], progress=progress)
    except BrokenPipeError:
        raise
    except Exception as error:  # an error of ours: it costs this recording, and is told
        return {"duration": 0.0, "events": [], "error": f"{path}: unexpected {type(error).__name__}: {error}"}
    events = [[each.onset, each.offset, each.label, each.score] for each in found.events]
    return {"duration": found.duration, "events": events, "error": found.error}


def _length(path: Path) -> float:
    """Seconds, of a large recording; else 0."""
    try:
        return audio.info(path).duration if path.stat().st_size >= LARGE else 0.0
    except (AudioError, OSError):
        return 0.0  # told when it is read


def main() -> None:
    """Listens until its input ends, or nobody reads its answers any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started it, and who ends it
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)  # what a library prints is no answer

    def say(answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        try:
            detector = opened(json.loads(sys.stdin.readline()))
        except HubbubError as error:
            say({"refused": str(error)})
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)  # decoders write warnings; what there is to tell is in the answers
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        say({"ready": True})
        for line in sys.stdin:
            say(heard(detector, Path(json.loads(line)), say))
    except BrokenPipeError:
        os._exit(1)  # without a word about answers that cannot be flushed


if __name__ == "__main__":
    main()
