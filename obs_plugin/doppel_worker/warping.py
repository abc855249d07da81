"""Geometry of taking a crop: which part of the frame it needs, reduced how far, warped by which matrix."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models.types import ByteArray

from doppel_worker.compositor import Rect

_MARGIN = 2
"""Of a window around what the crop shows, in reduced chroma samples."""
_THUMBNAIL_ROWS = 3
"""Rows of the frame that are averaged into one row of a thumbnail; the others are skipped."""


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """The part of a frame that a crop needs.

    ``reduction`` is the power of two by which the frame is averaged down before it is warped.
    """

    rect: Rect
    reduction: int
    matrix: npt.NDArray[np.float64]
    """(2, 3), frame pixels -> crop pixels."""
    dsize: tuple[int, int]

    @classmethod
    def of(cls, matrix: npt.NDArray[np.float64], dsize: tuple[int, int], width: int, height: int) -> Window:
        """The window for a crop out of a frame of ``width`` x ``height`` pixels; never empty."""
        # Plain floats: for so few numbers NumPy takes ten times as long.
        (a, b, x), (c, d, y) = matrix.tolist()
        determinant = a * d - b * c
        scale = math.sqrt(abs(determinant))
        largest = max(1, min(width, height))
        reduction = 1 << max(0, min(math.floor(-math.log2(scale)), largest.bit_length() - 1))
        right, bottom = dsize[0] - 1, dsize[1] - 1
        corners = [(u - x, v - y) for u in (0, right) for v in (0, bottom)]
        columns = [(d * u - b * v) / determinant for u, v in corners]
        rows = [(a * v - c * u) / determinant for u, v in corners]
        # Far outside coordinates are limited before they become integers of unbounded size.
        least, most = -4.0 * largest, 4.0 * max(width, height)
        low = [min(max(min(values), least), most) for values in (columns, rows)]
        high = [min(max(*values, least), most) for values in (columns, rows)]
        # Chroma is reduced twice as far as luma, and its samples must not be cut apart.
        grid = 2 * reduction
        margin = _MARGIN * grid
        x0 = min(max(math.floor((low[0] - margin) / grid) * grid, 0), (width - 1) // grid * grid)
        y0 = min(max(math.floor((low[1] - margin) / grid) * grid, 0), (height - 1) // grid * grid)
        x1 = min(max(math.ceil((high[0] + margin + 1) / grid) * grid, x0 + grid), width)
        y1 = min(max(math.ceil((high[1] + margin + 1) / grid) * grid, y0 + grid), height)
        return cls(Rect(x0, y0, x1, y1), reduction, matrix, dsize)

    def halved(self) -> Window:
        """The same window for a crop of half the size, as chroma is taken.

        The smaller crop has a border of one pixel more, so that enlarging it is exact at the edges too:
        pixel c of the crop lies at ``(c + 0.5) / 2 + 0.5`` of the smaller one.
        """
        matrix = self.matrix * 0.5
        matrix[:, 2] += 0.75
        dsize = (self.dsize[0] + 1) // 2 + 2, (self.dsize[1] + 1) // 2 + 2
        return Window(self.rect, 2 * self.reduction, matrix, dsize)

    def reduce(self, samples: ByteArray, x_shift: int, y_shift: int) -> ByteArray:
        """The window's samples of a component averaged down by what its subsampling leaves to do."""
        for fx, fy in self.reductions(x_shift, y_shift):
            height, width = samples.shape[:2]
            wide, tall = -(-width // fx) * fx, -(-height // fy) * fy
            if (wide, tall) != (width, height):
                bordered = cv2.copyMakeBorder(
                    samples, 0, tall - height, 0, wide - width, cv2.BORDER_REPLICATE
                )
                samples = np.asarray(bordered, np.uint8)
            reduced = cv2.resize(samples, (wide // fx, tall // fy), interpolation=cv2.INTER_AREA)
            samples = np.asarray(reduced, np.uint8)
        return samples

    def reductions(self, x_shift: int, y_shift: int) -> list[tuple[int, int]]:
        """The steps of :meth:`reduce`, (across, down): by 2 first, then by what is left.

        OpenCV takes a fifth of the time for that: only 2 x 2 samples are quick to average.
        """
        fx, fy = max(1, self.reduction >> x_shift), max(1, self.reduction >> y_shift)
        first, rest = (min(fx, 2), min(fy, 2)), (max(1, fx // 2), max(1, fy // 2))
        return [step for step in (first, rest) if step != (1, 1)]

    def warp(self, samples: ByteArray, x_shift: int, y_shift: int, out: ByteArray | None = None) -> ByteArray:
        """Warp reduced samples (h, w[, n]) of a component with that subsampling to the crop.

        ``out``: where it is to lie, of the crop's shape.
        """
        warped = cv2.warpAffine(
            samples,
            self.component_matrix(x_shift, y_shift),
            self.dsize,
            dst=out,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(warped, np.uint8)

    def component_matrix(self, x_shift: int, y_shift: int) -> npt.NDArray[np.float64]:
        """(2, 3), reduced samples of the window (of a component with that subsampling) -> crop pixels."""
        step_x, step_y = max(self.reduction, 1 << x_shift), max(self.reduction, 1 << y_shift)
        # Sample c of the window covers pixels origin + c * step ...: its centre is (c + 0.5) * step - 0.5.
        left, top = self.rect.x0 + 0.5 * step_x - 0.5, self.rect.y0 + 0.5 * step_y - 0.5
        (a, b, x), (c, d, y) = self.matrix.tolist()
        return np.array(
            [
                [a * step_x, b * step_y, a * left + b * top + x],
                [c * step_x, d * step_y, c * left + d * top + y],
            ]
        )


def thumbnail_row_step(height: int, thumbnail_height: int) -> int:
    """Every how many rows of a frame one is read for a thumbnail."""
    return max(1, height // (_THUMBNAIL_ROWS * max(1, thumbnail_height)))


def shrink(samples: ByteArray, dsize: tuple[int, int]) -> ByteArray:
    """Samples (h, w[, n]) reduced to a thumbnail; of large ones only some are read.

    Averaging all of them would cost six times as much, and the detector was trained on bilinear pictures.
    """
    width, height = dsize
    if samples.shape[1] > 4 * width and samples.shape[0] > 2 * height:
        samples = np.asarray(
            cv2.resize(samples, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR), np.uint8
        )
    return np.asarray(cv2.resize(samples, dsize, interpolation=cv2.INTER_AREA), np.uint8)
