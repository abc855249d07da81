"""Contact sheets: rows of pictures under one another, for the eye to compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from doppel_models.types import ByteArray

from doppel_worker.errors import FrameError

_GAP = 4
_BACKGROUND = 24
_TEXT_PX = 15
_TEXT_WEIGHT = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet."""

    label: str
    """Written on its first picture."""
    pictures: Sequence[ByteArray]
    """(h, w, 3) uint8 RGB each, of any size."""
    captions: Sequence[str] = ()
    """One for each picture, written below it; or none."""


def draw_sheet(rows: Sequence[Row], cell_width: int = 320) -> ByteArray:
    """Lay out rows of pictures; column by column they belong together.

    Args:
        rows: at least one with at least one picture; all of the same length.
        cell_width: of a column, pixels. Pictures keep their aspect; the first one's is everybody's, and
            others are fitted into it.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        FrameError: no pictures, or rows of different lengths.
    """
    columns = len(rows[0].pictures) if rows else 0
    if columns == 0:
        raise FrameError("a contact sheet needs at least one picture")
    for row in rows:
        if len(row.pictures) != columns or (row.captions and len(row.captions) != columns):
            raise FrameError(
                f"row {row.label!r} has not {columns} pictures and captions, as the first row has"
            )
    height, width = rows[0].pictures[0].shape[:2]
    cell_height = max(1, round(cell_width * height / width))
    heights = [cell_height + (_TEXT_PX + 2 * _GAP if row.captions else 0) for row in rows]
    shape = (sum(heights) + _GAP * (len(rows) + 1), columns * cell_width + _GAP * (columns + 1), 3)
    sheet = np.full(shape, _BACKGROUND, np.uint8)
    top = _GAP
    for row, row_height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row.pictures):
            left = _GAP + column * (cell_width + _GAP)
            sheet[top : top + cell_height, left : left + cell_width] = fitted(
                picture, cell_width, cell_height
            )
            if row.captions:
                _write(sheet, row.captions[column], left + 2, top + cell_height + _GAP + _TEXT_PX - 3)
        _write(sheet, row.label, _GAP + 6, top + _GAP + _TEXT_PX)
        top += row_height + _GAP
    return sheet


def fitted(picture: ByteArray, width: int, height: int) -> ByteArray:
    """``picture`` as large as it fits into ``width`` x ``height`` with its aspect kept, on a dark ground."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(picture, size, interpolation=way)
    if size == (width, height):
        return np.asarray(small, np.uint8)
    canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def _write(sheet: ByteArray, text: str, left: int, baseline: int) -> None:
    """White text with a dark rim, legible on every picture."""
    font = cv2.FontFace("sans")
    for offset_x, offset_y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        at = (left + offset_x, baseline + offset_y)
        cv2.putText(sheet, text, at, (0, 0, 0), font, _TEXT_PX, _TEXT_WEIGHT)
    cv2.putText(sheet, text, (left, baseline), (255, 255, 255), font, _TEXT_PX, _TEXT_WEIGHT)
