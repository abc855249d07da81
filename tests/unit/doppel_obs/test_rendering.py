from __future__ import annotations

from pathlib import Path

import pytest
from doppel_obs.rendering import FIRST_OBS, RGB_ENV, draws_on_the_processor, wants_rgb


def tasks(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / str(number)).mkdir()
        (folder / str(number) / "comm").write_text(f"{name}\n", encoding="utf-8")
    return folder


def test_mesas_software_rasterizer_is_known_by_its_threads(tmp_path: Path) -> None:
    assert draws_on_the_processor(tasks(tmp_path, "obs", "libobs: graphic", "llvmpipe-0", "llvmpipe-1"))


def test_an_obs_on_a_graphics_card_has_no_such_threads(tmp_path: Path) -> None:
    assert not draws_on_the_processor(tasks(tmp_path, "obs", "libobs: graphic", "obs:disk$0", "obs:gdrv0"))


def test_a_system_without_such_a_list_counts_as_one_with_a_card(tmp_path: Path) -> None:
    assert not draws_on_the_processor(tmp_path / "nothing")


def test_a_thread_that_ends_meanwhile_is_passed_over(tmp_path: Path) -> None:
    found = tasks(tmp_path, "obs", "llvmpipe-0")
    (found / "0" / "comm").unlink()
    (found / "0" / "comm").mkdir()  # reading it fails

    assert draws_on_the_processor(found)


@pytest.mark.parametrize(("word", "wanted"), [("0", False), ("1", True), ("", False)])
def test_the_environment_decides_where_it_says_something(word: str, wanted: bool) -> None:
    assert wants_rgb(FIRST_OBS, {RGB_ENV: word}) is wanted  # "": as here, where nothing is drawn


def test_obs_28_never_gets_such_frames() -> None:
    assert not wants_rgb(FIRST_OBS - 1, {RGB_ENV: "1"})
