"""Video files by PyAV: frames as editable views in the file's own pixel format, and their way back.

A frame is edited where the decoder put it and given to the encoder as it is, so nothing is converted that
need not be: planar 8-bit YUV stays what it was. Only formats that the encoder does not take are converted.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from doppel_ipc.pixel_format import FrameLayout, PixelFormat

from doppel_worker.errors import MediaError
from doppel_worker.frame import ColorInfo, FrameView, Plane

EDITABLE = {
    "yuv420p": PixelFormat.I420,
    "yuvj420p": PixelFormat.I420,
    "yuv422p": PixelFormat.I422,
    "yuvj422p": PixelFormat.I422,
    "yuv444p": PixelFormat.I444,
    "yuvj444p": PixelFormat.I444,
    "nv12": PixelFormat.NV12,
}
"""FFmpeg's names of the formats that are edited and encoded as they are."""

# FFmpeg's enum AVColorSpace and AVColorRange (libavutil/pixfmt.h).
_SPACE_RGB, _SPACE_709, _SPACE_470BG, _SPACE_170M = 0, 1, 5, 6
_SPACE_2020 = 9
_RANGE_MPEG, _RANGE_JPEG = 1, 2
_HD_HEIGHT = 720
"""Untagged pictures from this height on are BT.709, smaller ones BT.601, as players have it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Colors:
    """The colour description of a video, with nothing left unsaid."""

    space: int
    """AVColorSpace."""
    full_range: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> Colors:
        """As the frame is tagged, and by custom where it is not."""
        space = int(frame.colorspace)
        if space not in (_SPACE_709, _SPACE_470BG, _SPACE_170M, _SPACE_2020):
            space = _SPACE_709 if frame.height >= _HD_HEIGHT else _SPACE_170M
        return cls(space, int(frame.color_range) == _RANGE_JPEG or frame.format.name.startswith("yuvj"))

    def info(self) -> ColorInfo:
        """For the compositor."""
        if self.space == _SPACE_709:
            kr, kb = 0.2126, 0.0722
        elif self.space == _SPACE_2020:
            kr, kb = 0.2627, 0.0593
        else:
            kr, kb = 0.299, 0.114
        return ColorInfo.from_primaries(kr=kr, kb=kb, full_range=self.full_range)


def open_input(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its picture.

    Raises:
        MediaError: it does not exist, is no video file, or has no picture that moves.
    """
    try:
        if not path.exists():
            raise MediaError(f"{path} does not exist")
        if path.is_dir():
            raise MediaError(f"{path} is a folder; name a video file")
        container = av.open(str(path))
    except av.error.InvalidDataError as error:
        raise MediaError(f"{path} is no video file, or it is empty or damaged") from error
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be read: {reason(error)}") from error
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return container, stream
    container.close()
    raise MediaError(f"{path} has no video in it; a sound file or a picture cannot be swapped")


def prepared(frame: VideoFrame) -> VideoFrame:
    """The frame as one that may be edited and encoded: upright, 8 bits, in memory of its own.

    Its time stamp and colour tags are kept.
    """
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    name = frame.format.name
    subsampled = name in ("yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p")
    turned = frame.rotation % 360 != 0
    if name in EDITABLE and not turned and (even or not subsampled):
        frame.make_writable()
        return frame
    # Encoders refuse odd sizes with shared chroma, and only planes of one size turn without a loss.
    target = "yuv420p" if even else "yuv444p"
    if frame.format.is_rgb or int(frame.colorspace) == _SPACE_RGB:
        # RGB has no YUV tags to keep.
        converted = frame.reformat(format=target, dst_colorspace="ITU709", dst_color_range="MPEG")
    else:
        converted = frame.reformat(format=target)
    return _upright(converted, frame.rotation, even) if turned else converted


def lost_in(frame: VideoFrame) -> str:
    """What of a decoded frame :func:`prepared` does not keep, for the user; empty: nothing."""
    components = frame.format.components
    lost = ["its transparency"] if any(one.is_alpha for one in components) else []
    bits = max((one.bits for one in components), default=8)
    lost += [f"{bits - 8} of its {bits} bits a sample"] if bits > 8 else []
    return f"the output loses {' and '.join(lost)}" if lost else ""


def is_sideways(frame: VideoFrame) -> bool:
    """Whether a decoded frame's width becomes the height in :func:`prepared`."""
    return round(frame.rotation / 90) % 2 == 1


def _upright(frame: VideoFrame, rotation: int, even: bool) -> VideoFrame:
    """A planar frame turned by its rotation tag (degrees counter-clockwise), as players show it."""
    quarter_turns = round(rotation / 90) % 4
    width, height = (frame.height, frame.width) if quarter_turns % 2 == 1 else (frame.width, frame.height)
    turned = VideoFrame(width, height, "yuv420p" if even else "yuv444p")
    before, after = _layout(frame), _layout(turned)
    for index, (source, target) in enumerate(
        zip(_planes(frame, before), _planes(turned, after), strict=True)
    ):
        seen = source[:, : before.row_bytes[index]]
        target[:, : after.row_bytes[index]] = np.rot90(seen, quarter_turns)
    turned.pts, turned.time_base = frame.pts, frame.time_base
    turned.colorspace, turned.color_range = frame.colorspace, frame.color_range
    return turned


def view(frame: VideoFrame, frame_id: int, timestamp_ns: int) -> FrameView:
    """A prepared frame as the pipeline takes it: views of the frame's own memory.

    Raises:
        MediaError: a pixel format that :func:`prepared` does not return.
    """
    layout = _layout(frame)
    return FrameView(layout, _planes(frame, layout), Colors.of(frame).info(), False, frame_id, timestamp_ns)


def _layout(frame: VideoFrame) -> FrameLayout:
    pixel_format = EDITABLE.get(frame.format.name)
    if pixel_format is None:
        raise MediaError(f"frames of the pixel format {frame.format.name} cannot be edited")
    lines = tuple(plane.line_size for plane in frame.planes)
    return FrameLayout.of(pixel_format, frame.width, frame.height, lines)


def _planes(frame: VideoFrame, layout: FrameLayout) -> tuple[Plane, ...]:
    planes = []
    for plane, rows in zip(frame.planes, layout.rows, strict=True):
        memory = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]  # has the buffer protocol
        planes.append(memory[: rows * plane.line_size].reshape(rows, plane.line_size))
    return tuple(planes)


def frame_time_ns(pts: int, time_base: Fraction) -> int:
    """A presentation time stamp in nanoseconds."""
    return round(pts * time_base * 1_000_000_000)


def reason(error: Exception) -> str:
    """What an error of PyAV or the system says, without its numbers."""
    return str(getattr(error, "strerror", None) or error)
