from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc import status_file
from doppel_ipc.paths import CONFIG_ENV, InstallConfig
from doppel_worker.cli.app import app
from doppel_worker.cli.status import NOBODY
from doppel_worker.cli.text import INTERRUPTED
from typer.testing import CliRunner, Result

LANE = {
    "source": "[red]Camera", "filter": "Face Swap", "width": 1280, "height": 720, "pixel_format": "NV12",
    "state": "Swapping: Ann.", "fps": 29.97, "delay_frames": 2, "delay_ms": {"p50": 66.7},
    "frames": {"in": 200, "swapped": 150, "no_face": 20, "covered": 5, "blurred": 5, "held": 20,
               "dropped": 0, "original": 3},
    "worker_ms": {"turnaround": {"p50": 14.1, "p95": 18.0}},
}  # fmt: skip
WORKER = {
    "pid": 7, "restarts": 1, "device": "cpu", "provider": "CPUExecutionProvider",
    "rss_bytes": 310_000_000, "throttle": 2,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = InstallConfig(tmp_path, tmp_path, tmp_path, tmp_path / "logs", tmp_path / "personas")
    (tmp_path / "config.json").write_text(config.to_json(), encoding="utf-8")
    monkeypatch.setenv(CONFIG_ENV, str(tmp_path / "config.json"))
    monkeypatch.setenv("COLUMNS", "150")
    return config.log_dir


@pytest.fixture
def put(folder: Path) -> Callable[..., None]:
    def one(pid: int, age_s: float = 0.0, **more: object) -> None:
        data = {
            "version": 1, "updated_ns": time.monotonic_ns() - round(age_s * 1e9),
            "obs": {"pid": pid, "version": "29.0.2", "panic": False},
            "worker": WORKER, "lanes": [LANE],
            "messages": [f"message {number}" for number in range(20)], **more,
        }  # fmt: skip
        status_file.write(status_file.own_path(folder, pid), data)

    return one


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["status", *words])


def test_every_filter_of_every_obs_is_shown(put: Callable[..., None]) -> None:
    put(11)
    put(12, lanes=[], worker={})
    result = run("--once")
    assert result.exit_code == 0
    for part in (
        "OBS 29.0.2 (process 11)", "worker 7 on cpu (CPUExecutionProvider), 310 MB, restarted 1 times",
        "one picture of 2 because OBS is late", "[red]Camera", "Swapping: Ann.", "1280 x 720 NV12",
        "30.0 pictures/s",
        "14.1 ms (95 %: 18.0 ms)", "2 frames late (67 ms)", "75.0 % swapped", "2.5 % covered",
        "1.5 % original",
        "message 19", "(process 12), no worker is needed", "No source has a Face Swap filter",
    ):  # fmt: skip
        assert part in result.output
    assert "message 14" not in result.output
    assert "dropped" not in result.output


def test_a_filter_that_is_gone_is_not_shown_and_a_new_one_has_no_figures(put: Callable[..., None]) -> None:
    new = {"source": "New", "filter": "Face Swap", "state": "", "frames": {}, "width": None, "fps": None}
    put(11, lanes=[{**LANE, "state": "Gone."}, new], worker={"device": None})
    output = run("--once").output
    assert "Camera" not in output
    assert "New" in output
    assert "Starting." in output
    assert "no worker is ready" in output


def test_the_panic_is_said(put: Callable[..., None]) -> None:
    put(11, obs={"pid": 11, "version": "29.0.2", "panic": True})
    assert "panic" in run("--once").output


def test_json_is_what_the_file_holds(put: Callable[..., None]) -> None:
    put(11)
    answer = json.loads(run("--json").output)
    assert answer["running"] is True
    assert answer["obs"][0]["lanes"] == [LANE]


@pytest.mark.parametrize("words", [("--once",), ("--json",)])
def test_where_no_obs_runs_that_is_said(folder: Path, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == NOBODY
    if words == ("--json",):
        assert json.loads(result.output) == {"running": False, "obs": []}
    else:
        assert "No OBS is at work with Doppel" in result.output
        assert "list doppel_filter.py" in result.output


@pytest.mark.parametrize(
    ("age_s", "said"), [(61.0, "61 s ago"), (-100.0, "before this computer was started")]
)
def test_an_obs_that_was_killed_is_told_from_none(put: Callable[..., None], age_s: float, said: str) -> None:
    put(11, age_s)
    result = run("--once")
    assert result.exit_code == NOBODY
    assert f"OBS (process 11) told its status last {said}: it was killed, or it hangs" in result.output
    assert json.loads(run("--json").output) == {"running": False, "obs": []}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_in_a_terminal_the_table_follows_the_file_until_ctrl_c(put: Callable[..., None]) -> None:
    ours, theirs = os.openpty()
    # Whoever runs the tests in the background may have SIGINT ignored, which Python would leave so.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from doppel_worker.cli import main; main()"
    )
    put(11)
    with subprocess.Popen(
        [sys.executable, "-c", program, "status"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"},
        start_new_session=True,
    ) as process:
        try:
            shown = b""
            for speed in (11.5, 22.5):
                deadline = time.monotonic() + 60
                while f"{speed} pictures/s".encode() not in shown:
                    assert time.monotonic() < deadline, shown[-3000:]
                    put(11, lanes=[{**LANE, "fps": speed}])
                    if select.select([ours], [], [], 0.2)[0]:
                        shown += os.read(ours, 65536)
            process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + 60
            while process.poll() is None:  # read, for it may have much to say
                assert time.monotonic() < deadline, shown[-3000:]
                if select.select([ours], [], [], 0.05)[0]:
                    shown += os.read(ours, 65536)
            assert process.returncode == INTERRUPTED
        finally:
            process.kill()
    os.close(ours)
    os.close(theirs)
