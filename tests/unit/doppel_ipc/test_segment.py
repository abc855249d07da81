from __future__ import annotations

import dataclasses
import mmap
import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from doppel_ipc import segment
from doppel_ipc.errors import SegmentError
from doppel_ipc.segment import FILE, MEMFD, TAG, SegmentDescriptor

from tests.support.handles import mappings, open_descriptors
from tests.support.worker_process import PROJECT

PAGE = mmap.PAGESIZE
SIZE = 64 * PAGE

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memfd and /proc are Linux's")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
POSIX_KINDS = [pytest.param(MEMFD, marks=linux), pytest.param(FILE, marks=posix)]


@pytest.fixture
def small_files() -> Iterator[None]:
    """This process may not make files (or shared memory) of more than eight pages."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * PAGE, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", POSIX_KINDS)
def test_both_sides_see_the_same_zeroed_bytes(kind: str, tmp_path: Path) -> None:
    with segment.create(SIZE, kind, tmp_path) as made:
        mine = mmap.mmap(made.handle, SIZE)
        theirs = segment.open_memory(made.descriptor)
        assert theirs[:] == bytes(SIZE)
        mine[5:9] = b"seen"
        assert theirs[5:9] == b"seen"
        theirs.close()
        mine.close()


@pytest.mark.parametrize("kind", POSIX_KINDS)
def test_mappings_outlive_the_name(kind: str, tmp_path: Path) -> None:
    made = segment.create(SIZE, kind, tmp_path)
    theirs = segment.open_memory(made.descriptor)
    made.close()
    made.close()
    theirs[:4] = b"here"
    assert theirs[:4] == b"here"
    assert list(tmp_path.iterdir()) == []
    theirs.close()
    with pytest.raises(SegmentError, match="cannot be opened"):
        segment.open_memory(made.descriptor)


@pytest.mark.parametrize("kind", POSIX_KINDS)
def test_no_handle_and_no_mapping_is_left(kind: str, tmp_path: Path) -> None:
    def use() -> None:
        with segment.create(SIZE, kind, tmp_path) as made:
            segment.open_memory(made.descriptor).close()

    use()
    descriptors, maps = open_descriptors(), mappings("doppel")
    for _ in range(50):
        use()
    assert (open_descriptors(), mappings("doppel")) == (descriptors, maps)


@pytest.mark.parametrize("kind", POSIX_KINDS)
def test_memory_is_allocated_when_it_is_made(kind: str, tmp_path: Path) -> None:
    with segment.create(SIZE, kind, tmp_path) as made:
        assert os.fstat(made.handle).st_blocks * 512 >= SIZE


@linux
@pytest.mark.parametrize("size", [0, PAGE, 2 * SIZE])
def test_a_memfd_can_be_neither_shrunk_nor_grown_by_the_peer(size: int) -> None:
    with segment.create(SIZE, MEMFD) as made:
        fd = os.open(made.descriptor.name, os.O_RDWR)
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
        os.close(fd)


@linux
def test_memory_that_its_maker_could_shrink_is_refused() -> None:
    fd = os.memfd_create("loose")
    os.ftruncate(fd, SIZE)
    with pytest.raises(SegmentError, match="sealed"):
        segment.open_memory(SegmentDescriptor(MEMFD, f"/proc/self/fd/{fd}", SIZE))
    os.close(fd)


@pytest.mark.parametrize("kind", POSIX_KINDS)
@pytest.mark.parametrize("change", [-PAGE, PAGE])
def test_a_size_that_is_not_the_announced_one_is_refused(kind: str, change: int, tmp_path: Path) -> None:
    before = open_descriptors()
    with segment.create(SIZE, kind, tmp_path) as made:
        wrong = dataclasses.replace(made.descriptor, bytes=SIZE + change)
        with pytest.raises(SegmentError, match=f"has {SIZE} bytes != {SIZE + change}"):
            segment.open_memory(wrong)
    assert open_descriptors() == before


@posix
@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("kind", POSIX_KINDS)
def test_no_room_is_a_clear_error_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    before = open_descriptors()
    with pytest.raises(SegmentError, match="no room for 1 MiB; free some memory or choose a smaller"):
        segment.create(1 << 20, kind, tmp_path)
    assert open_descriptors() == before
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_full_memory_file_system_is_a_clear_error(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        with pytest.raises(SegmentError, match="no room for 1 MiB"):
            segment.create(1 << 20, FILE, tmp_path)
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@posix
def test_where_there_is_no_fallocate_zeros_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    with segment.create(SIZE + (1 << 20), FILE, tmp_path) as made:
        assert os.fstat(made.handle).st_size == SIZE + (1 << 20)
        assert os.fstat(made.handle).st_blocks * 512 >= SIZE + (1 << 20)


@posix
def test_a_file_is_for_its_user_alone(tmp_path: Path) -> None:
    with segment.create(SIZE, FILE, tmp_path) as made:
        assert Path(made.descriptor.name).stat().st_mode & 0o777 == 0o600


@posix
def test_what_a_crash_left_goes_with_the_next_segment(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from doppel_ipc import segment
        made = segment.create(4096 * 4, "file", Path(sys.argv[1]))
        print(made.descriptor.name)
        sys.stdout.flush()
        os.kill(os.getpid(), 9)
    """)
    environ = {"PYTHONPATH": str(PROJECT / "shared")}
    crashed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    left = Path(crashed.stdout.strip())
    assert left.exists(), crashed.stderr
    with segment.create(SIZE, FILE, tmp_path) as living:
        assert not left.exists()
        with segment.create(SIZE, FILE, tmp_path):
            assert Path(living.descriptor.name).exists()
    assert list(tmp_path.iterdir()) == []


