"""Where to look for faces, and when: thumbnails, tiles of wide pictures, and change near the edges.

The detector sees 128x128 pixels, so in a wide frame small faces vanish. A search can therefore look at square
tiles of the frame as well: at one of them, in turn, or at all.
"""

from __future__ import annotations

import dataclasses
import enum
import math

import cv2
import numpy as np
from doppel_models.detector import INPUT_SIZE, FaceDetector
from doppel_models.geometry import bbox_size, iou
from doppel_models.types import ByteArray, Detection, FloatArray

from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView

_GLANCE_SIZE = 16
"""Longer side, blocks, of the small picture in which change is measured."""
_EDGE_BLOCKS = 2
"""Width of the band along the edges, blocks: an eighth of the frame's longer side."""
_STRONG_CHANGE = 14.0
"""Mean difference of a block, 0..255, that counts as strong; sensor noise stays below 3."""
_SCENE_CHANGE = 20.0
"""Mean difference of the whole picture that counts as another scene."""
_SAME_FACE_IOU = 0.3


class Tiles(enum.Enum):
    """Which tiles a search looks at, beside the whole frame."""

    NONE = enum.auto()
    ONE = enum.auto()
    """One, in turn."""
    ALL = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    """A picture for the detector, and the map from its pixels to the frame's."""

    image: ByteArray
    scale: FloatArray
    """(2,) frame pixels per pixel of the image."""
    offset: FloatArray
    """(2,) where the image's corner lies in the frame, pixels."""


class FaceFinder:
    """Runs the detector over the frames of one lane."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._geometry = (0, 0)
        self._tiles: tuple[tuple[int, int], ...] = ()
        self._next_tile = 0
        self._blocks: ByteArray | None = None
        self._searched: ByteArray | None = None

    def look(self, frame: FrameView, compositor: Compositor) -> bool:
        """Take in a frame; True if it differs much from the last searched one, near its edges or all over."""
        if (frame.width, frame.height) != self._geometry:
            self._geometry = (frame.width, frame.height)
            self._tiles, self._next_tile, self._searched = _tiles(frame.width, frame.height), 0, None
        scale = _GLANCE_SIZE / max(frame.width, frame.height)
        size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        self._blocks = compositor.thumbnail(frame, size)
        if self._searched is None:
            return True
        change = cv2.absdiff(self._blocks, self._searched).sum(axis=2, dtype=np.uint16)
        inner = change[_EDGE_BLOCKS:-_EDGE_BLOCKS, _EDGE_BLOCKS:-_EDGE_BLOCKS]
        if inner.size and inner.mean() > 3 * _SCENE_CHANGE:
            return True
        inner[:] = 0
        return bool(change.max() > 3 * _STRONG_CHANGE)

    def find(
        self, frame: FrameView, compositor: Compositor, min_score: float, tiles: Tiles
    ) -> list[Detection]:
        """Faces of the frame that :meth:`look` took in last, pixels of the frame, best score first."""
        views = [_whole(frame, compositor)]
        if self._tiles and tiles is not Tiles.NONE:
            chosen = self._tiles if tiles is Tiles.ALL else (self._tiles[self._next_tile],)
            self._next_tile = (self._next_tile + 1) % len(self._tiles)
            views += [_tile(frame, compositor, corner) for corner in chosen]
        found = [
            _in_frame(detection, view)
            for view in views
            for detection in self._detector.detect(view.image, min_score)
        ]
        self._searched = self._blocks
        return _without_doubles(found)


def _whole(frame: FrameView, compositor: Compositor) -> _View:
    width, height = _fitted(frame.width, frame.height, INPUT_SIZE)
    image = compositor.thumbnail(frame, (width, height))
    scale = np.array([frame.width / width, frame.height / height], np.float32)
    return _View(image, scale, np.zeros(2, np.float32))


def _fitted(width: int, height: int, size: int) -> tuple[int, int]:
    """The frame's size with its longer side made ``size``; even, to be centred in the detector's input."""
    scale = size / max(width, height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _tiles(width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Corners of the squares, of the frame's shorter side, that cover it; none if it is near square."""
    side, length = min(width, height), max(width, height)
    count = math.ceil(length / side)
    if length < 1.25 * side or count > 8 or side < INPUT_SIZE // 2:
        return ()
    starts = [round(index * (length - side) / (count - 1)) for index in range(count)]
    return tuple((start, 0) if width > height else (0, start) for start in starts)


def _tile(frame: FrameView, compositor: Compositor, corner: tuple[int, int]) -> _View:
    side = min(frame.width, frame.height)
    scale = side / INPUT_SIZE
    offset = np.array(corner, np.float32)
    # Pixel centres: frame = (tile + 0.5) * scale - 0.5 + offset.
    shift = 0.5 / scale - 0.5
    matrix = np.array([[1 / scale, 0, shift - corner[0] / scale], [0, 1 / scale, shift - corner[1] / scale]])
    image = compositor.sample(frame, matrix.astype(np.float32), (INPUT_SIZE, INPUT_SIZE))
    return _View(image, np.full(2, scale, np.float32), offset)


def _in_frame(detection: Detection, view: _View) -> Detection:
    def moved(points: FloatArray) -> FloatArray:
        return ((points + 0.5) * view.scale - 0.5 + view.offset).astype(np.float32)

    bbox = moved(detection.bbox.reshape(2, 2)).reshape(4)
    return Detection(bbox, moved(detection.keypoints), detection.score)


def _without_doubles(found: list[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for detection in sorted(found, key=lambda one: -one.score):
        if all(iou(detection.bbox, other.bbox) < _SAME_FACE_IOU for other in kept):
            kept.append(detection)
    return [detection for detection in kept if bbox_size(detection.bbox) > 0]
