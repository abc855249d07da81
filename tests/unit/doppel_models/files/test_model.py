import subprocess
import sys

import pytest
from doppel_models.errors import AmbiguousModelError, ModelFileError
from doppel_models.files.kinds import ModelKind
from doppel_models.files.model import open_model

from tests.support.probes import shapes
from tests.unit.test_import_direction import PROJECT


def test_a_file_is_opened_for_an_engine(tmp_path):
    path = tmp_path / "some file.dfm"
    path.write_bytes(shapes.dfm().SerializeToString())
    model = open_model(path)
    assert (model.name, model.description.kind, model.emap) == ("some file.dfm", ModelKind.DFM, None)
    assert model.data == path.read_bytes()


def test_errors_name_the_file_and_keep_the_choices(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(shapes.crossface().SerializeToString())
    with pytest.raises(AmbiguousModelError, match=r"^x\.onnx: ") as caught:
        open_model(path)
    assert len(caught.value.choices) == 3
    path.write_bytes(shapes.parsing().SerializeToString())
    with pytest.raises(ModelFileError, match=r"^x\.onnx cannot be used: it is a face parsing"):
        open_model(path)


def test_what_reads_model_files_is_loaded_when_one_is_read():
    """Not with the folder of models and personas, which every start looks into."""
    paths = [str(PROJECT / folder) for folder in ("shared", "models", "obs_plugin")]
    program = (
        f"import sys; sys.path[:0] = {paths!r}; import doppel_worker.cli.models, doppel_models.personas;"
        "print(sorted({'onnx', 'httpx', 'google'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.strip()) == ("", "[]")
