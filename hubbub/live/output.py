"""Events as lines on standard output, each as soon as its event has ended."""

import json
from collections.abc import Callable
from io import StringIO
from typing import TextIO

from hubbub.annotations.dcase import write
from hubbub.errors import ConfigError, HubbubError
from hubbub.events import EventTable
from hubbub.live.listening import Heard, Sink

FORMATS = ("json", "tsv")


class Lines(Sink):
    """Writes a line an event and has it out at once. `format`: json, an object a line, or tsv, DCASE's columns with
    the stream's `name` as the file's.

    When nobody reads any more, `unread` is called, and nothing is written from then on. Raises `ConfigError` for
    another format, `HubbubError` where writing fails for another reason.
    """

    def __init__(self, file: TextIO, format: str, name: str, unread: Callable[[], None]) -> None:
        if format not in FORMATS:
            raise ConfigError(f"--format {format}: wanted {' or '.join(FORMATS)} for a stream")
        self._file = file
        self._unread = unread
        self._read = True
        self._name = "".join(character if character.isprintable() else " " for character in name)
        self._json = format == "json"
        if not self._json:
            self._put(_table({}))

    def ended(self, heard: Heard) -> None:
        """Writes its line."""
        if self._json:
            self._put(json.dumps(heard.to_dict(), ensure_ascii=False) + "\n")
        else:
            self._put(_table({self._name: [heard.event]}).partition("\n")[2])

    def _put(self, text: str) -> None:
        if not self._read:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            self._read = False
            self._unread()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise HubbubError(f"standard output: cannot be written: {why}") from error


def _table(events: EventTable) -> str:
    written = StringIO()
    write(written, events)
    return written.getvalue()
