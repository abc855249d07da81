"""The ctypes mirror of ring.h and gate.h says what the C compiler says."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path

import pytest
from doppel_ipc import gate_abi, gate_sync_abi, gate_user_abi, native
from doppel_ipc.errors import FormatError, NativeError
from doppel_ipc.pixel_format import MAX_WIDTH, FrameLayout, PixelFormat
from doppel_ipc.verdict import Verdict
from hypothesis import given
from hypothesis import strategies as st

from tests.support import native_build

STRUCTURES: dict[str, type[ctypes.Structure]] = {
    "doppel_geometry": native.Geometry,
    "doppel_segment_header": native.SegmentHeader,
    "doppel_slot_header": native.SlotHeader,
    "doppel_libobs": gate_abi.LibObs,
    "doppel_default": gate_abi.Default,
    "doppel_policy": gate_abi.Policy,
    "doppel_gate_status": gate_abi.Status,
    "doppel_sample": gate_abi.Sample,
    "doppel_hotkey_libobs": gate_user_abi.HotkeyLibObs,
    "doppel_answer_libobs": gate_user_abi.AnswerLibObs,
    "doppel_wishes": gate_user_abi.Wishes,
    "doppel_graphics": gate_sync_abi.Graphics,
}
HEADERS = ("ring.h", "gate.h", "gate_hotkeys.h", "gate_answer.h", "gate_sync.h")
NUMBERS: dict[str, int] = {
    "DOPPEL_ABI": native.ABI,
    "DOPPEL_SEGMENT_MAGIC": native.SEGMENT_MAGIC,
    "DOPPEL_SEGMENT_VERSION": native.SEGMENT_VERSION,
    "DOPPEL_HEADER_BYTES": native.HEADER_BYTES,
    "DOPPEL_SLOT_HEADER_BYTES": native.SLOT_HEADER_BYTES,
    "DOPPEL_SLOT0_OFFSET": native.SLOT0_OFFSET,
    "DOPPEL_MIN_SLOTS": native.MIN_SLOTS,
    "DOPPEL_MAX_SLOTS": native.MAX_SLOTS,
    "DOPPEL_FREE": native.FREE,
    "DOPPEL_FILLED": native.FILLED,
    "DOPPEL_BUSY": native.BUSY,
    "DOPPEL_DONE": native.DONE,
    "DOPPEL_NEXT_TIMEOUT": native.NEXT_TIMEOUT,
    "DOPPEL_NEXT_CLOSED": native.NEXT_CLOSED,
    **{f"DOPPEL_VERDICT_{verdict.name}": verdict.value for verdict in Verdict},
    **{f"DOPPEL_LATE_{policy.name}": policy.value for policy in gate_abi.LatePolicy},
    **{f"DOPPEL_LANE_{state.name}": state.value for state in gate_abi.LaneState},
    **{f"DOPPEL_OUT_{outcome.name}": outcome.value for outcome in gate_abi.Outcome},
    **{f"DOPPEL_{kind.name}": kind.value for kind in gate_abi.DefaultKind},
    "DOPPEL_UNSUPPORTED_HDR": gate_sync_abi.UNSUPPORTED_HDR,
    "DOPPEL_UNSUPPORTED_SIZE": gate_sync_abi.UNSUPPORTED_SIZE,
    **{f"DOPPEL_HOTKEY_{name.upper()}": index for index, name in enumerate(gate_user_abi.HOTKEYS)},
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Sizes, offsets and numbers as a program compiled from the headers prints them."""
    headers = [f'#include "{header}"' for header in HEADERS]
    lines = ["#include <stdbool.h>", "#include <stdio.h>", *headers, "int main(void) {"]
    expressions = {name: f"(long long){name}" for name in NUMBERS}
    for structure, mirror in STRUCTURES.items():
        expressions[structure] = f"(long long)sizeof(struct {structure})"
        for field, *_ in mirror._fields_:
            expressions[f"{structure}.{field}"] = f"(long long)offsetof(struct {structure}, {field})"
    lines += [f'printf("{name} %lld\\n", {expression});' for name, expression in expressions.items()]
    folder = tmp_path_factory.mktemp("offsets")
    source = folder / "offsets.c"
    source.write_text("\n".join([*lines, "return 0; }"]))
    program = native_build.compile_c(folder / "offsets", [source])
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in (line.split() for line in output.splitlines())}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_offset_and_size_is_the_compilers(structure: str, compiled: dict[str, int]) -> None:
    mirror = STRUCTURES[structure]
    assert ctypes.sizeof(mirror) == compiled[structure]
    for field, *_ in mirror._fields_:
        assert getattr(mirror, field).offset == compiled[f"{structure}.{field}"], field


def test_every_number_is_the_headers(compiled: dict[str, int]) -> None:
    assert {name: compiled[name] for name in NUMBERS} == NUMBERS


