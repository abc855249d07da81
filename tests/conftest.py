"""Fixtures that several test folders share."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import cv2
import hypothesis
import pytest

# How long one example takes says nothing on a machine that other tests share.
hypothesis.settings.register_profile("doppel", deadline=None, max_examples=50)
hypothesis.settings.load_profile("doppel")
# As in the worker; and as many processes of tests as there are processors share these.
cv2.setNumThreads(1)

PROJECT = Path(__file__).resolve().parents[1]
# The packages are found whether or not the project is installed.
for _folder in ("obs_plugin", "models", "shared"):
    if str(PROJECT / _folder) not in sys.path:
        sys.path.insert(0, str(PROJECT / _folder))

from tests.support import gate_side, native_build  # noqa: E402 - needs the paths above


@pytest.fixture(scope="session")
def ring_library_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ring, built for this machine with its internal functions (ring_gate.h) exported."""
    return native_build.ring_library(tmp_path_factory.mktemp("ring"))


@pytest.fixture(scope="session")
def ring_library(ring_library_path: Path) -> ctypes.CDLL:
    """:func:`ring_library_path`, loaded, with every function declared."""
    return gate_side.load(ring_library_path)
