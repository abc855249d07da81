from __future__ import annotations

import pytest
from doppel_ipc.sound_record import Record
from doppel_obs.sound import STEP_GAP_NS, Action, SoundOffset, largest
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000
TICK_NS = 50 * MS


class AudioSource:
    """An audio source as OBS has it: an offset that follows only its second change from 0, and saved
    settings."""

    def __init__(self, offset_ns: int = 0, record: str | None = None) -> None:
        self.offset_ns = offset_ns
        self.record = record
        self.heard_ns = offset_ns
        """The offset that the sound really has."""
        self._last_ns = offset_ns
        self.changes = 0

    def set(self, offset_ns: int) -> None:
        self.offset_ns = offset_ns
        self.changes += 1

    def packet(self) -> None:
        """libobs, source_output_audio_data: only a change from an offset other than 0 moves the sound."""
        if self._last_ns != self.offset_ns:
            if self._last_ns != 0:
                self.heard_ns = self.offset_ns
            self._last_ns = self.offset_ns

    def apply(self, action: Action) -> None:
        if action.record is not None:
            self.record = action.record.to_json()
        if action.offset_ns is not None:
            self.set(action.offset_ns)
        if action.erase_record:
            self.record = None

    def open(self) -> SoundOffset:
        return SoundOffset(self.offset_ns, Record.from_json(self.record) if self.record else None)


def run(source: AudioSource, state: SoundOffset, wanted_ns: int, start_ns: int, looks: int = 8) -> int:
    now_ns = start_ns
    for _ in range(looks):
        source.apply(state.update(now_ns, source.offset_ns, wanted_ns))
        source.packet()
        now_ns += TICK_NS
    return now_ns


user_offsets = st.integers(-500, 500).map(lambda ms: ms * MS)
delays = st.integers(1, 400).map(lambda ms: ms * MS)


@given(user_offsets, st.lists(delays, min_size=1, max_size=5))
def test_the_sound_follows_every_delay_and_comes_back(user_ns: int, wanted: list[int]) -> None:
    source = AudioSource(user_ns)
    state, now_ns = source.open(), 0
    for wanted_ns in wanted:
        now_ns = run(source, state, wanted_ns, now_ns)
        assert source.offset_ns == user_ns + wanted_ns
        assert source.heard_ns == user_ns + wanted_ns

    run(source, state, 0, now_ns)
    assert source.offset_ns == user_ns
    assert source.heard_ns == user_ns
    assert source.record is None


def test_a_delay_that_stays_changes_nothing() -> None:
    source = AudioSource(40 * MS)
    state = source.open()
    now_ns = run(source, state, 66 * MS, 0)
    changes = source.changes

    run(source, state, 66 * MS, now_ns, looks=100)
    assert changes == 2
    assert source.changes == changes


def test_a_source_that_no_filter_delays_is_left_alone() -> None:
    source = AudioSource(40 * MS)
    run(source, source.open(), 0, 0, looks=20)

    assert source.changes == 0
    assert source.record is None


@given(user_offsets, delays, st.integers(0, 12))
def test_after_a_crash_at_any_moment_our_offset_is_not_added_twice(
    user_ns: int, wanted_ns: int, looks_before_crash: int
) -> None:
    source = AudioSource(user_ns)
    run(source, source.open(), wanted_ns, 0, looks_before_crash)

    reborn = AudioSource(source.offset_ns, source.record)
    run(reborn, reborn.open(), wanted_ns, 0)
    assert reborn.offset_ns == user_ns + wanted_ns


@given(user_offsets, delays)
def test_a_crash_with_the_record_written_and_the_offset_not_yet_set_keeps_the_users_own(
    user_ns: int, wanted_ns: int
) -> None:
    source = AudioSource(user_ns)
    action = source.open().update(0, source.offset_ns, wanted_ns)
    assert action.record is not None

    assert SoundOffset(user_ns, action.record).user_ns == user_ns


@given(user_offsets, delays)
def test_unloading_restores_the_users_own_offset_at_once(user_ns: int, wanted_ns: int) -> None:
    for looks in range(8):
        source = AudioSource(user_ns)
        state = source.open()
        run(source, state, wanted_ns, 0, looks)
        source.apply(state.restore())
        assert source.offset_ns == user_ns
        assert source.record is None


def test_what_the_user_edits_while_ours_is_in_it_becomes_the_users() -> None:
    source = AudioSource(0)
    state = source.open()
    now_ns = run(source, state, 66 * MS, 0)
    source.set(100 * MS)
    now_ns = run(source, state, 66 * MS, now_ns)
    assert source.offset_ns == 100 * MS

    run(source, state, 0, now_ns)
    assert source.offset_ns == 34 * MS


def test_a_record_that_does_not_fit_the_offset_is_not_believed() -> None:
    stale = Record(user_ns=20 * MS, totals_ns=(86 * MS,))

    assert SoundOffset(300 * MS, stale).user_ns == 300 * MS


def test_the_two_steps_are_at_least_one_audio_packet_apart() -> None:
    state = SoundOffset(0, None)
    first = state.update(0, 0, 66 * MS)
    assert first.offset_ns == 65 * MS

    assert state.update(STEP_GAP_NS - 1, 65 * MS, 66 * MS).offset_ns is None
    assert state.update(STEP_GAP_NS, 65 * MS, 66 * MS).offset_ns == 66 * MS


@given(st.text())
def test_a_damaged_record_is_no_record(text: str) -> None:
    record = Record.from_json(text)
    assert record is None or Record.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "text", ['{"user_ns": Infinity, "totals_ns": []}', '{"user_ns": 0, "totals_ns": [1e999]}', "[" * 50_000]
)
def test_numbers_without_an_end_and_what_is_nested_too_deeply_are_no_record(text: str) -> None:
    assert Record.from_json(text) is None


def test_of_several_filters_the_largest_delay_counts() -> None:
    assert largest([33 * MS, 66 * MS, 0]) == 66 * MS
    assert largest([]) == 0
