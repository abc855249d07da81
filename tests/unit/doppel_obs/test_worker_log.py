from __future__ import annotations

import os
from pathlib import Path

from doppel_ipc.log_file import LOG_NAME
from doppel_obs.log import Log
from doppel_obs.worker_log import LINES_PER_MINUTE, NOTES_PER_MINUTE, WorkerLog


def test_stderr_goes_to_the_log_and_to_obs_in_short_and_a_flood_to_neither(tmp_path: Path) -> None:
    said: list[str] = []
    log = Log(tmp_path, lambda _level, text: said.append(text), {})
    read_fd, write_fd = os.pipe()
    thread = WorkerLog(log).follow(os.fdopen(read_fd, "rb", buffering=0), 42)
    with os.fdopen(write_fd, "w") as stream:
        stream.write("ERROR: the worker has logged this itself\n\n")
        for line in range(NOTES_PER_MINUTE + 500):
            stream.write(f"line {line}\n")
    thread.join(60)
    log.close()

    text = (tmp_path / LOG_NAME).read_text(encoding="utf-8")
    assert all(f"worker 42: line {line}\n" in text for line in range(NOTES_PER_MINUTE))
    assert text.count("\n") == NOTES_PER_MINUTE + 1
    assert text.endswith("worker 42: (more left out)\n")
    assert "logged this itself" not in text
    assert said[:2] == ["worker: ERROR: the worker has logged this itself", "worker: line 0"]
    assert len(said) == LINES_PER_MINUTE
    assert str(tmp_path) in said[-1]
