from __future__ import annotations

import ctypes
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.verdict import Verdict

from tests.support.worker_lane import LaneRig
from tests.support.worker_process import wait_until


def test_a_slate_is_drawn_though_only_one_frame_comes(rig: LaneRig, tmp_path: Path) -> None:
    path = picture(tmp_path / "red.png", (255, 0, 0))
    rig.judged()
    rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))

    def gate_answers() -> bool:
        """As the gate does: the frame comes again for each time it is asked for."""
        if rig.asked > rig.answered:
            rig.answered = rig.asked
            rig.judged()
        return rig.gate.slate() is not None

    wait_until(gate_answers, "the slate")


def picture(path: Path, rgb: tuple[int, int, int]) -> Path:
    image = np.full((40, 80, 3), rgb[::-1], np.uint8)
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize("pixel_format", [PixelFormat.NV12, PixelFormat.YUY2, PixelFormat.BGRA])
def test_the_slate_is_drawn_in_the_lanes_format(
    ring_library: ctypes.CDLL, tmp_path: Path, pixel_format: PixelFormat
) -> None:
    rig = LaneRig(ring_library, "box", FrameLayout.of(pixel_format, 64, 48))
    try:
        path = picture(tmp_path / "red.png", (255, 0, 0))
        rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))
        wait_until(lambda: rig.judged() and rig.gate.slate() is not None, "the slate")
        slate = rig.gate.slate()
        assert slate is not None
        # Red in BT.709, limited range: Y 63, Cb 102, Cr 240.
        expected = {
            PixelFormat.NV12: (63, slate[5 * 64 + 7]),
            PixelFormat.YUY2: (63, slate[5 * 128 + 14]),
            PixelFormat.BGRA: (255, slate[5 * 256 + 28 + 2]),
        }[pixel_format]
        assert expected[1] == pytest.approx(expected[0], abs=2)
        rig.lane.configure(9, rig.settings)
        wait_until(lambda: rig.gate.slate() is None, "no slate")
    finally:
        rig.close()


def test_a_slate_that_is_no_picture_is_told_and_is_not_shown(rig: LaneRig, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))
    wait_until(lambda: rig.judged() and rig.reports, "the report")
    assert rig.reports[0][0] == "slate"
    assert "notes.txt is no picture" in rig.reports[0][1]
    assert rig.gate.slate() is None
    assert "notes.txt" in rig.wait_for(lambda s: "notes" in s.detail).detail
    assert rig.judged()[0] == Verdict.SWAPPED