@linux
def test_a_crash_leaves_no_memfd() -> None:
    program = textwrap.dedent("""
        import sys
        from doppel_ipc import segment
        made = segment.create(4096 * 4, "memfd")
        print(made.descriptor.name, flush=True)
        sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(PROJECT / "shared")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        # As the worker does: the other process's memory, by /proc.
        segment.open_memory(SegmentDescriptor(MEMFD, name, 4096 * 4)).close()
        child.kill()
    with pytest.raises(SegmentError, match="cannot be opened"):
        segment.open_memory(SegmentDescriptor(MEMFD, name, 4096 * 4))


@pytest.mark.parametrize("size", [-PAGE, 0, 1, PAGE + 1, segment.MAX_BYTES + PAGE])
def test_a_senseless_size_is_refused(size: int) -> None:
    with pytest.raises(SegmentError, match="whole pages"):
        segment.create(size)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(SegmentError, match="'cloud' is not one of"):
        segment.create(SIZE, "cloud")
    with pytest.raises(SegmentError, match="'cloud' is not one of"):
        segment.open_memory(SegmentDescriptor("cloud", "x", SIZE))


def test_each_system_gets_its_kind(tmp_path: Path) -> None:
    absent = str(tmp_path / "no-flatpak")
    assert segment.default_kind("win32", absent) == TAG
    assert segment.default_kind("darwin", absent) == FILE
    inside = tmp_path / "flatpak-info"
    inside.touch()
    assert segment.default_kind("linux", str(inside)) == FILE
    if sys.platform.startswith("linux"):
        assert segment.default_kind("linux", absent) == MEMFD


def test_a_flatpak_uses_a_folder_that_both_sides_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("FLATPAK_ID", "com.obsproject.Studio")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert segment.default_folder("linux") == tmp_path / "cache"
    (tmp_path / "app" / "com.obsproject.Studio").mkdir(parents=True)
    assert segment.default_folder("linux") == tmp_path / "app" / "com.obsproject.Studio"
    monkeypatch.delenv("FLATPAK_ID")
    assert segment.default_folder("linux") == tmp_path


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memfd is Linux's")
def test_another_segment_that_got_the_number_of_one_that_is_gone_is_not_taken_for_it() -> None:
    gone = segment.create(SIZE, MEMFD)
    gone.close()
    with segment.create(SIZE, MEMFD) as other:
        assert other.descriptor.name == gone.descriptor.name, "the number was not used again"
        with pytest.raises(SegmentError, match="gone"):
            segment.open_memory(gone.descriptor)
        segment.open_memory(other.descriptor).close()
