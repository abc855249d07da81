import os
import subprocess
from pathlib import Path

import pytest

from installer import obs_roots
from installer.errors import CommandError, InstallerError
from installer.layout import PROJECT
from installer.obs_roots import INSIDE, OWN_FOLDER, ROOTS, ObsRoot, debian_mirror, require_roots
from installer.other_versions import keep_results, run_others, run_version
from installer.progress import Progress

TRIXIE = ObsRoot(30, "trixie")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder of programs that are found before all others; a fake is a shell script."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def add(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return add


@pytest.fixture
def makeable(tmp_path, monkeypatch, programs):
    """Root folders as root on a machine that allows them, in a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(obs_roots, "_NAMESPACES", ("env",))
    programs("apt-get", "exit 1")
    return programs


def test_the_three_versions_each_have_a_debian():
    assert {root.major: root.suite for root in ROOTS} == {29: "bookworm", 30: "trixie", 32: "sid"}


def test_without_the_rights_of_root_it_says_so(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InstallerError, match="cannot be tested here") as caught:
        require_roots(Progress())
    assert "root's rights" in str(caught.value)
    assert "sudo" in str(caught.value)


def test_without_debootstrap_and_apt_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallerError, match="cannot be tested here") as caught:
        require_roots(Progress())
    assert "install debootstrap" in str(caught.value)


def test_where_mounting_is_forbidden_it_says_so(makeable, monkeypatch):
    makeable("debootstrap", "exit 0")
    makeable("unshare", "echo 'unshare: Operation not permitted' >&2; exit 1")
    monkeypatch.setattr(obs_roots, "_NAMESPACES", ("unshare",))
    with pytest.raises(InstallerError, match="cannot be tested here") as caught:
        require_roots(Progress())
    assert "Operation not permitted" in str(caught.value)
    assert "privileged container" in str(caught.value)


def test_a_version_that_cannot_be_tested_here_is_told_and_fails_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # the user's own folders may be at work
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    report = run_others("29.0.2", Progress(), everything=False, json_output=True)
    assert report["problems"] == []
    assert set(report["versions"]) == {"30", "32"}
    assert "root's rights" in report["versions"]["30"]["skipped"]
    assert [warning.partition(" was not tested")[0] for warning in report["warnings"]] == ["OBS 30", "OBS 32"]


def test_a_full_disk_is_told_before_anything_is_fetched(makeable, monkeypatch):
    makeable("debootstrap", "exit 1")
    monkeypatch.setattr(obs_roots, "NEEDED_BYTES", 1 << 62)
    with pytest.raises(InstallerError, match="no room") as caught:
        TRIXIE.prepare(Progress())
    assert "XDG_CACHE_HOME" in str(caught.value)
    assert not TRIXIE.folder.parent.exists()


def test_a_root_that_was_not_finished_is_made_anew_with_the_packages_that_were_fetched(makeable):
    """The fake debootstrap fetches a package, and fails until it finds it there."""
    # Arguments: --variant, --include, --cache-dir, suite, folder.
    makeable(
        "debootstrap",
        'cache=$(echo "$3" | cut -d= -f2); root="$5"; mkdir -p "$root"; echo "I: Retrieving things"\n'
        '[ -e "$cache/package" ] && { echo whole > "$root/state"; exit 0; }\n'
        'echo half > "$root/state"; touch "$cache/package"; echo "E: Couldn\'t download"; exit 1',
    )
    with pytest.raises(CommandError, match="trixie cannot be made") as caught:
        TRIXIE.prepare(Progress())
    assert "Couldn't download" in str(caught.value)
    assert not TRIXIE.folder.exists()
    TRIXIE.prepare(Progress())
    assert (TRIXIE.folder / "state").read_text() == "whole\n"
    assert (TRIXIE.folder / OWN_FOLDER / "venv").is_dir()
    assert (TRIXIE.folder / INSIDE[1:]).is_dir()
    assert [path.name for path in TRIXIE.folder.parent.iterdir()] == ["trixie"]


def test_a_second_command_does_not_touch_the_root_that_a_first_one_makes(makeable):
    makeable("debootstrap", 'mkdir -p "$5"; exit 0')
    making = TRIXIE.folder.with_name("trixie-making")
    making.mkdir(parents=True)
    (making / "state").touch()
    with TRIXIE.locked(), pytest.raises(InstallerError, match="another command"):
        run_version(TRIXIE, Progress(), everything=False, json_output=True)
    assert (making / "state").exists()
    assert not TRIXIE.folder.exists()


def test_results_can_be_kept_where_they_lie_already(tmp_path):
    made = tmp_path / "results" / "obs-30.json"
    made.parent.mkdir()
    made.write_text("{}")
    report = {"results": str(made)}
    keep_results(report, tmp_path / "results" / ".." / "results")
    assert report == {"results": str(made)}
    keep_results(report, tmp_path / "kept")
    assert Path(report["results"]).read_text() == "{}"
    assert Path(report["results"]).parent == tmp_path / "kept"


def test_a_folder_that_takes_no_results_is_a_warning(tmp_path):
    made = tmp_path / "obs-30.json"
    made.write_text("{}")
    (tmp_path / "file").touch()
    report = {"results": str(made)}
    keep_results(report, tmp_path / "file" / "kept")
    assert report["results"] == str(made)
    assert str(made) in report["warnings"][0]


def test_the_mirror_is_the_one_of_this_machine(programs):
    programs(
        "apt-get",
        "cat <<EOF\n"
        "Debian Debian-Security http://mirror.example/security/\n"
        "Somebody Tools https://tools.example/apt/\n"
        "Debian Debian http://mirror.example/debian/\n"
        "EOF",
    )
    assert debian_mirror() == "http://mirror.example/debian/"
    programs("apt-get", "echo 'Ubuntu Ubuntu http://mirror.example/ubuntu/'")
    assert debian_mirror() is None


def test_a_command_in_a_root_gets_the_proxies_and_nothing_else_of_this_environment(tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.setenv("DISPLAY", ":7")
    command = TRIXIE.command(["true"])
    assert "https_proxy=http://proxy.example:3128" in command
    assert f"PIP_CERT=/{OWN_FOLDER}/certificates.pem" in command
    assert str(bundle) in command
    assert not [word for word in command if word.startswith("DISPLAY=")]


ROOT = next((root for root in ROOTS if root.folder.is_dir()), None)


@pytest.mark.skipif(
    ROOT is None or os.geteuid() != 0, reason="no root folder was made (installer test --obs)"
)
def test_a_command_in_a_root_sees_the_project_with_folders_of_its_own_and_leaves_nothing_mounted():
    script = (
        f"cd {INSIDE}; ls; ls .doppel > /dev/null; touch .doppel/here; cat /proc/1/comm; sleep 600 & exit 7"
    )
    done = subprocess.run(
        ROOT.command(["sh", "-c", script]), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 7, done.stderr
    lines = done.stdout.splitlines()
    assert "pyproject.toml" in lines
    assert lines[-1] == "sh"
    assert (ROOT.made / "here").exists()
    assert not (PROJECT / ".doppel" / "here").exists()
    (ROOT.made / "here").unlink()
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert str(ROOT.folder) not in mounts
