"""A face on its way from the engine's crop into the frame."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from doppel_models.engines.base import CropRequest, SwapResult
from doppel_models.types import ByteArray

from doppel_worker.compositor import Compositor, Rect
from doppel_worker.device_swap import DevicePicture
from doppel_worker.frame import FrameView

_COVER_EARLY = 3.0
"""In the pose band the blur comes in this much faster than the swap fades: little of the original shows."""


@dataclasses.dataclass(slots=True)
class Swap:
    """One face on its way."""

    request: CropRequest
    result: SwapResult
    direct: DevicePicture | None = None
    """The picture, where it lies on the device; then the result has none."""


def paste(compositor: Compositor, frame: FrameView, swap: Swap, *, show_sides: bool) -> None:
    """Write a face into its frame; what is in front of it, and the side of a turned head, is blurred before.

    Args:
        compositor: of the device that the face is on.
        frame: edited in place.
        swap: the face.
        show_sides: a head that turns away fades to the picture as filmed, not to a blurred one.
    """
    result, fade = swap.result, swap.result.pose_fade
    if swap.direct is not None and fade == 0 and result.veil_mask is None:
        swap.direct.paste(compositor, frame, swap.request)
        return
    if result.veil_mask is not None or fade > 0:
        rect, veil, cover = to_blur(swap, frame.width, frame.height)
        if rect.width == 0 or rect.height == 0:
            return
        if veil is not None:
            compositor.blur(frame, rect, veil)
        if fade > 0 and not show_sides and cover is not None:
            compositor.blur(frame, rect, weighted(cover, min(1.0, fade * _COVER_EARLY)))
    mask = weighted(result.mask, 1 - fade) if fade > 0 else result.mask
    if swap.direct is not None:
        swap.direct.paste(compositor, frame, swap.request, mask)
    elif swap.request.rect is not None:
        compositor.paste(frame, Rect(*swap.request.rect), result.rgb, mask)
    else:
        compositor.paste_crop(frame, swap.request.matrix, result.rgb, mask)


def to_blur(swap: Swap, width: int, height: int) -> tuple[Rect, ByteArray | None, ByteArray | None]:
    """What of a face is to be blurred, at the frame's resolution.

    Args:
        swap: the crop's masks.
        width: of the frame, pixels.
        height: of the frame, pixels.

    Returns:
        The rectangle that the face covers, clipped to the frame, and the veil mask and the cover mask of its
        size. Where the rectangle is empty, those of the crop.
    """
    request, result = swap.request, swap.result
    veil, cover = result.veil_mask, result.cover_mask
    part = None if request.rect is not None else _shown(result)
    rect = Rect(*request.frame_rect(width, height, part))
    if request.rect is not None or rect.width == 0 or rect.height == 0:
        return rect, veil, cover
    matrix = request.matrix_from(rect.x0, rect.y0)
    size, flags = (rect.width, rect.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def moved(mask: ByteArray | None) -> ByteArray | None:
        if mask is None:
            return None
        return np.asarray(
            cv2.warpAffine(mask, matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT), np.uint8
        )

    return rect, moved(veil), moved(cover)


def _shown(result: SwapResult) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1): the pixels of a crop where any of its masks is not 0; empty where all are."""
    masks = [mask for mask in (result.mask, result.cover_mask, result.veil_mask) if mask is not None]
    boxes = [box for box in map(cv2.boundingRect, masks) if box[2] > 0]
    if not boxes:
        return 0, 0, 0, 0
    return (
        min(x for x, _, _, _ in boxes),
        min(y for _, y, _, _ in boxes),
        max(x + w for x, _, w, _ in boxes),
        max(y + h for _, y, _, h in boxes),
    )


def copied(result: SwapResult) -> SwapResult:
    """The same, in memory of its own: engines use theirs again for the next face."""
    cover, veil = result.cover_mask, result.veil_mask
    return dataclasses.replace(
        result,
        rgb=result.rgb.copy(),
        mask=result.mask.copy(),
        cover_mask=None if cover is None else cover.copy(),
        veil_mask=None if veil is None else veil.copy(),
    )


def weighted(mask: ByteArray, weight: float) -> ByteArray:
    """A mask, (h, w) uint8, times a weight 0..1."""
    return np.asarray(cv2.convertScaleAbs(mask, alpha=weight), np.uint8)
