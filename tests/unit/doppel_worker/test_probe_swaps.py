"""Every kind of model swaps through the whole pipeline: geometry, channels, values and identity are exact.

The models are probes (``tests.support.probes``): files with the contract of the real ones that compute a
known function of their input. What must be seen follows from the origins of the contracts, not from the code.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.mesh import regions
from doppel_models.types import ByteArray

from tests.support.probes import build
from tests.support.probes.contracts import CONTRACTS, FIVE_POINTS, Contract
from tests.support.probes.stage import (
    ProbeStage,
    engine_of,
    photo,
    picture,
    reference_crop,
    swapper_of,
    vectors,
)

BY_VECTOR = ("inswapper", "hyperswap", "simswap_256", "simswap_512", "ghost", "hififace")
_SPOTS = np.array([(0.42, 0.45), (0.58, 0.47), (0.5, 0.58), (0.45, 0.68), (0.56, 0.67)])
"""Fractions of the crop; inside the face in every template."""


def spots(size: int) -> build.Picture:
    """Gray, with five soft white spots."""
    y, x = np.mgrid[0:size, 0:size]
    shown = np.full((size, size, 3), 0.3)
    for cx, cy in _SPOTS * size:
        shown += 0.6 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (0.014 * size) ** 2))[..., None]
    return shown


def centroids(stage: ProbeStage, contract: Contract) -> np.ndarray:
    """Where the spots are seen, near where they are due."""
    image = stage.after.astype(np.float64).mean(axis=2) - 0.3 * 255
    due = stage.at(contract, _SPOTS * contract.size)
    reach = 3.2 * 0.014 * np.linalg.norm(np.diff(stage.at(contract, [(0, 0), (contract.size, 0)]), axis=0))
    found = []
    for x, y in due:
        x0, y0 = round(x - reach), round(y - reach)
        part = np.maximum(image[y0 : round(y + reach) + 1, x0 : round(x + reach) + 1] - 3, 0)
        rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
        found.append((x0 + (part * columns).sum() / part.sum(), y0 + (part * rows).sum() / part.sum()))
    return np.array(found)


def core(stage: ProbeStage, scale: float = 0.6) -> ByteArray:
    """(h, w) bool: well inside the face's outline."""
    outline = stage.spy.face.landmarks[regions.OVAL, :2]
    middle = outline.mean(axis=0)
    canvas = np.zeros(stage.before.shape[:2], np.uint8)
    cv2.fillPoly(canvas, [np.rint(middle + scale * (outline - middle)).astype(np.int32)], 1)
    return canvas.astype(bool)


@pytest.mark.parametrize("boost", [1, 2])
@pytest.mark.parametrize("name", CONTRACTS)
def test_what_the_network_paints_appears_where_the_contract_puts_it(name: str, boost: int) -> None:
    contract = CONTRACTS[name]
    data = swapper_of(name, build.paint(spots(contract.size)))
    stage = ProbeStage(engine_of(data, pixel_boost=boost))
    assert stage.show(picture()).verdict is Verdict.SWAPPED
    error = np.linalg.norm(centroids(stage, contract) - stage.at(contract, _SPOTS * contract.size), axis=1)
    assert error.max() < 0.12, error


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_the_network_is_shown_is_the_filmed_face_in_its_channels_and_values(name: str) -> None:
    stage = ProbeStage(engine_of(swapper_of(name, build.scale_channels)))
    stage.show(picture())
    inside = core(stage)
    before, after = (image.astype(np.float64) for image in (stage.before, stage.after))
    # Taken to the crop and back, fine detail is lost; means are not.
    for channel, gain in enumerate(build.GAINS):
        difference = (after - gain * before)[inside][:, channel]
        assert abs(difference.mean()) < 0.6, (channel, difference.mean())
        assert np.abs(difference).mean() < 6, (channel, np.abs(difference).mean())
    red = [np.ascontiguousarray(image[..., 0]) * inside for image in (before, after)]
    (shift, _) = cv2.phaseCorrelate(red[0], red[1])
    assert np.hypot(*shift) < 0.1, shift


@pytest.mark.parametrize("name", BY_VECTOR)
def test_the_network_is_given_the_personas_identity_in_its_own_space(name: str) -> None:
    contract = CONTRACTS[name]
    stage = ProbeStage(engine_of(swapper_of(name, build.show_vector(contract.size))))
    stage.show(picture())
    due = build.blocks_of(vectors()[name])
    step = contract.size / build.BLOCKS
    seen = []
    wanted = []
    for row in range(build.BLOCKS):
        for column in range(build.BLOCKS):
            center = ((column + 0.5) * step - 0.5, (row + 0.5) * step - 0.5)
            x, y = np.rint(stage.at(contract, [center])[0]).astype(int)
            if core(stage, 0.75)[y, x]:
                seen.append(stage.after[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1)) / 255)
                wanted.append(due[row, column])
    assert len(seen) >= 6
    # Of a number 0.044 across, a hundredth: the photo's crop is bilinear here and averaged there.
    assert np.abs(np.array(seen) - wanted).max() < 0.012
    assert np.std(wanted) > 0.08


@pytest.mark.parametrize("name", ["uniface", "blendswap"])
def test_the_network_is_shown_the_personas_picture(name: str) -> None:
    contract = CONTRACTS[name]
    factor = contract.size // contract.source_size

    def show(graph: build.Graph, target: str, source: str | None) -> str:
        assert source is not None
        shown = build.show_source(graph, target, source)
        if contract.size != contract.source_size:
            # In the middle of the crop, where the face is.
            border = (contract.size - contract.source_size) // 2
            shown = graph.op("Pad", shown, graph.numbers(0, 0, border, border, 0, 0, border, border))
        return shown

    assert factor in (1, 2)
    stage = ProbeStage(engine_of(swapper_of(name, show)))
    stage.show(picture())
    template = FIVE_POINTS[contract.source_template]
    due = reference_crop(photo().rgb, photo().landmarks, template, contract.source_size)
    due = (due * np.array(build.GAINS)).astype(np.float32)
    border = (contract.size - contract.source_size) // 2
    if border:
        due = cv2.copyMakeBorder(due, border, border, border, border, cv2.BORDER_CONSTANT)
    matrix = stage.crop_matrix(contract)
    in_frame = cv2.warpAffine(
        due, matrix, stage.before.shape[1::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    inside = core(stage, 0.45)
    difference = (stage.after.astype(np.float64) - in_frame)[inside]
    assert np.abs(difference.mean(axis=0)).max() < 0.8, difference.mean(axis=0)
    assert np.abs(difference).mean() < 3
