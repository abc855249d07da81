import json
import shutil
from pathlib import Path

import pytest

from installer import install as module
from installer.errors import InstallerError
from installer.install import add_script, remove_script, uninstall
from installer.obs_user import UserObs
from installer.progress import Progress
from installer.scene import Filter, Scene, media_source, scene_collection

SCRIPT = Path("/home/me/doppel/obs_plugin/doppel_filter.py")


@pytest.fixture
def user(tmp_path):
    scenes = tmp_path / "obs-studio" / "basic" / "scenes"
    scenes.mkdir(parents=True)
    source = media_source("Cam", Path("/clip.mp4"), filters=[Filter("Crop", "crop_filter")])
    for name in ("One", "Two"):
        data = scene_collection([source], [Scene("Main", ["Cam"])], (8, 8), [Path("/other.lua")])
        (scenes / f"{name}.json").write_text(json.dumps(data))
    return UserObs(tmp_path / "obs-studio", "native")


def contents(user):
    return {path: path.read_text() for path in user.collections + user.collection_copies}


def test_every_collection_gets_the_script_and_a_backup(user, tmp_path):
    before = contents(user)
    changed = add_script(user, SCRIPT, tmp_path / "backups", Progress())
    assert sorted(changed) == sorted(map(str, user.collections))
    for path, text in before.items():
        assert str(SCRIPT) in path.read_text()
        (backup,) = (tmp_path / "backups").rglob(path.name)
        assert backup.read_text() == text


def test_installing_twice_changes_nothing_the_second_time(user, tmp_path):
    add_script(user, SCRIPT, tmp_path / "backups", Progress())
    once = contents(user)
    assert add_script(user, SCRIPT, tmp_path / "backups", Progress()) == []
    assert contents(user) == once


def test_a_broken_collection_stops_it_before_anything_is_changed(user, tmp_path):
    (user.collections[1]).write_text("{")
    before = contents(user)
    with pytest.raises(InstallerError, match="cannot be read"):
        add_script(user, SCRIPT, tmp_path / "backups", Progress())
    assert contents(user) == before


def test_uninstalling_leaves_what_was_there_before(user, tmp_path):
    before = {path: json.loads(text) for path, text in contents(user).items()}
    add_script(user, SCRIPT, tmp_path / "backups", Progress())
    # OBS keeps a copy of the former state, which holds the script, too.
    copy = user.collections[0].with_name(user.collections[0].name + ".bak")
    copy.write_text(user.collections[0].read_text())
    remove_script(user, SCRIPT, Progress())
    assert {path: json.loads(text) for path, text in contents(user).items() if path != copy} == before
    assert "doppel" not in copy.read_text()


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """All that ``uninstall`` removes, in a project's folder of its own; no OBS."""
    found = {name: tmp_path / name for name in ("data", "cache", "project/.doppel", "project/.venv")}
    for folder in found.values():
        (folder / "sub").mkdir(parents=True)
    monkeypatch.setattr(module, "MADE", found["project/.doppel"])
    monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    monkeypatch.setattr(module, "user_cache_dir", lambda: found["cache"])
    monkeypatch.setattr(module, "user_data_dir", lambda: found["data"])
    monkeypatch.setattr(module, "user_configurations", lambda _: [])
    return found


def test_a_cache_that_only_root_can_remove_leaves_no_faces_behind(folders, monkeypatch):
    real = shutil.rmtree

    def rmtree(folder, **options):
        if folder == folders["cache"]:
            raise PermissionError(13, "Permission denied", str(folder / "obs-roots"))
        real(folder, **options)

    monkeypatch.setattr(module.shutil, "rmtree", rmtree)
    report = uninstall(Progress(), keep_personas=False)
    assert [name for name, folder in folders.items() if folder.exists()] == ["cache"]
    assert report["ok"]
    (warning,) = report["warnings"]
    assert str(folders["cache"]) in warning
    assert "sudo rm -r" in warning


def end_of_uninstall(capsys, **options):
    report = uninstall(Progress(), **options)
    return report, capsys.readouterr().err


@pytest.mark.parametrize(
    ("terminal", "keep", "stays"),
    [
        (False, None, True),
        (False, True, True),
        (False, False, False),
        (True, False, False),
        (True, None, True),
    ],
)
def test_faces_are_deleted_only_when_that_was_asked_for(folders, monkeypatch, capsys, terminal, keep, stays):
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal)
    monkeypatch.setattr("builtins.input", lambda _: "")
    (folders["data"] / "personas" / "me").mkdir(parents=True)
    report, said = end_of_uninstall(capsys, keep_personas=keep)
    assert [name for name, folder in folders.items() if folder.exists()] == (["data"] if stays else [])
    assert report["kept"] == ([str(folders["data"])] if stays else [])
    assert ("uninstall --delete-personas" in said) is stays
    assert (f"faces (me) stay in {folders['data']}" in said) is stays


def test_what_is_the_users_in_the_projects_folder_is_named_at_the_end(folders, capsys):
    project = folders["project/.venv"].parent
    (project / "shared").mkdir()
    (project / "empty").mkdir()
    _, said = end_of_uninstall(capsys)
    assert "done; this folder can be deleted" in said
    (project / "out").mkdir()
    for name in ("out/recording.mkv", "doppel-diagnostics-20260101-120000.zip"):
        (project / name).touch()
    report, said = end_of_uninstall(capsys)
    assert "still in this folder: doppel-diagnostics-20260101-120000.zip, out/;" in said
    assert report["kept"] == [str(project / "doppel-diagnostics-20260101-120000.zip"), str(project / "out/")]
