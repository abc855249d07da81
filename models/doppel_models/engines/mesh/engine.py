"""The mesh engine: renders a persona's texture on the live mesh, under the live light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from doppel_models import canonical
from doppel_models.engines import base
from doppel_models.engines.base import CropReader, CropRequest, LookSettings, SwapResult
from doppel_models.engines.mesh import (
    drawing,
    features,
    imaging,
    masks,
    regions,
    relight,
    shape,
    uv,
)
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.engines.mesh.plan import Plan
from doppel_models.engines.mesh.state import MeshState
from doppel_models.geometry import bbox_size
from doppel_models.types import ByteArray, Face, FloatArray

LiveTexture = Callable[[FloatArray, float], ByteArray]
"""``live(points, face_width)``: the live face in texture space, (SIZE, SIZE, 3) uint8 RGB."""
_MARGIN = 0.02
"""Margin of the crop around the landmarks, as a part of the face's size."""
_OUTWARDS = np.array([-1, -1, 1, 1], np.float32)
_MIN_SIDE = 8
_MAX_SIDE = 720
"""Crops with a longer side are taken at a reduced scale."""
_VEIL = 2.0
"""Over doubt: a doubtful hole is blurred at once."""
_EYE_SOFT = 0.006
"""Feather of kept eyes and mouth, as a part of the face's width."""
_FIRST_FRAMES, _NEUTRAL_STEP = 30, 4
"""After so many frames only every fourth one is learnt from: a face's proportions do not change."""
_TEXELS_PER_PIXEL = 1.2
"""Along a side. The textures' sizes are a factor of 1.4 apart, so it is one at least, and 1.4 at most."""
_LEVEL_STEP = 1.3
_SMALLEST_TEXTURE = 80


