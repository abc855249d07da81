"""Applies :mod:`doppel_obs.sound` to OBS's audio sources."""

from __future__ import annotations

import dataclasses
from typing import Iterable, Protocol, Sequence

from doppel_ipc.sound_record import RECORD_KEY, Record

from doppel_obs.libobs import Handle, Libobs, text_of
from doppel_obs.sound import Action, SoundOffset, largest

_KEY = RECORD_KEY.encode()


@dataclasses.dataclass
class _Tracked:
    weak: Handle
    state: SoundOffset


class Delays(Protocol):
    """A filter, as far as sound goes."""

    def wanted_sound(self) -> tuple[Handle, int | None] | None:
        """(audio source, nanoseconds) with a reference for the caller to release; None: no source."""


class SoundKeeper:
    """Keeps the offsets of all audio sources that filters delay. One thread only.

    Args:
        libobs: libobs's functions.
    """

    def __init__(self, libobs: Libobs) -> None:
        self._obs = libobs
        self._tracked: dict[Handle, _Tracked] = {}

    def update(self, now_ns: int, wanted: Sequence[tuple[Handle, int | None]]) -> None:
        """One look at every audio source.

        Args:
            now_ns: monotonic time.
            wanted: (source, nanoseconds) of each filter; None: not known yet, so what is stays. The caller
                holds references to the sources.
        """
        for source in {source for source, _ in wanted} - set(self._tracked):
            self._open(source)
        for address, tracked in list(self._tracked.items()):
            source = self._obs.obs_weak_source_get_source(tracked.weak)
            if source != address:  # gone (and its address perhaps another's)
                self._forget(address)
                continue
            try:
                delays = [delay for other, delay in wanted if other == source]
                if None not in delays:
                    current_ns = int(self._obs.obs_source_get_sync_offset(source))
                    delay_ns = largest(delay for delay in delays if delay is not None)
                    self._apply(source, tracked.state.update(now_ns, current_ns, delay_ns))
            finally:
                self._obs.obs_source_release(source)

    def look(self, now_ns: int, filters: Iterable[Delays]) -> None:
        """One look at every audio source that one of the filters delays.

        Args:
            now_ns: monotonic time.
            filters: all that live.
        """
        wanted: list[tuple[Handle, int | None]] = []
        try:
            for one in filters:
                sound = one.wanted_sound()
                if sound is not None:
                    wanted.append(sound)
            self.update(now_ns, wanted)
        finally:
            for source, _ in wanted:
                self._obs.obs_source_release(source)

    def restore(self) -> None:
        """Gives every source the user's own offset and lets go of all."""
        for address, tracked in list(self._tracked.items()):
            source = self._obs.obs_weak_source_get_source(tracked.weak)
            try:
                if source is not None:
                    self._apply(source, tracked.state.restore())
            finally:
                if source is not None:
                    self._obs.obs_source_release(source)
                self._forget(address)

    def _open(self, source: Handle) -> None:
        data = self._obs.obs_source_get_private_settings(source)
        record = Record.from_json(text_of(self._obs.obs_data_get_string(data, _KEY)))
        self._obs.obs_data_release(data)
        current_ns = int(self._obs.obs_source_get_sync_offset(source))
        weak = self._obs.obs_source_get_weak_source(source)
        self._tracked[source] = _Tracked(weak, SoundOffset(current_ns, record))

    def _forget(self, address: Handle) -> None:
        self._obs.obs_weak_source_release(self._tracked.pop(address).weak)

    def _apply(self, source: Handle, action: Action) -> None:
        if action == Action():
            return
        data = self._obs.obs_source_get_private_settings(source)
        try:
            if action.record is not None:
                self._obs.obs_data_set_string(data, _KEY, action.record.to_json().encode())
            if action.offset_ns is not None:
                self._obs.obs_source_set_sync_offset(source, action.offset_ns)
            if action.erase_record:
                self._obs.obs_data_erase(data, _KEY)
        finally:
            self._obs.obs_data_release(data)
