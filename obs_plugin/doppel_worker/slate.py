"""The user's slate: a picture that covers the frame, converted into the frame's own pixel format."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from doppel_models.types import ByteArray

from doppel_worker.compositor import Compositor, Rect
from doppel_worker.errors import SlateError
from doppel_worker.frame import FrameView

_OPAQUE = 255


def load_slate(path: str) -> ByteArray:
    """Read a picture as (h, w, 3) uint8 RGB.

    Raises:
        SlateError: there is no such file, or it is no picture.
    """
    try:
        data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError as error:
        raise SlateError(
            f"the slate {path} cannot be read: {error.strerror}; choose another picture"
        ) from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    if picture is None:
        raise SlateError(f"the slate {path} is no picture that can be read; use PNG or JPEG")
    return np.asarray(picture, np.uint8)


def draw_slate(frame: FrameView, compositor: Compositor, picture: ByteArray) -> None:
    """Fill a whole frame with a picture: scaled to cover it, cut at the middle, and opaque.

    Args:
        frame: its planes may hold anything before.
        compositor: writes the pixels.
        picture: (h, w, 3) uint8 RGB.
    """
    height, width = picture.shape[:2]
    scale = max(frame.width / width, frame.height / height)
    size = max(frame.width, round(width * scale)), max(frame.height, round(height * scale))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (size[0] - frame.width) // 2, (size[1] - frame.height) // 2
    fitting = np.ascontiguousarray(resized[y : y + frame.height, x : x + frame.width])
    for plane in frame.planes:
        # A compositor never writes alpha.
        plane[:] = _OPAQUE
    opaque = np.full(fitting.shape[:2], 255, np.uint8)
    compositor.paste(frame, Rect(0, 0, frame.width, frame.height), np.asarray(fitting, np.uint8), opaque)
