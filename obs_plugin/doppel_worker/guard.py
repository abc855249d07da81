"""Which regions must not be seen although no face is swapped there (docs/architecture.md, section 5).

The tracker says which faces it follows and which it lost; this module decides what is done about every face
that is *not* followed, or of which more is seen than the landmarks hold:

- **lost** (hand, turn, missed): its last region, grown with time, until it returns or the tracker is sure of
  its absence; blurred, covered or shown as ``lost_face_policy`` says.
- **given up** (``faces=largest``, and a larger face took the place): it was hidden a moment ago, so it stays
  hidden, by the same policy, for as long as the detector sees it.
- **bystanders**: with ``faces=all`` the user wants every face swapped, so those beyond ``max_faces`` are
  blurred. With ``faces=largest`` other faces are shown: the user's choice - but not while no face is followed
  (lost, or found by the detector where the landmarks are not), because then one of them may be the user's.
- **blurred or shown by their part** (``casting``): several people are told apart, and this one is not to be
  swapped, or not known yet. Whoever is shown as filmed is nobody to this module.
- **turned away** past ``yaw_fade_end``: the profile of nose, lips and chin stands out beside the landmarks.
- **known from before** (the lane failed and started anew, or another device judges it now): like one that
  was given up. Of what another worker knew, only that there was a face: then it may be anywhere, and the
  whole frame is covered until a face is followed or its absence is sure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.geometry import bbox_center, bbox_size
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.compositor import Rect
from doppel_worker.face_memory import FaceMemory, FacePlaces
from doppel_worker.track_result import LostFace, TrackResult

_LOOKING = sentence("frame.looking", "looking for the face that was there")
_LOST = sentence("frame.lost", "the face is lost")
_NO_FACE = sentence("frame.no-face", "no face")
_LOST_SCALE = 1.6
"""Of the region to the landmarks' box, at first: with hair, ears and a frame's worth of motion."""
_LOST_GROWTH = 0.8
"""How much the scale grows in a second."""
_LOST_SCALE_MAX = 2.8
_BYSTANDER_SCALE = 1.7
"""The detector's box is from the last search, and tighter than a face."""
_LONG_LOST = _LOST_SCALE_MAX / _BYSTANDER_SCALE
"""Of the box of a face known from before: nobody saw how far it went, like that of one lost for long."""
_LONGEST_STEP_NS = 500_000_000
"""More between two frames is a jump or a pause: nobody saw that no face was there meanwhile."""
_TURNED_SCALE = 1.3
_SAME_PLACE = 1.2
"""A detection within so many face sizes is of the face that was given up there."""
_REMEMBERED_NS = 1_000_000_000
"""How long a bystander is taken to be where a search has seen it."""
_SOFT_EDGE = 3.0
"""Steepness of a region's edge: opaque from two thirds of the way out, everywhere."""


@dataclasses.dataclass(frozen=True, slots=True)
class Region:
    """Part of a frame to be blurred."""

    visible: Rect
    """What of it lies inside the frame; not empty."""
    box: Rect
    """All of it: its soft edges lie outside the frame where it reaches past the frame's."""

    def mask(self) -> ByteArray:
        """(visible.height, visible.width) uint8: opaque but for soft, rounded edges."""
        x = _from_middle(self.box.x0, self.box.x1, self.visible.x0, self.visible.x1)
        y = _from_middle(self.box.y0, self.box.y1, self.visible.y0, self.visible.y1)
        inside = (1 - x**4)[None, :] - (y**4)[:, None]
        return np.asarray(np.clip(inside * (255 * _SOFT_EDGE), 0, 255), np.uint8)


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What must be done about the faces that are not followed."""

    regions: tuple[Region, ...] = ()
    cover: bool = False
    """The whole frame must be covered."""
    shows_lost: bool = False
    """A lost face is shown, because the user chose so."""
    reason: str = ""


@dataclasses.dataclass(slots=True)
class _Seen:
    """A face that is not followed."""

    bbox: FloatArray
    seen_ns: int
    """When it was last followed or detected, by the frames' time stamps."""


