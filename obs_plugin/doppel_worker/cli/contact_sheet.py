"""``doppel contact-sheet``: frames of a video above the same frames of its recording."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import av.error
import cv2
import numpy as np
import typer
from av.video.frame import VideoFrame
from doppel_models.types import ByteArray

from doppel_worker.cli.video_file import Colors, open_input, reason
from doppel_worker.contact_sheet import Row, draw_sheet
from doppel_worker.errors import MediaError
from doppel_worker.video_match import Index, match, region_of, thumbnail, thumbnail_size

_SKIPPED = 0.1
"""Share of the recording before the first picture: it starts covered."""
_SPARE_S = 60.0
"""Seconds of the video that are searched beyond the recording's length."""
_MATRIX = {1: "ITU709", 9: "ITU709"}
"""AVColorSpace (BT.709, BT.2020) -> the scaler's matrix; all others are BT.601."""


def contact_sheet(
    before: Annotated[Path, typer.Argument(help="The video that was filmed.")],
    after: Annotated[Path, typer.Argument(help="Its recording, or the file that `doppel swap` wrote.")],
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("before-after.png"),
    columns: Annotated[int, typer.Option(min=1, max=24, help="Pictures in a row.")] = 6,
    width: Annotated[int, typer.Option(min=64, max=1920, help="Width of a picture, pixels.")] = 320,
) -> None:
    """Draw frames of AFTER below the frames of BEFORE that they were made from."""
    _check_picture_name(out)
    size = frame_size(before)
    thumbs = thumbnail_size(*size)
    # The recording's canvas may be wider than the video: compare only where the video lies in it.
    region = region_of(*size, *frame_size(after))
    recording = index(after, thumbs, region=region)
    video = index(before, thumbs, seconds=recording.length + _SPARE_S)
    first = round(_SKIPPED * (len(recording.times) - 1))
    picks = np.linspace(first, len(recording.times) - 1, columns + 2)[1:-1].round().astype(int).tolist()
    found = match(video, recording, picks)
    afters = [picture[region[1] : region[3], region[0] : region[2]] for picture in pictures(after, picks)]
    captions = [f"{recording.times[pick]:.1f} s" for pick in picks]
    sheet = draw_sheet([Row("before", pictures(before, found)), Row("after", afters, captions)], width)
    _write(out, sheet)
    typer.echo(str(out))


def _check_picture_name(path: Path) -> None:
    """Refuse what cannot be written, before any work is done."""
    if not cv2.haveImageWriter(str(path)):
        raise MediaError(f"{path.name} is no name of a picture; end it in .png or .jpg")
    if not path.parent.is_dir():
        raise MediaError(f"the folder {path.parent} does not exist")


def _write(path: Path, sheet: ByteArray) -> None:
    done, data = cv2.imencode(path.suffix, sheet[..., ::-1])
    if not done:
        raise MediaError(f"{path} cannot be written as {path.suffix}")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise MediaError(f"{path} cannot be written: {reason(error)}") from error


def index(
    path: Path,
    thumbs: tuple[int, int],
    *,
    region: tuple[int, int, int, int] | None = None,
    seconds: float = math.inf,
) -> Index:
    """Thumbnails of a file's frames.

    Args:
        path: a video or a picture.
        thumbs: width and height of a thumbnail.
        region: x0, y0, x1, y1 of the frames to look at; None: all.
        seconds: how much of the file to read.

    Raises:
        MediaError: it cannot be read.
    """
    times: list[float] = []
    small = []
    for frame in _frames(path):
        time = float(frame.time or 0.0)
        if times and time - times[0] > seconds:
            break
        gray = np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)
        if region is not None:
            gray = gray[region[1] : region[3], region[0] : region[2]]
        times.append(time)
        small.append(thumbnail(gray, thumbs))
    if not times:
        raise MediaError(f"{path} has no frame that can be read")
    return Index((np.array(times) - times[0]).astype(np.float32), np.stack(small))


def pictures(path: Path, numbers: list[int]) -> list[ByteArray]:
    """Frames of a file by their numbers, uint8 RGB, in the order asked for."""
    wanted = set(numbers)
    kept: dict[int, ByteArray] = {}
    for number, frame in enumerate(_frames(path)):
        if number in wanted:
            matrix = _MATRIX.get(Colors.of(frame).space, "ITU601")
            rgb = frame.reformat(format="rgb24", src_colorspace=matrix)
            kept[number] = np.asarray(rgb.to_ndarray(), np.uint8)
        if len(kept) == len(wanted):
            break
    return [kept[number] for number in numbers]


def frame_size(path: Path) -> tuple[int, int]:
    """Width and height of a file's frames, pixels.

    Raises:
        MediaError: it cannot be read.
    """
    for frame in _frames(path):
        return frame.width, frame.height
    raise MediaError(f"{path} has no frame that can be read")


def _frames(path: Path) -> Iterator[VideoFrame]:
    container, stream = open_input(path)
    with container:
        try:
            yield from container.decode(stream)
        except av.error.FFmpegError as error:
            raise MediaError(f"{path} cannot be read to its end: {reason(error)}") from error
