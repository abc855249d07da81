import av
import cv2
import numpy as np
import pytest

from tests.support.coded_clip import FRAME_COUNT, coded_frames, write_coded_clip
from tests.support.frame_code import FRAME_NUMBER
from tests.support.video import read_video, write_video


def test_every_frame_of_the_coded_clip_tells_its_number(tmp_path) -> None:
    path = tmp_path / "coded.mp4"
    write_coded_clip(path, 640, 360, count=45)
    frames = list(read_video(path))
    assert [FRAME_NUMBER.read(rgb).value for _, rgb in frames] == list(range(45))
    np.testing.assert_allclose([seconds for seconds, _ in frames], np.arange(45) / 30, atol=1e-3)
    with av.open(str(path)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0))
        assert sound / 48000 == pytest.approx(1.5, abs=0.1)


def test_coded_clip_goes_on_after_the_demo_ends() -> None:
    frames = list(coded_frames(320, 180, count=FRAME_COUNT + 2))
    assert FRAME_NUMBER.read(frames[-1]).value == FRAME_COUNT + 1
    # It shows the demo's second frame again, below the strip of the code.
    np.testing.assert_array_equal(frames[-1][12:], frames[1][12:])


def test_colours_are_read_as_they_were_written(tmp_path) -> None:
    colors = np.array([(220, 40, 30), (30, 200, 50), (40, 60, 220), (128, 128, 128)], np.uint8)
    picture = cv2.resize(colors[None], (256, 128), interpolation=cv2.INTER_NEAREST)
    write_video(tmp_path / "colors.mp4", [picture] * 3, crf=4)
    for _, rgb in read_video(tmp_path / "colors.mp4"):
        for column, color in enumerate(colors):
            seen = rgb[40:90, 64 * column + 20 : 64 * column + 44].reshape(-1, 3).mean(axis=0)
            np.testing.assert_allclose(seen, color, atol=4)
