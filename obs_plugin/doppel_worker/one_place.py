"""With ``faces=largest`` one face is followed: when another one takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from doppel_models.geometry import bbox_size
from doppel_models.types import Detection

from doppel_worker.same_place import explains, near
from doppel_worker.track import Track

PATIENCE = 500_000_000
"""How long a lost face keeps its place before another one takes it, nanoseconds."""
_LARGER = 1.3
"""Another face must be this much larger, for ``PATIENCE``, to take the place."""


class OnePlace:
    """Who may take the place of the face that is followed."""

    def __init__(self) -> None:
        self._larger_since: int | None = None
        self._takeover_size = 0.0

    def note(
        self, target: Track | None, free: Sequence[Detection], detections: Iterable[Detection], now: int
    ) -> None:
        """Keep the time for which another face has been much larger than the one that is followed.

        Args:
            target: the face that is followed, if one is.
            free: detections of other faces.
            detections: all detections.
            now: nanoseconds of the tracker's clock.
        """
        if target is None:
            self._larger_since = None
            return
        sizes = [bbox_size(one.bbox) for one in detections if explains(target, one)]
        self._takeover_size = _LARGER * max(sizes, default=bbox_size(target.bbox))
        if not any(bbox_size(one.bbox) >= self._takeover_size for one in free):
            self._larger_since = None
        elif self._larger_since is None:
            self._larger_since = now

    def goes_to(self, detection: Detection, now: int) -> bool:
        """True if a larger face has waited long enough."""
        waited = self._larger_since is not None and now - self._larger_since >= PATIENCE
        return waited and bbox_size(detection.bbox) >= self._takeover_size

    def taken(self) -> None:
        """Another face has the place now."""
        self._larger_since = None

    @staticmethod
    def is_kept(detection: Detection, lost: Iterable[Track], now: int) -> bool:
        """True while a face has been lost so lately that a stranger elsewhere must wait."""
        waiting = [track for track in lost if now - track.last_seen < PATIENCE]
        return bool(waiting) and not any(near(track, detection) for track in waiting)
