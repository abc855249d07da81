"""Paint and light in texture space: what the built-in masks are made with.

Pictures are (SIZE, SIZE, 3) float32 RGB 0..255; ornaments and shades (SIZE, SIZE) float32, 0..1. Positions
are in units of the texture's side, u right, v down.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.engines.mesh import imaging, relight, uv
from doppel_models.types import FloatArray

SIZE = 512
_FINE = 2  # ornaments are drawn at twice the size
Canvas = npt.NDArray[np.uint8]


@functools.cache
def normals() -> FloatArray:
    """(SIZE, SIZE, 3) smooth unit normals: x right, y down, z away from the camera."""
    n = uv.grid(SIZE).interpolate(relight.vertex_normals())
    n = np.asarray(imaging.blur(n, SIZE / 70), np.float32)
    return np.asarray(n / np.linalg.norm(n, axis=2, keepdims=True), np.float32)


def lambert(n: FloatArray, towards: tuple[float, float, float]) -> FloatArray:
    """(SIZE, SIZE) how much light from a direction falls on each normal, 0..1."""
    light = np.array(towards, np.float32) / np.float32(np.linalg.norm(towards))
    return np.asarray(np.clip(n @ light, 0, 1), np.float32)


def shine(
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
        glow += strength * lambert(n, (float(half[0]), float(half[1]), float(half[2]))) ** power
    glow = np.clip(glow * amount, 0, 0.9)[:, :, None]
    return np.asarray(texture + (np.array(color, np.float32) - texture) * glow, np.float32)


@functools.cache
def hollows() -> FloatArray:
    """(SIZE, SIZE) 0..1: darker where the face is hollow (eye sockets, beside the nose), from its depth."""
    depth = uv.grid(SIZE).interpolate(canonical.load().vertices)[:, :, 2]
    hollow = depth - imaging.blur(depth, SIZE / 16)
    hollow = imaging.blur(hollow, SIZE / 90)
    return np.asarray(1 - 0.75 * np.clip(hollow / 0.75, 0, 1), np.float32)


def emboss(n: FloatArray, height: FloatArray, strength: float) -> FloatArray:
    """Normals bent by a height map; what is high comes towards the camera."""
    smooth = imaging.blur(height, 1.2)
    bent = n.copy()
    bent[:, :, 0] += strength * cv2.Sobel(smooth, cv2.CV_32F, 1, 0) * 0.25
    bent[:, :, 1] += strength * cv2.Sobel(smooth, cv2.CV_32F, 0, 1) * 0.25
    return np.asarray(bent / np.linalg.norm(bent, axis=2, keepdims=True), np.float32)


def tint(texture: FloatArray, where: FloatArray, color: tuple[int, int, int], amount: float) -> FloatArray:
    """Paint ``color`` where an ornament is; the light and shade under it stay."""
    share = (np.clip(where, 0, 1) * amount)[:, :, None]
    shade = texture.mean(axis=2, keepdims=True) / max(float(texture.mean()), 1.0)
    paint = np.array(color, np.float32) * np.clip(0.35 + 0.65 * shade, 0.3, 1.25)
    return np.asarray(texture + (paint - texture) * share, np.float32)


def drawn(draw: Callable[[Canvas, int], None], soft: float) -> FloatArray:
    """(SIZE, SIZE) 0..1 what ``draw(canvas, side)`` draws on a finer canvas, softened by ``soft`` texels."""
    side = SIZE * _FINE
    canvas = np.zeros((side, side), np.uint8)
    draw(canvas, side)
    small = imaging.shrink(canvas, (SIZE, SIZE)).astype(np.float32) / 255
    return np.asarray(imaging.blur(small, soft), np.float32)


def curve(canvas: Canvas, points: FloatArray, width: float) -> None:
    """A line through points (N, 2) in units of the side, thin at both ends."""
    side = canvas.shape[0]
    dense = smooth_line(points, 80) * side
    for k in range(len(dense) - 1):
        taper = float(np.sin(np.pi * (k + 0.5) / (len(dense) - 1))) ** 0.6
        a, b = (tuple(int(v) for v in np.rint(p)) for p in (dense[k], dense[k + 1]))
        cv2.line(canvas, a, b, 255, max(1, round(width * _FINE * taper)), cv2.LINE_AA)


def smooth_line(points: FloatArray, count: int) -> FloatArray:
    """(count, 2) points of the Catmull-Rom spline through ``points`` (N, 2), from the first to the last."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, len(points) - 1 - 1e-6, count)
    i, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = (p[i + k] for k in range(4))
    line = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    return np.asarray(line, np.float32)


def both(points: list[tuple[float, float]]) -> list[FloatArray]:
    """A line of N points in units of the side, x first, and its mirror image: two arrays (N, 2)."""
    right = np.array(points, np.float32)
    return [right, np.array([1, 0], np.float32) + right * np.array([-1, 1], np.float32)]


def blob(center: tuple[float, float], radius: float) -> FloatArray:
    """(SIZE, SIZE) a soft round spot, 0..1; ``center`` (x, y) and ``radius`` in units of the side."""
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    squared = (columns - center[0]) ** 2 + (rows - center[1]) ** 2
    return np.asarray(np.exp(-squared / (2 * radius**2) * 1.6), np.float32)


def noise(seed: int, scales: tuple[int, ...]) -> FloatArray:
    """Smooth noise of several scales (texels), about -1..1."""
    rng = np.random.default_rng(seed)
    total = np.zeros((SIZE, SIZE), np.float32)
    for scale in scales:
        cells = max(2, SIZE // scale)
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        total += np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(total / (1.5 * np.sqrt(len(scales))), np.float32)
