import json
from pathlib import Path

import pytest
from doppel_ipc.sound_record import RECORD_KEY, Record
from hypothesis import given
from hypothesis import strategies as st

from installer.collections_edit import (
    collection_text,
    read_collection,
    scripts_of,
    with_script,
    without_doppel,
)
from installer.errors import InstallerError
from installer.scene import Filter, Scene, color_source, media_source, scene_collection

SCRIPT = Path("/home/me/doppel/obs_plugin/doppel_filter.py")
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
SCRIPT_ENTRY = st.builds(lambda name: {"path": f"/scripts/{name}.lua", "settings": {"a": 1}}, NAMES)
COLLECTION = st.fixed_dictionaries(
    {
        "name": NAMES,
        "sources": st.lists(
            st.fixed_dictionaries({"name": NAMES, "id": NAMES, "settings": st.just({})}), max_size=3
        ),
    },
    optional={"modules": st.fixed_dictionaries({"scripts-tool": st.lists(SCRIPT_ENTRY, max_size=3)})},
)


@given(COLLECTION)
def test_adding_and_removing_restores_what_obs_reads(data):
    before = json.dumps(data)
    added = with_script(data, SCRIPT)
    assert scripts_of(added) == [*scripts_of(data), str(SCRIPT)]
    assert with_script(added, SCRIPT) == added
    removed, filters = without_doppel(added, SCRIPT)
    assert filters == 0
    assert scripts_of(removed) == scripts_of(data)
    assert removed["sources"] == data["sources"]
    assert json.dumps(data) == before


def test_a_doppel_that_was_moved_is_replaced_and_keeps_its_settings():
    old = {"modules": {"scripts-tool": [{"path": "/old/doppel_filter.py", "settings": {"device": "cpu"}}]}}
    assert with_script(old, SCRIPT)["modules"]["scripts-tool"] == [
        {"path": str(SCRIPT), "settings": {"device": "cpu"}}
    ]


def test_removal_takes_both_kinds_of_filter_and_leaves_the_others():
    filters = [
        Filter("a", "doppel_face_swap"),
        Filter("b", "doppel_face_swap_sync"),
        Filter("c", "crop_filter"),
    ]
    media = media_source("Cam", Path("/clip.mp4"), filters=filters)
    data = scene_collection([media, color_source("Green", 8, 8)], [Scene("Main", ["Cam"])], (8, 8), [SCRIPT])
    cleaned, count = without_doppel(data, SCRIPT)
    assert count == 2
    assert [item["name"] for item in cleaned["sources"][0]["filters"]] == ["c"]
    assert "doppel" not in json.dumps(cleaned)


def test_removal_takes_the_filters_hotkeys_out_of_their_source():
    own = {"libobs.mute": [{"key": "OBS_KEY_M"}], "doppelganger": []}
    names = ("swap", "next_face", "previous_face", "hold_original")
    ours = {f"doppel_{name}.Face Swap": [{"key": "OBS_KEY_F"}] for name in names}
    data = {"sources": [{"name": "Cam", "filters": [], "hotkeys": {**own, **ours}}]}
    cleaned, _ = without_doppel(data, SCRIPT)
    assert cleaned == {"sources": [{"name": "Cam", "filters": [], "hotkeys": own}]}


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_a_file_that_is_no_collection_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "Broken.json"
    path.write_text(text)
    with pytest.raises(InstallerError, match="Broken"):
        read_collection(path)


def test_what_is_written_is_read_back(tmp_path):
    data = {"name": "Über", "sources": []}
    path = tmp_path / "c.json"
    path.write_text(collection_text(data), encoding="utf-8")
    assert read_collection(path) == data


@pytest.mark.parametrize(
    ("sync", "expected"),
    [
        pytest.param(82_000_000, 7_000_000, id="ours is in it: the user's own comes back"),
        pytest.param(30_000_000, 30_000_000, id="edited since: it is the user's"),
    ],
)
def test_removal_gives_the_sound_its_own_offset_back(sync, expected):
    record = Record(7_000_000, (0, 81_000_000, 82_000_000))
    camera = {"name": "Cam", "sync": sync, "private_settings": {RECORD_KEY: record.to_json(), "other": 1}}
    other = {"name": "Mic", "sync": 5, "private_settings": {}}
    own = {"name": "Cam", "sync": expected, "private_settings": {"other": 1}}
    # OBS keeps the devices of its audio settings beside the list of sources.
    data = {"sources": [camera, other], "AuxAudioDevice1": camera, "DesktopAudioDevice2": camera}
    cleaned, _ = without_doppel(data, SCRIPT)
    assert cleaned == {"sources": [own, other], "AuxAudioDevice1": own, "DesktopAudioDevice2": own}


@pytest.mark.parametrize(
    "data",
    [
        {"modules": None, "sources": None},
        {"modules": [], "sources": {}, "groups": 3},
        {"sources": [None, 1, {"filters": None}, {"filters": [None, {}]}], "AuxAudioDevice1": []},
        {"sources": [{"sync": None, "private_settings": {RECORD_KEY: "x"}}]},
    ],
)
def test_a_collection_of_a_strange_form_is_edited_where_it_can_be(data):
    assert scripts_of(with_script(data, SCRIPT)) == [str(SCRIPT)]
    cleaned, filters = without_doppel(with_script(data, SCRIPT), SCRIPT)
    assert filters == 0
    assert scripts_of(cleaned) == []


def test_removal_takes_filters_of_groups():
    group = {"name": "Both", "filters": [{"id": "doppel_face_swap_sync"}, {"id": "crop_filter"}]}
    cleaned, count = without_doppel({"sources": [], "groups": [group]}, SCRIPT)
    assert count == 1
    assert cleaned["groups"][0]["filters"] == [{"id": "crop_filter"}]
