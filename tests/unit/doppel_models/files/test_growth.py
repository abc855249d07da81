import numpy as np
import onnx
import pytest
from doppel_models.errors import ModelFileError
from doppel_models.files import growth
from doppel_models.files.onnx_file import parse_onnx
from onnx import helper, numpy_helper

from tests.support.probes import shapes


def with_steps(nodes: list[onnx.NodeProto], **weights: np.ndarray) -> onnx.ModelProto:
    """An enhancer of 256 pixels with further steps."""
    model = shapes.enhancer(256)
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return model


def refuse(model: onnx.ModelProto, words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        parse_onnx(model.SerializeToString())


@pytest.mark.parametrize(
    ("operator", "numbers"),
    [("ConstantOfShape", [50_000, 50_000]), ("Expand", [1 << 20, 1 << 20]), ("Tile", [1 << 40])],
)
def test_steps_that_make_much_of_little_are_refused(operator, numbers):
    inputs = ["huge"] if operator == "ConstantOfShape" else ["input", "huge"]
    node = helper.make_node(operator, inputs, ["z"])
    refuse(with_steps([node], huge=np.array(numbers, np.int64)), "that is refused")


def test_a_size_written_as_a_step_counts_too():
    value = numpy_helper.from_array(np.array([1 << 15, 1 << 15], np.int64))
    nodes = [
        helper.make_node("Constant", [], ["huge"], value=value),
        helper.make_node("ConstantOfShape", ["huge"], ["z"]),
    ]
    refuse(with_steps(nodes), "that is refused")


@pytest.mark.parametrize("scale", [1000.0, 1e6])
def test_a_picture_that_is_blown_up_is_refused(scale):
    scales = np.array([1, 1, scale, scale], np.float32)
    nodes = [
        helper.make_node("Resize", ["input", "", "scales"], ["large"]),
        helper.make_node("ReduceMean", ["large"], ["z"], keepdims=0),
    ]
    refuse(with_steps(nodes, scales=scales), "'large' of shape")


def test_a_step_made_huge_by_sizes_that_other_steps_work_out_is_refused():
    nodes = [
        helper.make_node("Concat", ["half", "half"], ["size"], axis=0),
        helper.make_node("ConstantOfShape", ["size"], ["large"]),
        helper.make_node("ReduceMean", ["large"], ["z"], keepdims=0),
    ]
    arrays = {"half": np.array([30_000], np.int64)}
    refuse(with_steps(nodes, **arrays), "'large' of shape")


def test_the_largest_real_network_is_not_refused():
    """GPEN at 2048 pixels has 32 channels of the full size."""
    model = shapes.enhancer(2048)
    model.graph.initializer.append(shapes.weight("w", 32, 3, 3, 3))
    model.graph.node.append(helper.make_node("Conv", ["input", "w"], ["large"], pads=[1, 1, 1, 1]))
    model.graph.node.append(helper.make_node("ReduceMean", ["large"], ["z"], keepdims=0))
    assert growth.MAX_VALUES > 2 * 32 * 2048**2
    parse_onnx(model.SerializeToString())


def test_a_weights_shape_counts_though_its_numbers_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(growth, "MAX_VALUES", 100_000)
    model = shapes.crossface()
    model.graph.initializer.append(shapes.weight("w", 512, 2048))
    model.graph.node.append(helper.make_node("MatMul", ["tall", "input"], ["large"]))
    model.graph.node.append(helper.make_node("Transpose", ["w"], ["turned"], perm=[1, 0]))
    model.graph.node.append(helper.make_node("MatMul", ["turned", "w"], ["large2"]))
    model.graph.node.append(helper.make_node("ReduceMean", ["large2"], ["z"], keepdims=0))
    model.graph.initializer.append(shapes.weight("tall", 4, 1))
    refuse(model, "of shape")


def test_a_model_whose_shapes_cannot_be_worked_out_is_left_to_the_runtime():
    model = shapes.crossface()
    model.graph.node.append(helper.make_node("MatMul", ["input", "input"], ["z"]))
    parse_onnx(model.SerializeToString())
