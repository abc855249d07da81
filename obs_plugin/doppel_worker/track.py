"""One face that is followed from frame to frame."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from doppel_models.appearance import OTHER, OTHER_IN_ANY_LIGHT, SAME, colors_around, difference, reduced
from doppel_models.geometry import (
    LEFT_CHEEK,
    RIGHT_CHEEK,
    Roi,
    bbox_center,
    bbox_of,
    bbox_size,
    roi_from_landmarks,
    transform,
)
from doppel_models.landmarker import INPUT_SIZE, MIN_PRESENCE, FaceLandmarker
from doppel_models.one_euro import OneEuroFilter
from doppel_models.pose import head_pose
from doppel_models.types import Face, FloatArray

from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView

_CUTOFF = 1.5
"""Hz at smoothing 0.5; measured on webcam clips: jitter .29 -> .11 % of the face's width, lag .5 %."""
_JUMP = 0.5
"""A move between two frames of more than this part of the face's size starts the smoothing afresh."""
_DOUBT = 0.08
"""Difference from a person's usual looks, in any light, from which the detector must confirm the face."""
_SURE_SHARE = 0.8
"""Of ``_DOUBT``: below it is that face again, after it has been so for ``_SURE_AFTER``."""
_SURE_AFTER = 150_000_000
_NEW_LOOKS_AFTER = 3_000_000_000
"""How long a face must look otherwise, clearly and always alike, until that is how it usually looks."""
_CLEAR_PRESENCE, _ALIKE = 0.95, 0.05
_NOISE_NS, _NOISE_MAX = 1_000_000_000, 0.08
"""Sensor noise makes looks differ from frame to frame: its running mean (time constant in nanoseconds)
is added to the limits, up to so much."""
_REGION_NS, _DOUBTFUL_REGION_NS = 300_000_000, 2_000_000_000
"""Time constants with which the region of a face shrinks, nanoseconds; it grows at once."""
_LOOKS_EVERY = 300_000_000
_LOOKS_GAIN = 0.15
"""A person's usual looks are a running mean: so often (nanoseconds), with so much of the new ones."""
_MAX_GROWTH = 2.0
"""A face cannot grow or shrink more than this between two frames: the network has caught something else."""


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """What the landmark network says of one region of a frame."""

    landmarks: FloatArray
    """(478, 3) pixels of the frame."""
    bbox: FloatArray
    """(4,) of the landmarks."""
    presence: float
    """0..1."""
    appearance: FloatArray
    """See ``doppel_models.appearance``."""

    @property
    def found(self) -> bool:
        """True where the region shows a face."""
        # The sum is finite only if every number is.
        return self.presence >= MIN_PRESENCE and math.isfinite(float(self.landmarks.sum()))


def measure(frame: FrameView, compositor: Compositor, landmarker: FaceLandmarker, roi: Roi) -> Measurement:
    """Run the landmark network on a region of a frame."""
    matrix = roi.matrix(INPUT_SIZE)
    crop = compositor.sample(frame, matrix, (INPUT_SIZE, INPUT_SIZE))
    small = reduced(crop)
    result = landmarker.run(crop)
    looks = colors_around(small, result.points, INPUT_SIZE)
    landmarks = transform(roi.inverse_matrix(INPUT_SIZE), result.points)
    return Measurement(landmarks, bbox_of(landmarks), result.presence, looks)


