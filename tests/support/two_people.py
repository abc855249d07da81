"""A picture of two people side by side, and what was made of each."""

from __future__ import annotations

import numpy as np
from doppel_models.types import ByteArray
from doppel_worker.assets import PersonaKey
from doppel_worker.compositor import Rect

from tests.support.stage import SIZE, Stage, compositor
from tests.support.tracked_lane import ANNA, BEA, scene

LEFT, RIGHT = (170.0, 180.0), (470.0, 180.0)
FACE_PX = 130.0
Place = tuple[float, float]


def two(anna: Place = LEFT, bea: Place = RIGHT) -> ByteArray:
    return scene((ANNA, anna, FACE_PX), (BEA, bea, FACE_PX))


def around(place: Place) -> Rect:
    x, y = (round(value) for value in place)
    return Rect(x - 40, y - 50, x + 40, y + 50)


def read(stage: Stage, place: Place) -> np.ndarray:
    return compositor.read(stage.frame, around(place)).astype(float)


def looks_like(stage: Stage, place: Place, names: tuple[str, ...] = ("bronze", "porcelain")) -> str:
    """The persona whose swap of the very same picture the place resembles most."""
    rgb = compositor.read(stage.before, Rect(0, 0, *SIZE))
    apart = {}
    for name in names:
        alone = Stage(faces="all", persona=name)
        alone.loader.wait(PersonaKey(name))
        alone.show(rgb)
        apart[name] = float(np.abs(read(alone, place) - read(stage, place)).mean())
    return min(apart, key=lambda name: apart[name])


def untouched(stage: Stage, place: Place) -> bool:
    return bool(
        (compositor.read(stage.frame, around(place)) == compositor.read(stage.before, around(place))).all()
    )
