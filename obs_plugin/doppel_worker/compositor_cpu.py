"""The compositor on the CPU: OpenCV and NumPy on 8-bit samples, in the frame's own planes.

It is the oracle of every other compositor. Two families of formats do the work, in *storage* coordinates
(:mod:`doppel_worker.pixels_yuv`, :mod:`doppel_worker.pixels_rgb`); this module turns pictures over where
``flip`` asks for it and does what is the same for all formats: blur and cover.
"""

from __future__ import annotations

import contextlib
import math
from contextlib import AbstractContextManager

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models.engines.base import CropRequest
from doppel_models.tensor import DeviceTensor, Tensor, TensorFormat
from doppel_models.types import ByteArray, FloatArray

from doppel_worker import pixels_rgb, pixels_yuv, reduced_rect
from doppel_worker.compositor import UNCHANGED, ColorShift, Rect
from doppel_worker.crop_reader import reduction
from doppel_worker.errors import FrameError
from doppel_worker.frame import FrameView
from doppel_worker.frame_memory import FrameMemory
from doppel_worker.plane_access import COMPONENTS, blend_over, reduce_to
from doppel_worker.stamps import Stamps

BLUR_CELLS = 5
"""A blurred region keeps this many samples along its shorter side; with 7, eyes can still be guessed."""
COVER_BLOCKS = 16
"""Blocks of the cover along the frame's height (as the gate's mosaic)."""

_MIN_DETERMINANT = 1e-9
"""Of a crop's matrix: one pixel of the crop may stand for 30000 of the frame in each direction."""


