"""One worker process and the connection to it: started, heard, told, killed; never waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from typing import Mapping

from doppel_ipc.channel import Channel
from doppel_ipc.errors import ChannelClosed, ProtocolError, ProtocolFault
from doppel_ipc.messages import (
    PROTOCOL_VERSION,
    WRONG_VERSION_EXIT,
    CloseLane,
    Error,
    Hello,
    LaneOpened,
    LaneStatus,
    Message,
    OpenLane,
    Ready,
    Status,
)
from doppel_ipc.paths import InstallConfig

from doppel_obs.errors import WorkerStartError
from doppel_obs.phrases import Phrase, phrase, verbatim
from doppel_obs.worker_log import WorkerLog

START_NS = 30_000_000_000
"""A worker that is not ready after this time is hung."""
SILENCE_NS = 5_000_000_000
"""A worker says something every second; one that is silent this long is hung."""
ANSWER_NS = 15_000_000_000
"""A worker that has not said in this time that it serves a lane, or cannot, does not listen."""
MOST_AT_ONCE = 512
"""Messages that are taken at one look."""
MOST_A_SECOND = 5000
"""A worker says two things a second of itself and of each lane; one that says so much is broken."""
_SECOND_NS = 1_000_000_000
JOIN_SECONDS = 2.0
_NO_ROOM = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""What the system answers where processes, open files or memory are used up; it may have some again later."""


class WorkerChild:
    """A worker that runs, until :meth:`stop`.

    Args:
        config: where its parts lie.
        worker_log: takes its stderr.
        now_ns: monotonic time.

    Raises:
        WorkerStartError: its interpreter cannot be started, or the system has no room for what is beside it.
    """

    def __init__(self, config: InstallConfig, worker_log: WorkerLog, now_ns: int) -> None:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                worker_command(config),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=worker_environment(config, os.environ),
                cwd=str(config.project),
                creationflags=flags,
            )
        except OSError as error:
            raise _start_error(error) from error
        self.pid = self._process.pid
        self._started_ns = self._heard_ns = now_ns
        self.ready_ns = 0
        """When it said that it speaks our protocol; 0: it has not yet."""
        self.judged = False
        """It has judged a frame."""
        self.status: Status | None = None
        """What it said last of itself."""
        self._asked_ns: dict[int, int] = {}
        """Lanes that it has not answered for, and since when."""
        self._counted_ns, self._counted = now_ns, 0
        self._stderr: threading.Thread | None = None
        try:
            if self._process.stderr is not None:
                self._stderr = worker_log.follow(self._process.stderr, self.pid)
            self._channel = Channel.to_worker(self._process)
        except (RuntimeError, ChannelClosed, OSError) as error:
            self._give_up()
            raise _start_error(error) from error
        self.send(
            Hello(
                version=PROTOCOL_VERSION,
                native_library=str(config.native_library),
                persona_dir=str(config.persona_dir),
                log_dir=str(config.log_dir),
                log_level=worker_log.log.level,
            )
        )

    def send(self, message: Message) -> None:
        """Queues a message; where the worker is gone, :meth:`receive` says so."""
        if isinstance(message, OpenLane):
            self._asked_ns[message.lane] = time.monotonic_ns()
        elif isinstance(message, CloseLane):
            self._asked_ns.pop(message.lane, None)
        with contextlib.suppress(ChannelClosed):
            self._channel.send(message)

    def receive(self, now_ns: int) -> tuple[list[Message], Phrase | None]:
        """What it said since the last call, and why it ended, if it did."""
        messages: list[Message] = []
        try:
            for _ in range(MOST_AT_ONCE):  # one that never stops speaking must not keep us here
                message = self._channel.receive()
                if message is None:
                    break
                self._heard_ns = now_ns
                if isinstance(message, Ready):
                    self.ready_ns = now_ns
                elif isinstance(message, Status):
                    self.status = message
                elif isinstance(message, LaneStatus) and message.frames:
                    self.judged = True
                elif isinstance(message, (LaneOpened, Error)):
                    self._asked_ns.pop(message.lane, None)
                messages.append(message)
            return messages, self._says_too_much(now_ns, len(messages))
        except ProtocolError as error:  # it may have ended since then, because nobody listens
            other = error.fault is ProtocolFault.VERSION
            return messages, phrase("worker.other-version") if other else verbatim(str(error))
        except ChannelClosed as error:
            code = self._process.poll()
            if code == WRONG_VERSION_EXIT:
                return messages, phrase("worker.other-version")
            return messages, verbatim(str(error)) if code is None else phrase("worker.ended", code=code)

    def excuse(self, now_ns: int) -> None:
        """Nobody listened for a while, so it has not been silent."""
        self._heard_ns = now_ns
        self._asked_ns = dict.fromkeys(self._asked_ns, now_ns)

    def hung(self, now_ns: int) -> Phrase | None:
        """What shows that it hangs, or None."""
        if not self.ready_ns:
            return phrase("worker.not-ready") if now_ns - self._started_ns > START_NS else None
        if now_ns - self._heard_ns > SILENCE_NS:
            return phrase("worker.silent")
        if any(now_ns - asked_ns > ANSWER_NS for asked_ns in self._asked_ns.values()):
            return phrase("worker.deaf")
        return None

    def _says_too_much(self, now_ns: int, count: int) -> Phrase | None:
        if now_ns - self._counted_ns > _SECOND_NS:
            self._counted_ns, self._counted = now_ns, 0
        self._counted += count
        return phrase("worker.only-speaks") if self._counted > MOST_A_SECOND else None

    def stop(self) -> None:
        """Kills it, then joins its threads."""
        self._process.kill()
        self._channel.close()
        self._channel.join(JOIN_SECONDS)
        self._bury()

    def _give_up(self) -> None:
        """Kills what nobody listens to."""
        self._process.kill()
        kept = None if self._stderr is None else self._process.stderr  # its reader closes it
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None and stream is not kept:
                stream.close()
        self._bury()

    def _bury(self) -> None:
        if self._stderr is not None:
            self._stderr.join(JOIN_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(JOIN_SECONDS)


def _start_error(error: Exception) -> WorkerStartError:
    """What the user is told: the system has no room just now, or the installation is to be looked at."""
    full = not isinstance(error, OSError) or error.errno in _NO_ROOM  # of threads Python says it otherwise
    key, why = "worker.no-room" if full else "worker.no-start", str(error)
    return WorkerStartError(phrase(key, why=why), why)


def worker_command(config: InstallConfig) -> list[str]:
    """The worker's command line. ``-P``: the current folder is no place to import from."""
    return [str(config.python), "-P", "-m", "doppel_worker"]


def worker_environment(config: InstallConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """OBS's environment without what belongs to OBS's own Python, with the project's packages."""
    kept = {key: value for key, value in environ.items() if not key.upper().startswith("PYTHON")}
    folders = [config.project / name for name in ("shared", "models", "obs_plugin")]
    kept["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    kept["PYTHONNOUSERSITE"] = "1"
    return kept
