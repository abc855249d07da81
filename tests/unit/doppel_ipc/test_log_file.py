from __future__ import annotations

import errno
import logging
import os
import re
from pathlib import Path

import pytest
from doppel_ipc import log_file
from doppel_ipc.log_file import BACKUPS, LEVEL_ENV, LOG_NAME, MAX_BYTES, LogFile, wanted_level


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("doppel_worker", level, "", 0, text, None, None)


def text(folder: Path) -> str:
    return (folder / LOG_NAME).read_text(encoding="utf-8")


def nobody(said: str) -> None:
    raise AssertionError(said)


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "info"),
        ({LEVEL_ENV: "debug"}, "debug"),
        ({LEVEL_ENV: " WARNING "}, "warning"),
        ({LEVEL_ENV: "x"}, "info"),
    ],
)
def test_the_environment_says_how_much_is_written(environ: dict[str, str], level: str) -> None:
    assert wanted_level(environ) == level


def test_a_line_says_when_who_and_how_bad_and_the_folder_is_made(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "new" / "folder", nobody)
    file.handle(record("a lane opens", logging.WARNING))
    file.close()
    begin = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}} {os.getpid()} MainThread"
    assert re.fullmatch(rf"{begin} WARNING doppel_worker: a lane opens\n", text(tmp_path / "new" / "folder"))


def test_the_file_rotates_and_stays_small(tmp_path: Path) -> None:
    file = LogFile(tmp_path, nobody)
    for _ in range(60):
        file.handle(record("x" * 100_000))
    file.close()
    names = [LOG_NAME, *(f"{LOG_NAME}.{number}" for number in range(1, BACKUPS + 1))]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= (BACKUPS + 1) * MAX_BYTES


def test_several_processes_share_the_file_and_its_rotation(tmp_path: Path) -> None:
    all_three = [LogFile(tmp_path, nobody, max_bytes=1000) for _ in range(3)]
    for number in range(60):
        for name, file in zip("abc", all_three, strict=True):
            file.handle(record(f"{name}{number} {'x' * 90}"))
            assert f": {name}{number} " in text(tmp_path).splitlines()[-1]
    for file in all_three:
        file.close()
    assert all(one.stat().st_size <= 1000 for one in tmp_path.iterdir())


def test_a_file_that_another_process_has_just_begun_is_not_put_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = LogFile(tmp_path, nobody, max_bytes=100), LogFile(tmp_path, nobody, max_bytes=100)
    one.handle(record("<0>"))
    follow = one._follow

    def follow_too_early() -> None:
        follow()
        other.handle(record("<1>"))

    monkeypatch.setattr(one, "_follow", follow_too_early)
    one.handle(record("<2>"))
    one.close()
    other.close()
    assert re.findall(r"<(\d)>", text(tmp_path)) == ["1", "2"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == [LOG_NAME, f"{LOG_NAME}.1"]


def test_two_that_find_the_file_full_at_the_same_moment_put_it_away_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = LogFile(tmp_path, nobody, max_bytes=100), LogFile(tmp_path, nobody, max_bytes=100)
    one.handle(record("<0>"))

    def put_away(full: str, aside: str) -> None:
        other.handle(record("<1>"))
        os.replace(full, aside)  # noqa: PTH105 - as the log does it

    monkeypatch.setattr(one, "rotate", put_away)
    one.handle(record("<2>"))
    one.close()
    other.close()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [LOG_NAME, f"{LOG_NAME}.1"]
    assert [re.findall(r"<(\d)>", path.read_text(encoding="utf-8")) for path in files] == [["2"], ["0", "1"]]


def test_what_a_killed_process_had_put_aside_becomes_a_backup(tmp_path: Path) -> None:
    (tmp_path / f"{LOG_NAME}.new").write_text("aside", encoding="utf-8")
    (tmp_path / f"{LOG_NAME}.2").write_text("older", encoding="utf-8")
    (tmp_path / LOG_NAME).write_text("x" * 100, encoding="utf-8")
    file = LogFile(tmp_path, nobody, max_bytes=100)
    file.handle(record("<0>"))
    file.close()
    backups = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob(f"{LOG_NAME}.*")}
    assert backups == {f"{LOG_NAME}.1": "x" * 100, f"{LOG_NAME}.2": "aside", f"{LOG_NAME}.3": "older"}


def test_a_file_that_cannot_be_rotated_now_is_written_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = LogFile(tmp_path, nobody, max_bytes=100)
    backups = [tmp_path / f"{LOG_NAME}.{number}" for number in range(1, BACKUPS + 1)]
    for path in backups:
        path.write_text(path.name, encoding="utf-8")
    tries: list[object] = []

    def refuse(*names: object) -> None:
        tries.append(names)
        raise PermissionError("another process has it open")

    with monkeypatch.context() as patch:
        patch.setattr(file, "rotate", refuse)
        for number in range(5):
            file.handle(record(f"<{number}>"))
        assert len(tries) == 1, "not with each line"
        patch.setattr(log_file, "ROTATED_AGAIN_NS", 0)
        file.handle(record("<5>"))
        assert len(tries) == 2
    assert re.findall(r"<(\d)>", text(tmp_path)) == list("012345")
    assert [path.read_text(encoding="utf-8") for path in backups] == [path.name for path in backups]

    monkeypatch.setattr(log_file, "ROTATED_AGAIN_NS", 0)
    file.handle(record("<6>"))
    file.close()
    assert re.findall(r"<(\d)>", text(tmp_path)) == ["6"]
    assert re.findall(r"<(\d)>", backups[0].read_text(encoding="utf-8")) == list("012345")
    assert [path.read_text(encoding="utf-8") for path in backups[1:]] == [path.name for path in backups[:-1]]
    assert len(list(tmp_path.iterdir())) == BACKUPS + 1


def test_a_name_that_is_no_text_does_not_break_the_log(tmp_path: Path) -> None:
    file = LogFile(tmp_path, nobody)
    file.handle(record("photo caf\udce9.png"))
    file.close()
    assert "caf\\udce9.png" in text(tmp_path)


def test_a_full_disk_costs_its_lines_and_is_said_once(tmp_path: Path) -> None:
    """/dev/full takes nothing: each write of it fails as on a full disk."""
    said: list[str] = []
    file = LogFile(tmp_path, said.append)
    (tmp_path / LOG_NAME).symlink_to("/dev/full")
    for number in range(50):
        file.handle(record(f"lost {number}"))
    (tmp_path / LOG_NAME).unlink()  # there is room again
    file.handle(record("back"))
    file.close()

    assert len(said) == 1
    assert f"cannot be written: {os.strerror(errno.ENOSPC)}" in said[0]
    assert text(tmp_path).endswith(": back\n")
    assert "lost" not in text(tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said: list[str] = []
    file = LogFile(tmp_path / "file" / "log", said.append)
    file.handle(record("lost"))
    file.close()
    assert len(said) == 1
    assert str(tmp_path / "file" / "log") in said[0]
