"""What a file is, by its contents."""

import onnx
import pytest
from doppel_models.errors import AmbiguousModelError, ModelFileError
from doppel_models.files.kinds import ModelDescription, ModelKind, Role
from doppel_models.files.model import open_model
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.files.recognise import candidates, recognise
from onnx import helper

from tests.support.probes import shapes

T, V, P, F, M = Role.TARGET, Role.SOURCE_VECTOR, Role.SOURCE_PICTURE, Role.FACE, Role.FACE_MASK

# name: (kind, variant, size, weights, roles of the inputs, roles of the outputs)
EXPECTED = {
    "dfm": (ModelKind.DFM, "", 64, [T], [Role.TARGET_MASK, F, M]),
    "dfm-amp": (ModelKind.DFM, "amp", 224, [T, Role.MORPH], [Role.TARGET_MASK, F, M]),
    "dfm-renamed": (ModelKind.DFM, "", 320, [T], [Role.TARGET_MASK, F, M]),
    "dfm-fp16": (ModelKind.DFM, "", 64, [T], [Role.TARGET_MASK, F, M]),
    "inswapper": (ModelKind.INSWAPPER, "128", 128, [T, V], [F]),
    "inswapper-fp16": (ModelKind.INSWAPPER, "128", 128, [T, V], [F]),
    "inswapper-fp16-io": (ModelKind.INSWAPPER, "128", 128, [T, V], [F]),
    "inswapper-renamed-emap": (ModelKind.INSWAPPER, "128", 128, [T, V], [F]),
    "hyperswap": (ModelKind.HYPERSWAP, "256", 256, [V, T], [F, M]),
    "hyperswap-no-mask": (ModelKind.HYPERSWAP, "256", 256, [V, T], [F]),
    "hyperswap-mask-alone": (ModelKind.HYPERSWAP, "256", 256, [T, V], [F, M]),
    "simswap-256": (ModelKind.SIMSWAP, "256", 256, [T, V], [F]),
    "simswap-512": (ModelKind.SIMSWAP, "512", 512, [T, V], [F]),
    "ghost": (ModelKind.GHOST, "256", 256, [T, V], [F]),
    "ghost-original": (ModelKind.GHOST, "2 256", 256, [T, V], [F]),
    "hififace": (ModelKind.HIFIFACE, "256", 256, [T, V], [F]),
    "uniface": (ModelKind.UNIFACE, "256", 256, [P, T], [F]),
    "blendswap": (ModelKind.BLENDSWAP, "256", 256, [P, T], [F]),
    "arcface": (ModelKind.ARCFACE, "r50", 112, [T], [Role.VECTOR]),
    "gfpgan": (ModelKind.ENHANCER, "gfpgan, gpen or restoreformer", 512, [T], [F]),
    "gpen-256": (ModelKind.ENHANCER, "gpen 256", 256, [T], [F]),
    "gpen-2048": (ModelKind.ENHANCER, "gpen 2048", 2048, [T], [F]),
    "codeformer": (ModelKind.ENHANCER, "codeformer", 512, [T, Role.WEIGHT], [F, Role.OTHER]),
    "codeformer-scalar": (ModelKind.ENHANCER, "codeformer", 512, [T, Role.WEIGHT], [F]),
    "xseg": (ModelKind.XSEG, "", 256, [T], [M]),
}


def what(model: onnx.ModelProto, choice: str | None = None) -> ModelDescription:
    return recognise(parse_onnx(model.SerializeToString()), choice)


@pytest.mark.parametrize("name", sorted(shapes.USED))
def test_every_kind_is_recognised_with_the_roles_of_its_inputs_and_outputs(name):
    kind, variant, size, inputs, outputs = EXPECTED[name]
    found = what(shapes.USED[name]())
    assert (found.kind, found.variant, found.size) == (kind, variant, size)
    assert [tensor.role for tensor in found.inputs] == inputs
    assert [tensor.role for tensor in found.outputs] == outputs
    assert found.layout == ("nhwc" if kind in (ModelKind.DFM, ModelKind.XSEG) else "nchw")


