from __future__ import annotations

import mmap
import sys
from typing import Any

import pytest
from doppel_ipc import segment, segment_windows
from doppel_ipc.errors import SegmentError
from doppel_ipc.segment import TAG, SegmentDescriptor

PAGE = mmap.PAGESIZE
SIZE = 64 * PAGE


class FakeKernel32:
    """CreateFileMappingW, CloseHandle and GetLastError as Windows documents them."""

    def __init__(self, *, refuse: int = 0, exists: bool = False) -> None:
        self.open: dict[int, str] = {}
        self.sizes: dict[str, int] = {}
        self._refuse, self._error = refuse, 183 if exists else 0

    def CreateFileMappingW(  # noqa: N802 - Windows' name
        self, file: int, security: None, protection: int, high: int, low: int, name: str
    ) -> int | None:
        assert (file, security, protection) == (-1, None, 0x04)
        if self._refuse:
            self._error = self._refuse
            return None
        self.sizes[name] = high << 32 | low
        self.open[len(self.open) + 8] = name
        return len(self.open) + 7

    def CloseHandle(self, handle: int) -> None:  # noqa: N802 - Windows' name
        del self.open[handle]

    def GetLastError(self) -> int:  # noqa: N802 - Windows' name
        return self._error


def test_windows_memory_has_a_random_name_and_its_full_size(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeKernel32()
    monkeypatch.setattr(segment_windows, "_kernel32", lambda: system)
    size = (5 << 30) + PAGE
    with segment.create(size, TAG) as one, segment.create(size, TAG) as two:
        assert one.descriptor.name != two.descriptor.name
        assert one.descriptor.name.startswith("Local\\doppel-")
        assert system.sizes == {one.descriptor.name: size, two.descriptor.name: size}
        assert set(system.open) == {one.handle, two.handle}
    assert system.open == {}


def test_windows_without_memory_says_so() -> None:
    with pytest.raises(SegmentError, match=r"no 16 MiB of shared memory \(error 1455\)"):
        segment_windows.create(16 << 20, FakeKernel32(refuse=1455))


def test_a_windows_name_that_is_taken_is_not_used() -> None:
    system = FakeKernel32(exists=True)
    with pytest.raises(SegmentError, match="already uses"):
        segment_windows.create(16 << 20, system)
    assert system.open == {}


def test_windows_memory_is_opened_by_its_name() -> None:
    asked: list[Any] = []

    def make_mapping(fd: int, size: int, *, tagname: str) -> mmap.mmap:
        asked.append((fd, size, tagname))
        return mmap.mmap(fd, size)

    segment_windows.open_memory("Local\\doppel-7", SIZE, make_mapping).close()
    assert asked == [(-1, SIZE, "Local\\doppel-7")]


@pytest.mark.skipif(sys.platform == "win32", reason="there they exist")
def test_tags_are_refused_elsewhere() -> None:
    with pytest.raises(SegmentError, match="do not exist on"):
        segment.open_memory(SegmentDescriptor(TAG, "Local\\doppel-7", SIZE))
