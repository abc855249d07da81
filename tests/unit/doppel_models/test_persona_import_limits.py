"""What a persona of somebody else's may cost: memory, time, room on the disk."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from doppel_models import canonical, persona_import
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.errors import PersonaError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, PersonaStore
from doppel_models.photo_file import decode_photo
from PIL import Image

from tests.support.large_photos import DECODED_BYTES, HEIGHT, WIDTH, large_photo, memory_at_each

PHOTOS = 3
OWN = Consent("own", "Jo", "2026-01-31T12:00:00+00:00")
MESH = MeshPersona(
    np.zeros((512, 512, 3), np.uint8),
    np.zeros((512, 512), np.uint8),
    np.zeros((canonical.VERTEX_COUNT, 3), np.float32),
)


@pytest.mark.parametrize("what", ["mesh", "add"])
def test_photos_are_not_all_in_memory_at_once(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer = PersonaImporter()
    photos = [(".jpg", large_photo())] * PHOTOS
    importer.examine([decode_photo("first", photos[0][1])])  # what is made once and kept is there now
    store = PersonaStore(tmp_path)
    persona = store.save("Large", photos, OWN)
    with memory_at_each(monkeypatch) as used:
        if what == "mesh":
            importer.mesh(persona)
        else:
            importer.add(store, persona.paths, "Again", OWN)
    assert len(used) == PHOTOS
    # Beside the one photo there is what was made of the others: a third of a photo each.
    assert max(used) < 2.5 * DECODED_BYTES


def test_a_large_photo_without_a_face_takes_no_more_than_it_has_to() -> None:
    importer, plain = PersonaImporter(), io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 100)).save(plain, "PNG")
    photo = decode_photo("plain", plain.getvalue())
    importer.load()
    tracemalloc.start()
    try:
        with pytest.raises(PersonaError, match="no face is found"):
            importer.examine([photo])
        # Turned, it is there a second time; with room around it, made smaller, it takes two thirds more.
        assert tracemalloc.get_traced_memory()[1] < 4 * DECODED_BYTES
    finally:
        tracemalloc.stop()


def test_a_photo_that_is_a_long_strip_has_no_face() -> None:
    strip = io.BytesIO()
    Image.new("RGB", (64_000, 64)).save(strip, "PNG")
    with pytest.raises(PersonaError):
        PersonaImporter().examine([decode_photo("strip", strip.getvalue())])
    narrow = io.BytesIO()
    Image.new("RGB", (64, 300_000)).save(narrow, "PNG")
    with pytest.raises(PersonaError):
        PersonaImporter().examine([decode_photo("narrow", narrow.getvalue())])


def test_a_cache_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    """``zipfile`` would read the list of contents at once, which takes no room on the disk."""
    path, size = tmp_path / "cache.npz", 64 << 20
    with path.open("wb") as file:
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0))
    tracemalloc.start()
    try:
        assert persona_import._read_cache(path) is None
        assert tracemalloc.get_traced_memory()[1] < size // 16
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_a_cache_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cache.npz")
    assert persona_import._read_cache(tmp_path / "cache.npz") is None


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_cache_for_which_there_is_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "ann" / "cache" / "a.npz"
    path.parent.parent.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, hard))
    try:
        with pytest.raises(PersonaError, match="cannot be written"):
            persona_import._write_cache(path, MESH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == []
