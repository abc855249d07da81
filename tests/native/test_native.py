"""The C of ``shared/native``, run under the sanitizers; what is built of it: ``test_builds.py``.

The tests themselves are C programs beside this file; each says in its head what it does.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.native_build import FAKE_GRAPHICS, FAKE_LIBOBS, OWN_LOCKS, RING_SOURCES, load_build

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
NATIVE = PROJECT / "shared" / "native"
REPORT = PROJECT / "docs" / "native-stress.md"

ASAN = "address,undefined"
TSAN = "thread"

build = load_build()

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the C tests are for POSIX; see test_builds.py"
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
    hasty: bool = False
    """Answers as RGB begin at once, not after a second without an event."""


RING_TESTS = (Program("test_ring", RING_SOURCES), Program("test_pixels", RING_SOURCES))
FAKES = (*FAKE_LIBOBS, "lane_rig.c", "fake_clock.c")
GATE_TESTS = tuple(
    Program(name, build.SOURCES, (*FAKES, "gate_scene.c"), turned_clock=True)
    for name in (
        "test_gate",
        "test_gate_filter",
        "test_gate_hotkeys",
        "test_gate_idle",
        "test_gate_lanes",
        "test_gate_neighbours",
        "test_gate_render",
        "test_gate_signals",
    )
)
RGB_TESTS = tuple(
    Program(name, build.SOURCES, (*FAKES, "gate_scene.c", "rgb_scene.c"), turned_clock=True)
    for name in ("test_gate_rgb", "test_gate_rgb_format")
)
SYNC_FAKES = (*FAKES, *FAKE_GRAPHICS, "gate_scene.c", "sync_scene.c")
SYNC_TESTS = tuple(
    Program(name, build.SOURCES, SYNC_FAKES, turned_clock=True)
    for name in ("test_gate_sync", "test_gate_sync_card", "test_gate_sync_still")
)
FRAME_PATH = Program("test_frame_path", build.SOURCES, SYNC_FAKES, turned_clock=True, counted_memory=True)
COUNTED = tuple(f"-D{name}=counted_{name}" for name in ("malloc", "calloc", "free"))
WALK = Program("walk_gate", build.SOURCES, (*FAKES, "walk.c"), turned_clock=True, hasty=True)
WALK_SYNC = Program("walk_sync", build.SOURCES, (*SYNC_FAKES, "walk.c"), turned_clock=True)
STRESS_RING = Program("stress_ring", RING_SOURCES)
STRESS_FAKES = (*FAKE_LIBOBS, *FAKE_GRAPHICS, "lane_rig.c")
STRESS_GATE = Program("stress_gate", build.SOURCES, STRESS_FAKES, hasty=True)


Compile = Callable[[Program, str], Path]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles each program and each source once a sanitizer: ``programs(program, sanitizer) -> Path``."""
    folder = tmp_path_factory.mktemp("native")
    numbers = itertools.count()

    @functools.cache
    def compiled_source(command: tuple[str, ...], source: Path) -> str:
        made = folder / f"{source.stem}-{next(numbers)}.o"
        subprocess.run([*command, "-c", str(source), "-o", str(made)], check=True)
        return str(made)

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
            own_clock = program.turned_clock and source.name == "platform.c"
            renamed = ["-Ddoppel_clock_ns=doppel_system_clock_ns"] if own_clock else []
            own_locks = "fake_locks.c" in program.helpers and source.name == "platform.c"
            renamed += OWN_LOCKS if own_locks else ()
            renamed += ["-DSETTLED_NS=0"] if program.hasty and source.name == "gate_rgb.c" else ()
            renamed += COUNTED if program.counted_memory and source.parent == NATIVE else ()
            objects.append(compiled_source((*command, *renamed), source))
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


# ---- behaviour -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", [*RING_TESTS, *GATE_TESTS, *RGB_TESTS, *SYNC_TESTS], ids=lambda program: program.name
)
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
