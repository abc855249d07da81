"""Every fuzzer for some seconds; the long runs are in docs/reliability.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import control, native
from tests.fuzz.control_run import changed
from tests.fuzz.mutation import Mutator, with_checksums

PROJECT = Path(__file__).resolve().parents[2]

needs_clang = pytest.mark.skipif(
    native.compiler() is None,
    reason="no clang here can link libFuzzer (Debian: apt install clang libclang-rt-dev)",
)


def fuzz(*arguments: str, timeout: float = 250) -> str:
    """Runs a fuzzer in a process of its own, which a finding may end."""
    paths = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin", "")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *arguments],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths), OMP_NUM_THREADS="1"),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, (
        f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr[-6000:]}"
    )
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize("what", ["pictures", "personas", "records", "caches", "models"])
def test_a_hostile_file_is_read_or_refused_in_words(what: str, tmp_path: Path) -> None:
    said = fuzz(what, "--cases", "600", "--seed", "71", "--folder", str(tmp_path))
    assert "600 cases" in said
    assert " 0 taken" not in said  # some pass, so the readers were really reached


@pytest.mark.long
def test_whatever_is_said_is_a_message_or_one_fault(tmp_path: Path) -> None:
    assert "messages" in fuzz("control", "--cases", "20000", "--seed", "71", "--folder", str(tmp_path))


@pytest.mark.long
@needs_clang
@pytest.mark.parametrize("options", [("ring",), ("gate",), ("gate", "--thread")], ids=" ".join)
def test_a_worker_gone_mad_harms_nobody(options: tuple[str, ...], tmp_path: Path) -> None:
    said = fuzz(*options, "--seconds", "8", "--seed", "71", "--folder", str(tmp_path))
    assert "scripts" in said


def test_good_conversations_are_understood_and_changed_ones_mostly_are_not() -> None:
    assert all(control.judge(seed) > 0 for seed in control.seeds())
    known = control.seeds()
    assert len({changed(f"x {number}", known) for number in range(200)}) > 190


def test_a_case_is_the_same_for_the_same_seed() -> None:
    data = bytes(range(256)) * 4
    assert Mutator("a").bytes(data) == Mutator("a").bytes(data) != Mutator("b").bytes(data)


def test_a_changed_png_file_has_the_checksums_of_what_it_holds() -> None:
    from tests.fuzz.pictures import PICTURES

    good = PICTURES["png"]
    broken = good.replace(b"IDAT", b"IDAX")
    assert with_checksums(good) == good
    assert with_checksums(broken) != broken
    assert with_checksums(with_checksums(broken)) == with_checksums(broken)
