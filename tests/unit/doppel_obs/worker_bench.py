"""A worker's process under a test's own clock."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from doppel_ipc.messages import Message
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings
from doppel_obs.log import Log
from doppel_obs.worker_log import WorkerLog
from doppel_obs.worker_process import WorkerProcess

from tests.unit.doppel_obs.english import words

PROJECT = Path(__file__).resolve().parents[3]
FAKE = Path(__file__).parent / "fake_worker.py"


class Bench:
    """A WorkerProcess whose ticks the test makes, by a clock of its own."""

    def __init__(self, folder: Path, behaviour: str) -> None:
        python = folder / "python"
        command = f'FAKE_WORKER={behaviour} exec "{sys.executable}" "{FAKE}"'
        python.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        self.said: list[str] = []
        self.config = InstallConfig(PROJECT, python, folder / "lib.so", folder / "logs", folder / "personas")
        self.log = Log(self.config.log_dir, lambda _level, text: self.said.append(text), {})
        self.process = WorkerProcess(
            self.config, lambda what: self.said.append(words(what)), WorkerLog(self.log)
        )
        self.messages: list[Message] = []
        self.skipped_ns = 0
        self.oldest_busy_ns = 0
        self.in_use: set[FilterSettings] = set()

    def tick(self, *, wanted: bool = True) -> None:
        now_ns = time.monotonic_ns() + self.skipped_ns
        self.messages += self.process.tick(
            now_ns, wanted=wanted, oldest_busy_ns=self.oldest_busy_ns, in_use=self.in_use
        )

    def until(self, condition: Callable[[], bool], *, step_ns: int = 0) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"said: {self.said}"
            self.skipped_ns += step_ns
            self.tick()
            time.sleep(0.01)

    def children(self) -> list[psutil.Process]:
        """The workers; the test program may have other children."""
        found = []
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if str(FAKE) in child.cmdline():
                    found.append(child)
        return found


def refuse_threads(patch: pytest.MonkeyPatch, *names: str) -> None:
    """The system has no room for threads of these names."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name in names:
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", refuse)


def refuse_files(patch: pytest.MonkeyPatch, *calls: int) -> None:
    """The system has no room for these duplicates of open files, counted from one."""
    dup, count = os.dup, itertools.count(1)

    def refuse(descriptor: int) -> int:
        if next(count) in calls:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return dup(descriptor)

    patch.setattr(os, "dup", refuse)
