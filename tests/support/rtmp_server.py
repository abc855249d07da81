"""A streaming server on this machine, of the kind that OBS streams to: nginx with its RTMP module."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOTS = (Path(sys.prefix) / "streaming-server", Path("/"))
"""``installer test`` unpacks the packages into the environment where the system does not have them."""
_MODULES = ("usr/lib/nginx/modules", "usr/lib64/nginx/modules", "usr/share/nginx/modules")
_PATIENCE_S = 20.0
_CONFIGURATION = """\
load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
    access_log {folder}/access.log;
    server {{
        listen 127.0.0.1:{port};
        application live {{
            live on;
            record off;
            wait_video on;
            wait_key on;
        }}
    }}
}}
"""


@contextlib.contextmanager
def rtmp_server(folder: Path) -> Iterator[str]:
    """Runs the server while the block runs.

    Args:
        folder: an empty one, for its files.

    Yields:
        What a streamer enters as the server's address; any stream key will do.
    """
    program, module = _found()
    if program is None or module is None:
        pytest.skip("needs nginx with its RTMP module (apt-get install nginx libnginx-mod-rtmp)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(module=module, folder=folder, port=port), encoding="utf-8")
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _wait(process, port)
            yield f"rtmp://127.0.0.1:{port}/live"
        finally:
            process.terminate()


def _found() -> tuple[str | None, Path | None]:
    """The server and its module, of one root."""
    for root in _ROOTS:
        program = shutil.which("nginx", path=str(root / "usr/sbin"))
        for name in _MODULES:
            if program is not None and (path := root / name / "ngx_rtmp_module.so").is_file():
                return program, path
    return None, None


def _wait(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    process.terminate()
    raise AssertionError(f"nginx does not listen: {process.communicate()[1]}")
