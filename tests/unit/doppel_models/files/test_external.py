"""Weights in files beside the model, and the paths that hostile models name."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from doppel_models.errors import ModelFileError
from doppel_models.files.onnx_file import OnnxFile, parse_onnx, read_onnx
from onnx import helper, numpy_helper

from tests.support.probes import shapes

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


def model_at(folder: Path, location: str = "weights.bin", **entries: str) -> Path:
    """A model that keeps one weight elsewhere."""
    model = shapes.model([("x", [1, 512], shapes.FLOAT)], [("y", [1, 512], shapes.FLOAT)])
    tensor = numpy_helper.from_array(VALUES, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    model.graph.initializer.append(tensor)
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def taken_in(file: OnnxFile) -> np.ndarray:
    assert not any(tensor.external_data for tensor in file.model.graph.initializer)
    # What is given to ONNX Runtime holds the weight as well.
    return parse_onnx(file.data).initializer("w")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "secret").write_bytes(VALUES.tobytes())
    return tmp_path / "models"


@pytest.mark.parametrize("place", ["weights.bin", "data/weights.bin"])
def test_weights_in_the_models_folder_are_taken_in(folder, place):
    path = model_at(folder, place)
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(VALUES.tobytes())
    assert np.array_equal(taken_in(read_onnx(path)), VALUES)


def test_a_weight_in_the_middle_of_the_file_is_found(folder):
    path = model_at(folder, offset="8", length=str(VALUES.nbytes))
    (folder / "weights.bin").write_bytes(b"........" + VALUES.tobytes() + b"more")
    assert np.array_equal(taken_in(read_onnx(path)), VALUES)


@pytest.mark.parametrize(
    "location",
    [
        "../secret",
        "data/../../secret",
        "/etc/passwd",
        "/proc/self/environ",
        "\\\\server\\share\\x",
        "..\\secret",
        "C:\\Windows\\win.ini",
        "C:secret",
        "data\\..\\..\\secret",
        "",
        ".",
        "weights.bin\0.txt",
        "file:///etc/passwd",
        "nul\0",
    ],
)
def test_paths_out_of_the_models_folder_are_refused(folder, location):
    with pytest.raises(ModelFileError):
        read_onnx(model_at(folder, location))


def test_an_absolute_path_into_the_folder_is_refused_too(folder):
    path = model_at(folder, str(folder / "weights.bin"))
    (folder / "weights.bin").write_bytes(VALUES.tobytes())
    with pytest.raises(ModelFileError, match="outside its own folder"):
        read_onnx(path)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    path = model_at(folder)
    (folder / "weights.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFileError, match="link out of"):
        read_onnx(path)


def test_a_linked_folder_is_refused(folder, tmp_path):
    path = model_at(folder, "data/secret")
    (folder / "data").symlink_to(tmp_path)
    with pytest.raises(ModelFileError, match="link out of"):
        read_onnx(path)


def test_links_that_go_round_are_refused(folder):
    path = model_at(folder)
    (folder / "weights.bin").symlink_to(folder / "weights.bin")
    with pytest.raises(ModelFileError, match="beside it"):
        read_onnx(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(folder):
    path = model_at(folder)
    os.mkfifo(folder / "weights.bin")
    with pytest.raises(ModelFileError, match="no plain file"):
        read_onnx(path)


def test_a_missing_second_file_is_told(folder):
    with pytest.raises(ModelFileError, match="put both into one folder"):
        read_onnx(model_at(folder))


@pytest.mark.parametrize(
    "entries",
    [
        {"length": "4"},
        {"offset": "-8"},
        {"offset": "1e3"},
        {"offset": "9" * 30},
        {"offset": "8"},
        {"length": "999999999999"},
    ],
)
def test_places_that_are_not_in_the_file_are_refused(folder, entries):
    path = model_at(folder, **entries)
    (folder / "weights.bin").write_bytes(VALUES.tobytes())
    with pytest.raises(ModelFileError):
        read_onnx(path)


def test_a_short_second_file_is_refused(folder):
    path = model_at(folder)
    (folder / "weights.bin").write_bytes(VALUES.tobytes()[:-1])
    with pytest.raises(ModelFileError, match="cut short"):
        read_onnx(path)


def test_without_a_folder_no_second_file_is_read(folder):
    path = model_at(folder)
    (folder / "weights.bin").write_bytes(VALUES.tobytes())
    with pytest.raises(ModelFileError, match="lies in another file"):
        parse_onnx(path.read_bytes())


def test_a_path_hidden_in_a_steps_attribute_is_refused(folder, tmp_path):
    model = shapes.model([("x", [1, 512], shapes.FLOAT)], [("y", [1, 512], shapes.FLOAT)])
    tensor = onnx.TensorProto(name="t", data_type=shapes.FLOAT, dims=[3, 4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="outside its own folder"):
        read_onnx(folder / "model.onnx")


def test_a_weight_in_two_places_is_refused(folder):
    path = model_at(folder)
    (folder / "weights.bin").write_bytes(VALUES.tobytes())
    model = onnx.ModelProto.FromString(path.read_bytes())
    model.graph.initializer[-1].raw_data = VALUES.tobytes()
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="both in the file and elsewhere"):
        read_onnx(path)
