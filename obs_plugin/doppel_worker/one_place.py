"""With every ``faces`` but ``all`` one face is followed: which one, and when another one takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from doppel_models.geometry import bbox_center, bbox_size
from doppel_models.types import Detection, FloatArray

from doppel_worker.same_place import explains, near
from doppel_worker.track import Track

_SIDES = {"leftmost": -1.0, "rightmost": 1.0}
"""Which way is better."""
PATIENCE = 500_000_000
"""How long a lost face keeps its place before another one takes it, nanoseconds."""
_LARGER = 1.3
"""Another face must be this much larger to take the place of the largest one, ..."""
_FURTHER = 0.5
"""... or further to the side by this share of the followed face's size, for ``PATIENCE``."""


class OnePlace:
    """Who may take the place of the face that is followed."""

    def __init__(self) -> None:
        self._better_since: int | None = None
        self._wanted = "largest"
        self._takeover = 0.0

    def note(
        self,
        target: Track | None,
        free: Sequence[Detection],
        detections: Iterable[Detection],
        now: int,
        wanted: str,
    ) -> None:
        """Keep the time for which another face has been much larger than the followed one, or beyond it.

        Args:
            target: the face that is followed, if one is.
            free: detections of other faces.
            detections: all detections.
            now: nanoseconds of the tracker's clock.
            wanted: the setting ``faces``.
        """
        if target is None or wanted != self._wanted:
            self._better_since, self._wanted = None, wanted
        if target is None:
            return
        # As the detector sees it, so that like is compared with like.
        own = max(
            (one.bbox for one in detections if explains(target, one)), key=bbox_size, default=target.bbox
        )
        self._takeover = _least_to_take_over(own, wanted)
        if not any(rank(one.bbox, wanted) >= self._takeover for one in free):
            self._better_since = None
        elif self._better_since is None:
            self._better_since = now

    def goes_to(self, detection: Detection, now: int) -> bool:
        """True if a better face has waited long enough."""
        waited = self._better_since is not None and now - self._better_since >= PATIENCE
        return waited and rank(detection.bbox, self._wanted) >= self._takeover

    def taken(self) -> None:
        """Another face has the place now."""
        self._better_since = None

    @staticmethod
    def is_kept(detection: Detection, lost: Iterable[Track], now: int) -> bool:
        """True while a face has been lost so lately that a stranger elsewhere must wait."""
        waiting = [track for track in lost if now - track.last_seen < PATIENCE]
        return bool(waiting) and not any(near(track, detection) for track in waiting)


def takes_over(bbox: FloatArray, own: FloatArray, wanted: str) -> bool:
    """True if a face fits the setting ``faces`` so much better that it takes the place of ``own`` in time."""
    return rank(bbox, wanted) >= _least_to_take_over(own, wanted)


def _least_to_take_over(own: FloatArray, wanted: str) -> float:
    if wanted in _SIDES:
        return rank(own, wanted) + _FURTHER * bbox_size(own)
    return _LARGER * rank(own, wanted)


def rank(bbox: FloatArray, wanted: str) -> float:
    """How well a box fits the setting ``faces``, pixels: the larger the better."""
    return _SIDES[wanted] * bbox_center(bbox)[0] if wanted in _SIDES else bbox_size(bbox)
