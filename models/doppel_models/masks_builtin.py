"""The built-in masks: porcelain, bronze and jade, painted by this code in texture space. They need no photo.

Each is a material under a studio light that is baked into the texture, with painted or engraved ornaments.
Positions are in units of the texture's side, u right, v down; everything is symmetric but the cracks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines.mesh import masks, regions, relight, uv
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.errors import PersonaError
from doppel_models.types import FloatArray

SIZE = 512
_FINE = 2  # ornaments are drawn at twice the size
_GOLD = (214, 168, 78)


def load(mask_id: str) -> MeshPersona:
    """A built-in mask.

    Raises:
        PersonaError: there is none of that name.
    """
    if mask_id not in _PAINTERS:
        raise PersonaError(f"there is no built-in mask {mask_id!r}; there are {', '.join(_PAINTERS)}")
    return _load(mask_id)


@functools.cache
def _load(mask_id: str) -> MeshPersona:
    texture = np.clip(_PAINTERS[mask_id](), 0, 255).round().astype(np.uint8)
    texture.setflags(write=False)
    known = np.full((SIZE, SIZE), 255, np.uint8)
    return MeshPersona(texture, known, None, own_color=True)


def _porcelain() -> FloatArray:
    n = _normals()
    base = np.empty((SIZE, SIZE, 3), np.float32)
    base[:] = (236, 230, 223)
    shade = 0.62 + 0.40 * _lambert(n, (-0.35, -0.55, -0.75)) + 0.07 * _lambert(n, (0.8, 0.1, -0.5))
    texture = base * (shade * (0.35 + 0.65 * _hollows()))[:, :, None]
    texture = _tint(texture, _blob((0.245, 0.60), 0.085) + _blob((0.755, 0.60), 0.085), (226, 138, 128), 0.42)
    texture = _tint(texture, _lips(1.6), (158, 38, 48), 0.86)
    texture = _tint(texture, _slit_shadow(), (70, 22, 28), 0.6)
    texture = _tint(texture, _eye_lines(), (38, 30, 34), 0.85)
    texture = _tint(texture, _brows(5), (58, 46, 46), 0.85)
    texture = _tint(texture, _cracks(11), _GOLD, 0.95)
    texture = _tint(texture, _forehead_mark(), _GOLD, 0.95)
    return _shine(texture, n, 60, 0.55)


def _bronze() -> FloatArray:
    n = _normals()
    carved = _carving()
    n = _emboss(n, carved, 2.4)
    sky = np.clip(0.5 - 0.5 * n[:, :, 1], 0, 1)
    band = np.exp(-(((n[:, :, 1] + 0.25) / 0.22) ** 2))
    tone = 0.30 + 0.62 * sky**1.4 + 0.22 * band * _lambert(n, (-0.5, -0.2, -0.8))
    dark, light = np.array([66, 36, 16], np.float32), np.array([236, 178, 104], np.float32)
    texture = dark + (light - dark) * np.clip(tone, 0, 1.1)[:, :, None]
    grain = _noise(3, (2, 4, 16))
    texture *= (1 + 0.05 * grain)[:, :, None]
    hollow = np.clip(1 - _hollows(), 0, 1) * 0.9 + np.clip(carved, 0, 1) * 0.35
    patina = np.clip(hollow * (0.9 + 0.8 * _noise(5, (8, 32))), 0, 1)
    texture = _tint(texture, patina, (66, 120, 104), 0.5)
    texture *= (0.45 + 0.55 * _hollows())[:, :, None]
    texture = _tint(texture, _slit_shadow(), (30, 16, 8), 0.7)
    texture = _tint(texture, _lips(1.5), (214, 138, 84), 0.28)
    texture = _tint(texture, _eye_lines(), (34, 18, 8), 0.7)
    return _shine(texture, n, 22, 0.5, (255, 226, 170))


def _jade() -> FloatArray:
    n = _normals()
    veins = _noise(9, (24, 48, 96)) + 0.5 * _noise(10, (8, 16))
    deep, pale = np.array([30, 104, 78], np.float32), np.array([170, 216, 178], np.float32)
    share = np.clip(0.45 + 0.35 * veins, 0, 1)[:, :, None]
    texture = deep + (pale - deep) * share
    # Light goes deep into jade: a soft wrap-around shade.
    shade = 0.55 + 0.5 * np.clip(0.35 + 0.65 * _lambert(n, (-0.3, -0.6, -0.75)), 0, 1)
    texture *= (shade * (0.5 + 0.5 * _hollows()))[:, :, None]
    texture = _tint(texture, np.exp(-((veins * 6) ** 2)), (226, 238, 214), 0.18)
    texture = _tint(texture, _lips(1.5), (20, 72, 56), 0.45)
    texture = _tint(texture, _slit_shadow(), (8, 34, 26), 0.7)
    texture = _tint(texture, _eye_lines(), (8, 30, 24), 0.8)
    texture = _tint(texture, _brows(4), _GOLD, 0.9)
    texture = _tint(texture, _forehead_mark(), _GOLD, 0.95)
    texture = _tint(texture, _border_line(), _GOLD, 0.9)
    return _shine(texture, n, 70, 0.5)


_PAINTERS: dict[str, Callable[[], FloatArray]] = {"porcelain": _porcelain, "bronze": _bronze, "jade": _jade}


# Light


@functools.cache
def _normals() -> FloatArray:
    """(SIZE, SIZE, 3) smooth unit normals: x right, y down, z away from the camera."""
    n = uv.grid(SIZE).interpolate(relight.vertex_normals())
    n = np.asarray(cv2.GaussianBlur(n, (0, 0), SIZE / 70), np.float32)
    return np.asarray(n / np.linalg.norm(n, axis=2, keepdims=True), np.float32)


def _lambert(n: FloatArray, towards: tuple[float, float, float]) -> FloatArray:
    light = np.array(towards, np.float32) / np.float32(np.linalg.norm(towards))
    return np.asarray(np.clip(n @ light, 0, 1), np.float32)


def _shine(
    texture: FloatArray,
    n: FloatArray,
    power: float,
    amount: float,
    color: tuple[int, int, int] = (255, 255, 255),
) -> FloatArray:
    """Highlights of two lamps, by Blinn and Phong."""
    view = np.array([0, 0, -1], np.float32)
    glow = np.zeros((SIZE, SIZE), np.float32)
    for towards, strength in (((-0.45, -0.75, -0.8), 1.0), ((0.7, -0.35, -0.7), 0.45)):
        half = np.array(towards, np.float32) / np.float32(np.linalg.norm(towards)) + view
        glow += strength * _lambert(n, (float(half[0]), float(half[1]), float(half[2]))) ** power
    glow = np.clip(glow * amount, 0, 0.9)[:, :, None]
    return np.asarray(texture + (np.array(color, np.float32) - texture) * glow, np.float32)


@functools.cache
def _hollows() -> FloatArray:
    """(SIZE, SIZE) 0..1: darker where the face is hollow (eye sockets, beside the nose), from its depth."""
    depth = uv.grid(SIZE).interpolate(canonical.load().vertices)[:, :, 2]
    hollow = depth - cv2.GaussianBlur(depth, (0, 0), SIZE / 16)
    hollow = cv2.GaussianBlur(hollow, (0, 0), SIZE / 90)
    return np.asarray(1 - 0.75 * np.clip(hollow / 0.75, 0, 1), np.float32)


def _emboss(n: FloatArray, height: FloatArray, strength: float) -> FloatArray:
    """Normals bent by a height map; what is high comes towards the camera."""
    smooth = cv2.GaussianBlur(height, (0, 0), 1.2)
    bent = n.copy()
    bent[:, :, 0] += strength * cv2.Sobel(smooth, cv2.CV_32F, 1, 0) * 0.25
    bent[:, :, 1] += strength * cv2.Sobel(smooth, cv2.CV_32F, 0, 1) * 0.25
    return np.asarray(bent / np.linalg.norm(bent, axis=2, keepdims=True), np.float32)


# Ornaments: each (SIZE, SIZE) float32, 0..1


def _tint(texture: FloatArray, where: FloatArray, color: tuple[int, int, int], amount: float) -> FloatArray:
    share = (np.clip(where, 0, 1) * amount)[:, :, None]
    # The material's own light and shade stay under the paint.
    shade = texture.mean(axis=2, keepdims=True) / max(float(texture.mean()), 1.0)
    paint = np.array(color, np.float32) * np.clip(0.35 + 0.65 * shade, 0.3, 1.25)
    return np.asarray(texture + (paint - texture) * share, np.float32)


def _drawn(
    draw: Callable[[np.ndarray[tuple[int, int], np.dtype[np.uint8]], int], None], soft: float
) -> FloatArray:
    side = SIZE * _FINE
    canvas = np.zeros((side, side), np.uint8)
    draw(canvas, side)
    small = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(small, (0, 0), soft), np.float32)


def _curve(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], points: FloatArray, width: float) -> None:
    """A line through points (N, 2) in units of the side, thin at both ends."""
    side = canvas.shape[0]
    dense = _smooth_line(points, 80) * side
    for k in range(len(dense) - 1):
        taper = float(np.sin(np.pi * (k + 0.5) / (len(dense) - 1))) ** 0.6
        a, b = (tuple(int(v) for v in np.rint(p)) for p in (dense[k], dense[k + 1]))
        cv2.line(canvas, a, b, 255, max(1, round(width * _FINE * taper)), cv2.LINE_AA)


def _smooth_line(points: FloatArray, count: int) -> FloatArray:
    """Catmull-Rom spline through points."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, len(points) - 1 - 1e-6, count)
    i, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = (p[i + k] for k in range(4))
    line = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    return np.asarray(line, np.float32)


