from __future__ import annotations

import os
from pathlib import Path

import pytest
from doppel_models.plain_file import is_plain, plain_size


def test_a_file_and_what_a_link_leads_to_have_a_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"four")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert plain_size(tmp_path / "file") == plain_size(tmp_path / "link") == 4
    assert (is_plain(tmp_path / "file"), is_plain(tmp_path / "link")) == (True, False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_would_be_waited_for_or_never_ends_is_no_plain_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="no plain file"):
            plain_size(path)
        assert not is_plain(path)


def test_what_is_not_there_is_said_by_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        plain_size(tmp_path / "nothing")
    assert not is_plain(tmp_path / "nothing")
