"""What a persona of somebody else's may cost: memory, time, room on the disk."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doppel_models import canonical, persona_import
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.errors import PersonaError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, Persona, PersonaStore
from PIL import Image

PHOTOS = 8
WIDTH, HEIGHT = 1500, 1000
OWN = Consent("own", "Jo", "2026-01-31T12:00:00+00:00")
MESH = MeshPersona(
    np.zeros((512, 512, 3), np.uint8),
    np.zeros((512, 512), np.uint8),
    np.zeros((canonical.VERTEX_COUNT, 3), np.float32),
)


def bombs(folder: Path, photos: int) -> Persona:
    """Pictures of one colour: small files, of 4.5 MB each when they are decoded."""
    buffer = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 90)).save(buffer, "PNG", compress_level=1)
    return PersonaStore(folder).save("Bombs", [(".png", buffer.getvalue())] * photos, OWN)


@pytest.mark.parametrize("what", ["mesh", "add"])
def test_photos_are_not_all_in_memory_at_once(tmp_path: Path, what: str) -> None:
    importer = PersonaImporter()
    importer.load()

    def peak(photos: int) -> int:
        """Bytes that it takes at most to find that the first one shows no face."""
        store = PersonaStore(tmp_path / str(photos))
        persona = bombs(store.folder, photos)
        work: dict[str, Callable[[], object]] = {
            "mesh": lambda: importer.mesh(persona),
            "add": lambda: importer.add(store, persona.paths, "Again", OWN),
        }
        tracemalloc.start()
        try:
            with pytest.raises(PersonaError, match="no face"):
                work[what]()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(PHOTOS) < peak(1) + 3 * WIDTH * HEIGHT * 3


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
