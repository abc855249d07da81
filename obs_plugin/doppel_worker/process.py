"""The worker's process: its threads, its signals and its end.

Threads: this one receives messages and sends the heartbeat; two belong to the channel; one runs what takes
long (loading, personas, pictures), in order; one per lane.

Exit codes: 0 OBS is gone (or asked by SIGTERM), 2 OBS broke the protocol, 3 OBS speaks another version, 70 a
mistake in the program. OBS restarts the worker after any of them but the first.

The end never waits for a network that is running: after a short grace for the lanes the process leaves by
``os._exit``, with everything that matters written.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, cast

from doppel_ipc.channel import Channel
from doppel_ipc.errors import ChannelClosed, ProtocolError, ProtocolFault
from doppel_ipc.messages import ALL_LANES, WRONG_VERSION_EXIT, Error, Message
from doppel_models.sentences import sentence

from doppel_worker.backend import BackendFactory
from doppel_worker.log import open_console
from doppel_worker.saying import wire
from doppel_worker.worker import Worker

logger = logging.getLogger(__name__)

EXIT_GONE, EXIT_PROTOCOL, EXIT_VERSION, EXIT_BUG = 0, 2, WRONG_VERSION_EXIT, 70
HEARTBEAT_S = 0.5
GRACE_S = 0.3
"""How long the end waits for lanes to hand back their frames."""

Job = Callable[[], object]


def run(read_fd: int, write_fd: int, backend: str, kept_rights: Sequence[str] = ()) -> NoReturn:
    """Serves OBS on two descriptors until it is gone, then ends the process.

    Args:
        read_fd: the control pipe from OBS; taken over.
        write_fd: the control pipe to OBS; taken over.
        backend: ``module:factory``, see ``backend.py``.
        kept_rights: what could not be given up (``rights.py``), for the log.
    """
    open_console()
    for problem in kept_rights:
        logger.warning("the worker goes on with more rights than it needs: %s", problem)
    channel = Channel(read_fd, write_fd, worker=True)
    _die_loudly(channel)
    _obey_signals()
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_work, args=(jobs,), name="background", daemon=True).start()
    factory = functools.partial(find_factory, backend)
    jobs.put(factory)  # its imports take long; they need not wait for OBS's hello
    worker = Worker(functools.partial(_send, channel), jobs.put, factory)
    code = serve(channel, worker)
    worker.stop(GRACE_S)
    leave(code, channel)


def serve(channel: Channel, worker: Worker) -> int:
    """Handles messages and sends the heartbeat until the connection ends; returns the exit code."""
    greeted = False
    beat_at = time.monotonic()
    while True:
        try:
            message = channel.receive(max(beat_at - time.monotonic(), 0.0) if greeted else None)
        except ChannelClosed:
            logger.info("OBS is gone")
            return EXIT_GONE
        except ProtocolError as error:
            logger.error("%s", error)
            return EXIT_VERSION if error.fault is ProtocolFault.VERSION else EXIT_PROTOCOL
        if message is not None:
            worker.handle(message)
            greeted = True
        if time.monotonic() >= beat_at:
            worker.heartbeat()
            beat_at = time.monotonic() + HEARTBEAT_S


def find_factory(name: str) -> BackendFactory:
    """The factory ``module:attribute``; imports the module."""
    module, _, attribute = name.partition(":")
    return cast(BackendFactory, getattr(importlib.import_module(module), attribute))


def leave(code: int, channel: Channel | None = None) -> NoReturn:
    """Ends the process now, whatever its threads are doing."""
    if channel is not None:
        channel.flush(GRACE_S)
    logger.info("worker ends with code %d", code)
    logging.shutdown()
    os._exit(code)


def _send(channel: Channel, message: Message) -> None:
    try:
        channel.send(message)
    except ChannelClosed:
        return  # OBS is gone; the receiving thread notices it too, and ends the process


def _work(jobs: queue.SimpleQueue[Job]) -> None:
    while True:
        jobs.get()()


def _die_loudly(channel: Channel) -> None:
    """A mistake in any thread ends the process: a worker that lost a thread looks alive and swaps nothing."""

    def on_thread(args: threading.ExceptHookArgs) -> None:
        where = args.thread.name if args.thread else "?"
        logger.critical("bug in thread %s", where, exc_info=args.exc_value)
        text = sentence(
            "worker.mistake",
            "the worker made a mistake in {thread}: {kind}: {why}",
            thread=where,
            kind=args.exc_type.__name__,
            why=args.exc_value,
        )
        advice = sentence("worker.anew", "it starts anew by itself; please report the log")
        _send(channel, Error(ALL_LANES, "internal", wire(text), wire(advice)))
        leave(EXIT_BUG, channel)

    def on_main(kind: type[BaseException], value: BaseException, _trace: object) -> None:
        on_thread(threading.ExceptHookArgs((kind, value, value.__traceback__, threading.main_thread())))

    threading.excepthook = on_thread
    sys.excepthook = on_main


def _obey_signals() -> None:
    # Ctrl-C in the terminal that OBS was started from reaches us too; OBS decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: leave(EXIT_GONE))
