import contextlib

import pytest
from doppel_models.errors import ModelFileError
from doppel_models.files import wire
from hypothesis import given
from hypothesis import strategies as st

from tests.support.probes import shapes

GRAPH, NODE, ATTRIBUTE_OF_NODE, GRAPH_OF_ATTRIBUTE = 7, 1, 5, 6


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def entry(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


@pytest.mark.parametrize("name", ["dfm", "ghost", "codeformer"])
def test_a_whole_model_passes_and_no_part_of_it_does(name):
    data = shapes.USED[name]().SerializeToString()
    wire.check_cost(data)
    refused = 0
    for length in range(1, min(len(data), 600)):
        try:
            wire.check_cost(data[:length])
        except ModelFileError:
            refused += 1
    # A cut between two entries of the outermost level leaves whole entries behind.
    assert refused > 0.9 * min(len(data), 600)


@pytest.mark.parametrize("content", [b"", b"\x08\x01"])
def test_a_flood_of_tiny_messages_is_refused_without_being_parsed(content):
    """2 bytes of file become an object of hundreds of bytes."""
    flood = entry(GRAPH, entry(NODE, content) * (wire.MAX_FIELDS + 10))
    with pytest.raises(ModelFileError, match="more than 500,000 entries"):
        wire.check_cost(flood)


def test_graphs_within_graphs_without_end_are_refused():
    graph = b""
    for _ in range(100):
        graph = entry(NODE, entry(ATTRIBUTE_OF_NODE, entry(GRAPH_OF_ATTRIBUTE, graph)))
    with pytest.raises(ModelFileError, match="nested"):
        wire.check_cost(entry(GRAPH, graph))


def test_numbers_that_grow_in_memory_are_bounded(monkeypatch):
    monkeypatch.setattr(wire, "MAX_PACKED", 1000)
    tensor = entry(7, b"\x01" * 2000)  # TensorProto.int64_data: 8 bytes of memory for each of the file
    with pytest.raises(ModelFileError, match="variable length"):
        wire.check_cost(entry(GRAPH, entry(5, tensor)))


@pytest.mark.parametrize("field", [2, 900])
def test_a_huge_text_is_refused(field):
    with pytest.raises(ModelFileError, match="bytes long"):
        wire.check_cost(entry(field, b"x" * (wire.MAX_TEXT + 1)))


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(ModelFileError, match="damaged"):
        wire.check_cost(entry(2, b"\xff\xfe"))


@pytest.mark.parametrize(
    "data",
    [
        b"\x80" * 11,  # a number without end
        b"\x08",  # a number that is missing
        entry(GRAPH, b"12345")[:-1],
        varint(GRAPH << 3 | 2) + varint(1 << 60) + b"x",
        varint(GRAPH << 3 | 3),  # groups, which ONNX does not have
        varint(1 << 3 | 1) + b"1234",  # 8 bytes are missing
        varint(1 << 3 | 5) + b"1",
    ],
)
def test_damage_is_refused(data):
    with pytest.raises(ModelFileError, match="damaged"):
        wire.check_cost(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data):
    with contextlib.suppress(ModelFileError):
        wire.check_cost(data)
