from __future__ import annotations

from pathlib import Path

import pytest
from doppel_models import weights
from doppel_models.errors import WeightsError


@pytest.mark.parametrize("file", weights.BUNDLED, ids=lambda file: file.name)
def test_every_bundled_file_is_the_one_that_was_shipped(file: weights.BundledFile) -> None:
    assert len(file.read()) > 10_000


def test_the_list_of_hashes_for_people_is_the_one_in_the_code() -> None:
    lines = (weights.FOLDER / "SHA256SUMS").read_text().split()
    assert dict(zip(lines[1::2], lines[::2], strict=True)) == {f.name: f.sha256 for f in weights.BUNDLED}


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(weights.FACE_DETECTOR.read())
    data[1000] ^= 1
    (tmp_path / weights.FACE_DETECTOR.name).write_bytes(data)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match="is damaged"):
        weights.FACE_DETECTOR.read()


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"face_detector\.onnx"):
        weights.FACE_DETECTOR.read()
