"""A compositor in float64, written from the formats' byte patterns alone: what the fast one must come near.

Slow and plain on purpose; it shares no code with the product. Arrays are in storage order (row 0 first in
memory) unless said otherwise.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.frame import ColorInfo, FrameView

Floats = npt.NDArray[np.float64]

COLORS = {
    "709 limited": ColorInfo.bt709_limited(),
    "601 limited": ColorInfo.bt601_limited(),
    "709 full": ColorInfo.from_primaries(kr=0.2126, kb=0.0722, full_range=True),
    "601 full": ColorInfo.from_primaries(kr=0.299, kb=0.114, full_range=True),
}

PATTERNS: dict[PixelFormat, tuple[tuple[str, ...], int, int]] = {
    # the byte pattern of each plane, pixels per chroma sample across and down
    PixelFormat.I420: (("Y", "U", "V"), 2, 2),
    PixelFormat.NV12: (("Y", "UV"), 2, 2),
    PixelFormat.YVYU: (("YVYU",), 2, 1),
    PixelFormat.YUY2: (("YUYV",), 2, 1),
    PixelFormat.UYVY: (("UYVY",), 2, 1),
    PixelFormat.RGBA: (("RGBA",), 1, 1),
    PixelFormat.BGRA: (("BGRA",), 1, 1),
    PixelFormat.BGRX: (("BGRX",), 1, 1),
    PixelFormat.Y800: (("Y",), 1, 1),
    PixelFormat.I444: (("Y", "U", "V"), 1, 1),
    PixelFormat.BGR3: (("BGR",), 1, 1),
    PixelFormat.I422: (("Y", "U", "V"), 2, 1),
    PixelFormat.I40A: (("Y", "U", "V", "A"), 2, 2),
    PixelFormat.I42A: (("Y", "U", "V", "A"), 2, 1),
    PixelFormat.YUVA: (("Y", "U", "V", "A"), 1, 1),
    PixelFormat.AYUV: (("VUYA",), 1, 1),
}


def make_frame(
    pixel_format: PixelFormat,
    width: int,
    height: int,
    *,
    seed: int = 0,
    padding: int = 0,
    flip: bool = False,
    color: ColorInfo | None = None,
) -> FrameView:
    """A frame of noise, with ``padding`` bytes of noise after each row."""
    tight = FrameLayout.of(pixel_format, width, height)
    layout = FrameLayout.of(pixel_format, width, height, tuple(line + padding for line in tight.row_bytes))
    noise = np.random.default_rng(seed)
    planes = tuple(
        noise.integers(0, 256, (rows, line), dtype=np.uint8)
        for rows, line in zip(layout.rows, layout.linesize, strict=True)
    )
    return FrameView(layout, planes, color or ColorInfo.bt709_limited(), flip, 0, 0)


def copy_frame(frame: FrameView) -> FrameView:
    """The same frame with planes of its own."""
    return dataclasses.replace(frame, planes=tuple(plane.copy() for plane in frame.planes))


def grid(frame: FrameView, letter: str) -> Floats:
    """All stored samples of one component as a grid."""
    patterns, across, _ = PATTERNS[frame.layout.pixel_format]
    for pattern, plane, row_bytes in zip(patterns, frame.planes, frame.layout.row_bytes, strict=True):
        if letter in pattern:
            columns = [i for i in range(row_bytes) if pattern[i % len(pattern)] == letter]
            count = frame.width if letter not in "UV" else -(-frame.width // across)
            return plane[:, columns[:count]].astype(np.float64)
    raise KeyError(letter)


def set_grid(frame: FrameView, letter: str, values: Floats) -> None:
    """Store samples, rounded and limited to 0..255."""
    patterns, across, _ = PATTERNS[frame.layout.pixel_format]
    for pattern, plane, row_bytes in zip(patterns, frame.planes, frame.layout.row_bytes, strict=True):
        if letter in pattern:
            columns = [i for i in range(row_bytes) if pattern[i % len(pattern)] == letter]
            count = frame.width if letter not in "UV" else -(-frame.width // across)
            plane[:, columns[:count]] = np.clip(np.rint(values), 0, 255).astype(np.uint8)


def letters(pixel_format: PixelFormat) -> str:
    """``YUV``, ``Y`` or ``RGB``."""
    if pixel_format is PixelFormat.Y800:
        return "Y"
    return "YUV" if pixel_format.is_yuv else "RGB"


def decode(frame: FrameView) -> Floats:
    """The picture, (h, w, 3) RGB 0..255 and row 0 on top, as libobs's shader makes it."""
    pixel_format = frame.layout.pixel_format
    if not pixel_format.is_yuv:
        stored = np.stack([grid(frame, letter) for letter in "RGB"], axis=2)
    else:
        _, across, down = PATTERNS[pixel_format]
        luma = grid(frame, "Y")
        if pixel_format is PixelFormat.Y800:
            chroma = [np.full_like(luma, 128.0)] * 2
        else:
            chroma = [enlarge(grid(frame, letter), frame, across, down) for letter in "UV"]
        yuv = np.stack([luma, *chroma], axis=2) / 255
        clipped = np.clip(yuv, frame.color.range_min, frame.color.range_max)
        matrix = frame.color.matrix.astype(np.float64)
        stored = np.clip((clipped @ matrix[:, :3].T + matrix[:, 3]) * 255, 0, 255)
    return stored[::-1] if frame.flip else stored


