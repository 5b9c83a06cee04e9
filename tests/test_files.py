"""Files appear whole or not at all, pipes stay pipes, and what cannot be written is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.errors import ConfigError, HubbubError
from hubbub.files import check_writable, make_folder, replacing, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path, ConfigError) as beside:
        beside.write_text("new")
        assert beside.parent == tmp_path and beside.name.startswith(".") and not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_line_ends_and_letters_stay_as_they_are(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Tür\r\nzu\n", ConfigError)
    assert (tmp_path / "a.txt").read_bytes() == "Tür\r\nzu\n".encode()


@pytest.mark.parametrize("raised", [RuntimeError("why"), KeyboardInterrupt()])
def test_what_fails_leaves_what_was_there(tmp_path: Path, raised: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(type(raised)), replacing(path, ConfigError) as beside:
        beside.write_text("half")
        raise raised
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_a_killed_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    code = (
        "import os, pathlib, signal, sys\n"
        "from hubbub.errors import ConfigError\n"
        "from hubbub.files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1]), ConfigError) as beside:\n"
        "    beside.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=60)
    assert done.returncode == -9
    assert path.read_text() == "before"


def said(path: Path) -> str:
    with pytest.raises(HubbubError) as checked:
        check_writable(path, HubbubError)
    with pytest.raises(ConfigError) as written:
        write_text(path, "new", ConfigError)
    assert str(checked.value) == str(written.value)
    return str(written.value)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "a.txt"
    assert said(missing) == f"{missing}: cannot be written: there is no folder {missing.parent}"
    assert said(tmp_path) == f"{tmp_path}: cannot be written: it is a folder; wanted the name of a file"
    long = tmp_path / ("a" * 300)
    assert said(long) == f"{long}: cannot be written: File name too long"
    assert names(tmp_path) == []


def test_what_permissions_forbid_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the administrator, who runs some tests, may do all
    path = tmp_path / "a.txt"
    assert said(path) == f"{path}: cannot be written: no permission to write in {tmp_path}"
    os.mkfifo(path)
    assert said(path) == f"{path}: cannot be written: no permission to write to it"


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    write_text(path, "text", ConfigError)
    assert path.read_text() == "text"


def test_an_error_of_the_system_while_writing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    wanted = f"{path}: cannot be written: No space left on device"
    with pytest.raises(ConfigError) as error, replacing(path, ConfigError):
        raise OSError(28, "No space left on device")
    assert str(error.value) == wanted
    assert names(tmp_path) == []


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    link = tmp_path / "link"
    link.symlink_to("store/a.txt")
    for text in ("first", "second"):
        write_text(link, text, ConfigError)
        assert link.is_symlink()
        assert (tmp_path / "store" / "a.txt").read_text() == text
    assert names(tmp_path / "store") == ["a.txt"]


@pytest.mark.parametrize("by_link", [False, True])
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path, by_link: bool) -> None:
    """With a pipe of the test's own: a real device, such as the null device, would be lost if this failed as root."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = pipe
    if by_link:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_writable(path, ConfigError)
        write_text(path, "text", ConfigError)
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert path.is_symlink() == by_link


def test_the_name_of_an_open_file_is_written_to(tmp_path: Path) -> None:
    """As the name of standard output is: a link to whatever the shell opened, here a pipe without a name."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc/self/fd here")
    reading, writing = os.pipe()
    link = tmp_path / "link"
    link.symlink_to(f"/proc/self/fd/{writing}")
    try:
        write_text(link, "text", ConfigError)
        assert os.read(reading, 100) == b"text"
    finally:
        os.close(reading)
        os.close(writing)
    assert link.is_symlink()


def test_folders_are_made(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b", ConfigError)
    make_folder(tmp_path / "a" / "b", ConfigError)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/a: cannot be made: Not a directory; choose another folder"):
        make_folder(tmp_path / "file" / "a", ConfigError)
