"""Ends OBS's recording by obs-websocket. Runs on the worker's interpreter, with ``obsws-python``.

``python obs_remote.py PORT`` with the password on standard input; prints the recording's path. OBS 30 may end
with signal 11 when it is closed while it records, with or without scripts, so the recording ends first.
"""

from __future__ import annotations

import sys
import time

SECONDS = 20.0


def stop_recording(port: int, password: str) -> str:
    """Stops the recording, waits until it has stopped, and returns its path.

    Raises:
        OSError: OBS does not answer, or still records after :data:`SECONDS`.
    """
    import obsws_python

    client = obsws_python.ReqClient(host="127.0.0.1", port=port, password=password, timeout=SECONDS)
    try:
        path = str(client.stop_record().output_path)
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
