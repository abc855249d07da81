import numpy as np
import pytest

from tests.support.faces import FourFaces, OccludedFace
from tests.support.portrait import astronaut, face_height, paste_head


def test_mirrored_portrait_keeps_the_meaning_of_its_landmarks() -> None:
    plain, mirrored = astronaut(), astronaut().mirrored()
    # 33 and 263: outer corners of the person's right and left eye; the right one is on the picture's left.
    assert plain.landmarks[33, 0] < plain.landmarks[263, 0]
    assert mirrored.landmarks[33, 0] < mirrored.landmarks[263, 0]
    x, y = np.round(mirrored.landmarks[468, :2]).astype(int)
    assert mirrored.rgb[y - 1 : y + 2, x - 1 : x + 2].mean() < 90  # the pupil
    np.testing.assert_allclose(mirrored.mirrored().landmarks, plain.landmarks, atol=1e-4)


def test_pasted_landmarks_lie_on_the_pasted_features() -> None:
    canvas = np.full((400, 500, 3), 255, np.uint8)
    points = paste_head(canvas, astronaut(), center=(260, 210), height=250, roll=15)
    assert face_height(points) == pytest.approx(250, rel=1e-4)
    np.testing.assert_allclose(points[:, :2].mean(axis=0), (260, 210), atol=1e-3)
    for pupil in (468, 473):
        x, y = np.round(points[pupil, :2]).astype(int)
        assert canvas[y - 2 : y + 3, x - 2 : x + 3].mean() < 90


def test_four_faces_keep_apart_and_one_leaves() -> None:
    scene = FourFaces(away=(10, 20))
    assert [truth.person for truth in scene.frame(9)[1]] == [0, 1, 2, 3]
    assert [truth.person for truth in scene.frame(10)[1]] == [0, 1, 2]
    orders = set()
    for index in range(0, 150, 5):
        _, truths = scene.frame(index)
        orders.add(truths[0].center[0] < truths[1].center[0])
        for one in truths:
            for other in truths[one.person + 1 :]:
                apart_x = max(one.bbox[0], other.bbox[0]) - min(one.bbox[2], other.bbox[2])
                apart_y = max(one.bbox[1], other.bbox[1]) - min(one.bbox[3], other.bbox[3])
                assert max(apart_x, apart_y) > 0, (index, one.person, other.person)
    assert orders == {True, False}  # persons 0 and 1 change sides


def test_frames_are_the_same_every_time() -> None:
    np.testing.assert_array_equal(FourFaces(640, 360).frame(33)[0], FourFaces(640, 360).frame(33)[0])


@pytest.mark.parametrize("kind", ["hand", "object"])
def test_occluder_changes_only_what_its_mask_says(kind: str) -> None:
    clip = OccludedFace(kind, count=31, width=640, height=360, face_px=150)
    inner = [clip.landmarks[:, :2].min(axis=0), clip.landmarks[:, :2].max(axis=0)]
    (x0, y0), (x1, y1) = (np.round(corner).astype(int) for corner in inner)
    cover = []
    for frame in clip.frames():
        changed = (frame.rgb != frame.clean).any(axis=2)
        assert not (changed & (frame.mask == 0)).any()
        cover.append(float(frame.mask[y0:y1, x0:x1].mean()))
    assert cover[0] == cover[-1] == 0
    assert 0.2 < max(cover) < 0.8  # part of the face, not all


def test_hand_has_the_colour_of_skin_and_the_object_has_not() -> None:
    face = astronaut()
    cheek = face.rgb[115:122, 195:205].reshape(-1, 3).mean(axis=0)

    def hue_distance(kind: str) -> float:
        frame = OccludedFace(kind, width=640, height=360, face_px=150).frame(30)
        color = frame.rgb[frame.mask > 0.99].astype(float).mean(axis=0)
        return float(np.abs(color / color.sum() - cheek / cheek.sum()).max())

    assert hue_distance("hand") < 0.04 < 0.15 < hue_distance("object")
