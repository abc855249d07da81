"""Starts a real OBS with a configuration folder of its own, watches it and ends it cleanly.

Used by ``installer run`` and by the integration tests::

    collection = scene_collection([color_source("Green", 640, 360)], [Scene("Main", ["Green"])], (640, 360))
    options = ObsOptions(recording_dir=folder, websocket_port=free_port())
    with VirtualDisplay() as display, ObsSession(folder, collection, options, display=display.name) as obs:
        obs.wait_ready()
        ...                         # talk to obs.options.websocket_port
        result = obs.stop()         # closes its window; .exit_code, .memory_leaks, .drawn_frames, .log

OBS runs in a process group of its own. Leaving the ``with`` block never leaves a process behind: an OBS
that does not end when asked to is killed with its children. When this process is killed, OBS ends, too. (So
start it from a thread that lives as long as the process: Linux ties that signal to the thread.)
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from installer.errors import ObsError
from installer.obs_config import NAME, ObsOptions, ObsVersion, write_config
from installer.obs_result import ObsResult
from installer.system import ends_with_parent
from installer.x11 import close_window

READY_SECONDS = 60.0
STOP_SECONDS = 40.0
IDLE_SECONDS = 5.0
WINDOW_TITLE = "OBS "
POLL_SECONDS = 0.05
_IDLE_SAMPLES = 20
_POLL_CALLS = {"x86_64": ("7", "271"), "aarch64": ("73",)}
"""Numbers of the system calls ``poll`` and ``ppoll``."""
_READY_MARK = "Loaded scenes:"
_WEBSOCKET_MARK = "Server started successfully on port"
_RECORDING_MARK = "==== Recording Start ="


class ObsSession:
    """One run of OBS; a context manager that starts OBS on entry.

    Args:
        folder: gets ``config/`` (XDG_CONFIG_HOME) and ``obs.log``.
        collection: scene collection, see :mod:`installer.scene`.
        options: canvas, recording, websocket port.
        display: X display, e.g. ``:99``; None keeps the environment's.
        start_recording: record from the start on.
        environ: variables added to the environment of OBS; an empty value removes one.
        program: the program ``obs``; None finds it on PATH.
        version: the version of ``program``; None asks it.

    Raises:
        ObsError: OBS is not installed.
    """

    def __init__(
        self,
        folder: Path,
        collection: dict[str, object],
        options: ObsOptions,
        *,
        display: str | None = None,
        start_recording: bool = False,
        environ: Mapping[str, str] | None = None,
        program: str | None = None,
        version: ObsVersion | None = None,
    ) -> None:
        self.program = program or find_obs()
        self.version = version or ObsVersion.of_program(self.program)
        self.folder = folder
        self.options = options
        self.config_home = folder / "config"
        self.log_path = folder / "obs.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._collection = collection
        self._start_recording = start_recording
        self._environ = _environment(self.config_home, display, environ or {})

    def start(self) -> None:
        """Writes the configuration and starts OBS; does not wait until it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.options.recording_dir is not None:
            self.options.recording_dir.mkdir(parents=True, exist_ok=True)
        write_config(self.config_home, self.version, self.options, self._collection)
        with self.log_path.open("wb") as log:
            # OBS 29.0 closes inside its handler of SIGINT, and at an unlucky moment hangs there for good.
            end = "INT" if self.version >= ObsVersion(30, 0) else "TERM"
            self.process = subprocess.Popen(
                ends_with_parent(self._command(), end),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Returns when the scene collection is loaded, and where asked for, the recording and websocket run.

        Raises:
            ObsError: OBS ended, or is not ready in time (a dialog of OBS may be waiting for an answer).
        """
        marks = [_READY_MARK]
        marks += [_RECORDING_MARK] if self._start_recording else []
        marks += [_WEBSOCKET_MARK] if self.options.websocket_port is not None else []
        self.wait_for(lambda: all(mark in self.log() for mark in marks), timeout, "OBS is not ready")

    def wait_for(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Polls a condition while OBS runs.

        Args:
            condition: true when the waiting is over.
            timeout: seconds.
            what: the sentence of the error, e.g. ``the recording did not start``.

        Raises:
            ObsError: OBS ended before, or time is up.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            code = self.running().poll()
            if code is not None:
                raise ObsError(what, f"OBS ended with code {code}; its log ends:\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise ObsError(what, f"{timeout:.0f} s are over; OBS's log ends:\n{self._log_end()}")
            time.sleep(POLL_SECONDS)

    def log(self) -> str:
        """What OBS has printed until now."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.is_file() else ""

    def stop(self, timeout: float = STOP_SECONDS) -> ObsResult:
        """Asks OBS to end and waits; kills it and its children after ``timeout`` seconds.

        Its window is closed, as a user does; where no window can be reached, OBS gets SIGINT, as by Ctrl-C.
        A websocket client that is still connected makes OBS wait about 5 s for it: disconnect it before.
        """
        process = self.running()
        if process.poll() is None:
            self.wait_idle()
            if not self._close_window():
                process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
        self.kill()
        return self.result()

    def kill(self) -> None:
        """Ends OBS and every process of its group at once; harmless when OBS has ended."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def result(self) -> ObsResult:
        """How the ended OBS fared.

        Raises:
            ObsError: OBS still runs.
        """
        code = self.running().poll()
        if code is None:
            raise ObsError("OBS still runs")
        return ObsResult.from_log(code, self.log())

    def running(self) -> subprocess.Popen[bytes]:
        """The process, running or ended.

        Raises:
            ObsError: it was not started.
        """
        if self.process is None:
            raise ObsError("OBS was not started")
        return self.process

    def __enter__(self) -> ObsSession:  # noqa: PYI034 - typing.Self is newer than Python 3.9
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _close_window(self) -> bool:
        display = self._environ.get("DISPLAY")
        if display is None or sys.platform != "linux":
            return False
        try:
            return close_window(display, self.running().pid, WINDOW_TITLE)
        except OSError:  # no X library, or no such display: SIGINT does it
            return False

    def wait_idle(self) -> None:
        """Waits until OBS's main thread waits for events.

        Asked to close right after its start, OBS 29 may end in signal 11: by its window 2 times of 14. And it
        closes its window inside the signal handler itself: a signal that comes while the main thread draws or
        allocates ends in signal 11, too (4 of 24 exits right after the start, 0 of 24 when it waited).
        """
        deadline = time.monotonic() + IDLE_SECONDS
        in_a_row = 0
        while in_a_row < _IDLE_SAMPLES and time.monotonic() < deadline and self.running().poll() is None:
            in_a_row = in_a_row + 1 if _waits_for_events(self.running().pid) else 0
            time.sleep(0.005 if in_a_row < _IDLE_SAMPLES else 0.0)

    def _command(self) -> list[str]:
        # Not --disable-missing-files-check: OBS 29 leaks one allocation with it, and leaks are counted here.
        command = [self.program, "--multi", "--disable-updater"]
        command += ["--collection", NAME, "--profile", NAME]
        if ObsVersion(30, 0) <= self.version < ObsVersion(32, 0):
            command.append("--disable-shutdown-check")
        return command + (["--startrecording"] if self._start_recording else [])

    def _log_end(self, lines: int = 25) -> str:
        return "\n".join(self.log().splitlines()[-lines:])


def find_obs() -> str:
    """The program ``obs`` on PATH.

    Raises:
        ObsError: there is none.
    """
    program = shutil.which("obs")
    if program is None:
        raise ObsError(
            "OBS Studio is not installed", "no program `obs` on PATH", "apt-get install obs-studio"
        )
    return program


def free_port() -> int:
    """A TCP port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _waits_for_events(pid: int) -> bool:
    """True where the main thread of a process is in ``poll``, or where that cannot be known."""
    calls = _POLL_CALLS.get(platform.machine())
    try:
        words = Path(f"/proc/{pid}/syscall").read_text(encoding="ascii").split()
    except OSError:
        return True
    return calls is None or not words or words[0] in calls


def _environment(config_home: Path, display: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    environ = {**os.environ, "XDG_CONFIG_HOME": str(config_home)}
    if display is not None:
        # A virtual display has no graphics card behind it: software rendering, and X rather than Wayland.
        environ.update(DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1", QT_QPA_PLATFORM="xcb")
        environ.pop("WAYLAND_DISPLAY", None)
    environ.update(extra)
    return {key: value for key, value in environ.items() if value}
