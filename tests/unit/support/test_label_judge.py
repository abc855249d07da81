"""The judge of the label tells a picture with it from one without, also after an encoder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.types import ByteArray
from doppel_worker.label import draw

from tests.support.coded_clip import coded_frames
from tests.support.label_judge import LabelJudge

SIZE = (640, 360)


@pytest.fixture(scope="module")
def original() -> ByteArray:
    return next(coded_frames(*SIZE, 1))


def labelled(rgb: ByteArray, text: str) -> ByteArray:
    settings = FilterSettings()
    label = draw(text, settings.label_corner, settings.label_size, *SIZE)
    assert label is not None
    result, share = rgb.copy(), label.mask[..., None] / 255
    part = result[label.rect.y0 : label.rect.y1, label.rect.x0 : label.rect.x1]
    part[:] = np.rint(part * (1 - share) + label.rgb * share)
    return result


def encoded(rgb: ByteArray) -> ByteArray:
    """As a hard-pressed encoder leaves it."""
    _, jpeg = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_UNCHANGED), np.uint8)


def test_a_picture_with_the_label_is_told_from_one_without(original: ByteArray) -> None:
    judge = LabelJudge([original])
    text = FilterSettings().label_text
    assert judge.is_labelled(encoded(labelled(original, text)), 0)
    assert not judge.is_labelled(encoded(original), 0)


def test_an_empty_pill_is_no_label(original: ByteArray) -> None:
    assert not LabelJudge([original]).is_labelled(encoded(labelled(original, "        ")), 0)
