"""Builds the native library (``shared/native``) for this machine, with its own build program."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from installer.environment import Environment
from installer.errors import CommandError
from installer.layout import MADE, PROJECT
from installer.progress import Progress
from installer.system import run_command

SOURCES = PROJECT / "shared" / "native"
FOLDER = MADE / "native"
_STAMP = "built.json"
_TODO = "install a C compiler (e.g. apt-get install gcc libc6-dev) and run the same command again"


def has_compiler() -> bool:
    """True where the system has a C compiler; else ``ziglang`` from PyPI is needed."""
    return any(shutil.which(name) for name in ("cc", "gcc", "clang"))


def build(environment: Environment, progress: Progress, folder: Path = FOLDER) -> Path:
    """Builds the library where it is not up to date and returns its path.

    Args:
        environment: its interpreter runs the build, and may hold ``ziglang``.
        progress: told what happens.
        folder: gets the library.

    Raises:
        CommandError: no compiler works; the message holds what it said.
    """
    sources = _sources_hash()
    built = _read_stamp(folder)
    if built is not None and built["sources"] == sources and Path(built["library"]).is_file():
        return Path(built["library"])
    command = [str(environment.python), str(SOURCES / "build.py"), "--out", str(folder)]
    caches = {name: str(folder / "zig-cache") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    output = run_command(command, "the native library cannot be built", _TODO, timeout=600, environ=caches)
    # The last line is the library's path, two spaces, and its size.
    library = Path(output.strip().splitlines()[-1].rpartition("  ")[0])
    if not library.is_file():
        raise CommandError("the native library cannot be built", f"there is no {library} after it", _TODO)
    (folder / _STAMP).write_text(json.dumps({"sources": sources, "library": str(library)}), encoding="utf-8")
    progress.say(f"built {library.name}")
    return library


def _sources_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in SOURCES.iterdir() if p.suffix in (".c", ".h", ".py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read_stamp(folder: Path) -> dict[str, str] | None:
    try:
        data = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and {"sources", "library"} <= set(data) else None
