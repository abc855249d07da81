"""A crop on its way back into the frame: picture and mask enlarged to the frame's pixels in one go.

Turning a picture costs OpenCV ten times as much a pixel as enlarging it twofold, and four channels cost it
less than three. So picture and mask are turned together, where a face is shown larger than its crop on a grid
of every second pixel each way (which is where 4:2:0 keeps its chroma), and the rest is enlarging.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models import channels
from doppel_models.engines.base import CropRequest
from doppel_models.types import ByteArray

from doppel_worker.color import ColorConversion
from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import Component

_STEPS = ((4, 0.5), (2, 0.75))
"""Pixels of the frame from one sample of a coarse grid to the next, and how many of the crop that may be at
most. A face so pasted differs from one that is warped once by 3 levels in a hundredth of its pixels, by 13 at
most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Enlarged:
    """Three colours and a mask over a part of a frame, in storage coordinates."""

    rect: Rect
    """The pixels that they cover, inside the frame. Its corner is even."""
    samples: ByteArray
    """(rows, columns, 4) on a grid of :attr:`step` pixels; of a coarse one, one sample more on each side. The
    colours are weighted by the mask already, and the fourth is the mask."""
    step: int

    @classmethod
    def of(
        cls,
        frame: FrameView,
        matrix: npt.NDArray[np.float64],
        rgb: ByteArray,
        mask: ByteArray,
        conversion: ColorConversion | None = None,
    ) -> Enlarged | None:
        """A crop and its mask as the frame will show them; None where the mask shows nothing.

        Args:
            frame: where they are to lie.
            matrix: (2, 3), *stored* pixels of the frame -> pixels of the crop.
            rgb: (h, w, 3) uint8.
            mask: (h, w) uint8; 0 beyond the crop's edges.
            conversion: to the frame's Y, U, V, where the colours shall be these.
        """
        left, top, wide, tall = cv2.boundingRect(mask)
        if not wide:
            return None
        part = left, top, left + wide, top + tall
        request = CropRequest(matrix.astype(np.float32), (mask.shape[1], mask.shape[0]))
        x0, y0, x1, y1 = request.frame_rect(frame.width, frame.height, part)
        if x1 <= x0 or y1 <= y0:
            return None
        (a, b, x), (c, d, y) = matrix.tolist()
        scale = math.sqrt(abs(a * d - b * c))
        step = next((step for step, most in _STEPS if scale * step <= most), 1)
        border, whole = (0, 2) if step == 1 else (step, step)
        columns, rows = ((-(-side // whole) * whole + 2 * border) // step for side in (x1 - x0, y1 - y0))
        # Sample c of the grid covers the pixels from x0 - border + c * step on, and stands in their middle.
        u, v = x0 - border + 0.5 * (step - 1), y0 - border + 0.5 * (step - 1)
        grid = np.array(
            [
                [a * step, b * step, a * u + b * v + x - left],
                [c * step, d * step, c * u + d * v + y - top],
            ]
        )
        shown = slice(top, top + tall), slice(left, left + wide)
        colors = rgb[shown] if conversion is None else conversion.rgb_to_yuv(rgb[shown])
        samples = cv2.warpAffine(
            _weighted(colors, mask[shown]),
            grid,
            (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            # Beyond what shows there is nothing.
            borderMode=cv2.BORDER_CONSTANT,
        )
        return cls(Rect(x0, y0, x1, y1), np.asarray(samples, np.uint8), step)

    def planes(self) -> ByteArray:
        """(4, rows, columns): the weighted colours, and 255 - mask: what is left of the frame."""
        planes = channels.split(self.samples)
        cv2.bitwise_not(planes[3], dst=planes[3])
        return planes

    def where(self, component: Component, frame: FrameView) -> Rect:
        """The samples of a component that lie in the rectangle."""
        return component.covering(self.rect).clipped(*component.size(frame))

    def fitted(self, plane: ByteArray, x_shift: int = 0, y_shift: int = 0) -> ByteArray:
        """Samples (rows, columns[, n]) of the grid as those of a component with that subsampling."""
        rows, columns = plane.shape[:2]
        size = columns * self.step >> x_shift, rows * self.step >> y_shift
        if size != (columns, rows):
            # All of them give the mean or what lies between; areas are quick where both directions shrink.
            shrinks = size[0] < columns and size[1] < rows
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            plane = np.asarray(cv2.resize(plane, size, interpolation=method), np.uint8)
        border = 0 if self.step == 1 else self.step
        left, top = border >> x_shift, border >> y_shift
        width, height = -(-self.rect.width >> x_shift), -(-self.rect.height >> y_shift)
        return plane[top : top + height, left : left + width]


def lay_over(component: Component, frame: FrameView, where: Rect, above: ByteArray, left: ByteArray) -> None:
    """Write :func:`laid_over` to a component's samples, where they lie if they lie side by side."""
    below = component.take(frame, where)
    if component.step > 1:
        component.put(frame, where, laid_over(below, above, left))
    else:
        laid_over(below, above, left, out=below)


def laid_over(below: ByteArray, above: ByteArray, left: ByteArray, out: ByteArray | None = None) -> ByteArray:
    """``above + below * left / 255`` for samples of equal shapes; see :meth:`Enlarged.planes`.

    Exact where nothing is laid over (``left`` 255, ``above`` 0). ``out`` may be ``below``.
    """
    kept = cv2.multiply(below, left, scale=1 / 255)
    return np.asarray(cv2.add(kept, above, dst=kept if out is None else out), np.uint8)


def _weighted(colors: ByteArray, mask: ByteArray) -> ByteArray:
    """(h, w, 4): the colours times the mask, and the mask."""
    over = cv2.multiply(colors, cv2.merge([mask, mask, mask]), scale=1 / 255)
    both = np.asarray(cv2.cvtColor(over, cv2.COLOR_RGB2RGBA), np.uint8)
    cv2.insertChannel(mask, both, 3)
    return both
