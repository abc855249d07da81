"""The contract of a compositor: everything that touches a frame's pixels.

Every method works in the frame's own planes and pixel format, honours ``color`` and ``flip``, and leaves
every pixel outside the region it is given bit-identical. All coordinates are *picture* coordinates (row 0
on top, whatever ``flip`` says).

**What binds an implementation.** ``CpuCompositor`` is the oracle: every other one differs from it by at most
1 of 255 in any sample or channel. That is only possible because the *stages* are part of the contract: the
result of each stage is rounded to whole bytes, and the next one starts from these bytes.

``sample`` (and ``sample_tensor``, which is ``fmt.encode`` of the same bytes), per component of the format:

1. the window of the frame (``warping.Window``) is averaged down by its power of two, first by 2, then by the
   rest; chroma of YUV formats twice as far as luma (what subsampling has not done already); edges are
   replicated to whole blocks;
2. bilinear warp, edges replicated; chroma to the half-size crop of ``Window.halved``; coordinates in float32:
   ``x * m0 + (y * m1 + m2)`` with the last addition fused (as OpenCV's SIMD code does it);
3. limited to the frame's range, then chroma is enlarged twofold, bilinear;
4. YUV -> RGB by the frame's matrix.

``read``: chroma is enlarged (bilinear, centred), then 3 and 4 at every pixel. ``reduced`` is not bit by bit
the same: means of blocks, in one way or another.
``paste``: RGB -> YUV per pixel; chroma and its mask are means of the pixels that share it; then
``below + round((above - below) * mask / 255)``. ``paste_tensor`` does so with ``fmt.decode`` of the tensor,
``ColorShift``, and a bilinear warp of picture (edges replicated) and mask (0 outside) before it.
``paste_crop``: a bilinear warp and ``paste``, but not bit by bit: a crop that is enlarged may be taken to
every second pixel first and enlarged from there, and warped in Y, U, V (the CPU does; see ``enlarged``).
``blur``, ``cover``: exact area means, then bicubic or nearest, then blended as in ``paste``.

A matrix product may differ from the exact one by 0.65 before it is rounded (OpenCV's is in fixed point). In a
crop's last columns, which fill no vector, OpenCV does not fuse: there a byte in some 20,000 that lies nearly
halfway is rounded the other way (up to 3 in a colour). All else is exact up to ties.
``tests/unit/doppel_worker/gpu`` holds the kernels against the CPU.
"""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from doppel_models.tensor import DeviceTensor, Tensor, TensorFormat, TensorOps, Triple
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.frame import FrameView
from doppel_worker.frame_memory import FrameMemory


