from pathlib import Path

import pytest

from installer.obs_config import ObsVersion, set_ini_value
from installer.obs_user import (
    UserObs,
    choose_python_folder,
    newest_python_minor,
    python_folders,
    python_minor_in,
    user_configurations,
)


def make(root, files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "HOME", ".config/obs-studio"),
        ("linux", "XDG_CONFIG_HOME", "obs-studio"),
        ("darwin", "HOME", "Library/Application Support/obs-studio"),
        ("win32", "APPDATA", "obs-studio"),
        ("win32", "USERPROFILE", "AppData/Roaming/obs-studio"),
    ],
)
def test_the_native_configuration_is_found_where_obs_keeps_it(tmp_path, platform, variable, folder):
    (tmp_path / folder).mkdir(parents=True)
    assert user_configurations({variable: str(tmp_path)}, platform) == [UserObs(tmp_path / folder, "native")]


def test_flatpak_and_snap_are_told_apart(tmp_path):
    for folder in (
        ".var/app/com.obsproject.Studio/config/obs-studio",
        "snap/obs-studio/current/.config/obs-studio",
    ):
        (tmp_path / folder).mkdir(parents=True)
    kinds = [item.kind for item in user_configurations({"HOME": str(tmp_path)}, "linux")]
    assert kinds == ["flatpak", "snap"]


def test_a_user_without_obs_has_no_configuration(tmp_path):
    assert user_configurations({"HOME": str(tmp_path)}, "linux") == []


@pytest.mark.parametrize(("number", "file"), [(0x1D000002, "global.ini"), (537001986, "user.ini")])
def test_the_python_key_lies_in_the_file_of_this_version(tmp_path, number, file):
    (tmp_path / "global.ini").write_text(f"[General]\nLastVersion={number}\n")
    user = UserObs(tmp_path, "native")
    path = tmp_path / file
    old = path.read_text() if path.exists() else ""
    path.write_text("\ufeff" + set_ini_value(old, "Python", "Path64bit", "C:/Python312"), encoding="utf-8")
    assert user.global_settings == path
    assert user.python_path == "C:/Python312"


@pytest.mark.parametrize(
    ("version", "minor"),
    [("28.1.2", 10), ("29.0.2", 10), ("29.1.0", 11), ("30.0.2", 11), ("30.1.0", 12), ("32.2.2", 12)],
)
def test_the_newest_python_follows_obs(version, minor):
    assert newest_python_minor(ObsVersion.parse(version)) == minor


def test_the_newest_python_that_obs_can_load_is_chosen_on_windows(tmp_path):
    folders = [make(tmp_path / f"Python3{n}", [f"python3{n}.dll", "python3.dll"]) for n in (7, 10, 12, 13)]
    assert python_minor_in(folders[2], "win32") == 12
    assert choose_python_folder(folders, ObsVersion(32, 0), "win32") == folders[2]
    assert choose_python_folder(folders, ObsVersion(29, 0), "win32") == folders[1]
    assert choose_python_folder(folders[:1], ObsVersion(32, 0), "win32") is None


def test_a_framework_folder_is_understood_on_macos(tmp_path):
    folder = make(tmp_path, ["Python.framework/Versions/3.12/Python", "Python.framework/Versions/3.9/Python"])
    assert python_minor_in(folder, "darwin") == 12
    assert choose_python_folder([folder], ObsVersion(32, 0), "darwin") == folder


def test_pythons_of_windows_are_looked_for_in_the_users_and_the_programs_folders(tmp_path):
    mine = tmp_path / "Local" / "Programs" / "Python" / "Python312"
    mine.mkdir(parents=True)
    assert python_folders({"LOCALAPPDATA": str(tmp_path / "Local")}, "win32") == [Path(mine)]
