"""The contract that every engine satisfies: a crop and a face in, a swapped crop and its mask out.

How a pipeline uses an engine, per face and frame::

    request = engine.crop_for(face, frame.width, frame.height)      # None: nothing of the face is in view
    if request.rect is not None:                                    # frame resolution, nothing is resampled
        crop = compositor.read(frame, Rect(*request.rect))
    else:
        crop = compositor.sample(frame, request.matrix, request.dsize)
    result = engine.swap(crop, request.to_crop(face.landmarks), face, look, state, timestamp_ns)

    if result.veil_mask is not None:
        compositor.blur(frame, rect, result.veil_mask)
    if result.pose_fade > 0:    # turned too far: the swap fades to the *blurred* original
        compositor.blur(frame, rect, result.cover_mask * pose_fade); mask = result.mask * (1 - pose_fade)
    compositor.paste(frame, rect, result.rgb, mask)

where ``rect`` is ``request.rect``, or what the crop covers in the frame (``request.frame_rect``) after the
crop and its masks went back through the inverse of ``request.matrix``.

Engines know no frame, pixel format, transport or clock; the time stamp is the source's own. An engine object
serves one persona and is used by one thread at a time; everything that belongs to one tracked face lives in
the state that :meth:`FaceEngine.new_state` made.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from doppel_models.geometry import transform
from doppel_models.types import ByteArray, Face, FloatArray

MAX_GAP_SECONDS = 0.5
"""Longer pauses between two frames count as so long."""


@dataclasses.dataclass(frozen=True, slots=True)
class LookSettings:
    """How the swapped face shall look. The names and meanings are those of Doppel's settings."""

    strength: float = 1.0
    """Blend of the swapped face over the original, 0 (original) to 1. The engine's mask contains it."""
    proportions: float = 1.0
    """How far the inner features move to the persona's proportions, 0 to 1."""
    keep_mouth: bool = True
    """Keep the filmed inside of the mouth."""
    keep_eyes: bool = True
    """Keep the filmed eyes."""
    edge_softness: float = 0.5
    """Width of the feathered edge of the mask, 0 (hard) to 1."""
    color_match: Literal["relight", "none"] = "relight"
    """``none``: the persona's own colours, unchanged."""
    yaw_fade_start: float = 35.0
    """Degrees of yaw at which the swap starts to fade."""
    yaw_fade_end: float = 50.0
    """Degrees of yaw at which the swap is gone."""
    identity_weight: float = 0.5
    """Model files: 0 (towards the filmed person) .. 0.5 (the persona as it is) .. 1 (exaggerated)."""
    morph: float = 0.75
    """DeepFaceLab's AMP models: how far the face is the persona's, 0 to 1."""
    enhancer_strength: float = 0.8
    """Share of the restored face, where an enhancer is in use, 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True)
class CropRequest:
    """Which crop of the frame an engine wants."""

    matrix: FloatArray
    """(2, 3) float32, frame pixels -> crop pixels."""
    dsize: tuple[int, int]
    """(width, height) of the crop, pixels."""
    rect: tuple[int, int, int, int] | None = None
    """(x0, y0, x1, y1) when the crop is that rectangle of whole pixels inside the frame, unscaled and
    unrotated (x0 and y0 are even, so chroma samples are not split); None when it must be resampled."""
    in_parts: bool = False
    """The engine takes a :class:`CropReader` in place of the crop, when there is a ``rect``."""

    def to_crop(self, points: FloatArray) -> FloatArray:
        """Points (N, 2) or (N, 3) of the frame in pixels of the crop; z is scaled like x and y."""
        return transform(self.matrix, points)

    def frame_rect(
        self, width: int, height: int, part: tuple[int, int, int, int] | None = None
    ) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1): the part of a ``width`` x ``height`` frame the crop covers, on even pixels.

        ``part``: only what these pixels (x0, y0, x1, y1) of a resampled crop reach when they are enlarged.
        """
        if self.rect is not None:
            return self.rect
        left, top, right, bottom = 0.0, 0.0, float(self.dsize[0]), float(self.dsize[1])
        if part is not None:
            # Between a pixel and its neighbour both show.
            left, top, right, bottom = part[0] - 0.5, part[1] - 0.5, part[2] + 0.5, part[3] + 0.5
        # Plain floats: for so few numbers NumPy takes several times as long.
        (a, b, x), (c, d, y) = self.matrix.tolist()
        determinant = a * d - b * c
        if determinant == 0:
            return 0, 0, 0, 0
        corners = [(u - 0.5 - x, v - 0.5 - y) for u in (left, right) for v in (top, bottom)]
        columns = [(d * u - b * v) / determinant for u, v in corners]
        rows = [(a * v - c * u) / determinant for u, v in corners]
        return _even((min(columns), min(rows)), (max(columns), max(rows)), width, height)

    def matrix_from(self, x0: int, y0: int) -> npt.NDArray[np.float64]:
        """(2, 3): pixels of a rectangle of the frame with its corner at (x0, y0) -> pixels of the crop."""
        matrix = self.matrix.astype(np.float64)
        matrix[:, 2] += matrix[:, :2] @ (x0, y0)
        return matrix


