"""The model store under faults: full disks, interruptions, other programs, what is broken or a link."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from doppel_models.errors import ModelFileError, StoreError
from doppel_models.files import disk
from doppel_models.files.kinds import ModelKind
from doppel_models.files.store import ModelStore

from tests.support.probes.stored import model, names, put

PROJECT = Path(__file__).resolve().parents[4]


def test_a_changed_file_is_found_when_it_is_read(store):
    record = put(store, model("ghost"))
    data = bytearray(store.path(record.sha256).read_bytes())
    data[len(data) // 2] ^= 1
    store.path(record.sha256).write_bytes(data)
    for use in (store.open, store.verify):
        with pytest.raises(ModelFileError):
            use(record)
    assert store.verify(put(store, model("ghost"))).description.kind == ModelKind.GHOST


@pytest.mark.parametrize(
    "what", ["no record", "broken record", "long record", "no file", "short file", "link"]
)
def test_what_is_not_whole_is_a_problem_and_can_be_added_again(store, tmp_path, what):
    record = put(store, model("ghost"))
    path, beside = store.path(record.sha256), store.folder / f"{record.sha256}.json"
    if what == "no record":
        beside.unlink()
    elif what == "broken record":
        beside.write_text("{")
    elif what == "long record":
        beside.write_bytes(b" " * (1 << 20))
    elif what == "no file":
        path.unlink()
    elif what == "short file":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    assert store.list() == []
    assert list(store.problems()) == [record.sha256]
    assert "add" in store.problems()[record.sha256]
    put(store, model("ghost"))
    assert store.problems() == {}
    assert not store.path(record.sha256).is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_nothing_is_written_or_deleted_where_a_link_leads(store, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("not Doppel's")
    file = model("ghost")
    store.folder.mkdir()
    for name in (f"{file.sha256}.onnx", f"{file.sha256}.json", ".new-left"):
        (store.folder / name).symlink_to(mine)
    assert store.list() == []
    record = put(store, file)
    assert store.open(record).data == file.data
    assert names(store.folder) == [f"{file.sha256}.json", f"{file.sha256}.onnx"]
    store.path(file.sha256).unlink()
    store.path(file.sha256).symlink_to(mine)
    store.remove(file.sha256)
    assert names(store.folder) == []
    (store.folder / ".lock").unlink(missing_ok=True)
    (store.folder / ".lock").symlink_to(mine)
    with contextlib.suppress(StoreError):  # refused, or locked there, as the system has it
        put(store, file)
    assert mine.read_text() == "not Doppel's"


def test_what_an_interruption_has_left_is_tidied_up(store):
    put(store, model("ghost"))
    (store.folder / ".new-abc").write_bytes(b"half")
    put(store, model("dfm"))
    assert not list(store.folder.glob(".new-*"))


def test_a_full_disk_is_told_and_nothing_is_left(store, monkeypatch):
    put(store, model("ghost"))
    before = names(store.folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="is full"):
        put(store, model("dfm"))
    monkeypatch.undo()
    assert names(store.folder) == before
    monkeypatch.setattr(disk, "SPARE_BYTES", 1 << 60)
    with pytest.raises(StoreError, match="too full"):
        put(store, model("dfm"))
    assert names(store.folder) == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        put(ModelStore(tmp_path / "file" / "models"), model("dfm"))


_ADDER = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.support.probes.stored import ModelStore, model, put
store, number = ModelStore(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for step in range(int(sys.argv[3])):
    put(store, model("hififace", producer=f"both {{step}}"))
    put(store, model("dfm", producer=f"{{number}} {{step}}"))
print("done", flush=True)
"""


def _adder(store: ModelStore, number: int, steps: int) -> "subprocess.Popen[str]":
    program = _ADDER.format(paths=[str(PROJECT), str(PROJECT / "models")])
    command = [sys.executable, "-c", program, str(store.folder), str(number), str(steps)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_programs_add_at_once_and_lose_nothing(store):
    adders = [_adder(store, number, 3) for number in range(2)]
    for adder in adders:
        assert adder.stdin is not None
        adder.stdin.write("go\n")
        adder.stdin.flush()
    for adder in adders:
        assert adder.communicate(timeout=120)[0] == "done\n"
    assert store.problems() == {}
    records = store.list()
    assert len(records) == 9
    assert len({record.name.casefold() for record in records}) == 9
    for record in records:
        store.verify(record)


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_program_that_is_killed_leaves_a_store_that_works(store):
    for wait in (0.0, 0.03):
        adder = _adder(store, 0, 1000)
        assert adder.stdin is not None
        adder.stdin.write("go\n")
        adder.stdin.flush()
        deadline = time.monotonic() + 60
        while not list(store.folder.glob("*.onnx")):
            assert time.monotonic() < deadline, "nothing was added"
            time.sleep(0.001)
        time.sleep(wait)
        adder.send_signal(signal.SIGKILL)
        adder.communicate(timeout=60)
        for record in store.list():
            store.verify(record)
        assert set(store.problems().values()) <= {
            "it has no record (adding it was interrupted); add it again"
        }
        put(store, model("ghost"))
        for sha256 in store.problems():
            store.remove(sha256)
        assert store.problems() == {}
