from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doppel_obs import desktop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stands for Linux's programs")


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_text_reaches_the_clipboard_program_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    program(tmp_path, "xclip", "exit 1")
    program(tmp_path, "xsel", f"cat > {tmp_path}/clip")

    assert desktop.copy_text("Grüße")
    assert (tmp_path / "clip").read_text(encoding="utf-8") == "Grüße"


def test_without_a_program_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not desktop.copy_text("x")
    assert not desktop.open_path(tmp_path)


def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(desktop, "SECONDS", 0.2)
    for name in ("wl-copy", "xclip", "xsel"):
        program(tmp_path, name, "exec sleep 60")

    assert not desktop.copy_text("x")
