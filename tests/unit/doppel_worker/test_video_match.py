import cv2
import numpy as np
import pytest
from doppel_worker.errors import MediaError
from doppel_worker.video_match import Index, match, region_of
from hypothesis import given, settings
from hypothesis import strategies as st


def _scene(seconds: float) -> np.ndarray:
    """A grey picture of a still room in which something moves; it repeats after 8 s."""
    turn = 2 * np.pi * seconds / 8
    picture = np.tile(np.linspace(60, 160, 96, dtype=np.float32), (54, 1))
    x, y = 48 + 26 * np.cos(turn), 27 + 14 * np.sin(2 * turn + 0.5)
    cv2.circle(picture, (round(x * 16), round(y * 16)), 11 * 16, 30.0, -1, cv2.LINE_AA, shift=4)
    return picture


def _index(times: np.ndarray, *, noise: float = 0.0, mask: bool = False) -> Index:
    rng = np.random.default_rng(3)
    thumbs = np.stack([_scene(t) for t in times]) + noise * rng.standard_normal((len(times), 54, 96))
    if mask:
        thumbs[:, 15:40, 35:60] = 200  # a part of each picture is something else
    return Index((times - times[0]).astype(np.float32), thumbs.astype(np.float32))


_VIDEO = _index(np.arange(200) / 25)


@settings(max_examples=15)
@given(st.floats(0, 7.9), st.floats(1, 20))
def test_recording_is_found_wherever_it_starts_and_though_it_loops(start: float, length: float) -> None:
    times = start + np.arange(0, length, 1 / 30)
    recording = _index(times, noise=2, mask=True)
    picks = [0, len(times) // 2, len(times) - 1]
    for pick, found in zip(picks, match(_VIDEO, recording, picks), strict=True):
        apart = abs(found / 25 - times[pick] % 8)
        assert min(apart, 8 - apart) <= 1.5 / 25


def test_covered_frames_in_the_recording_do_not_mislead() -> None:
    times = 3.2 + np.arange(150) / 30
    recording = _index(times)
    recording.thumbs[:60] = 90
    assert match(_VIDEO, recording, [120]) == [round((times[120] % 8) * 25)]


def test_one_picture_matches_itself() -> None:
    still = Index(np.zeros(1, np.float32), _VIDEO.thumbs[:1])
    assert match(still, _index(np.arange(30) / 30), [0, 29]) == [0, 0]


def test_nothing_to_match_is_an_error() -> None:
    empty = Index(np.zeros(0, np.float32), np.zeros((0, 54, 96), np.float32))
    with pytest.raises(MediaError, match="without frames"):
        match(empty, _VIDEO, [0])


@given(st.integers(16, 4000), st.integers(16, 4000), st.integers(16, 4000), st.integers(16, 4000))
def test_fitted_region_touches_two_edges_and_keeps_the_aspect(w: int, h: int, cw: int, ch: int) -> None:
    x0, y0, x1, y1 = region_of(w, h, cw, ch)
    assert 0 <= x0 < x1 <= cw
    assert 0 <= y0 < y1 <= ch
    assert x1 - x0 == cw or y1 - y0 == ch
    assert abs((x1 - x0) * h - (y1 - y0) * w) <= max(w, h)
