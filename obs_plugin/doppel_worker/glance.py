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
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS, Component

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
        grid = _grid(frame.layout.pixel_format, frame.width, frame.height)
        few = np.empty((len(grid.parts), _SAMPLES * grid.rows, _SAMPLES * grid.columns), np.uint8)
        size = few.shape[:0:-1]
        for (component, rect, step), samples in zip(grid.parts, few, strict=True):
            cv2.resize(component.take(frame, rect, step), size, dst=samples, interpolation=cv2.INTER_LINEAR)
        stacked = few.reshape(-1, few.shape[2])
        blocks = cv2.resize(stacked, (grid.columns, len(few) * grid.rows), interpolation=cv2.INTER_AREA)
        return cls(np.asarray(blocks, np.uint8), None if grid.is_rgb else frame.color.matrix[:, : len(few)])

    def changed(self, before: Glance) -> bool:
        """True if it differs much from another glance at the same source.

        One that has other blocks or components differs.
        """
        if self.blocks.shape != before.blocks.shape:
            return True
        reach = _REACH_OF_RGB if self.weights is None else _reach(self.weights.tobytes())
        zones = _zones(len(self.blocks) // len(reach), self.blocks.shape[1])
        # Nearly always it can be told without the colours: RGB differs by at most this.
        apart = cv2.absdiff(self.blocks, before.blocks)
        parts = [apart[at : at + zones.rows] for at in range(0, len(apart), zones.rows)]
        at_edge = sum(
            most * cv2.norm(part, cv2.NORM_INF, zones.edge) for part, most in zip(parts, reach, strict=True)
        )
        if at_edge <= 3 * _STRONG_CHANGE:
            within = sum(
                most * cv2.norm(part, cv2.NORM_L1, zones.inner)
                for part, most in zip(parts, reach, strict=True)
            )
            if within <= 3 * _SCENE_CHANGE * zones.inside:
                return False
        return self._changed_colors(before, zones, len(reach))

    def _changed_colors(self, before: Glance, zones: _Zones, components: int) -> bool:
        """:meth:`changed`, exactly."""
        apart = self.blocks.reshape(components, -1).astype(np.float32)
        apart -= before.blocks.reshape(components, -1)
        if self.weights is not None:
            apart = self.weights @ apart
        change = _ONES @ np.abs(apart)
        edge, inner = zones.edge.reshape(-1), zones.inner.reshape(-1)
        if float((change * edge).max()) > 3 * _STRONG_CHANGE:
            return True
        return float(change @ inner) > 3 * _SCENE_CHANGE * zones.inside


_ONES = np.ones(3, np.float32)
_REACH_OF_RGB = (1.0, 1.0, 1.0)


@functools.lru_cache(maxsize=16)
def _reach(weights: bytes) -> tuple[float, ...]:
    """Of each component of :attr:`Glance.weights`: by how much one level of it moves R, G and B together."""
    sums: FloatArray = np.abs(np.frombuffer(weights, np.float32).reshape(3, -1)).sum(axis=0)
    return tuple(sums.tolist())


@dataclasses.dataclass(frozen=True, slots=True)
class _Grid:
    """How a frame is looked at."""

    rows: int
    columns: int
    parts: tuple[tuple[Component, Rect, int], ...]
    """Which samples are read of each component, and every how many rows."""
    is_rgb: bool


@functools.lru_cache(maxsize=16)
def _grid(pixel_format: PixelFormat, width: int, height: int) -> _Grid:
    scale = _SIZE / max(width, height)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    components = COMPONENTS[pixel_format]
    parts = []
    for component in components.all:
        samples = component.covering(Rect(0, 0, width, height))
        step = max(1, samples.height // (_ROWS * rows))
        parts.append((component, Rect(0, step // 2, samples.width, samples.height), step))
    return _Grid(rows, columns, tuple(parts), components.packed_rgb)


@dataclasses.dataclass(frozen=True, slots=True)
class _Zones:
    """Of the blocks of one component."""

    edge: ByteArray
    """(rows, columns) 1 along the edges, 0 within."""
    inner: ByteArray
    """The other way round."""
    inside: int
    """How many blocks lie within."""

    @property
    def rows(self) -> int:
        """Of blocks."""
        return len(self.edge)


@functools.lru_cache(maxsize=16)
def _zones(rows: int, columns: int) -> _Zones:
    edge = np.ones((rows, columns), np.uint8)
    edge[_EDGE_BLOCKS:-_EDGE_BLOCKS, _EDGE_BLOCKS:-_EDGE_BLOCKS] = 0
    inner = (1 - edge).astype(np.uint8)
    return _Zones(edge, inner, int(inner.sum()))
