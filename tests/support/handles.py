"""Counting what a process holds open, for leak tests."""

from __future__ import annotations

from pathlib import Path


def open_descriptors() -> int:
    """File descriptors of this process (Linux)."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def mappings(of: str, process: int | str = "self") -> int:
    """Lines of a process's memory map that name ``of`` (Linux)."""
    return sum(of in line for line in Path(f"/proc/{process}/maps").read_text(encoding="utf-8").splitlines())
