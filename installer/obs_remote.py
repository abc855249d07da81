"""Ends OBS's recording by obs-websocket. Runs on the worker's interpreter, with ``obsws-python``.

``python obs_remote.py PORT`` with the password on standard input; prints the recording's path. OBS 30 may end
with signal 11 when it is closed while it records, with or without scripts, so the recording ends first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 20.0
Answer = TypeVar("Answer")
_NOT_READY = 207
"""RequestStatus::NotReady."""


def when_ready(request: Callable[[], Answer]) -> Answer:
    """The answer to a request, which is repeated while OBS is not ready for any.

    From OBS 30 on obs-websocket takes connections as soon as it is loaded, and refuses requests until OBS has
    loaded everything, and while it changes its scene collection.

    Raises:
        obsws_python.error.OBSSDKRequestError: OBS refuses the request, or is not ready after :data:`SECONDS`.
    """
    from obsws_python.error import OBSSDKRequestError

    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return request()
        except OBSSDKRequestError as error:
            if error.code != _NOT_READY or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def stop_recording(port: int, password: str) -> str:
    """Stops the recording, waits until it has stopped, and returns its path.

    Raises:
        OSError: OBS does not answer, or still records after :data:`SECONDS`.
    """
    import obsws_python

    client = obsws_python.ReqClient(host="127.0.0.1", port=port, password=password, timeout=SECONDS)
    try:
        path = str(when_ready(client.stop_record).output_path)
        deadline = time.monotonic() + SECONDS
        while client.get_record_status().output_active:
            if time.monotonic() > deadline:
                raise TimeoutError(f"OBS still records after {SECONDS:.0f} s")
            time.sleep(0.05)
        return path
    finally:
        client.disconnect()


if __name__ == "__main__":
    print(stop_recording(int(sys.argv[1]), sys.stdin.readline().rstrip("\n")))
