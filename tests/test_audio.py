"""Recordings of every kind give the closed form of the tone in them; what is wrong with one is told in one line."""

import os
import stat
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hubbub import audio
from hubbub.errors import AudioError

WAV_HEADER = 44
LOSSLESS = [
    *[("wav", "WAV", kind, step) for kind, step in (("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23))],
    *[("wav", "WAV", kind, 1e-7) for kind in ("PCM_32", "FLOAT", "DOUBLE")],
    *[("flac", "FLAC", "PCM_16", 2**-15), ("flac", "FLAC", "PCM_24", 2**-23), ("aiff", "AIFF", "PCM_16", 2**-15)],
    *[("w64", "W64", "PCM_16", 2**-15), ("caf", "CAF", "ALAC_16", 2**-15), ("rf64", "RF64", "PCM_16", 2**-15)],
    ("au", "AU", "PCM_16", 2**-15),
]
LOSSY = [("wav", "WAV", "IMA_ADPCM"), ("wav", "WAV", "MS_ADPCM"), ("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS")]
LOSSY += [("mp3", "MP3", "MPEG_LAYER_III"), ("wav", "WAV", "ULAW")]


def tone(n_samples: int, rate: int, frequency: float = 1000.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(n_samples) / rate)


def chirp(n_samples: int, rate: int) -> np.ndarray:
    """No two parts of it are alike, so a part read from a wrong place shows."""
    seconds = np.arange(n_samples) / rate
    return 0.5 * np.sin(2 * np.pi * (200 + 150 * seconds) * seconds)


def wav_bytes(tmp_path: Path, samples: np.ndarray, rate: int = 8000) -> bytes:
    path = tmp_path / "whole.wav"
    soundfile.write(path, samples, rate)
    return path.read_bytes()


def message(path: Path) -> str:
    """What `read` says of a bad file; `blocks` must say the same, on one line that starts with the path."""
    with pytest.raises(AudioError) as error:
        audio.read(path)
    with pytest.raises(AudioError) as of_blocks:
        list(audio.blocks(path, 8000))
    text = str(error.value)
    assert text == str(of_blocks.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


# Every kind


@pytest.mark.parametrize(("suffix", "form", "subtype", "step"), LOSSLESS)
def test_lossless_kinds_give_the_samples_that_were_written(
    tmp_path: Path, suffix: str, form: str, subtype: str, step: float
) -> None:
    path = tmp_path / f"a.{suffix}"
    samples = tone(4410, 44100)
    soundfile.write(path, samples, 44100, format=form, subtype=subtype)
    read, rate = audio.read(path)
    assert rate == 44100
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, samples, rtol=0, atol=step)
    assert audio.info(path) == audio.AudioInfo(path, 44100, 1, 4410, subtype)
    assert audio.info(path).duration == 0.1


@pytest.mark.parametrize(("suffix", "form", "subtype"), LOSSY)
def test_lossy_kinds_give_the_tone_that_was_written(tmp_path: Path, suffix: str, form: str, subtype: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(48000, 48000), 48000, format=form, subtype=subtype)
    read, rate = audio.read(path)
    assert rate == 48000
    assert 48000 <= len(read) < 48000 + 4096  # ADPCM fills its last block
    assert len(read) == audio.info(path).n_samples
    middle = slice(4800, 43200)
    np.testing.assert_allclose(read[middle], tone(48000, 48000)[middle], rtol=0, atol=0.03)


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (1000, channels))
    soundfile.write(path, samples, 8000, subtype="DOUBLE")
    np.testing.assert_allclose(audio.read(path)[0], samples.mean(axis=1), rtol=0, atol=1e-6)
    assert audio.info(path).channels == channels


@pytest.mark.parametrize("rate", [192000, 96000, 48000, 44100, 32000, 22050, 16000, 11025, 8000])
def test_a_tone_read_at_another_rate_is_that_tone(tmp_path: Path, rate: int) -> None:
    """Physics: away from the edges the closed form comes back to 1e-6 of full scale, -120 dB."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(rate, rate), rate, subtype="FLOAT")
    read, wanted = audio.read(path, 22050)
    assert wanted == 22050
    assert len(read) == 22050
    middle = slice(2205, -2205)
    np.testing.assert_allclose(read[middle], tone(22050, 22050)[middle], rtol=0, atol=1e-6)


def test_a_tone_just_below_the_highest_is_kept(tmp_path: Path) -> None:
    """9.8 kHz, 89 % of what 22 050 Hz can hold, to 1e-3: soxr's MQ would be 1e-2 off, LQ would lose it."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(48000, 48000, 9800.0), 48000, subtype="FLOAT")
    error = audio.read(path, 22050)[0] - tone(22050, 22050, 9800.0)
    assert np.abs(error[2205:-2205]).max() < 1e-3


def test_what_a_lower_rate_cannot_hold_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(44100, 44100, 15000.0), 44100, subtype="FLOAT")
    assert np.abs(audio.read(path, 22050)[0][2205:-2205]).max() < 1e-4


# Blocks


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
@pytest.mark.parametrize("rate", [48000, 22050, 16000])
def test_blocks_joined_are_the_whole(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"a.{suffix}"
    n_samples = 3 * 48000 + 17
    rough = 0.1 * np.random.default_rng(1).standard_normal((n_samples, 2))
    samples = np.tile(tone(n_samples, 48000)[:, None], (1, 2)) if suffix == "mp3" else rough
    soundfile.write(path, samples, 48000, format="OGG" if suffix == "opus" else None, subtype=None)
    whole, _ = audio.read(path, rate)
    assert abs(len(whole) - n_samples * rate / 48000) <= 1
    for seconds in (0.013, 0.5, 30.0):
        joined = np.concatenate(list(audio.blocks(path, rate, seconds)))
        assert joined.dtype == np.float32
        assert np.array_equal(joined, whole), f"in blocks of {seconds} s"


def test_blocks_have_the_length_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000, 8000), 8000)
    assert [len(block) for block in audio.blocks(path, 8000, 0.75)] == [6000, 6000, 4000]


