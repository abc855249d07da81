from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from doppel_ipc import messages
from doppel_ipc.channel import MAX_WAITING, Channel
from doppel_ipc.errors import ChannelClosed, ProtocolError, ProtocolFault
from doppel_ipc.messages import Message
from doppel_ipc.protocol import Protocol
from doppel_ipc.settings import FilterSettings

from tests.support.handles import open_descriptors
from tests.support.wire import HELLO, READY, open_lane
from tests.support.worker_process import wait_until


class Pipes:
    """OBS's channel, and the raw ends that a worker would have."""

    def __init__(self) -> None:
        self.from_obs, write_fd = os.pipe()
        read_fd, self.to_obs = os.pipe()
        self.channel = Channel(read_fd, write_fd, worker=False)
        self._ends = [self.from_obs, self.to_obs]

    def hang_up(self, fd: int) -> None:
        self._ends.remove(fd)
        os.close(fd)

    def close(self) -> None:
        for fd in list(self._ends):
            self.hang_up(fd)
        self.channel.close()
        assert self.channel.join(60)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    made = Pipes()
    yield made
    made.close()


@pytest.fixture
def both() -> Iterator[tuple[Channel, Channel]]:
    """Two channels that talk to each other."""
    to_worker, from_obs = os.pipe()[::-1]
    to_obs, from_worker = os.pipe()[::-1]
    obs = Channel(from_worker, to_worker, worker=False)
    worker = Channel(from_obs, to_obs, worker=True)
    yield obs, worker
    for channel in (obs, worker):
        channel.close()
    # The far ends are closed by the other channel's threads.
    for channel in (obs, worker):
        assert channel.join(60)


def receive(channel: Channel) -> Message:
    message = channel.receive(20)
    assert message is not None
    return message


def send_all(channel: Channel, many: list[Message]) -> None:
    for message in many:
        channel.send(message)


