"""What users do wrong at the command line is told in one line, and never with a stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_worker.cli import main, text
from doppel_worker.cli.bench import CLIP

from tests.support.portrait import FIXTURES

PHOTO = FIXTURES / "astronaut.png"
PORCELAIN = ("--persona", "porcelain")
WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: else root may read and write anything
    libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-c", "from doppel_worker.cli import main; main()", *sys.argv[1:]])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOPPEL_HOME", str(tmp_path / "home"))
    (tmp_path / "in.mp4").write_bytes(CLIP.read_bytes())
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "face.png").write_bytes(PHOTO.read_bytes())
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """The one line of a command that fails; SystemExit alone leaves ``main``."""
    monkeypatch.setattr(sys, "argv", ["doppel", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    line = capsys.readouterr().err
    assert line.startswith("doppel: ")
    assert line.count("\n") == 1
    assert "Errno" not in line
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("swap", "text.mp4", "o.mp4", *PORCELAIN), "text.mp4 is no video file, or it is empty or damaged"),
        (("swap", "empty.mp4", "o.mp4", *PORCELAIN), "empty.mp4 is no video file, or it is empty or damaged"),
        (("swap", "folder.mp4", "o.mp4", *PORCELAIN), "folder.mp4 is a folder"),
        (("swap", "in.mp4", "folder.mp4", *PORCELAIN), "folder.mp4 is a folder"),
        (("swap", "in.mp4", "text.mp4/o.mp4", *PORCELAIN), "text.mp4 is no folder"),
        (("swap", "in.mp4", "/proc/o.mp4", *PORCELAIN), "/proc/o.mp4 cannot be written"),
        (("swap", "in.mp4", f"{'o' * 300}.mp4", *PORCELAIN), "File name too long"),
        (("swap", "in.mp4", "o.mp4", "--persona", "x" * 300), "File name too long"),
        (("contact-sheet", "in.mp4", "text.mp4"), "text.mp4 is no video file"),
        (("contact-sheet", "in.mp4", "in.mp4", "--out", "o.xyz"), "o.xyz is no name of a picture"),
        (("contact-sheet", "in.mp4", "in.mp4", "--out", "none/o.png"), "the folder none does not exist"),
        (("persona", "add", "folder.mp4", "--consent", "own"), "it is no plain file"),
        (("persona", "add", "text.mp4", "--consent", "own"), "no picture that Doppel can read"),
        (("models", "add", "text.mp4"), "no ONNX file"),
        (("models", "add", "http://127.0.0.1:9/x.onnx"), "Connection refused"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    words: tuple[str, ...],
    said: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert said in told(capsys, monkeypatch, *words)
    assert sorted(path.name for path in folder.iterdir() if path.name != "home") == before


@pytest.mark.parametrize(
    "words", [("persona", "list"), ("persona", "add", "face.png", "--consent", "own"), ("models", "list")]
)
def test_a_data_folder_that_cannot_be_one_is_told_without_numbers(
    words: tuple[str, ...],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOPPEL_HOME", str(folder / "text.mp4"))
    assert "Not a directory" in told(capsys, monkeypatch, *words)


def spawn(*command: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's capabilities")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("swap", "in.mp4", "locked/o.mp4", *PORCELAIN), "you may not write to the folder locked"),
        (("swap", "locked/in.mp4", "o.mp4", *PORCELAIN), "locked/in.mp4 cannot be read: Permission denied"),
        (("swap", "in.mp4", "o.mp4", "--persona", "locked/me.png"), "locked/me.png cannot be read"),
    ],
)
def test_what_the_user_may_not_touch_is_told(words: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "locked").mkdir(mode=0o000)
    try:
        process = spawn(WITHOUT_ROOTS_RIGHTS, *words)
        _, errors = process.communicate(timeout=120)
    finally:
        (folder / "locked").chmod(0o700)
    assert process.returncode == 1
    assert said in errors
    assert errors.count("\n") == 1


def test_ctrl_c_ends_a_swap_with_a_line_and_leaves_nothing(folder: Path) -> None:
    starts = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = spawn(
        starts + "from doppel_worker.cli import main; main()", "swap", "in.mp4", "o.mp4", *PORCELAIN
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(".o-*.mp4")):  # the file that becomes the output: frames are being swapped
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == text.INTERRUPTED
    assert errors == "stopped; o.mp4 was not written\n"
    assert not (folder / "o.mp4").exists()
    assert not list(folder.glob(".o-*"))


def test_a_still_picture_is_one_frame(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(folder / "one.png"), np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setattr(sys, "argv", ["doppel", "swap", "one.png", "o.mp4", *PORCELAIN])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "o.mp4: 1 frame (1 no face)" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "words"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_one_is_no_plural(number: int, words: str) -> None:
    assert text.counted(number, "frame") == words


def test_the_command_alone_shows_what_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["doppel"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert "doppel swap in.mp4 out.mp4 --persona porcelain" in printed.out + printed.err
