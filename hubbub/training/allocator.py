"""Memory that a training step frees is kept for the next step, where glibc would give it back to the system.

A step on a CPU takes and frees blocks of tens to hundreds of megabytes. glibc maps each of them anew, and the system
has to fill it with zeros, page by page, before the step can write to it.
"""

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of `mallopt`, as <malloc.h> numbers them."""


def keep_freed_memory() -> bool:
    """Tells glibc to take large blocks from the heap and never to shrink it, for the rest of the process; returns
    whether it was told so.

    Elsewhere (macOS, Windows, musl) it does nothing. The process then stays as large as it was at its largest.
    """
    if sys.platform != "linux":
        return False
    try:
        if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return False
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(MMAP_MAX, 0)) and bool(mallopt(TRIM_THRESHOLD, -1))  # -1: no threshold, never
    except (AttributeError, OSError, ValueError):
        return False
