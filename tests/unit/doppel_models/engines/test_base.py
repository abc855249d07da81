import cv2
import numpy as np
import pytest
from doppel_models.engines.base import CropRequest, FrameClock, even_rect, pose_fade
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(-500, 1500), st.floats(-500, 1500), st.floats(0, 900), st.floats(0, 900))
def test_a_rect_starts_on_even_pixels_stays_inside_and_holds_what_is_visible(x, y, w, h):
    low, high = np.array([x, y], np.float32), np.array([x + w, y + h], np.float32)
    # 1.9999999999999 is 2 in the box's own precision: what the box says is compared.
    x0, y0, x1, y1 = even_rect(low, high, 1281, 721)
    assert x0 % 2 == 0
    assert y0 % 2 == 0
    assert 0 <= x0 <= x1 <= 1281
    assert 0 <= y0 <= y1 <= 721
    assert x1 % 2 == 0 or x1 == 1281
    if low[0] >= 0 and high[0] < 1280:
        assert x0 <= low[0] <= high[0] <= x1


def test_points_follow_the_matrix_and_z_the_scale():
    request = CropRequest(np.array([[0.5, 0, -10], [0, 0.5, -20]], np.float32), (100, 80))
    moved = request.to_crop(np.array([[40, 60, 8]], np.float32))
    assert moved == pytest.approx(np.array([[10, 10, 4]]))
    assert request.to_crop(np.array([[40, 60]], np.float32)).shape == (1, 2)


def test_the_frame_rect_of_a_reduced_crop_covers_what_the_crop_shows():
    request = CropRequest(np.array([[0.5, 0, -50], [0, 0.5, -20]], np.float32), (100, 80))
    x0, y0, x1, y1 = request.frame_rect(1000, 1000)
    assert x0 <= 99
    assert y0 <= 39
    assert x1 >= 300
    assert y1 >= 200
    assert request.frame_rect(150, 100)[2:] == (150, 100)


@given(
    st.floats(0.1, 4),
    st.floats(-3, 3),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_the_frame_rect_of_a_part_holds_all_that_the_part_reaches(scale, angle, x, y, w, h):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.c_[turn, (30, 30) - turn @ (100, 80)].astype(np.float32)
    request, mask = CropRequest(matrix, (60, 60)), np.zeros((60, 60), np.uint8)
    mask[y : y + h, x : x + w] = 255
    whole = cv2.warpAffine(mask, matrix, (200, 160), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    x0, y0, x1, y1 = request.frame_rect(200, 160, (x, y, x + w, y + h))
    outside = whole.copy()
    outside[y0:y1, x0:x1] = 0
    assert outside.max() == 0


def test_the_swap_fades_over_the_band_on_both_sides_and_never_back():
    fades = [pose_fade(yaw, 35, 50) for yaw in np.arange(0, 91, 0.5)]
    assert fades[:71] == [0] * 71
    assert fades[100:] == [1] * 82
    assert fades == sorted(fades)
    assert pose_fade(-42, 35, 50) == pose_fade(42, 35, 50)


def test_a_band_turned_round_is_a_step():
    assert [pose_fade(yaw, 50, 35) for yaw in (49, 50, 51)] == [0, 1, 1]


def test_the_clock_of_frames_knows_no_long_pauses_and_no_way_back():
    clock = FrameClock()
    stamps = [7_000_000_000, 7_033_000_000, 9_000_000_000, 8_000_000_000, 8_010_000_000]
    assert [clock.seconds_since_last(stamp) for stamp in stamps] == pytest.approx(
        [0.5, 0.033, 0.5, 0.5, 0.01]
    )
    clock.reset()
    assert clock.seconds_since_last(8_020_000_000) == 0.5
