"""Builds the native parts for tests with this machine's C compiler, else with the one of PyPI's ziglang."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

NATIVE = Path(__file__).resolve().parents[2] / "shared" / "native"
RING_SOURCES = ("ring.c", "ring_worker.c", "pixels.c", "rgb.c", "mosaic.c", "platform.c")
"""What the ring alone is made of."""
FAKE_LIBOBS = ("fake_obs.c", "fake_filters.c", "fake_locks.c", "fake_pictures.c", "fake_source.c")
"""What the small libobs of ``tests/native`` is made of."""
FAKE_GRAPHICS = ("fake_graphics.c", "fake_textures.c")
"""And its small graphics library."""
OWN_LOCKS = tuple(f"-Ddoppel_{name}=doppel_system_{name}" for name in ("lock", "unlock"))
"""For ``platform.c`` beside the small libobs, which counts the locks that are held."""

_FLAGS = ("-std=c11", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror")


def load_build() -> ModuleType:
    """``shared/native/build.py``, which is in no package."""
    spec = importlib.util.spec_from_file_location("doppel_native_build", NATIVE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def compiler() -> list[str]:
    """The command of a C compiler."""
    for name in ("cc", "clang", "gcc"):
        found = shutil.which(name)
        if found:
            return [found]
    return [sys.executable, "-m", "ziglang", "cc"]


def compile_c(output: Path, sources: list[Path], *flags: str) -> Path:
    """Compiles and links; an error of the compiler is the error's text."""
    command = [*compiler(), *_FLAGS, *flags, "-I", str(NATIVE), "-o", str(output), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


def ring_library(folder: Path) -> Path:
    """The ring as a shared library with all of its functions exported."""
    name = "doppel_ring.dll" if sys.platform == "win32" else "libdoppel_ring.so"
    return compile_c(folder / name, [NATIVE / source for source in RING_SOURCES], "-shared", "-pthread")
