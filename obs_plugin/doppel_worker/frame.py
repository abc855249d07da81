"""A frame where it lies: writable views into a slot's planes, with the colour description OBS gave it."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from doppel_ipc.pixel_format import FrameLayout

Plane = npt.NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, slots=True)
class ColorInfo:
    """How samples become RGB, as libobs's shader does it (libobs/data/format_conversion.effect).

    ``rgb = matrix[:, :3] @ clip(yuv, range_min, range_max) + matrix[:, 3]`` with all values in 0..1.
    """

    matrix: npt.NDArray[np.float32]
    """(3, 4)."""
    range_min: npt.NDArray[np.float32]
    """(3,) 0..1."""
    range_max: npt.NDArray[np.float32]
    """(3,) 0..1."""

    @classmethod
    def bt709_limited(cls) -> ColorInfo:
        """BT.709, limited range: libobs's VIDEO_CS_709 / VIDEO_RANGE_PARTIAL."""
        return cls.from_primaries(kr=0.2126, kb=0.0722, full_range=False)

    @classmethod
    def bt601_limited(cls) -> ColorInfo:
        """BT.601, limited range: libobs's VIDEO_CS_601 / VIDEO_RANGE_PARTIAL."""
        return cls.from_primaries(kr=0.299, kb=0.114, full_range=False)

    @classmethod
    def from_primaries(cls, kr: float, kb: float, *, full_range: bool) -> ColorInfo:
        """From the luma coefficients of red and blue (ITU-R BT.601, BT.709)."""
        kg = 1.0 - kr - kb
        base = np.array(
            [
                [1.0, 0.0, 2 * (1 - kr)],
                [1.0, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg],
                [1.0, 2 * (1 - kb), 0.0],
            ]
        )
        if full_range:
            low, high = np.zeros(3), np.ones(3)
            scale, zero = np.ones(3), np.array([0.0, 128 / 255, 128 / 255])
        else:
            low, high = np.array([16, 16, 16]) / 255, np.array([235, 240, 240]) / 255
            scale, zero = 255 / np.array([219, 224, 224]), np.array([16, 128, 128]) / 255
        linear = base * scale
        matrix = np.concatenate([linear, -(linear @ zero)[:, None]], axis=1)
        return cls(matrix.astype(np.float32), low.astype(np.float32), high.astype(np.float32))


@dataclasses.dataclass(frozen=True, slots=True)
class FrameView:
    """One frame in its own pixel format; its pixels are edited in place.

    ``planes[i]`` has shape ``(layout.rows[i], layout.linesize[i])``, uint8, writable.
    """

    layout: FrameLayout
    planes: tuple[Plane, ...]
    color: ColorInfo
    flip: bool
    """True: the rows are stored bottom first."""
    frame_id: int
    timestamp_ns: int
    """The source's own time stamp, nanoseconds; only differences mean something."""

    @property
    def width(self) -> int:
        """Pixels."""
        return self.layout.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.layout.height