def _both(points: list[tuple[float, float]]) -> list[FloatArray]:
    right = np.array(points, np.float32)
    return [right, np.array([1, 0], np.float32) + right * np.array([-1, 1], np.float32)]


def _brows(width: float) -> FloatArray:
    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], _: int) -> None:
        points = canonical.load().uv
        for brow in ((107, 66, 105, 63, 70), (336, 296, 334, 293, 300)):
            line = points[list(brow)].copy()
            line[:, 1] += 0.008
            _curve(canvas, line, width)

    return _drawn(draw, 0.8)


def _eye_lines() -> FloatArray:
    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], _: int) -> None:
        points = canonical.load().uv
        for upper, lower, outer in (
            (regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER, 0),
            (regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER, -1),
        ):
            line = points[upper].copy()
            wing = line[outer] + (line[outer] - line[4]) * np.array([0.42, 0.25], np.float32)
            wing[1] -= 0.012
            line = np.concatenate([wing[None], line]) if outer == 0 else np.concatenate([line, wing[None]])
            _curve(canvas, line, 5.5)
            _curve(canvas, points[lower], 2.5)

    return _drawn(draw, 0.9)


def _lips(soft: float) -> FloatArray:
    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], side: int) -> None:
        outline = _smooth_line(canonical.load().uv[np.append(regions.LIPS, regions.LIPS[0])], 200)
        cv2.fillPoly(canvas, [np.rint(outline * side).astype(np.int32)], 255, cv2.LINE_AA)

    return _drawn(draw, soft)


