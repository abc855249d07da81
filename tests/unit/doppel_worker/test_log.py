from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from doppel_ipc.log_file import LOG_NAME
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
    return (folder / LOG_NAME).read_text(encoding="utf-8")


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


def test_more_detail_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    log.open_file(tmp_path, "debug")
    logging.getLogger("doppel_models.session").debug("a detail")
    assert "a detail" in text(tmp_path)


def test_what_is_said_before_the_folder_is_known_comes_into_the_file(tmp_path: Path) -> None:
    log.open_console()
    for number in range(log.MOST_EARLY + 10):
        logging.getLogger("somebody.else").warning("early %d.", number)
    log.open_file(tmp_path, "info")
    logging.getLogger("doppel_worker").warning("late")

    lines = text(tmp_path).splitlines()
    assert "early 10." in lines[0]
    assert "late" in lines[-1]
    assert len(lines) == log.MOST_EARLY + 1


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
    logging.getLogger("doppel_worker").info("lost")
    assert "cannot be written: Not a directory" in capsys.readouterr().err
