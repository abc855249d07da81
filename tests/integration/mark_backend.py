"""A backend for the worker that swaps nothing: it paints over the picture, all but its topmost eighth.

What it paints tells the persona apart (the text's length decides the grey), and the file that
DOPPEL_TEST_BACKEND names makes it slow or stuck while it runs: ``{"delay_ms": 80}``, ``{"stuck": true}``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from doppel_ipc.messages import Consent, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView

ORDERS = "DOPPEL_TEST_BACKEND"
KEPT_PART = 8
GREYS = {"porcelain": 90, "bronze": 170}


def load(config: BackendConfig) -> MarkBackend:
    return MarkBackend()


class MarkBackend:
    device = "test"
    provider = "NoProvider"
    engine = "mark"
    errors = (ValueError,)

    def open_lane(self, settings: FilterSettings) -> MarkLane:
        return MarkLane(settings)

    def personas(self) -> Sequence[PersonaInfo]:
        return [PersonaInfo(name, name.capitalize(), "mask", ()) for name in GREYS]

    def add_persona(self, photos: Sequence[Path], name: str, consent: Consent) -> PersonaInfo:
        if not photos[0].is_file():
            raise ValueError("there is no such photo")
        return PersonaInfo("added", name or "added", "photo", ())


class MarkLane:
    engine = "mark"

    def __init__(self, settings: FilterSettings) -> None:
        self._settings = settings
        self._compositor = CpuCompositor()
        self._file = os.environ.get(ORDERS)
        self._read_at = 0.0
        self._orders: dict[str, float] = {}

    @property
    def persona(self) -> str:
        return self._settings.persona

    def configure(self, settings: FilterSettings) -> None:
        self._settings = settings

    def process(self, frame: FrameView) -> Judgement:
        self._obey()
        top = frame.height // KEPT_PART
        rect = Rect(0, top, frame.width, frame.height)
        grey = GREYS.get(self._settings.persona, 130)
        rgb = np.full((rect.height, rect.width, 3), grey, np.uint8)
        self._compositor.paste(frame, rect, rgb, np.full(rgb.shape[:2], 255, np.uint8))
        return Judgement(Verdict.SWAPPED, 1)

    def close(self) -> None:
        pass

    def _obey(self) -> None:
        now = time.monotonic()
        if self._file and now - self._read_at > 0.1:
            self._read_at = now
            path = Path(self._file)
            self._orders = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        time.sleep(self._orders.get("delay_ms", 0) / 1000)
        while self._orders.get("stuck"):
            time.sleep(1)
