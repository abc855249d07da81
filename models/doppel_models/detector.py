"""BlazeFace: finds faces in a picture, near ones by a small network and far ones by a larger one.

V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019. Decoding and
weighted non-maximum suppression as in MediaPipe's face detector.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import weights
from doppel_models.errors import PictureError
from doppel_models.geometry import iou
from doppel_models.session import Network, SessionConfig
from doppel_models.types import ByteArray, Detection, FloatArray

INPUT_SIZE = 128
FAR_INPUT_SIZE = 192
MIN_SCORE = 0.5
"""MediaPipe's default."""
_MAX_IOU = 0.3
_MAX_LOGIT = 50.0
_GRIDS = ((16, 2), (8, 6))
_FAR_GRIDS = ((48, 1),)
"""(cells along a side, anchors in each cell), in the order of the network's output."""


class FaceDetector:
    """Finds faces in pictures."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        """Load the bundled networks.

        Raises:
            WeightsError: a network's file is missing or damaged.
            SessionError: ONNX Runtime cannot build it.
        """
        config = config or SessionConfig()
        near = Network("face detector", weights.FACE_DETECTOR.read(), config)
        far = Network("far-face detector", weights.FACE_DETECTOR_FAR.read(), config)
        self.networks = near, far
        self._near = _BlazeFace(near, INPUT_SIZE, _GRIDS)
        self._far = _BlazeFace(far, FAR_INPUT_SIZE, _FAR_GRIDS)

    def detect(self, image: ByteArray, min_score: float = MIN_SCORE) -> list[Detection]:
        """The near faces of a picture, best score first; boxes may reach past its edges.

        Near: the box is at least about a tenth of the picture's longer side.

        Args:
            image: (height, width, 3) uint8 RGB, any size; it is fitted into 128x128 with its aspect kept.
            min_score: 0..1, faces below it are left out.

        Raises:
            PictureError: not such an array.
        """
        return self._near.detect(image, min_score)

    def detect_far(self, image: ByteArray, min_score: float = MIN_SCORE) -> list[Detection]:
        """As :meth:`detect`, for faces down to a sixteenth of the longer side, in three times the time.

        The picture is fitted into 192x192.

        Raises:
            PictureError: as :meth:`detect`.
        """
        return self._far.detect(image, min_score)


class _BlazeFace:
    """One network and the decoding of what it says."""

    def __init__(self, network: Network, input_size: int, grids: tuple[tuple[int, int], ...]) -> None:
        self._network = network
        self._size = input_size
        self._anchors = _anchors(input_size, grids)
        self._input = np.empty((1, input_size, input_size, 3), np.float32)

    def detect(self, image: ByteArray, min_score: float) -> list[Detection]:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise PictureError(
                f"picture of shape {image.shape} {image.dtype}, expected (height, width, 3) uint8"
            )
        scale, shift_x, shift_y = self._letterbox(image)
        regressors, logits = self._network.run(self._input)
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -_MAX_LOGIT, _MAX_LOGIT)))
        chosen = np.flatnonzero(scores >= min_score)
        if not len(chosen):
            return []
        values = regressors[0, chosen].reshape(len(chosen), 8, 2)
        values[:, 0] += self._anchors[chosen]
        values[:, 2:] += self._anchors[chosen, None]
        center, half = values[:, 0].copy(), values[:, 1] / 2
        values[:, 0], values[:, 1] = center - half, center + half
        # From here on (n, 8, 2): top-left, bottom-right, six key points, in pixels of the picture.
        values = (values - (shift_x, shift_y)) / scale
        return _suppress(values.astype(np.float32), scores[chosen])

    def _letterbox(self, image: ByteArray) -> tuple[float, float, float]:
        """Fill the network's input; returns the map (scale, shift x, shift y) from the picture to it."""
        height, width = image.shape[:2]
        size = self._size
        scale = size / max(height, width)
        shift_x, shift_y = (size - width * scale) / 2, (size - height * scale) / 2
        if scale == 1 and shift_x.is_integer() and shift_y.is_integer():
            left, top = int(shift_x), int(shift_y)
            canvas = np.zeros((size, size, 3), np.uint8)
            canvas[top : top + height, left : left + width] = image
        else:
            matrix = np.array([[scale, 0, shift_x], [0, scale, shift_y]])
            canvas = np.asarray(cv2.warpAffine(image, matrix, (size, size)), np.uint8)
        np.multiply(canvas, np.float32(2 / 255), out=self._input[0])
        np.subtract(self._input, np.float32(1), out=self._input)
        return scale, shift_x, shift_y


def _anchors(size: int, grids: tuple[tuple[int, int], ...]) -> FloatArray:
    """(number of anchors, 2): centres of the cells of square grids, in pixels of the network's input."""
    parts = []
    for cells, count in grids:
        centers = (np.arange(cells, dtype=np.float32) + 0.5) * (size / cells)
        y, x = np.meshgrid(centers, centers, indexing="ij")
        parts.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(parts)


def _suppress(values: FloatArray, scores: npt.NDArray[np.floating]) -> list[Detection]:
    """Weighted non-maximum suppression: overlapping candidates are averaged by their scores."""
    left = list(np.argsort(-scores, kind="stable"))
    boxes = values[:, :2].reshape(-1, 4)
    found = []
    while left:
        best = left[0]
        overlaps = [index for index in left if index == best or iou(boxes[best], boxes[index]) > _MAX_IOU]
        left = [index for index in left if index not in overlaps]
        mean = np.average(values[overlaps], axis=0, weights=scores[overlaps]).astype(np.float32)
        found.append(Detection(mean[:2].reshape(4), mean[2:], float(scores[best])))
    return found
