import cv2
import numpy as np
import pytest
from doppel_models import canonical
from doppel_models.engines.mesh.raster import covering, projected, rasterize
from hypothesis import given
from hypothesis import strategies as st


def _quad(z: float, left: float, right: float) -> np.ndarray:
    return np.array([[left, 2, z], [left, 28, z], [right, 28, z], [right, 2, z]], np.float32)


_TWO = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_attributes_are_linear_and_the_shared_edge_leaves_no_hole():
    points = _quad(0, 2, 28)
    values = rasterize(points, covering(points[:, :2] / 32), _TWO, 32, 32)
    rows, columns = np.mgrid[3:28, 3:28]
    assert values[3:28, 3:28, 0] * 32 == pytest.approx(columns, abs=1e-3)
    assert values[3:28, 3:28, 1] * 32 == pytest.approx(rows, abs=1e-3)
    assert (values[3:28, 3:28, 2] > 0.999).all()
    assert not values[:2].any()
    assert not values[:, 30:].any()


def test_the_nearer_of_two_surfaces_is_seen_whatever_their_order():
    far, near = _quad(5, 2, 28), _quad(-5, 10, 20)
    for points, first in ((np.concatenate([far, near]), 0), (np.concatenate([near, far]), 1)):
        tags = np.repeat(
            np.array([[0.2, 0], [0.8, 0]] if first == 0 else [[0.8, 0], [0.2, 0]], np.float32), 4, axis=0
        )
        seen = rasterize(points, covering(tags), np.concatenate([_TWO, _TWO + 4]), 32, 32)[:, :, 0]
        assert seen[15, 15] == pytest.approx(0.8)
        assert seen[15, 5] == pytest.approx(0.2)


def test_faces_turned_away_are_not_drawn():
    points = _quad(0, 2, 28)
    assert not rasterize(points, np.ones((4, 3), np.float32), _TWO[:, ::-1].copy(), 32, 32).any()


def test_a_turned_head_hides_its_far_cheek_behind_its_nose():
    face = canonical.load()
    turn = np.deg2rad(50)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    points = (face.vertices @ rotation.T * 10 + [120, 120, 0]).astype(np.float32)
    shown = rasterize(points, covering(face.uv), face.triangles, 240, 240)
    nose_tip = points[1]
    u, v, _ = shown[round(float(nose_tip[1])), round(float(nose_tip[0]))]
    assert abs(u - face.uv[1, 0]) < 0.06
    assert abs(v - face.uv[1, 1]) < 0.06
    # Without hiding, far points would be found where they lie; one of each hidden pair must be missing.
    found = 0
    for vertex in range(468):
        x, y = np.rint(points[vertex, :2]).astype(int)
        found += bool(np.abs(shown[y, x, :2] - face.uv[vertex]).max() < 0.03)
    assert 150 < found < 440


@given(st.floats(0.5, 40), st.floats(-30, 30), st.floats(-30, 30), st.floats(-180, 180))
def test_coverage_is_that_of_opencv(scale, dx, dy, angle):
    turn = np.deg2rad(angle)
    corner = np.array([[0, -1], [-0.8, 0.7], [0.9, 0.6]]) @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    )
    points = np.concatenate([corner * scale + [32 + dx, 32 + dy], np.zeros((3, 1))], axis=1).astype(
        np.float32
    )
    ours = (
        rasterize(points, np.ones((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), 64, 64)[:, :, 0] > 0
    )
    canvas = np.zeros((256, 256), np.uint8)
    cv2.fillConvexPoly(canvas, np.rint((points[:, :2] + 96) * 256).astype(np.int32), 1, cv2.LINE_8, 8)
    kernel = np.ones((3, 3), np.uint8)
    inner, outer = (op(canvas, kernel)[96:160, 96:160] > 0 for op in (cv2.erode, cv2.dilate))
    assert ours[inner].all()
    assert not ours[~outer].any()


def test_nothing_in_view_gives_an_empty_picture():
    points = _quad(0, 500, 600)
    assert not rasterize(points, np.ones((4, 3), np.float32), _TWO, 32, 32).any()


def test_projected_points_lie_where_the_picture_has_them() -> None:
    """From the left and from below, with pixel centres at halves; what is nearer has less depth."""
    points = np.array([[0, 0, -5], [63.5, 20.25, 0], [99, 39, 12]], np.float32)
    found = projected(points, 100, 40)
    assert found[:, 0] == pytest.approx(points[:, 0] + 0.5, abs=0.001)
    assert found[:, 1] == pytest.approx(39.5 - points[:, 1], abs=0.001)
    assert (np.diff(found[:, 2]) > 0).all()
    assert (np.diff(found[:, 3]) < 0).all()
