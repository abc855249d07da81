from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker import slate
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import SlateError

from tests.support import reference_compositor as reference


def write_halves(path: Path, width: int, height: int) -> Path:
    """Left half red, right half blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = (0, 0, 255)
    picture[:, width // 2 :] = (255, 0, 0)
    cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("size", [(640, 360), (300, 300), (100, 900), (20, 10)])
def test_a_picture_of_any_shape_fills_the_frame_around_its_middle(
    size: tuple[int, int], tmp_path: Path
) -> None:
    picture = slate.load(write_halves(tmp_path / "s.png", *size), 320, 180)
    assert picture.shape == (180, 320, 3)
    assert np.abs(picture[:, :140].astype(int) - (255, 0, 0)).max() < 12
    assert np.abs(picture[:, 180:].astype(int) - (0, 0, 255)).max() < 12


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("pixel_format", list(PixelFormat), ids=lambda f: f.name)
def test_the_slate_is_drawn_opaque_in_every_format(pixel_format: PixelFormat, flip: bool) -> None:
    frame = reference.make_frame(pixel_format, 64, 48, padding=3, flip=flip)
    picture = np.full((48, 64, 3), (200, 60, 30), np.uint8)
    picture[:24] = (20, 90, 160)
    slate.draw(picture, frame, frame.planes)
    shown = CpuCompositor().read(frame, Rect(0, 0, 64, 48)).astype(int)
    if pixel_format is PixelFormat.Y800:
        shown, picture = shown[..., :1], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
        # BT.709 against OpenCV's BT.601 weights.
        assert np.abs(shown - picture).mean() < 25
    else:
        assert np.abs(shown - picture)[:22].max() <= 4
        assert np.abs(shown - picture)[26:].max() <= 4
    if "A" in "".join(reference.PATTERNS[pixel_format][0]):
        assert (reference.grid(frame, "A") == 255).all()


def test_a_file_that_is_missing_or_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SlateError, match=r"none\.png cannot be read"):
        slate.load(tmp_path / "none.png", 64, 48)
    text = tmp_path / "text.png"
    text.write_text("no picture")
    with pytest.raises(SlateError, match="no picture"):
        slate.load(text, 64, 48)
    text.write_bytes(b"")
    with pytest.raises(SlateError, match="no picture"):
        slate.load(text, 64, 48)


def test_what_would_take_too_much_memory_or_for_ever_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = tmp_path / "bomb.png"
    for sides in ((40_000, 40_000), (10_000, 6_001), (10_000, 12_000)):
        size = struct.pack(">IIBBBBB", *sides, 8, 2, 0, 0, 0)
        parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
        bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
        with pytest.raises(SlateError, match="more than 60 million pixels"):
            slate.load(bomb, 64, 48)
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(slate.MAX_FILE_BYTES + 1)
    with pytest.raises(SlateError, match="larger than 64 MB"):
        slate.load(large, 64, 48)
    for endless in (tmp_path, Path("/dev/zero")):
        with pytest.raises(SlateError, match="cannot be read"):
            slate.load(endless, 64, 48)


def test_a_very_thin_picture_is_cut_before_it_is_enlarged(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "s.png"), np.full((20_000, 1, 3), (0, 0, 255), np.uint8))
    picture = slate.load(tmp_path / "s.png", 1920, 1080)
    assert picture.shape == (1080, 1920, 3)
    assert (picture == (255, 0, 0)).all()
