"""Reading a picture that may be hostile: its size is checked before its pixels are decoded."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from doppel_models.errors import PersonaError
from doppel_models.plain_file import plain_size
from doppel_models.sentences import sentence, unreadable
from doppel_models.types import ByteArray

MAX_FILE_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 60_000_000
MIN_SIDE = 64
FORMATS = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "BMP": ".bmp"}
"""Pillow calls a JPEG file "MPO" that holds a second picture, as many phones write it (depth, a preview)."""
_OPENED = ("PNG", "JPEG", "WEBP", "BMP")
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
"""What Pillow's decoders raise for damaged files."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture stands upright, by EXIF's orientation (Exif 2.32, tag 274)."""


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoFile:
    """A picture and the bytes it came from."""

    name: str
    """The file's name, for messages."""
    suffix: str
    """``.png``, ``.jpg``, ... by what the bytes are, not by what the file is called."""
    data: bytes
    image: ByteArray
    """(height, width, 3) uint8 RGB, upright."""


def read_photo(path: Path) -> PhotoFile:
    """The picture of a file.

    Raises:
        PersonaError: it cannot be read, is no picture of a known format, or is too large.
    """
    return decode_photo(path.name, photo_bytes(path))


def photo_bytes(path: Path) -> bytes:
    """What is in a file, for :func:`decode_photo`.

    Raises:
        PersonaError: it cannot be read, or is too large.
    """
    try:
        if plain_size(path) > MAX_FILE_BYTES:
            raise PersonaError(
                sentence(
                    "photo.file-size",
                    "{name} is larger than {most} MB; save a smaller copy of the picture",
                    name=path.name,
                    most=MAX_FILE_BYTES >> 20,
                )
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise PersonaError(unreadable(path, error)) from error


def decode_photo(name: str, data: bytes) -> PhotoFile:
    """The picture in ``data``; ``name`` is for messages.

    Raises:
        PersonaError: no picture of a known format, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that are refused below anyway.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_OPENED) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise PersonaError(
                        sentence(
                            "photo.large",
                            "{name} has {width}x{height} pixels, more than {most} million; save a smaller"
                            " copy of it",
                            name=name,
                            width=width,
                            height=height,
                            most=MAX_PIXELS // 1_000_000,
                        )
                    )
                if min(width, height) < MIN_SIDE:
                    raise PersonaError(
                        sentence(
                            "photo.tiny",
                            "{name} has only {width}x{height} pixels; use a larger picture",
                            name=name,
                            width=width,
                            height=height,
                        )
                    )
                suffix = FORMATS[str(picture.format)]
                image = np.asarray(_flat(_upright(picture)), np.uint8)
    except Image.DecompressionBombError:
        raise PersonaError(
            sentence(
                "photo.huge",
                "{name} has more than {most} million pixels; save a smaller copy of it",
                name=name,
                most=MAX_PIXELS // 1_000_000,
            )
        ) from None
    except UnidentifiedImageError:
        raise PersonaError(
            sentence(
                "photo.format",
                "{name} is no picture that Doppel can read; use a PNG, JPEG, WebP or BMP picture",
                name=name,
            )
        ) from None
    except _DAMAGE as error:
        raise PersonaError(
            sentence(
                "photo.damaged",
                "{name} is damaged ({why}); use a PNG, JPEG, WebP or BMP picture",
                name=name,
                why=error,
            )
        ) from error
    return PhotoFile(name, suffix, data, np.ascontiguousarray(image))


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF data say, where they can be read: they may be broken, and the picture good."""
    picture.load()
    turn = None
    with contextlib.suppress(*_DAMAGE):
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _flat(picture: Image.Image) -> Image.Image:
    """As RGB; what is transparent becomes grey."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (128, 128, 128, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")
