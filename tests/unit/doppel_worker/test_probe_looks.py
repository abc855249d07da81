"""What surrounds a network: masks, kept features, identity weight, morph, boost, helpers, colours, poses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.crops.templates import five_points
from doppel_models.engines.mesh import regions

from tests.support.portrait import astronaut, paste_head
from tests.support.probes import build
from tests.support.probes.contracts import CONTRACTS, ENHANCERS, FIVE_POINTS, fitted
from tests.support.probes.looks import COLOR, area, change, green, share, whole
from tests.support.probes.stage import SIZE, ProbeStage, engine_of, model_file, photo, picture, vectors


@pytest.mark.parametrize("name", ["inswapper", "dfm", "simswap_256"])
@pytest.mark.parametrize("softness", [0.0, 1.0])
def test_the_swap_ends_at_the_faces_outline_without_an_edge(name: str, softness: float) -> None:
    data = (
        build.dfm(build.paint(green(224)))
        if name == "dfm"
        else build.swapper(name, build.paint(green(CONTRACTS[name].size)))
    )
    stage = ProbeStage(engine_of(data), edge_softness=softness)
    stage.show(picture())
    growth = 1.32 if name == "dfm" else 1.1
    assert change(stage)[~whole(stage, growth)].max() == 0
    seen = share(stage)
    assert np.nanmedian(seen[area(stage, regions.OVAL, 0.5)]) > 0.97
    if softness == 0:
        # The landmarks end below the hairline, the swap does not.
        top, middle = stage.spy.face.landmarks[[10, 168], :2]
        x, y = np.rint(top + 0.1 * (top - middle)).astype(int)
        assert change(stage)[y - 1 : y + 2, x - 1 : x + 2].min() > 10
    mask = stage.spy.result.mask.astype(int)
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0
    if softness == 1:
        # From one pixel to the next, the swap comes in by a small part only.
        assert max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1)) < 0.15 * 255


def test_a_models_own_mask_decides_where_its_face_is_shown() -> None:
    left = np.zeros((256, 256))
    left[:, :128] = 1
    stage = ProbeStage(engine_of(build.swapper("hyperswap", build.paint(green(256)), mask=left)))
    stage.show(picture())
    seen = share(stage)
    contract = CONTRACTS["hyperswap"]
    for column, wanted in ((100, 1.0), (160, 0.0)):
        x, y = np.rint(stage.at(contract, [(column, 128)])[0]).astype(int)
        assert abs(np.nanmean(seen[y - 2 : y + 3, x - 2 : x + 3]) - wanted) < 0.05


def test_a_trained_models_two_masks_are_both_kept() -> None:
    left, top = np.zeros((224, 224)), np.zeros((224, 224))
    left[:, :112] = 1
    top[:112] = 1
    stage = ProbeStage(engine_of(build.dfm(build.paint(green(224)), mask=left, target_mask=top)))
    stage.show(picture())
    seen = share(stage)
    for at, wanted in (((96, 96), 1.0), ((128, 96), 0.0), ((96, 128), 0.0)):
        x, y = np.rint(stage.at(CONTRACTS["dfm"], [at])[0]).astype(int)
        assert abs(np.nanmean(seen[y - 2 : y + 3, x - 2 : x + 3]) - wanted) < 0.06, at


def test_filmed_eyes_and_mouth_are_kept_where_asked_for() -> None:
    # The portrait's mouth is open: it smiles.
    stage = ProbeStage(
        engine_of(build.swapper("uniface", build.paint(green(256)))), keep_mouth=True, keep_eyes=True
    )
    stage.show(picture())
    for outline in (regions.MOUTH, regions.RIGHT_EYE, regions.LEFT_EYE):
        inner = area(stage, outline, 0.5)
        assert inner.sum() > 20
        assert change(stage)[inner].mean() < 12
    bare = ProbeStage(engine_of(build.swapper("uniface", build.paint(green(256)))))
    bare.show(picture())
    assert change(bare)[area(bare, regions.MOUTH, 0.5)].mean() > 50


def test_strength_blends_over_the_original() -> None:
    data = build.swapper("uniface", build.paint(green(256)))
    full, part = ProbeStage(engine_of(data)), ProbeStage(engine_of(data), strength=0.5)
    for stage in (full, part):
        stage.show(picture())
    inside = area(full, regions.OVAL, 0.6)
    assert abs(change(part)[inside].mean() / change(full)[inside].mean() - 0.5) < 0.02


def test_the_morph_factor_reaches_amp_models() -> None:
    stage = ProbeStage(engine_of(build.dfm(build.scale_channels, amp=True)), morph=0.5)
    stage.show(picture())
    inside = area(stage, regions.OVAL, 0.6)
    red = stage.after[inside][:, 0].astype(float).mean() / stage.before[inside][:, 0].mean()
    assert abs(red - 0.5) < 0.02


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_identity_weight_mixes_the_filmed_person_in_or_pushes_it_away(weight: float) -> None:
    size = CONTRACTS["hyperswap"].size
    stage = ProbeStage(engine_of(build.swapper("hyperswap", build.show_vector(size))), identity_weight=weight)
    stage.show(picture())
    # The filmed person's crop is taken from the network's crop; what is read of it is worked out from that.
    template = FIVE_POINTS["insightface 112"] * 112
    live = five_points(stage.spy.face.landmarks).astype(np.float64)
    crop = cv2.warpAffine(
        stage.before,
        fitted(live, template),
        (112, 112),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    filmed = build.recognised(np.asarray(crop, np.uint8))
    w = 0.35 * (1 - 2 * weight)
    mixed = vectors()["hyperswap"] * (1 - w) + filmed / np.linalg.norm(filmed) * w
    due = build.blocks_of(mixed / np.linalg.norm(mixed))
    error = []
    for row in range(build.BLOCKS):
        for column in range(build.BLOCKS):
            step = size / build.BLOCKS
            x, y = np.rint(stage.at(CONTRACTS["hyperswap"], [((column + 0.5) * step, (row + 0.5) * step)])[0])
            if area(stage, regions.OVAL, 0.75)[int(y), int(x)]:
                seen = stage.after[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].mean(axis=(0, 1)) / 255
                error.append(np.abs(seen - due[row, column]).max())
    assert len(error) > 6
    assert max(error) < 0.03
    if weight != 0.5:
        plain = build.blocks_of(vectors()["hyperswap"])
        assert np.abs(plain - due).max() > 0.06


@pytest.mark.parametrize("boost", [1, 2, 4])
def test_pixel_boost_brings_detail_that_the_network_alone_cannot_carry(boost: int) -> None:
    canvas = picture(height=300.0)
    stripes = (np.arange(canvas.shape[1]) // 2 % 2 * 60).astype(np.uint8)[None, :, None]
    canvas = np.clip(canvas // 2 + stripes, 0, 255).astype(np.uint8)
    stage = ProbeStage(engine_of(build.swapper("inswapper", build.scale_channels), pixel_boost=boost))
    stage.show(canvas)
    inside = area(stage, regions.OVAL, 0.5)
    detail = [
        float(np.abs(cv2.Sobel(image[..., 0], cv2.CV_32F, 1, 0))[inside].mean())
        for image in (stage.after, stage.before)
    ]
    assert (detail[0] / detail[1] > 0.5) == (boost == 4)
    assert (detail[0] / detail[1] < 0.25) == (boost == 1)


@pytest.mark.parametrize("name", ENHANCERS)
def test_an_enhancer_restores_the_swapped_face_by_its_strength(name: str) -> None:
    helper = model_file(build.enhancer(name, build.scale_channels))
    swapper = build.swapper("inswapper", build.scale_channels)
    stage = ProbeStage(engine_of(swapper, enhancer=helper), enhancer_strength=0.75)
    assert stage.show(picture()).verdict is Verdict.SWAPPED
    inside = area(stage, regions.OVAL, 0.6)
    before, after = stage.before[inside].astype(float), stage.after[inside].astype(float)
    for channel, gain in enumerate(build.GAINS):
        wanted = gain * (0.75 * gain + 0.25)
        assert abs(after[:, channel].mean() / before[:, channel].mean() - wanted) < 0.012


@pytest.mark.parametrize("name", ENHANCERS)
def test_what_an_enhancer_paints_appears_in_its_template(name: str) -> None:
    contract = ENHANCERS[name]
    size = contract.size
    y, x = np.mgrid[0:size, 0:size]
    at = np.array([0.5, 0.62]) * size
    spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * (0.012 * size) ** 2))[..., None]
    helper = model_file(build.enhancer(name, build.paint(np.full((size, size, 3), 0.3) + 0.6 * spot)))
    stage = ProbeStage(
        engine_of(build.swapper("inswapper", build.scale_channels), enhancer=helper), enhancer_strength=1.0
    )
    stage.show(picture())
    due = stage.at(contract, [at])[0]
    image = np.maximum(stage.after.mean(axis=2) - 0.3 * 255 - 4, 0)
    x0, y0 = np.rint(due - 14).astype(int)
    part = image[y0 : y0 + 29, x0 : x0 + 29]
    rows, columns = np.mgrid[0:29, 0:29]
    found = np.array([x0 + (part * columns).sum() / part.sum(), y0 + (part * rows).sum() / part.sum()])
    assert np.linalg.norm(found - due) < 0.2


def test_what_is_in_front_of_the_face_stays() -> None:
    canvas = picture()
    # A blue thing before the left half of the face.
    stage = ProbeStage(
        engine_of(build.swapper("uniface", build.paint(green(256))), occluder=model_file(build.xseg()))
    )
    stage.show(canvas)
    face = stage.spy.face.landmarks[4, :2]
    x, y = np.rint(face).astype(int)
    covered = canvas.copy()
    covered[y - 40 : y + 40, x - 70 : x - 20] = (20, 60, 230)
    stage.show(covered)
    assert change(stage)[y - 25 : y + 25, x - 60 : x - 30].mean() < 6
    assert change(stage)[y - 25 : y + 25, x + 10 : x + 40].mean() > 50


def test_colours_follow_the_filmed_face_unless_told_not_to() -> None:
    def tinted(graph: build.Graph, target: str, _source: str | None) -> str:
        return graph.add(graph.mul(target, np.array([0.8, 1.0, 0.7])[None, :, None, None]), 0.06)

    for match, close in (("relight", True), ("none", False)):
        stage = ProbeStage(engine_of(build.swapper("uniface", tinted)), color_match=match)
        stage.show(picture())
        inside = area(stage, regions.OVAL, 0.7)
        difference = (stage.after.astype(float) - stage.before)[inside].mean(axis=0)
        assert (np.abs(difference).max() < 3) == close


def test_a_face_that_the_frames_edge_cuts_is_swapped_up_to_the_edge() -> None:
    canvas = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    paste_head(canvas, astronaut(), center=(45.0, 270.0), height=260.0)
    stage = ProbeStage(engine_of(build.swapper("inswapper", build.paint(green(128)))))
    assert stage.show(canvas).verdict is Verdict.SWAPPED
    y = round(float(stage.spy.face.landmarks[4, 1]))
    assert np.nanmean(share(stage)[y - 10 : y + 10, 0:8]) > 0.9


def test_turned_too_far_the_face_is_blurred_and_not_swapped() -> None:
    stage = ProbeStage(
        engine_of(build.swapper("inswapper", build.paint(green(128)))), yaw_fade_start=0.0, yaw_fade_end=0.0
    )
    report = stage.show(picture())
    assert report.verdict is Verdict.BLURRED
    inside = area(stage, regions.OVAL, 0.7)
    assert change(stage)[inside].mean() > 4
    assert np.abs(stage.after[inside].mean(axis=0) - 255 * COLOR).max() > 40
    # The guard blurs the profile, too, which stands out beside the landmarks.
    assert change(stage)[~whole(stage, 2.0)].max() == 0


def test_the_photo_is_looked_at_and_not_the_filmed_person() -> None:
    """The persona's identity must not depend on who is filmed."""
    data = build.swapper("hyperswap", build.show_vector(256))
    one, two = ProbeStage(engine_of(data)), ProbeStage(engine_of(data))
    one.show(picture())
    canvas = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    paste_head(canvas, astronaut().mirrored().tinted((0.5, 0.7, 1.2)), center=(500, 260), height=260)
    two.show(canvas)
    colors = []
    for stage in (one, two):
        x, y = np.rint(stage.at(CONTRACTS["hyperswap"], [(112, 144)])[0]).astype(int)
        colors.append(stage.after[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1)))
    assert np.abs(colors[0] - colors[1]).max() < 3
    assert photo().rgb.shape == (400, 400, 3)
