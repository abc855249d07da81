"""Pictures that are pasted into every frame at the same place: what is made of them is kept."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

import cv2
import numpy as np
from doppel_models import channels
from doppel_models.types import ByteArray

from doppel_worker.color import ColorConversion
from doppel_worker.compositor import Rect
from doppel_worker.enlarged import lay_over
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS, Component, reduce_to

_KEPT = 8
"""Stamps: one for each lane and format, more or less."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Layer:
    """One component of a stamp, as :func:`lay_over` takes it."""

    component: Component
    where: Rect
    above: ByteArray
    left: ByteArray


class Stamps:
    """Pastes pictures, and keeps the last few as the frames' samples. One thread."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: OrderedDict[tuple[object, ...], tuple[list[_Layer], ByteArray, ByteArray]] = OrderedDict()

    def paste(self, frame: FrameView, stored: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend a picture (h, w, 3) over a rectangle (storage coordinates) by a mask (h, w).

        Both are known again by being the same objects, which are not to be changed.
        """
        key = (id(rgb), id(mask), stored, frame.layout, frame.flip, ColorConversion.key(frame.color))
        known = self._kept.get(key)
        if known is None:
            # The arrays themselves are kept too: while they are, nothing else has their places in memory.
            known = self._kept[key] = _layers(frame, stored, rgb, mask), rgb, mask
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        for layer in known[0]:
            lay_over(layer.component, frame, layer.where, layer.above, layer.left)


def _layers(frame: FrameView, stored: Rect, rgb: ByteArray, mask: ByteArray) -> list[_Layer]:
    if frame.flip:
        rgb, mask = np.asarray(cv2.flip(rgb, 0), np.uint8), np.asarray(cv2.flip(mask, 0), np.uint8)
    components = COMPONENTS[frame.layout.pixel_format]
    colors = rgb if components.packed_rgb else ColorConversion.of(frame.color).rgb_to_yuv(rgb)
    layers = []
    for component, plane in zip(components.all, channels.split(colors), strict=False):
        where = component.inside(stored, frame)
        if where.width == 0 or where.height == 0:
            continue
        share = reduce_to(component, stored, frame, mask)
        over = cv2.multiply(reduce_to(component, stored, frame, plane), share, scale=1 / 255)
        left = cv2.bitwise_not(share)
        layers.append(_Layer(component, where, np.asarray(over, np.uint8), np.asarray(left, np.uint8)))
    return layers
