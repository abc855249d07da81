"""From pictures of a face to its texture: unwrapping, finding hair, merging, filling in, taking light out.

All textures are (size, size, 3) float32 RGB 0..255 over the canonical UV square, weights (size, size) 0..1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from doppel_models.engines.mesh import imaging, regions, relight, uv
from doppel_models.engines.mesh.shape import HeadFrame
from doppel_models.face_hair import find_hair
from doppel_models.types import ByteArray, FloatArray

SIZE = 512
_LINE = 0.5
_MIN_SHARE = 0.27
_AREA_SIGMA = SIZE / 50
_TINT_SHARE = 0.75
_SIDE_SHARE, _SHADOW_SHARE = 0.85, 0.95
_SHADOW_SIGMA = 1.3
_USUAL_STRAY = np.array((0.26, 0.12, 0.24), np.float32)
"""How far red, green and blue of skin in white light are from their mean, as a part of it."""
_MIN_FACING = 0.22
"""Cosine between the skin's normal and the view below which background and hair shine through."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unwrapped:
    """One picture in texture space."""

    texture: FloatArray
    """(SIZE, SIZE, 3)."""
    weight: FloatArray
    """(SIZE, SIZE) how well the picture shows each texel: 1 seen from the front, 0 from behind or outside."""
    hair: FloatArray
    """(SIZE, SIZE) 0..1 where hair covers the skin."""


def unwrap(image: ByteArray, landmarks: FloatArray) -> Unwrapped:
    """A face in a picture, (height, width, 3) uint8 RGB, to texture space."""
    grid = uv.grid(SIZE)
    # Texels coarser than pixels would pick single ones out: reduce the picture first.
    reduce = SIZE / max(float(np.ptp(landmarks[:, 0])), 1.0)
    if reduce < 1:
        size = (max(1, round(image.shape[1] * reduce)), max(1, round(image.shape[0] * reduce)))
        scale = np.array([size[0] / image.shape[1], size[1] / image.shape[0], reduce], np.float32)
        half = np.array([0.5, 0.5, 0], np.float32)
        image, landmarks = imaging.shrink(image, size), (landmarks + half) * scale - half
    positions = grid.positions(landmarks)
    height, width = image.shape[:2]
    texture = _sample(image, positions)
    texture = _sharpen(_calm_colors(texture, float(np.ptp(landmarks[:, 0]))), float(np.ptp(landmarks[:, 0])))
    facing = grid.interpolate(
        -(relight.vertex_normals() @ HeadFrame.of(landmarks).rotation.T)[:, 2:].astype(np.float32)
    )[:, :, 0]
    # Smooth: nostrils and lips have normals of their own, but are seen as well as the skin around them.
    facing = imaging.blur(facing, SIZE / 24)
    weight = regions.smoothstep((facing - _MIN_FACING) / 0.3) * imaging.blur(
        grid.inside.astype(np.float32), 2
    )
    weight = weight * _not_foreshortened(positions)
    x, y = positions[:, :, 0], positions[:, :, 1]
    weight = weight * ((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))
    return Unwrapped(texture, weight.astype(np.float32), find_hair(texture))