def enlarge(samples: Floats, frame: FrameView, across: int, down: int) -> Floats:
    """Chroma for every pixel, bilinear between samples that lie amid their pixels."""

    def weights(pixels: int, count: int, factor: int) -> Floats:
        at = np.clip((np.arange(pixels) + 0.5) / factor - 0.5, 0, count - 1)
        return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(count)[None, :]))

    rows = weights(frame.height, samples.shape[0], down)
    columns = weights(frame.width, samples.shape[1], across)
    return rows @ samples @ columns.T


def paste(frame: FrameView, rect: Rect, rgb: Floats, mask: Floats) -> FrameView:
    """A copy of the frame with ``rgb`` blended over ``rect`` (picture coordinates) by ``mask`` 0..255."""
    pixel_format = frame.layout.pixel_format
    _, across, down = PATTERNS[pixel_format]
    inside = np.zeros((frame.height, frame.width), bool)
    inside[rect.y0 : rect.y1, rect.x0 : rect.x1] = True
    weight = np.zeros((frame.height, frame.width))
    weight[rect.y0 : rect.y1, rect.x0 : rect.x1] = mask / 255
    target = np.zeros((frame.height, frame.width, 3))
    target[rect.y0 : rect.y1, rect.x0 : rect.x1] = rgb / 255
    if frame.flip:
        inside, weight, target = inside[::-1], weight[::-1], target[::-1]
    if pixel_format.is_yuv:
        matrix = frame.color.matrix.astype(np.float64)
        target = (target - matrix[:, 3]) @ np.linalg.inv(matrix[:, :3]).T
    target = np.clip(target * 255, 0, 255)
    result = copy_frame(frame)
    for index, letter in enumerate(letters(pixel_format)):
        before = grid(frame, letter)
        factors = (across, down) if letter in "UV" else (1, 1)
        whole = block_mean(inside.astype(np.float64), *factors) == 1
        share = block_mean(weight, *factors) * whole
        above = block_mean(target[..., index], *factors)
        set_grid(result, letter, before + (above - before) * share)
    return result


def block_mean(pixels: Floats, across: int, down: int) -> Floats:
    """Means over blocks; the last block of an odd size holds what is left."""
    height, width = pixels.shape
    rows, columns = range(0, height, down), range(0, width, across)
    sums = np.add.reduceat(np.add.reduceat(pixels, rows, axis=0), columns, axis=1)
    ones = np.ones_like(pixels)
    return sums / np.add.reduceat(np.add.reduceat(ones, rows, axis=0), columns, axis=1)


def sample(picture: Floats, matrix: Floats, dsize: tuple[int, int]) -> Floats:
    """A crop of (h, w, 3): bilinear, edges continued; no averaging before."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    x, y = np.meshgrid(np.arange(dsize[0]), np.arange(dsize[1]))
    at = np.stack([x, y, np.ones_like(x)], axis=-1) @ inverse[:2].T
    height, width = picture.shape[:2]
    fx, fy = np.clip(at[..., 0], 0, width - 1), np.clip(at[..., 1], 0, height - 1)
    x0, y0 = np.floor(fx).astype(int), np.floor(fy).astype(int)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    tx, ty = (fx - x0)[..., None], (fy - y0)[..., None]
    top = picture[y0, x0] * (1 - tx) + picture[y0, x1] * tx
    bottom = picture[y1, x0] * (1 - tx) + picture[y1, x1] * tx
    return np.asarray(top * (1 - ty) + bottom * ty)
