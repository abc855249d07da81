import json

import pytest
from doppel_models.errors import ModelFileError, StoreError
from doppel_models.files.kinds import ModelKind
from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import ModelFile
from doppel_models.files.store import ModelStore, models_folder
from doppel_models.home import HOME_ENV

from tests.support.probes.stored import model, names, put


def test_a_model_is_stored_under_its_hash_and_read_back(store):
    file = model("inswapper")
    record = put(store, file, origin="https://example.org/x")
    again = ModelStore(store.folder)
    assert again.list() == [record]
    assert again.problems() == {}
    assert names(store.folder) == [f"{file.sha256}.json", f"{file.sha256}.onnx"]
    opened = again.open(record)
    assert opened.data == file.data
    assert opened.description == file.description
    assert opened.emap is not None
    assert (record.name, record.kind, record.pixels) == ("inswapper", ModelKind.INSWAPPER, 128)
    assert record.acceptance is not None
    assert record.acceptance.who == "Jo"


def test_the_folder_is_the_users_own_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_ENV, str(tmp_path))
    assert ModelStore().folder == models_folder() == tmp_path / "models"


def test_an_answer_of_the_users_is_kept(store):
    record = put(store, model("crossface", "crossface-ghost"), choice="crossface-ghost")
    assert store.open(record).description.title == "crossface for ghost"


def test_models_are_found_by_name_and_by_hash(store):
    record = put(store, model("ghost"), name="My Ghost")
    for text in ("My Ghost", "my ghost", record.sha256, record.sha256[:6], record.sha256[:8].upper()):
        assert store.find(text) == record
    for text in ("", "ghos", record.sha256[:5], "../x", "*"):
        with pytest.raises(StoreError):
            store.find(text)


def test_the_same_file_again_renews_its_record(store):
    put(store, model("ghost"), name="one")
    record = put(store, model("ghost"), name="two")
    assert store.list() == [record]
    assert record.name == "two"


def test_a_second_model_of_the_same_name_gets_a_number(store):
    put(store, model("ghost"), name="x")
    assert put(store, model("ghost", producer="other"), name="X").name == "X 2"


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "a/b\\c", "C:\\x", "nul\0", ".hidden", "\x1b[2J\n"]
)
def test_no_name_becomes_a_path(store, tmp_path, name):
    file = model("dfm")
    hostile = ModelFile(name, file.sha256, file.description, file.data, file.emap)
    try:
        record = put(store, hostile, name=name)
    except StoreError:
        record = put(store, file)
    assert names(store.folder) == [f"{file.sha256}.json", f"{file.sha256}.onnx"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["models"]
    assert record.name.isprintable()


@pytest.mark.parametrize("sha256", ["", "x", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_hash_opens_nothing(store, sha256):
    for use in (store.get, store.path, store.remove):
        with pytest.raises(StoreError, match="is not the hash"):
            use(sha256)


def test_what_a_model_needs_is_missing_until_it_is_there(store):
    ghost = model("ghost").description
    assert store.missing(ghost) == ("arcface (w600k_r50)", "crossface for ghost")
    put(store, model("arcface"))
    put(store, model("crossface", "crossface-simswap"), choice="crossface-simswap")
    assert store.missing(ghost) == ("crossface for ghost",)
    put(store, model("crossface", "crossface-ghost", producer="g"), choice="crossface-ghost")
    assert store.missing(ghost) == ()
    assert [record.kind for record in store.of_kind(ModelKind.CROSSFACE, "ghost")] == [ModelKind.CROSSFACE]


def test_a_model_whose_licence_was_not_accepted_is_not_opened(store):
    record = put(store, model("ghost"))
    path = store.folder / f"{record.sha256}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "acceptance": None}))
    with pytest.raises(ModelFileError, match="was not accepted"):
        store.open(store.get(record.sha256))
    assert store.of_kind(ModelKind.GHOST) == []
    with pytest.raises(ModelFileError, match="was not accepted"):
        store.add(model("dfm"), accept(licence_of(ModelKind.GHOST, ""), "Jo"))
    assert len(store.list()) == 1


def test_removing_takes_everything_away(store):
    record = put(store, model("ghost"))
    store.remove(record.sha256)
    assert names(store.folder) == []
    with pytest.raises(StoreError, match="no model"):
        store.remove(record.sha256)


def test_other_files_in_the_folder_are_left_alone(store):
    put(store, model("ghost"))
    (store.folder / "readme.txt").write_text("mine")
    (store.folder / "model.onnx").write_bytes(b"mine")
    assert len(store.list()) == 1
    assert store.problems() == {}
    assert (store.folder / "readme.txt").exists()
