"""Reading a picture that may be hostile: its size is checked before its pixels are decoded."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from doppel_models.errors import PersonaError
from doppel_models.types import ByteArray

MAX_FILE_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 60_000_000
MIN_SIDE = 64
FORMATS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp"}


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
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PersonaError(
                f"{path.name} is larger than {MAX_FILE_BYTES >> 20} MB; save a smaller copy of the picture"
            )
        data = path.read_bytes()
    except OSError as error:
        raise PersonaError(f"{path} cannot be read: {error.strerror or error}") from error
    return decode_photo(path.name, data)


def decode_photo(name: str, data: bytes) -> PhotoFile:
    """The picture in ``data``; ``name`` is for messages.

    Raises:
        PersonaError: no picture of a known format, damaged, or too large.
    """
    wanted = "use a PNG, JPEG, WebP or BMP picture"
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that are refused below anyway.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise PersonaError(
                        f"{name} has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million;"
                        " save a smaller copy of it"
                    )
                if min(width, height) < MIN_SIDE:
                    raise PersonaError(f"{name} has only {width}x{height} pixels; use a larger picture")
                suffix = FORMATS[str(picture.format)]
                image = np.asarray(_flat(ImageOps.exif_transpose(picture)), np.uint8)
    except Image.DecompressionBombError:
        raise PersonaError(
            f"{name} has more than {MAX_PIXELS // 1_000_000} million pixels; save a smaller copy of it"
        ) from None
    except UnidentifiedImageError:
        raise PersonaError(f"{name} is no picture that Doppel can read; {wanted}") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        # Pillow's decoders raise all of these for damaged files.
        raise PersonaError(f"{name} is damaged ({error}); {wanted}") from error
    return PhotoFile(name, suffix, data, np.ascontiguousarray(image))


def _flat(picture: Image.Image) -> Image.Image:
    """As RGB; what is transparent becomes grey."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (128, 128, 128, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")