class MeshEngine:
    """Swaps faces to one persona. Satisfies ``FaceEngine``, for states of its own."""

    def __init__(self, persona: MeshPersona) -> None:
        """Prepare for a persona."""
        self._persona = persona
        self._textures = _pyramid(persona.texture)
        small = (relight.SIZE, relight.SIZE)
        self._known = imaging.shrink(persona.known, small).astype(np.float32) / np.float32(255)
        self._log = None
        if not persona.own_color:
            self._log = relight.log_texture(imaging.shrink(persona.texture, small))
        self._skin = relight.skin_weight() * self._known
        self._edge = relight.edge_of(masks.support(self._known))
        self._whole_mask: tuple[tuple[float, float, bool], FloatArray] | None = None
        """Where nothing is in front, for the last look."""
        self._drawing = drawing.Drawing()

    @property
    def name(self) -> str:
        """``mesh``."""
        return "mesh"

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: it always runs in the same way."""
        return ()

    def new_state(self) -> MeshState:
        """A fresh state for a new track."""
        return MeshState()

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        """The rectangle around the face at the frame's own resolution; very large faces are scaled down."""
        margin = np.float32(_MARGIN * bbox_size(face.bbox) + 2)
        outer = face.bbox + margin * _OUTWARDS
        x0, y0, x1, y1 = rect = base.even_rect(outer[:2], outer[2:], width, height)
        if x1 - x0 < _MIN_SIDE or y1 - y0 < _MIN_SIDE:
            return None
        side = max(x1 - x0, y1 - y0)
        if side <= _MAX_SIDE:
            matrix = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
            return CropRequest(matrix, (x1 - x0, y1 - y0), rect, in_parts=True)
        s = _MAX_SIDE / side
        # Half-pixel terms: pixel centres stand at whole numbers.
        shift_x, shift_y = 0.5 * s - 0.5 - s * x0, 0.5 * s - 0.5 - s * y0
        matrix = np.array([[s, 0, shift_x], [0, s, shift_y]], np.float32)
        return CropRequest(matrix, (round((x1 - x0) * s), round((y1 - y0) * s)))

    def swap(
        self,
        crop: ByteArray | CropReader,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: MeshState,
        timestamp_ns: int,
    ) -> SwapResult:
        """See ``FaceEngine.swap``; the crop may be read in parts."""
        size = crop.shape[1], crop.shape[0]

        def live(at: FloatArray, face_width: float) -> ByteArray:
            return _live_texture(crop, at, face_width)

        plan = self.plan(size, points, face, look, state, timestamp_ns, live)
        if plan.mask is not None and state.lit is None:
            state.lit = drawing.lit_texture(plan)
        return self._drawing.draw(plan, crop, state.lit)

    def plan(
        self,
        size: tuple[int, int],
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: MeshState,
        timestamp_ns: int,
        live: LiveTexture,
    ) -> Plan:
        """What is to be drawn; takes in the frame.

        Args:
            size: (width, height) of the crop, pixels.
            points: as in :meth:`swap`.
            face: as in :meth:`swap`.
            look: as in :meth:`swap`.
            state: as in :meth:`swap`.
            timestamp_ns: as in :meth:`swap`.
            live: gives the live face in texture space; called when it is needed.
        """
        seconds = state.clock.seconds_since_last(timestamp_ns)
        face_width = _width(points)
        openings = regions.openings(points)
        target = self._move_features(points, openings, face.yaw, look, state)
        fade = base.pose_fade(face.yaw, look.yaw_fade_start, look.yaw_fade_end)
        if fade >= 1:
            return Plan(size, target, fade, None)
        texture = self._texture_for(face_width, state)
        covered = self._look_at(live, points, face_width, face, state, seconds)
        relit = look.color_match == "relight"
        if state.gained != (texture.shape[0], relit):
            state.gained, state.lit = (texture.shape[0], relit), None
            state.gain = state.light.gain if relit else None
        veil = None
        if covered is not None and (doubt := state.occlusion.doubt) > 0:
            veil = self._mask(look) * state.occlusion.moving * np.float32(min(1.0, _VEIL * doubt))
        patches = self._patches(size, points, openings, target, look, face_width)
        return Plan(size, target, fade, self._shown(look, covered, state), veil, texture, state.gain, patches)

    def _patches(
        self,
        size: tuple[int, int],
        points: FloatArray,
        openings: tuple[float, float, float],
        target: FloatArray,
        look: LookSettings,
        face_width: float,
    ) -> tuple[features.Patch, ...]:
        """The live eyes and the inside of the live mouth, to be carried over."""
        slits = features.MASK_SLITS if self._persona.own_color else features.SLITS
        mouth, soft = slits[0], _EYE_SOFT * face_width
        kept = [
            features.patch_of(size, points, target, slit, soft, slit.open_share(opening))
            for slit, opening in zip(slits, openings, strict=True)
            if (look.keep_mouth if slit is mouth else look.keep_eyes)
        ]
        return tuple(patch for patch in kept if patch is not None)

    def _move_features(
        self,
        points: FloatArray,
        openings: tuple[float, float, float],
        yaw: float,
        look: LookSettings,
        state: MeshState,
    ) -> FloatArray:
        """Where the swapped face's points lie: the live ones, moved to the persona's proportions."""
        target = points[: canonical.VERTEX_COUNT].copy()
        if self._persona.shape is not None and look.proportions > 0:
            head = shape.HeadFrame.of(points)
            # The estimate moves slowly, but for the first frames.
            step = 1 if state.frames < _FIRST_FRAMES else _NEUTRAL_STEP
            if state.shift is None or state.frames % step == 0:
                neutral = state.neutral.update(head.shape_of(points), yaw, step)
                state.shift = shape.proportion_shift(neutral, self._persona.shape)
                state.resting = regions.openings(neutral)
            state.frames += 1
            target += np.float32(look.proportions) * head.vectors(state.shift)
            shape.keep_openings(target, points, state.resting, openings)
        return target

    def _look_at(
        self,
        live: LiveTexture,
        points: FloatArray,
        face_width: float,
        face: Face,
        state: MeshState,
        seconds: float,
    ) -> FloatArray | None:
        """Follow what is in front and the light in turns: both are smoothed over time anyway.

        Of four frames two look for things in front, one looks at the light as it was a frame before, one
        relights the texture.
        """
        turn, state.turn = state.turn, state.turn + 1
        state.since_light += seconds
        state.since_occlusion += seconds
        if turn % 2 == 0:
            state.live = relight.log_texture(live(points, face_width))
            state.covered = state.occlusion.update(state.live, face.yaw, face.pitch, state.since_occlusion)
            state.since_occlusion, state.shown = 0.0, None
        if state.live is not None and (turn == 0 or turn % 4 == 1):
            skin = self._skin if state.covered is None else self._skin * (np.float32(1) - state.covered)
            state.light.update(state.live, self._log, skin, self._edge, state.since_light)
            state.since_light = 0.0
        if turn % 4 == 3:
            state.gained = None
        return state.covered

    def _texture_for(self, face_width: float, state: MeshState) -> ByteArray:
        """The texture whose texels are about as fine as the picture's pixels: finer ones would sparkle."""
        wanted = _TEXELS_PER_PIXEL * face_width
        size = self._textures[state.level].shape[0] if state.level is not None else 0
        if not size / _LEVEL_STEP < wanted < size * _LEVEL_STEP:
            distance = [abs(np.log(texture.shape[0] / wanted)) for texture in self._textures]
            state.level = int(np.argmin(distance))
        return self._textures[state.level or 0]

    def _shown(self, look: LookSettings, covered: FloatArray | None, state: MeshState) -> FloatArray:
        """(SIZE, SIZE) 0..1: the mask in texture space, without what is in front."""
        whole = self._mask(look)
        if covered is None:
            return whole
        if state.shown is None or state.shown[0] is not whole:
            state.shown = whole, whole * (1 - covered)
        return state.shown[1]

    def _mask(self, look: LookSettings) -> FloatArray:
        """(SIZE, SIZE) 0..1: the mask in texture space, where nothing is in front."""
        relit = look.color_match == "relight"
        key = (round(look.edge_softness, 2), look.strength, relit)
        if self._whole_mask is None or self._whole_mask[0] != key:
            outline = masks.rim if self._persona.own_color else masks.feather
            mask = outline(key[0]) * np.float32(look.strength)
            # Where hair hid the persona's forehead, the live one is shown: the light makes them meet.
            self._whole_mask = key, mask * self._known if relit else mask
        return self._whole_mask[1]


def _pyramid(texture: ByteArray) -> list[ByteArray]:
    """A texture and its reductions, each by the square root of two."""
    levels = [np.ascontiguousarray(texture)]
    size = float(texture.shape[0])
    while size / np.sqrt(2) >= _SMALLEST_TEXTURE:
        size /= np.sqrt(2)
        levels.append(imaging.shrink(texture, (round(size), round(size))))
    return levels


def reduction_of(face_width: float, size: tuple[int, int]) -> int:
    """By how much a crop of that size is reduced before it is taken to texture space; a pixel is left."""
    return max(1, min(int(face_width / relight.SIZE), *size))


def _live_texture(crop: ByteArray | CropReader, points: FloatArray, face_width: float) -> ByteArray:
    """The live face in texture space, (SIZE, SIZE, 3)."""
    factor = reduction_of(face_width, (crop.shape[1], crop.shape[0]))
    small = imaging.shrink_whole(crop, factor) if isinstance(crop, np.ndarray) else crop.reduced(factor)
    return imaging.remap(small, uv.grid(relight.SIZE).positions(points, 1 / factor))


def _width(points: FloatArray) -> float:
    """Of a face, pixels."""
    columns = points[:, 0]
    return float(columns.max() - columns.min())
