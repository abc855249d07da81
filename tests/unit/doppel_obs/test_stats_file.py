from __future__ import annotations

import json
import os
from pathlib import Path

from doppel_ipc.paths import STATS_ENV
from doppel_obs.lane_stats import LaneStats
from doppel_obs.stats_file import COPY_INTERVAL_NS, INTERVAL_NS, MOST_MESSAGES, PATIENCE, StatsFile, obs_part

OBS = obs_part((29, 0, 2), panic=False)


def test_a_copy_that_was_named_is_written_whole_with_each_message_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    file = StatsFile(tmp_path / "logs", lambda text: None, {STATS_ENV: str(path)})
    for text in ("first", "second", "first"):
        file.message(text)
    assert file.kept
    assert file.due(10**18)
    file.write(OBS, {"starts": 1}, [LaneStats("Camera", "Face Swap")])
    (own,) = (tmp_path / "logs").iterdir()
    assert own.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    file.close()

    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["version"] == 1
    assert data["obs"] == {"pid": os.getpid(), "version": "29.0.2", "panic": False}
    assert data["worker"] == {"starts": 1}
    assert data["messages"] == ["first", "second"]
    assert data["lanes"][0]["source"] == "Camera"
    assert sorted(item.name for item in tmp_path.rglob("*")) == ["logs", "stats.json"]
    assert not file.due(data["updated_ns"] + COPY_INTERVAL_NS - 1)
    assert file.due(data["updated_ns"] + COPY_INTERVAL_NS)


def test_the_file_lies_beside_the_log_and_goes_with_the_script(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    file = StatsFile(folder, lambda text: None, {})
    for number in range(MOST_MESSAGES + 1):
        file.message(str(number))
    file.write(OBS, {}, [])

    (path,) = folder.iterdir()
    assert path.name == f"status-{os.getpid()}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert not file.due(data["updated_ns"] + INTERVAL_NS - 1)
    assert file.due(data["updated_ns"] + INTERVAL_NS)
    messages = data["messages"]
    assert (messages[0], messages[-1]) == ("1", str(MOST_MESSAGES))
    file.close()
    assert list(folder.iterdir()) == []


def test_what_a_killed_obs_left_is_swept_away_and_what_a_living_one_keeps_is_not(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in ("status-1.json", "status-2.json", "doppel.log"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (1, 1))
    StatsFile(tmp_path, lambda text: None, {})

    assert sorted(path.name for path in tmp_path.iterdir()) == ["doppel.log", "status-2.json"]


def test_a_file_that_cannot_be_written_is_said_once_and_harms_nobody(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    said: list[str] = []
    file = StatsFile(blocked / "logs", said.append, {})
    for _ in range(3 * PATIENCE):
        file.write(OBS, {}, [])

    assert len(said) == 1
    assert "cannot be written: Not a directory" in said[0]


def test_a_copy_that_cannot_be_written_is_named_and_our_own_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad = tmp_path / "file" / "stats.json"
    said: list[str] = []
    file = StatsFile(tmp_path / "logs", said.append, {STATS_ENV: str(bad)})
    for number in range(3 * PATIENCE):
        file.write(OBS, {"starts": number}, [])

    (own,) = (tmp_path / "logs").iterdir()
    assert json.loads(own.read_text(encoding="utf-8"))["worker"] == {"starts": 3 * PATIENCE - 1}
    assert len(said) == 1
    assert f"{bad} cannot be written" in said[0]
