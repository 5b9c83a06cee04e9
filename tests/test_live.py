"""Live audio: what comes in is what was recorded, what is lost is counted, and time stays right."""

import io
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from hubbub import Detector, annotations, audio
from hubbub.decode import LabelRule
from hubbub.errors import AudioError, ConfigError, HubbubError
from hubbub.events import Event
from hubbub.live import microphone
from hubbub.live.capture import Capture
from hubbub.live.clock import Clock
from hubbub.live.excerpts import Excerpts
from hubbub.live.listening import Heard, Listening, Sink, listen
from hubbub.live.output import Lines
from hubbub.live.pcm import raw_layout
from hubbub.live.sources import Block, Item, Lost, Pipe
from hubbub.live.terminal import Display

RATE, HOP = 22050, 441


class Told(Sink):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.began_: list[Heard] = []
        self.ended_: list[Heard] = []

    def began(self, heard: Heard) -> None:
        assert heard.event.onset not in [h.event.onset for h in self.began_ if h.event.label == heard.event.label]
        self.began_.append(heard)

    def ended(self, heard: Heard) -> None:
        assert [h.time for h in self.began_ if (h.event.label, h.event.onset) == (heard.event.label, heard.event.onset)]
        self.ended_.append(heard)

    @property
    def events(self) -> list[Event]:
        return sorted(heard.event for heard in self.ended_)


class Given:
    """A source that gives what it is given."""

    name = "given"

    def __init__(self, items: list[Item]) -> None:
        self.n_given = 0
        self._items = items

    def items(self, stop: threading.Event) -> Iterator[Item]:
        for item in self._items:
            yield item
            self.n_given += 1


