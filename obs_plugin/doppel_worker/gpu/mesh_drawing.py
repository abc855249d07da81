"""Draws the mesh engine's faces on the device; ``doppel_models.engines.mesh.drawing`` is its measure."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from doppel_models import canonical
from doppel_models.engines.base import SwapResult
from doppel_models.engines.mesh import raster, relight, uv
from doppel_models.engines.mesh.features import RING, Patch
from doppel_models.engines.mesh.on_device import DeviceCrop, DrawnFace
from doppel_models.engines.mesh.plan import Plan, scaled
from doppel_models.tensor import DeviceTensor
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.gpu.tensors import DeviceTensors


class MeshDrawing:
    """Satisfies ``doppel_models.engines.mesh.on_device.MeshDevice``.

    Works within one frame of the compositor that owns ``tensors``, on its thread. All that a frame needs but
    the pictures that lie on the device goes up in one copy.
    """

    def __init__(self, tensors: DeviceTensors) -> None:
        """Nothing is put on the device before the first face."""
        self._tensors = tensors

    def keep(self, texture: ByteArray) -> DeviceTensor:
        """A copy of a persona's texture, for as long as somebody holds it.

        Raises:
            DeviceError: the device failed; so do the other methods.
        """
        return self._tensors.keep(texture)

    def crop(self, rgb: ByteArray) -> DeviceCrop:
        """A copy of a crop (h, w, 3) of this process's memory."""
        return self.live_crop(self._tensors.upload(rgb))

    def live_crop(self, picture: DeviceTensor) -> DeviceCrop:
        """A picture (h, w, 3) of bytes on the device as the live face; reduced, it is means of blocks."""
        return DeviceCrop(picture, functools.partial(self._shrunk, picture))

    def live_texture(self, crop: DeviceCrop, points: FloatArray, factor: int) -> ByteArray:
        """The live face in texture space; see the protocol."""
        small = crop.reduced(factor)
        height, width, step = small.shape
        at = self._tensors.upload(np.ascontiguousarray(scaled(points, 1 / factor, 1 / factor)[:, :2]))
        corners, shares = self._grid
        to = self._tensors.room((relight.SIZE, relight.SIZE, 3), "uint8")
        params = struct(
            structs.UNWRAP,
            points=at.pointer,
            corners=corners.pointer,
            shares=shares.pointer,
            to=to.pointer,
            step=step,
            width=width,
            height=height,
            side=relight.SIZE,
        )
        params["from"] = small.pointer
        self._tensors.device.launch("live_texture", relight.SIZE, relight.SIZE, params)
        return self._tensors.fetch_bytes(to)

    def draw(self, plan: Plan, texture: DeviceTensor | None, crop: DeviceCrop) -> DrawnFace:
        """Draw a planned face; see the protocol."""
        placed = raster.projected(plan.map_points, *plan.map_size)
        points = np.concatenate([placed, canonical.load().uv], axis=1, dtype=np.float32)
        optional = (plan.mask, plan.veil, plan.gain)
        given = [array for array in optional if array is not None]
        patches = [patch.mask for patch in plan.patches]
        first, *rest = self._tensors.upload_all([points, *given, *patches])
        left = iter(rest)
        mask, veil, gain = (None if array is None else next(left) for array in optional)
        maps, drawn = self._maps(plan, first)
        plane = 4 * plan.map_size[0] * plan.map_size[1]
        seen, near = drawn + 2 * plane, maps + 2 * plane
        rgb = self._picture(plan)
        cover = self._enlarged(plan, self._small(plan, drawn, seen, None)) if plan.fade > 0 else None
        if mask is None or texture is None:
            nothing = self._tensors.upload(np.zeros(plan.size[::-1], np.uint8))
            return DrawnFace(rgb, nothing, plan.fade, cover, None)
        shown = self._draw(plan, maps, self._small(plan, drawn, near, mask), self._lit(texture, gain), rgb)
        for patch, patch_mask in zip(plan.patches, left, strict=True):
            self._lay(patch, patch_mask, crop.picture, rgb)
        hidden = None if veil is None else self._enlarged(plan, self._small(plan, drawn, 0, veil))
        return DrawnFace(rgb, shown, plan.fade, cover, hidden)

    def fetch(self, drawn: DrawnFace) -> SwapResult:
        """The face in this process's memory; waits for the device."""
        rgb, *masks = self._tensors.fetch_all([drawn.rgb, *_masks(drawn)])
        return self._result(drawn, rgb, masks)

    def fetch_masks(self, drawn: DrawnFace) -> SwapResult:
        """The same without its picture, which is black."""
        height, width = drawn.mask.shape
        masks = self._tensors.fetch_all(_masks(drawn))
        return self._result(drawn, np.zeros((height, width, 3), np.uint8), masks)

    def _result(self, drawn: DrawnFace, rgb: ByteArray, masks: list[ByteArray]) -> SwapResult:
        left = iter(masks)
        mask, cover, veil = (
            None if tensor is None else next(left) for tensor in (drawn.mask, drawn.cover, drawn.veil)
        )
        assert mask is not None  # noqa: S101 - every drawn face has one
        return SwapResult(rgb, mask, drawn.fade, cover, veil)

    def _maps(self, plan: Plan, points: DeviceTensor) -> tuple[int, int]:
        """Addresses of three planes each: u, v continued, mean coverage; and u, v and coverage as drawn."""
        width, height = plan.map_size
        plane = 4 * width * height
        triangles, count = self._triangles
        edges = self._bytes(structs.EDGES_BYTES * count)
        drawn, maps = self._bytes(3 * plane), self._bytes(3 * plane)
        params = struct(
            structs.MESH,
            points=points.pointer,
            triangles=triangles.pointer,
            edges=edges,
            drawn=drawn,
            maps=maps,
            count=count,
            width=width,
            height=height,
        )
        device = self._tensors.device
        device.launch("mesh_triangles", count, 1, params)
        device.launch("mesh_raster", width, height, params)
        device.launch("mesh_maps", width, height, params)
        return maps, drawn

    def _small(self, plan: Plan, maps: int, share: int, values: DeviceTensor | None) -> int:
        """Address of a mask of bytes at the maps' size: ``values`` of texture space (1) times a share (1)."""
        width, height = plan.map_size
        to = self._bytes(width * height)
        params = struct(
            structs.MESH_MASK,
            maps=maps,
            share=share,
            values=0 if values is None else values.pointer,
            to=to,
            side=relight.SIZE,
            width=width,
            height=height,
        )
        self._tensors.device.launch("mesh_mask", width, height, params)
        return to

    def _lit(self, texture: DeviceTensor, gain: DeviceTensor | None) -> DeviceTensor:
        """The texture under the live light."""
        if gain is None:
            return texture
        side = texture.shape[0]
        lit = self._tensors.room(texture.shape, "uint8")
        params = struct(structs.MESH_LIGHT, gain=gain.pointer, to=lit.pointer, side=side, cells=gain.shape[0])
        params["from"] = texture.pointer
        self._tensors.device.launch("mesh_light", side, side, params)
        return lit

    def _draw(self, plan: Plan, maps: int, small: int, lit: DeviceTensor, rgb: DeviceTensor) -> DeviceTensor:
        """The texture at the crop's size, into ``rgb``, and its mask."""
        return self._full(plan, small, maps=maps, texture=lit.pointer, to=rgb.pointer, side=lit.shape[0])

    def _enlarged(self, plan: Plan, small: int) -> DeviceTensor:
        """A mask at the crop's size."""
        return self._full(plan, small)

    def _full(self, plan: Plan, small: int, **fields: int) -> DeviceTensor:
        width, height = plan.size
        mask = self._tensors.room((height, width), "uint8")
        params = struct(
            structs.MESH_DRAW,
            mask=small,
            to_mask=mask.pointer,
            map_width=plan.map_size[0],
            map_height=plan.map_size[1],
            width=width,
            height=height,
            **fields,
        )
        self._tensors.device.launch("mesh_draw", width, height, params)
        return mask

    def _lay(self, patch: Patch, mask: DeviceTensor, live: DeviceTensor, rgb: DeviceTensor) -> None:
        """Lay a patch of the live face over the swapped one."""
        columns, rows = patch.size
        height, width = live.shape[:2]
        matched = patch.lids > 0
        params = struct(
            structs.PATCH,
            live=live.pointer,
            rgb=rgb.pointer,
            over=self._bytes(3 * columns * rows),
            mask=mask.pointer,
            sums=self._bytes(4 * structs.PATCH_SUMS * rows) if matched else 0,
            gain=self._bytes(12) if matched else 0,
            matrix=patch.matrix.ravel(),
            lids=patch.lids,
            share=patch.share,
            width=width,
            height=height,
            x0=patch.x0,
            y0=patch.y0,
            columns=columns,
            rows=rows,
            ring_low=RING[0],
            ring_high=RING[1],
        )
        device = self._tensors.device
        device.launch("patch_take", columns, rows, params)
        if matched:
            device.launch("patch_sums", rows, 1, params)
            device.launch("patch_gain", 3, 1, params)
        device.launch("patch_lay", columns, rows, params)

    def _shrunk(self, picture: DeviceTensor, factor: int) -> DeviceTensor:
        """A picture (h, w, 3) by means of whole blocks: (h, w, 4), the fourth channel means nothing."""
        if factor <= 1:
            return picture
        height, width = picture.shape[0] // factor, picture.shape[1] // factor
        to = self._tensors.room((height, width, 4), "uint8")
        params: Struct = struct(
            structs.SHRINK, to=to.pointer, width=width, height=height, fx=factor, fy=factor
        )
        params["from"] = describe.picture(picture)
        self._tensors.device.launch("shrink_picture", width, height, params)
        return to

    def _picture(self, plan: Plan) -> DeviceTensor:
        return self._tensors.room((plan.size[1], plan.size[0], 3), "uint8")

    def _bytes(self, size: int) -> int:
        """Address of room that is gone with the frame."""
        return self._tensors.room((size,), "uint8").pointer

    @functools.cached_property
    def _triangles(self) -> tuple[DeviceTensor, int]:
        """The mesh's triangles, int32, and how many."""
        triangles = canonical.load().triangles.astype(np.int32)
        return self._tensors.keep(_raw(triangles)), len(triangles)

    @functools.cached_property
    def _grid(self) -> tuple[DeviceTensor, DeviceTensor]:
        """For each texel the three points around it (int32), and their shares (float32)."""
        grid = uv.grid(relight.SIZE)
        corners = np.ascontiguousarray(grid.vertices.T, np.int32)
        return self._tensors.keep(_raw(corners)), self._tensors.keep(np.ascontiguousarray(grid.weights.T))


def _raw(numbers: npt.NDArray[np.int32]) -> ByteArray:
    return numbers.reshape(-1).view(np.uint8)


def _masks(drawn: DrawnFace) -> list[DeviceTensor]:
    return [mask for mask in (drawn.mask, drawn.cover, drawn.veil) if mask is not None]
