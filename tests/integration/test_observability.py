"""``doppel status`` and ``doppel diagnostics`` beside the real OBS, and the one log."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc.log_file import LEVEL_ENV, LOG_NAME
from doppel_ipc.paths import CONFIG_ENV, InstallConfig
from doppel_ipc.status_file import own_path

from installer.scene import Scene, media_source
from tests.integration.faults import SETTLED_S
from tests.integration.rig import PROJECT, SCENE, Rig, Setup, face_swap, wait_for

CAMERA = "Josephine's webcam"
FILTER = "Josephine's filter"
_LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (\d+) \S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) doppel_\S+: "
)


def doppel(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user of this installation types it."""
    folders = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin")]
    environ = {
        **os.environ,
        CONFIG_ENV: str(config),
        "PYTHONPATH": os.pathsep.join(folders),
        "COLUMNS": "200",
    }
    program = "from doppel_worker.cli import main; main()"
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def test_status_and_diagnostics_tell_what_a_running_obs_does_and_what_happened_to_it(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(mark_config.to_json(), encoding="utf-8")
    nobody = doppel(config, "status")
    assert (nobody.returncode, "No OBS is at work" in nobody.stdout) == (1, True)

    camera = media_source(CAMERA, clip, filters=[face_swap(FILTER)])
    environ = {LEVEL_ENV: "debug"}
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=mark_config, environ=environ))

    def status() -> dict[str, object]:
        answer: dict[str, object] = json.loads(doppel(config, "status", "--json").stdout)
        return answer

    def lane() -> dict[str, object]:
        found = [lane for one in status()["obs"] for lane in one["lanes"]]
        return found[0] if found else {}

    wait_for(lambda: str(lane().get("state", "")).startswith("Swapping: Porcelain"), SETTLED_S, "no status")
    one = doppel(config, "status", "--once")
    assert one.returncode == 0
    for part in (f"process {rig.pid}", CAMERA, FILTER, "Swapping: Porcelain.", "640 x 360", "worker "):
        assert part in one.stdout, one.stdout

    bundle = tmp_path / "bundle.zip"
    assert doppel(config, "diagnostics", str(bundle)).returncode == 0
    with zipfile.ZipFile(io.BytesIO(bundle.read_bytes())) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert "Swapping" in found["status.json"]
    assert "opens: 640x360" in found["doppel.log"]
    for text in found.values():
        assert "josephine" not in text.lower()
        assert str(tmp_path) not in text

    lines = (mark_config.log_dir / LOG_NAME).read_text(encoding="utf-8").splitlines()
    written = [match for match in map(_LINE.match, lines) if match]
    worker = status()["obs"][0]["worker"]
    assert {str(rig.pid), str(worker["pid"])} <= {match[1] for match in written}
    assert not [line for line in lines if "josephine" in line.lower()]

    path = own_path(mark_config.log_dir, rig.pid)
    assert path.is_file()
    assert rig.stop().exit_code == 0
    assert not path.exists()
    assert doppel(config, "status").returncode == 1


@pytest.mark.long
def test_an_obs_that_was_killed_is_told_from_one_that_was_closed(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(mark_config.to_json(), encoding="utf-8")
    camera = media_source(CAMERA, clip, filters=[face_swap(FILTER)])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=mark_config))
    path = own_path(mark_config.log_dir, rig.pid)
    wait_for(path.is_file, SETTLED_S, "no status")
    rig.session.kill()
    wait_for(
        lambda: "it was killed, or it hangs" in doppel(config, "status").stdout, SETTLED_S, "that is not said"
    )
