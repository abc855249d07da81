import json

import pytest
from doppel_models.errors import StoreError
from doppel_models.files.kinds import ModelKind
from doppel_models.files.licences import Acceptance
from doppel_models.files.record import (
    MAX_NAME,
    ModelRecord,
    clean_name,
    clean_origin,
    decode_record,
    encode_record,
)
from hypothesis import given
from hypothesis import strategies as st

SHA256 = "ab" * 32
RECORD = ModelRecord(
    version=1,
    sha256=SHA256,
    bytes=10,
    name="My model",
    kind=ModelKind.GHOST,
    variant="256",
    pixels=256,
    choice=None,
    origin="https://example.org/x.onnx",
    added="2026-01-31T12:00:00+00:00",
    acceptance=Acceptance("ghost-apache", "Jo", "2026-01-31T12:00:00+00:00"),
)


def test_a_record_is_read_back():
    assert decode_record(encode_record(RECORD), SHA256) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"sha256": "cd" * 32},
        {"sha256": "../x"},
        {"bytes": 0},
        {"bytes": "10"},
        {"name": ""},
        {"name": "x" * 200},
        {"name": "two\nlines"},
        {"name": "a/b"},
        {"kind": "unheard-of"},
        {"acceptance": {"licence": "x"}},
        {"acceptance": 7},
        {"extra": 1},
        {"choice": 3},
    ],
)
def test_a_changed_record_is_refused(change):
    data = {**json.loads(encode_record(RECORD)), **change}
    with pytest.raises(StoreError, match="add the model again"):
        decode_record(json.dumps(data).encode(), SHA256)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises(StoreError):
        decode_record(data, SHA256)


@given(st.text(max_size=200))
def test_a_cleaned_name_is_safe_and_stays_as_it_is(text):
    try:
        name = clean_name(text)
    except StoreError:
        assert not any(c.isalnum() for c in text.replace("/", "")) or len(text) > MAX_NAME
        return
    assert 0 < len(name) <= MAX_NAME
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert not name.startswith((".", "-", " "))
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://jo:secret@example.org:8080/a/b.onnx?token=1#x", "https://example.org:8080/a/b.onnx"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://example.org:99999/x", ""),
    ],
)
def test_the_origin_holds_no_secret(url, origin):
    assert clean_origin(url) == origin
