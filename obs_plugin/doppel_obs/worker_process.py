"""The worker, as OBS's side sees it: started, watched, restarted, stopped; never waited for.

Everything runs in the control loop's thread, which lives as long as the script, and is driven by
:meth:`WorkerProcess.tick`.

Beside the worker that serves, a second one waits (:mod:`doppel_obs.spare_worker`), with its networks and
personas loaded and no lane: a start takes 0.6 s of a processor, which on a busy machine is several seconds of
covered faces. It takes over as soon as the first one ends.
"""

from __future__ import annotations

from typing import Callable, Collection

from doppel_ipc.messages import Message
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

from doppel_obs.errors import WorkerStartError
from doppel_obs.phrases import Phrase, phrase
from doppel_obs.restarts import Backoff
from doppel_obs.spare_worker import SpareWorker
from doppel_obs.worker_child import WorkerChild
from doppel_obs.worker_log import WorkerLog

BUSY_NS = 3_000_000_000
"""A frame takes milliseconds; one that is unfinished this long means that the worker is hung."""
LOOP_GAP_NS = 1_000_000_000
"""If the control loop itself did not run for this long (OBS was stopped), nobody is blamed."""


class WorkerProcess:
    """One worker at a time, and one in waiting.

    Args:
        config: where its parts lie.
        log: takes a sentence about what happened, for the status line and OBS's log.
        worker_log: takes its stderr.
    """

    def __init__(self, config: InstallConfig, log: Callable[[Phrase], None], worker_log: WorkerLog) -> None:
        self._config = config
        self._log = log
        self._worker_log = worker_log
        self._backoff = Backoff()
        self._child: WorkerChild | None = None
        self._spare = SpareWorker(config, worker_log)
        self._ticked_ns = 0
        self.problem: Phrase | None = None
        """Why there is no worker that works; None once one is ready."""
        self.starts = 0
        """Workers that came to serve; each is a generation of its own: lanes of an earlier one are void."""
        self.restarts = 0
        """Of which after one that ended by itself or had to be killed."""

    @property
    def running(self) -> bool:
        """A process is there."""
        return self._child is not None

    @property
    def ready(self) -> bool:
        """It has said that it speaks our protocol."""
        return self._child is not None and self._child.ready_ns != 0

    @property
    def pid(self) -> int:
        """Of the worker that serves; 0: there is none."""
        return 0 if self._child is None else self._child.pid

    def tick(
        self,
        now_ns: int,
        *,
        wanted: bool,
        oldest_busy_ns: int,
        in_use: Collection[FilterSettings] = (),
    ) -> list[Message]:
        """Starts, stops and watches; returns what the worker said since the last call.

        Args:
            now_ns: monotonic time.
            wanted: a filter needs it.
            oldest_busy_ns: age of the oldest unfinished frame of any lane; 0: none.
            in_use: the lanes' settings, for the worker in waiting to prepare.
        """
        late = now_ns - self._ticked_ns > LOOP_GAP_NS
        self._ticked_ns = now_ns
        if not wanted:
            self.stop()
            return []
        self._spare.tick(now_ns, late=late, serving=self._child, in_use=in_use)
        if self._child is None:
            return self._start(now_ns) if self._backoff.may_start(now_ns) else []
        if late:
            self._child.excuse(now_ns)
        messages, ended = self._child.receive(now_ns)
        if self._child.ready_ns:
            self.problem = None
        if ended is None and not late:
            ended = self._child.hung(now_ns)
            if ended is None and oldest_busy_ns > BUSY_NS:
                ended = phrase("worker.stuck")
        if ended is not None:
            self._fail(self._child, now_ns, ended)
            if self._spare.waits:  # no look is lost where one takes over
                messages += self._start(now_ns) if self._backoff.may_start(now_ns) else []
        return messages

    def send(self, message: Message, generation: int | None = None) -> None:
        """Queues a message; where the worker is gone, the next :meth:`tick` deals with it.

        Args:
            message: what to say.
            generation: of the worker that it is for (:attr:`starts` of its time), where it speaks of
                something that only that one knows, such as a lane; dropped where another runs by now.
        """
        if generation is not None and generation != self.starts:
            return
        if self._child is not None:
            self._child.send(message)

    def restart(self) -> None:
        """The user asks for another worker: this one and the one in waiting end, and a new one starts."""
        self.stop()
        self._backoff = Backoff()

    def stop(self) -> None:
        """Kills the workers, then joins their threads. Harmless without one."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()
        self._spare.stop()

    def _start(self, now_ns: int) -> list[Message]:
        """The worker in waiting, with what it has said so far, or a new one."""
        spare = self._spare.take()
        if spare is not None:
            self._child, said = spare
            self.starts += 1
            return said
        try:
            self._child = WorkerChild(self._config, self._worker_log, now_ns)
        except WorkerStartError as error:
            self._backoff.ended(now_ns, 0, judged=False)
            self._say(error.what)
            return []
        self.starts += 1
        return []

    def _say(self, what: Phrase) -> None:
        self.problem = what
        self._log(what)

    def _fail(self, child: WorkerChild, now_ns: int, why: Phrase) -> None:
        served_ns = now_ns - child.ready_ns if child.ready_ns else 0
        self._say(phrase("worker.again", why=why, folder=str(self._worker_log.log.folder)))
        self._child = None
        child.stop()
        self.restarts += 1
        self._backoff.ended(now_ns, served_ns, judged=child.judged)
