from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from doppel_worker import log


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """What the log opens is closed again after each test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in [one for one in root.handlers if one not in before]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(False)
    for name in log.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def text(folder: Path) -> str:
    return (folder / log.LOG_NAME).read_text(encoding="utf-8")


def test_the_file_has_everything_of_ours_and_other_peoples_warnings(tmp_path: Path) -> None:
    log.open_file(tmp_path / "new" / "folder", "info")
    logging.getLogger("doppel_worker.lane").info("a lane opens")
    logging.getLogger("doppel_models.session").debug("too much")
    logging.getLogger("somebody.else").info("chatter")
    logging.getLogger("somebody.else").warning("trouble")
    found = text(tmp_path / "new" / "folder")
    assert "a lane opens" in found
    assert "trouble" in found
    assert "too much" not in found
    assert "chatter" not in found


def test_the_file_rotates_and_stays_small(tmp_path: Path) -> None:
    log.open_file(tmp_path, "info")
    for _ in range(60):
        logging.getLogger("doppel_worker").info("x" * 100_000)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["worker.log", "worker.log.1", "worker.log.2", "worker.log.3"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4 * log.MAX_BYTES


def _record(text: str) -> logging.LogRecord:
    return logging.LogRecord("doppel_worker", logging.INFO, "", 0, text, None, None)


def test_two_workers_share_the_file_and_its_rotation(tmp_path: Path) -> None:
    path = tmp_path / log.LOG_NAME
    both = [log.SharedFile(path, maxBytes=1000, backupCount=3, encoding="utf-8") for _ in range(2)]
    for number in range(60):
        for name, handler in zip("ab", both, strict=True):
            handler.handle(_record(f"{name}{number} {'x' * 90}"))
            assert text(tmp_path).splitlines()[-1].startswith(f"{name}{number} ")
    for handler in both:
        handler.close()
    assert all(one.stat().st_size <= 1000 for one in tmp_path.iterdir())


def test_a_file_that_cannot_be_rotated_now_is_written_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = log.SharedFile(tmp_path / log.LOG_NAME, maxBytes=100, backupCount=3, encoding="utf-8")

    def refuse(*_: object) -> None:
        raise PermissionError("another process has it open")

    monkeypatch.setattr(handler, "rotate", refuse)
    for number in range(5):
        handler.handle(_record(f"{number} {'x' * 90}"))
    handler.close()
    assert [line[0] for line in text(tmp_path).splitlines()] == list("01234")
    assert not capsys.readouterr().err


def test_a_name_that_is_no_text_does_not_break_the_log(tmp_path: Path) -> None:
    log.open_file(tmp_path, "info")
    logging.getLogger("doppel_worker").info("photo %s", "caf\udce9.png")
    assert "caf\\udce9.png" in text(tmp_path)


def test_obs_gets_one_line_of_a_failure_and_the_file_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.open_console()
    log.open_file(tmp_path, "info")
    try:
        raise ValueError("the reason")
    except ValueError as error:
        logging.getLogger("doppel_worker").error("it failed", exc_info=error)
    logging.getLogger("doppel_worker").info("detail")
    assert capsys.readouterr().err == "ERROR: it failed ... ValueError: the reason\n"
    assert "Traceback" in text(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    log.open_console()
    log.open_file(blocked / "log", "info")
    assert "no log file in" in capsys.readouterr().err