@pytest.mark.parametrize("n_samples", [3, 40, 1001, 44100, 100003])
@pytest.mark.parametrize(("rate", "wanted"), [(192000, 22050), (44100, 16000), (8000, 22050), (22050, 44100)])
def test_the_number_of_samples_is_the_nearest(tmp_path: Path, n_samples: int, rate: int, wanted: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(n_samples), rate)
    if n_samples * wanted < rate / 2:
        with pytest.raises(AudioError, match=r"a\.wav: is shorter than one sample at 22050 Hz"):
            audio.read(path, wanted)
        return
    n_read = len(audio.read(path, wanted)[0])
    assert abs(n_read - n_samples * wanted / rate) <= 0.5
    assert n_read == sum(len(block) for block in audio.blocks(path, wanted, 0.01))


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    """Twenty minutes at 8 kHz are 38 MB as float32; in blocks of 10 s, 0.3 MB each, a few of them are held at most."""
    path = tmp_path / "long.wav"
    minute = tone(60 * 8000, 8000)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(20):
            file.write(minute)
    tracemalloc.start()
    n_samples = sum(len(block) for block in audio.blocks(path, 16000, 10.0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_samples == 20 * 60 * 16000
    assert peak < 5e6, f"{peak / 1e6:.1f} MB"


# Parts


@pytest.mark.parametrize(("suffix", "form"), [("wav", "WAV"), ("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3")])
@pytest.mark.parametrize("start", [0.0, 0.5, 1.75, 2.25])
def test_a_part_is_that_part_of_the_whole(tmp_path: Path, suffix: str, form: str, start: float) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, chirp(3 * 44100, 44100), 44100, format=form)
    whole, rate = audio.read(path)
    part, _ = audio.read(path, start=start, duration=0.5)
    assert len(part) == 22050
    first = round(start * rate)
    np.testing.assert_array_equal(part, whole[first : first + 22050])


def test_a_part_past_the_end_is_cut_and_one_behind_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(8000, 8000), 8000)
    assert len(audio.read(path, start=0.75, duration=9.0)[0]) == 2000
    with pytest.raises(AudioError, match=r"a\.wav: has no sample at 1\.5 s: it ends at 1 s"):
        audio.read(path, start=1.5)
    with pytest.raises(AudioError, match=r"no part starts at -1 s and lasts None s"):
        audio.read(path, start=-1)
    with pytest.raises(AudioError, match=r"no part starts at 0\.0 s and lasts 0 s"):
        audio.read(path, duration=0)
    with pytest.raises(AudioError, match=r"a\.wav: cannot be read at -1 samples a second"):
        audio.read(path, -1)


def test_five_milliseconds_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(40, 8000), 8000)
    assert len(audio.read(path)[0]) == 40
    assert len(audio.read(path, 22050)[0]) == 110


# What is wrong with a file