def even_rect(low: FloatArray, high: FloatArray, width: int, height: int) -> tuple[int, int, int, int]:
    """The smallest (x0, y0, x1, y1) on even pixels that holds the points ``low`` (2,) to ``high`` (2,).

    Clipped to a ``width`` x ``height`` frame (whose own edge may be odd); empty where nothing is inside.
    """
    return _even(low.tolist(), high.tolist(), width, height)


def _even(low: Sequence[float], high: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    # Limited before they become integers: what is not finite has none.
    x0, y0 = (int(min(max(v, 0.0), m)) & ~1 for v, m in zip(low, (width, height), strict=True))
    x1, y1 = (math.ceil(min(max(v + 1, 0.0), m)) for v, m in zip(high, (width, height), strict=True))
    x1, y1 = min(x1 + (x1 & 1), width), min(y1 + (y1 & 1), height)
    return x0, y0, max(x0, x1), max(y0, y1)


@dataclasses.dataclass(frozen=True, slots=True)
class SwapResult:
    """The swapped crop. Arrays are fresh or the engine's own: valid until its next ``swap``."""

    rgb: ByteArray
    """(height, width, 3) uint8 RGB; only meaningful where ``mask`` is not 0."""
    mask: ByteArray
    """(height, width) uint8, 0 keeps the frame. Contains ``strength``, feather, kept eyes and mouth, and
    what is in front of the face; does not contain ``pose_fade``."""
    pose_fade: float
    """0 (swap fully) .. 1 (turned too far: show the blurred original instead)."""
    cover_mask: ByteArray | None = None
    """(height, width) uint8: the whole face, without holes, to be blurred; there when ``pose_fade`` > 0."""
    veil_mask: ByteArray | None = None
    """(height, width) uint8: to be blurred before the swap is pasted. It is not swapped because something
    seems to be in front of the face there, but that may be the face itself."""


class CropReader(Protocol):
    """A crop of whole frame pixels, of which an engine reads what it needs (:attr:`CropRequest.in_parts`)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""

    def part(self, x0: int, y0: int, x1: int, y1: int) -> ByteArray:
        """The rectangle ``x0 <= x < x1``, ``y0 <= y < y1`` inside the crop, uint8 RGB."""

    def reduced(self, factor: int) -> ByteArray:
        """The crop at ``1 / factor`` of its size, uint8 RGB; what is left over right and below is cut off."""


class EngineState(Protocol):
    """What an engine remembers of one tracked face. Opaque; dropped with the track."""

    def reset(self) -> None:
        """Forget everything: the track jumped, or another person may be in it."""


class FaceEngine(Protocol):
    """Makes the swapped face of one persona."""

    @property
    def name(self) -> str:
        """The kind of engine: ``mesh``, ``inswapper``, ..."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how it runs: a fallback, a choice that had to be made."""

    def new_state(self) -> EngineState:
        """A fresh state for a new track."""

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        """The crop that this engine wants of ``face`` in a frame of that size.

        Returns:
            None when no part of the face is inside the frame.
        """

    def swap(
        self,
        crop: ByteArray,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: EngineState,
        timestamp_ns: int,
    ) -> SwapResult:
        """Swap one face.

        Args:
            crop: (height, width, 3) uint8 RGB, as asked for by :meth:`crop_for`; not modified.
            points: (478, 3) ``face.landmarks`` in pixels of the crop (:meth:`CropRequest.to_crop`).
            face: the tracked face in the frame; its pose steers the fade.
            look: how it shall look.
            state: what :meth:`new_state` returned for this track.
            timestamp_ns: the frame's time stamp; only differences mean something.
        """


def pose_fade(yaw: float, start: float, end: float) -> float:
    """0 below ``start`` degrees of |yaw|, 1 above ``end``, smooth in between (a step when they cross)."""
    if end <= start:
        return float(abs(yaw) >= start)
    t = min(max((abs(yaw) - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


class FrameClock:
    """The time between the frames of one track, by their own stamps."""

    def __init__(self) -> None:
        """Know no frame."""
        self._last_ns: int | None = None

    def reset(self) -> None:
        """Forget the last frame."""
        self._last_ns = None

    def seconds_since_last(self, timestamp_ns: int) -> float:
        """Time since the previous frame, 0..0.5 seconds; a jump backwards counts as a long pause."""
        last, self._last_ns = self._last_ns, timestamp_ns
        if last is None or timestamp_ns < last:
            return MAX_GAP_SECONDS
        return min((timestamp_ns - last) / 1e9, MAX_GAP_SECONDS)
