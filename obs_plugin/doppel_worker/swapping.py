"""From the followed faces of a frame to their swapped crops."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import cast

from doppel_models.engines.base import EngineState, FaceEngine, LookSettings, even_rect
from doppel_models.types import ByteArray, Face

from doppel_worker.compositor import Compositor, Rect
from doppel_worker.crop_reader import FrameCrop
from doppel_worker.device_swap import can_swap_on_device, swap_on_device
from doppel_worker.frame import FrameView
from doppel_worker.report import Stopwatch
from doppel_worker.sharpen import sharpened
from doppel_worker.swapped_face import Swap, copied


@dataclasses.dataclass(frozen=True, slots=True)
class Worn:
    """A face and what it shall wear."""

    face: Face
    engine: FaceEngine
    state: EngineState
    """What the engine remembers of this face."""


def swap_faces(
    compositor: Compositor,
    frame: FrameView,
    worn: Sequence[Worn],
    look: LookSettings,
    sharpness: float,
    watch: Stopwatch,
) -> tuple[list[Swap], list[Rect]]:
    """Read and swap faces; nothing is written.

    Args:
        compositor: reads the frame.
        frame: as filmed.
        worn: the faces, each with an engine.
        look: how they shall look.
        sharpness: fine detail that is added, 0 to 1.
        watch: times the stages.

    Returns:
        The swapped faces, and where a face is that its engine has no crop for: it is not to be shown.
    """
    swaps: list[Swap] = []
    missed: list[Rect] = []
    for one in worn:
        face, engine = one.face, one.engine
        request = engine.crop_for(face, frame.width, frame.height)
        if request is None:
            rect = Rect(*even_rect(face.bbox[:2], face.bbox[2:], frame.width, frame.height))
            missed += [rect] if rect.width and rect.height else []
            continue
        if can_swap_on_device(engine, compositor, look, len(worn)):
            result, picture = swap_on_device(
                compositor, frame, engine, request, face, look, one.state, sharpness, watch
            )
            swaps.append(Swap(request, result, picture))
            continue
        with watch.stage("read"):
            if request.rect is not None and request.in_parts:
                # The request says that this engine takes a reader, which the engines' type cannot say.
                crop = cast("ByteArray", FrameCrop(compositor, frame, Rect(*request.rect)))
            elif request.rect is not None:
                crop = compositor.read(frame, Rect(*request.rect))
            else:
                crop = compositor.sample(frame, request.matrix, request.dsize)
        with watch.stage("swap"):
            points = request.to_crop(face.landmarks)
            result = engine.swap(crop, points, face, look, one.state, frame.timestamp_ns)
            if sharpness > 0:
                rgb = sharpened(result.rgb, result.mask, sharpness)
                result = dataclasses.replace(result, rgb=rgb)
        swaps.append(Swap(request, result if len(worn) == 1 else copied(result)))
    return swaps, missed
