import os
import sys
import time

import numpy as np
import onnx
import onnxruntime
import psutil
import pytest
from doppel_models.errors import ModelFileError
from doppel_models.files import onnx_file
from doppel_models.files.onnx_file import parse_onnx, read_onnx
from doppel_models.files.recognise import recognise
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.support.probes import shapes

# Those that are quick to copy and change.
SMALL = sorted(name for name in shapes.USED if not name.startswith(("inswapper", "simswap-256", "hyperswap")))
BYTES = {name: shapes.USED[name]().SerializeToString() for name in SMALL}


def base() -> onnx.ModelProto:
    return shapes.crossface()


def refuse(model: onnx.ModelProto, words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        parse_onnx(model.SerializeToString())


@pytest.mark.parametrize("name", sorted(shapes.USED))
def test_a_good_model_is_read_as_it_is(name):
    data = shapes.USED[name]().SerializeToString()
    file = parse_onnx(data)
    assert file.data == data
    assert file.opset >= 11
    # And ONNX Runtime takes it, so what is accepted here can be used.
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    onnxruntime.InferenceSession(file.data, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("half", [False, True])
def test_a_weight_is_read_as_float32(half):
    table = parse_onnx(shapes.inswapper(half=half).SerializeToString()).initializer("buff2fs")
    assert table.dtype == np.float32
    assert np.array_equal(table, np.eye(512, dtype=np.float32) * 2)


def test_a_weight_that_is_not_there_is_told():
    with pytest.raises(ModelFileError, match="no weight 'nothing'"):
        parse_onnx(base().SerializeToString()).initializer("nothing")


def test_messages_name_the_file(tmp_path):
    path = tmp_path / "my model.onnx"
    path.write_bytes(b"\x08\x07garbage")
    with pytest.raises(ModelFileError, match=r"^my model\.onnx cannot be used: "):
        read_onnx(path)


def test_what_cannot_be_opened_is_told(tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(ModelFileError, match="cannot be used"):
            read_onnx(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelFileError, match="no plain file"):
        read_onnx(tmp_path / "pipe.onnx")


def test_a_file_larger_than_any_model_is_refused_unread(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.write(b"\x08\x07")
        file.truncate(3 << 30)  # takes no room on the disk
    with pytest.raises(ModelFileError, match="larger than"):
        read_onnx(path)


@pytest.mark.parametrize("domain", ["my.ops", "com.microsoft.nchwc", "org.pytorch.aten", "ai.onnx.training"])
def test_operators_that_need_other_code_are_refused(domain):
    model = base()
    model.graph.node.append(helper.make_node("Anything", ["input"], ["z"], domain=domain))
    model.opset_import.append(helper.make_opsetid(domain, 1))
    refuse(model, "needs program code")


def test_operators_that_onnx_runtime_brings_are_allowed():
    model = base()
    model.graph.node.append(helper.make_node("FastGelu", ["input"], ["z"], domain="com.microsoft"))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    parse_onnx(model.SerializeToString())


def test_operators_that_need_other_code_are_found_in_inner_graphs():
    inner = helper.make_graph([helper.make_node("Evil", [], ["z"], domain="my.ops")], "inner", [], [])
    model = base()
    model.graph.node.append(helper.make_node("If", ["input"], ["q"], then_branch=inner, else_branch=inner))
    refuse(model, "needs program code")


def test_deep_graphs_are_refused():
    graph = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "g", [], [])
    for _ in range(onnx_file.MAX_SUBGRAPHS + 1):
        graph = helper.make_graph([helper.make_node("If", ["a"], ["b"], then_branch=graph)], "g", [], [])
    model = base()
    model.graph.node.extend(graph.node)
    refuse(model, "nested")


def test_operators_defined_in_the_file_are_refused():
    model = base()
    node = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(
        helper.make_function("my", "F", ["a"], ["b"], [node], [helper.make_opsetid("", 12)])
    )
    refuse(model, "operators of its own")


def test_training_programs_are_refused():
    model = base()
    model.training_info.add()
    refuse(model, "training program")


def test_sparse_weights_are_refused():
    model = base()
    model.graph.sparse_initializer.add()
    refuse(model, "sparse")


@pytest.mark.parametrize("version", [1, 6, 99])
def test_versions_that_cannot_be_run_are_refused(version):
    model = base()
    model.opset_import[0].version = version
    refuse(model, f"version {version}")


def test_a_file_without_a_version_is_refused():
    model = base()
    model.ClearField("opset_import")
    refuse(model, "which version")


def test_a_file_without_a_network_is_refused():
    refuse(onnx.ModelProto(ir_version=7, producer_name="x"), "no ONNX file with a network")


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ([1 << 30], "is damaged"),
        ([-1, 4], "is damaged"),
        ([1] * 9, "is damaged"),
        ([1 << 20, 1 << 20], "would need"),
        ([100_000, 100_000], "would need"),
        ([3], "holds 1 numbers"),
        ([0], "holds 1 numbers"),
    ],
)
def test_weights_that_are_not_what_their_shape_says_are_refused(dims, words):
    model = base()
    tensor = TensorProto(name="w", data_type=shapes.FLOAT, dims=dims, raw_data=b"1234")
    model.graph.initializer.append(tensor)
    refuse(model, words)


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.FLOAT8E4M3FN, 999])
def test_weights_of_other_types_are_refused(kind):
    model = base()
    model.graph.initializer.append(TensorProto(name="w", dims=[1]))
    model.graph.initializer[-1].data_type = kind
    refuse(model, "of type")


