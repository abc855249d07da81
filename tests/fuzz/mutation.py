"""What is done to good input to make it bad."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from typing import Any

INTERESTING = (
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32767,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**53,
    2**63,
    2**64,
)
_VALUES: tuple[Any, ...] = (
    None, True, False, "", "x", "..", "../../x", "/etc/passwd", "C:\\x", "\0", "\ud800", "\u202e", "a" * 3000,
    0.5, 1e308, -1e308, float("nan"), float("inf"), 10**400, -(10**30), [], {}, [[]], {"": None},
    *INTERESTING,
)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"


class Mutator:
    """Changes of one random sequence."""

    def __init__(self, seed: str | int) -> None:
        self.chance = random.Random(seed)

    def bytes(self, data: bytes, others: tuple[bytes, ...] = ()) -> bytes:
        """One to six changes: bytes, numbers, pieces moved, doubled, cut out, or of another file."""
        changed = bytearray(data)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, 6))):
            self._change(changed, others)
        return bytes(changed)

    def png(self, data: bytes, others: tuple[bytes, ...] = ()) -> bytes:
        """The same of a PNG file, mostly with the checksums made right again, so that it is read on."""
        changed = self.bytes(data, others)
        return changed if self.chance.random() < 0.2 else with_checksums(changed)

    def json(self, value: Any) -> Any:
        """A JSON value with one to four changes: values, keys, types, levels."""
        changed = copy.deepcopy(value)
        for _ in range(self.chance.choice((1, 1, 2, 4))):
            changed = self._change_json(changed)
        return changed

    def json_text(self, value: Any) -> bytes:
        """A changed JSON value as text, which now and then is changed too."""
        text = json.dumps(self.json(value)).encode("utf-8", "surrogatepass")
        return self.bytes(text) if self.chance.random() < 0.2 else text

    def _change(self, data: bytearray, others: tuple[bytes, ...]) -> None:
        chance = self.chance
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 2, 4, 16, 64, 400)), len(data) - at)
        what = chance.randrange(9)
        if what == 0 and length:
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1 and length:
            data[at] = chance.randrange(256)
        elif what == 2:
            form = chance.choice(("<I", ">I", "<H", ">H", "<Q", ">Q"))
            size = struct.calcsize(form)
            data[at : at + size] = struct.pack(form, chance.choice(INTERESTING) & (256**size - 1))
        elif what == 3:
            del data[at : at + length]
        elif what == 4:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 20))
        elif what == 5:
            to = chance.randrange(len(data) + 1)
            data[to : to + length] = data[at : at + length]
        elif what == 6:
            del data[at:]
        elif what == 7:
            data[at : at + length] = chance.randbytes(length)
        elif others:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + chance.choice((4, 40, 4000))]

    def _change_json(self, value: Any) -> Any:
        chance = self.chance
        if isinstance(value, dict) and value and chance.random() < 0.9:
            key = chance.choice(list(value))
            what = chance.randrange(8)
            if what == 0:
                del value[key]
            elif what == 1:
                value[chance.choice(("", "type", "version", "x", key + "x"))] = value[key]
            elif what == 2:
                value[key] = {key: value[key]}
            else:
                value[key] = self._change_json(value[key])
            return value
        if isinstance(value, list) and value and chance.random() < 0.9:
            at = chance.randrange(len(value))
            what = chance.randrange(5)
            if what == 0:
                del value[at]
            elif what == 1:
                value += [value[at]] * chance.choice((1, 20, 1100))
            else:
                value[at] = self._change_json(value[at])
            return value
        if isinstance(value, str) and value and chance.random() < 0.4:
            at = chance.randrange(len(value))
            return (
                value[:at] + chance.choice(("", "/", "..", "\0", "\ud834", "é", "x" * 300)) + value[at + 1 :]
            )
        if type(value) is int and chance.random() < 0.4:
            return value + chance.choice((-1, 1, 1000))
        if chance.random() < 0.02:
            return self._deep()
        return copy.deepcopy(chance.choice(_VALUES))

    def _deep(self) -> Any:
        value: Any = 1
        for _ in range(self.chance.choice((50, 400))):
            value = [value] if self.chance.random() < 0.5 else {"a": value}
        return value


def with_checksums(data: bytes) -> bytes:
    """A PNG file whose parts have the checksums of what they hold, as far as its parts can be found."""
    if not data.startswith(_PNG):
        return data
    fixed, at = bytearray(data), len(_PNG)
    while at + 12 <= len(fixed):
        (size,) = struct.unpack_from(">I", fixed, at)
        if at + 12 + size > len(fixed):
            break
        struct.pack_into(">I", fixed, at + 8 + size, zlib.crc32(fixed[at + 4 : at + 8 + size]))
        at += 12 + size
    return bytes(fixed)
