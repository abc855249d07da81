"""Photos and clips as they come from other cameras and rooms: what ``identity.py --table`` runs over.

All pictures are (height, width, 3) uint8 RGB; every variant is a plain function of pictures and, where it
has chance in it, of a fixed seed.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from doppel_models.types import ByteArray, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A filmed clip."""

    name: str
    pictures: list[ByteArray]
    fps: float


def _each(change: Callable[[ByteArray], ByteArray]) -> Callable[[Clip], list[ByteArray]]:
    return lambda clip: [change(picture) for picture in clip.pictures]


def _byte(picture: FloatArray) -> ByteArray:
    return np.asarray(np.clip(picture, 0, 255).round(), np.uint8)


def tinted(picture: ByteArray, red: float, green: float, blue: float) -> ByteArray:
    """Each colour times a factor: another white balance."""
    return _byte(picture.astype(np.float32) * np.array((red, green, blue), np.float32))


def blurred(picture: ByteArray, sigma: float) -> ByteArray:
    """Out of focus by ``sigma`` pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def side_lit(picture: ByteArray, center: float, reach: float, low: float, high: float) -> ByteArray:
    """Light from the picture's right: from ``low`` to ``high`` over ``reach`` pixels around ``center``."""
    x = (np.arange(picture.shape[1], dtype=np.float32) - np.float32(center)) / np.float32(reach)
    gain = low + (high - low) * 0.5 * (1 + np.tanh(2 * x))
    return _byte(picture * gain[None, :, None].astype(np.float32))


def rotated(picture: ByteArray, degrees: float) -> ByteArray:
    """The whole picture turned about its middle."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def jpeg(picture: ByteArray, quality: int) -> ByteArray:
    """As JPEG keeps it."""
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if decoded is None:
        raise RuntimeError("OpenCV cannot read the JPEG picture that it wrote")
    return np.ascontiguousarray(decoded[..., ::-1])


def resized(picture: ByteArray, factor: float) -> ByteArray:
    """Smaller or larger."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def photo_variants(photo: ByteArray, box: Sequence[float]) -> dict[str, ByteArray]:
    """One photo as others might have taken it.

    Args:
        photo: upright, evenly lit.
        box: (x0, y0, x1, y1) of its face, pixels.
    """
    x0, y0, x1, y1 = (round(v) for v in box)
    side = x1 - x0
    middle = (x0 + x1) / 2
    # Not through the chin: tight as a profile picture is, all of the face in it.
    margin = round(0.06 * side)
    tight = photo[max(y0 - margin, 0) : y1 + margin, max(x0 - margin, 0) : x1 + margin]
    return {
        "dim": tinted(photo, 0.35, 0.35, 0.35),
        "warm light": tinted(photo, 1.0, 0.82, 0.6),
        "cold light": tinted(photo, 0.72, 0.88, 1.1),
        "side light": side_lit(photo, middle, side / 2, 0.35, 1.05),
        "JPEG, quality 40": jpeg(photo, 40),
        "half size": resized(photo, 0.5),
        "rotated 20 degrees": rotated(photo, 20),
        "slightly blurred": blurred(photo, 1.2),
        "cropped tight": np.ascontiguousarray(tight),
        "low contrast": _byte(128 + (photo.astype(np.float32) - 128) * 0.5),
    }


def _night(clip: Clip) -> list[ByteArray]:
    """A webcam in a dim room: dark, noisy, the noise's colours in blotches."""
    rng = np.random.default_rng(7)
    out = []
    for picture in clip.pictures:
        signal = picture.astype(np.float32) * 0.34
        shape = picture.shape
        grain = rng.standard_normal(shape[:2], np.float32)[..., None] * 5
        blotches = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 2.0) * 14
        out.append(_byte(signal + (grain + blotches) * np.sqrt(np.maximum(signal, 4) / 40)))
    return out


def _hd(clip: Clip) -> list[ByteArray]:
    """Enlarged to 720 rows, in a frame of 1280x720."""
    out = []
    for picture in clip.pictures:
        large = resized(picture, 720 / picture.shape[0])[:, :1280]
        left = (1280 - large.shape[1]) // 2
        right = 1280 - large.shape[1] - left
        out.append(np.asarray(cv2.copyMakeBorder(large, 0, 0, left, right, cv2.BORDER_REPLICATE), np.uint8))
    return out


def _at_edge(clip: Clip) -> list[ByteArray]:
    """Cut so that the frame's edge takes about a fifth of a face in the middle."""
    width = clip.pictures[0].shape[1]
    cut = int(0.46 * width) & ~1
    return [np.ascontiguousarray(picture[:, cut:]) for picture in clip.pictures]


def _lamp(clip: Clip) -> list[ByteArray]:
    width = clip.pictures[0].shape[1]
    return [side_lit(picture, 0.5 * width, 0.11 * width, 0.35, 1.15) for picture in clip.pictures]


def _compressed(clip: Clip) -> list[ByteArray]:
    """Through H.264 at a very low bit rate."""
    height, width = clip.pictures[0].shape[:2]
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as writer:
        options = {"crf": "38", "preset": "veryfast", "threads": "1"}
        stream = writer.add_stream("libx264", rate=Fraction(round(clip.fps)), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in clip.pictures:
            writer.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        writer.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as reader:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in reader.decode(video=0)]


CLIP_VARIANTS: dict[str, Callable[[Clip], list[ByteArray]]] = {
    "night, noisy": _night,
    "warm white balance": _each(lambda picture: tinted(picture, 1.15, 1.0, 0.7)),
    "cold white balance": _each(lambda picture: tinted(picture, 0.75, 0.95, 1.3)),
    "lamp from one side": _lamp,
    "enlarged to 1280x720": _hd,
    "mirrored": _each(lambda picture: np.ascontiguousarray(picture[:, ::-1])),
    "low contrast": _each(lambda picture: _byte(110 + (picture.astype(np.float32) - 110) * 0.5)),
    "half the frames": lambda clip: clip.pictures[::2],
    "H.264, crf 38": _compressed,
    "half size": _each(lambda picture: resized(picture, 0.5)),
    "cut by the frame's edge": _at_edge,
}


def clip_variant(clip: Clip, name: str) -> Clip:
    """The clip as another camera might have filmed it; ``name`` is one of :data:`CLIP_VARIANTS`."""
    fps = clip.fps / 2 if name == "half the frames" else clip.fps
    return Clip(f"{clip.name}, {name}", CLIP_VARIANTS[name](clip), fps)
