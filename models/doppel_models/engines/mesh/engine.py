"""The mesh engine: renders a persona's texture on the live mesh, under the live light."""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines import base
from doppel_models.engines.base import CropRequest, LookSettings, SwapResult
from doppel_models.engines.mesh import masks, raster, regions, relight, shape, uv
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.types import ByteArray, Face, FloatArray

_MARGIN = 0.08
"""Margin of the crop around the landmarks, as a part of the face's size."""
_MAX_SIDE = 720
"""Crops with a longer side are taken at a reduced scale."""
_RASTER_WIDTH = 110
"""Pixels of the raster map over the crop's width; the maps in between are smooth."""
_MAX_GAP_SECONDS = 0.5


class MeshState:
    """What the mesh engine remembers of one tracked face."""

    def __init__(self) -> None:
        """Know nothing."""
        self.neutral = shape.NeutralEstimate()
        self.light = relight.Relight()
        self.last_ns: int | None = None

    def reset(self) -> None:
        """Forget everything."""
        self.neutral.reset()
        self.light.reset()
        self.last_ns = None

    def seconds_since_last(self, timestamp_ns: int) -> float:
        """Time since the previous frame, 0.. seconds; a jump backwards counts as one long pause."""
        last, self.last_ns = self.last_ns, timestamp_ns
        if last is None or timestamp_ns < last:
            return _MAX_GAP_SECONDS
        return min((timestamp_ns - last) / 1e9, _MAX_GAP_SECONDS)


