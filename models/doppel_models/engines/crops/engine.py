"""The one engine of all model files: a crop in the network's template in, a swapped one and a mask out."""

from __future__ import annotations

import dataclasses
import functools
import math

import cv2
import numpy as np

from doppel_models.engines import base
from doppel_models.engines.base import CropRequest, LookSettings, SwapResult
from doppel_models.engines.crops import boost, color, masks
from doppel_models.engines.crops.description import Description, IdentityForm
from doppel_models.engines.crops.extras import Enhancer, Occluder
from doppel_models.engines.crops.identity import NEUTRAL_WEIGHT, Identity, Recogniser
from doppel_models.engines.crops.in_front import InFront
from doppel_models.engines.crops.network import (
    RoleNetwork,
    Tensor,
    as_mask,
    black_picture,
    no_picture,
    turned_black,
)
from doppel_models.errors import EngineError
from doppel_models.files.kinds import Role
from doppel_models.tensor import TensorFormat, is_finite
from doppel_models.types import ByteArray, Face, FloatArray

_MIN_SIDE = 8
"""Pixels of the frame that a crop must show at least."""
_LEARN_FACES = 5
"""Frames whose identities are averaged to know the filmed person."""
_COVER_GROWTH = 1.08
"""Of the outline that is blurred where the swap does not show."""


class CropState:
    """What the engine remembers of one tracked face."""

    def __init__(self) -> None:
        """Know nothing."""
        self.color = color.ColorMatch()
        self.in_front = InFront()
        """Where no model finds what is in front of the face."""
        self.seen: list[FloatArray] = []
        """Identities of the filmed person, while they are learnt."""
        self.filmed: FloatArray | None = None
        """(512,) their mean."""
        self.latent: tuple[float, int, FloatArray] | None = None
        """Weight, number of identities seen, and the vector that was made of them."""
        self.clock = base.FrameClock()

    def reset(self) -> None:
        """Forget everything."""
        self.color.reset()
        self.in_front.reset()
        self.seen.clear()
        self.filmed = self.latent = None
        self.clock.reset()


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """The networks that an engine works with."""

    swapper: RoleNetwork
    row: Description
    identity: Identity | None = None
    """Of a one-photo swapper that is told by a vector."""
    source: ByteArray | None = None
    """(n, n, 3) uint8 RGB: the persona's face, of a one-photo swapper that is told by a picture."""
    recogniser: Recogniser | None = None
    """Tells who is filmed, for the identity weight."""
    enhancer: Enhancer | None = None
    occluder: Occluder | None = None


