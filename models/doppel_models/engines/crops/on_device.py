"""A swap whose picture never leaves the device: the crop, the network and its answer lie in its memory.

Only what the mask and the colours are made of comes down: two small pictures, and the network's own mask. It
gives what :meth:`CropEngine.swap` gives. The pixel boost, enhancers and whatever else works on the picture in
this process's memory are not for it: ask :func:`can_swap` first, else the engine itself.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from doppel_models.engines import base
from doppel_models.engines.base import LookSettings
from doppel_models.engines.crops import color, masks
from doppel_models.engines.crops.engine import CropEngine, CropState, seen_past, whole_face
from doppel_models.engines.crops.identity import NEUTRAL_WEIGHT
from doppel_models.engines.crops.network import as_mask, black_picture, no_picture, turned_black
from doppel_models.engines.mesh.plan import scaled
from doppel_models.errors import EngineError
from doppel_models.files.kinds import ModelTensor, Role
from doppel_models.tensor import DeviceTensor, TensorFormat, TensorOps, Thumbnail
from doppel_models.types import ByteArray, Face, FloatArray

_SEEN = 96
"""Pixels of the crop that are looked at for things in front of the face, at least."""


@dataclasses.dataclass(frozen=True, slots=True)
class TensorSwap:
    """A swapped crop on the device. As ``SwapResult``, but for the picture."""

    picture: DeviceTensor
    fmt: TensorFormat
    """How :attr:`picture` holds it."""
    colors: color.Colors
    """To be applied to it."""
    mask: ByteArray
    """(height, width) uint8, 0 keeps the frame."""
    pose_fade: float
    cover_mask: ByteArray | None
    veil_mask: ByteArray | None = None


def can_swap(engine: CropEngine, look: LookSettings) -> bool:
    """Whether this engine can swap on the device, with this look."""
    parts = engine.parts
    side = parts.swapper.model.size
    return (
        engine.crop_side == side
        and side % color.SIDE == 0
        and parts.enhancer is None
        and parts.occluder is None
        and look.identity_weight == NEUTRAL_WEIGHT
        and all(None not in tensor.shape[1:] for tensor in parts.swapper.model.outputs)
    )


def direct_swap(
    engine: CropEngine,
    ops: TensorOps,
    crop: DeviceTensor,
    points: FloatArray,
    face: Face,
    look: LookSettings,
    state: CropState,
    timestamp_ns: int,
) -> TensorSwap:
    """Swap one face; ``crop`` is in the engine's own format (``engine.picture_in``), the rest as ``swap``'s.

    Raises:
        EngineError: the network gives values that are not finite, or a black picture.
        SessionError: the network fails.
    """
    side = engine.crop_side
    seconds = state.clock.seconds_since_last(timestamp_ns)
    fade = base.pose_fade(face.yaw, look.yaw_fade_start, look.yaw_fade_end)
    small = masks.outlines(points, side)
    cover = whole_face(small, side) if fade > 0 else None
    if fade >= 1:
        nothing = np.zeros((side, side), np.uint8)
        return TensorSwap(crop, engine.picture_in, color.UNCHANGED, nothing, fade, cover)
    seen = None
    if state.in_front.is_due(seconds):
        seen = ops.thumbnails([(crop, engine.picture_in)], _seen_side(side))[0].rgb
    outputs = _run(engine, ops, crop, look, state)
    # All that needs no picture of the network is done while it works.
    mask = hull = masks.hull(small, engine.hull_growth, look.edge_softness)
    if seen is not None:
        scale = len(seen) / side
        state.in_front.look(seen, scaled(points, scale, scale), face)
    picture = outputs[Role.FACE]
    swapped, live = ops.thumbnails([(picture, engine.picture_out), (crop, engine.picture_in)], color.SIDE)
    _check(engine, swapped, live)
    given = [outputs[role] for role in (Role.FACE_MASK, Role.TARGET_MASK) if role in outputs]
    if given:
        name = engine.parts.swapper.network.name
        own = functools.reduce(np.multiply, [as_mask(ops.fetch(tensor), name) for tensor in given])
        mask = hull * masks.from_model(own, look.edge_softness)
    veil = whole_face(small, side) if masks.hidden_by_models(mask, hull) else None
    mask, doubtful = seen_past(mask, state.in_front, points, side)
    veil = doubtful if veil is None else veil
    colors = color.UNCHANGED
    if look.color_match == "relight":
        colors = state.color.follow(swapped.rgb, live.rgb, mask, seconds)
    mask = masks.without_openings(mask, small, mouth=look.keep_mouth, eyes=look.keep_eyes)
    if look.strength < 1:
        mask = mask * np.float32(look.strength)
    return TensorSwap(picture, engine.picture_out, colors, masks.to_bytes(mask, side), fade, cover, veil)


def _seen_side(side: int) -> int:
    """Pixels of the smallest whole reduction of a crop in which things in front are looked for."""
    return min(part for part in range(min(_SEEN, side), side + 1) if side % part == 0)


def _run(
    engine: CropEngine, ops: TensorOps, crop: DeviceTensor, look: LookSettings, state: CropState
) -> dict[Role, DeviceTensor]:
    """The network's outputs by their roles, on the device."""
    swapper = engine.parts.swapper
    conditions = engine.conditions(look, state)
    inputs: list[DeviceTensor] = []
    for number, tensor in enumerate(swapper.model.inputs, start=1):
        if tensor.role is Role.TARGET:
            inputs.append(crop)
        elif tensor.role in conditions:
            # At the same place in every frame, so that a recorded run finds it.
            inputs.append(ops.put(np.asarray(conditions[tensor.role], np.dtype(tensor.dtype)), -number))
        else:
            raise EngineError(f"{swapper.network.name}: nothing is known of its input {tensor.name!r}")
    outputs = _outputs(ops, swapper.model.outputs)
    swapper.network.run_bound(inputs, outputs)
    by_role: dict[Role, DeviceTensor] = {}
    for tensor, value in zip(swapper.model.outputs, outputs, strict=True):
        by_role.setdefault(tensor.role, value)
    return by_role


def _outputs(ops: TensorOps, tensors: Sequence[ModelTensor]) -> list[DeviceTensor]:
    """Room for each output, apart from the crop's."""
    made: list[DeviceTensor] = []
    for number, tensor in enumerate(tensors, start=1):
        if tensor.dtype == "float64":
            raise EngineError("the model works with double precision, which no face model needs")
        made.append(ops.tensor((1, *(size or 1 for size in tensor.shape[1:])), tensor.dtype, number))
    return made


def _check(engine: CropEngine, swapped: Thumbnail, live: Thumbnail) -> None:
    name = engine.parts.swapper.network.name
    if not swapped.finite:
        raise EngineError(no_picture(name))
    if turned_black(swapped.rgb, live.rgb):
        raise EngineError(black_picture(name))