class MeshEngine:
    """Swaps faces to one persona. Satisfies ``FaceEngine``."""

    name = "mesh"

    def __init__(self, persona: MeshPersona) -> None:
        """Prepare for a persona."""
        self._persona = persona
        known = persona.known[:, :, None]
        self._texture = np.ascontiguousarray(np.dstack([persona.texture, known]))
        small = (relight.SIZE, relight.SIZE)
        self._small_log = relight.log_texture(
            cv2.resize(persona.texture, small, interpolation=cv2.INTER_AREA)
        )
        self._small_known = (
            cv2.resize(persona.known, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        )
        self._fit_weight = relight.skin_weight() * self._small_known
        self._triangles = canonical.load().triangles

    def new_state(self) -> MeshState:
        """A fresh state for a new track."""
        return MeshState()

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        """The rectangle around the face at the frame's own resolution; very large faces are scaled down."""
        low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
        margin = _MARGIN * float((high - low).max()) + 2
        rect = base.even_rect(low - margin, high + margin, width, height)
        x0, y0, x1, y1 = rect
        if x1 - x0 < 8 or y1 - y0 < 8:
            return None
        side = max(x1 - x0, y1 - y0)
        if side <= _MAX_SIDE:
            matrix = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
            return CropRequest(matrix, (x1 - x0, y1 - y0), rect)
        s = _MAX_SIDE / side
        # Half-pixel terms: pixel centres stand at whole numbers.
        matrix = np.array([[s, 0, 0.5 * s - 0.5 - s * x0], [0, s, 0.5 * s - 0.5 - s * y0]], np.float32)
        return CropRequest(matrix, (round((x1 - x0) * s), round((y1 - y0) * s)))

    def swap(
        self,
        crop: ByteArray,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: MeshState,
        timestamp_ns: int,
    ) -> SwapResult:
        """See ``FaceEngine.swap``."""
        height, width = crop.shape[:2]
        seconds = state.seconds_since_last(timestamp_ns)
        target = self._move_features(points, face.yaw, look, state)

        # Maps at a fraction of the resolution.
        scale = min(1.0, _RASTER_WIDTH / width)
        small = (max(8, round(width * scale)), max(8, round(height * scale)))
        factor = np.array([small[0] / width, small[1] / height, 1.0], np.float32)
        half = np.array([0.5, 0.5, 0.0], np.float32)
        size = self._texture.shape[0]
        uv_small, covered = raster.rasterize(
            (target + half) * factor - half, canonical.load().uv, self._triangles, *small
        )
        coverage = covered.astype(np.float32)
        uv_small = _fill_edges(uv_small, coverage)

        crop_small = cv2.resize(crop, small, interpolation=cv2.INTER_AREA)
        live_map = uv.grid(relight.SIZE).positions((points + half) * factor - half)
        live = np.asarray(cv2.remap(crop_small, live_map, None, cv2.INTER_LINEAR), np.uint8)

        outline = masks.rim if self._persona.own_color else masks.feather
        mask_uv = outline(round(look.edge_softness, 2)) * np.float32(look.strength * 255)
        texel = uv_small * relight.SIZE - 0.5
        if look.color_match == "relight":
            reference = None if self._persona.own_color else self._small_log
            gain = state.light.update(live, reference, self._fit_weight, seconds)
            mask_uv = mask_uv * self._small_known
            layer = cv2.remap(np.dstack([cv2.exp(gain), mask_uv]), texel, None, cv2.INTER_LINEAR)
        else:
            layer = cv2.remap(np.dstack([mask_uv] * 4), texel, None, cv2.INTER_LINEAR)
        mask_small = layer[:, :, 3] * cv2.blur(coverage, (3, 3))
        mask = np.asarray(cv2.resize(mask_small.astype(np.uint8), (width, height)), np.uint8)

        full_map = cv2.resize(uv_small * size - 0.5, (width, height))
        fixed, fraction = cv2.convertMaps(full_map, None, cv2.CV_16SC2)
        rgba = cv2.remap(self._texture, fixed, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
        if look.color_match == "relight":
            rgb = cv2.multiply(rgb, cv2.resize(layer[:, :, :3], (width, height)), dtype=cv2.CV_8U)
        rgb = np.asarray(rgb, np.uint8)

        eye_soft = float(np.ptp(points[:, 0])) * 0.006
        if look.keep_eyes:
            for outline in (regions.RIGHT_EYE, regions.LEFT_EYE):
                _keep(crop, rgb, points, target, outline, eye_soft)
        if look.keep_mouth:
            _keep(crop, rgb, points, target, regions.MOUTH, eye_soft)
        fade = base.pose_fade(face.yaw, look.yaw_fade_start, look.yaw_fade_end)
        cover = None
        if fade > 0:
            cover = np.asarray(cv2.resize((coverage * 255).astype(np.uint8), (width, height)), np.uint8)
        return SwapResult(rgb, mask, fade, cover)

    def _move_features(
        self, points: FloatArray, yaw: float, look: LookSettings, state: MeshState
    ) -> FloatArray:
        head = shape.HeadFrame.of(points)
        neutral = state.neutral.update(head.shape_of(points), yaw)
        target = points[: canonical.VERTEX_COUNT].copy()
        if self._persona.shape is not None and look.proportions > 0:
            shift = shape.proportion_shift(neutral, self._persona.shape)
            target += look.proportions * head.vectors(shift)
        return target


def _fill_edges(uv_map: FloatArray, coverage: FloatArray) -> FloatArray:
    """Continue the map a little past the mesh, so that enlarging it does not pull the edge towards 0."""
    total = cv2.blur(uv_map, (5, 5))
    weight = cv2.blur(coverage, (5, 5))
    filled = total / np.maximum(weight, 1e-3)[:, :, None]
    return np.where(coverage[:, :, None] > 0, uv_map, filled)


def _keep(
    crop: ByteArray,
    rgb: ByteArray,
    live: FloatArray,
    target: FloatArray,
    outline: regions.Indices,
    soft: float,
) -> None:
    """Copy what the live face shows inside an outline to where that outline lies on the swapped face."""
    height, width = crop.shape[:2]
    to, of = target[outline, :2], live[outline, :2]
    pad = 3 * soft + 2
    x0, y0 = (int(max(v, 0)) for v in np.floor(to.min(axis=0) - pad))
    x1, y1 = (int(v) + 1 for v in np.minimum(np.ceil(to.max(axis=0) + pad), (width - 1, height - 1)))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    moved = np.concatenate([to - (x0, y0), np.ones((len(to), 1), np.float32)], axis=1)
    # A closed slit is a line: a ridge towards a plain shift keeps the fit stable.
    shift = (of - to).mean(axis=0) + (x0, y0)
    a = moved - moved.mean(axis=0)
    rest = (of - (moved[:, :2] + shift)).astype(np.float64)
    ridge = np.eye(2) * 0.02 * float((a[:, 0] ** 2).sum())
    linear = np.linalg.solve(a[:, :2].T @ a[:, :2] + ridge, a[:, :2].T @ rest).T
    matrix = np.zeros((2, 3))
    matrix[:, :2] = np.eye(2) + linear
    matrix[:, 2] = shift - linear @ moved[:, :2].mean(axis=0)
    patch = cv2.warpAffine(
        crop, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    weight = masks.patch_mask(to, (x0, y0), (x1 - x0, y1 - y0), soft).astype(np.float32) / 255
    region = rgb[y0:y1, x0:x1]
    rgb[y0:y1, x0:x1] = cv2.blendLinear(patch, np.ascontiguousarray(region), weight, 1 - weight)
