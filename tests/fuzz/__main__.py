"""``python -m tests.fuzz``: one fuzzer, for as long as wanted; docs/reliability.md has the long runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FILES = ("pictures", "jpeg", "png", "webp", "personas", "records", "caches", "models")


def main() -> None:
    """Runs it; a finding ends it with what was found, and keeps the input in the folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", choices=("control", "gate", "ring", *FILES))
    parser.add_argument(
        "--cases", type=int, default=10_000, help="of files, or messages of the control protocol"
    )
    parser.add_argument("--seconds", type=int, default=60, help="of the gate's and the ring's fuzzers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--thread", action="store_true", help="gate: a thread writes into the segment all the time"
    )
    parser.add_argument("--again", type=Path, metavar="CASE", help="runs one kept case of files")
    parser.add_argument("--folder", type=Path, default=PROJECT / "out" / "fuzz", help="corpora and findings")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in ("obs_plugin", "models", "shared"):
        sys.path.insert(0, str(PROJECT / name))
    print(_run(given), flush=True)


def _run(given: argparse.Namespace) -> str:
    if given.what in FILES:
        from tests.fuzz import driver

        if given.again is not None:
            return driver.again(given.what, given.again)
        return driver.run(given.what, given.cases, given.seed, given.folder / f"{given.what}-case")
    if given.what == "control":
        from tests.fuzz import control_run

        return control_run.run(given.cases, given.seed, given.folder)
    from tests.fuzz import native

    program = native.build(given.what, given.folder / "build")
    return native.run(program, given.seconds, given.seed, given.folder, thread=given.thread)


if __name__ == "__main__":
    main()
