"""hubbub finds out what is sounding, and when.

Importing it brings the listening half only: `load` a detector, `detect` events in recordings, or `stream` live audio.
"""

from hubbub.detector import ClipDetector, Detector, Probabilities, load
from hubbub.device import Device
from hubbub.errors import AnnotationError, AudioError, ConfigError, DatasetError, DetectorError, HubbubError
from hubbub.events import Event
from hubbub.stream import Latency, Stream

__all__ = [
    "AnnotationError",
    "AudioError",
    "ClipDetector",
    "ConfigError",
    "DatasetError",
    "Detector",
    "DetectorError",
    "Device",
    "Event",
    "HubbubError",
    "Latency",
    "Probabilities",
    "Stream",
    "load",
]
__version__ = "0.1.0"
