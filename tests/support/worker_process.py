"""A real worker process for tests, and OBS's side of its control channel."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import psutil
from doppel_ipc import messages
from doppel_ipc.channel import Channel
from doppel_ipc.messages import Message
from doppel_ipc.segment import SegmentDescriptor
from doppel_ipc.settings import FilterSettings

from tests.support.gate_side import GateSide

PROJECT = Path(__file__).resolve().parents[2]
BOX_BACKEND = "tests.support.box_backend:load"
DEADLINE_S = 60.0
M = TypeVar("M", bound=Message)


def wait_until(
    condition: Callable[[], object],
    what: str,
    deadline: float = DEADLINE_S,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Polls until the condition holds; calls ``meanwhile`` in between."""
    end = time.monotonic() + deadline
    while not condition():
        meanwhile()
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s")
        time.sleep(0.002)


def is_gone(process: psutil.Process) -> bool:
    """True once it has ended. What is left of an orphan's process may wait for the system's first process."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class WorkerProcess:
    """Starts the worker, says hello, and collects what it says. Use as a context manager."""

    def __init__(
        self, library: Path, folder: Path, *, backend: str | None = BOX_BACKEND, hello: bool = True
    ) -> None:
        command = [sys.executable, "-m", "doppel_worker"]
        if backend:
            command += ["--backend", backend]
        paths = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin", "")]
        environ = dict(os.environ, PYTHONPATH=os.pathsep.join(paths))
        self.log_dir, self.persona_dir = folder / "log", folder / "personas"
        folder.mkdir(parents=True, exist_ok=True)
        self.stderr_path = folder / "stderr.txt"
        with self.stderr_path.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, bufsize=0, env=environ
            )
        self.channel = Channel.to_worker(self.process)
        self.seen: list[Message] = []
        if hello:
            self.send(
                messages.Hello(
                    messages.PROTOCOL_VERSION, str(library), str(self.persona_dir), str(self.log_dir), "debug"
                )
            )

    def send(self, message: Message) -> None:
        self.channel.send(message)

    def open_lane(
        self, lane: int, found: SegmentDescriptor, settings: FilterSettings, *, face_lately: bool = False
    ) -> None:
        where = messages.Segment(found.kind, found.name, found.bytes, found.inode)
        self.send(messages.OpenLane(lane, f"camera {lane}", where, 1, settings, face_lately))

    def expect(
        self,
        kind: type[M],
        check: Callable[[M], object] = lambda _: True,
        deadline: float = DEADLINE_S,
    ) -> M:
        """Waits for a message of that type for which ``check`` holds; ``seen`` keeps those before it."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            message = self.channel.receive(0.05)
            if message is None:
                continue
            self.seen.append(message)
            if isinstance(message, kind) and check(message):
                return message
        raise AssertionError(f"no {kind.__name__} within {deadline} s; seen: {self.seen[-5:]}")

    def stderr(self) -> str:
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Kills the worker if it still lives."""
        self.process.kill()
        self.channel.close()
        self.process.wait(DEADLINE_S)
        assert self.channel.join(60), "the channel's threads do not end"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_lane(worker: WorkerProcess, gate: GateSide, lane: int = 1, persona: str = "invert") -> None:
    """Opens a lane on the gate's segment, and waits until the worker says so."""
    worker.open_lane(lane, gate.segment.descriptor, FilterSettings(persona=persona))
    worker.expect(messages.LaneOpened, lambda opened: opened.lane == lane)


def next_result(gate: GateSide) -> tuple[int, bytes, int]:
    """Waits for the gate's next result."""
    found: list[tuple[int, bytes, int]] = []

    def look() -> bool:
        one = gate.result()
        if one is not None:
            found.append(one)
        return bool(found)

    wait_until(look, "a result")
    return found[0]
