"""What stands in front of a face is found; light, colour and glare are not taken for it."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from doppel_models import face_texture, photo_check
from doppel_models.errors import PersonaError
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_cover import covered_parts
from doppel_models.photo_file import PhotoFile
from doppel_models.types import ByteArray, FloatArray

from tests.support.networks import detector, landmarker
from tests.support.portrait import astronaut

EYES, ONE_EYE, MOUTH = [33, 133, 362, 263, 159, 145, 386, 374], [33, 133, 159, 145], [61, 291, 0, 17]
NOSE_AND_MOUTH = [4, 98, 327, *MOUTH]
UPPER_HALF = [10, 234, 454, 4, *EYES]
BLACK, BLUE, WHITE = (0, 0, 0), (30, 60, 200), (240, 240, 240)


@functools.cache
def portrait() -> ByteArray:
    made = cv2.resize(astronaut().rgb[0:240, 110:350], (480, 480), interpolation=cv2.INTER_CUBIC)
    return np.asarray(made, np.uint8)


@functools.cache
def face() -> FloatArray:
    return photo_check.only_face(PhotoFile("me.png", ".png", b"", portrait()), detector(), landmarker())


def boxed(points: list[int], color: tuple[int, int, int], grow: float = 0.08) -> ByteArray:
    """The portrait with a box of one colour over these landmarks."""
    made, room = portrait().copy(), grow * float(np.ptp(face()[:, 0]))
    (x0, y0), (x1, y1) = face()[points, :2].min(axis=0) - room, face()[points, :2].max(axis=0) + room
    made[round(y0) : round(y1), round(x0) : round(x1)] = color
    return made


@pytest.mark.parametrize(
    ("points", "color", "parts"),
    [
        (EYES, BLACK, {"the eyes"}),
        (ONE_EYE, BLACK, {"an eye"}),
        (NOSE_AND_MOUTH, BLUE, {"the nose", "the mouth"}),
        (UPPER_HALF, BLACK, {"most of the face"}),
        (MOUTH, BLUE, {"the mouth"}),
        (MOUTH, WHITE, {"the mouth"}),
    ],
)
def test_a_photo_with_something_in_front_of_the_face_is_refused_for_that(
    points: list[int], color: tuple[int, int, int], parts: set[str]
) -> None:
    photo = PhotoFile("me.png", ".png", b"", boxed(points, color))
    with pytest.raises(
        PersonaError, match=r"something covers .* in me\.png; use a photo with nothing in"
    ) as told:
        PersonaImporter().examine([photo])
    assert all(part in str(told.value) for part in parts)


@pytest.mark.parametrize(
    "light",
    [
        lambda picture: picture,
        lambda picture: picture * np.exp(np.linspace(0.2, -1.2, picture.shape[1]))[None, :, None],
        lambda picture: picture * 0.15,
        lambda picture: picture * 1.7 + 40,
        lambda picture: picture * 4.0,
        lambda picture: picture * [1.2, 0.9, 0.5],
        lambda picture: picture * [0.6, 0.9, 1.3],
    ],
    ids=["as it is", "from one side", "dim", "glaring", "white", "warm", "blue"],
)
def test_light_covers_nothing(light: Callable[[FloatArray], FloatArray]) -> None:
    picture = np.clip(light(portrait().astype(np.float32)), 0, 255).astype(np.uint8)
    assert covered_parts(face_texture.unwrap(picture, face()).texture) == ()


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
@pytest.mark.parametrize("frame", [0, 200])
def test_a_photo_that_lies_or_stands_on_its_head_gives_the_same_face(quarter_turns: int, frame: int) -> None:
    # With and without much room around the face.
    upright = cv2.copyMakeBorder(portrait(), *(frame,) * 4, cv2.BORDER_CONSTANT, value=(90, 110, 120))
    turned = np.ascontiguousarray(np.rot90(upright, quarter_turns))
    found = photo_check.only_face(PhotoFile("me.png", ".png", b"", turned), detector(), landmarker())
    view = face_texture.unwrap(turned, found)
    expected = face_texture.unwrap(portrait(), face())
    known = (view.weight > 0.5) & (expected.weight > 0.5)
    assert known.mean() > 0.4
    assert np.abs(view.texture - expected.texture)[known].mean() < 12
