"""A backend for the worker that needs no network: it paints over the picture, all but its topmost eighth.

That part holds the frame's number in the coded clip. The grey tells the persona; ``slow-N`` sleeps N
milliseconds in each frame, ``stuck`` for ever; ``hungry`` takes address space until there is none;
``lost-device`` fails as a device does that is gone.
"""

from __future__ import annotations

import contextlib
import mmap
import time
from collections.abc import Sequence
from pathlib import Path

import doppel_models
import numpy as np
from doppel_ipc.messages import Choices, Consent, DeviceInfo, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import DeviceLostError, PersonaError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS

KEPT_PART = 8
"""One over this of the height stays as it was."""
GREYS = {"porcelain": 70, "bronze": 190, "added": 30}
OTHER_GREY = 130
PICTURES = Path(doppel_models.__file__).parent / "data" / "masks"
"""Of the built-in faces; there is none of the one that is added."""
HOARD_BYTES = 200 << 20
LARGE_PIXELS = 3840 * 2160
PATCH = 16


def load(config: BackendConfig) -> MarkBackend:
    return MarkBackend()


class MarkBackend:
    device = "cpu"
    provider = "NoProvider"
    engine = "mark"
    errors: tuple[type[Exception], ...] = ()

    def prepare(self, settings: FilterSettings) -> None:
        pass

    def open_lane(self, settings: FilterSettings, memory: FaceMemory) -> MarkLane:
        return MarkLane(settings)

    def personas(self) -> Sequence[PersonaInfo]:
        return [
            PersonaInfo(name, name.capitalize(), "mask", (), str(PICTURES / f"{name}.jpg")) for name in GREYS
        ]

    def choices(self) -> Choices:
        return Choices((DeviceInfo("cpu", "A processor", 0), DeviceInfo("cuda:0", "A card", 8192)), ())

    def add_persona(
        self, photos: Sequence[Path], name: str, consent: Consent, *, licence: bool
    ) -> PersonaInfo | None:
        if not photos[0].is_file():
            raise PersonaError(f"{photos[0]} does not exist")
        return PersonaInfo("added", name or "added", "photo", (f"ground: {consent.ground}",), str(photos[0]))


class MarkLane:
    engine = "mark"

    def __init__(self, settings: FilterSettings) -> None:
        self._settings = settings
        self._compositor = CpuCompositor()
        self._hoard: list[mmap.mmap] = []

    @property
    def persona(self) -> str:
        return self._settings.persona

    def configure(self, settings: FilterSettings) -> None:
        self._settings = settings

    def turn(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def process(self, frame: FrameView) -> Judgement:
        order = self._settings.persona
        if order == "stuck":
            time.sleep(3600)
        if order == "hungry":
            self._take_all()
        if order == "lost-device":
            raise DeviceLostError("cuda:0 does not answer")
        if order.startswith("slow-"):
            time.sleep(int(order[5:]) / 1e3)
        self._paint(frame, GREYS.get(order, OTHER_GREY))
        return Judgement(Verdict.SWAPPED, 1, {"total": 0.1})

    def _paint(self, frame: FrameView, grey: int) -> None:
        rect = Rect(0, frame.height // KEPT_PART, frame.width, frame.height)
        if frame.width * frame.height <= LARGE_PIXELS or frame.flip:
            self._paste(frame, rect, grey)
            return
        # All of 8K takes the compositor seconds of a busy processor, which no face does: a patch goes through
        # it, and its samples everywhere.
        patch = Rect(0, rect.y0, PATCH, rect.y0 + PATCH)
        self._paste(frame, patch, grey)
        for component in COMPONENTS[frame.layout.pixel_format].all:
            sample = component.take(frame, component.inside(patch, frame))[-2, -2]
            area = component.inside(rect, frame)
            component.put(frame, area, np.full((area.height, area.width), sample, np.uint8))

    def _paste(self, frame: FrameView, rect: Rect, grey: int) -> None:
        rgb = np.full((rect.height, rect.width, 3), grey, np.uint8)
        self._compositor.paste(frame, rect, rgb, np.full(rgb.shape[:2], 255, np.uint8))

    def _take_all(self) -> None:
        """Address space, which a limit counts, and no memory: nothing is written there."""
        try:
            self._hoard.append(mmap.mmap(-1, HOARD_BYTES))
        except OSError as error:
            raise MemoryError from error

    def close(self) -> None:
        pass
