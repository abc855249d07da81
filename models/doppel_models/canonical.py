"""The canonical face: MediaPipe's neutral head model with texture coordinates and triangles."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from doppel_models import weights
from doppel_models.errors import WeightsError
from doppel_models.types import FloatArray

VERTEX_COUNT = 468
"""The mesh without the ten points of the two irises, which the landmark network appends."""


@dataclasses.dataclass(frozen=True, slots=True)
class CanonicalFace:
    """The neutral face. Arrays are read-only."""

    vertices: FloatArray
    """(468, 3) in the landmarks' axes: x to the picture's right, y down, z away from the camera; in cm."""
    uv: FloatArray
    """(468, 2) u right, v down, 0..1, so that ``uv * (width, height)`` are positions in a texture."""
    triangles: npt.NDArray[np.int32]
    """(898, 3) vertex indices."""


@functools.cache
def load() -> CanonicalFace:
    """The canonical face.

    Raises:
        WeightsError: the bundled file is missing or damaged.
    """
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    triangles: list[list[int]] = []
    uv_of_vertex = np.full(VERTEX_COUNT, -1)
    for line in weights.CANONICAL_FACE.read().decode("ascii").splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            x, y, z = map(float, values)
            # The file has y up and z towards the camera.
            vertices.append([x, -y, -z])
        elif kind == "vt":
            u, v = map(float, values[:2])
            # In the file v runs upwards.
            uv.append([u, 1 - v])
        elif kind == "f":
            corners = [[int(number) - 1 for number in value.split("/")[:2]] for value in values]
            triangles.append([vertex for vertex, _ in corners])
            for vertex, texture in corners:
                uv_of_vertex[vertex] = texture
    if len(vertices) != VERTEX_COUNT or (uv_of_vertex < 0).any():
        raise WeightsError(f"{weights.CANONICAL_FACE.name} does not hold {VERTEX_COUNT} textured vertices")
    arrays = (
        np.array(vertices, np.float32),
        np.array(uv, np.float32)[uv_of_vertex],
        np.array(triangles, np.int32),
    )
    for array in arrays:
        array.setflags(write=False)
    return CanonicalFace(*arrays)
