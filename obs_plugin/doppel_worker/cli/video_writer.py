"""Writing a video file: the edited frames, the sound of the original, and nothing half done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from doppel_worker.cli.video_file import Colors, reason
from doppel_worker.errors import MediaError

_ENCODERS = {
    ".mp4": ("libx264", "aac"),
    ".m4v": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx-vp9", "libopus"),
}
"""By the output's suffix: the video encoder, and the sound's where it cannot be copied."""
_OPTIONS = {
    # Frames of one quality: the usual trade between kinds of frames makes a face's colour pulse.
    "libx264": {"crf": "16", "preset": "fast", "bf": "0", "x264-params": "ipratio=1.0:mbtree=0"},
    "libvpx-vp9": {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
}
_NOMINAL_RATE = Fraction(30)


def check_target(source: Path, target: Path) -> None:
    """Refuse outputs that cannot work, before any work is done.

    Raises:
        MediaError: an unknown suffix, a folder that cannot be written, or the output is the input.
    """
    if target.suffix.lower() not in _ENCODERS:
        raise MediaError(f"{target.name}: the output must end in one of {', '.join(_ENCODERS)}")
    try:
        if not target.parent.is_dir():
            what = "is no folder" if target.parent.exists() else "does not exist"
            raise MediaError(f"the output's folder {target.parent} {what}")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise MediaError(f"{target} cannot be written: you may not write to the folder {target.parent}")
        if target.is_dir():
            raise MediaError(f"{target} is a folder; name a file in it")
        same = target.exists() and source.exists() and target.samefile(source)
    except OSError as error:
        raise MediaError(f"{error.filename or target} cannot be used: {reason(error)}") from error
    if same:
        raise MediaError(f"the output is the input ({source}); give another name")


class VideoWriter:
    """One output file. Give it the input's packets of sound and the edited frames, in the input's order."""

    def __init__(self, path: Path, suffix: str, source: InputContainer, video: VideoStream) -> None:
        """Open ``path``; frames are expected like those of ``video``.

        Raises:
            MediaError: the file cannot be written.
        """
        self._video_encoder, self._audio_encoder = _ENCODERS[suffix.lower()]
        self._source_video = video
        try:
            self._container: OutputContainer = av.open(str(path), "w")
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{path.name} cannot be written: {reason(error)}") from error
        self._container.metadata.update(source.metadata)
        self._video: VideoStream | None = None
        self._sound: dict[int, tuple[AudioStream, bool]] = {}
        self._waiting: list[Packet[AudioStream]] = []
        self._sources = list(source.streams.audio)
        self._last_pts: int | None = None
        self.frames = 0

    def write(self, frame: VideoFrame, *, sideways: bool = False) -> None:
        """Encode a prepared frame; its time stamp is kept.

        Args:
            frame: the next one.
            sideways: it was turned by a quarter, so that its pixels are as wide as they were high.
        """
        if self._video is None:
            self._open_streams(frame, sideways)
        stream = self._opened()
        frame.pict_type = PictureType.NONE  # else the encoder would repeat the source's choice
        pts = frame.pts if frame.pts is not None else (self._last_pts or 0) + 1
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        frame.pts = self._last_pts = pts
        self._container.mux(stream.encode(frame))
        self.frames += 1

    def sound(self, packet: Packet[AudioStream]) -> None:
        """Take a packet of one of the source's sound streams: copied, or coded anew where it must be."""
        if self._video is None:
            # The file's streams are known only when the first frame's size is.
            self._waiting.append(packet)
            return
        target, copied = self._sound[packet.stream.index]
        if not copied:
            for frame in packet.decode():
                self._container.mux(target.encode(cast("Any", frame)))
        elif packet.dts is not None:
            packet.stream = target
            self._container.mux(packet)

    def close(self) -> None:
        """Finish the file.

        Raises:
            MediaError: there was not one frame.
        """
        try:
            if self._video is None:
                raise MediaError("the input has no frame that can be decoded")
            self._container.mux(self._video.encode(None))
            for target, copied in self._sound.values():
                if not copied:
                    self._container.mux(target.encode(None))
        finally:
            self._container.close()

    def abort(self) -> None:
        """Close the file whatever state it is in; it is of no use."""
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()

    def _opened(self) -> VideoStream:
        if self._video is None:
            raise MediaError("no frame was written")
        return self._video

    def _open_streams(self, frame: VideoFrame, sideways: bool) -> None:
        source = self._source_video
        rate = source.average_rate or source.guessed_rate or _NOMINAL_RATE
        stream = cast(
            "VideoStream",
            self._container.add_stream(self._video_encoder, rate=rate, options=_OPTIONS[self._video_encoder]),
        )
        stream.width, stream.height = frame.width, frame.height
        stream.pix_fmt = frame.format.name.replace("yuvj", "yuv")
        context = stream.codec_context
        # The source's own clock: time stamps pass unchanged, whether or not they are evenly spaced.
        context.time_base = frame.time_base or source.time_base or 1 / rate
        stream.time_base = context.time_base
        aspect = source.codec_context.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if sideways else aspect
        colors = Colors.of(frame)
        context.colorspace = colors.space
        context.color_range = 2 if colors.full_range else 1
        context.color_primaries = frame.color_primaries
        context.color_trc = frame.color_trc
        self._video = stream
        for one in self._sources:
            self._sound[one.index] = self._sound_like(one)
        waiting, self._waiting = self._waiting, []
        for packet in waiting:
            self.sound(packet)

    def _sound_like(self, source: AudioStream) -> tuple[AudioStream, bool]:
        """A stream for a source's sound, and whether its packets can be copied."""
        if source.codec_context.name in self._container.supported_codecs:
            return self._container.add_stream_from_template(source), True
        encoder = Codec(self._audio_encoder, "w")
        rate = fitting_rate(source.rate, encoder.audio_rates or [])
        stream = cast("AudioStream", self._container.add_stream(self._audio_encoder, rate=rate))
        # Layouts of many channels differ from coder to coder; every one knows these two.
        stream.layout = "mono" if source.layout.nb_channels == 1 else "stereo"
        return stream, False


def fitting_rate(rate: int, known: Sequence[int]) -> int:
    """The sampling rate to code sound of ``rate`` with: the next higher that an encoder knows.

    Args:
        rate: of the sound, Hz.
        known: of the encoder, Hz; empty: it takes any.
    """
    return min((one for one in known if one >= rate), default=max(known, default=rate))