def test_missing_folder_empty_and_device(tmp_path: Path) -> None:
    assert message(tmp_path / "none.wav") == "does not exist; wanted a recording"
    assert message(tmp_path) == "is a folder; wanted a recording"
    assert message(Path(os.devnull)) == "is no regular file; wanted a recording"
    (tmp_path / "empty.wav").touch()
    assert message(tmp_path / "empty.wav") == "is empty (0 bytes); fetch it again"
    with pytest.raises(AudioError, match=r"empty\.wav: is empty"):
        audio.info(tmp_path / "empty.wav")


def test_no_samples(tmp_path: Path) -> None:
    header = wav_bytes(tmp_path, np.zeros(0))
    assert len(header) == WAV_HEADER
    path = tmp_path / "a.wav"
    said = "holds no samples: it is only a header, or cut short right behind one"
    path.write_bytes(header)
    assert message(path) == said
    listed = header[:4] + struct.pack("<I", 36 + 14) + header[8:] + b"LIST" + struct.pack("<I", 6) + b"abcdef"
    path.write_bytes(listed)
    assert message(path) == said


def test_a_wav_cut_short_says_what_was_promised_and_what_is_there(tmp_path: Path) -> None:
    whole = wav_bytes(tmp_path, tone(8000, 8000))
    path = tmp_path / "cut.wav"
    path.write_bytes(whole[: WAV_HEADER + 6000])
    assert message(path) == (
        "is cut short: its header promises 1.000 s, 0.375 s are there; fetch it again, or save what is there: "
        f"ffmpeg -i {path} {path.with_suffix('.converted.wav')}"
    )
    path.write_bytes(whole[:-2])
    assert "is cut short" in message(path)
    path.write_bytes(whole[:-1])  # half a sample is not missed
    assert len(audio.read(path)[0]) == 7999
    path.write_bytes(whole[:WAV_HEADER])
    assert message(path) == "is cut short: its header promises 16000 bytes of samples, none are there"
    path.write_bytes(whole[:30])
    assert "is damaged or cut short (in WAV" in message(path)


@pytest.mark.parametrize(("suffix", "form"), [("wav", "RF64"), ("aiff", "AIFF"), ("flac", "FLAC"), ("mp3", "MP3")])
def test_other_files_cut_short(tmp_path: Path, suffix: str, form: str) -> None:
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    soundfile.write(whole, tone(80000, 8000), 8000, format=form)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    said = message(path)
    assert "cut short" in said
    if form != "FLAC":
        assert "promises 10.000 s" in said


@pytest.mark.parametrize(
    ("riff", "data"),
    [(0, 0), (36, 0), (0xFFFFFFFF, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF024, 0x7FFFF000), (0x80000024, 0x80000000)],
)
def test_a_wav_whose_writer_never_filled_in_its_length_is_read_to_the_end(tmp_path: Path, riff: int, data: int) -> None:
    whole = wav_bytes(tmp_path, tone(8000, 8000))
    path = tmp_path / "piped.wav"
    path.write_bytes(whole[:4] + struct.pack("<I", riff) + whole[8:40] + struct.pack("<I", data) + whole[44:])
    np.testing.assert_array_equal(audio.read(path)[0], audio.read(tmp_path / "whole.wav")[0])
    assert audio.info(path).n_samples == 8000
    assert len(audio.read(path, start=0.5)[0]) == 4000


def test_a_wav_without_its_length_over_4_gib_is_refused(tmp_path: Path) -> None:
    """libsndfile would read the first 4 GiB and say nothing of the rest. The file is a hole: it takes no room."""
    path = tmp_path / "long.wav"
    header = wav_bytes(tmp_path, tone(8000, 8000))[:40]
    with path.open("wb") as file:
        file.write(header + b"\xff" * 4)
        file.truncate(2**32 + 1000)
    with pytest.raises(AudioError, match=r"long\.wav: has over 4 GiB of samples and a header without their length; "):
        audio.info(path)  # looks at the header only, so that a failure here reads no 4 GiB


@pytest.mark.parametrize("length", [0, 2**64 - 1])
def test_an_rf64_without_its_length_is_read_to_the_end(tmp_path: Path, length: int) -> None:
    whole, path = tmp_path / "whole.rf64", tmp_path / "piped.wav"
    soundfile.write(whole, tone(8000, 8000), 8000, format="RF64")
    content = whole.read_bytes()
    at = content.index(b"ds64") + 8
    path.write_bytes(content[:at] + struct.pack("<QQ", length, length) + content[at + 16 :])
    np.testing.assert_array_equal(audio.read(path)[0], audio.read(whole)[0])


