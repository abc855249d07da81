from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from installer.errors import InstallerError
from installer.exclusive import exclusive, lock_path
from installer.layout import PROJECT


def test_a_second_command_in_the_same_folder_is_refused_and_another_folder_is_not(tmp_path: Path) -> None:
    with exclusive(tmp_path / "one"):
        with pytest.raises(InstallerError, match="another command"), exclusive(tmp_path / "one"):
            pass
        with exclusive(tmp_path / "two"):
            pass
    with exclusive(tmp_path / "one"):
        pass


def test_a_process_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from installer.exclusive import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InstallerError), exclusive(tmp_path):
            pass
        holder.kill()
    with exclusive(tmp_path):
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installer.exclusive.lock_path", lambda project: tmp_path / "missing" / "lock")
    with pytest.raises(InstallerError, match="cannot be written"), exclusive(tmp_path):
        pass


def test_the_lock_lies_outside_what_uninstall_removes() -> None:
    assert PROJECT not in lock_path().parents
