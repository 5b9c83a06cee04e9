"""`hubbub listen` as a user calls it: pipes, signals, and what an event starts."""

import http.server
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hubbub import Detector, annotations, audio
from hubbub.errors import ConfigError
from hubbub.events import Event
from hubbub.live import actions
from hubbub.live.actions import Command, Webhook
from hubbub.live.listening import Heard
from tests.conftest import Run

RATE = 22050
DOG = Heard(Event(1.5, 2.25, "dog", 0.75))


def command(detector_path: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "hubbub", "listen", "-", "-m", str(detector_path), *map(str, arguments)]


def lines_of(out: bytes) -> list[Event]:
    said = [json.loads(line) for line in out.decode().splitlines()]
    assert all(list(each) == ["label", "onset", "offset", "score", "time"] for each in said)
    return sorted(Event(each["onset"], each["offset"], each["label"], each["score"]) for each in said)


def same(found: list[Event], expected: list[Event]) -> None:
    rounded = [(e.label, round(e.onset, 6), round(e.offset, 6)) for e in expected]
    assert [(e.label, e.onset, e.offset) for e in found] == rounded
    np.testing.assert_allclose([e.score for e in found], [e.score for e in expected], rtol=0, atol=1.1e-5)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for most users, standard output is written when it is flushed."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.fixture
def wav(tmp_path: Path, bursts: np.ndarray) -> Path:
    audio.write(tmp_path / "a.wav", bursts, RATE)
    return tmp_path / "a.wav"


# Pipes


def test_a_wav_on_standard_input_has_the_events_that_detect_finds(
    wav: Path, detector: Detector, detector_path: Path
) -> None:
    with wav.open("rb") as file:
        done = subprocess.run(command(detector_path), stdin=file, capture_output=True, timeout=60)
    assert done.returncode == 0
    expected = detector.detect(wav)
    assert len(expected) > 30
    same(lines_of(done.stdout), expected)
    assert done.stderr.decode().splitlines() == [
        f"standard input: listening for bell, dog, rain; {detector.stream().latency}",
        f"20.0 s, {len(expected)} events",
    ]


def test_a_stream_of_ffmpeg_has_the_events_that_detect_finds(
    tmp_path: Path, bursts: np.ndarray, detector: Detector, detector_path: Path
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    soundfile.write(tmp_path / "b.wav", np.repeat(bursts, 2)[:, None] * [0.8, 0.6], 48000, subtype="PCM_24")
    ffmpeg = ["ffmpeg", "-v", "error", "-i", "b.wav", "-c:a", "pcm_s24le", "-f", "wav", "-"]
    with subprocess.Popen(ffmpeg, stdout=subprocess.PIPE, cwd=tmp_path) as writing:
        listening = command(detector_path, "-f", "tsv")
        done = subprocess.run(listening, stdin=writing.stdout, capture_output=True, timeout=60)
    assert (done.returncode, writing.returncode) == (0, 0)
    (tmp_path / "found.tsv").write_bytes(done.stdout)
    same(annotations.read(tmp_path / "found.tsv")["standard input"], detector.detect(tmp_path / "b.wav"))


def test_samples_without_a_header_come_out_while_they_come_in(
    bursts: np.ndarray, detector: Detector, detector_path: Path
) -> None:
    """An event is told before the audio goes on, and a termination signal is a good end."""
    raw = ["--rate", RATE, "--channels", 1, "--sample-format", "f32le", "--live"]
    expected = detector.detect(bursts[: 5 * RATE])
    n_certain = len(detector.stream().push(bursts[: 5 * RATE]))
    assert 5 < n_certain < len(expected)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(detector_path, *raw), **pipes) as listening:
        began = time.time()
        listening.stdin.write(bursts[: 3 * RATE].tobytes())
        listening.stdin.flush()
        first = listening.stdout.readline()
        came = time.time()
        listening.stdin.write(bursts[3 * RATE : 5 * RATE].tobytes())
        listening.stdin.flush()
        out = first + b"".join(listening.stdout.readline() for _ in range(n_certain - 1))
        time.sleep(0.5)  # until all is read
        listening.send_signal(signal.SIGTERM)
        rest, err = listening.stdout.read(), listening.stderr.read()
        listening.stdin.close()
    assert listening.returncode == 0, err
    assert rest
    same(lines_of(out + rest), expected)
    onset = json.loads(first)["time"]
    assert "T" in onset and onset[-6] in "+-"
    assert began - 4 < np.datetime64(onset[:-6], "ms").astype(float) / 1000 - _utc_offset(onset) < came
    assert "Traceback" not in err.decode()


