"""What the worker gives up on Windows, by a stand-in for the system that answers as Windows documents it."""

from __future__ import annotations

import struct

import pytest
from doppel_worker import rights, rights_windows


class FakeWindows:
    """A token as Windows documents it: removed privileges are gone, attributes of others stay."""

    def __init__(self, *held: tuple[int, int], refuse: str = "") -> None:
        self.privileges = dict(held)
        self.mode = 0
        self.open = 0
        self._refuse = refuse

    def SetErrorMode(self, mode: int) -> None:  # noqa: N802 - Windows' name
        self.mode = mode

    def open_own_token(self, access: int) -> int | None:
        assert access == 0x28
        if self._refuse == "open":
            return None
        self.open += 1
        return 4711

    def token_information(self, token: int, kind: int) -> bytes | None:
        assert (token, kind) == (4711, 3)
        if self._refuse == "list":
            return None
        entries = (struct.pack("<IiI", low, 0, attributes) for low, attributes in self.privileges.items())
        return struct.pack("<I", len(self.privileges)) + b"".join(entries)

    def adjust(self, token: int, wanted: bytes) -> bool:
        (count,) = struct.unpack_from("<I", wanted)
        assert len(wanted) == 4 + 12 * count
        for low, high, attributes in struct.iter_unpack("<IiI", wanted[4:]):
            assert (high, attributes) == (0, 4)
            del self.privileges[low]
        return self._refuse != "adjust"

    def CloseHandle(self, token: int) -> None:  # noqa: N802 - Windows' name
        self.open -= 1

    def last_error(self) -> int:
        return 5


def test_an_administrators_privileges_are_gone_and_no_crash_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = FakeWindows((19, 0), (20, 2), (23, 3), (33, 0))
    monkeypatch.setattr(rights_windows, "_System", lambda: system)
    assert rights.give_up("win32") == ()
    assert system.privileges == {23: 3}
    assert system.mode & 2
    assert system.open == 0


@pytest.mark.parametrize(
    ("refuse", "words"), [("open", "given up: error 5"), ("list", "listed: error 5"), ("adjust", "given up")]
)
def test_what_windows_refuses_is_told(refuse: str, words: str) -> None:
    system = FakeWindows((20, 2), refuse=refuse)
    (told,) = rights_windows.give_up(system)
    assert words in told
    assert system.open == 0
