"""Frames, crops and tensors as the kernels' structures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from doppel_models.tensor import DeviceTensor, TensorFormat

from doppel_worker.color import ColorConversion
from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.gpu import structs
from doppel_worker.gpu.device_frame import DeviceFrames
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.plane_access import COMPONENTS, Component

TYPES = {"uint8": structs.BYTES, "float32": structs.FLOATS, "float16": structs.HALVES}


def mode_of(frame: FrameView) -> int:
    """Which kind of pixels a frame has."""
    components = COMPONENTS[frame.layout.pixel_format]
    if components.packed_rgb:
        return structs.PACKED_RGB
    return structs.LUMA_CHROMA if len(components.all) == 3 else structs.GREY


def components_of(frame: FrameView) -> tuple[Component, ...]:
    """Y, U, V or R, G, B; Y alone of grey frames."""
    return COMPONENTS[frame.layout.pixel_format].all


def chroma_shifts(frame: FrameView) -> tuple[int, int]:
    """By how much chroma is subsampled, across and down."""
    last = components_of(frame)[-1]
    return last.x_shift, last.y_shift


def samples_of(frames: DeviceFrames, frame: FrameView, component: Component, part: Rect) -> Struct:
    """A rectangle (in samples) of a component of the frame on the device."""
    pitch = frame.layout.linesize[component.plane]
    start = frames.plane_address(component.plane) + component.offset
    return dense(
        start + part.y0 * pitch + part.x0 * component.step, part.width, part.height, pitch, component.step
    )


def dense(address: int, width: int, height: int, pitch: int = 0, step: int = 1) -> Struct:
    """A grid of samples; without ``pitch`` its rows follow one another."""
    return struct(
        structs.SAMPLES, address=address, pitch=pitch or width, step=step, width=width, height=height
    )


def whole_planes(frames: DeviceFrames, frame: FrameView) -> Struct:
    """All three components of the frame; of grey ones Y alone."""
    planes = np.zeros(3, structs.SAMPLES)
    for index, component in enumerate(components_of(frame)):
        width, height = component.size(frame)
        planes[index] = samples_of(frames, frame, component, Rect(0, 0, width, height))[0]
    return planes


def color_fields(frame: FrameView) -> dict[str, object]:
    """``to_rgb``, ``low`` and ``high`` of a frame; empty for RGB, which is taken as it is.

    Raises:
        FrameError: its colour matrix has no inverse.
    """
    if mode_of(frame) == structs.PACKED_RGB:
        return {}
    conversion = ColorConversion.of(frame.color)
    return {"to_rgb": conversion.to_rgb.ravel(), "low": conversion.low, "high": conversion.high}


def sampling_matrix(forward: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The inverse of (2, 3) ``forward`` as six float32, computed in the order in which OpenCV does it."""
    (a, b, x), (c, d, y) = forward.tolist()
    scale = 1.0 / (a * d - b * c)
    m0, m1, m3, m4 = d * scale, -b * scale, -c * scale, a * scale
    return np.array([m0, m1, -m0 * x - m1 * y, m3, m4, -m3 * x - m4 * y], np.float32)


def written(fmt: TensorFormat, tensor: DeviceTensor) -> Struct:
    """A tensor to be written with bytes: ``byte * scale - offset``."""
    std = np.asarray(fmt.std, np.float32)
    return _tensor(
        tensor, fmt.layout, fmt.channels, 1.0 / (255.0 * std), np.asarray(fmt.mean, np.float32) / std
    )


def read(fmt: TensorFormat, tensor: DeviceTensor) -> Struct:
    """A tensor to be read as bytes: ``(value * scale + offset) * 255``."""
    return _tensor(tensor, fmt.layout, fmt.channels, np.asarray(fmt.std), np.asarray(fmt.mean))


def picture(tensor: DeviceTensor) -> Struct:
    """A picture (h, w, 3) of uint8 RGB."""
    height, width = tensor.shape[:2]
    whole = DeviceTensor(
        tensor.pointer, (1, height, width, 3), "uint8", tensor.device, tensor.device_id, tensor.owner
    )
    return _tensor(whole, "nhwc", "rgb", np.ones(3), np.zeros(3))


def mask(tensor: DeviceTensor) -> Struct:
    """A mask: (h, w), or that many elements in any shape that ends so or with one channel."""
    _, width = mask_size(tensor)
    return struct(
        structs.TENSOR,
        address=tensor.pointer,
        type=TYPES[tensor.dtype],
        channel_stride=0,
        row_stride=width,
        pixel_stride=1,
        scale=np.ones(3),
        offset=np.zeros(3),
    )


def mask_size(tensor: DeviceTensor) -> tuple[int, int]:
    """(height, width) of a mask of shape (h, w), (1, h, w), (1, 1, h, w) or (1, h, w, 1)."""
    shape = tensor.shape
    height, width = shape[1:3] if len(shape) == 4 and shape[1] != 1 else shape[-2:]
    return height, width


def _tensor(
    tensor: DeviceTensor,
    layout: str,
    channels: str,
    scale: npt.NDArray[np.floating],
    offset: npt.NDArray[np.floating],
) -> Struct:
    planar = layout == "nchw"
    height, width = tensor.shape[2:] if planar else tensor.shape[1:3]
    return struct(
        structs.TENSOR,
        address=tensor.pointer,
        type=TYPES[tensor.dtype],
        channel_stride=height * width if planar else 1,
        row_stride=width if planar else 3 * width,
        pixel_stride=1 if planar else 3,
        order=(0, 1, 2) if channels == "rgb" else (2, 1, 0),
        scale=scale,
        offset=offset,
    )
