from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from doppel_worker.cli.video_file import prepared


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "nv12", "yuv422p", "yuv444p", "rgb24", "gray", "yuv420p10le"]
)
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_frames_of_any_format_and_size_become_editable_with_their_picture(
    pixel_format: str, size: tuple[int, int]
) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = (180, 90, 60)
    picture[24:, 32:] = (60, 90, 180)
    rgb = VideoFrame.from_ndarray(picture, format="rgb24").reformat(width=size[0], height=size[1])
    frame = rgb.reformat(format=pixel_format, dst_colorspace="ITU601")
    frame.pts = 7
    ready = prepared(frame)
    assert (ready.width, ready.height, ready.pts) == (*size, 7)
    source = "ITU709" if pixel_format == "rgb24" else "ITU601"
    shown = ready.reformat(format="rgb24", src_colorspace=source).to_ndarray().astype(int)
    expected = frame.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray()
    assert np.abs(shown - expected).mean() < 4