class Track:
    """The state of one followed face. Times are nanoseconds of the tracker's own clock."""

    def __init__(self, track_id: int, measurement: Measurement, now: int) -> None:
        self.track_id = track_id
        self.landmarks = measurement.landmarks
        """(478, 3) as the network gave them last."""
        self.bbox = measurement.bbox
        """(4,) of the last landmarks."""
        self.region = self.bbox
        """(4,) around where the face was lately: landmarks slip just before a face is lost."""
        self.presence = measurement.presence
        self.last_seen = now
        self.confirmed = now
        """When the face last looked as usual, or the detector agreed that it is one."""
        self.maybe_seen = now
        """When something like a face was last seen where this one was lost."""
        self.doubtful = False
        """The face does not look as usual: something is before it, or the landmarks lie beside it."""
        self._sure_since: int | None = None
        self._alike_since = now
        self._noise, self._seen_times = 0.0, 1
        self._unlike_of: tuple[Measurement, float] | None = None
        self._change_of: tuple[Measurement, float] | None = None
        """Of the measurement that was asked about last: it is asked about several times."""
        self._looks = measurement.appearance
        self._usual_looks = measurement.appearance
        self._looked_at = now
        self._filter = OneEuroFilter()
        self._smoothed = self.landmarks
        self._smoothed_at = now

    @property
    def roi(self) -> Roi:
        """Where to look for the face in the next frame."""
        return roi_from_landmarks(self.landmarks, self.bbox)

    def accepts(self, measurement: Measurement, frame: FrameView) -> bool:
        """True if this can be the same face one frame later."""
        if not measurement.found or self._is_of_somebody_else(measurement):
            return False
        size, x, y = bbox_size(measurement.bbox), *bbox_center(measurement.bbox)
        before = bbox_size(self.bbox)
        inside = (
            -0.25 * size <= x <= frame.width + 0.25 * size and -0.25 * size <= y <= frame.height + 0.25 * size
        )
        return inside and before / _MAX_GROWTH <= size <= before * _MAX_GROWTH

    def _is_of_somebody_else(self, measurement: Measurement) -> bool:
        if self.differs(measurement) < OTHER:
            return False
        return difference(self._looks, measurement.appearance, any_light=True) >= OTHER_IN_ANY_LIGHT

    def is_doubtful(self, measurement: Measurement) -> bool:
        """True if the points may lie on something before the face: it does not look as usual."""
        return self._unlike(measurement) >= _DOUBT + self._noise

    def _unlike(self, measurement: Measurement) -> float:
        """From the usual looks, in any light."""
        if self._unlike_of is None or self._unlike_of[0] is not measurement:
            unlike = difference(self._usual_looks, measurement.appearance, any_light=True)
            self._unlike_of = measurement, unlike
        return self._unlike_of[1]

    def _change(self, measurement: Measurement) -> float:
        """From the last looks."""
        if self._change_of is None or self._change_of[0] is not measurement:
            self._change_of = measurement, difference(self._looks, measurement.appearance)
        return self._change_of[1]

    def differs(self, measurement: Measurement) -> float:
        """How unlike this person a measured face looks; see ``doppel_models.appearance``."""
        last = self._change(measurement)
        return last if last < SAME else min(last, difference(self._usual_looks, measurement.appearance))

    def take(self, measurement: Measurement, now: int) -> None:
        """Go on with a measurement that was accepted."""
        (x0, y0), (x1, y1) = bbox_center(self.bbox), bbox_center(measurement.bbox)
        if math.hypot(x1 - x0, y1 - y0) > _JUMP * bbox_size(self.bbox):
            self.reset_smoothing()
        self.landmarks, self.bbox, self.presence = (
            measurement.landmarks,
            measurement.bbox,
            measurement.presence,
        )
        self._judge_looks(measurement, now)
        shrinking = _DOUBTFUL_REGION_NS if self.doubtful else _REGION_NS
        keep = math.exp((self.last_seen - now) / shrinking)
        # Plain floats: for four numbers NumPy's functions take longer to be called than to run.
        box = self.bbox.tolist()
        kept = [at + keep * (was - at) for at, was in zip(box, self.region.tolist(), strict=True)]
        (left, top), (right, bottom) = map(min, kept[:2], box[:2]), map(max, kept[2:], box[2:])
        self.region = np.array([left, top, right, bottom], np.float32)
        if now - self._looked_at >= _LOOKS_EVERY:
            self._looked_at = now
            if difference(self._usual_looks, measurement.appearance) < SAME:
                change = measurement.appearance - self._usual_looks
                self._usual_looks = self._usual_looks + np.float32(_LOOKS_GAIN) * change
        self._looks = measurement.appearance
        self.last_seen = self.maybe_seen = now
        if not self.is_doubtful(measurement):
            self.confirmed = now
        self._unlike_of = self._change_of = None

    def _judge_looks(self, measurement: Measurement, now: int) -> None:
        """Keep :attr:`doubtful`."""
        unlike, change = self._unlike(measurement), self._change(measurement)
        clear = measurement.presence >= _CLEAR_PRESENCE
        if not clear or change > _ALIKE + self._noise:
            self._alike_since = now
        self._seen_times += 1
        share = max(1 / self._seen_times, 1 - math.exp((self.last_seen - now) / _NOISE_NS))
        self._noise = min(self._noise + (change - self._noise) * share, _NOISE_MAX)
        doubt = _DOUBT + self._noise
        if unlike >= doubt and not self.doubtful:
            self.doubtful, self._alike_since = True, now
        if unlike >= _SURE_SHARE * doubt:
            self._sure_since = None
        elif self._sure_since is None:
            self._sure_since = now
        if not self.doubtful:
            return
        if self._sure_since is not None and now - self._sure_since >= _SURE_AFTER:
            self.doubtful = False
        elif now - self._alike_since >= _NEW_LOOKS_AFTER:
            self.doubtful = False
            self._usual_looks = measurement.appearance

    def reset_smoothing(self) -> None:
        """Let the next landmarks pass unsmoothed: the face jumped, or the scene did."""
        self._filter.reset()

    def rescale(self, factor_x: float, factor_y: float) -> None:
        """Carry the face over to a frame of another size."""
        factor = np.array([factor_x, factor_y, (factor_x + factor_y) / 2], np.float32)
        # Pixel centres lie half a pixel from the frame's corner.
        corner = np.array([0.5, 0.5, 0], np.float32)
        self.landmarks = (self.landmarks + corner) * factor - corner
        self.bbox = self.region = bbox_of(self.landmarks)
        self.reset_smoothing()

    def face(self, now: int, smoothing: float) -> Face:
        """The face of this frame; call once a frame."""
        if smoothing == 0:
            self._smoothed = self.landmarks
        else:
            self._filter.min_cutoff = _CUTOFF * 4 ** (1 - 2 * smoothing)
            seconds = max(1e-3, (now - self._smoothed_at) / 1e9)
            unit = math.dist(self.landmarks[LEFT_CHEEK].tolist(), self.landmarks[RIGHT_CHEEK].tolist())
            self._smoothed = self._filter(self.landmarks, seconds, max(unit, 1.0))
        self._smoothed_at = now
        pose = head_pose(self._smoothed)
        return Face(
            track_id=self.track_id,
            bbox=bbox_of(self._smoothed),
            landmarks=self._smoothed,
            raw_landmarks=self.landmarks,
            yaw=pose.yaw,
            pitch=pose.pitch,
            roll=pose.roll,
            presence=self.presence,
        )
