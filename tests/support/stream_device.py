"""The kernels' device with a stream: what is put on it is done later, in order, by a thread of its own.

So it meets what a GPU meets: page-locked memory that is written again too early, and lanes whose work on the
device is interleaved. Networks that run on it do so in the stream, too.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from doppel_models.session import Network
from doppel_models.tensor import DeviceTensor
from doppel_worker.gpu.device import DeviceMemory, HostMemory, Marker
from doppel_worker.gpu.structs import Struct

from tests.support.kernel_device import KernelDevice

_PATIENCE_S = 60.0


class _Place:
    """A marker: an event that the stream comes to."""

    def __init__(self, device: StreamDevice) -> None:
        self._device, self._reached = device, threading.Event()

    def set(self) -> None:
        self._reached = threading.Event()
        self._device.put(self._reached.set)

    def wait(self) -> None:
        assert self._reached.wait(_PATIENCE_S)
        self._device.raise_failure()


class StreamDevice(KernelDevice):
    """Satisfies ``doppel_worker.gpu.device.Device``.

    ``longest_pause_s``: before each thing that is done the stream rests for up to so long, at random.
    """

    def __init__(self, longest_pause_s: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.threads: list[int] = []
        """Who has put what on the stream, in order."""
        self._longest_pause_s, self._random = longest_pause_s, random.Random(seed)
        self._kept: list[object] = []
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(_PATIENCE_S)

    def put(self, work: Callable[[], None]) -> None:
        """Has something done on the stream."""
        self._queue.put(work)

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def allocate(self, size: int) -> DeviceMemory:
        memory = super().allocate(size)
        self._kept.append(memory)  # the stream may come to it after it was let go of
        return memory

    def allocate_pinned(self, size: int) -> HostMemory:
        memory = super().allocate_pinned(size)
        self._kept.append(memory)
        return memory

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        self.threads.append(threading.get_ident())
        self.put(lambda: super(StreamDevice, self).copy(to, to_pitch, frm, frm_pitch, row_bytes, rows))

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        self.threads.append(threading.get_ident())
        given = params.copy()  # kernels get their parameters by value
        self.put(lambda: super(StreamDevice, self).launch(kernel, width, height, given))

    def marker(self) -> Marker:
        return _Place(self)

    def synchronize(self) -> None:
        place = _Place(self)
        place.set()
        place.wait()
        super().synchronize()

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._longest_pause_s:
                time.sleep(self._random.random() * self._longest_pause_s)
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whoever waits next is told
                self._failure = self._failure or error


class StreamNetwork(Network):
    """A network that runs on a stream; ``work_s``: for how long it keeps the device alone busy."""

    def __init__(self, network: Network, device: StreamDevice, work_s: float = 0.0) -> None:
        """Take over a network that is built already."""
        vars(self).update(vars(network))
        self._device, self._work_s = device, work_s

    def run(self, *inputs: npt.NDArray[Any]) -> Sequence[npt.NDArray[np.float32]]:
        """As a provider with a stream of one's own: waits for the stream."""
        found: list[Any] = []
        done = threading.Event()
        plain = super().run

        def work() -> None:
            try:
                time.sleep(self._work_s)
                found.append(plain(*inputs))
            finally:
                done.set()

        with self._meanwhile():
            self._device.put(work)
            assert done.wait(_PATIENCE_S)
        self._device.raise_failure()
        outputs: Sequence[npt.NDArray[np.float32]] = found[0]
        return outputs

    def run_bound(
        self, inputs: Sequence[DeviceTensor | npt.NDArray[Any]], outputs: Sequence[DeviceTensor]
    ) -> None:
        """Returns at once."""
        bound = super().run_bound

        def work() -> None:
            time.sleep(self._work_s)
            bound(inputs, outputs)

        self._device.put(work)
