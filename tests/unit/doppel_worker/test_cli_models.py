import hashlib
import json

import pytest
from doppel_models.errors import AmbiguousModelError, DownloadError, ModelFileError, StoreError
from doppel_worker.cli.models import app
from typer.testing import CliRunner

from tests.support.file_server import file_server
from tests.support.probes import shapes


@pytest.fixture
def where(tmp_path) -> tuple[str, str]:
    return ("--dir", str(tmp_path / "store"))


@pytest.fixture
def files(tmp_path):
    for name in ("dfm", "ghost", "arcface", "gpen-256"):
        (tmp_path / f"{name}.onnx").write_bytes(shapes.USED[name]().SerializeToString())
    (tmp_path / "crossface.onnx").write_bytes(shapes.crossface().SerializeToString())
    return tmp_path


def _run(*words: object, text: str | None = None):
    return CliRunner().invoke(app, [str(word) for word in words], input=text)


def _text(*words: object, text: str | None = None) -> str:
    result = _run(*words, text=text)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def _json(*words: object):
    result = _run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.strip().splitlines()[-1])


def _error(kind: type[Exception], *words: object, text: str | None = None) -> str:
    result = _run(*words, text=text)
    assert isinstance(result.exception, kind), result.output
    return str(result.exception)


def test_a_model_is_added_listed_shown_verified_and_removed(files, where):
    added = _json(
        "add", files / "ghost.onnx", "--accept-licence", "--who", "Jo", "--name", "My [red]Ghost", *where
    )
    assert (added["kind"], added["pixels"], added["licence"]) == ("ghost", 256, "Apache-2.0")
    assert added["accepted"]["who"] == "Jo"
    assert added["missing"] == ["arcface (w600k_r50)", "crossface for ghost"]

    assert [model["name"] for model in _json("list", *where)["models"]] == ["My [red]Ghost"]
    assert "My [red]Ghost" in _text("list", *where)
    shown = _json("show", "my [red]ghost", *where)
    assert [tensor["role"] for tensor in shown["inputs"]] == ["target", "source-vector"]
    text = _text("show", added["sha256"][:8], *where)
    for words in ("[1, 3, 256, 256] float32", "accepted by Jo", "it also needs: arcface", "from: ghost.onnx"):
        assert words in text

    assert _json("verify", *where) == {"good": [added["sha256"]], "bad": {}}
    assert _json("remove", "My [red]Ghost", *where) == {"removed": added["sha256"]}
    assert _json("list", *where)["models"] == []
    assert "no models in" in _text("list", *where)


def test_the_licence_is_shown_and_accepted_once(files, where):
    text = _text("add", files / "arcface.onnx", *where, text="y\n")
    assert "licence: InsightFace, non-commercial" in text
    assert "Do you accept" in text
    text = _text("add", files / "arcface.onnx", *where)
    assert "Do you accept" not in text
    assert "accepted by" in text


def test_who_says_no_adds_nothing(files, where):
    assert "nothing was added" in _error(ModelFileError, "add", files / "arcface.onnx", *where, text="n\n")
    assert _json("list", *where)["models"] == []


def test_without_a_terminal_the_licence_must_be_accepted_by_an_option(files, where):
    assert "--accept-licence" in _error(ModelFileError, "add", files / "arcface.onnx", "--json", *where)


def test_an_unknown_licence_needs_the_users_own_ground(files, where):
    words = ("add", files / "dfm.onnx", *where)
    assert "on what ground" in _error(ModelFileError, *words, "--accept-licence")
    assert "On what ground" in _text(*words, text="y\nI trained it\n")
    assert _json("show", "dfm", *where)["accepted"]["ground"] == "I trained it"
    # Another model of the same kind has other terms.
    other = files / "other.onnx"
    other.write_bytes(shapes.dfm(128).SerializeToString())
    _error(ModelFileError, "add", other, "--accept-licence", *where)


def test_where_the_contents_leave_a_choice_the_user_is_asked(files, where):
    words = ("add", files / "crossface.onnx", *where)
    assert "--as" in _error(AmbiguousModelError, *words, "--accept-licence", "--json")
    assert "crossface for ghost" in _text(*words, text="crossface-ghost\ny\n")
    assert _json(*words, "--as", "crossface-simswap")["variant"] == "simswap"
    assert "cannot be dfm" in _error(ModelFileError, *words, "--as", "dfm")


