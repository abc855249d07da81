"""Light: brings the persona's texture under the light of the live face, in a small texture map.

The logarithm of the ratio between the live face and the persona's texture is fitted robustly by first-order
spherical harmonics of the face's normals (R. Ramamoorthi, P. Hanrahan, "An Efficient Representation for
Irradiance Environment Maps", SIGGRAPH 2001). A fit of higher order, or a blurred ratio, follows the light no
better but carries the live person's own colouring over, and with it the live person's looks: dlib's distance
to the persona rose from .44 to .52 on webcam clips. Along the outline what is left of the ratio is followed
within soft limits, so that the skin meets its surroundings without a seam.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from doppel_models import canonical, channels
from doppel_models.engines.mesh import imaging, masks, regions, uv
from doppel_models.types import ByteArray, FloatArray

SIZE = masks.SIZE
"""Texels of the light map's side."""
_TERMS = 4
_ONE_EACH = np.eye(_TERMS, dtype=np.float32)
_FIT_STEP = 2
_ROUNDS = 3
_RIDGE = 2e-3
_HUBER = 0.12
_MIN_WEIGHT = 30.0
# The difference between the face's halves is light. From top to bottom, and from the middle to the sides, it
# is as much the face's own colouring (beard, cheeks), which belongs to the persona.
_SIDE_SHARE = 0.85
_UP_SHARE = 0.28
_EDGE_SIGMA = 0.05 * SIZE
_EDGE_LIMIT = 0.35
# Natural logarithms. A dark room may take all light; what a photo hardly holds cannot be multiplied for ever.
_DARKEN_LIMIT, _GAIN_LIMIT = 3.5, 1.6
_DARKEN_COLOR_LIMIT, _COLOR_LIMIT = 1.5, 0.9
_OFFSET = 4.0
"""Added to colours 0..255 before their logarithm is taken."""
_SETTLE_SECONDS = (0.08, 0.5)
_UNREST = (0.04, 0.15)
"""Changes of the mean gain, natural logarithm: below the first is noise, above the second a new light."""
_USUAL_BRIGHTNESS = float(np.log(150 + 4))
"""Of skin in good light: there a mask shows its own brightness."""
_MASK_SHARE = 0.7
_MEAN = np.full((1, 3), 1 / 3)
_TEXEL_SHARE = np.full(SIZE * SIZE, 1 / (SIZE * SIZE), np.float32)


@functools.cache
def vertex_normals() -> FloatArray:
    """(468, 3) unit normals of the canonical face, pointing out of the head."""
    face = canonical.load()
    corner = face.vertices[face.triangles]
    facet = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.zeros_like(face.vertices)
    for k in range(3):
        np.add.at(normals, face.triangles[:, k], facet)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.float32)


@functools.cache
def basis() -> FloatArray:
    """(SIZE * SIZE, 4) spherical harmonics up to order one, without their constant factors."""
    normals = uv.grid(SIZE).interpolate(vertex_normals())
    normals = imaging.blur(normals, 2.0)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    x, y, z = (normals[:, :, k].reshape(-1) for k in range(3))
    one = np.ones_like(x)
    return np.stack([one, x, y, z], axis=1).astype(np.float32)


