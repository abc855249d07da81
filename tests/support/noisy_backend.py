"""The box backend with the manners of a careless library: it prints, and it reads standard input."""

from __future__ import annotations

import os
import sys

from doppel_worker.backend import BackendConfig

from tests.support import box_backend

print("printed by a library on import", flush=True)


def load(config: BackendConfig) -> box_backend.BoxBackend:
    os.write(1, b"written to descriptor 1\n")
    assert sys.stdin.read() == ""
    return box_backend.load(config)