class Dribble(io.BytesIO):
    """A pipe that hands out few bytes at a time."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(min(size or 1, 997))


def heard_through(data: bytes, layout: Any = None) -> tuple[np.ndarray, int]:
    blocks = list(Pipe(Dribble(data), "pipe", layout).items(threading.Event()))
    assert len({block.rate for block in blocks}) == 1
    return np.concatenate([block.samples for block in blocks]), blocks[0].rate


# Samples in bytes

FORMS = [
    ("WAV", "PCM_U8", "FILE", 1, 8000),
    ("WAV", "PCM_16", "FILE", 1, 44100),
    ("WAV", "PCM_16", "BIG", 2, 44100),
    ("WAV", "PCM_24", "FILE", 2, 48000),
    ("WAV", "PCM_24", "BIG", 1, 48000),
    ("WAV", "PCM_32", "FILE", 3, 96000),
    ("WAV", "FLOAT", "FILE", 2, 22050),
    ("WAV", "FLOAT", "BIG", 1, 22050),
    ("WAV", "DOUBLE", "FILE", 1, 16000),
    ("WAVEX", "PCM_24", "FILE", 6, 48000),
    ("WAVEX", "FLOAT", "FILE", 2, 48000),
    ("RF64", "PCM_16", "FILE", 2, 44100),
]


@pytest.mark.parametrize(("form", "subtype", "endian", "channels", "rate"), FORMS)
def test_a_wav_in_a_pipe_is_the_wav_in_a_file(
    tmp_path: Path, rng: np.random.Generator, form: str, subtype: str, endian: str, channels: int, rate: int
) -> None:
    samples = rng.uniform(-1, 1, (3001, channels))
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate, subtype=subtype, endian=endian, format=form)
    found, found_rate = heard_through(path.read_bytes())
    expected, _ = audio.read(path)
    assert found_rate == rate
    assert np.abs(expected).max() > 0.3
    np.testing.assert_array_equal(found, expected)


def wav(samples: np.ndarray, promised: int | None = None, riff: int | None = None, behind: bytes = b"") -> bytes:
    """A WAV of 16 bits at 8000 Hz whose header promises so many bytes."""
    data = samples.astype("<i2").tobytes()
    fmt = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    extra = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"  # padded to an even length
    riff = 4 + 24 + len(extra) + 8 + len(data) + len(behind) if riff is None else riff
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + extra
    return head + b"data" + struct.pack("<I", len(data) if promised is None else promised) + data + behind


RAMP = np.arange(1, 2001)


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0, 0x7FFFFFFF, 0xFFFFFFFF - 36])
def test_a_header_without_a_length_is_read_to_the_end(promised: int) -> None:
    found, _ = heard_through(wav(RAMP, promised, riff=min(promised + 36, 0xFFFFFFFF)))
    np.testing.assert_array_equal(found * 32768, RAMP)
    found, _ = heard_through(wav(RAMP, promised, riff=0xFFFFFFFF) + b"x")  # half a sample, as it was stopped
    np.testing.assert_array_equal(found * 32768, RAMP)


def test_what_follows_the_samples_is_read_and_not_heard() -> None:
    file = Dribble(wav(RAMP, behind=b"LIST" + struct.pack("<I", 3000) + bytes(3000)))
    blocks = list(Pipe(file, "pipe").items(threading.Event()))
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]) * 32768, RAMP)
    assert file.read() == b""


RAW = [("u8", "u1"), ("s16le", "<i2"), ("s24le", None), ("s32le", "<i4"), ("f32le", "<f4")]


@pytest.mark.parametrize(("name", "dtype"), RAW)
def test_samples_without_a_header(name: str, dtype: str | None, rng: np.random.Generator) -> None:
    wanted = rng.integers(-100, 100, (500, 2)) / 128
    if name == "u8":
        data = (wanted * 128 + 128).astype(np.uint8).tobytes()
    elif name == "f32le":
        data = wanted.astype(dtype).tobytes()
    elif dtype is None:
        data = b"".join(int(value * 2**23).to_bytes(3, "little", signed=True) for value in wanted.ravel())
    else:
        data = (wanted * 2.0 ** (8 * np.dtype(dtype).itemsize - 1)).astype(dtype).tobytes()
    found, rate = heard_through(data, raw_layout(16000, 2, name))
    assert rate == 16000
    np.testing.assert_array_equal(found, wanted.mean(axis=1).astype(np.float32))


ALAW = wav(RAMP).replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 6, 1), 1)
WRONG = [
    (b"", "pipe: is empty (0 bytes); what was to write audio to it wrote nothing"),
    (b"fLaC and so on", "pipe: begins with b'fLaC', which is no WAV; "),
    (wav(RAMP)[:30], "pipe: is cut short in its header; wanted a WAV with samples"),
    (wav(RAMP)[:59], "pipe: holds no samples; "),
    (wav(RAMP)[:2058], "pipe: is cut short: its header promises 0.250 s, 0.125 s are there"),
    (wav(RAMP, 0, behind=b"LIST" + bytes(4)).replace(RAMP.astype("<i2").tobytes(), b""), "pipe: holds no samples; "),
    (wav(RAMP).replace(b"fmt ", b"junk"), "pipe: its samples come before their format; wanted a WAV"),
    (ALAW, "pipe: its samples are A-law; wanted whole numbers or floats: ffmpeg -i … -c:a pcm_s16le -f wav -"),
    (wav(RAMP).replace(struct.pack("<I", 8000), bytes(4), 1), "pipe: 1 channels at 0 Hz; wanted 1 to 1024 channels"),
]


@pytest.mark.parametrize(("data", "message"), WRONG)
def test_what_is_wrong_with_a_pipe_is_one_line(data: bytes, message: str) -> None:
    with pytest.raises(AudioError) as error:
        heard_through(data)
    assert str(error.value).startswith(message)


def test_a_sample_that_is_no_number_comes_after_all_that_were() -> None:
    samples = np.full(9000, 0.25, "<f4")
    samples[7001] = np.nan
    blocks = []
    with pytest.raises(AudioError) as error:
        for block in Pipe(Dribble(samples.tobytes()), "pipe", raw_layout(8000, 1, "f32le")).items(threading.Event()):
            blocks.append(block)
    assert str(error.value) == "pipe: the sample at 0.875125 s is no finite number; wanted samples from -1 to 1"
    assert sum(len(block.samples) for block in blocks) == 7001


# Taken in a thread


def blocks_of(samples: np.ndarray, rate: int, length: int) -> list[Item]:
    return [Block(samples[start : start + length], rate) for start in range(0, len(samples), length)]


def test_a_source_that_can_wait_is_made_to_wait(bursts: np.ndarray) -> None:
    source = Given(blocks_of(bursts, RATE, HOP))
    with Capture(source, live=False, longest=1.0) as capture:
        time.sleep(0.2)
        assert 49 <= source.n_given <= 51
        taken: list[Item] = []
        while (items := capture.fetch(1.0)) is not None:
            assert sum(item.seconds for item, _ in items) <= 1.02
            taken += [item for item, _ in items]
    np.testing.assert_array_equal(np.concatenate([item.samples for item in taken]), bursts)


def test_a_source_that_cannot_wait_loses_what_waits_and_says_so(bursts: np.ndarray) -> None:
    source = Given([Block(bursts[: 2 * HOP], RATE), Lost(0.5), *blocks_of(bursts, RATE, HOP)])
    with Capture(source, live=True, longest=3.0) as capture:
        capture._thread.join(5)
        items = [item for item, _ in capture.fetch(1.0) or []]
        assert capture.fetch(1.0) is None
    assert isinstance(items[0], Lost) and items[0].overload
    assert sum(item.seconds for item in items) == pytest.approx(0.54 + len(bursts) / RATE)
    kept = np.concatenate([item.samples for item in items[1:]])
    assert 0 < len(kept) <= 3 * RATE
    np.testing.assert_array_equal(kept, bursts[-len(kept) :])


def test_what_a_source_raises_comes_after_what_it_gave() -> None:
    with Capture(Pipe(io.BytesIO(wav(RAMP)[:2058]), "pipe"), live=False) as capture:
        capture._thread.join(5)
        assert capture.fetch(1.0)
        with pytest.raises(AudioError, match="is cut short"):
            capture.fetch(1.0)


def test_overload_is_counted_and_time_stays_right(detector: Detector, bursts: np.ndarray) -> None:
    """Events after the loss are where they were; lines about it come every five seconds at most."""
    said: list[str] = []
    told = Told()
    listening = Listening(detector, [told], said.append, live=True)
    first, second = bursts[: 5 * RATE], bursts[7 * RATE : 15 * RATE]
    now = time.time()
    listening.hear([(Block(first, RATE), now)])
    listening.hear([(Lost(10.0, overload=True), now)])
    listening.hear([(Lost(2.0), now), (Lost(0.4, overload=True), now)])
    listening.hear([(Lost(0.6, overload=True), now), (Block(second, RATE), now)])
    listening.close()
    assert (listening.dropped, listening.missed, listening.seconds) == (11.0, 2.0, 26.0)
    assert said == [
        "dropped 10.0 s: detection is slower than the sound (10.0 s in all)",
        "dropped 1.0 s: detection is slower than the sound (11.0 s in all)",
    ]
    expected = [
        *detector.detect(first),
        *(Event(e.onset + 18, e.offset + 18, e.label) for e in detector.detect(second)),
    ]
    assert [(e.label, round(e.onset, 6), round(e.offset, 6)) for e in told.events] == [
        (e.label, round(e.onset, 6), round(e.offset, 6)) for e in expected
    ]
    assert listening.n_events == len(expected) > 30


def test_a_slow_detector_hears_what_it_can(detector: Detector, bursts: np.ndarray) -> None:
    """End to end: sound comes ten times faster than it is heard."""
    told, said = Told(), list[str]()
    listening = Listening(detector, [told], said.append, live=True)
    push = listening._stream.push

    def slowly(samples: np.ndarray) -> list[Event]:
        time.sleep(0.05)
        return push(samples)

    listening._stream.push = slowly  # type: ignore[method-assign]

    class Paced(Given):
        def items(self, stop: threading.Event) -> Iterator[Item]:
            for item in super().items(stop):
                time.sleep(0.0002)
                yield item

    listen(Capture(Paced(blocks_of(bursts, RATE, HOP)), True, longest=1.0), listening, threading.Event())
    assert listening.seconds == pytest.approx(len(bursts) / RATE, abs=1e-3)
    assert listening.dropped > 2
    assert said[-1].endswith(f"({listening.dropped:.1f} s in all)")
    assert told.events[-1].offset == pytest.approx(detector.detect(bursts)[-1].offset, abs=0.05)


def test_any_rate_and_any_blocks_are_the_recording(tmp_path: Path, detector: Detector, bursts: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(bursts[: 10 * RATE], 2)[:, None] * [1.0, 0.5], 48000, subtype="PCM_24")
    expected = detector.detect(path)
    assert len(expected) > 20
    for seed in range(3):
        rng, told = np.random.default_rng(seed), Told()
        listening = Listening(detector, [told], print, live=False)
        (whole,) = (samples for samples, _ in [heard_through(path.read_bytes())])
        cuts = np.sort(rng.integers(0, len(whole), 200))
        for piece in np.split(whole, cuts):
            listening.hear([(Block(piece, 48000), 0.0)])
        listening.close()
        assert [(e.label, e.onset, e.offset) for e in told.events] == [(e.label, e.onset, e.offset) for e in expected]
        np.testing.assert_allclose([e.score for e in told.events], [e.score for e in expected], atol=1e-5)


def test_another_rate_halfway_keeps_the_time(detector: Detector, bursts: np.ndarray) -> None:
    told = Told()
    listening = Listening(detector, [told], print, live=False)
    listening.hear([(Block(bursts[: 3 * 44100], 44100), 0.0), (Block(bursts[: 5 * RATE], RATE), 0.0)])
    listening.hear([(Lost(1.0), 0.0), (Block(bursts[:48000], 48000), 0.0)])
    listening.close()
    assert listening.seconds == 10.0


def test_the_clock_believes_what_came_soonest() -> None:
    clock = Clock()
    assert clock.time(1.0) is None
    began = 1_700_000_000.0
    for second in range(1, 30):
        clock.heard(second, began + second + 0.1 * (second % 7))
    assert clock.time(12.5).timestamp() == pytest.approx(began + 12.5, abs=1e-3)
    for second in range(30, 400):  # the card is slow by one second in a hundred
        clock.heard(second, began + second * 1.01)
    assert clock.time(399).timestamp() == pytest.approx(began + 399 * 1.01, abs=1.3)
    clock.heard(401, began - 5000)  # the day's clock was set
    assert clock.time(401).timestamp() == pytest.approx(began - 5000, abs=1e-3)


def test_live_events_have_a_time_of_day_and_others_none(detector: Detector, bursts: np.ndarray) -> None:
    for live in (True, False):
        told = Told()
        listening = Listening(detector, [told], print, live)
        at = 1_700_000_000.0
        for k, block in enumerate(blocks_of(bursts[: 5 * RATE], RATE, HOP)):
            listening.hear([(block, at + (k + 1) * 0.02)])
        listening.close()
        times = [heard.time for heard in told.ended_]
        if live:
            assert [t.timestamp() for t in times] == pytest.approx([at + h.event.onset for h in told.ended_], abs=1e-3)
            assert told.ended_[0].to_dict()["time"] == times[0].isoformat(timespec="milliseconds")
            assert times[0].tzinfo is not None
        else:
            assert times == [None] * len(times)


# A microphone


class PortAudioError(Exception):
    pass


class FakeStream:
    active = True

    def __init__(self, sd: "FakeSounddevice", **settings: Any) -> None:
        if sd.mono_fails and settings["channels"] == 1:
            raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")
        self.settings = settings
        sd.streams.append(self)

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.active = False

    def give(self, samples: np.ndarray, at: float, overflow: bool = False) -> None:
        frames = np.repeat(samples[:, None], self.settings["channels"], axis=1)
        frames[:, 1:] *= 0.5
        when, status = SimpleNamespace(inputBufferAdcTime=at), SimpleNamespace(input_overflow=overflow)
        self.settings["callback"](frames, len(samples), when, status)
        frames[:] = 9  # the sound card fills its buffer anew


class FakeSounddevice:
    """What `hubbub.live.microphone` uses of sounddevice, on a machine with one microphone, or none."""

    PortAudioError = PortAudioError

    def __init__(self, mono_fails: bool = False) -> None:
        self.there = True
        self.mono_fails = mono_fails
        self.streams: list[FakeStream] = []
        self.n_started = 0

    def query_devices(self, device: Any = None, kind: str | None = None) -> Any:
        one = {"name": "USB mic", "index": 1, "max_input_channels": 2, "default_samplerate": 44100.0}
        speaker = {"name": "speaker", "index": 0, "max_input_channels": 0, "default_samplerate": 48000.0}
        if kind is None:
            return [speaker, *([one] if self.there else [])]
        if not self.there or not (device in (None, 1) or str(device).lower() in "usb mic"):
            raise ValueError(f"No input device matching {device!r}")
        return one

    def InputStream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, **settings)

    def _terminate(self) -> None: ...

    def _initialize(self) -> None:
        self.n_started += 1


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def test_a_microphone_is_heard(bursts: np.ndarray) -> None:
    for mono_fails in (False, True):
        sd = FakeSounddevice(mono_fails)
        source = microphone.Microphone(sd, "usb", print)
        with Capture(source, live=True) as capture:
            until(lambda sd=sd: sd.streams)
            sd.streams[0].give(bursts[:1764], 10.0)
            sd.streams[0].give(bursts[1764:3528], 10.04)
            sd.streams[0].give(bursts[3528:5292], 10.58, overflow=True)
            taken: list[Item] = []
            until(lambda c=capture, t=taken: t.extend(i for i, _ in c.fetch(0.1)) or len(t) == 4)
        assert sd.streams[0].settings["samplerate"] == 44100
        assert sd.streams[0].settings["blocksize"] == 1764
        assert sd.streams[0].settings["channels"] == (2 if mono_fails else 1)
        np.testing.assert_allclose(taken[1].samples, bursts[1764:3528] * (0.75 if mono_fails else 1), rtol=1e-6)
        assert taken[2] == Lost(pytest.approx(0.5))
        assert not sd.streams[0].active


@pytest.mark.parametrize("way", ["silent", "inactive"])
def test_a_device_that_goes_away_is_waited_for(
    detector: Detector, bursts: np.ndarray, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(microphone, "RETRY", 0.6)
    monkeypatch.setattr(microphone, "SILENT_FOR", 0.3 if way == "silent" else 60)
    sd, said, told = FakeSounddevice(), list[str](), Told()
    stop = threading.Event()
    listening = Listening(detector, [told], said.append, live=True)
    capture = Capture(microphone.Microphone(sd, None, said.append), True, 60.0)
    running = threading.Thread(target=listen, args=(capture, listening, stop), daemon=True)
    running.start()
    until(lambda: sd.streams)
    began = time.monotonic()
    sd.streams[0].give(bursts[: 5 * RATE], 0.0)
    sd.there = False
    sd.streams[0].active = way == "silent"
    until(lambda: said)
    until(lambda: sd.n_started > 1)
    assert said == ["USB mic is gone; waiting for it"]
    until(lambda: listening._stream.open_events() == [])
    sd.there = True
    until(lambda: len(sd.streams) == 2)
    sd.streams[1].give(bursts[: 5 * RATE], 0.0)
    until(lambda: len(said) == 2)
    took = time.monotonic() - began
    stop.set()
    running.join(5)
    assert said[1] == "USB mic is back"
    assert listening.dropped == 0
    assert 0.3 < listening.missed <= took
    assert listening.seconds == pytest.approx(5 + listening.missed, abs=0.01)
    assert not sd.streams[1].active


def test_what_is_wrong_with_a_microphone_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    sd = FakeSounddevice()
    assert microphone.devices(sd) == ["1  USB mic  (2 channels, 44100 Hz)"]
    with pytest.raises(AudioError) as error:
        microphone.Microphone(sd, "line in", print)
    assert str(error.value) == "no device 'line in' records; there is: 1  USB mic  (2 channels, 44100 Hz)"
    with pytest.raises(ConfigError, match=r"^--channels 3: USB mic has 2$"):
        microphone.Microphone(sd, "1", print, 3)
    source = microphone.Microphone(sd, "1", print, 1)
    sd.mono_fails = True
    with pytest.raises(AudioError, match=r"^USB mic: cannot be opened: Invalid number of channels"):
        next(source.items(threading.Event()))
    sd.there = False
    with pytest.raises(AudioError, match=r"^there is no device that records; there is: none at all$"):
        microphone.Microphone(sd, None, print)

    def missing(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "import_module", missing)
    with pytest.raises(AudioError, match=r"^PortAudio is not installed; on Debian and its kin: apt install libport"):
        microphone.sound_system()


# Where events go


def test_lines_of_tsv_are_a_table(tmp_path: Path) -> None:
    out = io.StringIO()
    lines = Lines(out, "tsv", "USB\tmic", lambda: None)
    assert out.getvalue() == "filename\tonset\toffset\tevent_label\tscore\n"
    events = [Event(0.5, 1.25, "dog", 0.75), Event(0.25, 2.0, 'a "b"', 0.5)]
    for event in events:
        lines.ended(Heard(event))
    (tmp_path / "a.tsv").write_text(out.getvalue())
    assert annotations.read(tmp_path / "a.tsv") == {"USB mic": sorted(events)}
    with pytest.raises(ConfigError, match=r"^--format raven: wanted json or tsv for a stream$"):
        Lines(out, "raven", "a", lambda: None)


def test_lines_that_nobody_reads_end_the_listening_and_a_full_disk_is_told() -> None:
    class Full(io.StringIO):
        error: type[OSError] = BrokenPipeError

        def flush(self) -> None:
            raise self.error(28, "No space left on device")

    gone: list[int] = []
    lines = Lines(Full(), "json", "a", lambda: gone.append(1))
    lines.ended(Heard(Event(0, 1, "dog")))
    lines.ended(Heard(Event(0, 1, "dog")))
    assert gone == [1]
    Full.error = OSError
    with pytest.raises(HubbubError, match=r"^standard output: cannot be written: No space left on device$"):
        Lines(Full(), "json", "a", lambda: None).ended(Heard(Event(0, 1, "dog")))


def test_an_excerpt_is_the_event_with_what_is_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.live.excerpts.LONGEST", 3.0)
    said: list[str] = []
    keep = Excerpts(tmp_path / "kept", 0.5, "wav", 2.0, said.append)
    ramp = (np.arange(20 * 1000) / 32768).astype(np.float32)  # a sample says where it is

    def hear(first: float, last: float) -> None:
        for start in range(round(first * 1000), round(last * 1000), 40):
            keep.sound(ramp[start : start + 40], 1000)

    hear(0, 2)
    keep.began(Heard(Event(0.2, 1.0, "dog")))
    keep.ended(Heard(Event(0.2, 1.0, "dog")))  # starts where the audio starts
    keep.began(Heard(Event(1.0, 1.5, "rain/heavy")))  # goes on for long
    hear(2, 10)
    keep.began(Heard(Event(5.0, 9.9, "long")))  # told at once, as from a pipe
    keep.ended(Heard(Event(5.0, 9.9, "long")))
    keep.began(Heard(Event(9.0, 9.2, "bell")))
    keep.ended(Heard(Event(9.0, 9.3, "bell")))
    keep.ended(Heard(Event(1.0, 9.9, "rain/heavy")))
    keep.began(Heard(Event(9.9, 9.95, "dog")))
    hear(10, 10.16)
    keep.ended(Heard(Event(9.9, 10.1, "dog")))  # its surroundings never come
    keep.close()
    found = {path.name: np.round(audio.read(path)[0] * 32768).tolist() for path in (tmp_path / "kept").iterdir()}
    assert {name: (values[0], values[-1] + 1) for name, values in found.items()} == {
        "000000.200_dog.wav": (0, 1500),
        "000001.000_rain_heavy.wav": (500, 4500),
        "000005.000_long.wav": (4500, 8500),
        "000009.000_bell.wav": (8500, 9800),
        "000009.900_dog.wav": (9400, 10160),
    }
    assert said == []
    assert sum(map(len, keep._pieces)) <= 6.1 * 1000
    with pytest.raises(ConfigError, match=r"^excerpts in 'mp3': wanted one of wav, flac$"):
        Excerpts(tmp_path / "kept", 0.5, "mp3", 2.0, said.append)


def test_the_live_timeline_shows_probabilities_open_events_and_what_was_found() -> None:
    out = io.StringIO()
    console = Console(file=out, width=60, height=8, force_terminal=True, color_system=None, legacy_windows=False)
    labels = [f"label {k}" for k in range(9)]
    display = Display(console, "USB mic", labels, [LabelRule()] * 9, 0.02)
    probabilities = np.zeros((25, 9), np.float32)
    probabilities[12:, 7] = 0.99
    probabilities[20, 2] = 0.3
    display.began(Heard(Event(0.24, 0.4, "label 7")))
    display.frames(probabilities, 0.5)
    with console.capture() as capture:
        console.print(display)
    lines = capture.get().splitlines()
    assert lines[0] == "USB mic  0:00  0 events"
    assert len(lines) == 6
    assert [line.split(" │")[0] for line in lines[1:5] if "│" in line] == ["label 0", "label 1", "label 2", "label 7"]
    assert lines[3].rstrip().endswith(" ▂│ 0.00")
    assert lines[4].rstrip().endswith(" █│ 0.99 ● 0.3 s")
    assert lines[5] == "and 5 more labels, quieter just now"
    display.ended(Heard(Event(0.24, 0.5, "label 7", 0.98)))
    display.say("\x1b[31mred")
    assert "0:00.24     0.26 s  label 7  0.98\n" in out.getvalue()
    assert "\N{REPLACEMENT CHARACTER}[31mred" in out.getvalue()
    with console.capture() as capture:
        console.print(display)
    assert "1 event\n" in capture.get() and "●" not in capture.get()
