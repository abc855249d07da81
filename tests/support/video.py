"""Reading and writing test videos with the colours that they say they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from doppel_models.types import ByteArray

_BT709 = 1  # AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709
_LIMITED = 1  # AVCOL_RANGE_MPEG


def read_video(path: Path | str) -> Iterator[tuple[float, ByteArray]]:
    """Every frame as (seconds, uint8 RGB). Frames without a colour matrix count as BT.709, as OBS's are."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        for frame in container.decode(stream):
            untagged = frame.colorspace not in (1, 5, 6, 7)
            matrix = "ITU709" if untagged or frame.colorspace == _BT709 else "ITU601"
            rgb = frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray()
            yield float(frame.time or 0.0), np.asarray(rgb, np.uint8)


def write_video(
    path: Path | str,
    frames: Iterable[ByteArray],
    *,
    fps: int = 30,
    crf: int = 18,
    preset: str = "veryfast",
    keyint: int = 30,
    sound_from: Path | str | None = None,
    pixel_format: str = "yuv420p",
) -> int:
    """Write uint8 RGB frames as H.264 (BT.709, limited range) and return how many there were.

    Args:
        path: file to write; its suffix picks the container.
        frames: all of one size, which must be even.
        fps: frames in a second.
        crf: x264's quality.
        preset: x264's.
        keyint: frames between two key frames; seeks land on them.
        sound_from: a file whose sound is copied as it is.
        pixel_format: FFmpeg's name.
    """
    count = 0
    with av.open(str(path), "w") as out:
        video = None
        source = av.open(str(sound_from)) if sound_from is not None else None
        sound = out.add_stream_from_template(source.streams.audio[0]) if source is not None else None
        for rgb in frames:
            if video is None:
                options = {"crf": str(crf), "preset": preset, "x264-params": f"keyint={keyint}:threads=1"}
                video = out.add_stream("libx264", rate=fps, options=options)
                video.height, video.width = rgb.shape[:2]
                video.pix_fmt = pixel_format
                context = video.codec_context
                context.colorspace = context.color_primaries = context.color_trc = _BT709
                context.color_range = _LIMITED
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame = frame.reformat(format=pixel_format, dst_colorspace="ITU709", dst_color_range="MPEG")
            frame.pts, frame.time_base = count, Fraction(1, fps)
            out.mux(video.encode(frame))
            count += 1
        if video is None:
            raise ValueError("a video needs at least one frame")
        out.mux(video.encode(None))
        if source is not None and sound is not None:
            with source:
                for packet in source.demux(source.streams.audio[0]):
                    if packet.dts is not None and packet.pts * packet.time_base < count / fps:
                        packet.stream = sound
                        out.mux(packet)
    return count


def write_lossless(path: Path | str, frames: Iterable[ByteArray], *, fps: int = 30) -> None:
    """Write uint8 RGB frames of any size, odd ones and 1 x 1 too, as FFV1 in I420, without sound."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=fps)
        video.pix_fmt = "yuv420p"
        for number, rgb in enumerate(frames):
            if number == 0:
                video.height, video.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
