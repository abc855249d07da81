from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate_side import GateSide
from tests.support.gpu_backend import gpu, gpu_backend  # noqa: F401 - fixtures
from tests.support.lanes import LAYOUT
from tests.support.worker_lane import LaneRig
from tests.support.worker_process import WorkerProcess


@pytest.fixture
def rig(ring_library: ctypes.CDLL) -> Iterator[LaneRig]:
    made = LaneRig(ring_library, "invert")
    yield made
    made.close()


@pytest.fixture
def worker(ring_library_path: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess(ring_library_path, tmp_path) as started:
        yield started


@pytest.fixture
def gate(ring_library: ctypes.CDLL) -> Iterator[GateSide]:
    with GateSide(ring_library, LAYOUT) as side:
        yield side
