import numpy as np
import pytest
from doppel_models import canonical
from doppel_models.engines.mesh import regions
from doppel_models.engines.mesh.uv import UvGrid, grid


def test_a_vertex_is_found_at_its_own_texel():
    face, table = canonical.load(), grid(128)
    positions = table.positions(face.vertices)
    for vertex in (1, 10, 152, 61, 291, 33, 263):
        column, row = np.rint(face.uv[vertex] * 128 - 0.5).astype(int)
        assert positions[row, column] == pytest.approx(face.vertices[vertex, :2], abs=0.25)


def test_interpolating_the_texture_coordinates_gives_the_texel_back():
    face, table = canonical.load(), grid(64)
    uv = table.interpolate(face.uv) * 64 - 0.5
    rows, columns = np.mgrid[0:64, 0:64]
    # Beside the mesh too: the nearest triangle is continued there.
    assert uv[:, :, 0] == pytest.approx(columns, abs=0.02)
    assert uv[:, :, 1] == pytest.approx(rows, abs=0.02)


def test_the_mesh_covers_the_middle_and_not_the_corners():
    table = UvGrid(32)
    assert table.inside[16, 16]
    assert not table.inside[0, 0]
    assert 0.55 < table.inside.mean() < 0.75


def test_an_outline_is_filled():
    lips = grid(128).polygon(regions.LIPS)
    assert 0.005 < (lips > 128).mean() < 0.05
    assert lips[:40].max() == 0
