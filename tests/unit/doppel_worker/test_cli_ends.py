from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doppel_worker.cli.ends import interrupted_by_signals

from tests.support.video import write_video
from tests.support.worker_process import wait_until


def test_a_command_that_is_ended_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out" / "out.mp4"
    write_video(source, [np.zeros((240, 320, 3), np.uint8)] * 1200, preset="ultrafast")
    target.parent.mkdir()
    command = [sys.executable, "-c", "from doppel_worker.cli import main; main()"]
    command += ["swap", str(source), str(target), "--persona", "porcelain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_until(
                lambda: any(one.stat().st_size for one in target.parent.iterdir()), "the output is begun"
            )
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert not list(target.parent.iterdir())
    assert "was not written" in said


def test_a_signal_that_nohup_has_ignored_stays_ignored_and_the_others_are_given_back() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    term = signal.getsignal(signal.SIGTERM)
    try:
        with interrupted_by_signals():
            signal.raise_signal(signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == term
    finally:
        signal.signal(signal.SIGHUP, before)
