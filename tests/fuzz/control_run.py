"""Runs the fuzzer of the control protocol: guided by coverage (atheris) where that is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_SECONDS = 120
"""A conversation that takes longer hangs."""


def run(messages: int, seed: int, folder: Path) -> str:
    """Tries so many messages; returns what happened.

    Args:
        messages: at least how many.
        seed: of the random sequence.
        folder: for the corpus, which is taken up again, and for findings.

    Raises:
        AssertionError: a finding, with what was said.
    """
    if importlib.util.find_spec("atheris") is None:
        return _blind(messages, seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(PROJECT / name) for name in ("shared", "")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.control_run", str(messages), str(seed), str(folder)],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    result = folder / "control-result"
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout[-3000:]}{done.stderr[-8000:]}"
    assert result.exists(), done.stderr[-3000:]
    return result.read_text(encoding="utf-8")


def _blind(messages: int, seed: int) -> str:
    from tests.fuzz import control

    known = control.seeds()
    begun, tried, number = time.monotonic(), 0, 0
    while tried < messages:
        tried += control.judge(changed(f"control {seed} {number}", known))
        number += 1
    return f"control: {tried:,} messages in {number:,} conversations, blind, {time.monotonic() - begun:.0f} s"


def changed(seed: str, known: list[bytes], found: bytes = b"") -> bytes:
    """A conversation with changes, of values or of bytes; of ``found`` where that is one."""
    from tests.fuzz import control
    from tests.fuzz.mutation import Mutator

    mutator = Mutator(seed)
    data = found if len(found) > 2 else mutator.chance.choice(known)
    if data[0] & control.RAW or mutator.chance.random() < 0.2:
        return mutator.bytes(data)
    lines = data[1:].split(b"\n")
    at = mutator.chance.randrange(len(lines))
    try:
        value: Any = json.loads(lines[at])
    except (ValueError, RecursionError):
        return mutator.bytes(data)
    lines[at] = control.line(mutator.json(value))
    return data[:1] + b"\n".join(lines)


def _guided(messages: int, seed: int, folder: Path) -> None:
    """In a process of its own, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["doppel_ipc"]):
        from tests.fuzz import control
    corpus = folder / "control-corpus"
    corpus.mkdir(exist_ok=True)
    known = control.seeds()
    for number, data in enumerate(known):
        (corpus / f"seed-{number}").write_bytes(data)
    dictionary = folder / "control-words"
    lines = (word.replace("\\", "\\\\").replace('"', '\\"') for word in control.words())
    dictionary.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    result = folder / "control-result"
    result.unlink(missing_ok=True)
    begun = time.monotonic()
    tried = conversations = 0

    def one(data: bytes) -> None:
        nonlocal tried, conversations
        before = tried // 100_000
        tried += control.judge(data)
        conversations += 1
        if tried // 100_000 != before:
            (folder / "control-progress").write_text(f"{tried}\n", encoding="ascii")
        if tried >= messages:
            result.write_text(
                f"control: {tried:,} messages in {conversations:,} conversations, guided by coverage"
                f" (atheris), {len(list(corpus.iterdir())):,} conversations kept,"
                f" {time.monotonic() - begun:.0f} s",
                encoding="utf-8",
            )
            os._exit(0)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        if number % 2 == 0:
            return bytes(atheris.Mutate(data, most))
        return changed(f"control {seed} {number}", known, data)[:most]

    options = [
        f"-seed={seed}",
        "-max_len=6000",
        "-len_control=0",
        f"-timeout={_SECONDS}",
        "-rss_limit_mb=3000",
    ]
    options += [f"-dict={dictionary}", f"-artifact_prefix={folder}/control-", str(corpus)]
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    _guided(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
