"""What is known of faces that must stay hidden, for whoever judges a lane's frames next.

A lane's processor is replaced when it failed or when the lane goes to another device, and a worker when it
was killed. A face that is half hidden by a hand at that moment is found by no detector: the successor would
take the picture for one of an empty room and show it as filmed.
"""

from __future__ import annotations

import dataclasses

from doppel_models.types import FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class FacePlaces:
    """Where faces of the last judged frame may be; boxes (4,), pixels of the frame."""

    followed: tuple[FloatArray, ...] = ()
    """Followed or lost."""
    beside: tuple[FloatArray, ...] = ()
    """Given up for another face, and hidden all the same."""


class FaceMemory:
    """Of one lane, for as long as it lives; one thread. The guard writes it, and its successor reads it.

    Args:
        face_lately: a worker before this one had a face in its last frames; nobody knows where.
    """

    def __init__(self, *, face_lately: bool = False) -> None:
        self.somewhere = face_lately
        """A face may be anywhere in the frame."""
        self.places = FacePlaces()
