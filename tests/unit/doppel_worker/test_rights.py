"""What the worker gives up, tried in processes of their own: it cannot be had back."""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from doppel_ipc import messages
from doppel_worker import rights, rights_linux

from tests.support.worker_process import PROJECT, WorkerProcess

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's rights")
needs_filter = pytest.mark.skipif(
    not sys.platform.startswith("linux") or rights_linux.socket_filter(os.uname().machine) is None,
    reason="no filter of system calls for this processor",
)


def afterwards(code: str) -> str:
    """What a process says that has given up its rights and then runs that code."""
    paths = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin")]
    start = "from doppel_worker import rights\nprint(rights.give_up())\n"
    done = subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(code)],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, _, rest = done.stdout.partition("\n")
    assert told == "()"
    return rest.strip()


@needs_filter
def test_no_thread_reaches_the_network_but_local_sockets_work() -> None:
    said = afterwards("""
        import errno, socket, threading

        def try_all():
            for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
                try:
                    socket.socket(family, socket.SOCK_DGRAM).close()
                    print(family.name, "open")
                except OSError as error:
                    print(family.name, errno.errorcode[error.errno])
            left, right = socket.socketpair()
            left.sendall(b"x")
            print(right.recv(1))

        thread = threading.Thread(target=try_all)
        thread.start()
        thread.join()
    """)
    assert said.split("\n") == [
        "AF_INET EACCES",
        "AF_INET6 EACCES",
        "AF_UNIX open",
        "AF_NETLINK open",
        "b'x'",
    ]


@needs_filter
def test_what_it_starts_has_no_network_and_gains_no_rights() -> None:
    said = afterwards("""
        import subprocess, sys
        code = "import socket; print(open('/proc/self/status').read()); socket.socket()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print("NoNewPrivs:\\t1" in done.stdout, "PermissionError" in done.stderr)
    """)
    assert said == "True True"


@needs_linux
def test_a_session_stays_far_below_the_limits_and_a_crash_leaves_no_dump(
    ring_library_path: Path, tmp_path: Path
) -> None:
    with WorkerProcess(ring_library_path, tmp_path) as worker:
        worker.expect(messages.Status, lambda status: status.state == "ready")
        entry = Path(f"/proc/{worker.process.pid}")
        status = (entry / "status").read_text()
        limits = {
            line[:25].strip(): line[25:].split()[:2] for line in (entry / "limits").read_text().splitlines()
        }
        assert "NoNewPrivs:\t1" in status
        if rights_linux.socket_filter(os.uname().machine) is not None:
            assert "Seccomp:\t2" in status
        assert limits["Max core file size"] == ["0", "0"]
        assert int(limits["Max open files"][1]) <= rights.MOST_FILES
        assert int(limits["Max file size"][1]) <= rights.LARGEST_FILE
        assert len(list((entry / "fd").iterdir())) < rights.MOST_FILES / 4
        assert int((entry / "oom_score_adj").read_text()) >= rights_linux.OOM_SCORE
        assert "more rights" not in worker.stderr_path.read_text()


@needs_linux
def test_a_file_cannot_fill_the_disk(tmp_path: Path) -> None:
    said = afterwards(f"""
        import errno, os
        file = os.open({str(tmp_path / "large")!r}, os.O_RDWR | os.O_CREAT)
        os.pwrite(file, b"x", rights.LARGEST_FILE - 1)
        try:
            os.pwrite(file, b"x", rights.LARGEST_FILE)
        except OSError as error:
            print(errno.errorcode[error.errno])
    """)
    assert said == "EFBIG"


class FakeResource:
    RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_FSIZE, RLIM_INFINITY = 4, 7, 1, -1

    def __init__(self, before: tuple[int, int], refused: tuple[int, ...] = ()) -> None:
        self.limits = dict.fromkeys((4, 7, 1), before)
        self._refused = refused

    def getrlimit(self, kind: int) -> tuple[int, int]:
        return self.limits[kind]

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        if kind in self._refused:
            raise ValueError("not allowed to raise maximum limit")
        self.limits[kind] = limits


def test_limits_come_down_from_none_and_are_never_raised() -> None:
    free = FakeResource((-1, -1))
    assert rights.limit_files(free) == ()
    assert free.limits == {4: (0, 0), 7: (1024, 1024), 1: (4 << 30, 4 << 30)}
    tight = FakeResource((64, 256))
    assert rights.limit_files(tight) == ()
    assert tight.limits == {4: (0, 0), 7: (64, 256), 1: (64, 256)}


