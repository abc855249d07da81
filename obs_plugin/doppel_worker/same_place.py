"""Whether two sightings can be of one face: by where they are and how large."""

from __future__ import annotations

from collections.abc import Iterable

from doppel_models.geometry import bbox_center, bbox_size, grown, iou
from doppel_models.types import Detection, FloatArray

from doppel_worker.track import Measurement, Track

_LIKE_SIZE = 2.5
"""A detection of a face is at most so many times larger or smaller than its landmarks."""


def claimed(measurement: Measurement, tracks: Iterable[Track]) -> bool:
    """True if a track already follows this face."""
    return any(iou(measurement.bbox, track.bbox) > 0.5 for track in tracks)


def explains(track: Track, detection: Detection) -> bool:
    """True if the detection is of the face that the track follows."""
    return _within(track, detection, 0.5)


def near(track: Track, detection: Detection) -> bool:
    """True if the detection may be the face that was lost there."""
    return _within(track, detection, 1.5)


def covers(track: Track, lost: Track) -> bool:
    """True if the followed face lies where the other one was lost."""
    return iou(track.bbox, grown(lost.bbox, 1.5)) > 0.25


def _within(track: Track, detection: Detection, sizes: float) -> bool:
    size = bbox_size(track.bbox)
    return (
        _distance(track.bbox, detection.bbox) < sizes * size
        and size / _LIKE_SIZE < bbox_size(detection.bbox) < size * _LIKE_SIZE
    )


def _distance(a: FloatArray, b: FloatArray) -> float:
    """Between the boxes' middles, pixels."""
    (x0, y0), (x1, y1) = bbox_center(a), bbox_center(b)
    return float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
