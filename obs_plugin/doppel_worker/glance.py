"""Whether a frame differs much from an earlier one: near its edges, where faces come in, or all over.

Looked at in every frame, so it is cheap: a few samples of each component where they lie in the frame. The
difference of two frames is a linear map of the difference of their samples, so only that becomes RGB.
"""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models.types import ByteArray

from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS

_SIZE = 16
"""Longer side, blocks, of the small picture in which change is measured."""
_SAMPLES = 2
"""Along each side of a block."""
_ROWS = 3
"""Rows of the frame that are averaged into one row of samples, where there are so many."""
_EDGE_BLOCKS = 2
"""Width of the band along the edges, blocks: an eighth of the frame's longer side."""
_STRONG_CHANGE = 14.0
"""Mean difference of a block, 0..255, that counts as strong. Over three frames of two webcam clips (400x300)
it is at most 6; with sensor noise of 12 of 255, in so small a picture, 11 as a rule and 17 at most. Noise
costs more runs of the detector and nothing else."""
_SCENE_CHANGE = 20.0
"""Mean difference of the whole picture that counts as another scene."""


@dataclasses.dataclass(frozen=True, slots=True)
class Glance:
    """One frame, reduced to blocks."""

    blocks: ByteArray
    """(components * rows, columns): the mean of each block's samples, component by component."""
    weights: npt.NDArray[np.float32] | None
    """(3, number of components), their difference -> that of RGB; None: they are R, G and B."""

    @classmethod
    def at(cls, frame: FrameView) -> Glance:
        """Look at a frame that nothing has been written to."""
        scale = _SIZE / max(frame.width, frame.height)
        columns, rows = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        components = COMPONENTS[frame.layout.pixel_format]
        few = np.empty((len(components.all), _SAMPLES * rows, _SAMPLES * columns), np.uint8)
        for component, samples in zip(components.all, few, strict=True):
            width, height = component.size(frame)
            step = max(1, height // (_ROWS * rows))
            taken = component.take(frame, Rect(0, step // 2, width, height), step)
            cv2.resize(taken, samples.shape[::-1], dst=samples, interpolation=cv2.INTER_LINEAR)
        stacked = few.reshape(-1, few.shape[2])
        blocks = cv2.resize(stacked, (columns, len(few) * rows), interpolation=cv2.INTER_AREA)
        weights = None if components.packed_rgb else frame.color.matrix[:, : len(few)]
        return cls(np.asarray(blocks, np.uint8), weights)

    def changed(self, before: Glance) -> bool:
        """True if it differs much from another glance at the same source.

        One that has other blocks or components differs.
        """
        if self.blocks.shape != before.blocks.shape:
            return True
        count = 3 if self.weights is None else self.weights.shape[1]
        edge, inner, inside = _zones(len(self.blocks) // count, self.blocks.shape[1], count)
        most = 3.0 if self.weights is None else float(np.abs(self.weights).sum())
        # Nearly always it can be told without the colours: RGB differs by at most this.
        at_edge = most * cv2.norm(self.blocks, before.blocks, cv2.NORM_INF, edge)
        if at_edge <= 3 * _STRONG_CHANGE:
            within = most * cv2.norm(self.blocks, before.blocks, cv2.NORM_L1, inner)
            if within <= 3 * _SCENE_CHANGE * inside:
                return False
        apart = self.blocks.reshape(count, -1).astype(np.float32)
        apart -= before.blocks.reshape(count, -1)
        if self.weights is not None:
            apart = self.weights @ apart
        change = np.abs(apart).sum(axis=0)
        size = len(change)
        near_edge, middle = edge.reshape(-1)[:size] > 0, inner.reshape(-1)[:size] > 0
        if change[near_edge].max() > 3 * _STRONG_CHANGE:
            return True
        return bool(inside and change[middle].mean() > 3 * _SCENE_CHANGE)


@functools.lru_cache(maxsize=16)
def _zones(rows: int, columns: int, components: int) -> tuple[ByteArray, ByteArray, int]:
    """Masks like :attr:`Glance.blocks` of what lies along the edges and within, and how many blocks do."""
    edge = np.ones((rows, columns), np.uint8)
    edge[_EDGE_BLOCKS:-_EDGE_BLOCKS, _EDGE_BLOCKS:-_EDGE_BLOCKS] = 0
    inner = (1 - edge).astype(np.uint8)
    return np.tile(edge, (components, 1)), np.tile(inner, (components, 1)), int(inner.sum())
