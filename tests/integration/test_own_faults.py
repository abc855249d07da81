"""The mend for OBS's own fault at its end does what it says, and only where the fault is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from installer.obs_config import ObsVersion
from tests.integration.own_faults import mended_obs

REMOVE_ALL = """
import ctypes
libobs = ctypes.CDLL(None)
visited = []
@ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)
def visit(_, scene):
    visited.append(scene)
    libobs.obs_source_release(ctypes.c_void_p(scene))
    return len(visited) < MOST
libobs.obs_canvas_enum_scenes(None, visit, None)
print(len(visited))
"""


def scenes_visited(preloaded: str, most: int = 9) -> int:
    """How many of three scenes are visited by what removes each."""
    program = REMOVE_ALL.replace("MOST", str(most))
    environ = {**os.environ, "LD_PRELOAD": preloaded}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    return int(done.stdout)


def test_every_scene_is_visited_though_each_is_removed(tmp_path: Path) -> None:
    forgetful = tmp_path / "forgetful_obs.so"
    source = Path(__file__).parent / "forgetful_obs.c"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(forgetful), str(source)]
    subprocess.run(command, check=True, timeout=60)
    mend = mended_obs(ObsVersion(32, 2, 2), tmp_path)["LD_PRELOAD"]
    assert scenes_visited(str(forgetful)) == 1
    assert scenes_visited(f"{mend} {forgetful}") == 3
    assert scenes_visited(f"{mend} {forgetful}", most=2) == 2


def test_an_obs_without_the_fault_is_left_as_it_is(tmp_path: Path) -> None:
    assert mended_obs(ObsVersion(31, 0, 4), tmp_path) == {}
    assert mended_obs(ObsVersion(31, 1, 0), tmp_path) != {}
