"""Points of the mesh as other networks know them, and where templates put them."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_models.engines.crops import boost, templates
from hypothesis import given
from hypothesis import strategies as st

from tests.support.portrait import astronaut
from tests.support.probes.contracts import MEAN_FACE, fitted

# What dlib's predictor of iBUG's 68 points says of the portrait: points 17..48 and 54, pixels.
# fmt: off
DLIB = np.array([
    (186.2, 94.2), (191.8, 88.2), (200.2, 87.2), (208.8, 88.8), (216.2, 92.2), (236.2, 93.8), (244.2, 90.8),
    (252.2, 90.8), (260.2, 92.8), (265.2, 99.2), (225.8, 102.2), (225.2, 110.8), (225.2, 118.8),
    (224.8, 127.2), (214.2, 131.2), (219.2, 132.8), (224.2, 134.2), (229.2, 133.2), (234.2, 131.8),
    (195.2, 101.2), (200.2, 97.8), (206.8, 98.8), (212.2, 103.8), (206.2, 104.2), (199.8, 103.8),
    (237.8, 105.2), (243.2, 100.2), (249.8, 100.8), (255.2, 104.2), (250.2, 106.2), (243.8, 106.2),
    (200.2, 138.8), (245.8, 140.8),
])
# fmt: on


def test_the_mesh_gives_ibugs_points() -> None:
    points = templates.ibug_points(astronaut().landmarks)
    width = np.ptp(astronaut().landmarks[:, 0])
    distance = np.linalg.norm(points - DLIB, axis=1) / width
    # The inner ends of the brows are the least certain, to dlib as well.
    assert distance.max() < 0.075
    assert distance.mean() < 0.025
    # What counts is the mean face that is fitted to them.
    mesh, dlib = fitted(points.astype(float), MEAN_FACE), fitted(DLIB, MEAN_FACE)
    scale = np.linalg.norm(mesh[:, 0]) / np.linalg.norm(dlib[:, 0])
    assert abs(scale - 1) < 0.02
    middle = np.linalg.inv(mesh[:, :2]) @ (0.5 - mesh[:, 2])
    assert np.abs(dlib[:, :2] @ middle + dlib[:, 2] - 0.5).max() < 0.02


def test_the_mesh_gives_the_five_points() -> None:
    eyes = DLIB[19:25].mean(axis=0), DLIB[25:31].mean(axis=0)
    due = np.array([*eyes, DLIB[13], DLIB[31], DLIB[32]])
    distance = np.linalg.norm(templates.five_points(astronaut().landmarks) - due, axis=1)
    assert distance.max() / np.ptp(astronaut().landmarks[:, 0]) < 0.03


@pytest.mark.parametrize("template", [templates.FFHQ_512, templates.WHOLE_FACE])
@given(
    scale=st.floats(0.05, 8),
    angle=st.floats(-3.1, 3.1),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_crop_follows_the_face(
    template: templates.Template, scale: float, angle: float, shift: tuple[float, float]
) -> None:
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = astronaut().landmarks[:, :2]
    moved = (landmarks @ linear.T + shift).astype(np.float32)
    before, after = template.matrix(landmarks, 256), template.matrix(moved, 256)
    at = np.array([200.0, 120.0])
    one = before[:, :2] @ at + before[:, 2]
    two = after[:, :2] @ (linear @ at + shift) + after[:, 2]
    assert np.abs(one - two).max() < 0.05


@pytest.mark.parametrize("factor", boost.FACTORS)
def test_what_is_split_is_joined_again_and_every_part_shows_the_whole(factor: int) -> None:
    rng = np.random.default_rng(1)
    crop = rng.integers(0, 256, (12, 24, 3), np.uint8)
    parts = boost.split(crop, factor)
    assert len(parts) == factor**2
    assert (boost.join(parts, factor) == crop).all()
    if factor > 1:
        # The second part is one pixel further to the right.
        assert (parts[1] == crop[::factor, 1::factor]).all()


def test_a_boosted_crop_shows_what_the_plain_one_shows() -> None:
    matrix = templates.ARCFACE_128.matrix(astronaut().landmarks, 128)
    larger = boost.enlarged(matrix, 4)
    point = np.array([225.0, 120.0])
    plain, fine = (m[:, :2] @ point + m[:, 2] for m in (matrix, larger))
    # Pixel centres stand at whole numbers: the edges of the two crops are the same.
    assert np.abs((plain + 0.5) * 4 - (fine + 0.5)).max() < 1e-3
