"""A persona with a texture, a hidden forehead and proportions of its own."""

from __future__ import annotations

import functools

import numpy as np
from doppel_models import face_texture
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.engines.mesh.shape import HeadFrame

from tests.support.portrait import astronaut


@functools.cache
def portrait_persona() -> MeshPersona:
    """The astronaut, longer in the face, with skin that only half of the forehead shows."""
    portrait = astronaut()
    view = face_texture.unwrap(portrait.rgb, portrait.landmarks)
    texture, _ = face_texture.fill(view.texture, view.weight)
    known = np.full(texture.shape[:2], 255, np.uint8)
    known[: known.shape[0] // 5, : known.shape[1] // 2] = 0
    shape = HeadFrame.of(portrait.landmarks).shape_of(portrait.landmarks) * np.float32([1.06, 0.95, 1.0])
    return MeshPersona(np.clip(texture, 0, 255).astype(np.uint8), known, np.asarray(shape, np.float32))