def test_a_file_is_not_made_into_something_else(files, where):
    message = _error(ModelFileError, "add", files / "gpen-256.onnx", "--as", "xseg", *where)
    assert message == "gpen-256.onnx is not xseg: by its contents it is enhancer"
    assert (
        _json("add", files / "gpen-256.onnx", "--as", "enhancer", "--accept-licence", *where)["pixels"] == 256
    )


def test_the_hash_of_a_file_is_compared_when_it_is_known(files, where):
    path = files / "ghost.onnx"
    words = ("add", path, "--accept-licence", *where, "--sha256")
    assert "another file" in _error(ModelFileError, *words, "0" * 64)
    assert "no sha256" in _error(ModelFileError, *words, "abc")
    assert _json(*words, hashlib.sha256(path.read_bytes()).hexdigest().upper())["name"] == "ghost"


def test_what_is_no_model_is_refused_with_advice(files, where):
    (files / "x.pth").write_bytes(b"\x80\x02}q\x00.")
    assert "take the model's ONNX export" in _error(ModelFileError, "add", files / "x.pth", *where)
    assert "cannot be used" in _error(ModelFileError, "add", files / "nothing.onnx", *where)


def test_a_damaged_model_fails_the_check_and_can_be_removed(files, where, tmp_path):
    added = _json("add", files / "ghost.onnx", "--accept-licence", *where)
    path = tmp_path / "store" / f"{added['sha256']}.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    result = _run("verify", *where, "--json")
    assert result.exit_code == 1
    assert added["sha256"] in json.loads(result.stdout)["bad"]
    assert "changed or damaged" in _text("list", *where)
    assert "removed" in _text("remove", added["sha256"][:12], "-y", *where)
    assert _json("verify", *where) == {"good": [], "bad": {}}


def test_removing_asks_first(files, where):
    _text("add", files / "ghost.onnx", "--accept-licence", *where)
    assert _run("remove", "ghost", *where, text="n\n").exit_code == 1
    assert len(_json("list", *where)["models"]) == 1
    assert "there is no model" in _error(StoreError, "remove", "nothing", "-y", *where)


def test_a_model_is_fetched_from_a_plain_server(where, tmp_path):
    content = shapes.USED["ghost"]().SerializeToString()
    with file_server(content) as server:
        server.cut_after = [20_000]
        digest = hashlib.sha256(content).hexdigest()
        url = server.url.replace("/file", "/file%20%1bname.onnx?token=secret")
        added = _json("add", url, "--accept-licence", "--sha256", digest, *where)
    assert (added["sha256"], added["name"]) == (digest, "file name")
    assert added["origin"].endswith("/file%20%1bname.onnx")
    assert list((tmp_path / "store" / ".downloads").iterdir()) == []


def test_a_fetched_file_is_kept_while_an_answer_is_missing(where):
    with file_server(shapes.crossface().SerializeToString()) as server:
        _error(AmbiguousModelError, "add", server.url, "--accept-licence", "--json", *where)
        _error(ModelFileError, "add", server.url, "--as", "crossface-ghost", "--json", *where)
        before = len(server.seen)
        words = ("--as", "crossface-ghost", "--accept-licence")
        assert _json("add", server.url, *words, *where)["variant"] == "ghost"
        # Asked for the rest, of which there is none.
        assert [request.get("range") is not None for request in server.seen[before:]] == [True]


def test_a_fetched_file_that_is_refused_is_deleted(where, tmp_path):
    with file_server(shapes.parsing().SerializeToString()) as server:
        message = _error(ModelFileError, "add", server.url, *where)
    assert message.startswith("file cannot be used: it is a face parsing")
    assert list((tmp_path / "store" / ".downloads").iterdir()) == []


def test_another_hash_than_the_given_one_is_refused(where):
    with file_server(shapes.xseg().SerializeToString()) as server:
        assert "has the sha256" in _error(DownloadError, "add", server.url, "--sha256", "0" * 64, *where)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x.onnx"])
def test_addresses_other_than_http_are_refused(url, where):
    assert "no http or https address" in _error(DownloadError, "add", url, *where)
