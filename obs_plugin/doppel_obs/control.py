"""The control loop: every 30 ms it looks at the filters, the worker and OBS's health, and does what is due.

One thread of its own (:mod:`doppel_obs.loop`), which lives as long as the script. It never runs anything
long, never waits for the worker, and calls libobs through ctypes only.
"""

from __future__ import annotations

import collections
import ctypes
import functools
import itertools
import time
from typing import Callable, Mapping, Sequence

from doppel_ipc.messages import (
    Choices,
    ListPersonas,
    Message,
    PersonaAdded,
    Ready,
)
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

from doppel_obs.audio import SoundKeeper
from doppel_obs.diagnostics import Facts
from doppel_obs.hotkeys import HotkeyKeeper
from doppel_obs.instances import FilterInstance, Surroundings
from doppel_obs.lane_stats import ALL_SAMPLES, FEW_SAMPLES, LaneBook
from doppel_obs.language import Language
from doppel_obs.libobs import LOG_ERROR, LOG_INFO, LOG_WARNING
from doppel_obs.log import Log
from doppel_obs.loop import ControlLoop
from doppel_obs.pages import FilterPages
from doppel_obs.persona_requests import NewPersona, PersonaRequests
from doppel_obs.phrases import Phrase
from doppel_obs.properties import PersonaChoice
from doppel_obs.registration import Holder
from doppel_obs.remote_status import RemoteStatus
from doppel_obs.stats_file import StatsFile, obs_part, worker_part
from doppel_obs.worker_log import WorkerLog
from doppel_obs.worker_news import WorkerNews
from doppel_obs.worker_process import WorkerProcess
from doppel_obs.yielding import Yielding

LOOK_SECONDS = 0.03
"""With the time for which settings must be quiet, a change is with the worker within 100 ms."""
LINGER_NS = 1_000_000_000
"""The worker outlives the last filter by this: a scene collection that changes brings new ones at once."""
MOST_FILTERS = 256


