import json

import pytest

from installer.collections_edit import read_collection
from installer.display import VirtualDisplay
from installer.install import add_script
from installer.layout import SCRIPT
from installer.obs_config import ObsOptions, ObsVersion, write_config
from installer.obs_launch import ObsSession, find_obs
from installer.obs_user import UserObs, obs_runs
from installer.progress import Progress
from installer.scene import Scene, color_source, scene_collection

pytestmark = pytest.mark.obs
CANVAS = (320, 180)


def test_an_installed_collection_loads_the_script_in_obs_and_running_obs_is_noticed(tmp_path):
    version = ObsVersion.of_program(find_obs())
    collection = scene_collection([color_source("Green", *CANVAS)], [Scene("Main", ["Green"])], CANVAS)
    write_config(tmp_path / "config", version, ObsOptions(CANVAS), collection)
    user = UserObs(tmp_path / "config" / "obs-studio", "native")
    add_script(user, SCRIPT, tmp_path / "backups", Progress())
    installed = read_collection(user.collections[0])
    assert user.version == version
    assert not obs_runs(user)
    with (
        VirtualDisplay() as display,
        ObsSession(tmp_path, installed, ObsOptions(CANVAS), display=display.name) as obs,
    ):
        obs.wait_ready()
        assert obs_runs(user)
        assert f"Loaded python script: {SCRIPT.name}" in obs.log()
        assert obs.stop().exit_code == 0
    assert not obs_runs(user)
    # What OBS itself saved at its end still holds the script, and the scene.
    saved = json.loads(user.collections[0].read_text(encoding="utf-8"))
    assert [entry["path"] for entry in saved["modules"]["scripts-tool"]] == [str(SCRIPT)]
    assert "Green" in {source["name"] for source in saved["sources"]}