class Guard:
    """Judges the faces of one lane.

    Args:
        memory: of the lane: what its guard before this one knew (default: nothing).
    """

    def __init__(self, memory: FaceMemory | None = None) -> None:
        self._memory = memory or FaceMemory()
        self._absent_ns = 0
        """For so long no face was found, by the frames' time stamps, while one may be anywhere."""
        self._followed: dict[int, FloatArray] = {}
        self._lost: dict[int, FloatArray] = {}
        self._given_up: list[_Seen] = []
        self._beside: list[_Seen] = []
        self._last_stamp: int | None = None

    def judge(
        self,
        tracked: TrackResult,
        settings: FilterSettings,
        width: int,
        height: int,
        timestamp_ns: int,
        *,
        blurred: Collection[int] = (),
        shown: Collection[int] = (),
    ) -> Decision:
        """Decide for one frame of ``width`` x ``height`` pixels; call once per frame, in order.

        Args:
            tracked: the frame's faces.
            settings: the lane's, as the tracker has them.
            width: of the frame.
            height: of the frame.
            timestamp_ns: the frame's.
            blurred: tracks of faces that are not to be seen, followed or lost, whatever the policies say.
            shown: tracks of faces that are shown as filmed, by the user's choice.
        """
        step = self._note_time(timestamp_ns)
        if shown:
            tracked = self._without(tracked, shown)
        self._note_given_up(tracked, settings, timestamp_ns)
        self._note_beside(tracked, timestamp_ns)
        if tracked.faces or self._absent_ns >= settings.lost_face_ms * 1_000_000:
            self._memory.somewhere = False
        self._absent_ns += step
        somewhere = self._memory.somewhere
        if somewhere and settings.lost_face_policy != "original":
            return Decision(cover=True, reason=_LOOKING)
        never = [_scaled(face.bbox, _LOST_SCALE) for face in tracked.faces if face.track_id in blurred]
        never += [_lost_box(lost) for lost in tracked.lost if lost.track_id in blurred]
        hidden = [_lost_box(lost) for lost in tracked.lost if lost.track_id not in blurred]
        hidden += [_scaled(one.bbox, _BYSTANDER_SCALE) for one in self._given_up]
        maybe_ours = settings.faces == "all" or not tracked.faces
        beside = [_scaled(one.bbox, _BYSTANDER_SCALE) for one in self._beside] if maybe_ours else []
        if hidden and settings.lost_face_policy == "cover":
            return Decision(cover=True, reason=_LOST)
        if settings.lost_face_policy == "original":
            shows_lost, hidden = bool(hidden) or somewhere, []
            if settings.faces != "all":
                beside = []
        else:
            shows_lost = False
        if settings.side_face_policy == "blur":
            turned = [face for face in tracked.faces if abs(face.yaw) >= settings.yaw_fade_end]
            beside += [_scaled(face.bbox, _TURNED_SCALE) for face in turned]
        if not tracked.faces and not never and not hidden and not beside and not shows_lost:
            return Decision(cover=settings.no_face_policy == "cover" and not shown, reason=_NO_FACE)
        regions = [_region(box, width, height) for box in never + hidden + beside]
        return Decision(regions=tuple(one for one in regions if one is not None), shows_lost=shows_lost)

    def _without(self, tracked: TrackResult, shown: Collection[int]) -> TrackResult:
        """All but those: nothing of them is hidden, and they were not given up either."""
        for track_id in shown:
            self._followed.pop(track_id, None)
            self._lost.pop(track_id, None)
        return dataclasses.replace(
            tracked,
            faces=tuple(face for face in tracked.faces if face.track_id not in shown),
            lost=tuple(face for face in tracked.lost if face.track_id not in shown),
        )

    def _note_time(self, now: int) -> int:
        """The time since the last frame, nanoseconds, as far as it was watched.

        After a jump back in time, what was seen later is taken as seen now.
        """
        before, self._last_stamp = self._last_stamp, now
        if before is None:
            # Only now: while its persona was loaded, nobody looked.
            places = self._memory.places
            self._given_up = [_Seen(_scaled(box, _LONG_LOST), now) for box in places.followed]
            self._given_up += [_Seen(box, now) for box in places.beside]
            return 0
        if now < before:
            for one in self._given_up + self._beside:
                one.seen_ns = now
        return min(max(now - before, 0), _LONGEST_STEP_NS)

    def _note_beside(self, tracked: TrackResult, now: int) -> None:
        """A search looks at one part of a wide frame after the other, so a face is not seen in each."""
        fresh = [_Seen(box, now) for box in tracked.bystanders]
        taken = [*tracked.bystanders, *(face.bbox for face in tracked.faces)]
        known = [
            one
            for one in self._beside
            if now - one.seen_ns <= _REMEMBERED_NS and not any(_near(box, one.bbox, 0.5) for box in taken)
        ]
        self._beside = fresh + known

    def _note_given_up(self, tracked: TrackResult, settings: FilterSettings, now: int) -> None:
        following = {face.track_id: face.bbox for face in tracked.faces}
        lost = {face.track_id: face.bbox for face in tracked.lost}
        for track_id, bbox in self._followed.items():
            if track_id not in following and track_id not in lost:
                self._given_up.append(_Seen(bbox, now))
        for track_id, bbox in self._lost.items():
            # The tracker forgets a lost face when its absence is sure - unless one is still seen there.
            forgotten = track_id not in following and track_id not in lost
            if forgotten and any(_near(box, bbox) for box in tracked.bystanders):
                self._given_up.append(_Seen(bbox, now))
        for one in self._given_up:
            near = [box for box in tracked.bystanders if _near(box, one.bbox)]
            if near:
                one.bbox, one.seen_ns = min(near, key=lambda box: _distance(box, one.bbox)), now
        self._given_up = [
            one
            for one in self._given_up
            if now - one.seen_ns <= settings.lost_face_ms * 1_000_000
            and not any(_near(box, one.bbox, 0.4) for box in following.values())
        ]
        self._followed, self._lost = following, lost
        self._memory.places = FacePlaces(
            (*following.values(), *lost.values()), tuple(one.bbox for one in self._given_up)
        )


