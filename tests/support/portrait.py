"""The public-domain astronaut portrait (NASA) as a cut-out head with its landmarks."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import cv2
import numpy as np
from doppel_models.types import ByteArray, FloatArray

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"

# The outline of hair, ears, jaw and neck, pixels of the 512 x 512 portrait, drawn by hand.
# fmt: off
HEAD_OUTLINE = np.array([
    (170, 117), (161, 108), (157, 96), (154, 78), (154, 66), (158, 56), (170, 46),
    (187, 36), (194, 28), (210, 22), (220, 17), (232, 15), (248, 18), (260, 23),
    (274, 30), (286, 39), (292, 49), (297, 61), (300, 75), (302, 87), (297, 106),
    (288, 118), (280, 127), (278, 134), (270, 137), (266, 143), (262, 150), (257, 161),
    (254, 176), (250, 186), (236, 190), (215, 188), (196, 184), (188, 176), (186, 163),
    (185, 150), (183, 134), (179, 131), (173, 127),
], dtype=np.float32)
# fmt: on


@dataclasses.dataclass(frozen=True, slots=True)
class Portrait:
    """A head with soft edges, cut out of its picture."""

    rgb: ByteArray
    """(h, w, 3) the picture."""
    alpha: FloatArray
    """(h, w) 0..1: the head, the neck and the hair."""
    landmarks: FloatArray
    """(478, 3) pixels of ``rgb``; z in the same scale."""
    outline: FloatArray
    """(n, 2) around everything that ``alpha`` holds."""

    def mirrored(self) -> Portrait:
        """The same head seen in a mirror; its landmarks keep their meaning (right eye stays right eye)."""
        points = self.landmarks[_fixture()["mirror"].astype(int)].copy()
        outline = self.outline.copy()
        for at in (points, outline):
            at[:, 0] = self.rgb.shape[1] - 1 - at[:, 0]
        return Portrait(self.rgb[:, ::-1].copy(), self.alpha[:, ::-1].copy(), points, outline)

    def tinted(self, gains: tuple[float, float, float]) -> Portrait:
        """The same head with its red, green and blue multiplied: another skin and hair colour."""
        rgb = np.clip(self.rgb * np.asarray(gains, np.float32), 0, 255).astype(np.uint8)
        return dataclasses.replace(self, rgb=rgb)


@functools.cache
def _fixture() -> dict[str, FloatArray]:
    with np.load(FIXTURES / "astronaut_landmarks.npz") as data:
        return {name: data[name] for name in data.files}


@functools.cache
def astronaut() -> Portrait:
    """The portrait at its own size, 512 x 512; the face is about 110 pixels high."""
    bgr = cv2.imread(str(FIXTURES / "astronaut.png"), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(FIXTURES / "astronaut.png")
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(alpha, [np.round(HEAD_OUTLINE * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    # One pixel inwards: the outline itself is mixed with the bright background.
    alpha = cv2.erode(alpha, np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(alpha, (0, 0), 1.0).astype(np.float32) / 255
    return Portrait(rgb, soft, _fixture()["points"].astype(np.float32), HEAD_OUTLINE)


def face_height(landmarks: FloatArray) -> float:
    """Distance from the top of the forehead (landmark 10) to the chin (152), pixels."""
    return float(np.linalg.norm(landmarks[10, :2] - landmarks[152, :2]))


def paste_head(
    canvas: ByteArray, head: Portrait, *, center: tuple[float, float], height: float, roll: float = 0.0
) -> FloatArray:
    """Draw ``head`` into ``canvas`` in place and return its landmarks there.

    Args:
        canvas: (h, w, 3) uint8 RGB.
        head: what to draw.
        center: where the middle of the face (mean landmark) goes, pixels.
        height: of the face from forehead to chin, pixels.
        roll: degrees, clockwise in the picture.

    Returns:
        (478, 3) landmarks in canvas pixels.
    """
    scale = height / face_height(head.landmarks)
    angle = np.deg2rad(roll)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = head.landmarks[:, :2].mean(axis=0).astype(np.float64)
    matrix = np.c_[linear, np.asarray(center) - linear @ middle]
    # Only the part of the canvas that the cut-out reaches is touched.
    corners = np.concatenate([head.outline, head.outline + 1]) @ linear.T + matrix[:, 2]
    x0, y0 = np.maximum(np.floor(corners.min(axis=0) - 4), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0) + 4), canvas.shape[1::-1]).astype(int)
    if x0 < x1 and y0 < y1:
        shifted = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        size = (int(x1 - x0), int(y1 - y0))
        # Reductions are averaged first: bilinear sampling of a larger picture would alias.
        blur = 0.0 if scale >= 1 else 0.5 * (1 / scale - 1)
        rgb, alpha = head.rgb, head.alpha
        if blur > 0.1:
            rgb, alpha = cv2.GaussianBlur(rgb, (0, 0), blur), cv2.GaussianBlur(alpha, (0, 0), blur)
        warped = cv2.warpAffine(rgb, shifted, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(alpha, shifted, size, flags=cv2.INTER_LINEAR)[..., None]
        part = canvas[y0:y1, x0:x1]
        part[:] = np.round(part * (1 - mask) + warped * mask).astype(np.uint8)
    points = head.landmarks.astype(np.float64)
    out = np.empty_like(points)
    out[:, :2] = points[:, :2] @ linear.T + matrix[:, 2]
    out[:, 2] = points[:, 2] * scale
    return out.astype(np.float32)
