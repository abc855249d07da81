"""A clip in which every frame tells its number and shows a known face: the demo clip, numbered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
from doppel_models.types import ByteArray

from tests.support.demo_clip import DEMO_CLIP
from tests.support.frame_code import FRAME_NUMBER
from tests.support.video import read_video, write_video

FRAME_COUNT = 360
"""Of the demo clip; in a longer coded clip frame ``n`` shows the demo's frame ``n % FRAME_COUNT``."""


def coded_frames(width: int = 1280, height: int = 720, count: int = FRAME_COUNT) -> Iterator[ByteArray]:
    """Frames 0 .. count-1 as uint8 RGB with their numbers drawn in."""
    number = 0
    while number < count:
        for _, rgb in read_video(DEMO_CLIP):
            if number == count:
                return
            if (width, height) != (rgb.shape[1], rgb.shape[0]):
                rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
            FRAME_NUMBER.draw(rgb, number)
            yield rgb
            number += 1


def write_coded_clip(
    path: Path,
    width: int = 1280,
    height: int = 720,
    count: int = FRAME_COUNT,
    *,
    sound: bool = True,
    pixel_format: str = "yuv420p",
) -> None:
    """Write the coded clip: H.264 at 30 fps, a key frame each second, near lossless.

    Args:
        path: file to write, .mp4 or .mkv.
        width: pixels, even; the aspect must be 16:9.
        height: pixels, even.
        count: frames; up to 65536.
        sound: copy the demo's sound (it ends after the demo's length).
        pixel_format: FFmpeg's name.
    """
    frames, tone = coded_frames(width, height, count), DEMO_CLIP if sound else None
    write_video(path, frames, crf=14, keyint=30, sound_from=tone, pixel_format=pixel_format)