def _from_middle(start: int, end: int, first: int, last: int) -> FloatArray:
    """Pixels ``first`` .. ``last`` of an interval, -1 at its start to 1 at its end."""
    at = (np.arange(first, last, dtype=np.float32) + 0.5 - start) / (end - start)
    return np.asarray(at * 2 - 1, np.float32)


def _lost_box(lost: LostFace) -> FloatArray:
    scale = min(_LOST_SCALE_MAX, _LOST_SCALE + _LOST_GROWTH * lost.lost_ms / 1000)
    return _scaled(lost.bbox, scale)


def _scaled(bbox: FloatArray, scale: float) -> FloatArray:
    """A square box around the same middle, ``scale`` times the longer side."""
    x, y = bbox_center(bbox)
    half = bbox_size(bbox) * scale / 2
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def _region(bbox: FloatArray, width: int, height: int) -> Region | None:
    """The box on even pixels; None if no part of it lies inside a frame of that size."""
    limit = 3.0 * max(width, height)
    x0, y0, x1, y1 = (int(value) for value in np.clip(np.rint(bbox), -limit, limit))
    box = Rect(x0 & ~1, y0 & ~1, (x1 + 1) & ~1, (y1 + 1) & ~1)
    visible = box.clipped(width, height)
    return Region(visible, box) if visible.width > 0 and visible.height > 0 else None


def _distance(a: FloatArray, b: FloatArray) -> float:
    (x0, y0), (x1, y1) = bbox_center(a), bbox_center(b)
    return float(np.hypot(x1 - x0, y1 - y0))


def _near(box: FloatArray, other: FloatArray, sizes: float = _SAME_PLACE) -> bool:
    return _distance(box, other) < sizes * max(bbox_size(box), bbox_size(other))
