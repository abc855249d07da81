"""Builds the fuzzers in C: libFuzzer with the address and the undefined-behaviour sanitizer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.native_build import FAKE_GRAPHICS, FAKE_LIBOBS, OWN_LOCKS, RING_SOURCES, load_build

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
NATIVE = PROJECT / "shared" / "native"
FAKES = PROJECT / "tests" / "native"
_FLAGS = (
    "-std=c11", "-g", "-O2", "-fno-omit-frame-pointer", "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror", "-pthread",
)  # fmt: skip
_OURS = (*OWN_LOCKS, *(f"-Ddoppel_{name}=doppel_system_{name}" for name in ("clock_ns", "map", "unmap")))
"""The gate's fuzzer has a clock and memory of its own, and counts locks."""
NAMES = ("gate", "ring")
_DONE = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_COVERED = re.compile(r"\bcov: (\d+) ft: (\d+)")


def compiler() -> str | None:
    """A clang that can link libFuzzer, or None."""
    for name in ("clang", *(f"clang-{version}" for version in range(22, 12, -1))):
        if shutil.which(name):
            command = [name, "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", os.devnull]
            code = "int LLVMFuzzerTestOneInput(const char *d, long n) { (void)d; (void)n; return 0; }"
            done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return name
    return None


def build(name: str, folder: Path) -> Path:
    """Compiles a fuzzer into a folder; only what has changed since the last time.

    Raises:
        subprocess.CalledProcessError: the compiler refuses.
    """
    clang = compiler()
    if clang is None:
        raise RuntimeError("no clang here can link libFuzzer (Debian: apt install clang libclang-rt-dev)")
    if name == "gate":
        sources = [NATIVE / file for file in load_build().SOURCES]
        sources += [FAKES / file for file in (*FAKE_LIBOBS, *FAKE_GRAPHICS)]
        sources += [HERE / "fuzz_obs.c", HERE / "fuzz_worker.c"]
    else:
        sources = [NATIVE / file for file in RING_SOURCES]
    sources.append(HERE / f"fuzz_{name}.c")
    folder.mkdir(parents=True, exist_ok=True)
    shared = [path for place in (NATIVE, FAKES, HERE) for path in place.glob("*.h")]
    newest = max(path.stat().st_mtime for path in (*shared, Path(__file__)))  # the flags stand here
    base = [clang, *_FLAGS, "-I", str(NATIVE), "-I", str(FAKES), "-I", str(HERE)]

    def compiled(source: Path) -> Path:
        made = folder / f"{name}-{source.stem}.o"
        if not made.exists() or made.stat().st_mtime < max(source.stat().st_mtime, newest):
            own = _OURS if name == "gate" and source.name == "platform.c" else ()
            subprocess.run([*base, *own, "-c", str(source), "-o", str(made)], check=True)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources))
    output = folder / f"fuzz_{name}"
    subprocess.run([*base, *map(str, objects), "-o", str(output)], check=True)
    return output


def run(program: Path, seconds: int, seed: int, folder: Path, *, thread: bool = False) -> str:
    """Runs a fuzzer for so long; its corpus and what it finds are kept in a folder.

    Args:
        program: what :func:`build` made.
        seconds: how long.
        seed: of its random sequence.
        folder: for the corpus, which is taken up again, and for findings.
        thread: a thread writes into the segment all the time, too (the gate's fuzzer).

    Returns:
        What happened, for people.

    Raises:
        AssertionError: a finding, with what the sanitizer said.
    """
    corpus = folder / f"{program.name}-corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    command = [str(program), f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=600", "-len_control=0"]
    command += [
        "-timeout=120",
        "-rss_limit_mb=3000",
        f"-artifact_prefix={folder}/{program.name}-",
        str(corpus),
    ]
    environment = dict(os.environ)
    environment["ASAN_OPTIONS"] = "quarantine_size_mb=32"
    if thread:
        environment["DOPPEL_FUZZ_THREAD"] = "1"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stderr[-8000:]}"
    ended, covered = _DONE.search(done.stderr), _COVERED.findall(done.stderr)
    assert ended is not None, done.stderr[-2000:]
    branches, features = covered[-1] if covered else ("?", "?")
    return (
        f"{program.name}{' beside a writing thread' if thread else ''}: {int(ended[1]):,} scripts in"
        f" {ended[2]} s, {branches} branches and {features} features covered,"
        f" {len(list(corpus.iterdir())):,} scripts kept"
    )
