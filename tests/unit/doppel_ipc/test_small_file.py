from __future__ import annotations

import os
from pathlib import Path

import pytest
from doppel_ipc.small_file import read_small


def test_a_file_and_what_a_link_leads_to_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("Zoë", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_small(tmp_path / "file", 4) == read_small(tmp_path / "link", 4) == "Zoë"


def test_what_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(OSError, match="too long"):
        read_small(tmp_path / "file", 4)
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="utf-8"):
        read_small(tmp_path / "file", 4)
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "nothing", 4)


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_would_be_waited_for_or_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path):
        with pytest.raises(OSError, match="no plain file"):
            read_small(path, 4)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no such files of the kernel's here")
def test_a_file_that_says_it_is_empty_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self/status")
    assert (tmp_path / "link").stat().st_size == 0
    with pytest.raises(OSError, match="too long"):
        read_small(tmp_path / "link", 4)