def test_a_limit_that_cannot_be_set_is_told_and_the_others_are_set() -> None:
    system = FakeResource((-1, -1), refused=(7,))
    (told,) = rights.limit_files(system)
    assert "RLIMIT_NOFILE cannot be set" in told
    assert system.limits[4] == (0, 0)
    assert system.limits[1] == (4 << 30, 4 << 30)


# -- Linux's filter, run here as the kernel runs it

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
UNIX, INET, NETLINK, INET6, VSOCK = 1, 2, 16, 10, 40


def verdict(program: bytes, arch: int, number: int, first: int) -> int:
    """The errno that the filter gives a call; 0: it is made."""
    data = struct.pack("<IIQQ", number, arch, 0, first)
    steps = list(struct.iter_unpack("<HBBI", program))
    value = at = 0
    while True:
        code, yes, no, constant = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif code == 0x15:
            at += yes if value == constant else no
        elif code == 0x35:
            at += yes if value >= constant else no
        else:
            assert code == 0x06
            return 0 if constant == 0x7FFF0000 else constant & 0xFFFF


@pytest.mark.parametrize(("processor", "arch", "socket"), [("x86_64", X86_64, 41), ("aarch64", AARCH64, 198)])
def test_the_filter_stops_sockets_and_nothing_else(processor: str, arch: int, socket: int) -> None:
    program = rights_linux.socket_filter(processor)
    assert program is not None
    for family in (UNIX, NETLINK, UNIX | 7 << 32):
        assert verdict(program, arch, socket, family) == 0
    for family in (0, INET, INET6, VSOCK, 17, INET | 1 << 32):
        assert verdict(program, arch, socket, family) == errno.EACCES
    for number in range(600):
        expected = errno.EACCES if number in (socket, 425) else 0
        assert verdict(program, arch, number, INET) == expected
    assert verdict(program, I386, 102, 1) == errno.EACCES
    assert verdict(program, arch, 0x40000000 | socket, UNIX) == errno.EACCES


def test_a_processor_without_a_filter_is_told_apart() -> None:
    assert rights_linux.socket_filter("riscv64") is None


class FakeLibc:
    def __init__(self, *, prctl: int = 0, syscall: int = 0) -> None:
        self.calls: list[str] = []
        self._prctl, self._syscall = prctl, syscall

    def prctl(self, what: int, *rest: int) -> int:
        self.calls.append(f"prctl {what} {rest[0]}")
        return self._prctl

    def syscall(self, *_: object) -> int:
        self.calls.append("syscall")
        return self._syscall


@needs_filter
def test_what_the_system_refuses_is_told(tmp_path: Path) -> None:
    oom = tmp_path / "score"
    oom.write_text("0\n")
    good = FakeLibc()
    assert rights_linux.give_up(good, oom) == ()
    assert good.calls == ["prctl 38 1", "syscall"]
    assert oom.read_text() == "500"
    (told,) = rights_linux.give_up(FakeLibc(syscall=-1), oom)
    assert "network cannot be given up" in told
    refused = FakeLibc(prctl=-1)
    (told,) = rights_linux.give_up(refused, oom)
    assert "no_new_privs" in told
    assert refused.calls == ["prctl 38 1"]  # without it the filter would be refused
    assert "score" in rights_linux.give_up(good, tmp_path / "none")[0]


def test_a_higher_score_of_the_users_stays(tmp_path: Path) -> None:
    oom = tmp_path / "score"
    oom.write_text("900\n")
    rights_linux.give_up(FakeLibc(), oom)
    assert oom.read_text() == "900\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_graphics_drivers_helper_runs_only_where_its_device_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper, device, driver = (tmp_path / name for name in ("nvidia-modprobe", "nvidia-uvm", "version"))
    helper.write_text(f'#!/bin/sh\necho "$@" > {device}\n')
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    rights_linux.wake_nvidia(driver, device)
    assert not device.exists()
    driver.write_text("580")
    rights_linux.wake_nvidia(driver, device)
    assert device.read_text() == "-u -c 0\n"
    device.write_text("a device")
    rights_linux.wake_nvidia(driver, device)
    assert device.read_text() == "a device"
    device.unlink()
    helper.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    rights_linux.wake_nvidia(driver, device)  # no helper: CUDA says so itself