class CropEngine:
    """Swaps faces by a model file. Satisfies ``FaceEngine``, for states of its own."""

    def __init__(
        self, parts: Parts, pixel_boost: int = 1, notes: tuple[str, ...] = (), holds: tuple[object, ...] = ()
    ) -> None:
        """Prepare.

        Args:
            parts: the networks.
            pixel_boost: 1 to 4: so many times the network's resolution, for its square in runs.
            notes: what the user should know of how it runs.
            holds: what must live as long as the engine.

        Raises:
            EngineError: the identity that the model needs is missing, or the boost is none of these.
        """
        if pixel_boost not in boost.FACTORS:
            raise EngineError(f"pixel boost {pixel_boost} is not one of {', '.join(map(str, boost.FACTORS))}")
        row = parts.row
        if (row.identity is IdentityForm.PICTURE) != (parts.source is not None):
            raise EngineError(f"{parts.swapper.model.title}: the persona's picture is missing")
        by_vector = row.identity not in (IdentityForm.NONE, IdentityForm.PICTURE)
        if by_vector != (parts.identity is not None):
            raise EngineError(f"{parts.swapper.model.title}: the persona's identity is missing")
        self._notes = notes
        self._holds = holds
        self.parts = parts
        """The networks that it works with."""
        self._row, self._boost = row, pixel_boost
        self._size = parts.swapper.model.size
        wanted = parts.enhancer.size if parts.enhancer is not None else 0
        self._reduction = max(1, -(-wanted // (self._size * pixel_boost)))
        self._side = self._size * pixel_boost * self._reduction
        self._morphs = parts.swapper.model.input(Role.MORPH) is not None
        self._source: Tensor | None = None
        if parts.source is not None and row.source is not None:
            self._source = row.source.picture.encode(parts.source)

    @property
    def name(self) -> str:
        """The model's kind."""
        return str(self.parts.swapper.model.kind)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how it runs now."""
        failure = self.parts.swapper.network.graph_failure
        return (*self._notes, failure) if failure else self._notes

    @property
    def picture_in(self) -> TensorFormat:
        """How the network wants its crop."""
        return self._row.picture_in

    @property
    def picture_out(self) -> TensorFormat:
        """How it gives the swapped one back."""
        return self._row.picture_out

    @property
    def hull_growth(self) -> float:
        """Of the landmarks' outline in the mask."""
        return self._row.hull_growth

    @property
    def crop_side(self) -> int:
        """Pixels of the crop that :meth:`crop_for` asks for."""
        return self._side

    def new_state(self) -> CropState:
        """A fresh state for a new track."""
        return CropState()

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        """The face in the network's template, at its size times boost (and finer for an enhancer)."""
        matrix = self._row.template.matrix(face.landmarks, self._size)
        (a, b, x), (c, d, y) = matrix.tolist()
        if not (math.isfinite(a + b + x + c + d + y) and abs(a * d - b * c) > 1e-6):
            return None
        factor = self._boost * self._reduction
        request = CropRequest(boost.enlarged(matrix, factor), (self._side, self._side))
        x0, y0, x1, y1 = request.frame_rect(width, height)
        return request if x1 - x0 >= _MIN_SIDE and y1 - y0 >= _MIN_SIDE else None

    def swap(
        self,
        crop: ByteArray,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: CropState,
        timestamp_ns: int,
    ) -> SwapResult:
        """See ``FaceEngine.swap``.

        Raises:
            EngineError: the network gives values that are not finite.
            SessionError: a network fails.
        """
        seconds = state.clock.seconds_since_last(timestamp_ns)
        fade = base.pose_fade(face.yaw, look.yaw_fade_start, look.yaw_fade_end)
        small = masks.outlines(points, self._side)
        cover = whole_face(small, self._side) if fade > 0 else None
        if fade >= 1:
            return SwapResult(crop, np.zeros(crop.shape[:2], np.uint8), fade, cover)
        if look.identity_weight != NEUTRAL_WEIGHT:
            self._learn(crop, points, state)
        rgb, own_mask = self._infer(crop, self.conditions(look, state))
        hull = masks.hull(small, self._row.hull_growth, look.edge_softness)
        mask = hull if own_mask is None else hull * masks.from_model(own_mask, look.edge_softness)
        if self.parts.occluder is not None:
            mask = mask * masks.from_model(self.parts.occluder.uncovered(crop), 0.0)
        veil = whole_face(small, self._side) if masks.hidden_by_models(mask, hull) else None
        if self.parts.occluder is None:
            if state.in_front.is_due(seconds):
                state.in_front.look(crop, points, face)
            mask, doubtful = seen_past(mask, state.in_front, points, self._side)
            veil = doubtful if veil is None else veil
        if look.color_match == "relight":
            rgb = color.apply(state.color.follow(rgb, crop, mask, seconds), rgb)
        if self.parts.enhancer is not None:
            rgb = self.parts.enhancer.apply(rgb, points, look.enhancer_strength)
        mask = masks.without_openings(mask, small, mouth=look.keep_mouth, eyes=look.keep_eyes)
        if look.strength < 1:
            mask = mask * np.float32(look.strength)
        return SwapResult(rgb, masks.to_bytes(mask, self._side), fade, cover, veil)

    def _learn(self, crop: ByteArray, points: FloatArray, state: CropState) -> None:
        """Get to know the filmed person, over the first frames of a track."""
        if self.parts.recogniser is None or self.parts.identity is None:
            return
        if len(state.seen) < _LEARN_FACES:
            state.seen.append(self.parts.recogniser.embed(crop, points))
            state.filmed = np.mean(state.seen, axis=0).astype(np.float32)

    def conditions(self, look: LookSettings, state: CropState) -> dict[Role, Tensor]:
        """Everything that the network is told beside the filmed face."""
        inputs: dict[Role, Tensor] = {}
        if self._morphs:
            inputs[Role.MORPH] = np.full(1, look.morph, np.float32)
        if self._source is not None:
            inputs[Role.SOURCE_PICTURE] = self._source
        if self.parts.identity is not None:
            key = (look.identity_weight, len(state.seen))
            if state.latent is None or state.latent[:2] != key:
                latent = self.parts.identity.latent(look.identity_weight, state.filmed)
                state.latent = (*key, latent)
            inputs[Role.SOURCE_VECTOR] = state.latent[2]
        return inputs

    def _infer(self, crop: ByteArray, inputs: dict[Role, Tensor]) -> tuple[ByteArray, FloatArray | None]:
        """The swapped crop, and the network's own mask (n, n) 0..1 if it gives one."""
        taken = crop
        if self._reduction > 1:
            side = self._side // self._reduction
            taken = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        parts: list[ByteArray] = []
        own: list[FloatArray] = []
        for part in boost.split(taken, self._boost) if self._boost > 1 else [taken]:
            outputs = self.parts.swapper.run({**inputs, Role.TARGET: self._row.picture_in.encode(part)})
            face = np.ascontiguousarray(outputs[Role.FACE][0], np.float32)
            if not is_finite(face):
                raise EngineError(no_picture(self.parts.swapper.network.name))
            parts.append(self._row.picture_out.decode_finite(face))
            masks_given = [outputs[role] for role in (Role.FACE_MASK, Role.TARGET_MASK) if role in outputs]
            if masks_given:
                name = self.parts.swapper.network.name
                own.append(functools.reduce(np.multiply, [as_mask(one, name) for one in masks_given]))
        rgb = boost.join(parts, self._boost) if self._boost > 1 else parts[0]
        # About: every eighth pixel is looked at.
        if turned_black(rgb[::8, ::8], crop[::8, ::8]):
            raise EngineError(black_picture(self.parts.swapper.network.name))
        if self._reduction > 1:
            rgb = np.asarray(cv2.resize(rgb, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
        return rgb, sum(own[1:], own[0]) / np.float32(len(own)) if own else None


def whole_face(small: FloatArray, side: int) -> ByteArray:
    """(side, side) uint8: a face without holes, to be blurred, by the points of ``masks.outlines``."""
    return masks.to_bytes(masks.hull(small, _COVER_GROWTH, 0.0), side)


def seen_past(
    mask: FloatArray, in_front: InFront, points: FloatArray, side: int
) -> tuple[FloatArray, ByteArray | None]:
    """A mask (SIDE, SIDE) without what is in front of the face, and what is to be blurred there.

    Args:
        mask: of the face.
        in_front: what is in front of it.
        points: (478, 3) landmarks in the crop, pixels.
        side: of the crop, pixels.

    Returns:
        The mask, and (side, side) uint8; None: nothing.
    """
    hole = in_front.hole(points, side)
    if hole is None:
        return mask, None
    veil = in_front.veil
    blurred = masks.to_bytes(mask * hole * np.float32(veil), side) if veil > 0 else None
    return mask * (1 - hole), blurred