@pytest.mark.parametrize("name", sorted(shapes.USED))
def test_the_order_and_names_of_inputs_do_not_matter(name):
    """But where nothing else says which picture is the source, and for DFM's masks."""
    model = shapes.USED[name]()
    kind, _, size, *_ = EXPECTED[name]
    if kind == ModelKind.UNIFACE or name == "ghost-original":
        pytest.skip("told by a name alone")
    renamed = {
        value.name: f"t{index}" for index, value in enumerate((*model.graph.input, *model.graph.output))
    }
    for value in (*model.graph.input, *model.graph.output):
        value.name = renamed[value.name]
    for node in model.graph.node:
        node.input[:] = [renamed.get(text, text) for text in node.input]
        node.output[:] = [renamed.get(text, text) for text in node.output]
    turned = list(model.graph.input)[::-1]
    model.graph.ClearField("input")
    model.graph.input.extend(turned)
    found = what(model)
    assert (found.kind, found.size) == (kind, size)
    assert sorted(tensor.role for tensor in found.inputs) == sorted(EXPECTED[name][3])


def test_a_files_name_says_nothing(tmp_path):
    path = tmp_path / "inswapper_128.onnx"
    path.write_bytes(shapes.xseg().SerializeToString())
    model = open_model(path)
    assert model.description.kind == ModelKind.XSEG
    assert model.name == "inswapper_128.onnx"


def test_float16_files_say_what_is_half():
    mixed, pure = what(shapes.USED["inswapper-fp16"]()), what(shapes.USED["inswapper-fp16-io"]())
    assert mixed.weights == pure.weights == "float16"
    assert {tensor.dtype for tensor in mixed.inputs} == {"float32"}
    assert {tensor.dtype for tensor in pure.inputs} == {"float16"}
    assert what(shapes.USED["inswapper"]()).weights == "float32"


def test_codeformers_weight_keeps_its_type():
    weight = what(shapes.USED["codeformer"]()).input(Role.WEIGHT)
    assert weight is not None
    assert (weight.name, weight.shape, weight.dtype) == ("weight", (1,), "float64")


def test_inswappers_map_is_found_by_name_before_shape(tmp_path):
    model = shapes.inswapper()
    model.graph.initializer.insert(0, shapes.weight("other", 512, 512))
    model.graph.initializer.append(shapes.weight("last", 512, 512))
    assert what(model).emap == "buff2fs"
    path = tmp_path / "x.onnx"
    path.write_bytes(model.SerializeToString())
    emap = open_model(path).emap
    assert emap is not None
    assert (emap[0, 0], emap[0, 1]) == (2.0, 0.0)


def test_inswappers_map_without_its_name_is_the_one_that_no_step_uses():
    model = shapes.inswapper(emap="renamed")
    model.graph.initializer.append(shapes.weight("used", 512, 512))
    model.graph.node.append(helper.make_node("MatMul", ["source", "used"], ["z"]))
    assert what(model).emap == "renamed"


def test_inswapper_without_its_map_is_refused():
    with pytest.raises(ModelFileError, match="without its map of identities"):
        what(shapes.inswapper(emap=None))


def test_dfm_outputs_in_another_order_keep_their_roles_by_name():
    model = shapes.dfm()
    turned = list(model.graph.output)[::-1]
    model.graph.ClearField("output")
    model.graph.output.extend(turned)
    assert [tensor.role for tensor in what(model).outputs] == [M, F, Role.TARGET_MASK]


def test_free_dimensions_are_taken_from_the_output_or_the_kind():
    model = shapes.inswapper()
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value == 128:
                dim.dim_param = "size"
    assert what(model).size == 128
    model = shapes.vector_swapper("ghost")
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_param = "size"
    assert what(model).size == 256
    assert what(model).inputs[0].shape == (1, 3, None, None)


def test_weights_listed_among_the_inputs_are_no_inputs():
    """As files of the first versions do."""
    model = shapes.inswapper()
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, shapes.FLOAT, tensor.dims))
    assert len(what(model).inputs) == 2


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("inswapper", [ModelKind.ARCFACE]),
        ("hyperswap", [ModelKind.ARCFACE]),
        ("simswap-256", [ModelKind.ARCFACE, ModelKind.CROSSFACE]),
        ("ghost", [ModelKind.ARCFACE, ModelKind.CROSSFACE]),
        ("hififace", [ModelKind.ARCFACE, ModelKind.CROSSFACE]),
        ("blendswap", []),
        ("uniface", []),
        ("dfm", []),
    ],
)
def test_what_else_a_model_needs_is_said(name, needs):
    assert list(what(shapes.USED[name]()).needs) == needs


