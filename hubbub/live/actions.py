"""What is started for an event, commands and webhooks, each in a thread of its own: audio waits for none of them."""

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Thread
from urllib.parse import urlsplit

from hubbub.errors import ConfigError
from hubbub.live.listening import Heard, Say, Sink

WAITING = 100
"""Events that wait for one action at most."""
LAST_WORDS = 10.0
"""Seconds that the actions of the last events have when the stream has ended."""
COMMAND_SECONDS = 60.0
"""A command that runs longer is ended, so that the next one has its turn."""
REQUEST_SECONDS = 10.0
PAUSES = (1.0, 4.0)
"""Seconds before each next try of a request that failed."""
SAME_AGAIN = 60.0
"""Seconds in which the same complaint is not repeated."""
EVERY_LABEL = "*"


class Worker:
    """Does what it is given, one after another, in a thread of its own. What goes wrong is one line to `say`, which
    starts with `name`, and ends nothing. A `patient` one has who gives it too much wait for it."""

    def __init__(self, name: str, say: Say, patient: bool = False) -> None:
        self._patient = patient
        self._complaint, self._complained_at, self._n_complaints = "", 0.0, 0
        self._name = name
        self._say = say
        self._jobs: Queue[Callable[[], None] | None] = Queue(WAITING)
        self.hurry = Flag()
        """Set when the stream has ended: what waits may try no longer."""
        self._thread = Thread(target=self._run, name=f"hubbub {name}", daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None]) -> None:
        """Does it later; where too much waits already, that is said and it is never done. A job that fails raises
        `OSError` or `ValueError`."""
        try:
            self._jobs.put(job, block=self._patient)
        except Full:
            self._complain(f"left out for an event, as {WAITING} are waiting")

    def close(self, seconds: float = LAST_WORDS) -> None:
        """Waits for what was given, at most so many seconds; what is not done then is said."""
        self.hurry.set()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._jobs.put(None, timeout=0.1)
                break
            except Full:
                continue
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            self._say(f"{self._name}: not finished after {seconds:g} s; left alone")

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except (OSError, ValueError) as error:
                self._complain(" ".join(str(error).split()))

    def _complain(self, what: str) -> None:
        """One line; the same one again only after a while, with how often that was."""
        again, now = what == self._complaint, time.monotonic()
        self._n_complaints = self._n_complaints + 1 if again else 1
        if not again or now - self._complained_at >= SAME_AGAIN:
            often = f" ({self._n_complaints} times now)" if self._n_complaints > 1 else ""
            self._say(f"{self._name}: {what}{often}")
            self._complaint, self._complained_at = what, now

    def _next(self) -> Callable[[], None] | None:
        while True:
            try:
                return self._jobs.get(timeout=1.0)
            except Empty:
                continue


class Command(Sink):
    """Runs a command of the shell for every event of a label; `EVERY_LABEL` for all.

    The event stands in its environment: HUBBUB_LABEL, HUBBUB_ONSET, HUBBUB_OFFSET, HUBBUB_SCORE and HUBBUB_TIME, empty
    where not known. Nothing of it is put into the command. What the command writes is shown only when it fails.
    Raises `ConfigError` for a label that is none of `labels`.
    """

    def __init__(self, label: str, command: str, labels: Sequence[str], say: Say, patient: bool = False) -> None:
        if label not in (*labels, EVERY_LABEL):
            raise ConfigError(f"--on {label}: this detector knows {', '.join(labels)}; {EVERY_LABEL!r} is all of them")
        self._label = label
        self._command = command
        self._worker = Worker(f"--on {label}", say, patient)

    def ended(self, heard: Heard) -> None:
        """Has the command run."""
        if self._label in (heard.event.label, EVERY_LABEL):
            self._worker.put(lambda: _run_command(self._command, _environment(heard)))

    def close(self) -> None:
        """Waits for what runs, a while."""
        self._worker.close()


class Webhook(Sink):
    """Posts every event as JSON to a URL, with another try where that fails.

    Raises `ConfigError` for a URL that is none of http or https.
    """

    def __init__(self, url: str, say: Say, patient: bool = False, pauses: Sequence[float] = PAUSES) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"--webhook {url}: wanted http://… or https://…")
        self._url = url
        self._pauses = pauses
        name = f"--webhook {parts.scheme}://{parts.hostname}"  # its path may be a secret
        self._worker = Worker(name, say, patient)

    def ended(self, heard: Heard) -> None:
        """Has it posted."""
        self._worker.put(lambda: self._post(json.dumps(heard.to_dict(), ensure_ascii=False).encode()))

    def close(self) -> None:
        """Waits for what is on its way, a while."""
        self._worker.close()

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(
            self._url, body, {"Content-Type": "application/json", "User-Agent": "hubbub"}, method="POST"
        )
        for pause in [*self._pauses, None]:
            try:
                with urllib.request.urlopen(request, timeout=REQUEST_SECONDS):
                    return
            except urllib.error.HTTPError as error:
                why = f"answered {error.code} {error.reason}"
                error.close()
                refused = 400 <= error.code < 500 and error.code not in (408, 429)  # another try changes nothing
            except (OSError, ValueError) as error:
                why, refused = str(getattr(error, "reason", error)), False
            if pause is None or refused or self._worker.hurry.wait(pause):
                break
        raise OSError(f"an event was not taken: {why}")


def _environment(heard: Heard) -> dict[str, str]:
    told = {f"HUBBUB_{name.upper()}": "" if value is None else str(value) for name, value in heard.to_dict().items()}
    for name in ("onset", "offset"):
        told[f"HUBBUB_{name.upper()}"] = f"{getattr(heard.event, name):.6f}"
    return {**os.environ, **{name: value.replace("\0", "") for name, value in told.items()}}


def _run_command(command: str, environment: dict[str, str]) -> None:
    """Raises `OSError` where it fails, with the last line that it wrote."""
    with tempfile.TemporaryFile() as written:
        running = subprocess.Popen(
            command,
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for hubbub, and what the command started can be ended with it
        )
        try:
            code = running.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            if hasattr(os, "killpg"):
                os.killpg(running.pid, signal.SIGKILL)
            else:
                running.kill()
            running.wait()
            raise OSError(f"{command!r} was ended after {COMMAND_SECONDS:g} s") from error
        if code:
            written.seek(max(0, written.tell() - 500))
            lines = written.read().decode("utf-8", "replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            raise OSError(f"{command!r} ended with {code}{': ' if last else ''}{last}")
