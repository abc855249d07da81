"""Small pictures of every format that is read, to be changed by the fuzzer."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

_TURNED = 0x0112


def _encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _pictures() -> dict[str, bytes]:
    chance = np.random.default_rng(3)
    rough = Image.fromarray(chance.integers(0, 255, (72, 96, 3), np.uint8))
    smooth = rough.resize((24, 18)).resize((96, 72), Image.Resampling.BICUBIC)
    clear = smooth.copy()
    clear.putalpha(128)
    exif = Image.Exif()
    exif[_TURNED] = 6
    exif[0x010F] = "maker"
    deep = Image.fromarray(chance.integers(0, 65535, (72, 96), np.uint16))
    frames = {"save_all": True, "append_images": [smooth]}
    return {
        "jpeg": _encoded(smooth, "JPEG", exif=exif),
        "jpeg-progressive": _encoded(smooth, "JPEG", progressive=True, icc_profile=b"\0" * 200),
        "jpeg-cmyk": _encoded(smooth.convert("CMYK"), "JPEG"),
        "mpo": _encoded(smooth, "MPO", **frames),
        "png": _encoded(rough, "PNG", exif=exif),
        "png-alpha": _encoded(clear, "PNG"),
        "png-palette": _encoded(smooth.convert("P"), "PNG", transparency=3),
        "png-16": _encoded(deep, "PNG"),
        "png-frames": _encoded(smooth, "PNG", **frames),
        "webp": _encoded(smooth, "WEBP", exif=exif),
        "webp-lossless": _encoded(clear, "WEBP", lossless=True),
        "webp-frames": _encoded(smooth, "WEBP", **frames),
        "bmp": _encoded(smooth, "BMP"),
        "bmp-palette": _encoded(smooth.convert("P"), "BMP"),
    }


PICTURES = _pictures()
"""A file by what is special about it."""
