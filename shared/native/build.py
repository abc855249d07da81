"""Builds the native library.

``python3 shared/native/build.py [--out DIR] [--compiler cc|zig] [--all] [--check]``: the system's C compiler
where there is one, else ``ziglang`` from PyPI. ``--all`` builds the six platforms of a release with ziglang,
on any one of them. ``--check`` compiles with every warning an error and keeps nothing.
Standard library only, so that the installer can call :func:`build_host` before anything is installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_OUT = HERE / "build"
SOURCES = (
    "platform.c",
    "ring.c",
    "ring_worker.c",
    "pixels.c",
    "rgb.c",
    "mosaic.c",
    "gate_library.c",
    "gate_control.c",
    "gate_signals.c",
    "gate_hotkeys.c",
    "gate_answer.c",
    "gate_neighbours.c",
    "gate_lanes.c",
    "gate_source.c",
    "gate_frame.c",
    "gate_async.c",
    "gate_rgb.c",
    "gate_idle.c",
    "gate_render.c",
    "gate_surface.c",
    "gate_sync.c",
    "gate_sync_frame.c",
    "gate_sync_type.c",
)
FLAGS = (
    "-std=c11",
    "-O3",
    "-g0",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
)


class BuildError(RuntimeError):
    """No compiler, or it refused; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Target:
    """One platform: ``system`` and ``machine`` as in the file's name, and zig's own name for it."""

    system: str
    machine: str
    zig: str
    suffix: str

    @property
    def file_name(self) -> str:
        """``doppel_native-<system>-<machine>.<so|dll|dylib>``."""
        return f"doppel_native-{self.system}-{self.machine}{self.suffix}"


TARGETS = (
    Target("linux", "x86_64", "x86_64-linux-gnu.2.28", ".so"),
    Target("linux", "aarch64", "aarch64-linux-gnu.2.28", ".so"),
    Target("windows", "x86_64", "x86_64-windows-gnu", ".dll"),
    Target("windows", "aarch64", "aarch64-windows-gnu", ".dll"),
    Target("macos", "x86_64", "x86_64-macos.11.0", ".dylib"),
    Target("macos", "aarch64", "aarch64-macos.11.0", ".dylib"),
)


def host_target() -> Target:
    """The platform this Python runs on.

    Raises:
        BuildError: a platform that Doppel does not support.
    """
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    for target in TARGETS:
        if (target.system, target.machine) == (system, machine):
            return target
    raise BuildError(
        f"Doppel has no native library for {system} on {machine}; "
        "supported are Linux, Windows and macOS on x86_64 and aarch64"
    )


def find_compiler(wanted: str | None = None) -> list[str]:
    """The compiler as a command line.

    Args:
        wanted: ``cc`` (the system's), ``zig``, or None for whichever is there.

    Raises:
        BuildError: there is none.
    """
    if wanted in (None, "cc") and sys.platform != "win32":
        for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
            if name and shutil.which(name):
                return [name]
    if wanted in (None, "zig"):
        if importlib.util.find_spec("ziglang"):
            return [sys.executable, "-m", "ziglang", "cc"]
        if shutil.which("zig"):
            return ["zig", "cc"]
    raise BuildError("no C compiler found; install one (Debian: apt install gcc) or `pip install ziglang`")


def compile_library(compiler: Sequence[str], target: Target, output: Path, *, cross: bool) -> None:
    """Compiles all sources into one shared library at ``output`` (overwritten in place).

    Raises:
        BuildError: the compiler failed; the message holds what it said.
    """
    command = [*compiler, *FLAGS]
    if cross:
        command += ["-target", target.zig]
    if target.system != "windows":
        command += ["-fPIC"]
    # zig's linker for macOS strips by itself with -s; Apple's own has no -s any more.
    if cross or target.system != "macos":
        command += ["-s"]
    if target.system == "macos":
        command += [f"-Wl,-install_name,@rpath/{target.file_name}"]
    command += ["-shared", "-o", str(output), *(str(HERE / name) for name in SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"compiling {target.file_name} failed:\n{done.stderr.strip()}")


def _build(compiler: Sequence[str], target: Target, out_dir: Path, *, cross: bool) -> Path:
    """Compiles beside the goal and renames: a library that a running OBS has loaded is never written into."""
    out_dir.mkdir(parents=True, exist_ok=True)
    final = out_dir / target.file_name
    with tempfile.TemporaryDirectory(dir=out_dir, prefix=".build-") as scratch:
        built = Path(scratch) / target.file_name
        compile_library(compiler, target, built, cross=cross)
        built.replace(final)
    return final


def build_host(out_dir: Path = DEFAULT_OUT, compiler: str | None = None) -> Path:
    """Builds the library for this machine and returns its path.

    Raises:
        BuildError: no compiler, or compiling failed.
    """
    command = find_compiler(compiler)
    return _build(command, host_target(), out_dir, cross="cc" in command[1:])


def build_all(out_dir: Path = DEFAULT_OUT) -> list[Path]:
    """Builds all six platforms with ziglang and returns their paths.

    Raises:
        BuildError: ziglang is not there, or compiling failed.
    """
    zig = find_compiler("zig")
    return [_build(zig, target, out_dir, cross=True) for target in TARGETS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="DIR")
    parser.add_argument("--compiler", choices=("cc", "zig"), help="default: cc where there is one, else zig")
    parser.add_argument("--all", action="store_true", help="all six platforms, with ziglang")
    parser.add_argument("--check", action="store_true", help="compile only, keep nothing")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            with tempfile.TemporaryDirectory() as scratch:
                build_all(Path(scratch)) if options.all else build_host(Path(scratch), options.compiler)
            print("compiles without a warning")
            return 0
        built = build_all(options.out) if options.all else [build_host(options.out, options.compiler)]
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in built:
        print(f"{path}  {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
