"""Casting by scripted tracks: faces are boxes here, and no network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.types import Face
from doppel_worker.casting import Casting, Fate, Part
from doppel_worker.likeness import Likeness
from doppel_worker.people import People
from doppel_worker.track_result import LostFace, TrackResult

WIDTH = 1000
FRAME = 33_000_000
SETTLING = 12
"""Frames that are enough for a face to get its part."""
FIRST, SECOND = Part(Fate.PERSON, 1), Part(Fate.PERSON, 2)
Places = Mapping[int, float]


def box(x: float, size: float = 100) -> np.ndarray:
    return np.array([x - size / 2, 200, x + size / 2, 200 + size], np.float32)


def face(track_id: int, x: float, size: float) -> Face:
    points = np.zeros((478, 3), np.float32)
    return Face(track_id, box(x, size), points, points, yaw=0.0, pitch=0.0, roll=0.0, presence=1.0)


def nobody(_face: Face) -> Likeness:
    raise AssertionError("there is no picture to compare with")


class Room:
    """A casting that is told who stands where (x of the middle, by track)."""

    def __init__(self, **settings: object) -> None:
        self.casting = Casting()
        self.settings = FilterSettings(faces="all").replace(**settings)
        self.stamp = 0
        self.recognise: Callable[[Face], Likeness] = nobody
        self.sizes: dict[int, float] = {}

    def show(
        self,
        places: Places,
        frames: int = 1,
        *,
        lost: Places | None = None,
        gone: frozenset[int] = frozenset(),
    ) -> Mapping[int, Part]:
        """The parts in the last of so many frames."""
        for _ in range(frames):
            self.stamp += FRAME
            result = TrackResult(
                faces=tuple(face(one, x, self.sizes.get(one, 100)) for one, x in places.items()),
                lost=tuple(
                    LostFace(one, box(x), np.zeros((478, 3), np.float32), 50.0)
                    for one, x in (lost or {}).items()
                ),
                bystanders=(),
                ran_detector=True,
                known=frozenset(places) | frozenset(lost or {}) | gone,
            )
            people = People.of(self.settings)
            parts = self.casting.assign(result, people, WIDTH, self.stamp, self.recognise)
        return parts


LEFT_AND_RIGHT = {"person1_who": "leftmost", "person2_who": "rightmost"}


def watch(room: Room, followed: Places, *, lost: Places | None = None) -> bool:
    room.stamp += FRAME
    hidden = tuple(LostFace(one, box(x), np.zeros((478, 3)), 50.0) for one, x in (lost or {}).items())
    faces = tuple(face(one, x, 100) for one, x in followed.items())
    known = frozenset(followed) | frozenset(lost or {})
    return room.casting.watch(TrackResult(faces, hidden, (), ran_detector=False, known=known), room.stamp)