@pytest.mark.parametrize(
    ("operator", "domain"), [("Loop", ""), ("Scan", ""), ("SequenceMap", ""), ("EPContext", "com.microsoft")]
)
def test_steps_that_could_run_for_ever_or_load_programs_are_refused(operator, domain):
    model = base()
    model.graph.node.append(helper.make_node(operator, ["input"], ["z"], domain=domain))
    refuse(model, f"its step {operator}")


def test_too_many_steps_are_refused(monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_NODES", 10)
    model = base()
    model.graph.node.extend(helper.make_node("Identity", ["input"], [f"n{i}"]) for i in range(11))
    refuse(model, "steps")


def test_endless_names_are_refused():
    model = base()
    model.graph.input[0].name = "x" * (onnx_file.MAX_NAME + 1)
    refuse(model, "letters")


def _judge(data: bytes) -> None:
    """Bytes are either recognised or refused with a named error, in little time and memory."""
    before, memory = time.process_time(), _peak_memory()
    message = ""
    try:
        description = recognise(parse_onnx(data))
        assert description.inputs
        assert description.outputs
    except ModelFileError as error:
        message = str(error)
    assert len(message) < 1500
    assert time.process_time() - before < 5.0
    assert _peak_memory() - memory < 300 << 20


def _peak_memory() -> int:
    """Bytes that this process has had at most."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A model's bytes, changed in a few places: flipped, cut out, put in, repeated, cut short."""
    data = bytearray(BYTES[draw(st.sampled_from(SMALL))])
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            break
        # The weights fill the middle; what can go wrong stands at both ends.
        place = draw(st.integers(0, min(len(data), 1500) - 1))
        place = place if draw(st.booleans()) else len(data) - 1 - place
        how = draw(st.sampled_from(["flip", "set", "cut", "put", "repeat", "short"]))
        size = draw(st.integers(1, 40))
        if how == "flip":
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif how == "set":
            data[place] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
        elif how == "cut":
            del data[place : place + size]
        elif how == "put":
            data[place:place] = draw(st.binary(min_size=1, max_size=12))
        elif how == "repeat":
            data[place:place] = data[place : place + size]
        else:
            del data[place:]
    return bytes(data)


@settings(max_examples=400)
@given(damaged())
def test_damaged_models_are_refused_by_name_and_never_crash(data):
    _judge(data)


@settings(max_examples=200)
@given(
    st.sampled_from(SMALL),
    st.lists(st.integers(-2, 1 << 40), max_size=6),
    st.integers(0, 30),
    st.text(max_size=20),
    st.data(),
)
def test_models_with_absurd_parts_are_refused_by_name_and_never_crash(name, dims, kind, text, data):
    """Well-formed files whose shapes, types, names and steps make no sense."""
    model = onnx.ModelProto.FromString(BYTES[name])
    graph = model.graph
    what = data.draw(st.sampled_from(["input", "output", "weight", "node", "type", "twice", "none"]))
    if what in ("input", "output"):
        value = data.draw(st.sampled_from(list(graph.input if what == "input" else graph.output)))
        value.name = data.draw(st.sampled_from([value.name, text]))
        value.type.tensor_type.ClearField("shape")
        for size in dims:
            value.type.tensor_type.shape.dim.add(dim_value=size)
    elif what == "weight":
        graph.initializer.add(name=text, data_type=kind % 12, dims=dims, raw_data=b"12345678")
    elif what == "node":
        inputs = [graph.input[0].name, text]
        graph.node.append(helper.make_node(text or "X", inputs, [text], domain=text[:3]))
    elif what == "type":
        graph.input[0].type.tensor_type.elem_type = kind % 17
    elif what == "twice":
        graph.input.append(graph.input[0])
    else:
        graph.ClearField(data.draw(st.sampled_from(["input", "output", "node", "initializer"])))
    _judge(model.SerializeToString())


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises(ModelFileError):
        recognise(parse_onnx(data))
