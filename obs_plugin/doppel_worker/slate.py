"""The user's slate: a picture that covers the frame, converted into the frame's own pixel format."""

from __future__ import annotations

import dataclasses
import io
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray
from PIL import Image

from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import SlateError
from doppel_worker.frame import FrameView, Plane

MAX_FILE_BYTES = 64 << 20
MAX_PIXELS = 60_000_000
_OPAQUE = 255
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")


def load(path: Path, width: int, height: int) -> ByteArray:
    """Read a picture and fit it to a frame: scaled to fill it, cut around the middle.

    Args:
        path: a PNG, JPEG, WebP, BMP or GIF picture.
        width: of the frame, pixels.
        height: of the frame, pixels.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        SlateError: there is no such file, or it is no picture, or too large a one.
    """
    try:
        if not path.is_file():
            raise SlateError(
                sentence(
                    "slate.missing",
                    "the slate {path} cannot be read: there is no such file; choose another",
                    path=path,
                )
            )
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SlateError(
                sentence(
                    "slate.file-size",
                    "the slate {path} is larger than {most} MB; use a smaller picture",
                    path=path,
                    most=MAX_FILE_BYTES >> 20,
                )
            )
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SlateError(
            sentence(
                "slate.unreadable",
                "the slate {path} cannot be read ({why}); choose another picture",
                path=path,
                why=error.strerror,
            )
        ) from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if _may_be_decoded(path, data) else None
    except cv2.error:  # what it holds is not what its beginning says
        picture = None
    if picture is None:
        raise SlateError(
            sentence(
                "slate.format",
                "the slate {path} is no picture that can be read; use a PNG or JPEG",
                path=path,
            )
        )
    have_height, have_width = picture.shape[:2]
    scale = max(width / have_width, height / have_height)
    cut_width = min(max(round(width / scale), 1), have_width)
    cut_height = min(max(round(height / scale), 1), have_height)
    x, y = (have_width - cut_width) // 2, (have_height - cut_height) // 2
    cut = picture[y : y + cut_height, x : x + cut_width]
    resized = cv2.resize(
        cut, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(resized, np.uint8)


def _may_be_decoded(path: Path, data: ByteArray) -> bool:
    """Whether it is a picture, by its first bytes.

    Raises:
        SlateError: it says that it has so many pixels that they would take the memory of everything else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about sizes that are refused here anyway
            with Image.open(io.BytesIO(data.tobytes()), formats=_FORMATS) as head:
                width, height = head.size
    except Image.DecompressionBombError:
        width = height = MAX_PIXELS
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error):
        return False
    if width * height > MAX_PIXELS:
        raise SlateError(
            sentence(
                "slate.large",
                "the slate {path} has more than {most} million pixels; use a smaller picture",
                path=path,
                most=MAX_PIXELS // 1_000_000,
            )
        )
    return True


def draw(picture: ByteArray, like: FrameView, planes: tuple[Plane, ...]) -> None:
    """Fill planes with a fitted picture, opaque.

    Args:
        picture: (height, width, 3) uint8 RGB of the frame's size.
        like: a frame whose format, colours and row order the planes have.
        planes: to be written; may be the frame's own.
    """
    for plane in planes:
        # A compositor never writes alpha.
        plane[:] = _OPAQUE
    frame = dataclasses.replace(like, planes=planes)
    opaque = np.full(picture.shape[:2], 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, frame.width, frame.height), picture, opaque)