def _utc_offset(time_of_day: str) -> float:
    hours, minutes = time_of_day[-6:].split(":")
    return (int(hours) + int(minutes) / 60 * (-1 if hours.startswith("-") else 1)) * 3600


def test_ctrl_c_tells_the_last_events(bursts: np.ndarray, detector: Detector, detector_path: Path) -> None:
    raw = ["--rate", RATE, "--channels", 1, "--sample-format", "f32le"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(detector_path, *raw), **pipes) as listening:
        listening.stdin.write(bursts[: 5 * RATE].tobytes())
        listening.stdin.flush()
        expected = detector.detect(bursts[: 5 * RATE])
        out = b"".join(listening.stdout.readline() for _ in range(len(detector.stream().push(bursts[: 5 * RATE]))))
        time.sleep(0.5)  # until all is read
        listening.send_signal(signal.SIGINT)
        out += listening.stdout.read()
        err = listening.stderr.read().decode()
        listening.stdin.close()
    assert listening.returncode == 130
    same(lines_of(out), expected)
    assert err.splitlines()[1:] == [f"5.0 s, {len(expected)} events", "hubbub: stopped; what was finished is kept"]


def test_who_reads_no_more_is_left_in_peace(wav: Path, detector_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with wav.open("rb") as file:
        done = subprocess.run(command(detector_path), stdin=file, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert done.returncode == 0
    assert len(done.stderr.decode().splitlines()) == 2


def test_a_pipe_that_is_cut_short_is_told_after_its_last_events(
    wav: Path, bursts: np.ndarray, detector: Detector, detector_path: Path
) -> None:
    data = wav.read_bytes()[: 44 + 2 * 2 * RATE]
    done = subprocess.run(command(detector_path), input=data, capture_output=True, timeout=60)
    assert done.returncode == 1
    same(lines_of(done.stdout), detector.detect(audio.read(wav, duration=2)[0]))
    assert done.stderr.decode().splitlines()[1:] == [
        "hubbub: standard input: is cut short: its header promises 20.006 s, 2.000 s are there"
    ]


WRONG = [
    (["-", "--rate", "8000"], "raw samples want all of --rate, --channels and --sample-format; a WAV wants none"),
    (
        ["-", "--rate", "8000", "--channels", "1", "--sample-format", "mp3"],
        "--sample-format mp3: wanted one of u8, s16le, s24le, s32le, f32le",
    ),
    (["--rate", "8000"], "--rate and --sample-format are of raw samples on standard input; leave them out"),
    (["-", "--on", "cat", "true"], "--on cat: this detector knows bell, dog, rain; '*' is all of them"),
    (["-", "--on", "dog"], "--on dog: wanted a label and a command: --on LABEL 'COMMAND'"),
    (["-", "--webhook", "ftp://a/b"], "--webhook ftp://a/b: wanted http://… or https://…"),
    (["-", "--keep", "kept", "--keep-as", "mp3"], "excerpts in 'mp3': wanted one of wav, flac"),
    (["-", "-f", "raven"], "--format raven: wanted json or tsv for a stream"),
    (["-", "--mqtt", "http://a"], "--mqtt: wanted mqtt://USER:PASSWORD@HOST:PORT/PREFIX, or mqtts://…, no + or # in "),
    (["-"], "standard input is a terminal; wanted audio: ffmpeg -i … -f wav - | hubbub listen -"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_call_is_one_line(
    tmp_path: Path,
    run: Run,
    detector_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    class Input:
        def fileno(self) -> int:
            return 0

        def isatty(self) -> bool:
            return arguments == ["-"]

    monkeypatch.setattr(sys, "stdin", Input())
    done = run("listen", *arguments, "-m", detector_path)
    assert (done.code, done.out) == (2, "")
    assert len(done.told) == 1 and done.told[0].startswith(message)


def test_what_is_not_installed_is_one_line(run: Run, detector_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package, arguments in (
        ("sounddevice", "sounddevice", ["--devices"]),
        ("sounddevice", "sounddevice", ["-m", detector_path]),
        ("paho", "paho-mqtt", ["-", "-m", detector_path, "--mqtt", "mqtt://127.0.0.1"]),
    ):
        for loaded in [each for each in sys.modules if each.split(".")[0] == name]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, name, None)

        class Input:
            def fileno(self) -> int:
                return 0

            def isatty(self) -> bool:
                return False

        monkeypatch.setattr(sys, "stdin", Input())
        done = run("listen", *arguments)
        assert done.code == 1
        assert done.told == [f'{package} is not installed; run: pip install "hubbub[listen]"']


# What an event starts


def test_a_command_has_the_event_in_its_environment_and_nothing_of_it_in_itself(tmp_path: Path) -> None:
    label, said = "dog'; touch $(touch hurt) `touch hurt`", list[str]()
    names = "HUBBUB_(LABEL|ONSET|OFFSET|SCORE|TIME)="
    script = f'cd "{tmp_path}" && env | grep -E "{names}" | sort > $HUBBUB_SCORE.txt; echo "$HUBBUB_LABEL" >> all'
    commands = [Command(name, script, [label, "cat"], said.append) for name in (label, "cat")]
    commands.append(Command("*", f'cd "{tmp_path}" && echo any >> any', [label, "cat"], said.append))
    for each in commands:
        each.ended(Heard(Event(1.5, 2.25, label, 0.75)))
    for each in commands:
        each.close()
    assert (tmp_path / "0.75.txt").read_text() == (
        f"HUBBUB_LABEL={label}\nHUBBUB_OFFSET=2.250000\nHUBBUB_ONSET=1.500000\nHUBBUB_SCORE=0.75\nHUBBUB_TIME=\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.75.txt", "all", "any"]
    assert (tmp_path / "any").read_text() == "any\n"
    assert said == []


def test_commands_that_fail_or_hang_are_told_and_hold_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "COMMAND_SECONDS", 0.4)
    said: list[str] = []
    failing = Command("dog", "echo much; echo why >&2; exit 3", ["dog"], said.append)
    hanging = Command("dog", "sleep 30 & sleep 30", ["dog"], said.append)
    began = time.monotonic()
    for _ in range(3):
        failing.ended(DOG)
    hanging.ended(DOG)
    assert time.monotonic() - began < 0.2
    for each in (failing, hanging):
        each.close()
    assert time.monotonic() - began < 5
    assert said == [
        "--on dog: 'echo much; echo why >&2; exit 3' ended with 3: why",
        "--on dog: 'sleep 30 & sleep 30' was ended after 0.4 s",
    ]


def test_too_much_for_an_action_is_told_or_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "WAITING", 2)
    for patient in (False, True):
        said, done = list[str](), list[int]()
        worker = actions.Worker("slow", said.append, patient)
        for _ in range(6):
            worker.put(lambda done=done: (time.sleep(0.03), done.append(1))[0])
        worker.close()
        assert len(done) == 6 if patient else 2 <= len(done) < 6
        assert said == ([] if patient else ["slow: left out for an event, as 2 are waiting"])


@pytest.fixture
def server() -> Iterator[Any]:
    """A web server on this machine: `posted` is what came, `answers` are the next codes, 200 after them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.posted.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(web.answers.pop(0) if web.answers else 200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    web: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.posted, web.answers = [], []
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield web
    web.shutdown()
    web.server_close()


def test_a_webhook_gets_every_event_and_another_try(server: Any) -> None:
    said: list[str] = []
    url = f"http://127.0.0.1:{server.server_port}/secret"
    hook = Webhook(url, said.append, pauses=(0.01, 0.01))
    server.answers += [500, 503]
    hook.ended(DOG)
    until(lambda: len(server.posted) == 3)
    assert server.posted == [("/secret", "application/json", DOG.to_dict())] * 3
    server.answers += [404]
    hook.ended(DOG)
    until(lambda: said)
    server.answers += [500] * 3
    hook.ended(DOG)
    until(lambda: len(said) == 2)
    hook.close()
    assert len(server.posted) == 7
    assert said == [
        "--webhook http://127.0.0.1: an event was not taken: answered 404 Not Found",
        "--webhook http://127.0.0.1: an event was not taken: answered 500 Internal Server Error",
    ]
    said.clear()
    server.shutdown()
    server.server_close()
    away = Webhook(url, said.append, pauses=(0.01,))
    away.ended(DOG)
    away.close()
    assert said == ["--webhook http://127.0.0.1: an event was not taken: [Errno 111] Connection refused"]


def test_all_of_it_at_once(tmp_path: Path, wav: Path, server: Any, detector: Detector, detector_path: Path) -> None:
    url = f"http://127.0.0.1:{server.server_port}/sounds"
    dogs = ["--on", "dog", f'echo "$HUBBUB_ONSET" >> "{tmp_path / "dogs"}"']
    asked = [*dogs, "--webhook", url, "--keep", tmp_path / "kept", "--around", 0.5, "--keep-as", "flac"]
    with wav.open("rb") as file:
        done = subprocess.run(command(detector_path, *asked), stdin=file, capture_output=True, timeout=60)
    assert done.returncode == 0
    found = lines_of(done.stdout)
    same(found, detector.detect(wav))
    onsets = [float(line) for line in (tmp_path / "dogs").read_text().splitlines()]
    assert onsets == [event.onset for event in found if event.label == "dog"] != []
    posted = [Event(each["onset"], each["offset"], each["label"], each["score"]) for _, _, each in server.posted]
    assert sorted(posted) == found
    for event in found:
        excerpt, rate = audio.read(tmp_path / "kept" / f"{event.onset:010.3f}_{event.label}.flac")
        start = max(0, event.onset - 0.5)
        length = min(event.offset + 0.5, 20.005624) - start
        assert rate == RATE and len(excerpt) == pytest.approx(length * RATE, abs=2)
        np.testing.assert_array_equal(excerpt, audio.read(wav, start=start)[0][: len(excerpt)])
    assert len(done.stderr.decode().splitlines()) == 2


# MQTT, with a broker

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Broker:
    """Mosquitto on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        passwords = folder / "passwords"
        passwords.touch(0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "us er", "p@ss"], check=True, capture_output=True)
        passwords.chmod(0o644)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\npassword_file {passwords}\nallow_anonymous false\nuser root\n"
        )
        folder.chmod(0o755)
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://us%20er:p%40ss@127.0.0.1:{self.port}/house/hall"

    def start(self) -> None:
        assert MOSQUITTO is not None
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._running = subprocess.Popen([MOSQUITTO, "-c", self._config], **nowhere)
        until(self._answers)

    def stop(self) -> None:
        self._running.terminate()
        self._running.wait(10)

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    if importlib.util.find_spec("paho") is None:
        pytest.skip("paho-mqtt is not installed")
    running = Broker(tmp_path)
    yield running
    running.stop()


class Subscriber:
    """Hears all that a broker is told: topic, message, whether it was kept for those who come later."""

    def __init__(self, broker: Broker) -> None:
        from paho.mqtt import client

        self.heard: list[tuple[str, str, bool]] = []
        self._client = client.Client(client.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("us er", "p@ss")
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = lambda _, __, m: self.heard.append((m.topic, m.payload.decode(), m.retain))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert ready.wait(10)

    def of(self, topic: str) -> list[str]:
        return [message for where, message, _ in self.heard if where == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_a_broker_is_told_states_events_and_what_home_assistant_wants(broker: Broker) -> None:
    from hubbub.live.mqtt import Mqtt

    said: list[str] = []
    labels = ["dog barking", "dog_barking", "Tür/Tor"]
    before = Subscriber(broker)
    sink = Mqtt(broker.url, labels, said.append)
    until(lambda: "online" in before.of("house/hall/status"))
    heard = Heard(Event(1.5, 2.25, "dog barking", 0.75))
    sink.began(heard)
    sink.began(Heard(Event(1.7, 2.0, "dog barking")))
    sink.ended(heard)
    until(lambda: before.of("house/hall/dog_barking/event"))
    assert before.of("house/hall/dog_barking/state") == ["OFF", "ON"]
    sink.ended(heard)
    until(lambda: before.of("house/hall/dog_barking/state") == ["OFF", "ON", "OFF"])
    assert json.loads(before.of("house/hall/dog_barking/event")[0]) == heard.to_dict()
    later = Subscriber(broker)
    until(lambda: len(later.heard) == 7)
    configs = [
        f"homeassistant/binary_sensor/house_hall/{name}/config" for name in ("dog_barking", "dog_barking_2", "T_r_Tor")
    ]
    assert {topic for topic, _, kept in later.heard if kept} == {
        "house/hall/status",
        *configs,
        *(f"house/hall/{name}/state" for name in ("dog_barking", "dog_barking_2", "T_r_Tor")),
    }
    config = json.loads(later.of(configs[1])[0])
    assert config["name"] == "dog_barking"
    assert config["unique_id"] == "house_hall_dog_barking_2"
    assert config["device_class"] == "sound"
    assert config["state_topic"] == "house/hall/dog_barking_2/state"
    assert config["json_attributes_topic"] == "house/hall/dog_barking_2/event"
    assert config["availability_topic"] == "house/hall/status"
    assert config["device"]["identifiers"] == ["house_hall"]
    sink.close()
    until(lambda: before.of("house/hall/status") == ["online", "offline"])
    after = Subscriber(broker)
    until(lambda: after.of("house/hall/status") == ["offline"])
    assert said == []
    for each in (before, later, after):
        each.close()


def test_a_broker_that_is_away_is_tried_again(broker: Broker) -> None:
    from hubbub.live.mqtt import Mqtt

    broker.stop()
    said: list[str] = []
    sink = Mqtt(broker.url, ["dog", "cat"], said.append)
    until(lambda: said)
    sink.began(DOG)
    broker.start()
    subscriber = Subscriber(broker)
    until(lambda: subscriber.of("house/hall/dog/state")[-1:] == ["ON"])
    subscriber.close()
    broker.stop()
    until(lambda: len(said) == 2)
    sink.ended(DOG)
    broker.start()
    subscriber = Subscriber(broker)
    until(lambda: subscriber.of("house/hall/dog/state")[-1:] == ["OFF"])
    until(lambda: subscriber.of("house/hall/dog/event"))
    until(lambda: subscriber.of("house/hall/cat/state") == ["OFF"])  # a broker that starts anew has forgotten it
    sink.close()
    subscriber.close()
    assert said[0] == "--mqtt 127.0.0.1: cannot be reached; tried again until it is there"
    assert said[1].startswith("--mqtt 127.0.0.1: is gone")
    assert len(said) == 2


def test_a_wrong_password_is_told_and_not_shown(broker: Broker) -> None:
    from hubbub.live.mqtt import Mqtt

    said: list[str] = []
    sink = Mqtt(broker.url.replace("p%40ss", "guess"), ["dog"], said.append)
    until(lambda: said)
    sink.close()
    assert said == ["--mqtt 127.0.0.1: refuses the connection: Not authorized; tried again until it is there"]
    with pytest.raises(ConfigError) as error:
        Mqtt("mqtt://us:secret@host:port/x", ["dog"], said.append)
    assert "secret" not in str(error.value)


def test_a_listener_that_is_killed_is_offline(broker: Broker, bursts: np.ndarray, detector_path: Path) -> None:
    subscriber = Subscriber(broker)
    raw = ["--rate", RATE, "--channels", 1, "--sample-format", "f32le"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "HUBBUB_MQTT": broker.url}
    with subprocess.Popen(command(detector_path, *raw), env=environment, **pipes) as listening:
        listening.stdin.write(bursts[: 5 * RATE].tobytes())
        listening.stdin.flush()
        until(lambda: len(subscriber.of("house/hall/dog/event")) > 3)
        assert subscriber.of("house/hall/status") == ["online"]
        assert {"ON", "OFF"} == set(subscriber.of("house/hall/dog/state"))
        listening.kill()
        listening.stdin.close()
    until(lambda: subscriber.of("house/hall/status") == ["online", "offline"])
    subscriber.close()