def test_a_swapper_without_any_sign_is_asked_about_and_not_guessed():
    model = shapes.vector_swapper(None)
    with pytest.raises(AmbiguousModelError) as caught:
        what(model)
    assert caught.value.choices == ("simswap", "ghost", "hififace", "hyperswap")
    assert "ghost" in str(caught.value)
    assert what(model, "ghost").kind == ModelKind.GHOST


def test_a_crossface_is_asked_about():
    with pytest.raises(AmbiguousModelError) as caught:
        what(shapes.crossface())
    assert set(caught.value.choices) == {"crossface-simswap", "crossface-ghost", "crossface-hififace"}
    found = what(shapes.crossface(), "crossface-ghost")
    assert (found.kind, found.variant, found.size) == (ModelKind.CROSSFACE, "ghost", 0)
    assert found.title == "crossface for ghost"


def test_a_user_cannot_make_a_file_what_it_is_not():
    with pytest.raises(ModelFileError, match="cannot be ghost: by its contents it is xseg"):
        what(shapes.xseg(), "ghost")


def test_a_file_with_the_signs_of_two_kinds_is_asked_about():
    model = shapes.vector_swapper("ghost")
    nodes, weights = shapes.sign_nodes("simswap", "source")
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(weights)
    with pytest.raises(AmbiguousModelError) as caught:
        what(model)
    assert set(caught.value.choices) == {"ghost", "simswap"}


@pytest.mark.parametrize("sign", ["ghost", "hyperswap", "hififace", "simswap"])
def test_signs_are_found_behind_casts_and_norms(sign):
    """As float16 exports and exports with the norm inside have them."""
    model = shapes.vector_swapper(sign)
    for node in model.graph.node:
        node.input[:] = ["scaled" if name == "source" else name for name in node.input]
    model.graph.node.insert(0, helper.make_node("Cast", ["source"], ["cast"], to=shapes.FLOAT))
    model.graph.node.insert(1, helper.make_node("Div", ["cast", "norm"], ["scaled"]))
    model.graph.initializer.append(shapes.weight("norm", 1))
    assert [description.kind for description in candidates(parse_onnx(model.SerializeToString()))] == [sign]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (shapes.parsing(), "face parsing"),
        (shapes.detector(), "face detector"),
        (shapes.liveportrait(), "LivePortrait"),
        (shapes.enhancer(300), "no model that Doppel knows"),
        (shapes.picture_swapper(256, ("a", "b")), "which is the source"),
        (shapes.vector_swapper(None, 224), "pictures of 224 pixels"),
        (shapes.dfm(32), "pictures of 32 pixels"),
        (shapes.model([("x", [4, 3, 512, 512], 1)], [("y", [4, 3, 512, 512], 1)]), "4 pictures at once"),
        (shapes.model([("x", [1, 3, 512, 256], 1)], [("y", [1, 3, 512, 256], 1)]), "not square"),
        (shapes.model([("x", [1, 1 << 40], 1)], [("y", [1, 2], 1)]), "dimension of"),
        (shapes.model([("x", [1, 10], 1)], [("y", [1, 2], 1)]), r"'x' \[1, 10\] float32"),
        (shapes.model([("x", [1, 3, 512, 512], 2)], [("y", [1, 3, 512, 512], 1)]), "floating-point"),
        (shapes.model([(f"x{i}", [1], 1) for i in range(40)], [("y", [1], 1)]), "more than 32"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(model, words):
    with pytest.raises(ModelFileError, match=words):
        what(model)


def test_a_refusal_says_what_was_found_and_what_is_known():
    with pytest.raises(ModelFileError) as caught:
        what(shapes.enhancer(300))
    for word in ("'input' [1, 3, 300, 300] float32", "1 outputs", "inswapper", ".dfm", "XSeg"):
        assert word in str(caught.value)
