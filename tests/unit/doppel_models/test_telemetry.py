from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
from doppel_models import weights
from doppel_models.session import Network, SessionConfig
print(Network("detector", weights.FACE_DETECTOR.read(), SessionConfig()).provider)
"""


def test_a_session_leaves_no_device_identifier_and_no_usage_events_behind(tmp_path: Path) -> None:
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}
    environ = {key: value for key, value in os.environ.items() if key not in unset}
    environ.update(HOME=str(tmp_path), USERPROFILE=str(tmp_path), LOCALAPPDATA=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *sys.path], env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "CPUExecutionProvider"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
