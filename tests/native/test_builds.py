"""The C of ``shared/native``, built: every warning an error, six platforms, the Windows build under wine."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.native_build import RING_SOURCES, load_build

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "shared" / "native"
CC_WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow")
# -Weverything without what contradicts C11, the layout that libobs gives, or the house style.
CLANG_SENSELESS = (
    "padded",
    "declaration-after-statement",
    "unknown-warning-option",
    "unsafe-buffer-usage",
    "cast-qual",
    "pre-c11-compat",
    "switch-default",
)


build = load_build()

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the compilers here are for POSIX")


# ---- warnings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", build.SOURCES)
def test_the_library_compiles_without_any_warning(source: str, tmp_path: Path) -> None:
    tried = False
    for name in ("gcc", "clang", "cc"):
        if shutil.which(name) is None:
            continue
        tried = True
        flags = list(CC_WARNINGS)
        if name == "clang":
            flags = ["-Weverything", *(f"-Wno-{one}" for one in CLANG_SENSELESS)]
        command = [name, "-std=c11", "-O2", *flags, "-Werror", "-c", str(NATIVE / source)]
        done = subprocess.run(
            [*command, "-o", str(tmp_path / "o")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    if not tried:
        pytest.skip("no C compiler of the system; ziglang's own build is tested below")


# ---- platforms -----------------------------------------------------------------------------------

needs_zig = pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed (pip install ziglang)"
)


@pytest.fixture(scope="module")
def six_platforms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All builds; the first on a machine takes minutes, because zig compiles each libc's start files."""
    built: list[Path] = build.build_all(tmp_path_factory.mktemp("platforms"))
    return {path.name: path for path in built}


@pytest.mark.long
@needs_zig
@pytest.mark.timeout(900)
def test_one_command_builds_all_six_platforms(six_platforms: dict[str, Path]) -> None:
    magic = {
        "doppel_native-linux-x86_64.so": b"\x7fELF",
        "doppel_native-linux-aarch64.so": b"\x7fELF",
        "doppel_native-windows-x86_64.dll": b"MZ",
        "doppel_native-windows-aarch64.dll": b"MZ",
        "doppel_native-macos-x86_64.dylib": b"\xcf\xfa\xed\xfe",
        "doppel_native-macos-aarch64.dylib": b"\xcf\xfa\xed\xfe",
    }
    assert {name: path.read_bytes()[: len(magic[name])] for name, path in six_platforms.items()} == magic
    assert all(path.stat().st_size < 300_000 for path in six_platforms.values())


@pytest.mark.long
@needs_zig
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64" or shutil.which("readelf") is None,
    reason="needs binutils on x86_64 Linux",
)
def test_the_linux_build_runs_on_old_systems(six_platforms: dict[str, Path]) -> None:
    """glibc 2.28 (Debian 10, RHEL 8) is the oldest that we promise."""
    library = six_platforms["doppel_native-linux-x86_64.so"]
    listed = subprocess.run(
        ["readelf", "-V", str(library)], capture_output=True, text=True, check=True
    ).stdout
    needed = {
        tuple(int(part) for part in word.removeprefix("GLIBC_").split("."))
        for word in listed.split()
        if word.startswith("GLIBC_2")
    }
    assert needed
    assert max(needed) <= (2, 28)


def test_a_library_in_use_is_replaced_not_overwritten(tmp_path: Path) -> None:
    first = build.build_host(tmp_path)
    with first.open("rb") as in_use:
        before = in_use.read()
        assert build.build_host(tmp_path) == first
        in_use.seek(0)
        assert in_use.read() == before
        assert os.fstat(in_use.fileno()).st_ino != first.stat().st_ino
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_compiler_that_fails_leaves_the_old_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = build.build_host(tmp_path)
    before = library.read_bytes()
    monkeypatch.setattr(build, "SOURCES", (*build.SOURCES, "no_such_file.c"))
    with pytest.raises(build.BuildError, match="no_such_file"):
        build.build_host(tmp_path)
    assert library.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [library.name]


WINE = shutil.which("wine64") or shutil.which("wine")
needs_wine = pytest.mark.skipif(
    WINE is None, reason="wine is not installed (Debian: apt install wine64 wine)"
)


def _wine(folder: Path, program: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "WINEPREFIX": str(folder / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        "DISPLAY": "",
    }
    command = [str(WINE), str(program), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=400, check=False, env=environment, cwd=program.parent
    )
    assert done.returncode == 0, f"{program.name}: {done.returncode}\n{done.stdout}\n{done.stderr[-4000:]}"
    return done.stdout


def _zig_windows(output: Path, sources: list[Path]) -> Path:
    command = [*build.find_compiler("zig"), "-target", "x86_64-windows-gnu", "-std=c11", "-O2"]
    command += ["-Wall", "-Wextra", "-Werror", "-I", str(NATIVE), "-I", str(HERE), "-o", str(output)]
    subprocess.run([*command, *map(str, sources)], check=True)
    return output


@pytest.mark.long
@needs_zig
@needs_wine
@pytest.mark.timeout(900)
def test_the_windows_build_works(six_platforms: dict[str, Path], tmp_path: Path) -> None:
    """The DLL is loaded by its name, driven through a lane by two threads; the ring's own tests run, too."""
    dll = six_platforms["doppel_native-windows-x86_64.dll"]
    shutil.copy(dll, tmp_path / dll.name)
    loader = _zig_windows(tmp_path / "load_dll.exe", [HERE / "load_dll.c"])
    assert "dll: ok" in _wine(tmp_path, loader, dll.name)
    sources = [NATIVE / name for name in RING_SOURCES]
    for name in ("ring", "pixels"):
        program = _zig_windows(tmp_path / f"test_{name}.exe", [HERE / f"test_{name}.c", *sources])
        assert f"{name}: ok" in _wine(tmp_path, program)
    stress = _zig_windows(tmp_path / "stress_ring.exe", [HERE / "stress_ring.c", *sources])
    assert "changes of state" in _wine(tmp_path, stress, "threads", "200000")
