import io
import pickle
import struct
import zipfile

import pytest
from doppel_models.files.formats import HEAD, foreign_format

from tests.support.probes import shapes


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (pickle.dumps({"a": 1}, protocol=2), "pickle"),
        (pickle.dumps({"a": 1}), "can run any program"),
        (_zip(), "PyTorch"),
        (struct.pack("<Q", 40) + b'{"w":{"dtype":"F32"}}', "safetensors"),
        (b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
        (b"\x18\x00\x00\x00ORTM", "ONNX Runtime's own"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"ptrt\x00", "TensorRT"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"  <!DOCTYPE html>", "web page"),
        (b"\xef\xbb\xbf<html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        (b'{"error": "login"}', "JSON"),
        (b"\x89PNG\r\n", "picture"),
        (b"MZ\x90", "program"),
    ],
)
def test_what_is_no_onnx_file_is_named(data, words):
    told = foreign_format(data[:HEAD])
    assert told is not None
    assert words in told


@pytest.mark.parametrize("name", sorted(shapes.USED))
def test_models_are_not_taken_for_something_else(name):
    assert foreign_format(shapes.USED[name]().SerializeToString()[:HEAD]) is None
