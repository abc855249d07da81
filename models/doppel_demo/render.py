"""Draws one moment of the talking head: skin over eyes and mouth, each a textured surface with depth."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

from doppel_demo import expression
from doppel_demo.head import HeadModel, Pose, Surface, rotation
from doppel_demo.interpolation import Array, smoothstep
from doppel_demo.raster import Index, grid_triangles, rasterize

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LIGHT = np.array([-0.35, -0.5, -0.8]) / np.linalg.norm([-0.35, -0.5, -0.8])
_AMBIENT, _DIFFUSE = 0.66, 0.34
_CAVITY = np.array([46, 17, 18], np.float32)
_LIP_LINE = np.array([104, 48, 46], np.float32)
_MOUTH_LAYERS = 2
"""Tongue and teeth are drawn first."""
_TONGUE = np.array([128, 56, 58], np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class _Layer:
    """A piece of surface with its own texture."""

    surface: Surface
    triangles: Index
    rgba: Floats
    """(h, w, 4) premultiplied, in frame pixels of the unmoved portrait."""
    moved_by: tuple[str, ...] | None
    """Expression fields that move it; None: all."""


class Renderer:
    """Renders poses of one portrait at one size."""

    def __init__(self, portrait: Picture, landmarks: Array, width: int, height: int, face_px: float) -> None:
        """Prepare the layers.

        Args:
            portrait: (512, 512, 3) uint8 RGB.
            landmarks: (478, 3) of it.
            width: of the frames, pixels.
            height: of the frames, pixels.
            face_px: height of the landmarks' bounding box in the frame, pixels.
        """
        self.width, self.height = width, height
        self.model = HeadModel(landmarks)
        self._zoom = face_px / float(np.ptp(landmarks[:468, 1]))
        self._canvas = (width + 128, height + 128)
        # The portrait's left and upper edges are the frame's.
        self._texture = self._enlarge(portrait)
        skin, self._skin_normals = self._skin()
        self._skin_lit = skin.surface.turning * self.model.inside(skin.surface.points)
        self._layers = (self._tongue(), self._teeth(), *(self._eye(side) for side in ("right", "left")), skin)
        self._landmarks = self.model.landmark_surface()

    def landmarks(self, pose: Pose) -> Array:
        """True landmarks (478, 3) in frame pixels; z in the same scale, smaller is nearer."""
        iris = np.zeros((478, 3))
        iris[468:, :2] = pose.gaze
        at = self._landmarks.posed(pose, extra=iris)
        out: Array = np.c_[self._to_frame(at[:, :2]), at[:, 2] * self._zoom]
        return out

    def frame(self, pose: Pose) -> Picture:
        """The picture (height, width, 3), uint8 RGB."""
        picture = np.broadcast_to(_CAVITY, (self.height, self.width, 3)).astype(np.float32)
        for number, layer in enumerate(self._layers):
            if number == _MOUTH_LAYERS:
                # Little light gets between lips that are nearly closed.
                light = self._mouth_light(pose)
                picture = picture * light + _LIP_LINE * (1 - light)
            is_skin = layer.moved_by is None
            extra = None
            if layer.moved_by == ():
                extra = self._gaze(layer.surface.points, pose)
            posed = layer.surface.posed(pose, only=layer.moved_by, extra=extra)
            vertices = np.c_[self._to_frame(posed[:, :2]), posed[:, 2]]
            attributes = np.c_[
                self._to_frame(layer.surface.points), self._shade(pose) if is_skin else np.ones(len(posed))
            ]
            left, top, right, bottom = self._bounds(vertices)
            if right <= left or bottom <= top:
                continue
            vertices[:, :2] -= (left, top)
            values, _ = rasterize(vertices, attributes, layer.triangles, right - left, bottom - top)
            border = cv2.BORDER_REPLICATE if is_skin else cv2.BORDER_CONSTANT
            where = np.nan_to_num(values, nan=-1e4).astype(np.float32)
            drawn = cv2.remap(layer.rgba, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=border)
            if is_skin:
                drawn = _soften_folds(np.asarray(drawn, np.float32), where)
            alpha = np.clip(drawn[..., 3:], 0, 1)
            shade = where[..., 2:] * (alpha > 0)
            part = picture[top:bottom, left:right]
            part[:] = part * (1 - alpha) + np.maximum(drawn[..., :3], 0) * shade
        return np.clip(np.round(picture), 0, 255).astype(np.uint8)

    # --- layers -------------------------------------------------------------------------------------------

    def _skin(self) -> tuple[_Layer, Array]:
        fine = self.model.landmarks
        low, high = fine[:468, :2].min(axis=0) - 3, fine[:468, :2].max(axis=0) + 3
        end_x, end_y = self.width / self._zoom + 60, self.height / self._zoom + 60
        xs = _lines(-60.0, end_x, (low[0], high[0]), (145.0, 312.0))
        ys = _lines(-90.0, end_y, (low[1], high[1]), (5.0, 205.0))
        points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        surface = self.model.surface(points)
        holes = [self._eye_outline(side) for side in ("right", "left")] + [self._mouth_outline()]
        alpha = 1 - self._fill(holes, soft=0.8)
        # The lips' rim is mixed with teeth in the portrait: it takes the lips' colour.
        mouth = self._fill(holes[-1:], soft=0.0) > 0.5
        rim = cv2.dilate(mouth.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))) > 0
        texture = self._grow(~rim, rim)
        rgba = np.dstack([texture * alpha[..., None], alpha])
        # Beyond the portrait's edges it goes on as it ends.
        return _Layer(surface, grid_triangles(len(ys), len(xs)), rgba, None), self._normals(points)

    def _eye(self, side: str) -> _Layer:
        outline = self._eye_outline(side)
        inside = self._fill([outline], soft=0.0) > 0.5
        # What the lids hide is painted from the eye's own edge, so that no lid shows twice.
        near = cv2.dilate(inside.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        texture = self._grow(inside, near)
        alpha = near.astype(np.float32)
        rgba = np.dstack([texture * alpha[..., None], alpha])
        surface, triangles = self._patch(outline, 4.0)
        return _Layer(surface, triangles, rgba, ())

    def _teeth(self) -> _Layer:
        outline = self._mouth_outline()
        alpha = self._fill([outline], soft=0.7)
        rgba = np.dstack([self._texture * alpha[..., None], alpha])
        surface, triangles = self._patch(outline, 3.0)
        return _Layer(surface, triangles, rgba, ("none",))

    def _tongue(self) -> _Layer:
        points = self.model.landmarks
        lower = points[14, :2]
        width = np.abs(points[308, 0] - points[78, 0])
        angle = np.linspace(0, 2 * np.pi, 40)
        outline = lower + np.stack([0.27 * width * np.cos(angle), 1.5 + 5.5 * np.sin(angle)], axis=1)
        alpha = self._fill([outline], soft=4.0)
        surface, triangles = self._patch(outline, 3.0)
        rgba = np.dstack([_TONGUE * alpha[..., None], alpha]).astype(np.float32)
        return _Layer(surface, triangles, rgba, ("jaw",))

    def _patch(self, outline: Array, margin: float) -> tuple[Surface, Index]:
        low, high = outline.min(axis=0) - margin, outline.max(axis=0) + margin
        xs, ys = np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)
        points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        return self.model.surface(points), grid_triangles(len(ys), len(xs))

    def _eye_outline(self, side: str) -> Array:
        first, last = expression.EYE_CORNERS[side]
        order = (first, *expression.LID_UPPER[side], last, *expression.LID_LOWER[side][::-1])
        return _smooth_outline(self.model.landmarks[list(order), :2])

    def _mouth_outline(self) -> Array:
        points = self.model.landmarks[:, :2].copy()
        # The landmarks of the lower lip lie a little below the edge of this portrait's teeth.
        lower = list(expression.LIP_LOWER_INNER)
        points[lower, 1] -= np.array([0.3, 0.6, 0.5, 0.8, 1.1, 1.1, 0.9, 0.5, 0.3])
        order = (78, *expression.LIP_UPPER_INNER, 308, *expression.LIP_LOWER_INNER[::-1])
        return _smooth_outline(points[list(order)])

    # --- pictures -----------------------------------------------------------------------------------------

    def _enlarge(self, portrait: Picture) -> Floats:
        """The portrait in frame pixels, a little sharpened; continued at its edges."""
        margin = 32
        wide = cv2.copyMakeBorder(portrait, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        shift = margin + 0.5 / self._zoom - 0.5
        matrix = np.array([[1 / self._zoom, 0, shift], [0, 1 / self._zoom, shift]])
        # Larger than the frame: what lies below and to the right may move into it.
        size = self._canvas
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        large = cv2.warpAffine(
            wide.astype(np.float32), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        sharp = large + 0.7 * (large - cv2.GaussianBlur(large, (0, 0), 2.0))
        return np.clip(sharp, 0, 255).astype(np.float32)

    def _fill(self, outlines: list[Array], soft: float) -> Floats:
        mask = np.zeros(self._canvas[::-1], np.uint8)
        for outline in outlines:
            cv2.fillPoly(
                mask, [np.round(self._to_frame(outline) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4
            )
        sharp = mask.astype(np.float32) / 255
        return np.asarray(cv2.GaussianBlur(sharp, (0, 0), soft) if soft > 0 else sharp, np.float32)

    def _grow(self, inside: npt.NDArray[np.bool_], near: npt.NDArray[np.bool_]) -> Floats:
        """The texture inside, continued into ``near`` by the closest inside colours, softened."""
        core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8))
        _, labels = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        colors = np.zeros((int(labels.max()) + 1, 3), np.float32)
        colors[labels[core > 0]] = self._texture[core > 0]
        grown = colors[labels]
        soft = cv2.GaussianBlur(grown, (0, 0), 2.0)
        out = self._texture.copy()
        edge = near & (core == 0)
        out[edge] = soft[edge]
        return out

    # --- geometry -----------------------------------------------------------------------------------------

    def _to_frame(self, points: Array) -> Array:
        # Centres of pixels lie at whole numbers in both pictures.
        return (points + 0.5) * self._zoom - 0.5

    def _bounds(self, vertices: Array) -> tuple[int, int, int, int]:
        low, high = np.floor(vertices[:, :2].min(axis=0)), np.ceil(vertices[:, :2].max(axis=0)) + 1
        return (
            max(0, int(low[0])),
            max(0, int(low[1])),
            min(self.width, int(high[0])),
            min(self.height, int(high[1])),
        )

    def _gaze(self, points: Array, pose: Pose) -> Array:
        """Pupils move within the eye; its corners stay."""
        out = np.zeros((len(points), 3))
        for side in ("right", "left"):
            center = self.model.landmarks[expression.IRIS[side][0], :2]
            first, last = self.model.landmarks[list(expression.EYE_CORNERS[side]), :2]
            reach = 0.55 * np.linalg.norm(first - last)
            near = np.exp(-((((points - center) ** 2).sum(axis=1) / (0.62 * reach) ** 2) ** 2))
            out[:, :2] += near[:, None] * np.asarray(pose.gaze)
        return out

    def _mouth_light(self, pose: Pose) -> np.float32:
        """0 between closed lips, 1 from a gap of 4 portrait pixels on."""
        at = self._landmarks.posed(pose)
        gap = np.linalg.norm(at[14] - at[13]) if at[14, 1] > at[13, 1] else 0.0
        return np.float32(smoothstep(np.array((gap - 0.8) / 3.2)))

    def _normals(self, points: Array) -> Array:
        step = 2.0
        xs = np.arange(0, 512, step)
        grid = np.stack(np.meshgrid(xs, xs), axis=-1).reshape(-1, 2)
        depth = self.model.surface(grid).depth.reshape(len(xs), len(xs))
        depth = np.asarray(cv2.GaussianBlur(depth, (0, 0), 3.0), np.float64)
        dy, dx = np.gradient(depth, step)
        normal = np.dstack([dx, dy, -np.ones_like(dx)])
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        return HeadModel.sample(normal, points / step)

    def _shade(self, pose: Pose) -> Array:
        """How much lighter or darker the turned skin is than in the portrait, a factor for each vertex."""
        turned = self._skin_normals @ rotation(pose).T
        before = _AMBIENT + _DIFFUSE * np.maximum(self._skin_normals @ _LIGHT, 0)
        after = _AMBIENT + _DIFFUSE * np.maximum(turned @ _LIGHT, 0)
        out: Array = 1 + self._skin_lit * (np.clip(after / before, 0.75, 1.2) - 1)
        return out


def _lines(start: float, end: float, fine: tuple[float, float], medium: tuple[float, float]) -> Array:
    """Grid lines: 1.1 pixels apart in ``fine``, 2 in ``medium``, 6 elsewhere."""
    out = [start]
    while out[-1] < end:
        x = out[-1]
        step = 1.1 if fine[0] <= x <= fine[1] else 2.0 if medium[0] <= x <= medium[1] else 6.0
        out.append(x + step)
    return np.array(out)


def _smooth_outline(points: Array) -> Array:
    """A closed outline through ``points``, four times as dense (Catmull-Rom)."""
    p0, p1, p2, p3 = (np.roll(points, shift, axis=0) for shift in (1, 0, -1, -2))
    slope, bend, twist = p2 - p0, 2 * p0 - 5 * p1 + 4 * p2 - p3, 3 * p1 - p0 - 3 * p2 + p3
    parts = [0.5 * (2 * p1 + slope * t + bend * t**2 + twist * t**3) for t in (0.0, 0.25, 0.5, 0.75)]
    out: Array = np.stack(parts, axis=1).reshape(-1, 2)
    return out


def _soften_folds(drawn: Floats, where: Floats) -> Floats:
    """Smooth the stair-steps where a near part of the head ends before a far one."""
    jump = np.zeros(where.shape[:2], np.uint8)
    for axis in (0, 1):
        step = np.abs(np.diff(where[..., :2], axis=axis)).max(axis=2) > 6.0
        if axis == 0:
            jump[1:] |= step
            jump[:-1] |= step
        else:
            jump[:, 1:] |= step
            jump[:, :-1] |= step
    weight = cv2.GaussianBlur(cv2.dilate(jump, np.ones((2, 2), np.uint8)).astype(np.float32), (0, 0), 0.8)[
        ..., None
    ]
    soft = cv2.GaussianBlur(drawn, (0, 0), 1.0)
    return drawn + np.clip(weight, 0, 1) * (soft - drawn)
