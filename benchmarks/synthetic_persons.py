"""Persons who do not exist, made of the public-domain portrait.

The portrait's face is moved to other proportions by a thin-plate spline, its skin's colour changed, its own
looks painted over with a smooth skin and drawn brows, and a beard or glasses added. A person's photo is such
a picture; a person's clip is rendered from it as the demo clip is from the portrait.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from doppel_demo import motion
from doppel_demo.head import SILHOUETTE
from doppel_demo.interpolation import ThinPlate
from doppel_demo.render import Renderer
from doppel_models import canonical, face_texture
from doppel_models.engines.mesh import imaging, raster, regions, uv
from doppel_models.engines.mesh.shape import HeadFrame
from doppel_models.types import ByteArray, FloatArray

from benchmarks import drawn_looks

_SIZE = face_texture.SIZE
_BROW_ROW = 0.23
"""Where brows begin, as a part of the texture's side."""
# fmt: off
_NOSE = (
    1, 2, 4, 5, 19, 94, 97, 98, 115, 129, 195, 197, 220, 218, 237, 44, 45, 48, 49, 64, 102, 326, 327,
    344, 358, 278, 279, 294, 331, 440, 438, 457, 274, 275, 51, 281, 3, 248,
)
# fmt: on
_AROUND = (
    (150.0, 40.0),
    (300.0, 40.0),
    (225.0, 4.0),
    (120.0, 110.0),
    (330.0, 110.0),
    (130.0, 200.0),
    (320.0, 200.0),
    (225.0, 232.0),
    (0.0, 0.0),
    (511.0, 0.0),
    (0.0, 511.0),
    (511.0, 511.0),
    (60.0, 300.0),
    (400.0, 300.0),
)  # fmt: skip
"""Portrait pixels around the head that stay."""
_JAW = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)


@dataclasses.dataclass(frozen=True, slots=True)
class Looks:
    """How a person differs from the portrait: factors (1: no change) and shifts (centimetres of the head)."""

    name: str
    eyes_apart: float = 0.0
    eyes_size: float = 1.0
    nose_width: float = 1.0
    nose_down: float = 0.0
    mouth_width: float = 1.0
    mouth_height: float = 1.0
    mouth_down: float = 0.0
    brows_down: float = 0.0
    jaw_width: float = 1.0
    chin_down: float = 0.0
    skin: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors on linear red, green and blue."""
    hair: tuple[float, float, float] = (1.0, 1.0, 1.0)
    smooth: float = 0.5
    """How much of the portrait's own skin is painted over, 0..1."""
    brows: tuple[int, int, int] = (60, 45, 38)
    brows_thick: float = 0.0
    """Of drawn brows, in texture sides; 0: the portrait's own."""
    beard: float = 0.0
    glasses: bool = False


