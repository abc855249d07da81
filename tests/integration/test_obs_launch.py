import socket
import subprocess
import sys

import psutil
import pytest

from installer.display import VirtualDisplay
from installer.errors import ObsError
from installer.layout import PROJECT
from installer.obs_config import ObsOptions
from installer.obs_launch import ObsSession, free_port
from installer.obs_remote import stop_recording, when_ready
from installer.scene import Scene, color_source, scene_collection

pytestmark = pytest.mark.obs
CANVAS = (320, 180)
COLLECTION = scene_collection([color_source("Green", *CANVAS)], [Scene("Main", ["Green"])], CANVAS)


@pytest.fixture(scope="module")
def display():
    with VirtualDisplay() as virtual:
        yield virtual.name


def test_obs_records_and_ends_cleanly_without_a_leak(tmp_path, display):
    import obsws_python

    options = ObsOptions(CANVAS, recording_dir=tmp_path / "recording", websocket_port=free_port())
    with ObsSession(tmp_path, COLLECTION, options, display=display, start_recording=True) as obs:
        obs.wait_ready()
        client = obsws_python.ReqClient(host="127.0.0.1", port=options.websocket_port, timeout=60)

        def recorded():
            return when_ready(client.get_record_status).output_duration > 500

        obs.wait_for(recorded, 20, "the recording stays empty")
        client.disconnect()
        stop_recording(options.websocket_port, "")  # OBS 30 ended with signal 11 in 5 of 12 runs without this
        result = obs.stop()
    assert result.exit_code == 0
    assert result.memory_leaks == 0
    assert result.drawn_frames is not None
    assert result.drawn_frames > 0
    assert result.lagged_frames is not None
    assert result.drawn_frames + result.lagged_frames >= 15  # a busy machine draws few of them in time
    (recording,) = options.recording_dir.glob("*.mkv")
    assert recording.stat().st_size > 1000


def test_the_websocket_answers_once_obs_is_ready(tmp_path, display):
    import obsws_python

    options = ObsOptions(CANVAS, websocket_port=free_port())
    with ObsSession(tmp_path, COLLECTION, options, display=display) as obs:
        obs.wait_ready()
        client = obsws_python.ReqClient(host="127.0.0.1", port=options.websocket_port, timeout=60)
        assert when_ready(client.get_version).obs_version == str(obs.version)
        assert client.get_current_program_scene().current_program_scene_name == "Main"
        client.disconnect()
        assert obs.stop().exit_code == 0


def test_an_obs_that_dies_is_told_from_one_that_is_slow(tmp_path, display):
    with ObsSession(tmp_path, COLLECTION, ObsOptions(CANVAS), display=display) as obs:
        obs.wait_ready()
        obs.running().kill()
        with pytest.raises(ObsError, match="ended with code -9") as caught:
            obs.wait_for(lambda: False, 20, "waiting for nothing")
        assert "Loaded scenes:" in str(caught.value)


def test_obs_ends_cleanly_even_right_after_its_start(tmp_path, display):
    codes = []
    for number in range(5):
        with ObsSession(tmp_path / str(number), COLLECTION, ObsOptions(CANVAS), display=display) as obs:
            obs.wait_ready()
            codes.append(obs.stop().exit_code)
    assert codes == [0] * 5


def test_leaving_the_block_leaves_no_obs_behind(tmp_path, display):
    with ObsSession(tmp_path, COLLECTION, ObsOptions(CANVAS), display=display) as obs:
        obs.wait_ready()
    assert obs.running().poll() is not None


def test_a_virtual_display_is_gone_after_its_block():
    with VirtualDisplay() as virtual:
        path = f"/tmp/.X11-unix/X{virtual.name[1:]}"  # noqa: S108 - where X servers listen
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError):  # noqa: PT011 - either of two
        client.connect(path)


@pytest.mark.long
def test_an_obs_whose_starter_is_killed_ends_by_itself(tmp_path, display):
    program = f"""
import sys, time
from pathlib import Path
from installer.obs_config import ObsOptions
from installer.obs_launch import ObsSession
from installer.scene import Scene, color_source, scene_collection
collection = scene_collection([color_source("Green", 64, 64)], [Scene("Main", ["Green"])], (64, 64))
session = ObsSession(Path({str(tmp_path)!r}), collection, ObsOptions((64, 64)), display={display!r})
session.start()
session.wait_ready()
print(session.running().pid, flush=True)
time.sleep(600)
"""
    starter = subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert starter.stdout is not None
        obs = psutil.Process(int(starter.stdout.readline()))
        assert obs.name() == "obs"
    finally:
        starter.kill()
        starter.communicate()
    obs.wait(30)