@dataclasses.dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of whole pixels: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels."""
        return self.y1 - self.y0

    def clipped(self, width: int, height: int) -> Rect:
        """The part inside a frame of that size (empty: zero width or height)."""
        x0, y0 = min(max(self.x0, 0), width), min(max(self.y0, 0), height)
        return Rect(x0, y0, max(x0, min(self.x1, width)), max(y0, min(self.y1, height)))


@dataclasses.dataclass(frozen=True, slots=True)
class ColorShift:
    """Per channel R, G, B, in bytes: ``byte * gain + offset``, rounded and limited to 0..255."""

    gain: Triple = (1.0, 1.0, 1.0)
    offset: Triple = (0.0, 0.0, 0.0)

    def apply(self, rgb: ByteArray) -> ByteArray:
        """A picture (h, w, 3) with its colours moved."""
        if self == UNCHANGED:
            return rgb
        moved = rgb * np.asarray(self.gain, np.float32) + np.asarray(self.offset, np.float32)
        return np.rint(np.clip(moved, 0.0, 255.0)).astype(np.uint8)


UNCHANGED = ColorShift()
"""The colours as they are."""


class Compositor(Protocol):
    """Reads and writes the pixels of frames.

    What is written may lie on a device until :meth:`finish`; every reading method sees it before.
    """

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        """A crop of the frame as ``(height, width, 3)`` uint8 RGB.

        Args:
            frame: the frame to read.
            matrix: (2, 3), frame pixels -> crop pixels.
            dsize: (width, height) of the crop.

        Bilinear; borders are replicated. Large reductions are averaged first, so they do not alias.
        """

    def thumbnail(self, frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
        """The whole frame reduced to ``dsize`` (width, height), uint8 RGB; cheap, for detection only."""

    def read(self, frame: FrameView, rect: Rect) -> ByteArray:
        """A rectangle inside the frame at its own resolution, uint8 RGB."""

    def reduced(self, frame: FrameView, rect: Rect, factor: int) -> ByteArray:
        """A rectangle inside the frame at ``1 / factor`` of its size, rounded down; uint8 RGB.

        For its colours only: each pixel is about the mean of what it covers, by whatever way is quick.
        """

    def paste(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend ``rgb`` (h, w, 3) over a rectangle inside the frame by ``mask`` (h, w), 0 keeps the frame.

        Pixels with mask 0 stay bit-identical; a chroma sample shared by several pixels moves by their
        mean mask, and stays bit-identical when all of them are 0.
        """

    def stamp(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """:meth:`paste` of what is pasted at the same place again and again, and never changed.

        What is made of it is kept. It may differ from :meth:`paste` by the rounding of one product.
        """

    def paste_crop(self, frame: FrameView, matrix: FloatArray, rgb: ByteArray, mask: ByteArray) -> Rect:
        """Blend a crop ``rgb`` (h, w, 3) over the frame where it was taken, by its ``mask`` (h, w).

        Args:
            frame: the frame to edit.
            matrix: (2, 3), frame pixels -> crop pixels, as given to :meth:`sample`.
            rgb: the crop's new picture.
            mask: 0 keeps the frame, and so it is beyond the crop's edges.

        Returns:
            The part of the frame that may have changed; empty where the mask shows nothing of it.
        """

    def blur(self, frame: FrameView, rect: Rect, mask: ByteArray) -> None:
        """Make what lies under ``mask`` (h, w) unrecognisable: a strong blur of the rectangle, blended in."""

    def cover(self, frame: FrameView) -> None:
        """Mosaic of the whole frame: blocks of 1/16 of its height."""

    def sample_tensor(
        self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int], fmt: TensorFormat
    ) -> Tensor:
        """``fmt.encode(self.sample(frame, matrix, dsize))`` in one step, where the network will read it.

        Valid until the next call for a tensor of the same shape and type.
        """

    def paste_tensor(
        self,
        frame: FrameView,
        matrix: FloatArray,
        tensor: Tensor,
        fmt: TensorFormat,
        mask: ByteArray | DeviceTensor,
        shift: ColorShift = UNCHANGED,
    ) -> Rect:
        """Put a network's picture back where its crop was taken: warp, recolour, blend, in one step.

        Args:
            frame: the frame to edit.
            matrix: (2, 3), frame pixels -> crop pixels, as given to :meth:`sample_tensor`.
            tensor: the picture, of shape ``fmt.shape(width, height)``; values that are not finite are black.
            fmt: how the tensor holds it.
            mask: (height, width) uint8 of the crop; 0 keeps the frame.
            shift: moves the picture's colours first.

        Returns:
            The part of the frame that may have changed; empty where the crop lies outside.
        """

    def sharing(self) -> AbstractContextManager[None]:
        """Within this block other lanes may have their turn while this one waits for the device.

        Only where nothing that lanes have in common is half changed, such as an engine's own memory.
        """

    def finish(self, frame: FrameView) -> None:
        """Everything asked for so far is in the frame's planes when this returns."""

    def release(self, memory: FrameMemory) -> None:
        """A lane ends: the memory that its frames lie in is about to be given back."""

    @property
    def ops(self) -> TensorOps | None:
        """What networks need to work where the pictures are; None: they get arrays."""

    @property
    def note(self) -> str:
        """What slows frames down, for the status line; empty: nothing."""
