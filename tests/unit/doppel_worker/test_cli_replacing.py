"""What is beside an output while it is made, and after a run that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from doppel_worker.cli.replacing import replacing
from doppel_worker.errors import MediaError

BEGIN = """
import sys
from pathlib import Path
from doppel_worker.cli.replacing import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Run:
    """Another process that has begun an output."""

    def __init__(self, target: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.temporary = Path(self.process.stdout.readline().strip())
        assert self.temporary.read_bytes() == b"half"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


def test_what_a_killed_run_left_goes_with_the_next_one_to_that_output(tmp_path: Path) -> None:
    target = tmp_path / "a [1].mp4"
    killed = Run(target)
    killed.kill()
    assert killed.temporary.exists()
    with replacing(tmp_path / "b.mp4") as temporary:
        temporary.write_bytes(b"whole")
    assert killed.temporary.exists(), "it is another output's"
    with replacing(target) as temporary:
        assert not killed.temporary.exists()
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == {"a [1].mp4", "b.mp4"}
    assert target.read_bytes() == b"whole"


def test_what_another_run_is_making_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    other = Run(target)
    try:
        with replacing(target) as temporary:
            temporary.write_bytes(b"whole")
        assert names(tmp_path) == {"out.mp4", other.temporary.name}
    finally:
        other.kill()


def test_files_that_only_look_alike_stay(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    theirs = {".out-abcd1234.mp4", ".out-doppel-abcd1234.mkv", ".out-doppel-holiday.mp4", ".out-doppel-x.mp4"}
    for name in theirs:
        (tmp_path / name).write_bytes(b"theirs")
    (tmp_path / ".out-doppel-aaaaaaaa.mp4").mkdir()
    (tmp_path / ".out-doppel-bbbbbbbb.mp4").symlink_to(tmp_path / ".out-abcd1234.mp4")
    before = names(tmp_path)
    with replacing(target) as temporary:
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == before | {"out.mp4"}


def test_a_run_that_fails_leaves_the_old_output(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_bytes(bytes(1 // 0))
    assert names(tmp_path) == {"out.mp4"}
    assert target.read_bytes() == b"old"


def test_an_output_of_the_longest_name_can_be_made(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 251 + ".mp4")
    with replacing(target) as temporary:
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(MediaError, match=r"out\.mp4 cannot be written"),
        replacing(tmp_path / "no" / "out.mp4"),
    ):
        pass
