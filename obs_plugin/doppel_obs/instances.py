"""One object per filter that lives: its settings, lane, delay, statistics and status line."""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Callable, Mapping, Sequence

from doppel_ipc import gate_abi
from doppel_ipc.messages import LaneStatus, Status
from doppel_ipc.settings import FilterSettings

from doppel_obs import settings_reader
from doppel_obs.delay import DelayController
from doppel_obs.filtered_source import FilteredSource
from doppel_obs.lane import SLOTS_BEYOND_DELAY, Lane, SendTo
from doppel_obs.lane_stats import ALL_SAMPLES, LaneStats
from doppel_obs.libobs import Handle, Libobs
from doppel_obs.phrases import Phrase
from doppel_obs.policy import PolicyKeeper
from doppel_obs.registration import Holder
from doppel_obs.rendering import wants_rgb
from doppel_obs.status_line import Situation, StatusLine

SETTLE_NS = 25_000_000
"""Settings that changed are read when they have been quiet for this long: OBS's data is not thread-safe."""
LONGEST_SETTLE_NS = 90_000_000
"""... but a slider that is being dragged is followed at least this often."""
STEADY_FRAMES = 30
"""The sound waits until the frame interval has been measured over so many frames."""
_MS = 1_000_000
_INTERVAL_CHANGE = 0.05


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What all filters share, at one look."""

    now_ns: int
    generation: int
    """Of the worker that is ready; 0: none is."""
    worker_running: bool
    worker: Status | None
    worker_problem: Phrase | None
    """What is wrong with the worker; None while one works."""
    persona_names: Mapping[str, str]
    panic: bool
    one_of: int = 1
    """One of so many frames is swapped, because OBS is late."""


class FilterInstance:
    """One filter.

    Args:
        holder: libobs and the gate.
        filter_id: the gate's id.
        send: sends a message to the worker of a generation.
        next_serial: numbers for lanes and settings.
    """

    def __init__(
        self,
        holder: Holder,
        filter_id: int,
        send: SendTo,
        next_serial: Callable[[], int],
    ) -> None:
        self._obs: Libobs = holder.libobs
        self._gate = holder.gate
        self.filter_id = filter_id
        version = int(self._obs.obs_get_version())
        self.lane = Lane(holder.gate, filter_id, send, next_serial, lambda: wants_rgb(version))
        self._delay = DelayController(self.lane.slots - SLOTS_BEYOND_DELAY)
        self.settings = FilterSettings()
        self._problems: list[Phrase] = []
        self._seen_serial: int | None = None
        self._read_serial: int | None = None
        self._changed_ns = 0
        self._unread_ns = 0
        self.policy = PolicyKeeper(holder, filter_id)
        self._samples = (gate_abi.Sample * gate_abi.SAMPLES_KEPT)()
        self.status = gate_abi.Status()
        self.source = FilteredSource(self._obs)
        self._interval_ns = 0
        self._enabled = True
        self.lane_status: LaneStatus | None = None
        self.error: Phrase | None = None
        """What the worker said is wrong with this lane; cleared when its settings change."""
        self.notice: Phrase | None = None
        """What the worker fell back to, and why."""
        self.answers: dict[str, tuple[Phrase, ...]] = {}
        """Group of the page -> what came of its buttons, e.g. why a photo was refused; shown beside them."""
        self.original_held = False
        """The key is down that shows the original."""
        self.refused = False
        """The worker could not open the last lane; another one is tried now and then."""
        self._sound_note: Phrase | None = None
        self.stats: LaneStats | None = None
        self.samples_kept = ALL_SAMPLES
        self.line = StatusLine()

    def tick(self, around: Surroundings) -> bool:
        """One look; False when the filter is gone."""
        if self._gate.doppel_gate_get_status(self.filter_id, ctypes.byref(self.status)) == gate_abi.GONE:
            return False
        source = self._gate.doppel_gate_get_source(self.filter_id)
        if source is None:
            return True  # being destroyed; the gate forgets it soon
        try:
            self._look_at_source(source, around.now_ns)
        finally:
            self._obs.obs_source_release(source)
        if self._read_serial is None:
            return True
        self._look_at_frames(around.now_ns)
        if self.lane.tick(
            around.now_ns,
            self.status,
            around.generation,
            self.stats.source if self.stats is not None else "",
            self.for_worker(),
            self._read_serial,
        ):
            self.lane_status = None
            if not self.refused:  # what is wrong stays on the status line until a lane opens
                self.error = None
            self._delay.limit(self.lane.slots - SLOTS_BEYOND_DELAY)
            self._delay.restart(around.now_ns)
        self.policy.update(self.settings, self._delay.frames)
        self._gate.doppel_gate_collect(self.filter_id)
        self.line.look(around.now_ns, self._describe(around))
        return True

    def wanted_sound(self) -> tuple[Handle, int | None] | None:
        """(audio source, nanoseconds) with a reference that the caller releases; None: no source.

        The nanoseconds are None while it is not known yet how late the picture is.
        """
        source, self._sound_note = self.source.sound(self.settings.sound_source)
        wanted = self._enabled and self.settings.swap and self.settings.sound_sync
        if not wanted or self.status.passes_on:
            self._sound_note = None
            return None if source is None else (source, 0)
        if source is None:
            return None
        known = self.status.lane_serial and self._interval_ns and self.status.frames_in >= STEADY_FRAMES
        if not known:
            return source, None
        frames = self._delay.frames + self.status.readback_frames
        return source, round(frames * self._interval_ns / _MS) * _MS

    def lane_opened(self) -> None:
        """The worker serves the lane."""
        self.lane.opened()
        if self.refused:
            self.refused, self.error = False, None

    def lane_refused(self, now_ns: int) -> None:
        """The worker could not open the lane's segment."""
        self.lane.refused(now_ns)
        self.lane_status, self.refused = None, True

    def swapping(self) -> bool:
        """True while the worker serves this filter's frames.

        Until the gate sends them into this lane, its figures are those of the lane before, and of its worker.
        """
        running = self.lane_status is not None and self.lane_status.state == "running"
        return running and self.lane.serial != 0 and self.status.lane_serial == self.lane.serial

    def leave(self, *, alive: bool) -> None:
        """The script ends (``alive``: the gate goes on covering), or the filter is gone."""
        try:
            if alive:
                self.lane.lost()
            else:
                self.lane.close()
        finally:
            self.source.close()

    # -- one look

    def _look_at_source(self, source: Handle, now_ns: int) -> None:
        self._enabled = bool(self._obs.obs_source_enabled(source))
        self.source.look(source)
        if self.source.found:
            names = self.source.name(), self._obs.name_of(source)
            self.stats = self.stats or LaneStats(*names, self.samples_kept)
            self.stats.rename(*names)
        if self._settled(now_ns):
            self._read(source)

    def _settled(self, now_ns: int) -> bool:
        serial = self.status.settings_serial
        if self._read_serial is None:
            return True
        if serial == self._read_serial:
            return False
        if serial != self._seen_serial:
            if self._seen_serial == self._read_serial:
                self._unread_ns = now_ns
            self._seen_serial, self._changed_ns = serial, now_ns
        return now_ns - self._changed_ns >= SETTLE_NS or now_ns - self._unread_ns >= LONGEST_SETTLE_NS

    def _read(self, source: Handle) -> None:
        self._read_serial = self._seen_serial = self.status.settings_serial
        settings, self._problems = settings_reader.parse(settings_reader.read_json(self._obs, source))
        if settings == self.settings:
            return
        self.settings = settings
        self.error = None
        self.lane.change(self.for_worker(), self._read_serial)

    def for_worker(self) -> FilterSettings:
        """The settings as the worker hears them: the pause is the gate's alone.

        A worker that heard of a pause's end late would hand the next frames back as they are.
        """
        return self.settings.replace(swap=True)

    def _look_at_frames(self, now_ns: int) -> None:
        count = self._gate.doppel_gate_drain(self.filter_id, self._samples, len(self._samples))
        samples: Sequence[gate_abi.Sample] = self._samples[: max(count, 0)]
        self.lane.saw(self.status, samples)
        interval_ns = self.status.frame_interval_ns
        self._delay.update(
            now_ns, [sample.turnaround_ns for sample in samples if sample.turnaround_ns], interval_ns
        )
        # The gate's figure wavers; the sound must not.
        if abs(interval_ns - self._interval_ns) > _INTERVAL_CHANGE * self._interval_ns:
            self._interval_ns = interval_ns
        if self.stats is not None:
            self.stats.settings = self.settings
            self.stats.look(self.status, samples, self._persona_in_use())

    def _describe(self, around: Surroundings) -> Situation:
        status = gate_abi.Status.from_buffer_copy(bytes(self.status))
        notes = (
            around.worker_problem,
            self.notice,
            self.error,
            self.lane.problem,
            self._sound_note,
            *self._problems,
        )
        return Situation(
            settings=self.settings,
            gate=status,
            enabled=self._enabled,
            panic=around.panic,
            original_held=self.original_held,
            worker_running=around.worker_running,
            worker=around.worker,
            lane_open=self.lane.serial != 0,
            lane=self.lane_status,
            persona_names=around.persona_names,
            notes=tuple(note for note in notes if note is not None),
            one_of=around.one_of,
        )

    def _persona_in_use(self) -> str:
        return self.lane_status.persona if self.lane_status is not None else self.settings.persona
