import os

import pytest

from installer.sudo_user import give_back

SUDO = {"SUDO_UID": "12345", "SUDO_GID": "54321"}

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


@pytest.fixture
def project(tmp_path):
    """A user's folder in which root made something."""
    folder = tmp_path / "project"
    (folder / ".doppel" / "results").mkdir(parents=True)
    (folder / ".doppel" / "results" / "obs-30.json").touch()
    os.chown(folder, 12345, 54321)
    return folder


def owners(folder):
    return {(path.lstat().st_uid, path.lstat().st_gid) for path in (folder, *folder.rglob("*"))}


def test_what_root_made_in_the_users_project_belongs_to_the_user(project):
    assert give_back([project, project / "nothing"], SUDO) == []
    assert owners(project) == {(12345, 54321)}


def test_what_lies_behind_a_link_and_what_is_somebody_elses_stay_as_they_are(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "link").symlink_to(outside)
    other = project / "other"
    other.touch()
    os.chown(other, 777, 777)
    give_back([project], SUDO)
    assert outside.stat().st_uid == 0
    assert other.stat().st_uid == 777


def test_a_file_that_goes_meanwhile_keeps_no_other_from_being_given(project, monkeypatch):
    files = {project / "one", project / "other"}
    for path in files:
        path.touch()
    real = os.chown

    def chown(path, *owner, **options):
        for other in files - {path} if path in files else ():
            other.unlink(missing_ok=True)
        real(path, *owner, **options)

    monkeypatch.setattr(os, "chown", chown)
    assert give_back([project], SUDO) == []
    assert len([path for path in files if path.exists()]) == 1
    assert owners(project) == {(12345, 54321)}


@pytest.mark.parametrize("environ", [{}, {"SUDO_UID": "12345"}, {"SUDO_UID": "me", "SUDO_GID": "us"}])
def test_without_sudo_nothing_changes(project, environ):
    before = owners(project)
    assert give_back([project], environ) == []
    assert owners(project) == before


def test_a_project_of_roots_own_stays_roots(project):
    os.chown(project, 0, 0)
    give_back([project], SUDO)
    assert owners(project) == {(0, 0)}
