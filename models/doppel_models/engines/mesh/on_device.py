"""The mesh engine whose pictures are drawn on a device.

What is decided is decided here, as for the processor: 478 points, and maps of 64 x 64 texels. They go up in
one block; the frame's pixels, the texture and the swapped face never leave the device. In every second frame
the live face comes down as a texture of 64 x 64, in which light and what is before the face are followed:
that is 12 kB, and its steps (connected patches, medians, small systems of equations) are no work for a GPU.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from doppel_models.engines.base import CropReader, LookSettings, SwapResult
from doppel_models.engines.mesh.engine import MeshEngine, reduction_of
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.engines.mesh.plan import Plan
from doppel_models.engines.mesh.state import MeshState
from doppel_models.tensor import DeviceTensor
from doppel_models.types import ByteArray, Face, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceCrop:
    """The live face on a device."""

    picture: DeviceTensor
    """(h, w, 3) uint8 RGB."""
    reduced: Callable[[int], DeviceTensor]
    """The same at ``1 / factor`` of its size, rounded down: (h, w, 3 or more) uint8, RGB first."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), pixels."""
        return self.picture.shape[1], self.picture.shape[0]


@dataclasses.dataclass(frozen=True, slots=True)
class DrawnFace:
    """The swapped face on a device, until the next frame. As ``SwapResult``."""

    rgb: DeviceTensor
    """(h, w, 3) uint8; means nothing where :attr:`mask` is 0."""
    mask: DeviceTensor
    """(h, w) uint8."""
    fade: float
    cover: DeviceTensor | None
    """(h, w) uint8; there when :attr:`fade` > 0."""
    veil: DeviceTensor | None
    """(h, w) uint8."""


class MeshDevice(Protocol):
    """What a device does for the mesh engine. Results are valid until the next frame."""

    def keep(self, texture: ByteArray) -> DeviceTensor:
        """A copy of a persona's texture, for as long as somebody holds it."""

    def crop(self, rgb: ByteArray) -> DeviceCrop:
        """A copy of a crop (h, w, 3) of this process's memory."""

    def live_texture(self, crop: DeviceCrop, points: FloatArray, factor: int) -> ByteArray:
        """The live face in texture space, (64, 64, 3) uint8 RGB, from the crop at ``1 / factor`` of its size.

        Args:
            crop: the live face.
            points: (468 or more, 3) its points, pixels of the crop.
            factor: 1 or more.
        """

    def draw(self, plan: Plan, texture: DeviceTensor | None, crop: DeviceCrop) -> DrawnFace:
        """Draw a planned face; ``texture`` is the plan's, None where nothing is swapped."""

    def fetch(self, drawn: DrawnFace) -> SwapResult:
        """The same in this process's memory; waits for the device."""


class DeviceMeshEngine(MeshEngine):
    """Satisfies ``FaceEngine`` as the mesh engine does, which is its measure."""

    def __init__(self, persona: MeshPersona, device: MeshDevice) -> None:
        """Prepare for a persona; the device is not asked before the first frame."""
        super().__init__(persona)
        self._device = device
        self._kept: dict[int, DeviceTensor] = {}

    def swap(
        self,
        crop: ByteArray | CropReader,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: MeshState,
        timestamp_ns: int,
    ) -> SwapResult:
        """See ``FaceEngine.swap``: the crop goes up, and the swapped face comes down."""
        height, width = crop.shape[:2]
        rgb = crop if isinstance(crop, np.ndarray) else crop.part(0, 0, width, height)
        device = self._device
        drawn = self.swap_on_device(device, device.crop(rgb), points, face, look, state, timestamp_ns)
        return device.fetch(drawn)

    def swap_on_device(
        self,
        device: MeshDevice,
        crop: DeviceCrop,
        points: FloatArray,
        face: Face,
        look: LookSettings,
        state: MeshState,
        timestamp_ns: int,
    ) -> DrawnFace:
        """Swap one face that lies on ``device``; the other arguments are those of :meth:`swap`.

        While it waits for the device, another face may be swapped, with a state of its own.
        """

        def live(at: FloatArray, face_width: float) -> ByteArray:
            return device.live_texture(crop, at, reduction_of(face_width, crop.size))

        plan = self.plan(crop.size, points, face, look, state, timestamp_ns, live)
        texture = None if plan.texture is None else self._texture_on(device, plan.texture)
        return device.draw(plan, texture, crop)

    def _texture_on(self, device: MeshDevice, texture: ByteArray) -> DeviceTensor:
        """One of the persona's textures; each goes up once, when it is first used."""
        side = texture.shape[0]
        if side not in self._kept:
            self._kept[side] = device.keep(texture)
        return self._kept[side]