def _slit_shadow() -> FloatArray:
    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], _: int) -> None:
        points = canonical.load().uv
        middle = 0.5 * (points[regions.LIPS_INNER_UPPER] + points[regions.LIPS_INNER_LOWER])
        _curve(canvas, middle, 4)

    return _drawn(draw, 1.0)


def _forehead_mark() -> FloatArray:
    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], side: int) -> None:
        for y, r in ((0.210, 5.0), (0.240, 3.4), (0.185, 3.0)):
            center = (round(0.5 * side), round(y * side))
            cv2.circle(canvas, center, round(r * _FINE), 255, -1, cv2.LINE_AA)
        for arc in _both([(0.487, 0.247), (0.455, 0.235), (0.435, 0.207), (0.447, 0.185), (0.462, 0.195)]):
            _curve(canvas, arc, 2.6)

    return _drawn(draw, 0.7)


def _border_line() -> FloatArray:
    distance = cv2.resize(masks.distance(), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.exp(-(((distance - 0.045) / 0.0045) ** 2)), np.float32)


def _carving() -> FloatArray:
    """Spirals on cheeks and forehead and a band along the outline."""

    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], _: int) -> None:
        for center, radius, turn in (((0.245, 0.60), 0.062, 0.4), ((0.36, 0.215), 0.045, 2.4)):
            angle = np.linspace(0, 4.2 * np.pi, 90)
            r = radius * (1 - angle / (4.7 * np.pi))
            spiral = [
                (center[0] + float(q * np.cos(a + turn)), center[1] + float(q * np.sin(a + turn)))
                for a, q in zip(angle, r, strict=True)
            ]
            for line in _both(spiral):
                _curve(canvas, line, 4.0)
        for line in _both([(0.40, 0.800), (0.43, 0.842), (0.5, 0.858)]):
            _curve(canvas, line, 4.0)

    carved = _drawn(draw, 0.9)
    distance = cv2.resize(masks.distance(), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    band = np.exp(-(((distance - 0.035) / 0.007) ** 2)) + np.exp(-(((distance - 0.060) / 0.005) ** 2))
    return np.asarray(np.clip(carved + 0.8 * band, 0, 1), np.float32)


def _cracks(seed: int) -> FloatArray:
    """Fine cracks mended with gold, as in kintsugi."""
    rng = np.random.default_rng(seed)

    def grow(
        canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
        at: FloatArray,
        angle: float,
        length: float,
        width: float,
    ) -> None:
        side = canvas.shape[0]
        step = 0.011
        for _ in range(int(length / step)):
            angle += float(rng.normal(0, 0.33))
            to = at + step * np.array([np.cos(angle), np.sin(angle)], np.float32)
            a, b = (tuple(int(v) for v in np.rint(p * side)) for p in (at, to))
            cv2.line(canvas, a, b, 255, max(1, round(width * _FINE)), cv2.LINE_AA)
            at = to
            if width > 1 and rng.random() < 0.16:
                grow(canvas, at, angle + float(rng.choice([-1, 1])) * 0.8, length * 0.35, width * 0.6)

    def draw(canvas: np.ndarray[tuple[int, int], np.dtype[np.uint8]], _: int) -> None:
        grow(canvas, np.array([0.80, 0.19], np.float32), 2.2, 0.24, 2.4)
        grow(canvas, np.array([0.12, 0.66], np.float32), 0.35, 0.17, 2.2)
        grow(canvas, np.array([0.68, 0.88], np.float32), -1.9, 0.10, 1.8)

    return _drawn(draw, 0.55)


def _blob(center: tuple[float, float], radius: float) -> FloatArray:
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    squared = (columns - center[0]) ** 2 + (rows - center[1]) ** 2
    return np.asarray(np.exp(-squared / (2 * radius**2) * 1.6), np.float32)


def _noise(seed: int, scales: tuple[int, ...]) -> FloatArray:
    """Smooth noise of several scales (texels), about -1..1."""
    rng = np.random.default_rng(seed)
    total = np.zeros((SIZE, SIZE), np.float32)
    for scale in scales:
        cells = max(2, SIZE // scale)
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        total += np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(total / (1.5 * np.sqrt(len(scales))), np.float32)
