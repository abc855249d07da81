"""Where to look for faces: thumbnails, and tiles of large pictures.

The near detector sees the whole frame in 128x128 pixels: cheap, and enough for a face of a tenth of the
frame's longer side. Smaller ones are found by the far detector in tiles, as many at a time as the caller
can afford, in turn. Where a face is known to be or to have been, a closer look costs one run of the near one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from doppel_models.detector import FAR_INPUT_SIZE, INPUT_SIZE, FaceDetector
from doppel_models.geometry import bbox_center, bbox_size, iou
from doppel_models.types import ByteArray, Detection, FloatArray

from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView
from doppel_worker.glance import Glance

_SAME_FACE_IOU = 0.3
_TILE_FACES = 12.0
"""Side of a tile over the smallest face in it, which then has 16 pixels of the network's 192. Of webcam faces
pasted into drawn rooms 98 % score 0.5 at 16 pixels, 91 % at 12, 68 % at 9; all but 7 % score 0.2 at 8."""
_MAX_SHARE = 0.4
"""Of a tile's side: what the far network takes for a larger face is as a rule a piece of furniture."""
_TILE_OVERLAP = 0.2
_MAX_TILES = 8
"""In a larger frame the tiles grow, and the smallest face with them."""
_CLOSE_UP = 3.0
"""Side of a closer look over the face's size."""


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    """A picture for the detector, and the map from its pixels to the frame's."""

    image: ByteArray
    scale: FloatArray
    """(2,) frame pixels per pixel of the image."""
    offset: FloatArray
    """(2,) where the image's corner lies in the frame, pixels."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Tile:
    """Part of a frame, pixels."""

    x: int
    y: int
    width: int
    height: int


class FaceFinder:
    """Runs the detector's two networks over the frames of one lane."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._key = (0, 0, 0)
        self._tiles: tuple[_Tile, ...] = ()
        self._next_tile = 0
        self._seen: Glance | None = None
        self._searched: Glance | None = None

    @property
    def tiles(self) -> int:
        """How many tiles show the far faces of the frame that :meth:`look` took in last; at least 1."""
        return len(self._tiles)

    def look(self, frame: FrameView, min_face_px: int) -> bool:
        """Take in a frame; True if it differs much from the last searched one, near its edges or all over."""
        key = (frame.width, frame.height, min_face_px)
        if key != self._key:
            self._key = key
            self._tiles, self._next_tile, self._searched = _tiles(*key), 0, None
        self._seen = Glance.at(frame)
        return self._searched is None or self._seen.changed(self._searched)

    def find(
        self,
        frame: FrameView,
        compositor: Compositor,
        min_score: float,
        tiles: int,
        places: Sequence[FloatArray] = (),
    ) -> list[Detection]:
        """Faces of the frame that :meth:`look` took in last, pixels of the frame, best score first.

        Args:
            frame: the frame.
            compositor: reads it.
            min_score: 0..1, faces below it are left out.
            tiles: how many tiles to look at, the next ones in turn.
            places: boxes (4,) of faces, to be looked at more closely.
        """
        views = [_whole(frame, compositor, INPUT_SIZE)]
        views += [_close_up(frame, compositor, place) for place in places]
        found = [
            _in_frame(one, view) for view in views for one in self._detector.detect(view.image, min_score)
        ]
        for _ in range(min(tiles, len(self._tiles))):
            view = _part(frame, compositor, self._tiles[self._next_tile])
            self._next_tile = (self._next_tile + 1) % len(self._tiles)
            far = self._detector.detect_far(view.image, min_score)
            largest = _MAX_SHARE * max(view.image.shape)
            found += [_in_frame(one, view) for one in far if bbox_size(one.bbox) <= largest]
        self._searched = self._seen
        return _without_doubles(found)


def _whole(frame: FrameView, compositor: Compositor, size: int) -> _View:
    width, height = _fitted(frame.width, frame.height, size)
    image = compositor.thumbnail(frame, (width, height))
    scale = np.array([frame.width / width, frame.height / height], np.float32)
    return _View(image, scale, np.zeros(2, np.float32))


def _fitted(width: int, height: int, size: int) -> tuple[int, int]:
    """The frame's size with its longer side made ``size``; even, to be centred in the detector's input."""
    scale = size / max(width, height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _tiles(width: int, height: int, min_face_px: int) -> tuple[_Tile, ...]:
    """Overlapping parts that cover the frame; one if all of it can be seen at once."""
    side = _TILE_FACES * min_face_px
    while _count(width, side) * _count(height, side) > _MAX_TILES:
        side *= 1.1
    tile_width, tile_height = (min(length, math.ceil(side)) for length in (width, height))
    return tuple(
        _Tile(x, y, tile_width, tile_height)
        for y in _starts(height, tile_height, _count(height, side))
        for x in _starts(width, tile_width, _count(width, side))
    )


def _count(length: int, side: float) -> int:
    """How many overlapping tiles cover a length."""
    return max(1, math.ceil((length / side - _TILE_OVERLAP) / (1 - _TILE_OVERLAP)))


def _starts(length: int, tile: int, count: int) -> list[int]:
    return [round(index * (length - tile) / max(1, count - 1)) for index in range(count)]


def _part(frame: FrameView, compositor: Compositor, tile: _Tile) -> _View:
    if (tile.width, tile.height) == (frame.width, frame.height):
        return _whole(frame, compositor, FAR_INPUT_SIZE)
    scale = max(tile.width, tile.height) / FAR_INPUT_SIZE
    dsize = _fitted(tile.width, tile.height, FAR_INPUT_SIZE)
    return _sampled(frame, compositor, (tile.x, tile.y), scale, dsize)


def _close_up(frame: FrameView, compositor: Compositor, bbox: FloatArray) -> _View:
    side = _CLOSE_UP * max(bbox_size(bbox), 8.0)
    x, y = bbox_center(bbox)
    corner = x - side / 2, y - side / 2
    return _sampled(frame, compositor, corner, side / INPUT_SIZE, (INPUT_SIZE, INPUT_SIZE))


def _sampled(
    frame: FrameView,
    compositor: Compositor,
    corner: tuple[float, float],
    scale: float,
    dsize: tuple[int, int],
) -> _View:
    """The part from ``corner`` (pixels) on, at ``scale`` frame pixels per pixel of the image."""
    # Pixel centres: frame = (image + 0.5) * scale - 0.5 + corner.
    shift = 0.5 / scale - 0.5
    matrix = np.array([[1 / scale, 0, shift - corner[0] / scale], [0, 1 / scale, shift - corner[1] / scale]])
    image = compositor.sample(frame, matrix.astype(np.float32), dsize)
    return _View(image, np.full(2, scale, np.float32), np.array(corner, np.float32))


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
