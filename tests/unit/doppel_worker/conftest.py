from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from tests.support.worker_lane import LaneRig


@pytest.fixture
def rig(ring_library: ctypes.CDLL) -> Iterator[LaneRig]:
    made = LaneRig(ring_library, "invert")
    yield made
    made.close()
