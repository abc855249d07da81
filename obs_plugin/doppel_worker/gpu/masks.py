"""Masks of a crop made on the device: bytes of a network's own mask, drawn in, softened and multiplied."""

from __future__ import annotations

import math

import numpy as np
from doppel_models.tensor import DeviceTensor

from doppel_worker.errors import FrameError
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.gpu.tensors import DeviceTensors

_REACH = 3.0
"""Standard deviations that a blur looks to either side, as OpenCV does for bytes."""


class DeviceMasks:
    """Works on masks (h, w) of uint8 on the device. Results are valid until the next frame."""

    def __init__(self, tensors: DeviceTensors) -> None:
        self._tensors = tensors

    def from_network(self, mask: DeviceTensor) -> DeviceTensor:
        """Bytes of a mask of 0..1 in any number type; what is not finite is 0."""
        result = self._like(mask)
        self._run("mask_bytes", mask, result)
        return result

    def eroded(self, mask: DeviceTensor, radius: int) -> DeviceTensor:
        """The smallest value within a square of ``2 * radius + 1`` pixels, as ``cv2.erode``."""
        half, result = self._like(mask), self._like(mask)
        self._run("mask_erode", mask, half, radius=radius, across=1)
        self._run("mask_erode", half, result, radius=radius, across=0)
        return result

    def blurred(self, mask: DeviceTensor, sigma: float) -> DeviceTensor:
        """A Gaussian blur, the edges replicated.

        Raises:
            FrameError: ``sigma`` is not positive.
        """
        if not sigma > 0:
            raise FrameError(f"a blur of {sigma} pixels")
        radius = max(1, math.ceil(_REACH * sigma))
        weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        place = self._tensors.upload((weights / weights.sum()).astype(np.float32)).pointer
        half = self._tensors.room(describe.mask_size(mask), "float32")
        result = self._like(mask)
        self._run("mask_blur", mask, half, radius=radius, across=1, weights=place)
        self._run("mask_blur", half, result, radius=radius, across=0, weights=place)
        return result

    def product(self, one: DeviceTensor, other: DeviceTensor) -> DeviceTensor:
        """Both masks at once: ``one * other / 255`` rounded.

        Raises:
            FrameError: they are of different sizes.
        """
        if describe.mask_size(one) != describe.mask_size(other):
            raise FrameError(f"masks of {one.shape} and {other.shape} do not fit")
        result = self._like(one)
        params = self._params(one, result)
        params["with"] = describe.mask(other)
        self._launch("mask_multiply", params)
        return result

    def _like(self, mask: DeviceTensor) -> DeviceTensor:
        return self._tensors.room(describe.mask_size(mask), "uint8")

    def _run(self, kernel: str, source: DeviceTensor, to: DeviceTensor, **fields: int) -> None:
        params = self._params(source, to)
        for name, value in fields.items():
            params[name] = value
        self._launch(kernel, params)

    def _params(self, source: DeviceTensor, to: DeviceTensor) -> Struct:
        height, width = describe.mask_size(source)
        params = struct(structs.MASK, to=describe.mask(to)[0], width=width, height=height)
        params["from"] = describe.mask(source)
        return params

    def _launch(self, kernel: str, params: Struct) -> None:
        self._tensors.device.launch(kernel, int(params["width"][0]), int(params["height"][0]), params)
