from __future__ import annotations

from pathlib import Path

import pytest
from doppel_models.files.store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")
