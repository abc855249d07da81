"""The kernels' parameters as NumPy dtypes: the twins of the structures in ``kernels/*.cu``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Struct = npt.NDArray[np.void]
"""One structure: an array of shape (1,), as CuPy passes structures by value."""

BYTES, FLOATS, HALVES = 0, 1, 2
PACKED_RGB, LUMA_CHROMA, GREY = 0, 1, 2


def _dtype(*fields: tuple[Any, ...]) -> np.dtype[np.void]:
    return np.dtype(list(fields), align=True)


SAMPLES: Final = _dtype(("address", "u8"), ("pitch", "i4"), ("step", "i4"), ("width", "i4"), ("height", "i4"))
TENSOR: Final = _dtype(
    ("address", "u8"),
    ("type", "i4"),
    ("channel_stride", "i4"),
    ("row_stride", "i4"),
    ("pixel_stride", "i4"),
    ("order", "i4", (3,)),
    ("scale", "f4", (3,)),
    ("offset", "f4", (3,)),
    ("pad", "i4"),
)
REDUCE: Final = _dtype(("from", SAMPLES), ("to", SAMPLES), ("fx", "i4"), ("fy", "i4"))
CROP: Final = _dtype(
    ("planes", SAMPLES, (3,)),
    ("to", TENSOR),
    ("whole", "f4", (6,)),
    ("half", "f4", (6,)),
    ("to_rgb", "f4", (12,)),
    ("low", "i4", (3,)),
    ("high", "i4", (3,)),
    ("mode", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("pad", "i4"),
)
READ: Final = _dtype(
    ("planes", SAMPLES, (3,)),
    ("to", TENSOR),
    ("to_rgb", "f4", (12,)),
    ("low", "i4", (3,)),
    ("high", "i4", (3,)),
    ("mode", "i4"),
    ("x0", "i4"),
    ("y0", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("x_shift", "i4"),
    ("y_shift", "i4"),
    ("flip", "i4"),
)
PASTE: Final = _dtype(
    ("planes", SAMPLES, (3,)),
    ("picture", TENSOR),
    ("mask", TENSOR),
    ("to_yuv", "f4", (12,)),
    ("matrix", "f4", (6,)),
    ("gain", "f4", (3,)),
    ("shift", "f4", (3,)),
    ("mode", "i4"),
    ("x_shift", "i4"),
    ("y_shift", "i4"),
    ("flip", "i4"),
    ("frame_width", "i4"),
    ("frame_height", "i4"),
    ("x0", "i4"),
    ("y0", "i4"),
    ("x1", "i4"),
    ("y1", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("warp", "i4"),
    ("recolour", "i4"),
)
AREA: Final = _dtype(("from", SAMPLES), ("to", SAMPLES), ("rows", "u8"), ("even", "i4"), ("pad", "i4"))
SPREAD: Final = _dtype(
    ("cells", SAMPLES),
    ("to", SAMPLES),
    ("mask", TENSOR),
    ("x_shift", "i4"),
    ("y_shift", "i4"),
    ("flip", "i4"),
    ("mask_x", "i4"),
    ("mask_y", "i4"),
    ("mask_width", "i4"),
    ("mask_height", "i4"),
    ("pad", "i4"),
)
SHRINK: Final = _dtype(
    ("from", TENSOR), ("to", "u8"), ("width", "i4"), ("height", "i4"), ("fx", "i4"), ("fy", "i4")
)
SHARPEN: Final = _dtype(
    ("picture", TENSOR),
    ("mask", TENSOR),
    ("taps", "u8"),
    ("sums", "u8"),
    ("to", "u8"),
    ("gain", "f4", (3,)),
    ("shift", "f4", (3,)),
    ("amount", "f4"),
    ("recolour", "i4"),
    ("radius", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("pad", "i4"),
)
MESH: Final = _dtype(
    ("points", "u8"),
    ("triangles", "u8"),
    ("edges", "u8"),
    ("drawn", "u8"),
    ("maps", "u8"),
    ("count", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("pad", "i4"),
)
EDGES_BYTES: Final = 92
"""Of one triangle, between two of the mesh's kernels."""
MESH_MASK: Final = _dtype(
    ("maps", "u8"),
    ("share", "u8"),
    ("values", "u8"),
    ("to", "u8"),
    ("side", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("pad", "i4"),
)
MESH_LIGHT: Final = _dtype(("from", "u8"), ("gain", "u8"), ("to", "u8"), ("side", "i4"), ("cells", "i4"))
MESH_DRAW: Final = _dtype(
    ("maps", "u8"),
    ("mask", "u8"),
    ("texture", "u8"),
    ("to", "u8"),
    ("to_mask", "u8"),
    ("side", "i4"),
    ("map_width", "i4"),
    ("map_height", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("pad", "i4"),
)
UNWRAP: Final = _dtype(
    ("from", "u8"),
    ("points", "u8"),
    ("corners", "u8"),
    ("shares", "u8"),
    ("to", "u8"),
    ("step", "i4"),
    ("width", "i4"),
    ("height", "i4"),
    ("side", "i4"),
)
PATCH_SUMS: Final = 7
"""Whole numbers of each of a patch's rows, between two of its kernels."""
PATCH: Final = _dtype(
    ("live", "u8"),
    ("rgb", "u8"),
    ("over", "u8"),
    ("mask", "u8"),
    ("sums", "u8"),
    ("gain", "u8"),
    ("matrix", "f4", (6,)),
    ("lids", "f4"),
    ("share", "f4"),
    ("width", "i4"),
    ("height", "i4"),
    ("x0", "i4"),
    ("y0", "i4"),
    ("columns", "i4"),
    ("rows", "i4"),
    ("ring_low", "i4"),
    ("ring_high", "i4"),
)

KERNELS: Final[dict[str, tuple[str, np.dtype[np.void]]]] = {
    "reduce_blocks": ("sample.cu", REDUCE),
    "sample_crop": ("sample.cu", CROP),
    "read_rect": ("sample.cu", READ),
    "paste_rect": ("paste.cu", PASTE),
    "area_rows": ("area.cu", AREA),
    "area_cells": ("area.cu", AREA),
    "blur_region": ("area.cu", SPREAD),
    "cover_region": ("area.cu", SPREAD),
    "shrink_picture": ("area.cu", SHRINK),
    "sharpen_rows": ("sharpen.cu", SHARPEN),
    "sharpen_columns": ("sharpen.cu", SHARPEN),
    "mesh_triangles": ("mesh.cu", MESH),
    "mesh_raster": ("mesh.cu", MESH),
    "mesh_maps": ("mesh.cu", MESH),
    "mesh_mask": ("mesh.cu", MESH_MASK),
    "mesh_light": ("mesh.cu", MESH_LIGHT),
    "mesh_draw": ("mesh.cu", MESH_DRAW),
    "live_texture": ("live.cu", UNWRAP),
    "patch_take": ("live.cu", PATCH),
    "patch_sums": ("live.cu", PATCH),
    "patch_gain": ("live.cu", PATCH),
    "patch_lay": ("live.cu", PATCH),
}
"""Every kernel: the file it stands in and its one parameter."""


def struct(dtype: np.dtype[np.void], **fields: object) -> Struct:
    """One structure with these fields; the others are zero."""
    made: Struct = np.zeros(1, dtype)
    for name, value in fields.items():
        made[name][0] = value
    return made