PERSONS = (
    Looks(
        "dark skin", eyes_apart=0.42, eyes_size=1.1, nose_width=1.5, nose_down=0.4, mouth_width=1.12,
        mouth_height=1.5, mouth_down=0.3, brows_down=0.25, jaw_width=1.12, chin_down=0.4,
        skin=(0.36, 0.24, 0.17), hair=(0.25, 0.25, 0.25), smooth=0.95, brows=(26, 18, 15), brows_thick=0.022,
    ),
    Looks(
        "bearded", eyes_apart=-0.25, eyes_size=0.88, nose_width=1.05, nose_down=0.5, mouth_width=0.92,
        mouth_height=0.8, mouth_down=0.45, brows_down=0.3, jaw_width=1.1, chin_down=0.5,
        skin=(0.78, 0.66, 0.52), hair=(0.6, 0.5, 0.42), smooth=0.7, brows=(38, 28, 22), brows_thick=0.024,
        beard=0.75,
    ),
    Looks(
        "pale, glasses", eyes_apart=0.0, eyes_size=1.3, nose_width=0.75, nose_down=-0.55, mouth_width=0.74,
        mouth_height=1.15, mouth_down=-0.45, brows_down=-0.3, jaw_width=0.85, chin_down=-0.5,
        skin=(1.12, 1.14, 1.18), hair=(2.2, 1.8, 1.4), smooth=0.95, brows=(120, 86, 62), brows_thick=0.02,
        glasses=True,
    ),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """A person made of the portrait."""

    name: str
    photo: ByteArray
    """(512, 512, 3)."""
    landmarks: FloatArray
    """(478, 3) of the photo, pixels."""

    def clip(self, first: float, seconds: float, fps: float, height: int = 360) -> list[ByteArray]:
        """The demo clip's movements from second ``first`` on, ``height * 16 / 9`` wide."""
        width = height * 16 // 9
        renderer = Renderer(self.photo, self.landmarks.astype(np.float64), width, height, height / 2.4)
        moments = first + np.arange(round(seconds * fps)) / fps
        return [renderer.frame(motion.pose(float(moment) % motion.SECONDS)) for moment in moments]


def make(looks: Looks, portrait: ByteArray, landmarks: FloatArray) -> Person:
    """A person of the portrait (512, 512, 3) and its landmarks (478, 3), pixels."""
    painted = _paint(_recolor(portrait, looks, landmarks), landmarks, looks)
    moved = _moved(landmarks, looks)
    around = np.array(_AROUND)
    to = np.concatenate([moved[:, :2].astype(float), around])
    back = ThinPlate(to, np.concatenate([landmarks[:, :2].astype(float), around]) - to, stiffness=0.05)
    # Smooth enough to be worked out at every fourth pixel.
    coarse = np.stack(np.meshgrid(np.arange(1.5, 512, 4), np.arange(1.5, 512, 4)), axis=-1)
    moves = back(coarse.reshape(-1, 2)).reshape(coarse.shape).astype(np.float32)
    at = cv2.resize(moves, (512, 512), interpolation=cv2.INTER_LINEAR)
    at = at + np.stack(np.meshgrid(np.arange(512), np.arange(512)), axis=-1).astype(np.float32)
    photo: ByteArray = np.asarray(
        cv2.remap(painted, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    if looks.glasses:
        photo = drawn_looks.glasses(photo, moved)
    return Person(looks.name, photo, moved)


def _moved(landmarks: FloatArray, looks: Looks) -> FloatArray:
    head = HeadFrame.of(landmarks)
    scale = head.scale
    right, down = head.rotation[:2, 0] * scale, head.rotation[:2, 1] * scale
    unit = np.stack([right, down], axis=1)
    flat = landmarks[:, :2] @ np.linalg.inv(unit).T
    moved = flat.copy()
    middle = flat[168, 0]

    for eye, brow, iris, side in (
        (regions.RIGHT_EYE, regions.RIGHT_BROW, range(468, 473), -1),
        (regions.LEFT_EYE, regions.LEFT_BROW, range(473, 478), 1),
    ):
        center = flat[eye].mean(axis=0)
        around = np.linalg.norm(flat[:468] - center, axis=1)
        near = np.concatenate([np.flatnonzero(around < 1.7), np.array(list(iris))])
        near = near[np.abs(flat[near, 0] - middle) > 0.5]
        near = near[~np.isin(near, brow)]
        moved[near] = center + (flat[near] - center) * looks.eyes_size
        moved[near, 0] += side * looks.eyes_apart
        moved[brow, 0] += side * looks.eyes_apart
        moved[brow, 1] += looks.brows_down
    nose = np.array(_NOSE)
    moved[nose, 0] = middle + (flat[nose, 0] - middle) * looks.nose_width
    moved[nose, 1] += looks.nose_down * np.clip((flat[nose, 1] - flat[168, 1]) / 4, 0, 1)
    center = flat[[61, 291]].mean(axis=0)
    lips = np.flatnonzero(np.linalg.norm((flat[:468] - center) / (3.2, 1.6), axis=1) < 1)
    lips = lips[~np.isin(lips, nose)]
    moved[lips] = center + (flat[lips] - center) * (looks.mouth_width, looks.mouth_height)
    moved[lips, 1] += looks.mouth_down
    jaw = np.array(_JAW)
    moved[jaw, 0] = middle + (flat[jaw, 0] - middle) * looks.jaw_width
    moved[jaw, 1] += looks.chin_down * np.exp(-(((flat[jaw, 0] - middle) / 4) ** 2))
    eyes = (regions.RIGHT_EYE, regions.LEFT_EYE, regions.RIGHT_BROW, regions.LEFT_BROW)
    fixed = np.concatenate([nose, lips, jaw, *eyes, np.array([10, 109, 338, 234, 454, 127, 356])])
    fixed = np.unique(fixed)
    field = ThinPlate(flat[fixed].astype(float), (moved - flat)[fixed].astype(float), stiffness=0.05)
    smooth = flat + field(flat.astype(float))
    out = landmarks.copy()
    out[:, :2] = smooth @ unit.T
    return out.astype(np.float32)


def _recolor(portrait: ByteArray, looks: Looks, landmarks: FloatArray) -> ByteArray:
    """Skin and hair in other colours, all over the picture's head and neck."""
    linear = (portrait.astype(np.float32) / 255) ** 2.2
    ycc = cv2.cvtColor(portrait, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    head = np.zeros(portrait.shape[:2], np.uint8)
    cv2.fillPoly(head, [np.rint(SILHOUETTE).astype(np.int32)], 255)
    neck = np.zeros_like(head)
    cv2.fillPoly(neck, [np.array([(186, 150), (262, 150), (260, 198), (225, 216), (188, 200)])], 255)
    inside = cv2.max(head, neck)
    face = np.zeros_like(head)
    cv2.fillConvexPoly(face, cv2.convexHull(landmarks[:468, :2].astype(np.int32)), 255)
    red = np.clip((ycc[..., 1] - 138) / 10, 0, 1) * np.clip((ycc[..., 0] - 70) / 40, 0, 1)
    # Where the face is and no fringe: wholly.
    fringe = _put_back(np.zeros_like(portrait), landmarks, np.full((_SIZE, _SIZE, 3), 255, np.float32),
                       face_texture.unwrap(portrait, landmarks).hair)[..., 0] / np.float32(255)  # fmt: skip
    red = np.maximum(red, (face > 0) * (1 - fringe))
    for outline in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.MOUTH):
        hole = cv2.fillPoly(np.zeros_like(head), [np.rint(landmarks[outline, :2]).astype(np.int32)], 1)
        red = red * (1 - hole)
    pale = np.clip((ycc[..., 1] - 131) / 5, 0, 1) * np.clip((ycc[..., 0] - 70) / 40, 0, 1)
    red = np.maximum(red, pale * (neck > 0))
    skin = cv2.GaussianBlur((red * (inside > 0)).astype(np.float32), (0, 0), 0.8)[..., None]
    hair = cv2.GaussianBlur(((1 - red) * (head > 0) * (face == 0)).astype(np.float32), (0, 0), 1.0)[..., None]
    gain = 1 + skin * (np.array(looks.skin, np.float32) - 1) + hair * (np.array(looks.hair, np.float32) - 1)
    return np.asarray(np.clip((linear * gain) ** (1 / 2.2) * 255, 0, 255), np.uint8)


def _paint(portrait: ByteArray, landmarks: FloatArray, looks: Looks) -> ByteArray:
    """Skin, brows and beard, painted in texture space and put back into the portrait."""
    view = face_texture.unwrap(portrait, landmarks)
    grid = uv.grid(_SIZE)
    texture = view.texture.copy()
    smooth = cv2.bilateralFilter(texture, 0, 28, 9)
    away = np.ones((_SIZE, _SIZE), np.float32)
    for outline in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.LIPS):
        away *= 1 - imaging.blur(
            cv2.dilate(grid.polygon(outline), np.ones((9, 9), np.uint8)) / np.float32(255), 3
        )
    hair = view.hair.copy()
    hair[round(_BROW_ROW * _SIZE) :] = 0
    known = view.weight * (1 - hair)
    mirrored = 0.5 * (smooth + smooth[:, ::-1])
    texture += (away * np.float32(looks.smooth))[..., None] * (mirrored - texture)
    if looks.brows_thick > 0:
        texture = drawn_looks.brows(texture, looks.brows, looks.brows_thick)
    if looks.beard > 0:
        texture = drawn_looks.beard(texture, looks.brows, looks.beard)
    share = imaging.blur(grid.inside.astype(np.float32), 4) * imaging.blur(known, 4)
    share *= imaging.blur(cv2.erode(grid.inside.astype(np.float32), np.ones((31, 31))), 8)
    for outline in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.MOUTH):
        share *= 1 - imaging.blur(grid.polygon(outline) / np.float32(255), 1.5)
    return _put_back(portrait, landmarks, texture, share)


def _put_back(
    portrait: ByteArray, landmarks: FloatArray, texture: FloatArray, share: FloatArray
) -> ByteArray:
    face = canonical.load()
    drawn_at = raster.rasterize(
        landmarks[:468].astype(np.float32), raster.covering(face.uv), face.triangles, 512, 512
    )
    covered = np.ascontiguousarray(drawn_at[:, :, 2])
    positions = np.ascontiguousarray(drawn_at[:, :, :2]) * np.float32(_SIZE) - np.float32(0.5)
    factor = _SIZE / float(np.ptp(landmarks[:, 0]))
    soft = imaging.blur(texture, max(0.35 * factor / 2, 0.5))
    drawn, mask = imaging.remap(soft, positions), imaging.remap(share, positions) * covered
    out = portrait * (1 - mask[..., None]) + drawn * mask[..., None]
    return np.asarray(np.clip(out, 0, 255).round(), np.uint8)