def _sample(image: ByteArray, positions: FloatArray) -> FloatArray:
    x, y = positions[:, :, 0], positions[:, :, 1]
    smooth = cv2.remap(image.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _not_foreshortened(positions: FloatArray) -> FloatArray:
    """(SIZE, SIZE) 0..1: low where a texel is much smaller in the picture than its mirror image.

    On a turned face the far cheek's landmarks are not exact, and the background beside it is hit; the far
    side of the nose is hidden behind its bridge even on a face that is turned little.
    """
    dx = cv2.Sobel(positions, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(positions, cv2.CV_32F, 0, 1)
    area = imaging.blur(np.abs(dx[:, :, 0] * dy[:, :, 1] - dx[:, :, 1] * dy[:, :, 0]), _AREA_SIGMA)
    share = area / (area + area[:, ::-1] + 1e-6)
    return imaging.blur(regions.smoothstep((share - _MIN_SHARE) / 0.12), SIZE / 64)


def _calm_colors(texture: FloatArray, face_width: float) -> FloatArray:
    """Smooth the colours, not the brightness, over two pixels of the picture.

    Cameras and JPEG keep colour at half the resolution; what is finer is noise, which a change of light to
    another colour would multiply.
    """
    ycc = np.asarray(cv2.cvtColor(np.clip(texture, 0, 255) / 255, cv2.COLOR_RGB2YCrCb), np.float32)
    ycc[:, :, 1:] = imaging.blur(ycc[:, :, 1:], max(1.0, 2.0 * SIZE / max(face_width, 1.0)))
    return np.asarray(np.clip(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB) * 255, 0, 255), np.float32)


def _sharpen(texture: FloatArray, face_width: float) -> FloatArray:
    """Undo some of the softness of enlarging a small face."""
    enlarged = SIZE / max(face_width, 1.0)
    if enlarged < 1.5:
        return texture
    sigma = min(0.5 * enlarged, 3.0)
    detail = texture - imaging.blur(texture, sigma)
    return np.asarray(np.clip(texture + 0.3 * np.clip(detail, -30, 30), 0, 255), np.float32)


def merge(pictures: Sequence[Unwrapped]) -> tuple[FloatArray, FloatArray]:
    """One texture of several pictures; texels follow the picture that shows them best.

    Returns:
        The texture, and (SIZE, SIZE) 0..1 how well each texel is known.
    """
    first = pictures[0]
    reference = first
    total = np.zeros((SIZE, SIZE, 3), np.float32)
    weights = np.zeros((SIZE, SIZE), np.float32)
    known = np.zeros((SIZE, SIZE), np.float32)
    for picture in pictures:
        weight = picture.weight * (1 - picture.hair)
        gain = np.ones(3)
        both = (weight > 0.5) & (reference.weight * (1 - reference.hair) > 0.5)
        if picture is not first and both.sum() > SIZE:
            gain = reference.texture[both].mean(axis=0) / np.maximum(picture.texture[both].mean(axis=0), 1)
        # A steep power: mixing two pictures that do not fit exactly would blur both.
        sharp = weight**6 + 1e-6
        total += picture.texture * gain.astype(np.float32) * sharp[:, :, None]
        weights += sharp
        known = np.maximum(known, weight)
    return np.clip(total / weights[:, :, None], 0, 255), known


def fill(texture: FloatArray, known: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Complete a texture: unseen skin from the other half of the face, then from its surroundings.

    Returns:
        The texture, and how well each texel is known now: 0 where it was made up from its surroundings.
    """
    flipped, flipped_known = texture[:, ::-1], known[:, ::-1]
    low, low_flipped = _low(texture, known), _low(flipped, flipped_known)
    mirrored = flipped * np.clip(low / np.maximum(low_flipped, 1), 0.5, 2)
    use = np.clip(1 - known, 0, 1) * flipped_known
    texture = texture * (1 - use[:, :, None]) + mirrored * use[:, :, None]
    known = np.maximum(known, flipped_known)
    filled = texture * known[:, :, None] + low * (1 - known[:, :, None])
    return np.asarray(filled, np.float32).clip(0, 255), known


def _low(texture: FloatArray, known: FloatArray) -> FloatArray:
    """A smooth continuation of the known skin over the whole square, by a pyramid of weighted means."""
    skin = known * imaging.resize(relight.skin_weight(), (SIZE, SIZE))
    levels = []
    color, weight = texture * skin[:, :, None], skin
    while color.shape[0] > 1:
        levels.append((color, weight))
        half = (color.shape[1] // 2, color.shape[0] // 2)
        color = imaging.shrink(color, half)
        weight = imaging.shrink(weight, half)
    filled = color / np.maximum(weight, 1e-4)[:, :, None]
    for color, weight in reversed(levels[3:]):
        filled = imaging.resize(filled, (color.shape[1], color.shape[0]))
        sure = np.clip(weight * 1.5, 0, 1)[:, :, None]
        filled = (color / np.maximum(weight, 1e-4)[:, :, None]) * sure + filled * (1 - sure)
    return np.asarray(cv2.resize(filled, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32).clip(
        1, 255
    )


def asymmetry(texture: FloatArray, known: FloatArray, sigma: float = 5.0) -> FloatArray:
    """(SIZE, SIZE) half the logarithm of the light's ratio between a place and its mirror image.

    Args:
        texture: a face.
        known: (SIZE, SIZE) 0..1, where it shows skin.
        sigma: standard deviation over which it is smoothed, 64ths of the texture's side.
    """
    small = 64
    gray = cv2.cvtColor(imaging.shrink(texture, (small, small)), cv2.COLOR_RGB2GRAY)
    weight = imaging.shrink(known, (small, small)) * relight.skin_weight()
    weight = weight * weight[:, ::-1]
    difference = 0.5 * (np.log(gray + 4) - np.log(gray[:, ::-1] + 4)) * weight
    blurred = imaging.blur(difference, sigma) / (imaging.blur(weight, sigma) + 0.05)
    return np.asarray(imaging.resize(blurred, (SIZE, SIZE)), np.float32)


def usual_saturation(texture: FloatArray, known: FloatArray) -> FloatArray:
    """Less colour where the skin as a whole has more of it than skin in white light, as under a warm lamp.

    Cameras raise the colours and lamps take blue away; turned back by factors alone, as relighting to
    another light does, what little blue is left would be multiplied, with its noise: yellow and purple spots.
    """
    skin = (known > 0.5) & (imaging.resize(relight.skin_weight(), (SIZE, SIZE)) > 0.5)
    if not skin.any():
        return texture
    median = np.maximum(np.median(texture[skin], axis=0), 1.0)
    gray = float(median.mean())
    strays = np.abs(median / gray - 1)
    share = min(1.0, float((_USUAL_STRAY / np.maximum(strays, 1e-3)).min()))
    luma = texture.mean(axis=2, keepdims=True)
    return np.asarray(luma + share * (texture - luma), np.float32)


def even_light(texture: FloatArray, known: FloatArray) -> FloatArray:
    """Take most of the baked-in light out that differs between the face's halves, and of lamps' colours."""
    gain = np.exp(-_SIDE_SHARE * asymmetry(texture, known))[:, :, None] * np.exp(-_tint(texture, known))
    evened = np.clip(texture * gain, 0, 255)
    # Then the shadow beside the nose; less, since it is also the face's own shape.
    gain = np.exp(-_SHADOW_SHARE * asymmetry(evened, known, _SHADOW_SIGMA))[:, :, None]
    return np.asarray(evened * gain, np.float32).clip(0, 255)


def evened(view: Unwrapped) -> Unwrapped:
    """A picture without most of the light that comes from one side."""
    gain = np.exp(-_SIDE_SHARE * asymmetry(view.texture, view.weight * (1 - view.hair)))[:, :, None]
    return dataclasses.replace(view, texture=np.asarray(np.clip(view.texture * gain, 0, 255), np.float32))


def _tint(texture: FloatArray, known: FloatArray) -> FloatArray:
    """(SIZE, SIZE, 3) how far the skin's colour, not its brightness, strays from its median, smooth."""
    small = 64
    weight = imaging.shrink(known, (small, small)) * relight.skin_weight()
    log = np.log(imaging.shrink(texture, (small, small)) + 8)
    color = log - log.mean(axis=2, keepdims=True)
    skin = weight > 0.5
    if not skin.any():
        return np.zeros_like(texture)
    strays = (color - np.median(color[skin], axis=0)) * weight[:, :, None]
    wide = imaging.blur(np.dstack([strays, weight]).astype(np.float32), 5.0)
    stray = wide[:, :, :3] / (wide[:, :, 3:] + 0.05)
    return imaging.resize(np.asarray(_TINT_SHARE * stray, np.float32), (SIZE, SIZE))


def shut_mouth(texture: FloatArray) -> FloatArray:
    """Replace teeth or a dark gap between the lips by lips with the line where they meet."""
    grid = uv.grid(SIZE)
    gap = cv2.dilate(grid.polygon(regions.MOUTH), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    hole = (gap > 60).astype(np.uint8)
    filled = cv2.inpaint(texture.astype(np.uint8), hole, 5, cv2.INPAINT_TELEA).astype(np.float32)
    soft = imaging.blur(hole.astype(np.float32), 1.5)[:, :, None]
    texture = filled * soft + texture * (1 - soft)
    line = cv2.GaussianBlur((grid.polygon(regions.MOUTH) > 0).astype(np.float32), (0, 0), 1.6)
    return np.asarray(texture * (1 - _LINE * np.clip(line, 0, 1)[:, :, None]), np.float32)


def known_mask(known: FloatArray) -> ByteArray:
    """(SIZE, SIZE) uint8 for :class:`MeshPersona`."""
    return np.asarray(np.clip(known * 255 + 0.5, 0, 255), np.uint8)