def ping(channel: Channel) -> bool:
    """Sends the next ping; False once that is not possible any more."""
    try:
        channel.send(messages.Ping(time.monotonic_ns() // 1000))
    except ChannelClosed:
        return False
    return True


def settings(serial: int) -> messages.Settings:
    return messages.Settings(1, serial, FilterSettings())


def wait_for_reason(channel: Channel) -> Exception:
    wait_until(lambda: channel.reason is not None, "the channel's end")
    assert channel.reason is not None
    return channel.reason


def test_messages_come_through_in_order(both: tuple[Channel, Channel]) -> None:
    obs, worker = both
    obs.send(HELLO)
    assert receive(worker) == HELLO
    worker.send(READY)
    assert receive(obs) == READY
    sent = [open_lane(number) for number in range(1, 200)]
    for message in sent:
        obs.send(message)
    assert [receive(worker) for _ in sent] == sent


def test_receive_does_not_wait_unless_asked(pipes: Pipes) -> None:
    assert pipes.channel.receive() is None
    assert pipes.channel.receive(0.01) is None


def test_a_wait_ends_with_a_message(pipes: Pipes) -> None:
    found: list[Message | None] = []
    waiting = threading.Thread(target=lambda: found.append(pipes.channel.receive(None)))
    waiting.start()
    pipes.channel.send(HELLO)
    peer = Protocol(worker=True)
    peer.feed(os.read(pipes.from_obs, 65536))
    peer.next_message()
    os.write(pipes.to_obs, peer.send(READY))
    waiting.join(60)
    assert found == [READY]


def test_a_peer_that_is_gone_is_told_after_its_last_words(pipes: Pipes) -> None:
    pipes.channel.send(HELLO)
    peer = Protocol(worker=True)
    peer.feed(os.read(pipes.from_obs, 65536))
    peer.next_message()
    os.write(pipes.to_obs, peer.send(READY) + peer.send(messages.Event(0, "fallback", "the end")))
    pipes.hang_up(pipes.from_obs)
    pipes.hang_up(pipes.to_obs)
    # A failing write does not hide what is still to be read.
    wait_until(lambda: pipes.channel._unwritable is not None or not ping(pipes.channel), "a failing write")
    assert receive(pipes.channel) == READY
    assert receive(pipes.channel) == messages.Event(0, "fallback", "the end")
    with pytest.raises(ChannelClosed, match="closed its end"):
        pipes.channel.receive(20)


def test_rubbish_ends_the_channel_with_its_fault(pipes: Pipes) -> None:
    os.write(pipes.to_obs, b"\x03\0\0\0???")
    with pytest.raises(ProtocolError) as caught:
        pipes.channel.receive(20)
    assert caught.value.fault is ProtocolFault.NOT_JSON
    with pytest.raises(ChannelClosed):
        pipes.channel.send(HELLO)


def test_an_end_inside_a_message_is_told(pipes: Pipes) -> None:
    os.write(pipes.to_obs, b"\x03\0\0\0?")
    pipes.hang_up(pipes.to_obs)
    with pytest.raises(ProtocolError) as caught:
        pipes.channel.receive(20)
    assert caught.value.fault is ProtocolFault.TRUNCATED


def test_a_message_that_may_not_be_sent_is_the_callers_error(pipes: Pipes) -> None:
    with pytest.raises(ProtocolError):
        pipes.channel.send(settings(1))
    pipes.channel.send(HELLO)
    assert pipes.channel.reason is None


def fill(pipes: Pipes) -> None:
    """Fills the pipe that nobody reads, so that everything after it waits."""
    pipes.channel.send(HELLO)
    for number in range(1, 400):
        pipes.channel.send(open_lane(number))
        # Not all is written, because there is no room; a writer that only had no turn is waited for.
        while number % 20 == 0 and not pipes.channel.flush(0.05):
            if not select.select([], [pipes.channel._write_fd], [], 0)[1]:
                return
    raise AssertionError("the pipe takes everything")


def test_a_stopped_peer_never_blocks_the_caller_and_costs_bounded_memory(pipes: Pipes) -> None:
    fill(pipes)
    started = time.monotonic()
    for serial in range(5000):
        pipes.channel.send(settings(serial))
    with pytest.raises(ChannelClosed, match=f"does not read: {MAX_WAITING} messages wait"):
        send_all(pipes.channel, [open_lane(number) for number in range(1000, 3000)])
    # Not a measure of speed: 7,000 messages into a pipe that nobody reads would otherwise take for ever.
    assert time.monotonic() - started < 30
    assert pipes.channel.reason is not None


def test_settings_that_wait_are_replaced_by_newer_ones(pipes: Pipes) -> None:
    fill(pipes)
    for serial in range(2000):
        pipes.channel.send(settings(serial))
    peer, found = Protocol(worker=True), []
    deadline = time.monotonic() + 60
    # The newest is the last thing ever sent, so nothing is read after it: a read would wait for ever.
    while 1999 not in found:
        assert time.monotonic() < deadline, f"the newest settings never came: {found}"
        assert select.select([pipes.from_obs], [], [], 10)[0], f"nothing more comes: {found}"
        peer.feed(os.read(pipes.from_obs, 65536))
        while (message := peer.next_message()) is not None:
            if isinstance(message, messages.Settings):
                found.append(message.serial)
    assert pipes.channel.flush(10)
    assert len(found) <= 2


def test_a_caller_that_does_not_receive_costs_bounded_memory(both: tuple[Channel, Channel]) -> None:
    obs, worker = both
    obs.send(HELLO)
    assert receive(worker) == HELLO
    worker.send(READY)
    event = messages.Event(0, "fallback", "x" * 2000)
    sent = 0
    # On a busy machine the reader may not get a turn for a moment, although there is room.
    while worker.flush(0.3) or (sent <= MAX_WAITING and worker.flush(60)):
        worker.send(event)
        sent += 1
    # The inbox and the pipe are full; what is sent now waits at the sender, until it is told.
    assert MAX_WAITING < sent < MAX_WAITING + 200
    with pytest.raises(ChannelClosed, match="does not read"):
        send_all(worker, [event] * (MAX_WAITING + 200))
    assert receive(obs) == READY


def test_closing_after_the_peer_was_killed_ends_both_threads() -> None:
    before = open_descriptors(), threading.active_count()
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        channel = Channel.to_worker(process)
        channel.send(HELLO)
        # The writer is stuck in a pipe that nobody reads.
        for number in range(1, MAX_WAITING):
            channel.send(open_lane(number))
        process.kill()
        channel.close()
        assert channel.join(60)
        process.wait(60)
        assert isinstance(wait_for_reason(channel), ChannelClosed)
    assert (open_descriptors(), threading.active_count()) == before


def test_a_write_to_a_dead_peer_is_no_signal() -> None:
    """Where SIGPIPE is not ignored (an embedding program may reset it), the process must survive."""
    program = """
import os, signal, sys, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from doppel_ipc.channel import Channel
from doppel_ipc.errors import ChannelClosed
from doppel_ipc.messages import Hello, Ping
read_fd, silent = os.pipe()
gone, write_fd = os.pipe()
os.close(gone)
channel = Channel(read_fd, write_fd, worker=False)
channel.send(Hello(1, "a", "b", "c", "info"))
try:
    for number in range(1, 100000):
        channel.send(Ping(number))
        time.sleep(0.001)
except ChannelClosed as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "cannot be written to: Broken pipe" in done.stdout


def test_descriptors_are_not_inherited_by_other_children() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    channel = Channel.to_worker(process)
    assert not os.get_inheritable(channel._read_fd)
    assert not os.get_inheritable(channel._write_fd)
    process.kill()
    process.wait(60)
    channel.close()
    assert channel.join(60)
