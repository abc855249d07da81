"""``doppel contact-sheet`` on a coded clip: the sheet itself shows whether the frames belong together."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_worker.cli.app import app
from typer.testing import CliRunner

from tests.support.coded_clip import coded_frames
from tests.support.frame_code import FRAME_NUMBER
from tests.support.video import write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    frames = list(coded_frames(640, 360, count=90))
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, frames)
    return path, frames


def _sheet(before: Path, after: Path, out: Path) -> np.ndarray:
    arguments = [
        "contact-sheet",
        str(before),
        str(after),
        "--out",
        str(out),
        "--columns",
        "4",
        "--width",
        "640",
    ]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    sheet = cv2.imread(str(out), cv2.IMREAD_COLOR)
    assert sheet is not None
    return sheet


def _codes(sheet: np.ndarray, top: int) -> list[int | None]:
    return [
        FRAME_NUMBER.read(sheet[top : top + 360, 4 + 644 * column : 644 + 644 * column]).value
        for column in range(4)
    ]


def test_looped_and_delayed_recording_with_hidden_faces_is_laid_below_its_frames(film, tmp_path) -> None:
    path, frames = film
    looped = [frames[index % 90].copy() for index in range(40, 40 + 150)]
    for rgb in looped:
        rgb[60:300, 200:440] = 120
    for rgb in looped[:15]:
        rgb[:] = 0
    write_video(tmp_path / "recording.mkv", looped, crf=28, preset="ultrafast")
    sheet = _sheet(path, tmp_path / "recording.mkv", tmp_path / "sheet.png")
    before, after = _codes(sheet, 4), _codes(sheet, 4 + 364)
    assert None not in after
    assert len(set(after)) == 4
    assert before == after


def test_recording_with_bars_at_the_sides_is_cut_to_the_film(film, tmp_path) -> None:
    path, frames = film
    wide = [np.pad(rgb, ((0, 0), (80, 80), (0, 0))) for rgb in frames[20:]]
    write_video(tmp_path / "wide.mkv", wide, crf=28, preset="ultrafast")
    sheet = _sheet(path, tmp_path / "wide.mkv", tmp_path / "sheet.png")
    after = _codes(sheet, 4 + 364)
    assert None not in after
    assert _codes(sheet, 4) == after


def test_file_that_is_no_video_is_named(film, tmp_path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no video")
    result = CliRunner().invoke(app, ["contact-sheet", str(film[0]), str(text)])
    assert result.exit_code != 0
    assert "notes.txt" in str(result.exception)
