"""Networks that help a swapper: enhancers restore the swapped face, XSeg finds what is in front of it."""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models.engines.crops import description
from doppel_models.engines.crops.crop import AlignedCrop
from doppel_models.engines.crops.network import RoleNetwork, as_mask, black_picture, no_picture, turned_black
from doppel_models.errors import EngineError
from doppel_models.files.kinds import Role
from doppel_models.types import ByteArray, FloatArray

_FULL_WEIGHT = 1.0
"""Of an enhancer's own fidelity input: the face it is given rather than a finer one (CodeFormer)."""


class Enhancer:
    """Restores a face: GFPGAN, GPEN, CodeFormer."""

    def __init__(self, network: RoleNetwork) -> None:
        """Use a model of kind enhancer.

        Raises:
            EngineError: it is not one.
        """
        self._network = network
        self._row = description.describe(network.model)
        self.size: int = network.model.size
        """Pixels of the side of the faces that it makes."""

    def apply(self, rgb: ByteArray, points: FloatArray, strength: float) -> ByteArray:
        """A crop with its face restored.

        Args:
            rgb: (h, w, 3) uint8 RGB.
            points: (478, 2 or 3) landmarks in it, pixels.
            strength: 0 (as it was) .. 1.

        Raises:
            EngineError: what comes out is no picture.
            SessionError: the network fails.
        """
        if strength <= 0:
            return rgb
        crop = AlignedCrop.of(rgb, points, self._row.template, self.size)
        inputs = {Role.TARGET: self._row.picture_in.encode(crop.rgb)}
        weight = self._network.model.input(Role.WEIGHT)
        if weight is not None:
            shape = [size or 1 for size in weight.shape]
            inputs[Role.WEIGHT] = np.full(shape, _FULL_WEIGHT, np.float32)
        out = self._network.run(inputs)[Role.FACE]
        if not np.isfinite(out).all():
            raise EngineError(no_picture(self._network.network.name))
        picture = self._row.picture_out.decode(out)
        if turned_black(picture[::8, ::8], crop.rgb[::8, ::8]):
            raise EngineError(black_picture(self._network.network.name))
        height, width = rgb.shape[:2]
        restored = crop.back(picture, (width, height))
        return np.asarray(cv2.addWeighted(restored, strength, rgb, 1 - strength, 0), np.uint8)


class Occluder:
    """Finds what is in front of a face: XSeg."""

    def __init__(self, network: RoleNetwork) -> None:
        """Use a model of kind XSeg."""
        self._network = network
        self._picture = network.model.input(Role.TARGET)

    def uncovered(self, rgb: ByteArray) -> FloatArray:
        """(n, n) 0..1: what of a square crop (h, h, 3) uint8 RGB is the face, with nothing in front.

        Raises:
            EngineError: the model has no picture going in, or gives something that is no mask.
            SessionError: the network fails.
        """
        if self._picture is None:
            raise EngineError(f"{self._network.network.name} takes no picture")
        size = self._network.model.size
        interpolation = cv2.INTER_AREA if rgb.shape[0] > size else cv2.INTER_LINEAR
        fitted = np.asarray(cv2.resize(rgb, (size, size), interpolation=interpolation), np.uint8)
        tensor = description.typed(description.XSEG, self._picture).encode(fitted)
        mask = as_mask(self._network.run({Role.TARGET: tensor})[Role.FACE_MASK], self._network.network.name)
        return np.clip(mask, 0, 1)
