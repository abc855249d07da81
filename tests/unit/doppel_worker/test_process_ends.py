"""How a real worker process, started as OBS starts it, ends, and what it leaves; this process is the gate."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from doppel_ipc import messages
from doppel_ipc.errors import ChannelClosed
from doppel_ipc.verdict import Verdict
from doppel_worker.process import EXIT_BUG, EXIT_GONE, EXIT_PROTOCOL, EXIT_VERSION

from tests.support.gate_side import GateSide
from tests.support.handles import mappings, open_descriptors
from tests.support.lanes import LAYOUT
from tests.support.worker_process import PROJECT, WorkerProcess, next_result, open_lane, wait_until


def _state_of_slot_0(gate: GateSide) -> int:
    return int.from_bytes(gate.memory[512:516], "little")


@pytest.mark.parametrize("persona", ["stuck", "invert"])
def test_the_worker_ends_when_obs_is_gone_even_inside_a_frame(
    worker: WorkerProcess, gate: GateSide, persona: str
) -> None:
    open_lane(worker, gate, persona=persona)
    gate.submit(bytes(LAYOUT.size))
    wait_until(lambda: _state_of_slot_0(gate) != 1, "the worker's hand on the frame")
    worker.channel.close()  # the writer thread closes the worker's standard input
    assert worker.process.wait(60) == EXIT_GONE


def test_sigterm_ends_the_worker_inside_a_frame(worker: WorkerProcess, gate: GateSide) -> None:
    open_lane(worker, gate, persona="stuck")
    gate.submit(bytes(LAYOUT.size))
    wait_until(lambda: _state_of_slot_0(gate) != 1, "the worker's hand on the frame")
    worker.process.terminate()
    assert worker.process.wait(60) == EXIT_GONE


def test_ctrl_c_in_the_terminal_is_left_to_obs(worker: WorkerProcess) -> None:
    worker.expect(messages.Ready)
    worker.process.send_signal(signal.SIGINT)
    worker.send(messages.Ping(1))
    worker.expect(messages.Pong)


def test_a_killed_worker_leaves_nothing(
    ring_library: ctypes.CDLL, ring_library_path: Path, tmp_path: Path
) -> None:
    shared = Path("/dev/shm")  # noqa: S108 - Linux's
    before, files = (open_descriptors(), mappings("memfd:doppel")), set(shared.iterdir())
    for round_ in range(3):
        with (
            GateSide(ring_library, LAYOUT) as gate,
            WorkerProcess(ring_library_path, tmp_path / str(round_)) as worker,
        ):
            open_lane(worker, gate)
            gate.submit(bytes(LAYOUT.size))
            worker.process.kill()
            wait_until(lambda: isinstance(worker.channel.reason, ChannelClosed), "the channel's end")
            # The gate goes on: it can still submit, and takes back what nobody began.
            for _ in range(10):
                gate.submit(bytes(LAYOUT.size))
    assert (open_descriptors(), mappings("memfd:doppel")) == before
    # Other tests at work beside this one have files there for a moment.
    wait_until(lambda: set(shared.iterdir()) <= files, "no file stays in shared memory")


def test_a_bug_ends_the_worker_with_its_report_and_without_showing_the_frame(
    worker: WorkerProcess, gate: GateSide
) -> None:
    open_lane(worker, gate, persona="bug")
    gate.submit(bytes(LAYOUT.size))
    error = worker.expect(messages.Error)
    assert "ZeroDivisionError: a mistake" in error.message
    assert worker.process.wait(60) == EXIT_BUG
    assert next_result(gate)[0] == Verdict.COVERED
    assert "ZeroDivisionError" in (worker.log_dir / "doppel.log").read_text()
    assert "bug in thread lane-1" in worker.stderr()


def test_another_version_is_told_by_both_sides(ring_library_path: Path, tmp_path: Path) -> None:
    with WorkerProcess(ring_library_path, tmp_path, hello=False) as worker:
        body = b'{"type":"hello","version":99}'
        os.write(worker.channel._write_fd, struct.pack("<I", len(body)) + body)
        assert worker.process.wait(60) == EXIT_VERSION
        assert f"hello of version 99 != {messages.PROTOCOL_VERSION}" in worker.stderr()


def test_rubbish_from_obs_ends_the_worker(ring_library_path: Path, tmp_path: Path) -> None:
    with WorkerProcess(ring_library_path, tmp_path, hello=False) as worker:
        os.write(worker.channel._write_fd, b"\x03\0\0\0???")
        assert worker.process.wait(60) == EXIT_PROTOCOL
        assert "a message is not JSON" in worker.stderr()


def test_it_is_not_to_be_run_by_hand() -> None:
    environ = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(str(PROJECT / name) for name in ("shared", "models", "obs_plugin")),
    )
    done = subprocess.run(
        [sys.executable, "-m", "doppel_worker", "--help"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "usage" in done.stderr
