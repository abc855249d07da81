"""Draws a planned face on the processor."""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models import canonical, channels
from doppel_models.engines.base import CropReader, SwapResult
from doppel_models.engines.mesh import features, imaging, raster
from doppel_models.engines.mesh.plan import Plan
from doppel_models.types import ByteArray, FloatArray


class Drawing:
    """Draws one face after the other, into memory that is used again."""

    def __init__(self) -> None:
        """Prepare the mesh."""
        face = canonical.load()
        self._triangles, self._uv = face.triangles, raster.covering(face.uv)
        self._canvas = imaging.Canvas()

    def draw(self, plan: Plan, crop: ByteArray | CropReader, lit: ByteArray | None) -> SwapResult:
        """The swapped face, valid until the next one.

        Args:
            plan: what is to be drawn.
            crop: the live face.
            lit: :func:`lit_texture` of the plan; None where nothing is swapped.
        """
        drawn = channels.split(raster.rasterize(plan.map_points, self._uv, self._triangles, *plan.map_size))
        coverage = drawn[2]
        cover = imaging.resize(_bytes(coverage), plan.size) if plan.fade > 0 else None
        if plan.mask is None or lit is None:
            nothing = np.zeros(plan.size[::-1], np.uint8)
            return SwapResult(self._canvas.picture(plan.size), nothing, plan.fade, cover)
        # Where the mesh is not, both coordinates are 0: the masks' corner, which is empty.
        mask_small = _bytes(imaging.sample(plan.mask, drawn[:2]) * imaging.box(coverage, 3))
        mask = imaging.resize(mask_small, plan.size)
        rgb = self._canvas.texture(lit, imaging.continued(drawn), mask_small, plan.size)
        features.lay(crop, rgb, plan.patches)
        veil = None
        if plan.veil is not None:
            veil = imaging.resize(_bytes(imaging.sample(plan.veil, drawn[:2])), plan.size)
        return SwapResult(rgb, mask, plan.fade, cover, veil)


def lit_texture(plan: Plan) -> ByteArray:
    """The plan's texture under the live light, padded (:func:`imaging.padded`).

    Raises:
        ValueError: the plan has none.
    """
    if plan.texture is None:
        raise ValueError("nothing is swapped, so there is no texture")
    texture = plan.texture if plan.gain is None else imaging.multiply(plan.texture, plan.gain)
    return imaging.padded(texture)


def _bytes(share: FloatArray) -> ByteArray:
    """0..1 as 0..255."""
    return np.asarray(cv2.convertScaleAbs(share, alpha=255), np.uint8)
