"""Crops of crops: the same face in another template or size, for recognisers, enhancers and photos."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from doppel_models.engines.crops.templates import Template
from doppel_models.geometry import invert
from doppel_models.types import ByteArray, FloatArray

_REDUCED = 0.7
"""Scales below it are averaged first, so that they do not alias."""


@dataclasses.dataclass(frozen=True, slots=True)
class AlignedCrop:
    """A face in the template of a network, taken out of a picture."""

    rgb: ByteArray
    """(size, size, 3) uint8 RGB."""
    matrix: FloatArray
    """(2, 3), pixels of the picture -> pixels of the crop."""

    @classmethod
    def of(cls, picture: ByteArray, landmarks: FloatArray, template: Template, size: int) -> AlignedCrop:
        """The face of ``landmarks`` (478, 2 or 3), pixels of ``picture`` (h, w, 3) uint8 RGB."""
        matrix = template.matrix(landmarks, size)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        factor = 1
        while scale * factor < _REDUCED:
            factor *= 2
        taken, move = picture, matrix
        if factor > 1:
            # Even parts only, so that each small pixel is the mean of whole ones; borders are replicated.
            down, right = -picture.shape[0] % factor, -picture.shape[1] % factor
            whole = cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE)
            size_small = (whole.shape[1] // factor, whole.shape[0] // factor)
            taken = np.asarray(cv2.resize(whole, size_small, interpolation=cv2.INTER_AREA), np.uint8)
            move = matrix.copy()
            # Small pixel c stands for pixel factor * c + (factor - 1) / 2.
            move[:, 2] += matrix[:, :2].sum(axis=1) * (factor - 1) / 2
            move[:, :2] *= factor
        return cls(_warp(taken, move, (size, size)), matrix)

    def back(self, rgb: ByteArray, size: tuple[int, int]) -> ByteArray:
        """A changed crop as a picture of ``size`` (width, height); what it does not reach is replicated."""
        return _warp(rgb, invert(self.matrix), size)


def _warp(picture: ByteArray, matrix: FloatArray, size: tuple[int, int]) -> ByteArray:
    warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
