from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from doppel_ipc import status_file

SECOND_NS = 1_000_000_000


def put(path: Path, age_s: float, **more: object) -> None:
    data = {"version": 1, "updated_ns": time.monotonic_ns() - round(age_s * SECOND_NS), **more}
    status_file.write(path, data)


def test_of_each_obs_that_is_at_work_the_status_is_found_and_of_the_others_the_newest(tmp_path: Path) -> None:
    put(status_file.own_path(tmp_path, 1), 100)
    put(status_file.own_path(tmp_path, 2), 50)
    assert [one.path.name for one in status_file.find(tmp_path)] == ["status-2.json"]
    put(status_file.own_path(tmp_path, 3), 0)
    put(status_file.own_path(tmp_path, 4), 1)
    found = status_file.find(tmp_path)
    assert [(one.path.name, one.fresh) for one in found] == [("status-3.json", True), ("status-4.json", True)]


def test_a_status_from_before_the_system_was_started_is_not_fresh(tmp_path: Path) -> None:
    put(status_file.own_path(tmp_path, 1), -1000)
    (found,) = status_file.find(tmp_path)
    assert not found.fresh


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 1}', '{"version": 2, "updated_ns": 1}', "null"])
def test_what_is_no_status_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "status-1.json").write_text(text, encoding="utf-8")
    assert status_file.find(tmp_path) == []


def test_a_status_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "status-1.json"
    put(path, 0, number=1)
    (tmp_path / "status-1.json.tmp").mkdir()  # the next one cannot be put together
    with pytest.raises(OSError, match=r"status-1\.json\.tmp"):
        put(path, 0, number=2)
    assert json.loads(path.read_text(encoding="utf-8"))["number"] == 1


def test_a_folder_that_may_not_be_looked_at_is_not_swept_and_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise PermissionError("not yours")

    put(status_file.own_path(tmp_path, 1), 0)
    with monkeypatch.context() as patch:  # the test program may be root's, who may look at everything
        patch.setattr(Path, "glob", refuse)
        status_file.sweep(tmp_path)
    assert status_file.own_path(tmp_path, 1).is_file()
