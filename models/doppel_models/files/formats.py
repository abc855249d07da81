"""Names what is not an ONNX file by its first bytes, so that a refusal can say what to do instead."""

from __future__ import annotations

HEAD = 512
"""Bytes that :func:`foreign_format` wants to see."""

_ONLY = "Doppel reads ONNX files alone (.onnx, .dfm)"
_CONVERT = f"{_ONLY}; take the model's ONNX export"
_PYTHON = f"such a file can run any program when it is opened, so Doppel never opens it; {_CONVERT}"


def foreign_format(head: bytes) -> str | None:
    """What a file is that is not ONNX, and what to do; None where nothing is known of its first bytes.

    Args:
        head: the file's first :data:`HEAD` bytes, or all of a shorter file.
    """
    if not head:
        return f"it is empty; {_ONLY}"
    # PyTorch: a zip with a pickle inside since 1.6, a bare pickle (protocol 2 to 5) before.
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return f"it is a zip archive or a PyTorch file (.pth, .pt, .zip); unpack an archive; {_PYTHON}"
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return f"it is a Python pickle (.pth, .pkl); {_PYTHON}"
    # safetensors: the length of the header as 8 bytes, then JSON.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100 << 20:
        return f"it is a safetensors file: weights without their network; {_CONVERT}"
    if head[4:8] == b"TFL3":
        return f"it is a TensorFlow Lite file; {_CONVERT}"
    if head[4:8] == b"ORTM":
        return f"it is in ONNX Runtime's own format (.ort); {_CONVERT}"
    for start, name in (
        (b"\x89HDF", "an HDF5 file (Keras)"),
        (b"GGUF", "a GGUF file"),
        (b"ptrt", "a TensorRT engine, which belongs to one graphics card"),
        (b"ftrt", "a TensorRT engine, which belongs to one graphics card"),
        (b"\x1f\x8b", "a gzip archive; unpack it"),
        (b"7z\xbc\xaf", "a 7-Zip archive; unpack it"),
        (b"Rar!", "a RAR archive; unpack it"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"MZ", "a program"),
        (b"\x7fELF", "a program"),
    ):
        if head.startswith(start):
            return f"it is {name}; {_CONVERT}"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the model itself; fetch the real file (git lfs pull)"
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, not a model; take the address of the file itself"
    if text.startswith((b"{", b"[")):
        return f"it is a JSON text; {_ONLY}"
    return None
