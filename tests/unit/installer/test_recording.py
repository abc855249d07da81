from __future__ import annotations

import wave
from pathlib import Path

import pytest

from installer.recording import main


def test_a_file_that_is_no_video_is_told_without_error_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    assert main(str(tmp_path / "text.mp4")) == 1
    told = capsys.readouterr().out
    assert told.startswith("it is no video: Invalid data")
    assert "Errno" not in told


def test_sound_alone_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(bytes(1600))
    assert main(str(tmp_path / "sound.wav")) == 1
    assert capsys.readouterr().out == "it is no video: it has no picture\n"
