"""A worker backend that needs no network: it draws a box into the middle of each frame.

Start the worker with ``--backend tests.support.box_backend:load``. The persona's name orders what it does:

* ``box``: the middle third of every plane becomes 255, verdict SWAPPED;
* ``invert``: every byte of the frame is inverted, verdict SWAPPED;
* ``no-face``: nothing, verdict NO_FACE;
* ``slow-N``: as ``box``, after N milliseconds of sleep;
* ``stuck``: sleeps for an hour in the middle of a frame;
* ``fail``: raises an error that a lane survives;
* ``bug``: raises one that it must not survive;
* anything else: as ``box``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from doppel_ipc.messages import Choices, Consent, DeviceInfo, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.errors import PersonaError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView


class BoxProcessor:
    engine = "box"

    def __init__(self, settings: FilterSettings) -> None:
        self.persona = settings.persona

    def configure(self, settings: FilterSettings) -> None:
        self.persona = settings.persona

    def turn(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def process(self, frame: FrameView) -> Judgement:
        started = time.perf_counter()
        verdict = self._edit(frame)
        milliseconds = (time.perf_counter() - started) * 1e3
        return Judgement(
            verdict, int(verdict is Verdict.SWAPPED), {"box": milliseconds}, f"as {self.persona}"
        )

    def _edit(self, frame: FrameView) -> Verdict:
        order = self.persona
        if order == "no-face":
            return Verdict.NO_FACE
        if order == "fail":
            raise PersonaError("this persona always fails")
        if order == "bug":
            raise ZeroDivisionError("a mistake")
        if order == "stuck":
            time.sleep(3600)
        if order == "invert":
            for plane in frame.planes:
                plane ^= 255
            return Verdict.SWAPPED
        if order.startswith("slow-"):
            time.sleep(int(order[5:]) / 1e3)
        for plane, row_bytes in zip(frame.planes, frame.layout.row_bytes, strict=True):
            rows = plane.shape[0]
            plane[rows // 3 : rows - rows // 3, row_bytes // 3 : row_bytes - row_bytes // 3] = 255
        return Verdict.SWAPPED

    def close(self) -> None:
        pass


class BoxBackend:
    device = "cpu"
    provider = "none"
    engine = "box"
    errors: tuple[type[Exception], ...] = ()

    def __init__(self, config: BackendConfig) -> None:
        self._config = config
        self._personas = [PersonaInfo("box", "Box", "mask", (), "")]

    def prepare(self, settings: FilterSettings) -> None:
        pass

    def open_lane(self, settings: FilterSettings, memory: FaceMemory) -> BoxProcessor:
        return BoxProcessor(settings)

    def personas(self) -> Sequence[PersonaInfo]:
        return self._personas

    def choices(self) -> Choices:
        return Choices((DeviceInfo("cpu", "A processor", 0), DeviceInfo("cuda:0", "A card", 8192)), ())

    def add_persona(
        self, photos: Sequence[Path], name: str, consent: Consent, *, licence: bool
    ) -> PersonaInfo | None:
        missing = [photo for photo in photos if not photo.is_file()]
        if missing:
            raise PersonaError(f"{missing[0]} does not exist; choose another photo")
        info = PersonaInfo(name or photos[0].stem, name, "photo", (f"consent: {consent.ground}",), "")
        self._personas.append(info)
        return info


def load(config: BackendConfig) -> BoxBackend:
    return BoxBackend(config)