class CpuCompositor:
    """See :class:`doppel_worker.compositor.Compositor`. One object serves every lane, on one thread."""

    def __init__(self) -> None:
        self._stamps = Stamps()

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        """A crop of the frame as ``(height, width, 3)`` uint8 RGB; see the protocol.

        Raises:
            FrameError: ``matrix`` is singular or not finite, or the frame's colour matrix has no inverse.
        """
        forward = stored_matrix(frame, matrix)
        if COMPONENTS[frame.layout.pixel_format].packed_rgb:
            return pixels_rgb.sample(frame, forward, dsize)
        return pixels_yuv.sample(frame, forward, dsize)

    def thumbnail(self, frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
        """The whole frame reduced to ``dsize`` (width, height), uint8 RGB; see the protocol."""
        packed = COMPONENTS[frame.layout.pixel_format].packed_rgb
        small = pixels_rgb.thumbnail(frame, dsize) if packed else pixels_yuv.thumbnail(frame, dsize)
        return upside_down(small) if frame.flip else small

    def read(self, frame: FrameView, rect: Rect) -> ByteArray:
        """A rectangle inside the frame at its own resolution, uint8 RGB; see the protocol.

        Raises:
            FrameError: the rectangle is empty or reaches out of the frame.
        """
        stored = stored_rect(frame, rect)
        packed = COMPONENTS[frame.layout.pixel_format].packed_rgb
        rgb = pixels_rgb.read(frame, stored) if packed else pixels_yuv.read(frame, stored)
        return upside_down(rgb) if frame.flip else rgb

    def reduced(self, frame: FrameView, rect: Rect, factor: int) -> ByteArray:
        """A rectangle inside the frame at ``1 / factor`` of its size, uint8 RGB; see the protocol.

        Raises:
            FrameError: the rectangle is empty or reaches out of the frame.
        """
        stored = stored_rect(frame, rect)
        small = None if frame.flip else reduced_rect.reduced(frame, stored, factor)
        if small is not None:
            return small
        size, matrix = reduction(rect, factor)
        return self.sample(frame, matrix, size)

    def paste(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend ``rgb`` over a rectangle inside the frame by ``mask``; see the protocol.

        A chroma sample that also belongs to a pixel outside the rectangle is left as it is.

        Raises:
            FrameError: the rectangle is empty or reaches out of the frame, or an array has another shape.
        """
        stored = stored_rect(frame, rect)
        _check_fit(rect, rgb, mask)
        if frame.flip:
            rgb, mask = upside_down(rgb), upside_down(mask)
        stored, rows, columns = _shown(stored, mask)
        rgb, mask = rgb[rows, columns], mask[rows, columns]
        if not mask.size:
            return
        if COMPONENTS[frame.layout.pixel_format].packed_rgb:
            pixels_rgb.paste(frame, stored, rgb, mask)
        else:
            pixels_yuv.paste(frame, stored, rgb, mask)

    def stamp(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend what is pasted again and again; see the protocol.

        Raises:
            FrameError: as :meth:`paste`.
        """
        stored = stored_rect(frame, rect)
        _check_fit(rect, rgb, mask)
        self._stamps.paste(frame, stored, rgb, mask)

    def paste_crop(self, frame: FrameView, matrix: FloatArray, rgb: ByteArray, mask: ByteArray) -> Rect:
        """Blend a crop over the frame where it was taken; see the protocol.

        Raises:
            FrameError: picture and mask do not fit each other, or as :meth:`sample`.
        """
        if rgb.shape != (*mask.shape, 3):
            raise FrameError(f"picture {rgb.shape} does not fit mask {mask.shape}")
        forward = stored_matrix(frame, matrix)
        packed = COMPONENTS[frame.layout.pixel_format].packed_rgb
        covered = (pixels_rgb if packed else pixels_yuv).paste_crop(frame, forward, rgb, mask)
        if covered is None:
            return Rect(0, 0, 0, 0)
        # Turned over twice, a rectangle is what it was.
        return stored_rect(frame, covered)

    def blur(self, frame: FrameView, rect: Rect, mask: ByteArray) -> None:
        """Make what lies under ``mask`` (h, w) of a rectangle unrecognisable; see the protocol.

        Raises:
            FrameError: the rectangle is empty or reaches out of the frame, or the mask has another shape.
        """
        stored = stored_rect(frame, rect)
        if mask.shape != (rect.height, rect.width):
            raise FrameError(f"mask {mask.shape} does not fit {rect}")
        if frame.flip:
            mask = upside_down(mask)
        # Of a region that the frame's edge cuts to a strip, the longer side tells how large the face is.
        shorter, longer = sorted((rect.width, rect.height))
        cell = max(1.0, shorter / BLUR_CELLS, longer / (2 * BLUR_CELLS))
        grid = (max(1, round(rect.width / cell)), max(1, round(rect.height / cell)))
        for component in COMPONENTS[frame.layout.pixel_format].all:
            inside = component.inside(stored, frame)
            if inside.width == 0 or inside.height == 0:
                continue
            samples = component.take(frame, inside)
            few = cv2.resize(samples, grid, interpolation=cv2.INTER_AREA)
            smooth = cv2.resize(few, (inside.width, inside.height), interpolation=cv2.INTER_CUBIC)
            blended = blend_over(
                samples, np.asarray(smooth, np.uint8), reduce_to(component, stored, frame, mask)
            )
            component.put(frame, inside, blended)

    def cover(self, frame: FrameView) -> None:
        """Mosaic of the whole frame: blocks of 1/16 of its height; see the protocol."""
        rows = min(COVER_BLOCKS, frame.height)
        grid = (max(1, round(frame.width * rows / frame.height)), rows)
        for component in COMPONENTS[frame.layout.pixel_format].all:
            width, height = component.size(frame)
            whole = Rect(0, 0, width, height)
            blocks = cv2.resize(component.take(frame, whole), grid, interpolation=cv2.INTER_AREA)
            mosaic = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)
            component.put(frame, whole, np.asarray(mosaic, np.uint8))

    def sample_tensor(
        self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int], fmt: TensorFormat
    ) -> Tensor:
        """A crop as a network wants it; see the protocol.

        Raises:
            FrameError: as :meth:`sample`.
        """
        return fmt.encode(self.sample(frame, matrix, dsize))

    def paste_tensor(
        self,
        frame: FrameView,
        matrix: FloatArray,
        tensor: Tensor,
        fmt: TensorFormat,
        mask: ByteArray | DeviceTensor,
        shift: ColorShift = UNCHANGED,
    ) -> Rect:
        """Put a network's picture back where its crop was taken; see the protocol.

        Raises:
            FrameError: tensor or mask lie on a device or do not fit each other.
        """
        if isinstance(tensor, DeviceTensor) or isinstance(mask, DeviceTensor):
            raise FrameError("the CPU's compositor cannot paste what lies on a device")
        height, width = mask.shape
        if tensor.shape != fmt.shape(width, height):
            raise FrameError(f"tensor {tensor.shape} does not fit mask {mask.shape}")
        request = CropRequest(matrix, (width, height))
        rect = Rect(*request.frame_rect(frame.width, frame.height))
        if rect.width == 0 or rect.height == 0:
            return rect
        moved = request.matrix_from(rect.x0, rect.y0)
        size, flags = (rect.width, rect.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        rgb = cv2.warpAffine(
            shift.apply(fmt.decode(tensor)), moved, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        above = cv2.warpAffine(mask, moved, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
        self.paste(frame, rect, np.asarray(rgb, np.uint8), np.asarray(above, np.uint8))
        return rect

    def sharing(self) -> AbstractContextManager[None]:
        """It never waits; see the protocol."""
        return contextlib.nullcontext()

    def finish(self, frame: FrameView) -> None:
        """Nothing is left to do: frames are edited where they lie; see the protocol."""

    def release(self, memory: FrameMemory) -> None:
        """Nothing of it is kept; see the protocol."""

    @property
    def ops(self) -> None:
        """Networks get arrays."""

    @property
    def note(self) -> str:
        """Nothing slows frames down."""
        return ""


def _check_fit(rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
    if rgb.shape != (rect.height, rect.width, 3) or mask.shape != (rect.height, rect.width):
        raise FrameError(f"picture {rgb.shape} or mask {mask.shape} does not fit {rect}")


def _shown(stored: Rect, mask: ByteArray) -> tuple[Rect, slice, slice]:
    """The part of a rectangle where its mask is not 0, and its rows and columns of the mask.

    It ends on even pixels, or with the rectangle: the pixels that share a chroma sample stay together.
    """
    left, top, wide, tall = cv2.boundingRect(mask)
    x0, y0 = max((stored.x0 + left) & ~1, stored.x0), max((stored.y0 + top) & ~1, stored.y0)
    x1 = min((stored.x0 + left + wide + 1) & ~1, stored.x1)
    y1 = min((stored.y0 + top + tall + 1) & ~1, stored.y1)
    part = Rect(x0, y0, x1, y1) if wide else Rect(stored.x0, stored.y0, stored.x0, stored.y0)
    rows = slice(part.y0 - stored.y0, part.y1 - stored.y0)
    return part, rows, slice(part.x0 - stored.x0, part.x1 - stored.x0)


def upside_down(image: ByteArray) -> ByteArray:
    """The rows in the other order, contiguous."""
    return np.asarray(cv2.flip(image, 0), np.uint8)


def stored_matrix(frame: FrameView, matrix: FloatArray) -> npt.NDArray[np.float64]:
    """(2, 3), *stored* pixels -> crop pixels, of a crop's matrix.

    Raises:
        FrameError: it is singular or not finite.
    """
    forward = np.asarray(matrix, np.float64)
    (a, b, x), (c, d, y) = forward.tolist()
    if not (abs(a * d - b * c) >= _MIN_DETERMINANT and math.isfinite(a + b + c + d + x + y)):
        raise FrameError(f"no crop can be taken with the matrix {forward.tolist()}")
    if frame.flip:
        # Picture row y is stored row height - 1 - y.
        forward = forward @ np.array([[1, 0, 0], [0, -1, frame.height - 1], [0, 0, 1]], np.float64)
    return forward


def stored_rect(frame: FrameView, rect: Rect) -> Rect:
    """A rectangle of the picture in storage coordinates.

    Raises:
        FrameError: it is empty or reaches out of the frame.
    """
    if not (0 <= rect.x0 < rect.x1 <= frame.width and 0 <= rect.y0 < rect.y1 <= frame.height):
        raise FrameError(f"{rect} is empty or not inside the frame of {frame.width}x{frame.height}")
    if not frame.flip:
        return rect
    return Rect(rect.x0, frame.height - rect.y1, rect.x1, frame.height - rect.y0)
