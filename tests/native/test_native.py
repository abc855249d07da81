"""The C of ``shared/native``: every warning an error, run under the sanitizers, built for six platforms.

The tests themselves are C programs beside this file; each says in its head what it does.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.native_build import load_build

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
NATIVE = PROJECT / "shared" / "native"
REPORT = PROJECT / "docs" / "native-stress.md"
RING = ("platform.c", "ring.c", "ring_worker.c", "pixels.c", "rgb.c", "mosaic.c")

ASAN = "address,undefined"
TSAN = "thread"
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

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the C tests are for POSIX; see test_windows_*"
)


@functools.cache
def _sanitizing_compiler(sanitizer: str) -> str:
    """A compiler that can link this sanitizer: its libraries are packages of their own on some systems."""
    for name in ("clang", "gcc", "cc"):
        if shutil.which(name) is None:
            continue
        command = [name, f"-fsanitize={sanitizer}", "-x", "c", "-", "-o", os.devnull]
        done = subprocess.run(
            command, input="int main(void){return 0;}", capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return name
    pytest.skip(f"no compiler here can link -fsanitize={sanitizer} (Debian: apt install gcc)")


@dataclasses.dataclass(frozen=True)
class Program:
    """A C test and what it is linked with."""

    name: str
    sources: tuple[str, ...]
    helpers: tuple[str, ...] = ()
    turned_clock: bool = False
    counted_memory: bool = False


RING_TEST = Program("test_ring", RING)
FAKES = ("fake_obs.c", "lane_rig.c", "fake_clock.c")
GATE_TESTS = tuple(
    Program(name, build.SOURCES, (*FAKES, "gate_scene.c"), turned_clock=True)
    for name in (
        "test_gate",
        "test_gate_hotkeys",
        "test_gate_idle",
        "test_gate_render",
        "test_gate_rgb",
        "test_gate_signals",
    )
)
SYNC_FAKES = (*FAKES, "gate_scene.c", "fake_graphics.c", "sync_scene.c")
SYNC_TEST = Program("test_gate_sync", build.SOURCES, SYNC_FAKES, turned_clock=True)
FRAME_PATH = Program("test_frame_path", build.SOURCES, SYNC_FAKES, turned_clock=True, counted_memory=True)
COUNTED = tuple(f"-D{name}=counted_{name}" for name in ("malloc", "calloc", "free"))
WALK = Program("walk_gate", build.SOURCES, FAKES, turned_clock=True)
WALK_SYNC = Program("walk_sync", build.SOURCES, SYNC_FAKES, turned_clock=True)
STRESS_RING = Program("stress_ring", RING)
STRESS_GATE = Program("stress_gate", build.SOURCES, ("fake_obs.c", "fake_graphics.c", "lane_rig.c"))


Compile = Callable[[Program, str], Path]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles each program once a sanitizer: ``programs(program, sanitizer) -> Path``."""
    folder = tmp_path_factory.mktemp("native")

    @functools.cache
    def compiled(program: Program, sanitizer: str) -> Path:
        output = folder / f"{program.name}-{sanitizer.partition(',')[0]}"
        command = [_sanitizing_compiler(sanitizer), "-std=c11", "-g", "-O1", "-fno-omit-frame-pointer"]
        command += [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror"]
        command += ["-I", str(NATIVE), "-I", str(HERE), "-pthread"]
        objects = []
        for source in [NATIVE / name for name in program.sources] + [
            HERE / name for name in (*program.helpers, f"{program.name}.c")
        ]:
            made = folder / f"{output.name}-{source.stem}.o"
            own_clock = program.turned_clock and source.name == "platform.c"
            renamed = ["-Ddoppel_clock_ns=doppel_system_clock_ns"] if own_clock else []
            renamed += COUNTED if program.counted_memory and source.parent == NATIVE else ()
            subprocess.run([*command, *renamed, "-c", str(source), "-o", str(made)], check=True)
            objects.append(str(made))
        subprocess.run([*command, *objects, "-o", str(output)], check=True)
        return output

    return compiled


def _run(program: Path, *arguments: str, timeout: float = 250) -> str:
    done = subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, (
        f"{program.name} {' '.join(arguments)}: {done.returncode}\n{done.stdout[-500:]}{done.stderr[-6000:]}"
    )
    return done.stdout


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


# ---- behaviour -----------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [RING_TEST, *GATE_TESTS, SYNC_TEST], ids=lambda program: program.name)
def test_every_scenario_holds(programs: Compile, program: Program) -> None:
    assert "ok" in _run(programs(program, ASAN))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seccomp is Linux's")
def test_the_frame_path_allocates_nothing_and_calls_the_system_only_to_wake(programs: Compile) -> None:
    assert "ok" in _run(programs(FRAME_PATH, "undefined"))


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_order_of_events_draws_an_unjudged_picture(programs: Compile, seed: int) -> None:
    assert "judged" in _run(programs(WALK, ASAN), str(seed), "40000")


@pytest.mark.parametrize("seed", range(1, 5))
def test_no_order_of_events_draws_an_unjudged_picture_of_a_drawn_source(programs: Compile, seed: int) -> None:
    assert "judged" in _run(programs(WALK_SYNC, ASAN), str(seed), "40000")


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_worker_that_scribbles_over_its_segment_harms_nobody(programs: Compile, seed: int) -> None:
    _run(programs(WALK, ASAN), str(seed), "40000", "hostile")
    _run(programs(WALK_SYNC, ASAN), str(seed), "40000", "hostile")


@pytest.mark.parametrize("sanitizer", [TSAN, ASAN])
@pytest.mark.parametrize("peers", ["threads", "processes"])
def test_two_peers_never_share_a_slot(programs: Compile, sanitizer: str, peers: str) -> None:
    assert "changes of state" in _run(programs(STRESS_RING, sanitizer), peers, "350000")


@pytest.mark.parametrize("sanitizer", [TSAN, ASAN])
@pytest.mark.long
def test_all_threads_of_the_gate_at_once(programs: Compile, sanitizer: str) -> None:
    assert "judged" in _run(programs(STRESS_GATE, sanitizer), "4000")
    assert "judged" in _run(programs(STRESS_GATE, sanitizer), "3000", "sync")


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_the_long_run(programs: Compile) -> None:
    """Ten million changes of state and more, under each sanitizer; what it printed is kept in docs/."""
    lines = []
    for sanitizer in (TSAN, ASAN):
        for peers in ("threads", "processes"):
            printed = _run(programs(STRESS_RING, sanitizer), peers, "4000000", timeout=1200)
            lines.append(f"| ring, two {peers} | {sanitizer} | {printed.strip().removeprefix('ring: ')} |")
        printed = _run(programs(STRESS_GATE, sanitizer), "60000")
        lines.append(f"| gate, all threads | {sanitizer} | {printed.strip().removeprefix('gate: ')} |")
    for seed in range(100, 108):
        printed = _run(programs(WALK, ASAN), str(seed), "500000", timeout=1200)
        lines.append(
            f"| random walk {seed}, 500,000 steps | {ASAN} | {printed.strip().removeprefix('walk: ')} |"
        )
    head = (
        "# The native library under stress\n\n"
        "Written by `tests/native/test_native.py::test_the_long_run` (`python3 -m installer test --all`). "
        "No sanitizer reported anything.\n\n| what | sanitizer | result |\n|---|---|---|\n"
    )
    REPORT.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


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
    sources = [NATIVE / name for name in RING]
    ring = _zig_windows(tmp_path / "test_ring.exe", [HERE / "test_ring.c", *sources])
    assert "ring: ok" in _wine(tmp_path, ring)
    stress = _zig_windows(tmp_path / "stress_ring.exe", [HERE / "stress_ring.c", *sources])
    assert "changes of state" in _wine(tmp_path, stress, "threads", "200000")
