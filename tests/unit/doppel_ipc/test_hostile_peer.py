"""A worker gone mad cannot crash the gate, which runs here in a process of its own: its death would show."""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc import segment
from doppel_ipc.ring import WorkerRing
from doppel_ipc.segment import SegmentDescriptor

from tests.support.worker_process import PROJECT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reaches the memory by /proc")

GATE = textwrap.dedent("""
    import sys
    from pathlib import Path
    from doppel_ipc import native
    from doppel_ipc.pixel_format import FrameLayout, PixelFormat
    from tests.support.gate_side import GateSide, load

    library = load(Path(sys.argv[1]))
    layout = FrameLayout.of(PixelFormat.NV12, 64, 48)
    gate = GateSide(library, layout)
    print(gate.segment.descriptor.name, gate.segment.descriptor.bytes, flush=True)
    frame = bytes(layout.size)
    full = results = 0
    while frames := sys.stdin.readline():
        for _ in range(int(frames)):
            full += not gate.submit(frame)
            found = gate.result()
            if found is not None:
                results += 1
                assert len(found[1]) == layout.size
            gate.slate()
            library.doppel_ring_oldest_ns(gate.ring)
        if int(frames) > 1:
            library.doppel_ring_flush(gate.ring)
        print(full, results, flush=True)
    gate.close()
    print("ended", flush=True)
""")


class Gate:
    """The gate's process."""

    def __init__(self, library: Path) -> None:
        paths = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-c", GATE, str(library)],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        name, size = self._line().split()
        self.descriptor = SegmentDescriptor("memfd", name, int(size))

    def step(self, frames: int = 200) -> tuple[int, int]:
        """Runs some frames, then flushes the ring if there were several.

        Returns:
            How many frames found no slot so far, and how many results came so far.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{frames}\n")
        self._process.stdin.flush()
        full, results = self._line().split()
        return int(full), int(results)

    def end(self) -> None:
        assert self._process.communicate(timeout=60)[0].strip() == "ended"
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the gate died: {self._process.wait(60)}"
        return line


def everything(memory: mmap.mmap, chance: random.Random) -> None:
    memory[:] = chance.randbytes(len(memory))


def one_byte_at_a_time(memory: mmap.mmap, chance: random.Random) -> None:
    for _ in range(300):
        memory[chance.randrange(4096)] = chance.randrange(256)


def state_words(memory: mmap.mmap, chance: random.Random) -> None:
    for slot in range(12):
        at = 512 + 256 * slot
        memory[at : at + 4] = chance.choice((0, 1, 2, 3, 4, 0xFFFFFFFF)).to_bytes(4, "little")


def geometry(memory: mmap.mmap, chance: random.Random) -> None:
    memory[0:256] = b"\xff" * 256


def zeros(memory: mmap.mmap, chance: random.Random) -> None:
    memory[:] = bytes(len(memory))


@pytest.mark.parametrize("scribble", [everything, one_byte_at_a_time, state_words, geometry, zeros])
def test_scribbling_over_the_segment_does_not_crash_the_gate(
    ring_library_path: Path, scribble: Callable[[mmap.mmap, random.Random], None]
) -> None:
    gate = Gate(ring_library_path)
    try:
        memory = segment.open_memory(gate.descriptor)
        chance = random.Random(7)
        for _ in range(30):
            scribble(memory, chance)
            gate.step()
        memory.close()
        gate.end()
    finally:
        gate.kill()


def test_truncating_the_segment_is_refused_and_does_not_crash_the_gate(ring_library_path: Path) -> None:
    gate = Gate(ring_library_path)
    try:
        fd = os.open(gate.descriptor.name, os.O_RDWR)
        for size in (0, 4096, gate.descriptor.bytes * 2):
            with pytest.raises(PermissionError):
                os.ftruncate(fd, size)
            gate.step()
        os.close(fd)
        gate.end()
    finally:
        gate.kill()


def test_a_worker_that_keeps_every_slot_stops_no_frame(
    ring_library_path: Path, ring_library: ctypes.CDLL
) -> None:
    """The gate then finds no slot, and goes on; what it shows is the cover."""
    gate = Gate(ring_library_path)
    try:
        ring = WorkerRing.open(ring_library, gate.descriptor)
        for _ in range(ring.slot_count):
            assert gate.step(1) == (0, 0)
            assert ring.next(5) is not None
        assert gate.step(200) == (200, 0)
        ring.close()
        gate.end()
    finally:
        gate.kill()
