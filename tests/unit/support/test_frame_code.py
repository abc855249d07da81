import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faces import room
from tests.support.frame_code import FRAME_NUMBER, BlockCode
from tests.support.synthetic import mosaic
from tests.support.video import read_video, write_video

_ROOM = room(1280, 720)
_SMALL = room(640, 360)
SECOND_LINE = BlockCode(bits=32, line=1)


def _coded(value: int, room: np.ndarray = _ROOM) -> np.ndarray:
    picture = room.copy()
    FRAME_NUMBER.draw(picture, value)
    return picture


@given(st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_both_codes_are_read_back_side_by_side(number: int, other: int) -> None:
    picture = _SMALL.copy()
    FRAME_NUMBER.draw(picture, number)
    SECOND_LINE.draw(picture, other)
    assert FRAME_NUMBER.read(picture).value == number
    assert SECOND_LINE.read(picture).value == other


@settings(max_examples=20)
@given(st.integers(0, 65535), st.sampled_from([(640, 360), (320, 180), (853, 480), (1920, 1080)]))
def test_code_survives_scaling(number: int, size: tuple[int, int]) -> None:
    for way in (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC):
        assert FRAME_NUMBER.read(cv2.resize(_coded(number), size, interpolation=way)).value == number


def test_code_survives_a_poor_encoder(tmp_path) -> None:
    numbers = [0, 1, 255, 256, 21845, 43690, 65535, 12345]
    small = [
        cv2.resize(_coded(n), (640, 360), interpolation=cv2.INTER_AREA) for n in numbers for _ in range(3)
    ]
    path = tmp_path / "poor.mkv"
    write_video(path, small, crf=35, preset="ultrafast")
    readings = [FRAME_NUMBER.read(rgb) for _, rgb in read_video(path)]
    assert [reading.value for reading in readings] == [n for n in numbers for _ in range(3)]
    # Far from the reader's limit of 60.
    assert min(reading.contrast for reading in readings) > 180


@pytest.mark.parametrize("brightness", [-60, 40])
@pytest.mark.parametrize("contrast", [0.5, 1.0])
def test_code_survives_other_levels(contrast: float, brightness: float) -> None:
    changed = np.clip(_coded(4711) * contrast + 128 * (1 - contrast) + brightness, 0, 255).astype(np.uint8)
    assert FRAME_NUMBER.read(changed).value == 4711


def test_luma_plane_can_carry_a_code() -> None:
    plane = np.full((720, 1280), 90, np.uint8)
    FRAME_NUMBER.draw(plane, 99)
    assert FRAME_NUMBER.read(plane).value == 99


@settings(max_examples=30)
@given(st.integers(0, 65535))
def test_mosaic_and_blur_hide_the_code(number: int) -> None:
    coded = _coded(number, _SMALL)
    for hidden in (mosaic(coded), cv2.GaussianBlur(coded, (0, 0), 20), np.full_like(coded, 128)):
        assert FRAME_NUMBER.read(hidden).value is None


@given(st.integers(0, 65535), st.integers(0, 23))
def test_one_wrong_cell_is_noticed(number: int, cell: int) -> None:
    picture = _coded(number, _SMALL)
    strip = picture[:20, cell * 10 : cell * 10 + 10]
    strip[:] = 255 - strip
    assert FRAME_NUMBER.read(picture).value is None


def test_code_of_another_line_is_not_taken_for_this_one() -> None:
    picture = _ROOM.copy()
    FRAME_NUMBER.draw(picture, 7)
    assert BlockCode(bits=16, line=1).read(picture).value is None
    moved = np.roll(picture, 40, axis=0)
    assert BlockCode(bits=16, line=1).read(moved).value is None


def test_numbers_and_pictures_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        _coded(65536)
    with pytest.raises(ValueError, match="too small"):
        FRAME_NUMBER.draw(np.zeros((60, 100, 3), np.uint8), 1)