@functools.cache
def skin_weight() -> FloatArray:
    """(SIZE, SIZE) float32: 1 on bare skin of the mesh, 0 on eyes, brows, mouth and beside the mesh."""
    grid = uv.grid(SIZE)
    weight = grid.inside.astype(np.float32)
    weight = np.asarray(cv2.erode(weight, np.ones((3, 3), np.uint8)), np.float32)
    for outline in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.LIPS):
        weight *= 1 - cv2.dilate(grid.polygon(outline), np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    for brow in (regions.RIGHT_BROW, regions.LEFT_BROW):
        hull = cv2.convexHull(brow_points(brow))[:, 0]
        canvas = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillConvexPoly(canvas, np.rint(hull).astype(np.int32), 255)
        weight *= 1 - canvas.astype(np.float32) / 255
    return weight


def brow_points(brow: regions.Indices) -> FloatArray:
    """Texel positions of a brow's points in the light map."""
    return np.asarray(canonical.load().uv[brow] * SIZE - 0.5, np.float32)


def log_texture(texture: ByteArray | FloatArray) -> FloatArray:
    """The logarithm of colours 0..255, kept finite in the dark."""
    if texture.dtype == np.uint8:
        return np.asarray(cv2.LUT(texture, _logarithms()), np.float32)
    return np.asarray(cv2.log(texture.astype(np.float32) + _OFFSET), np.float32)


@functools.cache
def _logarithms() -> FloatArray:
    """(256,) of all bytes."""
    return log_texture(np.arange(256, dtype=np.float32))


class Relight:
    """The light of one live face over one persona's texture, steady over time."""

    def __init__(self) -> None:
        """Know nothing."""
        self.gain: FloatArray | None = None
        """(SIZE, SIZE, 3) float32: what the persona's colours are multiplied by; None: not known yet."""
        self._log_gain: FloatArray | None = None
        """(3, SIZE, SIZE): plane by plane, a weight per texel is multiplied in a fraction of the time."""

    def reset(self) -> None:
        """Forget the light."""
        self.gain = self._log_gain = None

    def update(
        self,
        live_log: FloatArray,
        persona_log: FloatArray | None,
        weight: FloatArray,
        edge: FloatArray,
        seconds: float,
    ) -> None:
        """Take in a frame; sets :attr:`gain`.

        Args:
            live_log: (SIZE, SIZE, 3) :func:`log_texture` of the live face in texture space.
            persona_log: (SIZE, SIZE, 3) :func:`log_texture` of the persona's texture; None for a mask, whose
                own colour stays: only brightness and direction of the light are followed.
            weight: (SIZE, SIZE) 0..1, where both show bare skin.
            edge: (SIZE, SIZE) 0..1, where the swapped skin must meet the live one (:func:`edge_of`).
            seconds: since the last frame.
        """
        if persona_log is None:
            brightness = cv2.transform(live_log - np.float32(_USUAL_BRIGHTNESS), _MEAN * _MASK_SHARE)
            target = _target(np.stack([brightness] * 3).astype(np.float32), weight, None)
        else:
            target = _target(channels.split(live_log - persona_log), weight, edge)
        if self._log_gain is None:
            self._log_gain = target
        else:
            # Slowly for the camera's own unrest, fast when a lamp is switched.
            apart = (target - self._log_gain).reshape(3, -1) @ _TEXEL_SHARE
            change = max(abs(part) for part in apart.tolist())
            calm = 1 - min(max((change - _UNREST[0]) / (_UNREST[1] - _UNREST[0]), 0.0), 1.0)
            settle = _SETTLE_SECONDS[0] + (_SETTLE_SECONDS[1] - _SETTLE_SECONDS[0]) * calm
            share = 1 - math.exp(-seconds / settle)
            cv2.accumulateWeighted(target, self._log_gain, share)
        gain: FloatArray = np.exp(self._log_gain)
        if persona_log is not None:
            _take_offset(gain, persona_log, weight)
        self.gain = np.asarray(cv2.merge(list(gain)), np.float32)


def _take_offset(gain: FloatArray, persona_log: FloatArray, weight: FloatArray) -> None:
    """Make the gain (3, SIZE, SIZE) of colours with the logarithm's offset that of colours without it.

    In the dark they differ much.
    """
    sub = slice(None, None, _FIT_STEP)
    share = np.ascontiguousarray(weight[sub, sub]).reshape(-1)
    total = float(share.sum())
    if total < _MIN_WEIGHT:
        return
    skin = np.exp(share @ persona_log[sub, sub].reshape(-1, 3) / total) - np.float32(_OFFSET)
    part = np.float32(_OFFSET) / np.maximum(skin, np.float32(2 * _OFFSET))
    # gain + (gain - 1) * part, colour by colour.
    gain *= (part + 1)[:, None, None]
    gain -= part[:, None, None]
    np.maximum(gain, np.float32(0), out=gain)


def _target(ratio: FloatArray, weight: FloatArray, edge: FloatArray | None) -> FloatArray:
    """(3, SIZE, SIZE) the logarithm of the gain that this frame asks for, from that of the ratio."""
    sub = slice(None, None, _FIT_STEP)
    w0 = np.ascontiguousarray(weight[sub, sub]).reshape(-1)
    total = float(w0.sum())
    if total < _MIN_WEIGHT:
        return np.zeros_like(ratio)
    sample = _fit_basis()
    mean = (sample @ w0) / np.float32(total)
    # With centred terms the constant one is the skin tone, whatever is kept of the others.
    mean[0] = 0
    b = sample - mean[:, None]
    r = ratio[:, sub, sub].reshape(3, -1)
    ridge = _ONE_EACH * np.float32(_RIDGE * total)
    w = w0
    coefficients = np.zeros((_TERMS, 3), np.float32)
    for _ in range(_ROUNDS):
        weighted = b * w
        coefficients = imaging.solve(weighted @ b.T + ridge, weighted @ r.T)
        error = np.abs(r - coefficients.T @ b).max(axis=0)
        w = w0 * np.minimum(np.float32(1), np.float32(_HUBER) / np.maximum(error, np.float32(1e-6)))
    coefficients *= _shares()[:, None]
    coefficients[0] -= mean @ coefficients
    fit = (coefficients.T @ _basis_rows()).reshape(3, SIZE, SIZE)
    if edge is None:
        return _limited(fit, -_DARKEN_LIMIT, _GAIN_LIMIT)
    rest = _limited(ratio - fit, -_EDGE_LIMIT, _EDGE_LIMIT)
    rest *= weight
    stacked = imaging.blur_near(np.asarray(cv2.merge([*rest, weight]), np.float32), _EDGE_SIGMA)
    blurred = channels.split(stacked)
    local, near = blurred[:3], blurred[3]
    local *= edge / (near + np.float32(0.05))
    local += fit
    gain = _limited(local, -_DARKEN_LIMIT, _GAIN_LIMIT)
    # A colour that the photo hardly holds cannot be brought back: it would be noise.
    gray = (gain[0] + gain[1] + gain[2]) * np.float32(1 / 3)
    gain -= gray
    _limited(gain, -_DARKEN_COLOR_LIMIT, _COLOR_LIMIT)
    gain += gray
    return gain


def _limited(values: FloatArray, low: float, high: float) -> FloatArray:
    """Limits them in place."""
    np.maximum(values, np.float32(low), out=values)
    return np.minimum(values, np.float32(high), out=values)


@functools.cache
def _basis_rows() -> FloatArray:
    """(4, SIZE * SIZE) :func:`basis`."""
    return np.ascontiguousarray(basis().T)


@functools.cache
def _fit_basis() -> FloatArray:
    """(4, n) :func:`basis` at the texels that are fitted."""
    sub = slice(None, None, _FIT_STEP)
    return np.ascontiguousarray(basis().reshape(SIZE, SIZE, _TERMS)[sub, sub].reshape(-1, _TERMS).T)


@functools.cache
def _shares() -> FloatArray:
    return np.array([1.0, _SIDE_SHARE, _UP_SHARE, _UP_SHARE], np.float32)


def edge_of(distance: FloatArray) -> FloatArray:
    """(SIZE, SIZE) 1 where the persona's skin ends, 0 inside the face; of :func:`masks.support`."""
    return np.asarray(1 - regions.smoothstep((distance - 0.02) / 0.10), np.float32)
