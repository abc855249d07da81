"""The wire specification says what the code does."""

from __future__ import annotations

import ctypes
import dataclasses
import re
from pathlib import Path

import pytest
from doppel_ipc import channel, message_parts, messages, native, protocol
from doppel_ipc.verdict import Verdict

README = (Path(native.__file__).parent / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading."""
    _, _, rest = README.partition(heading)
    assert rest, heading
    table = re.search(r"((?:^\|.*\n)+)", rest, re.MULTILINE)
    assert table is not None
    lines = [line.strip("|").split("|") for line in table[1].splitlines()]
    return [[cell.strip() for cell in cells] for cells in lines[2:]]


@pytest.mark.parametrize(
    ("heading", "table"),
    [("### OBS to worker", messages.TO_WORKER), ("### Worker to OBS", messages.TO_OBS)],
)
def test_every_message_and_field_is_described(heading: str, table: dict[str, type]) -> None:
    described = {name.strip("`"): re.findall(r"`(\w+)`", fields) for name, fields, _ in rows(heading)}
    assert list(described) == list(table)
    for name, cls in table.items():
        assert described[name] == [field.name for field in dataclasses.fields(cls)], name


@pytest.mark.parametrize(
    ("heading", "structure", "base"),
    [
        ("Offset 0, the header", native.SegmentHeader, 0),
        ("`geometry`:\n", native.Geometry, 48),
        ("Slot header i, at 512 + 256 i", native.SlotHeader, 0),
    ],
)
def test_every_word_of_the_segment_is_described(
    heading: str, structure: type[ctypes.Structure], base: int
) -> None:
    described = {}
    for offset, _, word, _ in rows(heading):
        if word != "reserved":
            described[word.strip("`")] = int(offset)
    real = {
        name: getattr(structure, name).offset + base
        for name, *_ in structure._fields_
        if not name.startswith("reserved")
    }
    assert described == real


def test_the_numbers_are_the_codes() -> None:
    assert f"`PROTOCOL_VERSION` = {messages.PROTOCOL_VERSION}" in README
    assert f"`DOPPEL_ABI` = {native.ABI}" in README
    assert f"`DOPPEL_SEGMENT_VERSION` = {native.SEGMENT_VERSION}" in README
    assert f"n, little-endian, 1 .. {protocol.MAX_MESSAGE_BYTES}" in README
    assert f"at most {channel.MAX_WAITING} messages" in README
    assert f"0x{native.SEGMENT_MAGIC:x}" in README
    for verdict in list(Verdict)[1:]:
        assert f"{verdict.value} {verdict.name.lower().replace('_', ' ')}" in README


@pytest.mark.parametrize(
    "words",
    [
        message_parts.ERROR_CODES,
        message_parts.EVENT_CODES,
        message_parts.WORKER_STATES,
        message_parts.LANE_STATES,
        message_parts.LOG_LEVELS,
    ],
)
def test_every_word_that_a_field_may_hold_is_named(words: tuple[str, ...]) -> None:
    assert re.search(r"\s+".join(f"`{word}`" for word in words), README)
