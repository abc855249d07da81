import contextlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from doppel_models.errors import PersonaError
from doppel_models.photo_file import MAX_FILE_BYTES, decode_photo, read_photo
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

PICTURE = np.random.default_rng(1).integers(0, 255, (80, 100, 3), np.uint8)


def _encoded(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("BMP", ".bmp"), ("WEBP", ".webp")])
def test_pictures_are_read_as_they_are(kind, suffix):
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = decode_photo("a.dat", _encoded(Image.fromarray(PICTURE), kind, **options))
    assert (photo.image == PICTURE).all()
    assert photo.suffix == suffix


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    photo = decode_photo("a.jpg", _encoded(Image.fromarray(PICTURE), "JPEG", exif=exif))
    assert photo.image.shape == (100, 80, 3)


def test_a_phones_jpeg_with_a_second_picture_in_it_is_read():
    picture = Image.fromarray(PICTURE)
    photo = decode_photo("a.jpg", _encoded(picture, "MPO", save_all=True, append_images=[picture]))
    assert photo.suffix == ".jpg"
    assert photo.image.shape == (80, 100, 3)
    assert decode_photo("again", photo.data).image.shape == (80, 100, 3)


def test_broken_exif_data_cost_at_most_the_turn():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "x" * 20
    data = _encoded(Image.fromarray(PICTURE), "JPEG", exif=exif)
    entry = data.index(struct.pack(">HH", 0x010F, 2)) + 1
    for kind in range(256):  # the maker's name as every type of value, known and unknown
        broken = data[: entry + 2] + bytes([kind]) + data[entry + 3 :]
        assert decode_photo("a.jpg", broken).image.shape in ((100, 80, 3), (80, 100, 3))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_other_kinds_of_colour_become_rgb(mode):
    picture = Image.fromarray(PICTURE)
    if mode == "I;16":
        picture = Image.fromarray(PICTURE[:, :, 0].astype(np.uint16) << 8)
    else:
        picture = picture.convert(mode)
    photo = decode_photo("a", _encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
    assert photo.image.shape == (80, 100, 3)
    assert photo.image.dtype == np.uint8
    if mode == "I;16":
        assert (photo.image[:, :, 0] == PICTURE[:, :, 0]).all()


def _bomb(width: int, height: int) -> bytes:
    """A tiny PNG that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(20_000, 20_000), (100_000, 700), (10_000, 6_001)])
def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded(size):
    with pytest.raises(PersonaError, match="smaller copy"):
        decode_photo("bomb.png", _bomb(*size))


def test_a_tiny_picture_is_refused():
    with pytest.raises(PersonaError, match="larger picture"):
        decode_photo("a.png", _encoded(Image.fromarray(PICTURE[:40, :40]), "PNG"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_clear_error(data):
    with pytest.raises(PersonaError, match="PNG, JPEG, WebP or BMP"):
        decode_photo("x", data)


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_a_damaged_picture_is_read_or_refused_but_never_an_unknown_error(position, value, kind):
    data = bytearray(_encoded(Image.fromarray(PICTURE), kind))
    data[position % len(data)] = value
    for candidate in (bytes(data), bytes(data[: position % len(data)])):
        with contextlib.suppress(PersonaError):
            assert decode_photo("x", candidate).image.ndim == 3


def test_other_formats_are_refused_even_if_pillow_knows_them():
    with pytest.raises(PersonaError, match="PNG, JPEG, WebP or BMP"):
        decode_photo("a.tif", _encoded(Image.fromarray(PICTURE), "TIFF"))


def test_a_missing_a_large_and_a_folder_are_clear_errors(tmp_path):
    with pytest.raises(PersonaError, match="No such file"):
        read_photo(tmp_path / "none.png")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(PersonaError, match="smaller copy"):
        read_photo(large)
    with pytest.raises(PersonaError):
        read_photo(tmp_path)


def test_a_name_that_no_file_can_have_is_a_clear_error():
    with pytest.raises(PersonaError, match=r"a b\.png cannot be read: embedded null byte"):
        read_photo(Path("a\0b.png"))


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PersonaError, match=r"pipe\.png cannot be read: it is no plain file"):
        read_photo(tmp_path / "pipe.png")
