"""The judge of recordings, tried on frames whose truth is known, after scaling and a fast encoder."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_models.types import ByteArray, FloatArray

from tests.support.demo_clip import DEMO_CLIP, demo_truth
from tests.support.frame_code import FRAME_NUMBER
from tests.support.judge import HIDDEN_DETAIL, RAW_LIKENESS, Judge, Judgement, Verdict, count, held
from tests.support.portrait import astronaut
from tests.support.synthetic import blurred_face, mosaic, porcelain, swapped
from tests.support.video import read_video, write_video

_STEP = 24

Edit = Callable[[ByteArray, FloatArray], ByteArray]


@pytest.fixture(scope="module")
def originals() -> list[ByteArray]:
    """Every 24th frame of the demo clip, numbered 0, 1, 2..."""
    frames = [rgb for index, (_, rgb) in enumerate(read_video(DEMO_CLIP)) if index % _STEP == 0]
    for number, rgb in enumerate(frames):
        FRAME_NUMBER.draw(rgb, number)
    return frames


@pytest.fixture(scope="module")
def landmarks() -> FloatArray:
    return demo_truth().landmarks[::_STEP]


@pytest.fixture(scope="module")
def judge(originals: list[ByteArray], landmarks: FloatArray) -> Judge:
    return Judge(originals, landmarks)


@pytest.fixture
def record(originals: list[ByteArray], judge: Judge, tmp_path: Path) -> Callable[[Edit], list[Judgement]]:
    """Scales and edits every frame, encodes it as OBS does in the headless run, and judges the recording."""
    landmarks = demo_truth().scaled(640, 360)[::_STEP]
    scaled = [
        np.asarray(cv2.resize(rgb, (640, 360), interpolation=cv2.INTER_AREA), np.uint8) for rgb in originals
    ]

    def run(edit: Edit) -> list[Judgement]:
        small = [edit(rgb, points) for rgb, points in zip(scaled, landmarks, strict=True)]
        # A key frame for each: the frames are far apart in time, which no encoder at OBS's rate would meet.
        write_video(tmp_path / "recording.mkv", small, crf=28, preset="ultrafast", keyint=1)
        return [judge.judge(rgb) for _, rgb in read_video(tmp_path / "recording.mkv")]

    return run


def _all_are(judgements: list[Judgement], verdict: Verdict) -> None:
    assert count(judgements)[verdict] == len(judgements), count(judgements)


def _range(values: list[float]) -> str:
    return f"{min(values):.2f} .. {float(np.median(values)):.2f} .. {max(values):.2f}"


def test_filmed_faces_are_raw_with_a_margin(record) -> None:
    judgements = record(lambda rgb, _: rgb)
    _all_are(judgements, Verdict.RAW)
    assert [j.frame_number for j in judgements] == list(range(len(judgements)))
    print("likeness of filmed faces", _range([j.likeness for j in judgements]))
    assert min(j.likeness for j in judgements) > RAW_LIKENESS + 0.07


@pytest.mark.parametrize("contrast", [0.7, 1.2])
def test_other_levels_do_not_hide_a_filmed_face(record, contrast: float) -> None:
    _all_are(record(lambda rgb, _: np.clip(rgb * contrast, 0, 255).astype(np.uint8)), Verdict.RAW)


@pytest.mark.parametrize("persona", ["porcelain, its own colour", "porcelain", "mirrored portrait"])
def test_swapped_faces_are_told_from_filmed_ones_with_a_margin(record, persona: str) -> None:
    person = astronaut() if persona.startswith("porcelain") else astronaut().mirrored()
    texture = porcelain() if persona.startswith("porcelain") else person.rgb
    match = "own colour" not in persona
    judgements = record(
        lambda rgb, points: swapped(rgb, points, texture, person.landmarks, match_color=match)
    )
    _all_are(judgements, Verdict.SWAPPED)
    print("likeness of", persona, _range([j.likeness for j in judgements]))
    assert max(j.likeness for j in judgements) < RAW_LIKENESS - 0.12
    assert min(j.detail for j in judgements) > HIDDEN_DETAIL + 0.3


def test_blurred_faces_are_blurred(record) -> None:
    judgements = record(blurred_face)
    _all_are(judgements, Verdict.BLURRED)
    print("detail of blurred faces", _range([j.detail for j in judgements]))
    assert max(j.detail for j in judgements) < HIDDEN_DETAIL - 0.08


@pytest.mark.parametrize("size", [(640, 360), (854, 480), (1280, 720)])
def test_mosaic_is_a_cover_not_a_face(originals, judge: Judge, tmp_path: Path, size: tuple[int, int]) -> None:
    # Blocks of the source's size: the gate makes them before OBS scales the picture.
    covered = [cv2.resize(mosaic(rgb), size, interpolation=cv2.INTER_LINEAR) for rgb in originals[::3]]
    write_video(tmp_path / "mosaic.mkv", covered, crf=28, preset="ultrafast", keyint=1)
    _all_are([judge.judge(rgb) for _, rgb in read_video(tmp_path / "mosaic.mkv")], Verdict.COVERED)


def test_slate_is_a_cover(originals, landmarks) -> None:
    slate = np.zeros((720, 1280, 3), np.uint8)
    slate[:] = np.linspace(20, 200, 1280, dtype=np.uint8)[None, :, None]
    judge = Judge(originals, landmarks, slate=slate)
    assert judge.judge(cv2.resize(slate, (640, 360))).verdict is Verdict.COVERED
    assert judge.judge(originals[3]).verdict is Verdict.RAW


def test_filmed_face_without_a_legible_code_is_still_raw(record) -> None:
    def hide_code(rgb: ByteArray, _: FloatArray) -> ByteArray:
        out = rgb.copy()
        out[:22, :260] = 128
        return out

    judgements = record(hide_code)
    _all_are(judgements, Verdict.RAW)
    assert [j.frame_number for j in judgements] == list(range(len(judgements)))


def test_swapped_face_without_a_legible_code_is_not_raw(record) -> None:
    person = astronaut()

    def edit(rgb: ByteArray, points: FloatArray) -> ByteArray:
        out = swapped(rgb, points, porcelain(), person.landmarks)
        out[:22, :260] = 128
        return out

    _all_are(record(edit), Verdict.SWAPPED)


def test_half_of_the_face_left_raw_is_noticed(record) -> None:
    person = astronaut()

    def edit(rgb: ByteArray, points: FloatArray) -> ByteArray:
        out = swapped(rgb, points, porcelain(), person.landmarks)
        middle = round(float(points[1, 0]))
        out[:, middle:] = rgb[:, middle:]
        return out

    judgements = record(edit)
    assert all(judgement.raw_zones for judgement in judgements)


def test_black_and_foreign_pictures(judge: Judge) -> None:
    assert judge.judge(np.full((360, 640, 3), 2, np.uint8)).verdict is Verdict.BLACK
    noise = np.random.default_rng(1).integers(0, 255, (360, 640, 3)).astype(np.uint8)
    assert judge.judge(noise).verdict is Verdict.UNKNOWN


def test_held_frames_are_counted(originals, judge: Judge) -> None:
    judgements = [judge.judge(originals[index]) for index in (0, 1, 1, 1, 2, 3)]
    assert held(judgements) == 2
    assert judgements[3].frame_number == 1
