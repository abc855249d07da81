"""The worker process, as OBS's side sees it: started, watched, restarted, stopped; never waited for.

Everything runs in the control loop's thread, which lives as long as the script, and is driven by
:meth:`WorkerProcess.tick`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import Callable, Mapping

from doppel_ipc.channel import Channel
from doppel_ipc.errors import ChannelClosed, ProtocolError
from doppel_ipc.messages import PROTOCOL_VERSION, Hello, LaneStatus, Message, Ready
from doppel_ipc.paths import InstallConfig

from doppel_obs.restarts import Backoff
from doppel_obs.worker_log import WorkerLog

START_NS = 30_000_000_000
"""A worker that is not ready after this time is hung."""
SILENCE_NS = 5_000_000_000
"""A worker says something every second; one that is silent this long is hung."""
BUSY_NS = 3_000_000_000
"""A frame takes milliseconds; one that is unfinished this long means that the worker is hung."""
LOOP_GAP_NS = 1_000_000_000
"""If the control loop itself did not run for this long (OBS was stopped), nobody is blamed."""
JOIN_SECONDS = 2.0


class WorkerProcess:
    """One worker at a time.

    Args:
        config: where its parts lie.
        log: takes a sentence about what happened, for the status line and OBS's log.
        worker_log: takes its stderr.
    """

    def __init__(self, config: InstallConfig, log: Callable[[str], None], worker_log: WorkerLog) -> None:
        self._config = config
        self._log = log
        self._worker_log = worker_log
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._stderr: threading.Thread | None = None
        self._started_ns = 0
        self._ready_ns = 0
        self._heard_ns = 0
        self._judged = False
        self._ticked_ns = 0
        self.problem = ""
        """Why there is no worker that works; empty once one is ready."""
        self.starts = 0
        """Workers started; each is a generation of its own: lanes of an earlier one are void."""
        self.restarts = 0
        """Of which after one that ended by itself or had to be killed."""

    @property
    def running(self) -> bool:
        """A process is there."""
        return self._process is not None

    @property
    def ready(self) -> bool:
        """It has said that it speaks our protocol."""
        return self._ready_ns != 0

    def tick(self, now_ns: int, *, wanted: bool, oldest_busy_ns: int) -> list[Message]:
        """Starts, stops and watches; returns what the worker said since the last call.

        Args:
            now_ns: monotonic time.
            wanted: a filter needs it.
            oldest_busy_ns: age of the oldest unfinished frame of any lane; 0: none.
        """
        late = now_ns - self._ticked_ns > LOOP_GAP_NS
        self._ticked_ns = now_ns
        if late:
            self._heard_ns = now_ns
        if not wanted:
            self.stop()
            return []
        if self._process is None:
            if self._backoff.may_start(now_ns):
                self._start(now_ns)
            return []
        messages, ended = self._receive(now_ns)
        if ended is None and not late:
            ended = self._hung(now_ns, oldest_busy_ns)
        if ended is not None:
            self._fail(now_ns, ended)
        return messages

    def send(self, message: Message, generation: int | None = None) -> None:
        """Queues a message; where the worker is gone, the next :meth:`tick` deals with it.

        Args:
            message: what to say.
            generation: of the worker that it is for (:attr:`starts` of its time), where it speaks of
                something that only that one knows, such as a lane; dropped where another runs by now.
        """
        if generation is not None and generation != self.starts:
            return
        if self._channel is not None:
            # The channel remembers why it ended and says so to the next receive.
            with contextlib.suppress(ChannelClosed):
                self._channel.send(message)

    def stop(self) -> None:
        """Kills the worker, then joins its threads. Harmless without one."""
        process, channel, stderr = self._process, self._channel, self._stderr
        self._process = self._channel = self._stderr = None
        self._ready_ns = 0
        if process is not None:
            process.kill()
        if channel is not None:
            channel.close()
            channel.join(JOIN_SECONDS)
        if stderr is not None:
            stderr.join(JOIN_SECONDS)
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(JOIN_SECONDS)

    def _start(self, now_ns: int) -> None:
        command = worker_command(self._config)
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=worker_environment(self._config, os.environ),
                cwd=str(self._config.project),
                creationflags=flags,
            )
        except OSError as error:
            self._backoff.ended(now_ns, 0, judged=False)
            self._say(f"The worker cannot be started: {error}. Run `python3 -m installer doctor`.")
            return
        self._process = process
        self.starts += 1
        self._judged = False
        self._started_ns = self._heard_ns = now_ns
        if process.stderr is not None:
            self._stderr = self._worker_log.follow(process.stderr, process.pid)
        self._channel = Channel.to_worker(process)
        self.send(
            Hello(
                version=PROTOCOL_VERSION,
                native_library=str(self._config.native_library),
                persona_dir=str(self._config.persona_dir),
                log_dir=str(self._config.log_dir),
                log_level="info",
            )
        )

    def _receive(self, now_ns: int) -> tuple[list[Message], str | None]:
        messages: list[Message] = []
        if self._channel is None:
            return messages, "it has no connection"
        try:
            while True:
                message = self._channel.receive()
                if message is None:
                    return messages, None
                self._heard_ns = now_ns
                if isinstance(message, Ready):
                    self._ready_ns = now_ns
                    self.problem = ""
                elif isinstance(message, LaneStatus) and message.frames:
                    self._judged = True
                messages.append(message)
        except (ChannelClosed, ProtocolError) as error:
            return messages, str(error)

    def _hung(self, now_ns: int, oldest_busy_ns: int) -> str | None:
        if not self.ready:
            return "it did not get ready" if now_ns - self._started_ns > START_NS else None
        if now_ns - self._heard_ns > SILENCE_NS:
            return "it hangs: it has been silent for too long"
        if oldest_busy_ns > BUSY_NS:
            return "it hangs: a frame has been unfinished for too long"
        return None

    def _say(self, text: str) -> None:
        self.problem = text
        self._log(text)

    def _fail(self, now_ns: int, why: str) -> None:
        process = self._process
        served_ns = now_ns - self._ready_ns if self._ready_ns else 0
        code = None if process is None else process.poll()
        if code is not None:
            why = f"it ended with code {code}"
        self._say(f"The worker is started again: {why}. Its log: {self._worker_log.path.parent}")
        self.stop()
        self.restarts += 1
        self._backoff.ended(now_ns, served_ns, judged=self._judged)


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
