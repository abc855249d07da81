import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.errors import ObsError
from installer.obs_config import ObsOptions, ObsVersion, ini_value, set_ini_value, write_config
from installer.scene import Scene, color_source, scene_collection

WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
VALUE = st.text(st.characters(categories=("L", "N", "P", "S")), max_size=12)
INI = st.dictionaries(WORD, st.dictionaries(WORD, VALUE, max_size=4), max_size=4)


def written(tmp_path, version, **options):
    collection = scene_collection([color_source("Green", 64, 64)], [Scene("Main", ["Green"])], (64, 64))
    write_config(tmp_path, ObsVersion.parse(version), ObsOptions(**options), collection)
    return tmp_path / "obs-studio"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OBS Studio - 29.0.2+dfsg-1+b1", ObsVersion(29, 0, 2)),
        ("OBS Studio - 32.2.2", ObsVersion(32, 2, 2)),
        ("30.0", ObsVersion(30, 0)),
    ],
)
def test_the_version_is_read_from_what_obs_prints(text, version):
    assert ObsVersion.parse(text) == version


def test_output_without_a_version_is_refused_by_name():
    with pytest.raises(ObsError, match="cannot be read"):
        ObsVersion.parse("command not found")


def test_the_version_number_is_the_one_that_libobs_compares():
    assert ObsVersion(32, 2, 2).number == 537001986
    assert ObsVersion(29, 0, 2).number == 0x1D000002


def test_up_to_30_everything_is_in_global_ini(tmp_path):
    root = written(tmp_path, "29.0.2", websocket_port=4999)
    text = (root / "global.ini").read_text()
    assert ini_value(text, "General", "LastVersion") == str(0x1D000002)
    assert ini_value(text, "Basic", "SceneCollectionFile") == "Doppel"
    assert ini_value(text, "OBSWebSocket", "ServerPort") == "4999"
    assert ini_value(text, "OBSWebSocket", "ServerEnabled") == "true"
    assert not (root / "user.ini").exists()


def test_from_31_on_global_ini_holds_the_version_alone(tmp_path):
    root = written(tmp_path, "32.2.2", websocket_port=4999)
    assert (root / "global.ini").read_text().split() == ["[General]", "LastVersion=537001986"]
    assert ini_value((root / "user.ini").read_text(), "General", "FirstRun") == "true"


@pytest.mark.parametrize(("version", "in_json"), [("30.1.2", False), ("30.2.0", True), ("31.0.0", True)])
def test_the_websocket_is_configured_where_this_version_looks(tmp_path, version, in_json):
    root = written(tmp_path, version, websocket_port=4999)
    path = root / "plugin_config" / "obs-websocket" / "config.json"
    assert path.exists() == in_json
    if in_json:
        config = json.loads(path.read_text())
        assert config["server_enabled"] is True
        assert (config["server_port"], config["auth_required"]) == (4999, False)
    else:
        assert ini_value((root / "global.ini").read_text(), "OBSWebSocket", "AuthRequired") == "false"


@pytest.mark.parametrize("version", ["29.0.2", "32.2.2"])
def test_a_password_is_asked_for_where_one_is_set(tmp_path, version):
    root = written(tmp_path, version, websocket_port=4999, websocket_password="secret")  # noqa: S106 - no real one
    if version == "29.0.2":
        text = (root / "global.ini").read_text()
        assert ini_value(text, "OBSWebSocket", "ServerPassword") == "secret"
        assert ini_value(text, "OBSWebSocket", "AuthRequired") == "true"
    else:
        config = json.loads((root / "plugin_config" / "obs-websocket" / "config.json").read_text())
        assert (config["server_password"], config["auth_required"]) == ("secret", True)
        assert set(config) == {"first_load", "server_enabled", "server_port", "server_password"} | {
            "auth_required", "alerts_enabled"
        }  # fmt: skip


def test_without_a_port_the_websocket_is_off(tmp_path):
    text = (written(tmp_path, "29.0.2") / "global.ini").read_text()
    assert ini_value(text, "OBSWebSocket", "ServerEnabled") == "false"


@pytest.mark.parametrize(("version", "key"), [("29.0.2", "RecFormat"), ("29.1.0", "RecFormat2")])
def test_the_container_is_set_under_this_versions_key(tmp_path, version, key):
    profile = written(tmp_path, version, canvas=(320, 240)) / "basic" / "profiles" / "Doppel" / "basic.ini"
    assert ini_value(profile.read_text(), "SimpleOutput", key) == "mkv"
    assert ini_value(profile.read_text(), "Video", "BaseCX") == "320"


def test_writing_again_keeps_what_obs_added(tmp_path):
    root = written(tmp_path, "29.0.2")
    path = root / "global.ini"
    path.write_text(set_ini_value(path.read_text(), "BasicWindow", "DockState", "AAAA="))
    written(tmp_path, "29.0.2")
    assert ini_value(path.read_text(), "BasicWindow", "DockState") == "AAAA="


@given(INI, WORD, WORD, VALUE)
def test_setting_one_key_changes_no_other(content, section, key, value):
    text = ""
    for name, entries in content.items():
        for entry, old in entries.items():
            text = set_ini_value(text, name, entry, old)
    changed = set_ini_value(text, section, key, value)
    assert ini_value(changed, section, key) == value
    for name, entries in content.items():
        for entry, old in entries.items():
            if (name, entry) != (section, key):
                assert ini_value(changed, name, entry) == old
    assert ini_value(set_ini_value(changed, section, key, None), section, key) is None
