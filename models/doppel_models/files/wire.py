"""Bounds what parsing a file can cost, before it is parsed.

A message of two bytes becomes an object of hundreds of bytes: a file of 100 MB can need tens
of gigabytes. So the file's messages, fields and nesting are counted first, on the bytes alone, with the
schema that the ``onnx`` package brings. Wire format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from typing import Any

import onnx

from doppel_models.errors import ModelFileError

MAX_FIELDS = 500_000
"""Fields in all messages together; a model of 5,000 steps has about 100,000."""
MAX_DEPTH = 24
"""Nested messages; a subgraph takes three levels, and models of faces have none or one."""
MAX_TEXT = 1 << 20
"""Bytes of one name, text or code point string."""
MAX_PACKED = 64 << 20
"""Bytes of all numbers written with variable length together: each can take 8 bytes of memory."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
# FieldDescriptor.TYPE_*: descriptor.proto
_DOUBLE, _FLOAT, _STRING, _MESSAGE, _BYTES = 1, 2, 9, 11, 12


class _Message(dict[int, tuple[int, str, "_Message | None"]]):
    """The fields of a type of message by their number: (type, name, the type of a message within)."""


def check_cost(data: bytes) -> None:
    """Refuse bytes that are no ONNX model, are cut short, or would need far more memory than they are.

    Raises:
        ModelFileError: with the reason.
    """
    fields = packed = 0
    # Parts still to be read: (start, end, type of message, depth). A part is read to its end at once.
    parts = [(0, len(data), _schema(onnx.ModelProto.DESCRIPTOR, {}), 0)]
    while parts:
        position, end, known, depth = parts.pop()
        while position < end:
            fields += 1
            if fields > MAX_FIELDS:
                raise ModelFileError(
                    f"the file has more than {MAX_FIELDS:,} entries, far more than any model of a face"
                )
            tag, position = _varint(data, position, end)
            wire_type = tag & 7
            if wire_type == _VARINT:
                _, position = _varint(data, position, end)
            elif wire_type == _FIXED64:
                position += 8
            elif wire_type == _FIXED32:
                position += 4
            elif wire_type == _LENGTH:
                size, position = _varint(data, position, end)
                if size > end - position:
                    raise _damaged()
                kind, name, inner = known.get(tag >> 3, _UNKNOWN)
                if inner is not None:
                    if depth == MAX_DEPTH:
                        raise ModelFileError(f"its parts are nested more than {MAX_DEPTH} levels deep")
                    if size:
                        parts.append((position, position + size, inner, depth + 1))
                elif kind == _STRING:
                    _limit_text(size, name)
                    _check_text(data[position : position + size])
                elif kind == _BYTES:
                    if name != "raw_data":
                        _limit_text(size, name)
                elif kind not in (_FLOAT, _DOUBLE):
                    packed += size
                    if packed > MAX_PACKED:
                        raise ModelFileError(
                            f"it holds more than {MAX_PACKED >> 20} MB of numbers of variable length;"
                            " export it with raw data"
                        )
                position += size
            else:
                raise _damaged()
            if position > end:
                raise _damaged()


_UNKNOWN: tuple[int, str, _Message | None] = (_BYTES, "of an unknown number", None)


def _schema(descriptor: Any, done: dict[str, _Message]) -> _Message:
    """The fields of a type of message and of all types within; plain values, as looking them up is slow."""
    message = done.get(descriptor.full_name)
    if message is None:
        message = done[descriptor.full_name] = _Message()
        for number, field in descriptor.fields_by_number.items():
            inner = _schema(field.message_type, done) if field.type == _MESSAGE else None
            message[number] = (field.type, field.name, inner)
    return message


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of variable length, and the position after it."""
    if position < end and data[position] < 0x80:
        return data[position], position + 1
    value = shift = 0
    for index in range(position, min(position + _MAX_VARINT_BYTES, end)):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    raise _damaged()


def _limit_text(size: int, name: str) -> None:
    if size > MAX_TEXT:
        raise ModelFileError(f"its entry {name!r} is {size:,} bytes long; {MAX_TEXT:,} are allowed")


def _check_text(text: bytes) -> None:
    """The parser hands a name that is no UTF-8 on as bytes, which nothing expects."""
    try:
        str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise _damaged() from error


def _damaged() -> ModelFileError:
    return ModelFileError("it is no ONNX file, or is damaged or cut short; fetch or export it again")
