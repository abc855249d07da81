"""What the tracker says of one frame."""

from __future__ import annotations

import dataclasses

from doppel_models.types import Face, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class LostFace:
    """A face that was followed and is not seen now, or not as usual: something may be before it."""

    track_id: int
    bbox: FloatArray
    """(4,) around where it was lately, pixels of the frame; not smaller than the last landmarks."""
    landmarks: FloatArray
    """(478, 3) as last seen."""
    lost_ms: float
    """Time since it was last seen."""


@dataclasses.dataclass(frozen=True, slots=True)
class TrackResult:
    """What one frame shows."""

    faces: tuple[Face, ...]
    """The faces to swap, largest first."""
    lost: tuple[LostFace, ...]
    """Faces that may still be there unseen; each is listed until it returns, another face is found in its
    place, or its confident absence reaches ``lost_face_ms``."""
    bystanders: tuple[FloatArray, ...]
    """Boxes (4,) of faces seen in the last search that are not followed: not to be swapped (see ``faces`` and
    ``max_faces``), seen by a detector alone, or too faint to be sure of."""
    ran_detector: bool
    known: frozenset[int] = frozenset()
    """Identities that a face may still have: those above, and of people who were seen lately."""
