"""Which frame of a video does a frame of its recording show?

A recording by OBS starts at an unknown moment of the video, may loop it, has another frame rate and size, and
another face in it. But both clocks run at the same speed. So the recording is laid over the video at the one
time offset at which many of its frames fit best, by small grey thumbnails whose differences are capped: a
swapped face, a label or a covered frame can then only ever count a little against what moves around it. Each
frame is then matched exactly among its neighbours in time.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.errors import MediaError

_THUMB_WIDTH = 96
_CAP = 30.0
"""Grey levels: a larger difference counts as this much."""
_SAMPLES = 40
"""Frames of the recording that vote for the offset."""
_NEAR_S = 0.12
"""Seconds around the offset in which the exact frame is looked for: a few frames of delay."""


@dataclasses.dataclass(frozen=True, slots=True)
class Index:
    """A video's frames as thumbnails."""

    times: FloatArray
    """(n,) seconds from its start, rising."""
    thumbs: FloatArray
    """(n, h, w) grey, 0..255."""

    @property
    def length(self) -> float:
        """Seconds until it would begin again."""
        count = len(self.times)
        return float(self.times[-1] + (self.times[-1] / (count - 1) if count > 1 else 1.0))


def region_of(width: int, height: int, inside_width: int, inside_height: int) -> tuple[int, int, int, int]:
    """Where a picture lies that OBS fits into a canvas with its aspect kept: x0, y0, x1, y1.

    Args:
        width: of the picture.
        height: of the picture.
        inside_width: of the canvas.
        inside_height: of the canvas.
    """
    scale = min(inside_width / width, inside_height / height)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    x0, y0 = (inside_width - w) // 2, (inside_height - h) // 2
    return x0, y0, x0 + w, y0 + h


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the thumbnails of a video of that size and of its recording."""
    return _THUMB_WIDTH, max(1, round(_THUMB_WIDTH * height / width))


def thumbnail(gray: ByteArray, size: tuple[int, int]) -> FloatArray:
    """A grey picture (h, w) as a thumbnail for :class:`Index`."""
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.float32)


def match(video: Index, recording: Index, picks: list[int]) -> list[int]:
    """Numbers of the video's frames that the recording's frames ``picks`` show.

    Raises:
        MediaError: one of the two has no frames.
    """
    if not len(video.times) or not len(recording.times):
        raise MediaError("a video without frames cannot be matched")
    offset = _offset(video, recording)
    found = []
    for pick in picks:
        expected = (recording.times[pick] + offset) % video.length
        apart = np.abs(video.times - expected)
        near = np.flatnonzero(np.minimum(apart, video.length - apart) <= _NEAR_S)
        if not len(near):
            near = np.array([int(apart.argmin())])
        found.append(int(near[_distances(video.thumbs[near], recording.thumbs[pick]).argmin()]))
    return found


def _offset(video: Index, recording: Index) -> float:
    """Seconds by which the video's clock is ahead of the recording's, modulo the video's length."""
    count = len(recording.times)
    votes = np.unique(np.linspace(0, count - 1, min(_SAMPLES, count)).round().astype(int))
    cost = np.stack([_distances(video.thumbs, recording.thumbs[vote]) for vote in votes])
    # The frame that a vote would show at each candidate offset; candidates are the video's own times.
    wanted = (recording.times[votes][:, None] + video.times[None, :]) % video.length
    shown = np.clip(np.searchsorted(video.times, wanted + 1e-4, side="right") - 1, 0, len(video.times) - 1)
    total = np.take_along_axis(cost, shown, axis=1).mean(axis=0)
    return float(video.times[int(total.argmin())])


def _distances(thumbs: FloatArray, thumb: FloatArray) -> FloatArray:
    difference = np.minimum(np.abs(thumbs - thumb), _CAP)
    mean: FloatArray = difference.mean(axis=(1, 2))
    return mean