@pytest.mark.parametrize("structure", STRUCTURES)
def test_no_field_of_the_header_is_left_out(structure: str) -> None:
    text = "".join((native_build.NATIVE / name).read_text() for name in HEADERS)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    body = re.search(rf"struct {structure} {{(.*?)\n}};", text, re.DOTALL)
    assert body is not None
    declared = []
    for declaration in body[1].split(";"):
        pointer = re.search(r"\(\*(\w+)\)", declaration)
        name = pointer or re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*$", declaration.strip())
        if name:
            declared.append(name[1])
    assert [field for field, *_ in STRUCTURES[structure]._fields_] == declared


def test_every_exported_function_is_declared_once() -> None:
    text = "".join((native_build.NATIVE / name).read_text() for name in HEADERS)
    exported = set(re.findall(r"^DOPPEL_API [^;(]*?\b(doppel_\w+)\(", text, re.MULTILINE))
    declared = [
        *native.RING_FUNCTIONS,
        *gate_abi.GATE_FUNCTIONS,
        *gate_user_abi.USER_FUNCTIONS,
        *gate_sync_abi.SYNC_FUNCTIONS,
    ]
    assert sorted(declared) == sorted(exported)


formats = st.sampled_from(list(PixelFormat))
sizes = st.one_of(st.integers(1, 70), st.integers(1, MAX_WIDTH))


@given(pixel_format=formats, width=sizes, height=sizes, padding=st.sampled_from((0, 1, 63, 64, 1000)))
def test_layout_is_the_same_in_c(
    ring_library: ctypes.CDLL, pixel_format: PixelFormat, width: int, height: int, padding: int
) -> None:
    tight = FrameLayout.of(pixel_format, width, height)
    layout = FrameLayout.of(pixel_format, width, height, tuple(line + padding for line in tight.linesize))
    geometry = native.Geometry(int(pixel_format), width, height)
    if padding:
        for plane, line in enumerate(layout.linesize):
            geometry.linesize[plane] = line
    ring_library.doppel_geometry_complete(ctypes.byref(geometry))
    assert bytes(geometry) == bytes(native.Geometry.of(layout))
    assert geometry.layout() == layout


@pytest.mark.parametrize(
    ("pixel_format", "width", "height"),
    [(0, 16, 16), (17, 16, 16), (99, 16, 16), (2, 0, 16), (2, 16, 0), (2, MAX_WIDTH + 1, 16), (2, 16, 16385)],
)
def test_what_python_refuses_c_refuses(
    ring_library: ctypes.CDLL, pixel_format: int, width: int, height: int
) -> None:
    with pytest.raises(FormatError):
        FrameLayout.of(pixel_format, width, height)
    geometry = native.Geometry(pixel_format, width, height)
    with pytest.raises(FormatError, match=f"pixel format {pixel_format} "):
        ring_library.doppel_geometry_complete(ctypes.byref(geometry))


@given(field=st.sampled_from(("plane_count", "frame_bytes", "rows", "offset")), change=st.integers(1, 2**31))
def test_a_geometry_that_contradicts_itself_is_refused(field: str, change: int) -> None:
    geometry = native.Geometry.of(FrameLayout.of(PixelFormat.NV12, 64, 64))
    value = getattr(geometry, field)
    if isinstance(value, ctypes.Array):
        value[1] = (value[1] + change) & 0xFFFFFFFF
    else:
        setattr(geometry, field, (value + change) & 0xFFFFFFFF)
    with pytest.raises(FormatError):
        geometry.layout()


@pytest.mark.parametrize("slots", [0, 3, 13, 2**31])
def test_no_segment_for_a_slot_count_out_of_range(ring_library: ctypes.CDLL, slots: int) -> None:
    with pytest.raises(FormatError, match="slots"):
        native.segment_bytes(ring_library, FrameLayout.of(PixelFormat.I420, 640, 480), slots)


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NativeError, match=r"missing\.so does not exist"):
        native.load(tmp_path / "missing.so")


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.so"
    path.write_bytes(b"no library")
    with pytest.raises(NativeError, match=r"broken\.so cannot be loaded"):
        native.load(path)


def test_a_library_of_another_version_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("unsigned doppel_abi(void); unsigned doppel_abi(void) { return 4711; }\n")
    library = native_build.compile_c(tmp_path / "other.so", [source], "-shared")
    with pytest.raises(NativeError, match=f"version 4711 != {native.ABI}"):
        native.load(library)


def test_missing_functions_are_all_named(ring_library_path: Path) -> None:
    with pytest.raises(NativeError, match="lacks doppel_first, doppel_second"):
        native.load(ring_library_path, {"doppel_second": ((), None, None), "doppel_first": ((), None, None)})
