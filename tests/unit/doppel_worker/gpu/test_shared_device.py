"""What a seat's view of a device waits for, and whom it lets work meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from doppel_models.recording import RecordingGate
from doppel_worker.gpu.shared_device import SharedDevice
from doppel_worker.turns import Turns

from tests.support.stream_device import StreamDevice


@contextlib.contextmanager
def stream() -> Iterator[StreamDevice]:
    device = StreamDevice()
    yield device
    device.close()


class Sender:
    """Something to be copied to a device, which keeps the stream busy until it may go on."""

    def __init__(self, device: StreamDevice, view: SharedDevice) -> None:
        self._device, self._view = device, view
        self._host, self._room = np.arange(16, dtype=np.uint8), view.allocate(16)
        self.may_go_on = threading.Event()

    def send(self, *, held: bool = False) -> None:
        if held:
            self._device.put(lambda: self._go_on())
        self._view.copy(self._room.address, 16, self._host.ctypes.data, 16, 16, 1)

    def _go_on(self) -> None:
        assert self.may_go_on.wait(60)


def test_who_has_put_nothing_on_the_device_waits_for_nobody() -> None:
    with stream() as device:
        mine = SharedDevice(device)
        sender = Sender(device, mine.beside())
        sender.send(held=True)
        mine.synchronize()  # would wait for ever
        sender.may_go_on.set()


def test_what_came_later_is_not_waited_for() -> None:
    with stream() as device:
        gate = RecordingGate()
        mine = SharedDevice(device, gate=gate)
        first, later = Sender(device, mine), Sender(device, mine.beside())
        first.send(held=True)
        done = threading.Event()

        def wait() -> None:
            with mine.sharing():
                mine.synchronize()
            done.set()

        waits, gate_waiting = threading.Event(), gate.waiting

        @contextlib.contextmanager
        def waiting() -> Iterator[None]:
            with gate_waiting():
                waits.set()  # its place in the stream is set, and its turn about to be given up
                yield

        gate.waiting = waiting  # type: ignore[method-assign]

        thread = threading.Thread(target=wait)
        with mine.turns:
            thread.start()
            assert waits.wait(60)
            later.send(held=True)
        first.may_go_on.set()
        assert done.wait(60)
        later.may_go_on.set()
        thread.join(60)


@pytest.mark.parametrize("shares", [True, False])
def test_others_have_their_turn_only_where_who_waits_shares_it(shares: bool) -> None:
    with stream() as device:
        mine = SharedDevice(device)
        sender = Sender(device, mine)
        began, other = threading.Event(), threading.Event()

        def first() -> None:
            with mine.turns, mine.sharing() if shares else contextlib.nullcontext():
                sender.send(held=True)
                began.set()
                mine.synchronize()

        def second() -> None:
            with mine.turns:
                other.set()

        threads = [threading.Thread(target=first), threading.Thread(target=second)]
        threads[0].start()
        assert began.wait(60)
        threads[1].start()
        assert other.wait(60 if shares else 0.1) == shares
        sender.may_go_on.set()
        for thread in threads:
            thread.join(60)
        assert other.is_set()


def test_nothing_is_recorded_while_somebody_waits_and_nobody_is_left_waiting() -> None:
    with stream() as device:
        gate = RecordingGate()
        mine = SharedDevice(device, Turns(), gate)
        sender, waits, recorded = Sender(device, mine), threading.Event(), threading.Event()

        def first() -> None:
            with mine.turns, mine.sharing():
                sender.send(held=True)
                waits.set()
                mine.synchronize()

        def second() -> None:
            """Has the turn that the first one wants back, and records only once that waits no more."""
            with mine.turns, gate.recording() as may:
                assert may
                recorded.set()

        threads = [threading.Thread(target=first), threading.Thread(target=second)]
        threads[0].start()
        assert waits.wait(60)
        threads[1].start()
        assert not recorded.wait(0.1)
        sender.may_go_on.set()
        assert recorded.wait(60)
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
