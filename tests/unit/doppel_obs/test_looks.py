from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from doppel_ipc.settings import FilterSettings
from doppel_obs.errors import LookError
from doppel_obs.looks import LONGEST_NAME, LookStore
from doppel_obs.page_layout import LOOK_KEYS


@pytest.fixture
def store(tmp_path: Path) -> LookStore:
    return LookStore(tmp_path / "looks")


def test_a_look_comes_back_as_it_was_saved(store: LookStore) -> None:
    settings = FilterSettings(strength=0.5, keep_eyes=False, engine="inswapper_128", pixel_boost=2)
    store.save("Stage light", settings)
    assert store.names() == ["Stage light"]
    loaded = store.load("Stage light")
    assert set(loaded) == LOOK_KEYS
    assert FilterSettings().replace(**loaded) == settings


def test_a_look_of_the_same_name_is_replaced(store: LookStore) -> None:
    store.save("A", FilterSettings(strength=0.5))
    store.save(" A ", FilterSettings(strength=0.25))
    assert store.names() == ["A"]
    assert store.load("A")["strength"] == 0.25
    assert len(list(store.folder.iterdir())) == 1


@pytest.mark.parametrize("name", ["../../evil", "a/b", "con", "ä" * 30, "🙂", "x" * 500])
def test_no_name_becomes_a_path(store: LookStore, name: str) -> None:
    kept = store.save(name, FilterSettings())
    assert len(kept) <= LONGEST_NAME
    assert store.names() == [kept]
    assert store.load(kept)
    assert [path.parent for path in store.folder.iterdir()] == [store.folder]
    store.remove(kept)
    assert store.names() == []


def test_a_file_cannot_switch_the_label_off_or_uncover_anything(store: LookStore) -> None:
    store.save("A", FilterSettings())
    path = next(store.folder.iterdir())
    data = json.loads(path.read_text(encoding="utf-8"))
    data["look"].update({"label": False, "late_policy": "original", "strength": 7.0, "morph": 0.5, "new": 1})
    path.write_text(json.dumps(data), encoding="utf-8")
    loaded = store.load("A")
    assert set(loaded) <= LOOK_KEYS - {"strength"}
    assert loaded["morph"] == 0.5


def test_a_look_names_kept_models_and_no_files(store: LookStore) -> None:
    store.save("A", FilterSettings(engine="/home/somebody/model.onnx", occlusion="xseg"))
    loaded = store.load("A")
    assert "engine" not in loaded
    assert loaded["occlusion"] == "xseg"


def test_a_file_that_was_renamed_or_whose_name_no_page_can_show_is_not_listed(store: LookStore) -> None:
    store.save("A", FilterSettings())
    store.save("B", FilterSettings())
    first, second = sorted(store.folder.iterdir())
    data = json.loads(first.read_text(encoding="utf-8"))
    first.rename(store.folder / "copied.json")
    second.write_text(json.dumps({**data, "name": "\ud800"}), encoding="utf-8")
    assert store.names() == []


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"version": 2, "name": "A", "look": {}}', b"\xff", b"[" * 5000]
)
def test_a_file_that_is_damaged_is_left_out_and_told(store: LookStore, content: bytes) -> None:
    store.save("A", FilterSettings())
    next(store.folder.iterdir()).write_bytes(content)
    assert store.names() == []
    with pytest.raises(LookError):
        store.load("A")


@pytest.mark.parametrize(
    ("name", "used"), [("x" * LONGEST_NAME, True), ("x" * (LONGEST_NAME + 1), False), (7, False)]
)
def test_a_look_whose_name_is_longer_than_any_that_is_saved_cannot_be_used(
    store: LookStore, name: object, used: bool
) -> None:
    store.save("A", FilterSettings())
    path = next(store.folder.iterdir())
    data = json.loads(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(str(name).encode()).hexdigest()[:20]
    (store.folder / f"{digest}.json").write_text(json.dumps({**data, "name": name}), encoding="utf-8")
    assert store.names() == ["A", *([name] if used else [])]
    if used:
        assert store.load(str(name))
    else:
        with pytest.raises(LookError, match=f"at most {LONGEST_NAME} characters"):
            store.load(str(name))


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_device_among_the_looks_does_not_keep_the_page_waiting(store: LookStore) -> None:
    store.save("A", FilterSettings())
    os.mkfifo(store.folder / "pipe.json")
    (store.folder / "endless.json").symlink_to("/dev/zero")
    assert store.names() == ["A"]


def test_what_is_not_there_is_told(store: LookStore) -> None:
    for action in (store.load, store.remove):
        with pytest.raises(LookError):
            action("nobody")
    with pytest.raises(LookError):
        store.save("   ", FilterSettings())
    assert store.names() == []
