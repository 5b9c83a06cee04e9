"""hubbub finds out what is sounding, and when."""

from hubbub.errors import HubbubError
from hubbub.events import Event

__all__ = ["Event", "HubbubError"]
__version__ = "0.1.0"