class Control:
    """Everything that happens between the gate, the worker and the user. Started once, stopped once.

    Args:
        holder: libobs and the gate.
        config: where the worker's parts lie.
        language: OBS's log is told its English.
    """

    def __init__(self, holder: Holder, config: InstallConfig, language: Language) -> None:
        self._holder = holder
        self._obs = holder.libobs
        self._gate = holder.gate
        self._english, self._unnamed = language.in_english, language.unnamed
        self._note = functools.partial(self._tell, LOG_INFO)
        self._worker_event = functools.partial(self._tell, LOG_WARNING)
        self._log = Log(config.log_dir, self._obs.log)
        self._worker = WorkerProcess(
            config, lambda what: self._worker_event(self._english(what)), WorkerLog(self._log)
        )
        self._next_serial: Callable[[], int] = functools.partial(next, itertools.count(1))
        self._sound = SoundKeeper(self._obs)
        self._stats = StatsFile(config.log_dir, lambda text: self._log.say(LOG_WARNING, text))
        self._yielding = Yielding(self._obs, self._worker.send, lambda what: self._note(self._english(what)))
        self._instances: dict[int, FilterInstance] = {}
        self._lanes = LaneBook(keep_closed=self._stats.kept)
        self._ids = (ctypes.c_uint64 * MOST_FILTERS)()
        self._states: dict[int, tuple[Phrase, Phrase | None]] = {}
        self._wanted_ns = 0
        self._generation = 0
        self._pages = FilterPages(holder)
        self._hotkeys = HotkeyKeeper(self._gate, self._pages.set_values)
        self._remote = RemoteStatus(self._gate, language.say)
        self._persona_requests = PersonaRequests(
            self._worker.send, self._next_serial, self._say, self._pages.set_values, self._pages.photo
        )
        self._tasks: collections.deque[Callable[[], None]] = collections.deque()
        self._news = WorkerNews(self._instances, self._pages.refresh, self._note, self._worker_event)
        self._loop = ControlLoop(
            holder.control_seat,
            self._look,
            self._clear_up,
            lambda text: self._log.say(LOG_ERROR, text),
            LOOK_SECONDS,
        )
        self._guard = self._loop.guard

    def start(self) -> None:
        """Starts the thread."""
        self._loop.start()

    def stop(self) -> None:
        """Ends the thread, which clears up as the last thing it does. UI thread."""
        self._loop.stop()

    def _clear_up(self) -> None:
        """Kills the worker, restores the sound; the gate goes on covering."""
        self._guard(self._write_stats)
        for instance in self._instances.values():
            self._guard(functools.partial(instance.leave, alive=True))
        self._guard(self._worker.stop)
        self._guard(self._sound.restore)
        self._guard(self._remote.end)
        self._stats.close()
        self._log.close()

    def filters(self) -> Sequence[FilterInstance]:
        """All filters that live."""
        return list(self._instances.values())

    def instance(self, filter_id: int) -> FilterInstance | None:
        """The filter's object, if it lives."""
        return self._instances.get(filter_id)

    @property
    def personas(self) -> tuple[PersonaChoice, ...]:
        """What the face list shows."""
        return self._news.personas

    @property
    def choices(self) -> Choices:
        """What the other lists show."""
        return self._news.choices

    @property
    def panic(self) -> bool:
        """True while every filter covers because the hotkey was pressed."""
        return self._holder.panic

    def toggle_panic(self) -> None:
        """Covers every filter's picture at once, or ends that. Any thread."""
        self._holder.panic = not self._holder.panic
        for instance in list(self._instances.values()):
            instance.policy.follow_panic()

    def add_persona(self, filter_id: int, wanted: NewPersona) -> None:
        """Asks the worker to make a persona of photos or to add a model, for that filter. Any thread."""
        self._tasks.append(lambda: self._persona_requests.ask(filter_id, wanted, ready=self._worker.ready))

    def change(self, filter_id: int, values: Mapping[str, object]) -> None:
        """Changes settings of that filter. Any thread."""
        self._tasks.append(lambda: self._pages.set_values(filter_id, values))

    def answer(self, filter_id: int, group: str, *phrases: Phrase) -> None:
        """What the page of that filter says beside the buttons of a group. Any thread."""
        self._tasks.append(lambda: self._say(filter_id, *phrases, group=group))

    def restart_worker(self) -> None:
        """Ends the worker, so that another one takes its place. Any thread."""
        self._tasks.append(self._worker.restart)

    def facts(self) -> Facts:
        """What a diagnosis says of the worker. Any thread."""
        return Facts(self._news.status, self._worker.starts, self._worker.restarts, self.choices)

    def refresh_page(self, filter_id: int) -> None:
        """Has OBS build that filter's property page anew, and looks for new faces and models. Any thread."""
        self._tasks.append(lambda: self._pages.refresh(filter_id))
        self._tasks.append(lambda: self._worker.send(ListPersonas()))

    # -- one look

    def _look(self) -> None:
        now_ns = time.monotonic_ns()
        self._find_filters()
        if self._instances:
            self._wanted_ns = now_ns
        wanted = bool(self._instances) or (self._worker.running and now_ns - self._wanted_ns < LINGER_NS)
        # While networks load, frames wait, and nothing is wrong.
        busy = (item.status.oldest_busy_ns for item in self._instances.values() if item.swapping())
        oldest_ns = max(busy, default=0)
        for message in self._worker.tick(
            now_ns, wanted=wanted, oldest_busy_ns=oldest_ns, in_use=self._settings_in_use()
        ):
            # One that cannot be taken must not cost those behind it: the next may be the spare's ``ready``.
            self._guard(functools.partial(self._take, message))
        if not self._worker.ready:
            self._worker_lost()
        while self._tasks:
            self._guard(self._tasks.popleft())
        around = Surroundings(
            now_ns,
            self._generation,
            self._worker.running,
            self._news.status,
            self._worker.problem,
            {item.id: item.name for item in self.personas},
            self._holder.panic,
            self._yielding.divisor,
        )
        for filter_id, instance in list(self._instances.items()):
            if self._loop.stopping:
                return
            self._guard(functools.partial(self._tick, filter_id, instance, around))
        self._guard(lambda: self._sound.look(now_ns, self._instances.values()))
        self._yielding.look(now_ns, swapping=any(item.swapping() for item in self._instances.values()))
        status, names = self._news.status, around.persona_names
        self._guard(
            lambda: self._remote.look(now_ns, status, names, self._instances.values(), panic=self.panic)
        )
        if self._stats.due(now_ns):
            self._write_stats()

    def _find_filters(self) -> None:
        count = self._gate.doppel_gate_list(self._ids, MOST_FILTERS)
        living = set(self._ids[: min(count, MOST_FILTERS)])
        for filter_id in living - set(self._instances):
            made = FilterInstance(self._holder, filter_id, self._worker.send, self._next_serial)
            made.samples_kept = ALL_SAMPLES if self._stats.kept else FEW_SAMPLES
            made.notice = self._news.notice
            self._instances[filter_id] = made
        for filter_id in set(self._instances) - living:
            self._gone(filter_id)

    def _tick(self, filter_id: int, instance: FilterInstance, around: Surroundings) -> None:
        known = instance.stats
        if not instance.tick(around):
            self._gone(filter_id)
            return
        if known is None and instance.stats is not None:
            self._lanes.add(instance.stats)
            self._states.pop(filter_id, None)  # it is told to the newcomer, too
        instance.original_held = self._hotkeys.look(
            around.now_ns, filter_id, instance.settings, list(around.persona_names)
        )
        state = instance.line.state()
        if state is not None and (state, instance.lane.problem) != self._states.get(filter_id):
            self._states[filter_id] = (state, instance.lane.problem)
            label = "?"
            if instance.stats is not None:
                label, instance.stats.state = instance.stats.source, self._english(state)
            self._stats.message(self._unnamed(state))
            news = "\n".join(map(self._english, instance.line.news()))
            self._obs.log(LOG_INFO, f"{label}: {news}")
            problem = "" if instance.lane.problem is None else f" ({self._english(instance.lane.problem)})"
            self._log.note(f"filter {filter_id}: {state.key}{problem}")  # it goes to helpers: no names
            self._pages.refresh(filter_id)

    def _gone(self, filter_id: int) -> None:
        self._states.pop(filter_id, None)
        self._persona_requests.filter_gone(filter_id)
        self._hotkeys.gone(filter_id)
        instance = self._instances.pop(filter_id)
        if instance.stats is not None:
            self._lanes.close(instance.stats)
        self._guard(functools.partial(instance.leave, alive=False))

    def _settings_in_use(self) -> set[FilterSettings]:
        return {item.for_worker() for item in self._instances.values() if item.lane.serial}

    # -- the worker

    def _worker_lost(self) -> None:
        self._generation = 0
        self._news.worker_lost()
        self._persona_requests.worker_lost()

    def _take(self, message: Message) -> None:
        if isinstance(message, Ready):
            self._worker_lost()  # the one before it, where another took over at once
            self._generation = self._worker.starts
            self._worker.send(ListPersonas())
            self._yielding.greet()
        elif isinstance(message, PersonaAdded):
            self._persona_requests.answered(message)
        else:
            self._news.take(message)

    # -- the filters' pages

    def _say(self, filter_id: int, *phrases: Phrase, group: str = "add") -> None:
        # Photos are often called as those whom they show.
        self._tell(LOG_INFO, "\n".join(map(self._english, phrases)), *phrases)
        instance = self._instances.get(filter_id)
        if instance is not None:
            instance.answers[group] = phrases
            self._pages.refresh(filter_id)

    def _tell(self, level: int, text: str, *instead: Phrase | None) -> None:
        """``text`` for OBS's log; Doppel's and the status, for helpers, have ``instead`` without names."""
        kept = "\n".join(self._unnamed(one) for one in instead if one is not None) or text
        self._stats.message(kept)
        self._log.say(level, text, kept)

    def _write_stats(self) -> None:
        worker = worker_part(self._worker, self._news.status, self._yielding.divisor)
        self._stats.write(obs_part(self._obs.version(), panic=self.panic), worker, self._lanes.lanes())
