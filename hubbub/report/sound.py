"""A recording inside a page: short, small, and played by any browser."""

import base64
import io

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

LONGEST = 60.0
"""Seconds."""
LARGEST = 2_000_000
"""Bytes, before base64 adds a third."""
SMALLER_RATE = 22_050
"""Hz: what a recording is resampled to when it would be too large otherwise."""


def sound_data_uri(samples: NDArray[np.floating], sample_rate: int) -> str | None:
    """Mono `samples`, shape (n_samples,), as 16-bit FLAC in a `data:` address; None where too long or too large.

    Samples beyond full scale are turned down together, those that are no numbers are silenced.
    """
    if not 0 < len(samples) <= LONGEST * sample_rate:
        return None
    clean = np.nan_to_num(np.asarray(samples, dtype=np.float32), posinf=0, neginf=0)
    clean = clean / max(1.0, float(np.abs(clean).max()))
    flac = _flac(clean, sample_rate)
    if len(flac) > LARGEST and sample_rate > SMALLER_RATE:
        flac = _flac(np.clip(soxr.resample(clean, sample_rate, SMALLER_RATE), -1, 1), SMALLER_RATE)
    return None if len(flac) > LARGEST else "data:audio/flac;base64," + base64.b64encode(flac).decode("ascii")


def _flac(samples: NDArray[np.float32], sample_rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
