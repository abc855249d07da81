"""A face that no detector finds stays hidden when those who knew of it are gone, with the real networks."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc import messages
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.types import ByteArray
from doppel_worker.backend import BackendConfig, LaneProcessor
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.swap_backend import load

from tests.support.frames import i420_frame
from tests.support.gate_side import GateSide
from tests.support.stage import BARE, SIZE, half_hidden, picture
from tests.support.worker_process import WorkerProcess, wait_until

LAYOUT = FrameLayout.of(PixelFormat.I420, *SIZE)
SHOWN = 6.0
"""Mean difference of two pictures' lumas up to which one shows what the other does."""
SETTINGS = FilterSettings(label=False, lost_face_ms=10_000)


def judged(lane: LaneProcessor, rgb: ByteArray, number: int) -> tuple[Verdict, FrameView]:
    frame = i420_frame(rgb, number)
    return lane.process(frame).verdict, frame


def bare(luma: ByteArray) -> ByteArray:
    return luma[BARE.y0 : BARE.y1, BARE.x0 : BARE.x1]


def filmed() -> ByteArray:
    return bare(i420_frame(half_hidden(), 1).planes[0])


def shows(luma: ByteArray) -> bool:
    """The part of the face that can be seen is as it was filmed."""
    return float(np.abs(bare(luma).astype(int) - filmed()).mean()) < SHOWN


def test_a_lanes_next_processor_hides_what_the_one_before_it_hid(tmp_path: Path) -> None:
    real, memory = load(BackendConfig(tmp_path, lambda code, text: None)), FaceMemory()
    first, number = real.open_lane(SETTINGS, memory), 1
    while judged(first, picture(), number)[0] is not Verdict.SWAPPED:
        number += 1
        assert number < 10_000
    first.close()
    verdict, stranger = judged(real.open_lane(SETTINGS), half_hidden(), 1)
    assert (verdict, shows(stranger.planes[0])) == (Verdict.NO_FACE, True), "who knows nothing finds nothing"

    second = real.open_lane(SETTINGS, memory)
    for later in range(5):
        verdict, hidden = judged(second, half_hidden(), number + later)
        assert (verdict, shows(hidden.planes[0])) == (Verdict.BLURRED, False)


class Camera:
    """A filter's frames through one worker."""

    def __init__(self, gate: GateSide) -> None:
        self.gate = gate

    def show(self, rgb: ByteArray) -> tuple[Verdict, ByteArray]:
        """Verdict and luma of the picture."""
        planes = i420_frame(rgb, 1).planes
        pixels = bytearray(LAYOUT.size)
        for plane, start in zip(planes, LAYOUT.offset, strict=False):
            pixels[start : start + plane.size] = plane.tobytes()
        assert self.gate.submit(bytes(pixels))
        found: list[tuple[int, bytes, int]] = []

        def look() -> bool:
            result = self.gate.result()
            found.extend([result] if result is not None else [])
            return bool(found)

        wait_until(look, "a result", 60)
        verdict, shown, _ = found[0]
        luma = np.frombuffer(shown, np.uint8, LAYOUT.rows[0] * LAYOUT.linesize[0], LAYOUT.offset[0])
        return Verdict(verdict), luma.reshape(LAYOUT.rows[0], LAYOUT.linesize[0])[:, : SIZE[0]]

    def until(self, rgb: ByteArray, wanted: Verdict) -> list[tuple[Verdict, ByteArray]]:
        """Shows the picture until it is judged so; all answers."""
        answers = [self.show(rgb)]
        wait_until(lambda: answers[-1][0] is wanted, wanted.name, 60, lambda: answers.append(self.show(rgb)))
        return answers


def wears_a_face(worker: WorkerProcess) -> bool:
    """What the worker has said meanwhile names a persona."""
    message = worker.channel.receive(0.0)
    return isinstance(message, messages.LaneStatus) and bool(message.persona)


@pytest.fixture
def cameras(ring_library: ctypes.CDLL) -> Iterator[list[Camera]]:
    """One for each worker: a new worker gets a new segment."""
    with GateSide(ring_library, LAYOUT) as one, GateSide(ring_library, LAYOUT) as other:
        yield [Camera(one), Camera(other)]


def test_after_a_killed_worker_no_frame_shows_the_filmed_face(
    ring_library_path: Path, tmp_path: Path, cameras: list[Camera]
) -> None:
    first, second = cameras
    with WorkerProcess(ring_library_path, tmp_path / "1", backend=None) as worker:
        worker.open_lane(1, first.gate.segment.descriptor, SETTINGS)
        worker.expect(messages.LaneOpened)
        first.until(picture(), Verdict.SWAPPED)
        verdict, luma = first.show(half_hidden())
        assert (verdict, shows(luma)) == (Verdict.BLURRED, False)
        worker.process.kill()

    with WorkerProcess(ring_library_path, tmp_path / "2", backend=None) as worker:
        worker.open_lane(1, second.gate.segment.descriptor, SETTINGS, face_lately=True)
        worker.expect(messages.LaneOpened)
        answers = [second.show(half_hidden())]
        # Until its persona is loaded, a worker covers everything.
        wait_until(
            lambda: wears_a_face(worker), "a persona", 60, lambda: answers.append(second.show(half_hidden()))
        )
        answers += [second.show(half_hidden()) for _ in range(5)]
        assert {verdict for verdict, _ in answers} == {Verdict.COVERED}
        assert not any(shows(luma) for _, luma in answers)
        second.until(picture(), Verdict.SWAPPED)
        verdict, luma = second.show(half_hidden())
        assert (verdict, shows(luma)) == (Verdict.BLURRED, False), "now it is known where"
