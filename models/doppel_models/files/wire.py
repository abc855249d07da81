"""Bounds what parsing a file can cost, before it is parsed.

A message of two bytes becomes an object of hundreds of bytes: a file of 100 MB can need tens
of gigabytes. So the file's messages, fields and nesting are counted first, on the bytes alone, with the
schema that the ``onnx`` package brings. Wire format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from typing import Any

import onnx

from doppel_models.errors import ModelFileError

MAX_FIELDS = 1_000_000
"""Fields in all messages together; real models have below 200,000."""
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


def check_cost(data: bytes) -> None:
    """Refuse bytes that are no ONNX model, are cut short, or would need far more memory than they are.

    Raises:
        ModelFileError: with the reason.
    """
    view = memoryview(data)
    fields_of: dict[Any, dict[int, Any]] = {}
    fields = packed = 0
    # Parts still to be read: (start, end, message type, depth). A part is read to its end at once.
    parts: list[tuple[int, int, Any, int]] = [(0, len(data), onnx.ModelProto.DESCRIPTOR, 0)]
    while parts:
        position, end, kind, depth = parts.pop()
        known = fields_of.get(kind.full_name)
        if known is None:
            known = fields_of[kind.full_name] = dict(kind.fields_by_number)
        while position < end:
            fields += 1
            if fields > MAX_FIELDS:
                raise ModelFileError(
                    f"the file has more than {MAX_FIELDS:,} entries, far more than any model of a face"
                )
            tag, position = _varint(view, position, end)
            wire_type, field = tag & 7, known.get(tag >> 3)
            if wire_type == _VARINT:
                _, position = _varint(view, position, end)
            elif wire_type == _FIXED64:
                position += 8
            elif wire_type == _FIXED32:
                position += 4
            elif wire_type == _LENGTH:
                size, position = _varint(view, position, end)
                if size > end - position:
                    raise _damaged()
                if field is None:
                    _limit_text(size, "an unknown entry")
                elif field.type == _MESSAGE:
                    if depth == MAX_DEPTH:
                        raise ModelFileError(f"its parts are nested more than {MAX_DEPTH} levels deep")
                    parts.append((position, position + size, field.message_type, depth + 1))
                elif field.type == _STRING or (field.type == _BYTES and field.name != "raw_data"):
                    _limit_text(size, field.name)
                    if field.type == _STRING:
                        _check_text(view[position : position + size])
                elif field.type not in (_BYTES, _FLOAT, _DOUBLE):
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


def _varint(view: memoryview, position: int, end: int) -> tuple[int, int]:
    """A number of variable length, and the position after it."""
    value = shift = 0
    for index in range(position, min(position + _MAX_VARINT_BYTES, end)):
        byte = view[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    raise _damaged()


def _limit_text(size: int, name: str) -> None:
    if size > MAX_TEXT:
        raise ModelFileError(f"its entry {name!r} is {size:,} bytes long; {MAX_TEXT:,} are allowed")


def _check_text(text: memoryview) -> None:
    """The parser hands a name that is no UTF-8 on as bytes, which nothing expects."""
    try:
        str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise _damaged() from error


def _damaged() -> ModelFileError:
    return ModelFileError("it is no ONNX file, or is damaged or cut short; fetch or export it again")
