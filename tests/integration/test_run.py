"""``installer run`` as a user types it, on the project's own environment (made on the first run)."""

import json
import subprocess
import sys
import time

import psutil
import pytest
from doppel_obs.rendering import RGB_ENV

from installer.layout import PROJECT
from installer.report import OUTCOMES

pytestmark = [pytest.mark.obs, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch):
    monkeypatch.delenv(RGB_ENV, raising=False)


def start(*arguments):
    command = [sys.executable, "-m", "installer", "run", "--headless", *arguments, "--json"]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def role(process):
    try:
        return "worker" if "doppel_worker" in process.cmdline() else process.name()
    except psutil.NoSuchProcess:
        return ""


def test_a_headless_run_delivers_a_recording_a_contact_sheet_and_figures_that_add_up(tmp_path):
    stdout, stderr = (process := start("8", "--out", str(tmp_path / "out"))).communicate()
    report = json.loads(stdout)
    assert process.returncode == 0, stderr
    assert report["ok"]
    assert report["problems"] == []
    assert sum(report["frames"][name] for name in OUTCOMES) == report["frames"]["in"] > 0
    assert report["frames"]["original"] == 0
    assert report["frames"]["swapped"] > 0
    assert report["first_swapped_s"] > 0
    assert report["obs_exit_code"] == 0
    assert report["obs_frames"] > 0
    assert report["graphics_ms"]["p50"] > 0
    assert report["worker_ms"]
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    for name, start_bytes in (("recording.mkv", b"\x1aE\xdf\xa3"), ("before-after.png", b"\x89PNG")):
        assert (tmp_path / "out" / name).read_bytes().startswith(start_bytes)


@pytest.mark.long
def test_a_run_that_is_told_to_end_leaves_no_process_behind(tmp_path):
    process = start("300", "--out", str(tmp_path / "out"))
    deadline = time.monotonic() + 240
    children = []
    children = []
    while not {"obs", "Xvfb", "worker"} <= {role(child) for child in children}:
        assert time.monotonic() < deadline, "OBS or the worker does not start"
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in stderr
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
