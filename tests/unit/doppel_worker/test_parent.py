"""A child whose parent is killed ends by the kernel, though its standard input stays open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from doppel_worker.parent import end_with_parent

from tests.support.worker_process import PROJECT, is_gone, wait_until

CHILD = """
import sys
from doppel_worker.parent import end_with_parent
end_with_parent()
print("ready", flush=True)
sys.stdin.read()
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A process and its child, which has asked to end with it; this test holds the child's standard input."""
    environ = dict(os.environ, PYTHONPATH=str(PROJECT / "obs_plugin"))
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    ) as parent:
        assert parent.stdout is not None
        said = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
        (pid,) = said - {"ready"}
        child = psutil.Process(int(pid))
        yield parent, child
        parent.kill()
        if not is_gone(child):
            child.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own")
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_child_ends_with_its_parent_though_nobody_closes_its_input(
    family: tuple[subprocess.Popen[str], psutil.Process], stopped: bool
) -> None:
    parent, child = family
    if stopped:
        child.suspend()
    parent.kill()
    wait_until(lambda: is_gone(child), "the child's end")


def test_other_systems_are_asked_for_nothing() -> None:
    end_with_parent(libc=None, platform="win32")
    end_with_parent(libc=object(), platform="darwin")
