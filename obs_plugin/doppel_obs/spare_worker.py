"""A second worker in waiting: its networks and personas are loaded, and it has no lane.

It costs memory (about 110 MB, and what its personas take) and, once, the processor time of a start. So it is
started when the worker that serves has done so for a while, and only where the networks run on the processor:
on a graphics card it would hold the networks a second time.
"""

from __future__ import annotations

from typing import Collection

from doppel_ipc.messages import Message, Prepare, Ready, Status
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

from doppel_obs.errors import WorkerStartError
from doppel_obs.worker_child import WorkerChild
from doppel_obs.worker_log import WorkerLog

CALM_NS = 1_000_000_000
"""The serving worker has judged frames for so long before the spare one is started."""
MOST_FAILURES = 3
"""One that ends or cannot be started again and again is done without: the serving worker tells what is wrong
when it ends."""
DEVICE = "cpu"
MOST_MB = 400.0
"""A serving worker that takes more holds a large model of the user's, which is not to be there twice."""
PREPARE_NS = 2_000_000_000
"""What a lane has used for so long is prepared: by then the serving worker's memory tells how large it is."""


class SpareWorker:
    """At most one worker in waiting.

    Args:
        config: where its parts lie.
        worker_log: takes its stderr.
    """

    def __init__(self, config: InstallConfig, worker_log: WorkerLog) -> None:
        self._config = config
        self._worker_log = worker_log
        self._child: WorkerChild | None = None
        self._failures = 0
        self._calm_ns: int | None = None
        self._said: dict[type[Message], Message] = {}
        self._prepared: set[FilterSettings] = set()
        self._used_since: dict[FilterSettings, int] = {}

    def tick(
        self, now_ns: int, *, late: bool, serving: WorkerChild | None, in_use: Collection[FilterSettings]
    ) -> None:
        """Starts it when it is time, hears it, and has it prepare what the lanes use.

        Args:
            now_ns: monotonic time.
            late: the control loop stood still, so nobody is blamed.
            serving: the worker that serves; None: there is none.
            in_use: the lanes' settings.
        """
        self._used_since = {
            one: self._used_since.get(one, now_ns) for one in in_use if one.device in ("auto", DEVICE)
        }
        if self._child is None:
            if self._is_time(now_ns, serving):
                self._start(now_ns)
            return
        self._listen(self._child, now_ns, late=late)
        if self._child is not None and self._child.ready_ns and serving is not None:
            self._prepare(self._child, serving, now_ns)

    @property
    def waits(self) -> bool:
        """There is one, though it may still be loading."""
        return self._child is not None

    def take(self) -> tuple[WorkerChild, list[Message]] | None:
        """The worker, which is the caller's from now on, and the last of each thing it has said."""
        child, said = self._child, list(self._said.values())
        self._forget()
        return None if child is None else (child, said)

    def stop(self) -> None:
        """Kills it."""
        child = self._child
        self._forget()
        if child is not None:
            child.stop()

    def _forget(self) -> None:
        self._child, self._calm_ns = None, None
        self._said, self._prepared = {}, set()

    def _is_time(self, now_ns: int, serving: WorkerChild | None) -> bool:
        status = serving.status if serving is not None and serving.judged else None
        # The status may add to the device's name what slows it down.
        if status is None or status.device.split(" ")[0] != DEVICE or not _is_small(status):
            self._calm_ns = None
            return False
        if self._calm_ns is None:
            self._calm_ns = now_ns
        return self._failures < MOST_FAILURES and now_ns - self._calm_ns >= CALM_NS

    def _prepare(self, child: WorkerChild, serving: WorkerChild, now_ns: int) -> None:
        if serving.status is None or not _is_small(serving.status):
            return
        settled = {one for one, since_ns in self._used_since.items() if now_ns - since_ns >= PREPARE_NS}
        for settings in settled - self._prepared:
            child.send(Prepare(settings))
        self._prepared = settled

    def _start(self, now_ns: int) -> None:
        try:
            self._child = WorkerChild(self._config, self._worker_log, now_ns)
        except WorkerStartError:  # nobody is told: the serving one's end will tell, if it stays so
            self._failures += 1
            self._calm_ns = None

    def _listen(self, child: WorkerChild, now_ns: int, *, late: bool) -> None:
        if late:
            child.excuse(now_ns)
        messages, ended = child.receive(now_ns)
        for message in messages:
            # No list of faces: it may be old by then, and is asked for anew.
            if isinstance(message, (Ready, Status)):
                self._said[type(message)] = message
        if ended is None and not late:
            ended = child.hung(now_ns)
        if ended is not None:
            self._failures += 1
            self.stop()


def _is_small(status: Status) -> bool:
    """False also where the system does not tell (0): then it may be the large one."""
    return 0 < status.memory_mb <= MOST_MB
