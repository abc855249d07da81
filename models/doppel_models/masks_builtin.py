"""The built-in masks: porcelain, bronze and jade, painted by this code in texture space. They need no photo.

Each is a material under a studio light that is baked into the texture, with painted or engraved ornaments;
everything is symmetric but the cracks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines.mesh import imaging, masks, regions
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.errors import PersonaError
from doppel_models.mask_paint import (
    SIZE,
    Canvas,
    blob,
    both,
    curve,
    drawn,
    emboss,
    hollows,
    lambert,
    noise,
    normals,
    shine,
    smooth_line,
    tint,
)
from doppel_models.sentences import sentence
from doppel_models.types import FloatArray

_GOLD = (214, 168, 78)


def load(mask_id: str) -> MeshPersona:
    """A built-in mask.

    Raises:
        PersonaError: there is none of that name.
    """
    if mask_id not in _PAINTERS:
        raise PersonaError(
            sentence(
                "persona.no-mask",
                "there is no built-in mask '{mask}'; there are {masks}",
                mask=mask_id,
                masks=", ".join(_PAINTERS),
            )
        )
    return _load(mask_id)


@functools.cache
def _load(mask_id: str) -> MeshPersona:
    texture = np.clip(_PAINTERS[mask_id](), 0, 255).round().astype(np.uint8)
    texture.setflags(write=False)
    known = np.full((SIZE, SIZE), 255, np.uint8)
    return MeshPersona(texture, known, None, own_color=True)


def _porcelain() -> FloatArray:
    n = normals()
    base = np.empty((SIZE, SIZE, 3), np.float32)
    base[:] = (236, 230, 223)
    shade = 0.62 + 0.40 * lambert(n, (-0.35, -0.55, -0.75)) + 0.07 * lambert(n, (0.8, 0.1, -0.5))
    texture = base * (shade * (0.35 + 0.65 * hollows()))[:, :, None]
    texture = tint(texture, blob((0.245, 0.60), 0.085) + blob((0.755, 0.60), 0.085), (226, 138, 128), 0.42)
    texture = tint(texture, _lips(1.6), (158, 38, 48), 0.86)
    texture = tint(texture, _slit_shadow(), (70, 22, 28), 0.6)
    texture = tint(texture, _eye_lines(), (38, 30, 34), 0.85)
    texture = tint(texture, _brows(5), (58, 46, 46), 0.85)
    texture = tint(texture, _cracks(11), _GOLD, 0.95)
    texture = tint(texture, _forehead_mark(), _GOLD, 0.95)
    return shine(texture, n, 60, 0.55)


def _bronze() -> FloatArray:
    n = normals()
    carved = _carving()
    n = emboss(n, carved, 2.4)
    sky = np.clip(0.5 - 0.5 * n[:, :, 1], 0, 1)
    band = np.exp(-(((n[:, :, 1] + 0.25) / 0.22) ** 2))
    tone = 0.30 + 0.62 * sky**1.4 + 0.22 * band * lambert(n, (-0.5, -0.2, -0.8))
    dark, light = np.array([66, 36, 16], np.float32), np.array([236, 178, 104], np.float32)
    texture = dark + (light - dark) * np.clip(tone, 0, 1.1)[:, :, None]
    grain = noise(3, (2, 4, 16))
    texture *= (1 + 0.05 * grain)[:, :, None]
    hollow = np.clip(1 - hollows(), 0, 1) * 0.9 + np.clip(carved, 0, 1) * 0.35
    patina = np.clip(hollow * (0.9 + 0.8 * noise(5, (8, 32))), 0, 1)
    texture = tint(texture, patina, (66, 120, 104), 0.5)
    texture *= (0.45 + 0.55 * hollows())[:, :, None]
    texture = tint(texture, _slit_shadow(), (30, 16, 8), 0.7)
    texture = tint(texture, _lips(1.5), (214, 138, 84), 0.28)
    texture = tint(texture, _eye_lines(), (34, 18, 8), 0.7)
    return shine(texture, n, 22, 0.5, (255, 226, 170))


def _jade() -> FloatArray:
    n = normals()
    veins = noise(9, (24, 48, 96)) + 0.5 * noise(10, (8, 16))
    deep, pale = np.array([30, 104, 78], np.float32), np.array([170, 216, 178], np.float32)
    share = np.clip(0.45 + 0.35 * veins, 0, 1)[:, :, None]
    texture = np.asarray(deep + (pale - deep) * share, np.float32)
    # Light goes deep into jade: a soft wrap-around shade.
    shade = 0.55 + 0.5 * np.clip(0.35 + 0.65 * lambert(n, (-0.3, -0.6, -0.75)), 0, 1)
    texture *= np.asarray(shade * (0.5 + 0.5 * hollows()), np.float32)[:, :, None]
    texture = tint(texture, np.exp(-((veins * 6) ** 2)), (226, 238, 214), 0.18)
    texture = tint(texture, _lips(1.5), (20, 72, 56), 0.45)
    texture = tint(texture, _slit_shadow(), (8, 34, 26), 0.7)
    texture = tint(texture, _eye_lines(), (8, 30, 24), 0.8)
    texture = tint(texture, _brows(4), _GOLD, 0.9)
    texture = tint(texture, _forehead_mark(), _GOLD, 0.95)
    texture = tint(texture, _border_line(), _GOLD, 0.9)
    return shine(texture, n, 70, 0.5)


_PAINTERS: dict[str, Callable[[], FloatArray]] = {"porcelain": _porcelain, "bronze": _bronze, "jade": _jade}


def _brows(width: float) -> FloatArray:
    def draw(canvas: Canvas, _: int) -> None:
        points = canonical.load().uv
        for brow in ((107, 66, 105, 63, 70), (336, 296, 334, 293, 300)):
            line = points[list(brow)].copy()
            line[:, 1] += 0.008
            curve(canvas, line, width)

    return drawn(draw, 0.8)


def _eye_lines() -> FloatArray:
    """Lines along the lids, and dark between them: there the live eye is seen, or where shut, a dark line."""

    def draw(canvas: Canvas, side: int) -> None:
        points = canonical.load().uv
        for eye in (regions.RIGHT_EYE, regions.LEFT_EYE):
            outline = smooth_line(points[np.append(eye, eye[0])], 80)
            cv2.fillPoly(canvas, [np.rint(outline * side).astype(np.int32)], 255, cv2.LINE_AA)
        for upper, lower, outer in (
            (regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER, 0),
            (regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER, -1),
        ):
            line = points[upper].copy()
            wing = line[outer] + (line[outer] - line[4]) * np.array([0.42, 0.25], np.float32)
            wing[1] -= 0.012
            line = np.concatenate([wing[None], line]) if outer == 0 else np.concatenate([line, wing[None]])
            curve(canvas, line, 5.5)
            curve(canvas, points[lower], 2.5)

    return drawn(draw, 0.9)


def _lips(soft: float) -> FloatArray:
    def draw(canvas: Canvas, side: int) -> None:
        outline = smooth_line(canonical.load().uv[np.append(regions.LIPS, regions.LIPS[0])], 200)
        cv2.fillPoly(canvas, [np.rint(outline * side).astype(np.int32)], 255, cv2.LINE_AA)

    return drawn(draw, soft)


def _slit_shadow() -> FloatArray:
    def draw(canvas: Canvas, _: int) -> None:
        points = canonical.load().uv
        middle = 0.5 * (points[regions.LIPS_INNER_UPPER] + points[regions.LIPS_INNER_LOWER])
        curve(canvas, middle, 4)

    return drawn(draw, 1.0)


def _forehead_mark() -> FloatArray:
    def draw(canvas: Canvas, side: int) -> None:
        for y, r in ((0.210, 5.0), (0.240, 3.4), (0.185, 3.0)):
            center = (round(0.5 * side), round(y * side))
            cv2.circle(canvas, center, round(r * side / SIZE), 255, -1, cv2.LINE_AA)
        for arc in both([(0.487, 0.247), (0.455, 0.235), (0.435, 0.207), (0.447, 0.185), (0.462, 0.195)]):
            curve(canvas, arc, 2.6)

    return drawn(draw, 0.7)


def _border_line() -> FloatArray:
    distance = imaging.resize(masks.distance(), (SIZE, SIZE))
    return np.asarray(np.exp(-(((distance - 0.045) / 0.0045) ** 2)), np.float32)


def _carving() -> FloatArray:
    """Spirals on cheeks and forehead and a band along the outline."""

    def draw(canvas: Canvas, _: int) -> None:
        for center, radius, turn in (((0.245, 0.60), 0.062, 0.4), ((0.36, 0.215), 0.045, 2.4)):
            angle = np.linspace(0, 4.2 * np.pi, 90)
            r = radius * (1 - angle / (4.7 * np.pi))
            spiral = [
                (center[0] + float(q * np.cos(a + turn)), center[1] + float(q * np.sin(a + turn)))
                for a, q in zip(angle, r, strict=True)
            ]
            for line in both(spiral):
                curve(canvas, line, 4.0)
        for line in both([(0.40, 0.800), (0.43, 0.842), (0.5, 0.858)]):
            curve(canvas, line, 4.0)

    carved = drawn(draw, 0.9)
    distance = imaging.resize(masks.distance(), (SIZE, SIZE))
    band = np.exp(-(((distance - 0.035) / 0.007) ** 2)) + np.exp(-(((distance - 0.060) / 0.005) ** 2))
    return np.asarray(np.clip(carved + 0.8 * band, 0, 1), np.float32)


def _cracks(seed: int) -> FloatArray:
    """Fine cracks mended with gold, as in kintsugi."""
    rng = np.random.default_rng(seed)

    def grow(
        canvas: Canvas,
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
            cv2.line(canvas, a, b, 255, max(1, round(width * side / SIZE)), cv2.LINE_AA)
            at = to
            if width > 1 and rng.random() < 0.16:
                grow(canvas, at, angle + float(rng.choice([-1, 1])) * 0.8, length * 0.35, width * 0.6)

    def draw(canvas: Canvas, _: int) -> None:
        grow(canvas, np.array([0.80, 0.19], np.float32), 2.2, 0.24, 2.4)
        grow(canvas, np.array([0.12, 0.66], np.float32), 0.35, 0.17, 2.2)
        grow(canvas, np.array([0.68, 0.88], np.float32), -1.9, 0.10, 1.8)

    return drawn(draw, 0.55)
