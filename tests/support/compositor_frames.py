"""Frames, rectangles, noise and matrices for tests of compositors, and how far apart results are."""

from __future__ import annotations

import math

import numpy as np
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from hypothesis import strategies as st

from tests.support import reference_compositor as reference

ALL_FORMATS = list(PixelFormat)


@st.composite
def frames(draw: st.DrawFn, least: int = 1, most: tuple[int, int] = (41, 31)) -> FrameView:
    """A frame of noise of any format, size (width, height), padding, colours and orientation."""
    return reference.make_frame(
        draw(st.sampled_from(ALL_FORMATS)),
        draw(st.integers(least, most[0])),
        draw(st.integers(least, most[1])),
        seed=draw(st.integers(0, 2**16)),
        padding=draw(st.sampled_from([0, 1, 3, 16])),
        flip=draw(st.booleans()),
        color=reference.COLORS[draw(st.sampled_from(sorted(reference.COLORS)))],
    )


@st.composite
def frames_with_rect(
    draw: st.DrawFn, least: int = 1, most: tuple[int, int] = (41, 31)
) -> tuple[FrameView, Rect]:
    """Such a frame and a rectangle inside it, of at least ``least`` pixels each way."""
    frame = draw(frames(least, most))
    x0, y0 = draw(st.integers(0, frame.width - least)), draw(st.integers(0, frame.height - least))
    x1 = draw(st.integers(x0 + least, frame.width))
    return frame, Rect(x0, y0, x1, draw(st.integers(y0 + least, frame.height)))


def noise(seed: int, *shape: int) -> np.ndarray:
    """uint8 noise of that shape."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture_and_mask(rect: Rect, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of the rectangle's size: an RGB picture, and a mask that is 0 in four of ten pixels."""
    rgb, mask = noise(seed, rect.height, rect.width, 3), noise(seed + 1, rect.height, rect.width)
    mask[noise(seed + 2, rect.height, rect.width) < 100] = 0
    return rgb, mask


def smooth_frame(pixel_format: PixelFormat, width: int, height: int, *, flip: bool = False) -> FrameView:
    """A frame that shows slow waves of colour, in range."""
    frame = reference.make_frame(pixel_format, width, height, flip=flip)
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    waves = [np.sin(3 * x + 2 * y), np.cos(4 * y - x), np.sin(2 * x * y + 1)]
    picture = np.stack([127 + 80 * wave for wave in waves], axis=2)
    whole = Rect(0, 0, width, height)
    return reference.paste(frame, whole, picture, np.full((height, width), 255.0))


def similarity(scale: float, turn: float, at: tuple[float, float], to: tuple[float, float]) -> np.ndarray:
    """Frame -> crop: ``at`` of the frame lands on ``to`` of the crop."""
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    matrix = np.array([[c, -s, 0], [s, c, 0]])
    matrix[:, 2] = np.array(to) - matrix[:, :2] @ np.array(at)
    return matrix.astype(np.float32)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of two arrays of one shape."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max(initial=0))


def planes_apart(one: FrameView, other: FrameView) -> int:
    """The largest difference of two frames' bytes."""
    return max(apart(a, b) for a, b in zip(one.planes, other.planes, strict=True))
