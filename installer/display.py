"""A virtual X display (Xvfb) for machines without a screen."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import time
from types import TracebackType

from installer.errors import ObsError
from installer.system import ends_with_parent

START_SECONDS = 30.0


def has_display() -> bool:
    """True where the environment names an X or Wayland display."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class VirtualDisplay:
    """One Xvfb on a display number that it picks itself; a context manager.

    Args:
        width: screen width, pixels.
        height: screen height, pixels.

    Raises:
        ObsError: Xvfb is not installed or does not start.
    """

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        program = shutil.which("Xvfb")
        if program is None:
            raise ObsError("there is no Xvfb", "no program of this name is on PATH", "apt-get install xvfb")
        command = [program, "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        read_end, write_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                ends_with_parent([*command, "-displayfd", str(write_end)], "TERM"),
                pass_fds=(write_end,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        with os.fdopen(read_end, "rb") as stream:
            self.name = f":{_read_number(stream.fileno(), self._process)}"
        """The display's name for the environment variable ``DISPLAY``, e.g. ``:99``."""

    def stop(self) -> None:
        """Ends Xvfb and waits for it; harmless when called again."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
            return
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> VirtualDisplay:  # noqa: PYI034 - typing.Self is newer than Python 3.9
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _read_number(descriptor: int, process: subprocess.Popen[bytes]) -> int:
    text = b""
    deadline = time.monotonic() + START_SECONDS
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(descriptor, 16) if ready else b""
        if not chunk:
            process.kill()
            process.wait()
            raise ObsError(
                "the virtual display did not start",
                f"Xvfb ended with code {process.returncode} or said nothing for {START_SECONDS:.0f} s",
                "see that /tmp/.X11-unix can be written and that memory is free",
            )
        text += chunk
    return int(text)
