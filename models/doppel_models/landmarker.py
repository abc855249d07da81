"""MediaPipe's face mesh V2: 478 points of one face in a crop."""

from __future__ import annotations

import math

import cv2
import numpy as np

from doppel_models import weights
from doppel_models.errors import PictureError
from doppel_models.session import Network, SessionConfig
from doppel_models.types import ByteArray, MeshResult

INPUT_SIZE = 256
POINT_COUNT = 478
MIN_PRESENCE = 0.5
"""MediaPipe's default: below it the crop is taken for one without a face."""


class FaceLandmarker:
    """Finds the 478 points of the face in an aligned crop (see ``geometry.Roi``)."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        """Load the bundled network.

        Raises:
            WeightsError: the network's file is missing or damaged.
            SessionError: ONNX Runtime cannot build it.
        """
        self.network = Network("face landmarks", weights.FACE_LANDMARKS.read(), config or SessionConfig())
        self._input = np.empty((1, 3, INPUT_SIZE, INPUT_SIZE), np.float32)
        self._planes = np.empty(self._input.shape[1:], np.uint8)
        self._each_plane = list(self._planes)

    def run(self, crop: ByteArray) -> MeshResult:
        """Landmarks and presence of the face in ``crop``, (256, 256, 3) uint8 RGB.

        Raises:
            PictureError: not such an array.
        """
        if crop.shape != (INPUT_SIZE, INPUT_SIZE, 3) or crop.dtype != np.uint8:
            raise PictureError(f"crop of shape {crop.shape} {crop.dtype}, expected (256, 256, 3) uint8")
        # Plane by plane: NumPy's own transposition takes four times as long.
        cv2.split(crop, self._each_plane)
        np.copyto(self._input[0], self._planes)
        points, presence, _ = self.network.run(self._input)
        logit = float(presence.reshape(-1)[0])
        return MeshResult(points.reshape(POINT_COUNT, 3), 1 / (1 + math.exp(-min(max(logit, -50.0), 50.0))))