def test_a_flac_stream_that_names_no_length_is_read_to_the_end(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.flac", tmp_path / "piped.flac"
    soundfile.write(whole, tone(8000, 8000), 8000)
    content = bytearray(whole.read_bytes())
    content[21] &= 0xF0  # STREAMINFO: the 36 bits of the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    np.testing.assert_array_equal(audio.read(path)[0], audio.read(whole)[0])
    assert audio.info(path).n_samples == 8000
    assert len(audio.read(path, start=0.5)[0]) == 4000
    with pytest.raises(AudioError, match=r"has no sample at 1\.5 s: it ends at 1 s"):
        audio.read(path, start=1.5)


def test_text_and_kinds_that_are_not_decoded(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("onset,offset,label\n" * 50)
    assert message(text).startswith("holds text, not audio; wanted a recording (.wav, .flac, ")
    noise = tmp_path / "noise.dat"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    assert message(noise).startswith("is no audio that libsndfile knows (.wav, ")
    film = tmp_path / "my film.m4a"
    film.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    said = f"this kind of file is not decoded here; convert it first: ffmpeg -i '{film}' '{film.with_suffix('.wav')}'"
    assert message(film) == said
    renamed = film.rename(tmp_path / "renamed.wav")
    said = f"this kind of file is not decoded here; convert it first: ffmpeg -i {renamed} "
    assert message(renamed) == f"{said}{renamed.with_suffix('.converted.wav')}"
    nested = tmp_path / "nested.ogg"  # FLAC in OGG, as `ffmpeg -c:a flac x.ogg` writes it
    nested.write_bytes(b"OggS\0\x02" + bytes(12) + b"\x01\x33\x7fFLAC\x01\0" + bytes(500))
    said = f"this kind of file is not decoded here; convert it first: ffmpeg -i {nested} {nested.with_suffix('.wav')}"
    assert message(nested) == said
    bare = tmp_path / "bare.raw"
    bare.write_bytes(bytes(5000))
    assert message(bare).startswith("has no header; say what it holds: ffmpeg -f s16le -ar RATE -i ")


@pytest.mark.parametrize(("at", "what"), [(22, "Channel count is zero"), (24, "SF_INFO struct incomplete")])
def test_no_channels_and_no_rate(tmp_path: Path, at: int, what: str) -> None:
    content = bytearray(wav_bytes(tmp_path, tone(8000, 8000)))
    content[at : at + 2] = bytes(2)
    path = tmp_path / "zero.wav"
    path.write_bytes(content)
    assert what in message(path)


def test_a_damaged_flac_is_told_when_met(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(80000), 8000)
    content = bytearray(path.read_bytes())
    content[80000:84000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(content)
    assert "is damaged or cut short (flac decoder lost sync)" in message(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_sample_that_is_no_number_is_told(tmp_path: Path, value: float) -> None:
    samples = np.zeros((80000, 2))
    samples[60000:, 1] = value
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    assert message(path) == "the sample at 7.500000 s is no finite number; wanted samples from -1 to 1"
    with pytest.raises(AudioError, match=r"the sample at 7\.500000 s"):
        list(audio.blocks(path, 16000, 0.3))
    with pytest.raises(AudioError, match=r"the sample at 8\.000000 s"):
        audio.read(path, 16000, start=8.0)
    assert len(audio.read(path, duration=7.5)[0]) == 60000


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """Root may read everything, so the test reads as nobody."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(8000, 8000), 8000)
    path.chmod(0)
    if os.geteuid() == 0:
        path = Path("/proc/self/mem")  # opens, but fails when it is read
        assert stat.S_ISREG(path.stat().st_mode)
        assert message(path) == "cannot be read: Input/output error"
    else:
        assert message(path) == "cannot be read: Permission denied"


# Writing


@pytest.mark.parametrize(("name", "step"), [("a.wav", 2**-15), ("a.WAV", 2**-15), ("a.flac", 2**-15), ("a.ogg", 0.03)])
def test_written_and_read(tmp_path: Path, name: str, step: float) -> None:
    samples = tone(200_001, 44100).astype(np.float32)
    audio.write(tmp_path / name, samples, 44100)
    read, rate = audio.read(tmp_path / name)
    assert rate == 44100
    np.testing.assert_allclose(read, samples, rtol=0, atol=step)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_ogg_of_five_minutes_does_not_end_the_process(tmp_path: Path) -> None:
    """In one call libsndfile's Vorbis encoder runs over its stack; a process of its own, so that it may."""
    path = tmp_path / "long.ogg"
    code = "import sys, numpy, hubbub.audio as a; a.write(sys.argv[1], numpy.zeros(300 * 16000, 'f4'), 16000)"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    assert audio.info(path).duration == 300


def test_channels_and_subtype_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = np.stack([tone(800, 8000), -tone(800, 8000)], axis=1)
    audio.write(path, samples, 8000, "FLOAT")
    assert audio.info(path) == audio.AudioInfo(path, 8000, 2, 800, "FLOAT")
    np.testing.assert_array_equal(audio.read(path)[0], np.zeros(800))


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_the_same_samples_give_the_same_bytes(tmp_path: Path, subtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    audio.write(path, tone(800, 8000), 8000, subtype)
    content = path.read_bytes()
    at = content.find(b"PEAK")
    assert (at > 0) == (subtype == "FLOAT")
    if at > 0:  # version 1, and no time
        assert content[at + 8 : at + 16] == struct.pack("<II", 1, 0)
    np.testing.assert_allclose(audio.read(path)[0], tone(800, 8000), rtol=0, atol=2**-15)


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    samples = tone(800, 8000)

    def said(path: Path, samples: np.ndarray = samples, subtype: str | None = None) -> str:
        with pytest.raises(AudioError) as error:
            audio.write(path, samples, 8000, subtype)
        text = str(error.value)
        assert text.startswith(f"{path}: ")
        assert "\n" not in text
        return text.removeprefix(f"{path}: ")

    missing = tmp_path / "none"
    assert said(missing / "a.wav") == f"cannot be written: there is no folder {missing}"
    assert said(tmp_path / "a.mp4") == "cannot be written: the suffix is '.mp4'; wanted one of .wav, .flac, .ogg"
    assert "FLAC has no subtype 'FLOAT'; wanted one of PCM_S8" in said(tmp_path / "a.flac", subtype="FLOAT")
    assert said(tmp_path / "a.wav", np.array([0.0, np.nan])).startswith(
        "not written: wanted samples, all of them finite"
    )
    assert said(tmp_path / "a.wav", np.zeros(0)).startswith("not written: wanted samples")
    (tmp_path / "folder.wav").mkdir()
    assert said(tmp_path / "folder.wav") == "cannot be written: it is a folder; wanted the name of a file"
    assert [path.name for path in tmp_path.iterdir()] == ["folder.wav"]


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    code = (
        "import resource, signal, sys, numpy, hubbub.audio as a\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))\n"
        "try: a.write(sys.argv[1], numpy.zeros(200000), 8000)\n"
        "except a.AudioError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert done.stderr == f"{path}: cannot be written: System error.\n"
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.wav"]


# Finding


def test_find_takes_any_case_and_leaves_hidden_files(tmp_path: Path) -> None:
    wanted = ["B.WAV", "a.wav", "deep/d.mp3", "deep/e.opus", "deep/er/c.Flac"]
    others = [".hidden.wav", "._a.wav", ".cache/x.wav", "notes.txt", "deep/labels.tsv", "wav"]
    for name in wanted + others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert audio.find(tmp_path) == [tmp_path / name for name in wanted]


def test_find_follows_links_and_ends_in_a_ring(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.wav").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "back").symlink_to(tmp_path / "data")
    assert audio.find(tmp_path / "data") == [tmp_path / "data" / "linked" / "a.wav"]


def test_find_says_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"none: cannot be listed: No such file or directory; wanted a folder"):
        audio.find(tmp_path / "none")
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudioError, match=r"a\.wav: cannot be listed: Not a directory"):
        audio.find(tmp_path / "a.wav")


@pytest.mark.parametrize("channels", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize(
    ("suffix", "kind"), [("wav", "PCM_16"), ("flac", "PCM_16"), ("aiff", "PCM_16"), ("wav", "FLOAT")]
)
def test_samples_are_those_of_libsndfile_and_of_their_mean_bit_for_bit(
    tmp_path: Path, rng: np.random.Generator, suffix: str, kind: str, channels: int
) -> None:
    channels = min(channels, 8) if suffix == "flac" else channels  # it takes no more
    path = tmp_path / f"a.{suffix}"
    written = rng.uniform(-1, 1, (40_000, channels)) * 10 ** rng.uniform(-5, 0, (40_000, 1))
    written[:2] = [[-1.0], [1.0]]
    soundfile.write(path, written, 8000, kind)
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)
    np.testing.assert_array_equal(audio.read(path)[0], expected)
    np.testing.assert_array_equal(np.concatenate(list(audio.blocks(path, 8000, 0.7))), expected)
