"""The disclosure mark: a dark, half-transparent pill with white text in a corner of the picture.

It is drawn once for a text and a geometry, and then only pasted. OpenCV 5 draws Unicode with the TrueType
fonts it carries (Latin, Greek, Cyrillic, Chinese, Japanese...); a character that it lacks becomes its
replacement box, never an error.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.types import ByteArray

from doppel_worker.compositor import Compositor, Rect
from doppel_worker.frame import FrameView

_PILL_RGB = 18.0
_PILL_ALPHA = 0.55
_TEXT_RGB = 255.0
_TEXT_ALPHA = 0.95
_WEIGHT = 600
"""Semi-bold, which survives a video encoder."""
_PADDING = (0.55, 0.28)
"""Of the pill around the text, in text heights."""
_MARGIN = 0.6
"""Of the pill to the picture's edges, in text heights."""
_LEAST = 11
"""Pixels: in small pictures the text is larger than the setting says, so that it can be read."""
_SMALLEST = 7
"""Pixels: where even this has no room, none is drawn."""
_LONGEST = 80
"""Characters."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Drawn:
    """A label as it is pasted."""

    rect: Rect
    rgb: ByteArray
    mask: ByteArray


class Label:
    """The label of one lane. Keeps what it drew last."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._drawn: _Drawn | None = None

    def apply(self, frame: FrameView, compositor: Compositor, settings: FilterSettings) -> Rect | None:
        """Paste the label on a frame.

        Returns:
            Where it lies; None if there is no room for it.
        """
        corner, size = settings.label_corner, settings.label_size
        key = (frame.width, frame.height, settings.label_text, corner, size)
        if key != self._key:
            self._key = key
            # Without words it would be a label that nobody has switched off, and nobody sees.
            text = printable(settings.label_text) or FilterSettings().label_text
            self._drawn = draw(text, corner, size, frame.width, frame.height)
        if self._drawn is None:
            return None
        compositor.stamp(frame, self._drawn.rect, self._drawn.rgb, self._drawn.mask)
        return self._drawn.rect


def printable(text: str) -> str:
    """The text on one line, without control characters and of a bounded length."""
    # Lone surrogates cannot be encoded for the renderer.
    clean = "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode("utf-8"))
    return " ".join(clean.split())[:_LONGEST]


def draw(text: str, corner: str, size: float, width: int, height: int) -> _Drawn | None:
    """Draw a label for a picture of ``width`` x ``height`` pixels; None if it would not be readable.

    Args:
        text: one line.
        corner: ``top-left``, ``top-right``, ``bottom-left`` or ``bottom-right``.
        size: the text's height as a fraction of the picture's.
        width: of the picture.
        height: of the picture.
    """
    if not text:
        return None
    font = cv2.FontFace("sans")
    pixels = max(_LEAST, round(size * height))
    while pixels >= _SMALLEST:
        _, _, text_width, _ = cv2.getTextSize((width, height), text, (0, 0), font, pixels, _WEIGHT)
        pad_x, pad_y, margin = (round(part * pixels) for part in (*_PADDING, _MARGIN))
        pill_width, pill_height = _even(text_width + 2 * pad_x), _even(pixels + 2 * pad_y)
        if pill_width + 2 * margin <= width and pill_height + 2 * margin <= height:
            break
        pixels = int(pixels * 0.9)
    else:
        return None
    canvas = np.zeros((pill_height, pill_width, 3), np.uint8)
    # The line's height counts accents and tails; capitals stand about 0.72 of it high.
    baseline = (pill_height + round(0.72 * pixels)) // 2
    cv2.putText(canvas, text, (pad_x, baseline), (255, 255, 255), font, pixels, _WEIGHT)
    glyphs = canvas[..., 0].astype(np.float32) / 255 * _TEXT_ALPHA
    below = _pill(pill_width, pill_height) * _PILL_ALPHA * (1 - glyphs)
    alpha = glyphs + below
    grey = (glyphs * _TEXT_RGB + below * _PILL_RGB) / np.maximum(alpha, 1e-6)
    # On even pixels, so that chroma samples are not shared with the picture beside the label.
    x0 = margin & ~1 if "left" in corner else (width - margin - pill_width) & ~1
    y0 = margin & ~1 if "top" in corner else (height - margin - pill_height) & ~1
    return _Drawn(
        Rect(x0, y0, x0 + pill_width, y0 + pill_height),
        np.asarray(cv2.merge([np.rint(grey).astype(np.uint8)] * 3), np.uint8),
        np.rint(alpha * 255).astype(np.uint8),
    )


def _pill(width: int, height: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Coverage 0..1 of a rectangle with round ends."""
    radius = height / 2
    x = np.arange(width, dtype=np.float32) + 0.5
    y = np.arange(height, dtype=np.float32) + 0.5
    from_axis = np.maximum(0, np.maximum(radius - x, x - (width - radius)))
    distance = np.hypot(from_axis[None, :], (y - radius)[:, None])
    coverage: np.ndarray[tuple[int, int], np.dtype[np.float32]] = np.clip(radius - distance + 0.5, 0, 1)
    return coverage


def _even(value: int) -> int:
    return value + (value & 1)
