"""A face that is half hidden, so that no detector finds it, while its worker is killed: in the real OBS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc.paths import InstallConfig
from doppel_models.types import ByteArray

from installer.scene import Scene, media_source
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap, wait_for
from tests.support.stage import BARE, half_hidden, picture
from tests.support.video import read_video, write_video

FPS = 30
SHOWN = 8.0
"""Mean difference of two pictures up to which one shows what the other does; the encoder leaves 1 to 2."""


def bare(rgb: ByteArray) -> ByteArray:
    """Where the face can be seen in both halves of the clip, and is the same."""
    return rgb[BARE.y0 : BARE.y1, BARE.x0 : BARE.x1]


@pytest.mark.long
def test_a_face_that_is_half_hidden_when_the_worker_is_killed_is_never_seen(
    start_obs: Callable[[Setup], Rig], real_config: InstallConfig, tmp_path: Path
) -> None:
    clip = tmp_path / "half.mp4"
    write_video(clip, [picture()] * 2 * FPS + [half_hidden()] * 6 * FPS)
    swap = face_swap(persona="porcelain", label=False, lost_face_ms=10_000, sound_sync=False)
    camera = media_source(CAMERA, clip, filters=[swap])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=real_config))

    def outcome(name: str) -> int:
        return int(rig.lane().get("frames", {}).get(name, 0))

    # A worker that comes so late that it has seen nothing but the half hidden face knows of none.
    wait_for(lambda: outcome("swapped"), 60, "the face is never swapped")
    with rig.recording() as recordings:
        for _ in range(2):
            rig.wait_swapping(timeout=60)
            blurred = outcome("blurred")
            wait_for(
                lambda least=blurred + 10: outcome("blurred") > least, 30, "the half hidden face is not lost"
            )
            worker = rig.worker()
            worker.kill()
            wait_for(lambda gone=worker: rig.worker() != gone, 30, "there is no new worker")
        rig.wait_swapping(timeout=60)

    filmed = bare(half_hidden()).astype(int)
    off = [float(np.abs(bare(rgb) - filmed).mean()) for _, rgb in read_video(recordings[0])]
    assert len(off) > 5 * FPS
    assert min(off) > SHOWN, f"frame {int(np.argmin(off))} of {len(off)} shows the filmed face"
