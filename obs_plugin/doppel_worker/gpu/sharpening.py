"""The user's sharpness on the device; :func:`doppel_worker.sharpen.sharpened` is its measure."""

from __future__ import annotations

from doppel_models.tensor import DeviceTensor

from doppel_worker import sharpen
from doppel_worker.compositor import UNCHANGED, ColorShift
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.gpu.tensors import DeviceTensors


def sharpened(
    tensors: DeviceTensors,
    picture: Struct,
    mask: DeviceTensor,
    amount: float,
    shift: ColorShift = UNCHANGED,
) -> DeviceTensor:
    """A crop with its fine detail raised; only what is inside the mask is looked at or changed.

    Args:
        tensors: of the frame in hand.
        picture: of the mask's size, as the kernels see it.
        mask: (h, w) of bytes.
        amount: 0 (as it is) to 1.
        shift: moves the picture's colours first.

    Returns:
        (h, w, 3) of bytes, RGB, until the next frame.

    Raises:
        DeviceError: the device failed.
    """
    height, width = describe.mask_size(mask)
    taps = sharpen.taps(width)
    sums = tensors.room((height, width, 4), "float32")
    to = tensors.room((height, width, 3), "uint8")
    params = struct(
        structs.SHARPEN,
        picture=picture[0],
        mask=describe.mask(mask)[0],
        taps=tensors.upload(taps).pointer,
        sums=sums.pointer,
        to=to.pointer,
        gain=shift.gain,
        shift=shift.offset,
        amount=amount * sharpen.GAIN,
        recolour=shift != UNCHANGED,
        radius=len(taps) // 2,
        width=width,
        height=height,
    )
    for kernel in ("sharpen_rows", "sharpen_columns"):
        tensors.device.launch(kernel, width, height, params)
    return to
