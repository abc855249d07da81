from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from doppel_models.atomic import TEMPORARY
from doppel_models.persona_folder import put


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_takes_the_place_of_the_one_of_its_name_with_nothing_of_it(tmp_path: Path) -> None:
    put(tmp_path / "mary", {"photo-1.png": b"one", "photo-2.png": b"two"})
    put(tmp_path / "mary", {"photo-1.png": b"three"})
    assert names(tmp_path) == ["mary"]
    assert names(tmp_path / "mary") == ["photo-1.png"]
    assert (tmp_path / "mary" / "photo-1.png").read_bytes() == b"three"


@pytest.mark.skipif(os.name == "nt", reason="no folder can be flushed there")
def test_all_of_a_folder_is_on_the_disk_before_it_takes_its_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut cannot be made here: what the system is told to write, and when, can be seen."""
    flushed: list[int] = []
    before: list[int] = []
    flush, replace = os.fsync, Path.replace

    def see_flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        flush(descriptor)

    def see_replace(self: Path, target: Path) -> Path:
        before.extend(flushed)
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", see_flush)
    monkeypatch.setattr(Path, "replace", see_replace)
    put(tmp_path / "mary", {"photo-1.png": b"one", "persona.json": b"{}"})
    mary = tmp_path / "mary"
    assert set(before) == {path.stat().st_ino for path in (mary, *mary.iterdir())}
    assert flushed[len(before) :] == [tmp_path.stat().st_ino]


def test_a_folder_that_cannot_be_put_leaves_the_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mary", {"photo-1.png": b"one"})
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.name == "mary" and target.parent == tmp_path:
            raise OSError("the disk is full")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="the disk is full"):
        put(tmp_path / "mary", {"photo-1.png": b"two"})
    assert names(tmp_path) == ["mary"]
    assert (tmp_path / "mary" / "photo-1.png").read_bytes() == b"one"


def test_a_folder_is_put_although_another_program_keeps_the_old_files_from_being_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mary", {"photo-1.png": b"one"})
    real = os.unlink

    def unlink(path: Any, **options: Any) -> None:
        if Path(path).name == "photo-1.png":
            raise PermissionError(13, "a program that looks for viruses has it open")
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    put(tmp_path / "mary", {"photo-1.png": b"two"})
    assert (tmp_path / "mary" / "photo-1.png").read_bytes() == b"two"


def test_photos_that_were_left_behind_long_ago_are_deleted_and_what_others_write_now_is_not(
    tmp_path: Path,
) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "personas"
    for made in (outside, folder / f"{TEMPORARY}left" / "old", folder / f"{TEMPORARY}now" / "mary"):
        made.mkdir(parents=True)
        (made / "photo-1.png").write_bytes(b"one")
    (folder / f"{TEMPORARY}link").symlink_to(outside)
    long_ago = time.time() - 86400
    os.utime(folder / f"{TEMPORARY}left", (long_ago, long_ago))
    os.utime(outside, (long_ago, long_ago))
    os.utime(folder / f"{TEMPORARY}link", (long_ago, long_ago), follow_symlinks=False)
    put(folder / "bob", {"photo-1.png": b"two"})
    assert names(folder) == [f"{TEMPORARY}link", f"{TEMPORARY}now", "bob"]
    assert names(outside) == ["photo-1.png"]
